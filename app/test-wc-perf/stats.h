/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_STATS_H
#define WC_PERF_STATS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The statistics of the comparison.
 *
 * Many pairs that know nothing of each other (the probe's): the ratio is the median of the ratios
 * of the pairs. Its 95% interval is that of the sign test: the k-th smallest to the k-th largest
 * ratio, k the largest with
 *
 *	P(Binomial(n, 1/2) < k) <= 2.5%
 *
 * It is exact whatever the distribution, needs no random numbers, and always holds the median. It
 * asks for n >= 6 pairs.
 *
 * Pairs of a few starts of testpmd, of several turns in each: turns of one start have in common
 * what that start is like (where its memory lies, ...), so
 *
 *	log(ratio of a turn) = log(ratio) + what its start adds + what the turn adds
 *
 * and only starts tell how much starts differ. The estimate is the mean over the starts' means; its
 * 95% interval is Student's, of these means, starts - 1 degrees of freedom: right whatever share of
 * the noise is the starts', where both add normal noise; it asks for 2 starts. What one start and
 * one turn add is estimated from the spread between and within starts (analysis of variance).
 *
 * Who looks after each start whether the interval is narrow enough stops too early where the spread
 * looks smaller than it is. An interval of STATS_STOPPED, with no look before the start
 * STATS_STOPPED_STARTS, then holds the ratio in 95% (simulated in the unit tests).
 */

#define STATS_LEVEL 0.95
#define STATS_STOPPED 0.97	/* of an interval whose width decided when to stop */
#define STATS_STOPPED_STARTS 6	/* before which it must not */

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

/* Of starts of so many turns; unknown: NAN. */
struct levels {
	double ratio;
	double median;		/* of all pairs, of incomplete starts, too */
	double low;		/* 95% interval, valid if has_ci */
	double high;
	size_t starts;
	size_t turns;		/* of each arm in a start */
	double sd_start;	/* what one start adds, relative */
	double sd_turn;
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

/* What Student's t, of at least one degree of freedom, is within with this probability. */
double
stats_student(size_t freedom, double level);

/*
 * The same n >= 1 pairs, `turns` of a start behind each other. A last start that is not complete
 * does not count, unless it is all there is. level: STATS_LEVEL or STATS_STOPPED.
 */
struct levels
stats_levels(const double *over, const double *under, size_t n, size_t turns, double level);

#endif
