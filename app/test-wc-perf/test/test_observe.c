/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>

#include <rte_vfio_wc.h>

#include "test.h"
#include "observe.h"

/* The kernel's list, as the library gives it. */
static const struct rte_vfio_wc_memtype *fake_list;
static int fake_entries;

int
__wrap_rte_vfio_wc_pat_list(uint64_t start, uint64_t length, struct rte_vfio_wc_memtype *list,
	unsigned int max, struct rte_vfio_wc_error *error);

int
__wrap_rte_vfio_wc_pat_list(uint64_t start, uint64_t length, struct rte_vfio_wc_memtype *list,
	unsigned int max, struct rte_vfio_wc_error *error)
{
	(void)error;
	assert_true(start == 0x10000 && length == 0x4000);
	if (fake_entries > 0 && fake_entries <= (int)max)
		memcpy(list, fake_list, fake_entries * sizeof(*list));
	return fake_entries;
}

static void
types_from_the_kernels_list(void **state)
{
	static const struct {
		int entries;
		struct rte_vfio_wc_memtype list[3];
		const char *type;
	} table[] = {
		{ -2, { { 0 } }, "unknown" },
		{ 1000, { { 0 } }, "unknown" },
		{ 0, { { 0 } }, "UC-" },
		{ 1, { { 0x10000, 0x4000, "WC" } }, "WC" },
		{ 1, { { 0x10000, 0x4000, "UC-" } }, "UC-" },
		{ 2, { { 0x10000, 0x1000, "WC" }, { 0x11000, 0x3000, "WC" } }, "WC" },
		/* Two mappings of it, one of a part. */
		{ 2, { { 0x10000, 0x4000, "WC" }, { 0x11000, 0x1000, "WC" } }, "WC" },
		{ 2, { { 0x10000, 0x1000, "WC" }, { 0x11000, 0x3000, "UC-" } }, "mixed" },
		/* Holes: before, between, behind. */
		{ 1, { { 0x11000, 0x3000, "WC" } }, "mixed" },
		{ 2, { { 0x10000, 0x1000, "WC" }, { 0x12000, 0x2000, "WC" } }, "mixed" },
		{ 1, { { 0x10000, 0x3000, "WC" } }, "mixed" },
		{ 1, { { 0x11000, 0x1000, "UC-" } }, "UC-" },
		{ 3, { { 0x10000, 0x1000, "WC" }, { 0x11000, 0x1000, "UC-" },
			{ 0x12000, 0x2000, "UC-" } }, "mixed" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		fake_list = table[i].list;
		fake_entries = table[i].entries;
		assert_string_equal(memtype_from_list(0x10000, 0x4000), table[i].type);
	}
}

/* A testpmd on Linux 6.12: virtio's BAR 4 with the plugin's page in the middle, another's BAR 2. */
static struct vfio_wc_map map[] = {
	{ .va = 0x1100800000, .length = 0x1000, .bar = 1 },
	{ .va = 0x1100801000, .length = 0x3000, .bar = 4 },
	{ .va = 0x1100804000, .length = 0x1000, .bar = 4, .bar_offset = 0x3000 },
	{ .va = 0x7f3a90000000, .length = 0x1000, .bar = 2, .bar_offset = 0x1000 },
};
static const struct vfio_wc_maps maps = { map, 4 };

#define RANGE_VA 0x1100804000ULL

static struct args args;
static struct vfio_wc_sysfs dev = { .bdf = "0000:00:03.0" };
static const struct bar_range range = { 4, 0x3000, 0x1000 };
static struct refusal refusal;
static struct observer observer = {
	.args = &args, .dev = &dev, .range = &range, .witness = -1, .refusal = &refusal,
};

static int
setup(void **state)
{
	memset(&args, 0, sizeof(args));
	args.arms[ARM_PLAIN] = args.arms[ARM_UC] = args.arms[ARM_WC] = true;
	memset(&refusal, 0, sizeof(refusal));
	observer.plain[0] = '\0';
	return forget_failure(state);
}

static void
ranges_are_found(void **state)
{
	static const struct bar_range whole = { 4, 0, 0x4000 }, more = { 4, 0x3000, 0x2000 },
		other = { 3, 0, 0x1000 };
	unsigned int bar;
	uint64_t va, offset;

	(void)state;
	assert_int_equal(memtype_find_range("0000:00:05.0", &maps, &range, &va), WC_OK);
	assert_true(va == RANGE_VA);
	/* Two mappings, one piece of addresses. */
	assert_int_equal(memtype_find_range("0000:00:05.0", &maps, &whole, &va), WC_OK);
	assert_true(va == 0x1100801000);
	assert_int_equal(memtype_find_range("0000:00:05.0", &maps, &more, &va), WC_TESTPMD);
	assert_said("0x4000");
	assert_int_equal(memtype_find_range("0000:00:05.0", &maps, &other, &va), WC_TESTPMD);
	assert_true(memtype_at(&maps, 0x1100803fff, &bar, &offset));
	assert_true(bar == 4 && offset == 0x2fff);
	assert_true(memtype_at(&maps, 0x7f3a90000000, &bar, &offset));
	assert_true(bar == 2 && offset == 0x1000);
	assert_false(memtype_at(&maps, 0x1100805000, &bar, &offset));
	assert_false(memtype_at(&maps, 0x11007fffff, &bar, &offset));
}

static void
maps_apart_are_refused(void **state)
{
	static const struct bar_range whole = { 4, 0, 0x4000 };
	struct vfio_wc_map two[] = {
		{ .va = 0x1000, .length = 0x3000, .bar = 4 },
		{ .va = 0x9000, .length = 0x1000, .bar = 4, .bar_offset = 0x3000 },
	};
	const struct vfio_wc_maps apart = { two, 2 };
	uint64_t va;

	(void)state;
	assert_int_equal(memtype_find_range("0000:00:05.0", &apart, &whole, &va), WC_TESTPMD);
	assert_said("apart");
}

/* Judge an arm by the type of the range and of the page at other_va. */
static enum wc_status
judge(enum arm arm, const char *type, uint64_t other_va, uint64_t other_size,
	const char *other_type, struct observation *o)
{
	struct leaves all = { NULL, 0 };
	struct leaf leaf = { RANGE_VA, 0xfe003000, 0xfe003067, 0x1000, "" };
	enum wc_status st;

	memset(o, 0, sizeof(*o));
	o->source = "pte";
	strcpy(leaf.type, type);
	leaves_add(&o->leaves, &leaf);
	leaves_add(&all, &leaf);
	leaf.va = other_va;
	leaf.size = other_size;
	strcpy(leaf.type, other_type);
	leaves_add(&all, &leaf);
	st = observe_judge(&observer, arm, &maps, RANGE_VA, &all, o);
	leaves_free(&all);
	return st;
}

static void
what_is_as_promised_passes(void **state)
{
	struct observation o;

	(void)state;
	assert_int_equal(judge(ARM_WC, "WC", 0x1100801000, 0x1000, "UC-", &o), WC_OK);
	assert_string_equal(o.type, "WC");
	assert_int_equal(o.n_others, 1);
	assert_int_equal(o.others[0].leaves, 1);
	assert_string_equal(o.others[0].type, "UC-");
	observation_free(&o);
	assert_int_equal(judge(ARM_UC, "UC-", 0x1100801000, 0x1000, "UC-", &o), WC_OK);
	observation_free(&o);
	/* plain promises nothing but the same each time; its types are told. */
	assert_int_equal(judge(ARM_PLAIN, "WC", 0x1100801000, 0x1000, "WC", &o), WC_OK);
	assert_string_equal(o.type, "WC");
	observation_free(&o);
	strcpy(observer.plain, "WC");
	assert_int_equal(judge(ARM_PLAIN, "WC", 0x1100801000, 0x1000, "WC", &o), WC_OK);
	observation_free(&o);
	/* Memory outside RAM that is no BAR is none of ours (a clock page, say). */
	assert_int_equal(judge(ARM_WC, "WC", 0x7ffff7ff0000, 0x1000, "WB", &o), WC_OK);
	assert_int_equal(o.n_others, 0);
	observation_free(&o);
	assert_null(refusal.device);
	assert_null(fail_text());
}

/* What another arm has mapped was not put back. */
static void
plain_is_the_same_each_time(void **state)
{
	struct observation o;

	(void)state;
	strcpy(observer.plain, "UC-");
	assert_int_equal(judge(ARM_PLAIN, "WC", 0x1100801000, 0x1000, "UC-", &o), WC_REFUSED);
	assert_said("arm plain needs UC- here, observed WC");
	observation_free(&o);
}

static void
uc_is_not_called_wc(void **state)
{
	struct observation o;

	(void)state;
	assert_int_equal(judge(ARM_WC, "UC-", 0x1100801000, 0x1000, "UC-", &o), WC_REFUSED);
	assert_string_equal(refusal.device, "0000:00:03.0");
	assert_int_equal(refusal.arm, ARM_WC);
	assert_int_equal(refusal.bar, 4);
	assert_int_equal(refusal.offset, 0x3000);
	assert_string_equal(refusal.expected, "WC");
	assert_string_equal(refusal.observed, "UC-");
	/* Device, BAR, range, both types, and the entry. */
	assert_said("0000:00:03.0");
	assert_said("BAR 4");
	assert_said("0x3000+0x1000");
	assert_said("needs WC");
	assert_said("observed UC-");
	assert_said("0xfe003067");
	observation_free(&o);
}

static void
uc_is_not_called_wc_whoever_makes_it(void **state)
{
	struct observation o;

	(void)state;
	args.wc_by = WC_BY_KERNEL;
	assert_int_equal(judge(ARM_WC, "UC-", 0x1100801000, 0x1000, "UC-", &o), WC_REFUSED);
	observation_free(&o);
}

static void
kernels_that_map_all_wc(void **state)
{
	struct observation o;

	(void)state;
	args.wc_by = WC_BY_KERNEL;
	assert_int_equal(judge(ARM_WC, "WC", 0x1100801000, 0x1000, "WC", &o), WC_OK);
	assert_string_equal(o.others[0].type, "WC");
	observation_free(&o);
	/* But not as uncached. */
	assert_int_equal(judge(ARM_UC, "WC", 0x1100801000, 0x1000, "UC-", &o), WC_REFUSED);
	observation_free(&o);
}

static void
neighbours_stay_uncached(void **state)
{
	struct observation o;

	(void)state;
	assert_int_equal(judge(ARM_WC, "WC", 0x1100803000, 0x1000, "WC", &o), WC_REFUSED);
	assert_int_equal(refusal.bar, 4);
	assert_int_equal(refusal.offset, 0x2000);
	assert_string_equal(refusal.expected, "UC-");
	assert_string_equal(refusal.observed, "WC");
	observation_free(&o);
}

static void
neighbours_stay_uncached_in_other_bars(void **state)
{
	struct observation o;

	(void)state;
	assert_int_equal(judge(ARM_UC, "UC-", 0x1100800000, 0x1000, "WC", &o), WC_REFUSED);
	assert_int_equal(refusal.bar, 1);
	assert_int_equal(refusal.offset, 0);
	observation_free(&o);
}

/* A large page over the range and more: its other part is write-combining unasked. */
static void
large_pages_that_jut_out(void **state)
{
	struct observation o;

	(void)state;
	assert_int_equal(judge(ARM_WC, "WC", RANGE_VA, 0x200000, "WC", &o), WC_REFUSED);
	observation_free(&o);
}

static void
mixed_types_are_no_type(void **state)
{
	struct leaf leaf = { RANGE_VA, 0xfe003000, 0, 0x1000, "WC" };
	struct leaves none = { NULL, 0 };
	struct observation o = { .source = "pte" };

	(void)state;
	leaves_add(&o.leaves, &leaf);
	strcpy(leaf.type, "UC-");
	leaves_add(&o.leaves, &leaf);
	assert_int_equal(observe_judge(&observer, ARM_WC, &maps, RANGE_VA, &none, &o), WC_REFUSED);
	assert_string_equal(refusal.observed, "mixed");
	observation_free(&o);
}

static void
nothing_seen_is_no_type(void **state)
{
	struct leaves none = { NULL, 0 };
	struct observation o = { .source = "pte" };

	(void)state;
	assert_int_equal(observe_judge(&observer, ARM_WC, &maps, RANGE_VA, &none, &o), WC_REFUSED);
	assert_string_equal(refusal.observed, "unknown");
	observation_free(&o);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		TEST(ranges_are_found),
		TEST(maps_apart_are_refused),
		TEST(types_from_the_kernels_list),
		TEST(what_is_as_promised_passes),
		TEST(plain_is_the_same_each_time),
		TEST(uc_is_not_called_wc),
		TEST(uc_is_not_called_wc_whoever_makes_it),
		TEST(kernels_that_map_all_wc),
		TEST(neighbours_stay_uncached),
		TEST(neighbours_stay_uncached_in_other_bars),
		TEST(large_pages_that_jut_out),
		TEST(mixed_types_are_no_type),
		TEST(nothing_seen_is_no_type),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
