/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Each way of storing a line that this CPU has, interrupted after each instruction: what can be
 * seen of the line then is what a device may get.
 */

#include "test.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "rte_vfio_wc.h"
#include "vfio_wc_copy64.h"

#define LINE 64

/* The line, and what is beside it. */
static struct {
	uint8_t before[LINE], line[LINE], after[LINE];
} target __attribute__((aligned(LINE)));

static uint8_t from[2 * LINE];

static void
fill(void)
{
	unsigned int i;

	memset(&target, 0xee, sizeof(target));
	for (i = 0; i < sizeof(from); i++)
		from[i] = i + 1;
}

static bool
is_untouched(const uint8_t *bytes)
{
	unsigned int i;

	for (i = 0; i < LINE && bytes[i] == 0xee; i++)
		;
	return i == LINE;
}

static void
each_copies_a_line_and_no_more(void **state)
{
	unsigned int i, unaligned;

	(void)state;
	for (i = 0; i < vfio_wc_copy64_nb_ways; i++) {
		const struct vfio_wc_copy64_way *way = &vfio_wc_copy64_ways[i];

		for (unaligned = 0; way->usable() && unaligned < 17; unaligned++) {
			fill();
			way->copy(target.line, from + unaligned);
			if (memcmp(target.line, from + unaligned, LINE) != 0 ||
					!is_untouched(target.before) || !is_untouched(target.after))
				fail_msg("%s, from %u", way->name, unaligned);
		}
	}
}

static void
the_best_is_chosen(void **state)
{
	const struct vfio_wc_copy64_way *way = vfio_wc_copy64_ways;

	(void)state;
	while (!way->usable())
		way++;
	assert_int_equal(rte_vfio_wc_copy64_stores(), way->stores);
	fill();
	rte_vfio_wc_copy64(target.line, from);
	assert_memory_equal(target.line, from, LINE);
	print_message("# %s: %u stores\n", way->name, way->stores);
}

#if defined(__x86_64__)

#include <x86intrin.h>

#define TRAP_FLAG 0x100ull	/* of EFLAGS (Intel SDM volume 1, "System Flags and IOPL Field") */

static volatile unsigned int instructions, changes, odd_changes;
static unsigned int part;	/* bytes of one store */
static uint8_t last[LINE];

/* After each instruction. */
static void
on_trap(int sig, siginfo_t *info, void *context)
{
	unsigned int i, n = 0;

	(void)sig;
	(void)info;
	(void)context;
	instructions++;
	for (i = 0; i < LINE; i++) {
		n += last[i] != target.line[i];
		last[i] = target.line[i];
	}
	changes += n > 0;
	odd_changes += n > 0 && n != part;
}

static void
a_line_has_no_other_parts_than_its_stores(void **state)
{
	const struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	struct sigaction before;
	unsigned int i;

	(void)state;
	assert_int_equal(sigaction(SIGTRAP, &action, &before), 0);
	for (i = 0; i < vfio_wc_copy64_nb_ways; i++) {
		const struct vfio_wc_copy64_way *way = &vfio_wc_copy64_ways[i];

		if (!way->usable())
			continue;
		fill();
		memcpy(last, target.line, LINE);
		instructions = changes = odd_changes = 0;
		part = LINE / way->stores;
		__writeeflags(__readeflags() | TRAP_FLAG);
		way->copy(target.line, from + 1);
		__writeeflags(__readeflags() & ~TRAP_FLAG);
		if (instructions < way->stores || changes != way->stores || odd_changes != 0)
			fail_msg("%s: %u changes, %u of them not of %u bytes, in %u instructions",
				way->name, changes, odd_changes, part, instructions);
	}
	sigaction(SIGTRAP, &before, NULL);
}

#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_copies_a_line_and_no_more),
		cmocka_unit_test(the_best_is_chosen),
#if defined(__x86_64__)
		cmocka_unit_test(a_line_has_no_other_parts_than_its_stores),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
