/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include "../walk.h"
#include "test.h"

#define TABLES 8
#define P 1ULL
#define PWT (1ULL << 3)
#define PCD (1ULL << 4)
#define PS (1ULL << 7)
#define NX (1ULL << 63)

/* Tables lie one after the other from 0x1000; entry 0 of each leads to the next. */
static uint64_t ram[TABLES][512];

static bool
read_ram(void *ctx, uint64_t pa, uint64_t *value)
{
	(void)ctx;
	if (pa < 0x1000 || pa >= 0x1000 + sizeof(ram))
		return false;
	*value = ram[pa / 0x1000 - 1][pa % 0x1000 / 8];
	return true;
}

static const struct walk_regs four = { .cr3 = 0x1000 | 0x7 /* PCID */, .efer = 1 << 10 };
static const struct walk_regs five = { .cr3 = 0x1000, .cr4 = 1 << 12, .efer = 1 << 10 };

static int
clear(void **state)
{
	int i;

	(void)state;
	memset(ram, 0, sizeof(ram));
	for (i = 0; i < TABLES - 1; i++)
		ram[i][0] = (0x1000 * (i + 2)) | P;
	return 0;
}

static void
small_pages(void **state)
{
	struct walk_leaf leaf;
	unsigned int pat;

	(void)state;
	for (pat = 0; pat < 8; pat++) {
		ram[3][5] = 0xfe123000 | P | NX | (pat & 1 ? PWT : 0) | (pat & 2 ? PCD : 0) |
			(pat & 4 ? 1 << 7 : 0);
		assert_true(walk(&four, 0x5abc, read_ram, NULL, &leaf));
		assert_int_equal(leaf.pa, 0xfe123abc);
		assert_int_equal(leaf.size, 4096);
		assert_int_equal(leaf.pat, pat);
	}
	assert_false(walk(&four, 0x6000, read_ram, NULL, &leaf));
}

static void
large_pages(void **state)
{
	struct walk_leaf leaf;

	(void)state;
	/* In a large page bit 7 says that it is one, and bit 12 is PAT. */
	ram[2][3] = 0x380000000 | P | PS | PWT;
	assert_true(walk(&four, 0x6abcde, read_ram, NULL, &leaf));
	assert_int_equal(leaf.pa, 0x3800abcde);
	assert_int_equal(leaf.size, 2 << 20);
	assert_int_equal(leaf.pat, 1);
	ram[2][3] |= 1 << 12;
	assert_true(walk(&four, 0x6abcde, read_ram, NULL, &leaf));
	assert_int_equal(leaf.pa, 0x3800abcde);
	assert_int_equal(leaf.pat, 5);
	ram[1][2] = 0x8000000000 | P | PS | PCD;
	assert_true(walk(&four, 0x87654321, read_ram, NULL, &leaf));
	assert_int_equal(leaf.pa, 0x8007654321);
	assert_int_equal(leaf.size, 1 << 30);
	assert_int_equal(leaf.pat, 2);
}

static void
five_levels(void **state)
{
	struct walk_leaf leaf;

	(void)state;
	ram[4][1] = 0x7000000 | P | PCD | PWT;
	assert_true(walk(&five, 0x1008, read_ram, NULL, &leaf));
	assert_int_equal(leaf.pa, 0x7000008);
	assert_int_equal(leaf.pat, 3);
	/* Bits 48..56 choose in the fifth level, and only there. */
	assert_false(walk(&five, 1ULL << 48 | 0x1008, read_ram, NULL, &leaf));
	ram[0][1] = ram[0][0];
	assert_true(walk(&five, 1ULL << 48 | 0x1008, read_ram, NULL, &leaf));
	assert_int_equal(leaf.pa, 0x7000008);
}

static void
nothing_there(void **state)
{
	const struct walk_regs not_long = { .cr3 = 0x1000 };
	const struct walk_regs astray = { .cr3 = 0x100000, .efer = 1 << 10 };
	struct walk_leaf leaf;

	(void)state;
	ram[3][5] = 0xfe123000 | P;
	assert_false(walk(&not_long, 0x5000, read_ram, NULL, &leaf));
	assert_false(walk(&astray, 0x5000, read_ram, NULL, &leaf));
}

static void
names(void **state)
{
	(void)state;
	assert_int_equal(memtype_by_name("UC-"), TYPE_UC_MINUS);
	assert_int_equal(memtype_by_name("WP"), TYPE_WP);
	assert_int_equal(memtype_by_name("uc"), N_MEMTYPES);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(small_pages, clear),
		cmocka_unit_test_setup(large_pages, clear),
		cmocka_unit_test_setup(five_levels, clear),
		cmocka_unit_test_setup(nothing_there, clear),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
