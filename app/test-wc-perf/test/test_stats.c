/* SPDX-License-Identifier: BSD-3-Clause */

#include "test.h"
#include "stats.h"
#include "probe.h"

static void
summary_of_odd_and_even(void **state)
{
	static const double odd[] = { 5, 1, 3 }, even[] = { 4, 1, 3, 2 }, one[] = { 7 };
	struct summary s;

	(void)state;
	s = stats_summary(odd, 3);
	assert_true(s.median == 3 && s.min == 1 && s.max == 5);
	s = stats_summary(even, 4);
	assert_true(s.median == 2.5 && s.min == 1 && s.max == 4);
	s = stats_summary(one, 1);
	assert_true(s.median == 7 && s.min == 7 && s.max == 7);
}

/* Critical values of the sign test, two-sided, 5%: rank = critical value + 1. */
static void
ranks_as_in_tables(void **state)
{
	static const struct {
		size_t n, rank;
	} table[] = {
		{ 1, 0 }, { 5, 0 }, { 6, 1 }, { 7, 1 }, { 8, 1 }, { 9, 2 }, { 10, 2 }, { 11, 2 },
		{ 12, 3 }, { 14, 3 }, { 15, 4 }, { 17, 5 }, { 20, 6 }, { 25, 8 }, { 30, 10 },
		{ 40, 14 }, { 41, 14 }, { 50, 18 }, { 100, 40 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(stats_sign_rank(table[i].n), table[i].rank);
	/* No overflow where 2^-n is no double any more. */
	assert_true(stats_sign_rank(2000) > 950 && stats_sign_rank(2000) < 1000);
	assert_int_equal(stats_sign_rank(STATS_MIN_PAIRS - 1), 0);
	assert_int_equal(stats_sign_rank(STATS_MIN_PAIRS), 1);
}

static void
ratio_pairs_what_belongs_together(void **state)
{
	/* The level of the pairs varies by 100, the ratio is 2 but for one. */
	static const double over[] = { 2, 4, 200, 20, 6, 60, 8, 15, 2 };
	static const double under[] = { 1, 2, 100, 10, 3, 30, 4, 5, 1 };
	struct ratio r;

	(void)state;
	r = stats_ratio(over, under, 9);
	assert_true(r.has_ci);
	assert_int_equal(r.pairs, 9);
	/* Rank 2 of 9: the 3 at the end is outside. */
	assert_true(r.median == 2 && r.low == 2 && r.high == 2);
	r = stats_ratio(over + 2, under + 2, 6);
	assert_true(r.has_ci && r.low == 2 && r.high == 3);
	r = stats_ratio(over, under, 5);
	assert_false(r.has_ci);
	assert_true(r.median == 2);
}

/* A fair coin must fall outside the interval in at most 5% of all samples: all 2^10 of them. */
static void
interval_covers_95_percent(void **state)
{
	double over[10], under[10];
	unsigned int sample, i, missed = 0;
	struct ratio r;

	(void)state;
	for (sample = 0; sample < 1 << 10; sample++) {
		for (i = 0; i < 10; i++) {
			/* Symmetric about 1, no two alike. */
			over[i] = sample & 1 << i ? 1 + (i + 1) / 100.0 : 1 - (i + 1) / 100.0;
			under[i] = 1;
		}
		r = stats_ratio(over, under, 10);
		missed += r.low > 1 || r.high < 1;
	}
	assert_true(missed <= 1024 * 5 / 100);
	/* And it is no wider than it must be: the next rank would miss 11%. */
	assert_int_equal(missed, 22);
}

static void
probe_decides_on_the_interval(void **state)
{
	static const struct {
		struct ratio r;
		const char *verdict;
	} table[] = {
		{ { 8, 7.5, 8.5, 41, true }, "yes" },
		{ { 1.6, 1.51, 1.7, 41, true }, "yes" },
		{ { 1.6, 1.49, 1.7, 41, true }, "unknown" },
		{ { 1, 0.95, 1.05, 41, true }, "no" },
		{ { 1.1, 0.9, 1.3, 41, true }, "unknown" },
		{ { 0.7, 0.6, 0.79, 41, true }, "unknown" },
		{ { 8, 0, 0, 5, false }, "unknown" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_string_equal(probe_verdict(&table[i].r), table[i].verdict);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(summary_of_odd_and_even),
		cmocka_unit_test(ranks_as_in_tables),
		cmocka_unit_test(ratio_pairs_what_belongs_together),
		cmocka_unit_test(interval_covers_95_percent),
		cmocka_unit_test(probe_decides_on_the_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
