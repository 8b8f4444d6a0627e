/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include "../count.h"
#include "test.h"

#define LOW 0x80000000ULL	/* a header of 3 DWs: 20 bytes with all overhead */
#define HIGH 0x380000000000ULL	/* of 4: 24 */

static struct core core;
static const uint8_t zero[64];

static int
setup(void **state)
{
	(void)state;
	core_init(&core, WC_BUFFERS_DEFAULT, PAYLOAD_DEFAULT);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	core_reset(&core);
	return 0;
}

static void
store(enum memtype type, uint64_t pa, unsigned int length, uint64_t now, uint64_t site)
{
	core_store(&core, type, pa, zero, length, INSN_PLAIN, now, site, false);
}

static void
uncached(void **state)
{
	(void)state;
	store(TYPE_UC_MINUS, LOW, 4, 1, 0x100);
	assert_int_equal(core.c.pcie_writes, 1);
	assert_int_equal(core.c.wire_bytes, 24);
	store(TYPE_UC, HIGH + 3, 2, 2, 0x100); /* two DWs */
	assert_int_equal(core.c.pcie_writes, 2);
	assert_int_equal(core.c.wire_bytes, 24 + 32);
	store(TYPE_UC, LOW + 60, 8, 3, 0x100); /* two lines */
	assert_int_equal(core.c.pcie_writes, 4);
	assert_int_equal(core.c.wire_bytes, 24 + 32 + 48);
	assert_int_equal(core.c.uc_stores, 3);
	assert_int_equal(core.c.payload_bytes, 14);
}

/* A store of 32 bytes comes as two of 16. */
static void
vector(void **state)
{
	(void)state;
	core_store(&core, TYPE_UC, LOW, zero, 16, INSN_VEX, 1, 0x100, false);
	core_store(&core, TYPE_UC, LOW + 16, zero, 16, INSN_VEX, 1, 0x100, false);
	assert_int_equal(core.c.uc_stores, 1);
	assert_int_equal(core.c.pcie_writes, 1);
	assert_int_equal(core.c.wire_bytes, 20 + 32);
	/* Once more is another store. */
	core_store(&core, TYPE_UC, LOW + 32, zero, 16, INSN_VEX, 2, 0x100, false);
	assert_int_equal(core.c.uc_stores, 2);
	assert_int_equal(core.c.pcie_writes, 2);
	/* Of string instructions each element is one. */
	core_store(&core, TYPE_UC, LOW, zero, 8, INSN_PLAIN, 3, 0x200, false);
	core_store(&core, TYPE_UC, LOW + 8, zero, 8, INSN_PLAIN, 3, 0x200, false);
	assert_int_equal(core.c.uc_stores, 4);
	assert_int_equal(core.c.pcie_writes, 4);
}

/* The floor: an entry of 128 bytes in stores of 8 is 16 writes UC, 2 WC. */
static void
pushed_entry(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 16; i++)
		store(TYPE_UC_MINUS, LOW + 8 * i, 8, i, 0x100);
	assert_int_equal(core.c.pcie_writes, 16);
	assert_int_equal(core.c.wire_bytes, 16 * 28);
	core_reset(&core);
	for (i = 0; i < 16; i++)
		store(TYPE_WC, LOW + 8 * i, 8, i, 0x100);
	assert_int_equal(core.c.pcie_writes, 2);
	assert_int_equal(core.c.wire_bytes, 2 * 84);
	assert_int_equal(core.c.full_lines, 2);
	assert_int_equal(core_residency(&core, 1), 7);
}

static void
partial_line(void **state)
{
	(void)state;
	store(TYPE_WC, HIGH + 6, 4, 5, 0x100); /* bytes 6..9: two chunks */
	store(TYPE_WC, HIGH + 40, 8, 6, 0x200);
	core_insn(&core, INSN_SFENCE, 1000, 0x300);
	assert_int_equal(core.c.partial_lines, 1);
	assert_int_equal(core.c.pcie_writes, 3);
	assert_int_equal(core.c.wire_bytes, 3 * 24 + 4 + 4 + 8);
	assert_int_equal(core.c.payload_bytes, 12);
	assert_int_equal(core.lines[WC_SFENCE], 1);
	assert_int_equal(core.left[WC_SFENCE], 2);
	assert_int_equal(core.residency_worst, 995);
}

static void
what_drains(void **state)
{
	static const struct {
		enum insn_kind kind;
		enum wc_cause cause;
	} drains[] = {
		{ INSN_SFENCE, WC_SFENCE }, { INSN_MFENCE, WC_MFENCE }, { INSN_LOCKED, WC_LOCKED },
		{ INSN_SERIALISING, WC_SERIALISING }, { INSN_IO, WC_IO },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(drains) / sizeof(drains[0]); i++) {
		store(TYPE_WC, LOW, 4, 1, 0x100);
		core_insn(&core, INSN_LFENCE, 1, 0x100);
		assert_int_equal(core.lines[drains[i].cause], 0);
		core_insn(&core, drains[i].kind, 1, 0x100);
		assert_int_equal(core.lines[drains[i].cause], 1);
	}
	store(TYPE_WC, LOW, 4, 1, 0x100);
	store(TYPE_UC, LOW + 4096, 4, 1, 0x100);
	assert_int_equal(core.lines[WC_UNCACHED], 1);
	store(TYPE_WC, LOW, 4, 1, 0x100);
	core_load(&core, TYPE_UC, LOW + 4096, 4, 1);
	assert_int_equal(core.lines[WC_UNCACHED], 2);
	store(TYPE_WC, LOW, 4, 1, 0x100);
	core_load(&core, TYPE_WC, LOW + 4096, 4, 1);
	assert_int_equal(core.lines[WC_LOAD], 0);
	core_load(&core, TYPE_WC, LOW, 4, 1);
	assert_int_equal(core.lines[WC_LOAD], 1);
	store(TYPE_WC, LOW, 4, 1, 0x100);
	core_interrupt(&core, 1);
	assert_int_equal(core.lines[WC_INTERRUPT], 1);
	/* A locked access drains what it stores, too. */
	core_store(&core, TYPE_WC, LOW, zero, 4, INSN_LOCKED, 1, 0x100, false);
	assert_int_equal(core.lines[WC_LOCKED], 2);
	/* The kernel's fences drain, but are not the driver's. */
	assert_int_equal(core.c.sfence, 1);
	store(TYPE_WC, LOW, 4, 1, 0x100);
	core_insn(&core, INSN_SFENCE, 1, 0xffffffff81000000);
	assert_int_equal(core.lines[WC_SFENCE], 2);
	assert_int_equal(core.c.sfence, 1);
}

static void
residency(void **state)
{
	uint64_t i;

	(void)state;
	/* 99 that wait for i instructions, one for a million. */
	for (i = 1; i < 100; i++) {
		store(TYPE_WC, LOW, 4, 0, 0x100);
		core_insn(&core, INSN_SFENCE, i, 0x100);
	}
	store(TYPE_WC, LOW, 4, 0, 0x200);
	core_insn(&core, INSN_SFENCE, 1000000, 0x100);
	assert_int_equal(core_residency(&core, 0.5), 50);
	assert_int_equal(core_residency(&core, 0.99), 99);
	assert_true(core_residency(&core, 1) >= 1000000 * 63 / 64);
	assert_true(core_residency(&core, 1) <= 1000000);
	assert_int_equal(core.residency_worst, 1000000);
}

/* 250 ns an instruction; a UC write is 306 of them, one from a WC buffer 126.5. */
static const struct pace pace = { 250000, 306000, 126500 };

/* What a packet of ENA's takes: 230 instructions, and by the arm 17 UC writes, or 1 and 2 lines. */
static void
time_is_counts_times_costs(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(core_takes(&core, &pace, 0), 0);
	assert_int_equal(core_takes(&core, &pace, 230), 230 * 250);
	for (i = 0; i < 17; i++)
		store(TYPE_UC, LOW + 8 * i, 8, i, 0x100);
	assert_int_equal(core_takes(&core, &pace, 230), (230 + 17 * 306) * 250);
	core_reset(&core);
	for (i = 0; i < 16; i++)
		store(TYPE_WC, LOW + 8 * i, 8, i, 0x100);
	store(TYPE_UC, LOW + 4096, 4, i, 0x100);
	assert_int_equal(core_takes(&core, &pace, 230), (230 + 306 + 2 * 126.5) * 250);
	/* hours of it are no overflow */
	assert_int_equal(core_takes(&core, &pace, 40000000000) / 1000000000, 10000);
}

static void
pace_begins_with_the_first_store(void **state)
{
	const int64_t start = 1000000000000;
	int64_t then;

	(void)state;
	/* a million instructions, none of them at that pace */
	store(TYPE_UC, LOW, 4, 1, 0x100);
	assert_int_equal(core_goes_on(&core, &pace, 1000000, start), start);
	/* 100 instructions and a write later: so long after it, however soon it came */
	store(TYPE_UC, LOW, 4, 2, 0x100);
	then = start + (100 + 306) * 250;
	assert_int_equal(core_goes_on(&core, &pace, 1000100, start + 1), then);
	assert_int_equal(core_goes_on(&core, &pace, 1000100, then), then);
	assert_int_equal(core.c.late_ns, 0);
}

/* Who is late does not wait until he has made up for it; what is too much is written off. */
static void
what_was_lost_is_made_up_for(void **state)
{
	const int64_t start = 1000000000000, late = PACE_CREDIT_NS + 777;

	(void)state;
	assert_int_equal(core_goes_on(&core, &pace, 0, start), start);
	assert_int_equal(core_goes_on(&core, &pace, 4, start + PACE_CREDIT_NS), start + 1000);
	assert_int_equal(core.c.late_ns, 0);
	/* there is nothing left to make up for after as many instructions as take that long */
	assert_int_equal(core_goes_on(&core, &pace, 4 + PACE_CREDIT_NS / 250, start + 1001),
		start + 1000 + PACE_CREDIT_NS);
	core_reset(&core);
	assert_int_equal(core_goes_on(&core, &pace, 0, start), start);
	assert_int_equal(core_goes_on(&core, &pace, 0, start + late), start + 777);
	assert_int_equal(core.c.late_ns, 777);
	assert_int_equal(core_goes_on(&core, &pace, 4, start + late), start + 777 + 1000);
	assert_int_equal(core.c.late_ns, 777);
}

/* Several CPUs add up, site by site. */
static void
sums(void **state)
{
	static struct core sum;
	char text[16384];
	FILE *f = fmemopen(text, sizeof(text), "w");

	(void)state;
	core_init(&sum, WC_BUFFERS_DEFAULT, PAYLOAD_DEFAULT);
	store(TYPE_UC, LOW, 4, 1, 0x100);
	store(TYPE_WC, LOW + 4096, 4, 1, 0x200);
	core_insn(&core, INSN_SFENCE, 11, 0x300);
	core_add(&sum, &core);
	core_add(&sum, &core);
	core_report(&sum, f);
	fclose(f);
	assert_non_null(strstr(text, "pcie_writes 4\n"));
	assert_non_null(strstr(text, "wc_writes 2\n"));
	assert_non_null(strstr(text, "lines_sfence 2\n"));
	assert_non_null(strstr(text, "residency_median 10\n"));
	assert_non_null(strstr(text, "site 0x100 2 2 0 0\nsite 0x200 2 2 2 10\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(uncached, setup, teardown),
		cmocka_unit_test_setup_teardown(vector, setup, teardown),
		cmocka_unit_test_setup_teardown(pushed_entry, setup, teardown),
		cmocka_unit_test_setup_teardown(partial_line, setup, teardown),
		cmocka_unit_test_setup_teardown(what_drains, setup, teardown),
		cmocka_unit_test_setup_teardown(residency, setup, teardown),
		cmocka_unit_test_setup_teardown(time_is_counts_times_costs, setup, teardown),
		cmocka_unit_test_setup_teardown(pace_begins_with_the_first_store, setup, teardown),
		cmocka_unit_test_setup_teardown(what_was_lost_is_made_up_for, setup, teardown),
		cmocka_unit_test_setup_teardown(sums, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
