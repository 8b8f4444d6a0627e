/* SPDX-License-Identifier: BSD-3-Clause */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stats.h"

static int
compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double *
sorted(const double *v, size_t n)
{
	double *s = malloc(n * sizeof(*s));

	if (s == NULL)
		abort();
	memcpy(s, v, n * sizeof(*s));
	qsort(s, n, sizeof(*s), compare);
	return s;
}

static double
median_of_sorted(const double *s, size_t n)
{
	return n % 2 != 0 ? s[n / 2] : (s[n / 2 - 1] + s[n / 2]) / 2;
}

struct summary
stats_summary(const double *v, size_t n)
{
	double *s = sorted(v, n);
	struct summary r = { median_of_sorted(s, n), s[0], s[n - 1] };

	free(s);
	return r;
}

size_t
stats_sign_rank(size_t n)
{
	double log_p = -(double)n * M_LN2;	/* of exactly k successes, k = 0 */
	double tail = 0;
	size_t k;

	for (k = 0; k < n; k++) {
		tail += exp(log_p);
		if (tail > 0.025)
			return k;
		log_p += log((double)(n - k)) - log((double)(k + 1));
	}
	return 0;
}

struct ratio
stats_ratio(const double *over, const double *under, size_t n)
{
	size_t i, k = stats_sign_rank(n);
	struct ratio r = { .pairs = n, .has_ci = k > 0 };
	double *s = malloc(n * sizeof(*s));

	if (s == NULL)
		abort();
	for (i = 0; i < n; i++)
		s[i] = over[i] / under[i];
	qsort(s, n, sizeof(*s), compare);
	r.median = median_of_sorted(s, n);
	if (r.has_ci) {
		r.low = s[k - 1];
		r.high = s[n - k];
	}
	free(s);
	return r;
}
