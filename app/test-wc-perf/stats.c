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

double
stats_student(size_t freedom, double level)
{
	double low = 0, high = M_PI / 2, angle = 0, c, term, sum, p;
	size_t i;
	int step;

	/*
	 * P(|t| < sqrt(freedom) tan(angle)) is a finite series in the angle's sine and cosine
	 * (Abramowitz and Stegun, 26.7.3 and 26.7.4); the angle is found by halving.
	 */
	for (step = 0; step < 60; step++) {
		angle = (low + high) / 2;
		c = cos(angle);
		term = freedom % 2 != 0 ? c : 1;
		sum = freedom == 1 ? 0 : term;
		for (i = freedom % 2 + 2; i < freedom; i += 2) {
			term *= c * c * (i - 1) / i;
			sum += term;
		}
		p = sin(angle) * sum;
		if (freedom % 2 != 0)
			p = (p + angle) * M_2_PI;
		if (p < level)
			low = angle;
		else
			high = angle;
	}
	return sqrt(freedom) * tan(angle);
}

struct levels
stats_levels(const double *over, const double *under, size_t n, size_t turns, double level)
{
	struct levels r = { .turns = turns < n ? turns : n, .sd_start = NAN, .sd_turn = NAN };
	double mean = 0, within = 0, between = 0, *start, v, half;
	size_t i, s;

	r.starts = n / r.turns;
	start = calloc(r.starts, sizeof(*start));
	if (start == NULL)
		abort();
	for (s = 0; s < r.starts; s++) {
		for (i = s * r.turns; i < (s + 1) * r.turns; i++)
			start[s] += log(over[i] / under[i]) / r.turns;
		mean += start[s] / r.starts;
		for (i = s * r.turns; i < (s + 1) * r.turns; i++) {
			v = log(over[i] / under[i]) - start[s];
			within += v * v;
		}
	}
	for (s = 0; s < r.starts; s++)
		between += (start[s] - mean) * (start[s] - mean);
	free(start);
	r.ratio = exp(mean);
	r.median = stats_ratio(over, under, n).median;
	if (r.turns > 1)
		r.sd_turn = sqrt(within / (r.starts * (r.turns - 1)));
	r.has_ci = r.starts > 1;
	if (!r.has_ci)
		return r;
	between /= r.starts - 1;
	if (r.turns > 1)
		r.sd_start = sqrt(fmax(0, between - r.sd_turn * r.sd_turn / r.turns));
	half = stats_student(r.starts - 1, level) * sqrt(between / r.starts);
	r.low = exp(mean - half);
	r.high = exp(mean + half);
	return r;
}
