/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>

#include "test.h"
#include "args.h"
#include "run.h"

/* Parse a command line, words apart by one space. */
static enum wc_status
parse(struct args *a, const char *line)
{
	static char copy[512];
	char *argv[32], *rest = copy;
	int argc = 0;

	fail_reset();
	snprintf(copy, sizeof(copy), "dpdk-test-wc-perf %s", line);
	while ((argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	return args_parse(a, argc, argv);
}

static void
defaults(void **state)
{
	struct args a;

	(void)state;
	unsetenv("WC_WITNESS");
	assert_int_equal(parse(&a, "-D 0000:00:03.0"), WC_OK);
	assert_int_equal(a.n_targets, 1);
	assert_int_equal(a.targets[0].range_from, RANGE_TABLE);
	assert_true(a.arms[ARM_PLAIN] && a.arms[ARM_UC] && a.arms[ARM_WC]);
	/* An interval; and each turn has its mirror image. */
	assert_true(a.repeats >= 2 && a.turns == 2);
	assert_null(a.witness);
	assert_true(args_maps(&a, ARM_UC) && args_maps(&a, ARM_WC));
	assert_false(args_maps(&a, ARM_PLAIN));
	setenv("WC_WITNESS", "/dev/witness", 1);
	assert_int_equal(parse(&a, "-D 0000:00:03.0"), WC_OK);
	assert_string_equal(a.witness, "/dev/witness");
	unsetenv("WC_WITNESS");
}

static void
everything(void **state)
{
	struct args a;

	(void)state;
	assert_int_equal(parse(&a, "-D 0000:00:03.0 -r virtio-notify --backend net0 "
		"-D 0000:00:04.0 -r bar=0,len=0x1000 -w /dev/w -f 64,1514 -b 1,32 -q 1,2,4 -n 10 "
		"-t 4 --warmup 0.5 --window 1.5 --arms uc,wc -p 0000:00:06.0,bar=2,len=0x1000"),
		WC_OK);
	assert_int_equal(a.n_targets, 2);
	assert_int_equal(a.targets[0].range_from, RANGE_VIRTIO_NOTIFY);
	assert_string_equal(a.targets[0].backend, "net0");
	assert_int_equal(a.targets[1].range_from, RANGE_GIVEN);
	assert_true(a.targets[1].range.bar == 0 && a.targets[1].range.len == 0x1000);
	assert_null(a.targets[1].backend);
	assert_int_equal(a.frames.n, 2);
	assert_int_equal(a.frames.v[1], 1514);
	assert_int_equal(a.queues.n, 3);
	assert_false(a.arms[ARM_PLAIN]);
	assert_true(a.repeats == 10 && a.turns == 4);
	assert_true(a.warmup == 0.5 && a.window == 1.5);
	assert_true(a.have_probe);
	assert_string_equal(a.probe_device, "0000:00:06.0");
	assert_int_equal(a.probe.bar, 2);
}

static void
wc_by_kernel(void **state)
{
	struct args a;

	(void)state;
	assert_int_equal(parse(&a, "-D 0000:00:03.0 -r bar=4 --wc-by kernel"), WC_OK);
	assert_true(a.arms[ARM_WC] && !a.arms[ARM_UC] && !a.arms[ARM_PLAIN]);
	assert_false(args_maps(&a, ARM_WC));
	assert_int_equal(parse(&a, "-D 0000:00:03.0 -r bar=4 --wc-by kernel -a uc,wc"), WC_OK);
	assert_true(args_maps(&a, ARM_UC) && !args_maps(&a, ARM_WC));
	/* Nobody there who knows a range. */
	assert_int_equal(parse(&a, "-D 0000:00:03.0 --wc-by kernel"), WC_USAGE);
	assert_said("--range");
}

static void
wc_by_run(void **state)
{
	struct args a;

	(void)state;
	assert_int_equal(parse(&a, "-D 0000:00:03.0 --wc-by run --run /opt/vfio-wc-run"), WC_OK);
	assert_int_equal(a.wc_by, WC_BY_RUN);
	assert_string_equal(a.run, "/opt/vfio-wc-run");
	assert_true(args_maps(&a, ARM_UC) && args_maps(&a, ARM_WC) && !args_maps(&a, ARM_PLAIN));
	assert_true(a.arms[ARM_PLAIN]);
	assert_int_equal(parse(&a, "-D 0000:00:03.0 --wc-by walking"), WC_USAGE);
	assert_said("--wc-by walking: none of plugin, run, eal, kernel");
}

static void
wc_by_eal(void **state)
{
	struct args a;

	(void)state;
	assert_int_equal(parse(&a, "-D 0000:00:03.0 --wc-by eal"), WC_OK);
	assert_true(a.arms[ARM_PLAIN] && a.arms[ARM_UC] && a.arms[ARM_WC]);
	assert_int_equal(a.wc_by, WC_BY_EAL);
	assert_true(args_maps(&a, ARM_WC) && args_maps(&a, ARM_UC) && !args_maps(&a, ARM_PLAIN));
}

static void
precision(void **state)
{
	struct args a;

	(void)state;
	assert_int_equal(parse(&a, "-D 0000:00:03.0 -n 3"), WC_OK);
	assert_true(a.precision == 0 && a.repeats == 3 && a.max_repeats == 3);
	/* the starts that its interval needs, whatever was said */
	assert_int_equal(parse(&a, "-D 0000:00:03.0 -n 3 --precision 1%"), WC_OK);
	assert_true(a.precision == 0.01 && a.repeats == 6 && a.max_repeats == 30);
	assert_int_equal(parse(&a, "-D 0000:00:03.0 -n 8 --precision 0.02 --max-repeats 7"), WC_OK);
	assert_true(a.precision == 0.02 && a.repeats == 8 && a.max_repeats == 8);
}

static void
against_another_build(void **state)
{
	struct args a, other;

	(void)state;
	assert_int_equal(parse(&a, "-D 0000:00:03.0 --json j --testpmd t --plugin p"), WC_OK);
	assert_false(a.against);
	assert_int_equal(parse(&a, "-D 0000:00:03.0 --json j --testpmd t --plugin p -n 5 "
		"--against plugin=/a=b.so,run=/r --against-json k"), WC_OK);
	assert_true(a.against);
	args_against(&a, &other);
	assert_string_equal(other.plugin, "/a=b.so");
	assert_string_equal(other.run, "/r");
	assert_string_equal(other.testpmd, "t");
	assert_string_equal(other.json, "k");
	assert_int_equal(other.repeats, 5);
	assert_string_equal(a.plugin, "p");
	assert_string_equal(a.json, "j");
	/* ours alone has a file */
	assert_int_equal(parse(&a, "-D 0000:00:03.0 --json j --against testpmd=/x"), WC_OK);
	args_against(&a, &other);
	assert_string_equal(other.testpmd, "/x");
	assert_null(other.json);
}

static void
mistakes(void **state)
{
	static const struct {
		const char *line;
		const char *said;
	} table[] = {
		{ "-v", "--device" },
		{ "-r bar=4", "--range" },
		{ "--backend net0 -D 0000:00:03.0", "--backend" },
		{ "-D 0000:00:03.0 --backend net0", "--witness" },
		{ "-D 0000:00:03.0 -r bar=4,offset", "bar=4,offset" },
		{ "-D 0000:00:03.0 --frames 64,", "--frames" },
		{ "-D 0000:00:03.0 --frames 59", "59" },
		{ "-D 0000:00:03.0 --frames 64x", "64x" },
		{ "-D 0000:00:03.0 -b 513", "--bursts" },
		{ "-D 0000:00:03.0 -q 0", "--queues" },
		{ "-D 0000:00:03.0 -q 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", "more than" },
		/* two cases of one name, of which readers see one; one CPU for two lcores */
		{ "-D 0000:00:03.0 -f 64,128,64", "--frames 64,128,64: 64 is there twice" },
		{ "-D 0000:00:03.0 -b 32,0x20", "--bursts" },
		{ "-D 0000:00:03.0 -q 1,1", "--queues 1,1: 1 is there twice" },
		{ "-D 0000:00:03.0 -l 1,1", "--lcores 1,1: 1 is there twice" },
		{ "-D 0000:00:03.0 -n -1", "--repeats" },
		{ "-D 0000:00:03.0 -t 0", "--turns" },
		{ "-D 0000:00:03.0 --precision 60%", "60%" },
		{ "-D 0000:00:03.0 --precision 0", "--precision 0" },
		{ "-D 0000:00:03.0 --precision %", "--precision %" },
		{ "-D 0000:00:03.0 --precision 1%%", "1%%" },
		{ "-D 0000:00:03.0 --precision 1% -a plain,wc", "both arms" },
		{ "-D 0000:00:03.0 --precision 1% --max-repeats 5", "--max-repeats" },
		{ "-D 0000:00:03.0 --against /prefix", "/prefix" },
		{ "-D 0000:00:03.0 --against plugin=", "plugin=: not of the form" },
		{ "-D 0000:00:03.0 --against plugin=/x,", "not of the form" },
		{ "-D 0000:00:03.0 --against-json k", "no --against" },
		{ "-D 0000:00:03.0 --json k --against plugin=/x --against-json k", "where --json" },
		{ "-D 0000:00:03.0 --window 0", "--window" },
		{ "-D 0000:00:03.0 --window nan", "--window" },
		{ "-D 0000:00:03.0 --warmup 1s", "1s" },
		{ "-D 0000:00:03.0 -a uc,wb", "wb" },
		{ "-D 0000:00:03.0 -a plain", "--range" },
		{ "-D 0000:00:03.0 --wc-by magic", "magic" },
		{ "-D 0000:00:03.0 -p 0000:00:06.0", "--probe" },
		{ "-D 0000:00:03.0 -p 0000:00:06.0,bar=9", "--probe" },
		{ "-D 0000:00:03.0 -l 0,1,2", "--lcores" },
		{ "-D 0000:00:03.0 extra", "extra" },
		{ "-D 0000:00:03.0 --frobnicate", "--help" },
	};
	struct args a;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (parse(&a, table[i].line) != WC_USAGE)
			print_error("taken: %s\n", table[i].line);
		assert_said(table[i].said);
	}
}

/* Blocks of a permutation and its mirror image; not always the same one. */
static void
order_is_balanced(void **state)
{
	enum arm a[N_ARMS], b[N_ARMS], again[N_ARMS];
	unsigned int seen, repeat, firsts = 0;
	int i;

	(void)state;
	for (repeat = 0; repeat < 40; repeat += 2) {
		run_order(1, repeat, a);
		run_order(1, repeat + 1, b);
		run_order(1, repeat, again);
		assert_memory_equal(a, again, sizeof(a));
		seen = 0;
		for (i = 0; i < N_ARMS; i++) {
			seen |= 1u << a[i];
			assert_int_equal(a[i], b[N_ARMS - 1 - i]);
		}
		assert_int_equal(seen, (1u << N_ARMS) - 1);
		firsts |= 1u << a[0];
	}
	assert_int_equal(firsts, (1u << N_ARMS) - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(everything),
		cmocka_unit_test(wc_by_kernel),
		cmocka_unit_test(wc_by_run),
		cmocka_unit_test(wc_by_eal),
		cmocka_unit_test(precision),
		cmocka_unit_test(against_another_build),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(order_is_balanced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
