/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include "../wcbuf.h"
#include "test.h"

/* What left, in order. */
static struct {
	uint64_t line, mask, first_wait;
	enum wc_cause cause;
	size_t stores;
} left[64];
static unsigned int n_left;
static struct wcbuf buffers;

static void
on_drained(void *ctx, const struct wc_line *line, enum wc_cause cause, uint64_t now)
{
	assert_ptr_equal(ctx, &buffers);
	left[n_left].line = line->line;
	left[n_left].mask = line->mask;
	left[n_left].first_wait = now - line->stores[0].when;
	left[n_left].cause = cause;
	left[n_left++].stores = line->n;
}

static int
setup(void **state)
{
	(void)state;
	wcbuf_reset(&buffers);
	buffers.limit = 4;
	buffers.drained = on_drained;
	buffers.ctx = &buffers;
	n_left = 0;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	wcbuf_reset(&buffers);
	return 0;
}

static void
store(uint64_t pa, unsigned int length, uint64_t now)
{
	wcbuf_store(&buffers, pa, length, now, 0, false);
}

static void
full_line(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		assert_int_equal(n_left, 0);
		store(0x1000 + 8 * (7 - i), 8, 10 + i);
	}
	assert_int_equal(n_left, 1);
	assert_int_equal(left[0].line, 0x1000 / 64);
	assert_int_equal(left[0].cause, WC_FULL);
	assert_int_equal(left[0].stores, 8);
	assert_int_equal(left[0].first_wait, 7);
	wcbuf_drain(&buffers, WC_SFENCE, 20);
	assert_int_equal(n_left, 1);
}

static void
merges(void **state)
{
	(void)state;
	store(0x1000, 4, 1);
	store(0x1004, 4, 2);
	assert_int_equal(buffers.merged, 0);
	store(0x1002, 4, 3);
	assert_int_equal(buffers.merged, 1);
	/* One store in two parts is one store, and merges once. */
	wcbuf_store(&buffers, 0x1000, 2, 4, 0, false);
	wcbuf_store(&buffers, 0x1002, 2, 4, 0, true);
	assert_int_equal(buffers.merged, 2);
	wcbuf_drain(&buffers, WC_MFENCE, 104);
	assert_int_equal(n_left, 1);
	assert_int_equal(left[0].mask, 0xff);
	assert_int_equal(left[0].stores, 4);
	assert_int_equal(left[0].first_wait, 103);
	assert_int_equal(left[0].cause, WC_MFENCE);
}

/* The first part of a store fills a line, the second has more bytes in it: they leave together. */
static void
part_fills(void **state)
{
	(void)state;
	wcbuf_store(&buffers, 0x1008, 56, 1, 0, false);
	wcbuf_store(&buffers, 0x0ff8, 16, 2, 0, false);
	wcbuf_store(&buffers, 0x1008, 16, 2, 0, true);
	assert_int_equal(n_left, 1);
	assert_int_equal(left[0].cause, WC_FULL);
	assert_int_equal(buffers.merged, 1);
	assert_int_equal(buffers.used, 1); /* the line below */
	wcbuf_store(&buffers, 0x1008, 8, 3, 0, false);
	assert_int_equal(buffers.used, 2);
}

static void
split(void **state)
{
	(void)state;
	store(0x103c, 8, 1);
	wcbuf_drain(&buffers, WC_LOCKED, 1);
	assert_int_equal(n_left, 2);
	assert_int_equal(left[0].line, 0x1000 / 64);
	assert_true(left[0].mask == 0xfULL << 60);
	assert_int_equal(left[1].line, 0x1040 / 64);
	assert_int_equal(left[1].mask, 0xf);
}

/* The one in use for longest goes, also when it was stored to since. */
static void
evicts(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++)
		store(0x1000 + 64 * i, 4, i);
	store(0x1008, 4, 5);
	assert_int_equal(n_left, 0);
	store(0x2000, 4, 6);
	assert_int_equal(n_left, 1);
	assert_int_equal(left[0].line, 0x1000 / 64);
	assert_int_equal(left[0].cause, WC_EVICTED);
	assert_int_equal(left[0].stores, 2);
	store(0x3000, 4, 7);
	assert_int_equal(left[1].line, 0x1040 / 64);
	wcbuf_drain(&buffers, WC_INTERRUPT, 8);
	assert_int_equal(n_left, 6);
	for (i = 2; i < 6; i++)
		assert_int_equal(left[i].cause, WC_INTERRUPT);
	assert_int_equal(left[2].line, 0x1080 / 64);
	assert_int_equal(left[5].line, 0x3000 / 64);
}

/* A load takes along only the lines it touches. */
static void
loads(void **state)
{
	(void)state;
	store(0x1000, 4, 1);
	store(0x1040, 4, 1);
	store(0x1080, 4, 1);
	wcbuf_load(&buffers, 0x107c, 8, 2);
	assert_int_equal(n_left, 2);
	assert_int_equal(left[0].cause, WC_LOAD);
	assert_int_equal(buffers.used, 1);
	wcbuf_load(&buffers, 0x1040, 64, 2);
	assert_int_equal(n_left, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(full_line, setup, teardown),
		cmocka_unit_test_setup_teardown(merges, setup, teardown),
		cmocka_unit_test_setup_teardown(part_fills, setup, teardown),
		cmocka_unit_test_setup_teardown(split, setup, teardown),
		cmocka_unit_test_setup_teardown(evicts, setup, teardown),
		cmocka_unit_test_setup_teardown(loads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
