/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_STATS_H
#define WC_PERF_STATS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The statistics of the comparison.
 *
 * Runs come in pairs: repeat i gives one rate of each arm, measured close in time. The
 * ratio is the median of the ratios of the pairs. Its 95% interval is that of the sign test:
 * the k-th smallest to the k-th largest ratio, k the largest with
 *
 *	P(Binomial(n, 1/2) < k) <= 2.5%
 *
 * It is exact whatever the distribution, needs no random numbers, and always holds the
 * median; it asks for n >= 6 pairs (below, not even the smallest to the largest covers
 * 95%). A bootstrap of so few pairs claims more than it covers.
 */
#define STATS_MIN_PAIRS 6

struct summary {
	double median;
	double min;
	double max;
};

struct ratio {
	double median;
	double low;	/* 95% interval, valid if has_ci */
	double high;
	size_t pairs;
	bool has_ci;
};

/* Median, smallest, largest of n >= 1 values. */
struct summary
stats_summary(const double *v, size_t n);

/* The rank k of the interval above; 0: too few pairs for any. */
size_t
stats_sign_rank(size_t n);

/* Ratios over[i] / under[i] of n >= 1 pairs; every under[i] > 0. */
struct ratio
stats_ratio(const double *over, const double *under, size_t n);

#endif
