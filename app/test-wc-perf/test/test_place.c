/* SPDX-License-Identifier: BSD-3-Clause */

/* A machine with 8 CPUs: 0 to 3 are node 0's, 4 to 7 node 1's; two of them share a core. */

#include "fake_root.h"
#include "place.h"
#include "test.h"

#include <errno.h>
#include <numa.h>
#include <stdio.h>

#define CPUS 8

static unsigned int affinity;	/* what we run on, a bit each */
static unsigned int cpuset;	/* what we may run on */

int __wrap_numa_available(void);
int __wrap_numa_max_node(void);
int __wrap_numa_node_of_cpu(int cpu);
int __wrap_numa_sched_getaffinity(pid_t pid, struct bitmask *mask);
int __wrap_numa_sched_setaffinity(pid_t pid, struct bitmask *mask);

int
__wrap_numa_available(void)
{
	return 0;
}

int
__wrap_numa_max_node(void)
{
	return 1;
}

int
__wrap_numa_node_of_cpu(int cpu)
{
	return cpu / 4;
}

int
__wrap_numa_sched_getaffinity(pid_t pid, struct bitmask *mask)
{
	unsigned int cpu;

	(void)pid;
	for (cpu = 0; cpu < CPUS; cpu++)
		if (affinity & 1u << cpu)
			numa_bitmask_setbit(mask, cpu);
	return 0;
}

int
__wrap_numa_sched_setaffinity(pid_t pid, struct bitmask *mask)
{
	unsigned int cpu, wanted = 0;

	(void)pid;
	for (cpu = 0; cpu < CPUS; cpu++)
		if (numa_bitmask_isbitset(mask, cpu))
			wanted |= 1u << cpu;
	if ((wanted & cpuset) == 0) {
		errno = EINVAL;
		return -1;
	}
	affinity = wanted & cpuset;
	return 0;
}

/* The lcores chosen for so many that forward, "0 1 2"; what the kernel isolates. */
static const char *
chosen(int node, unsigned int cores, const char *isolated, unsigned int runs_on)
{
	static char text[64];
	const struct args a = { .cores = cores };
	const struct vfio_wc_sysfs dev = { .bdf = FAKE_BDF, .node = node };
	struct place p;
	unsigned int i, n = 0;

	fail_reset();
	affinity = runs_on;
	fake_file("/sys/devices/system/cpu/isolated", isolated);
	if (place_choose(&a, &dev, &p) != WC_OK)
		return "refused";
	assert_int_equal(affinity, runs_on & cpuset);
	for (i = 0; i < p.lcores.n; i++)
		n += snprintf(text + n, sizeof(text) - n, "%s%u", i > 0 ? " " : "", p.lcores.v[i]);
	return text;
}

static int
setup(void **state)
{
	char path[128], text[16];
	unsigned int cpu;

	if (fake_root_make(state) != 0)
		return -1;
	for (cpu = 0; cpu < CPUS; cpu++) {
		snprintf(path, sizeof(path),
			"/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", cpu);
		snprintf(text, sizeof(text), "%u-%u\n", cpu / 2 * 2, cpu / 2 * 2 + 1);
		fake_file(path, text);
	}
	cpuset = 0xff;
	return 0;
}

static void
a_core_each_on_the_devices_node(void **state)
{
	(void)state;
	assert_string_equal(chosen(0, 1, "\n", 0xff), "0 2");
	assert_string_equal(chosen(1, 1, "\n", 0xff), "4 6");
	assert_string_equal(chosen(1, 2, "\n", 0xff), "4 6 5");
	assert_string_equal(chosen(1, 4, "\n", 0xff), "4 6 5 7 0");
	assert_string_equal(chosen(0, 1, "\n", 0x0c), "2 3");
	assert_string_equal(chosen(0, 1, "\n", 0x01), "refused");
	assert_said("2 CPUs needed (main and 1 forwarding), 1 allowed");
}

/* As with isolcpus=: they are not among those that a task runs on by itself. */
static void
isolated_cpus_forward(void **state)
{
	(void)state;
	assert_string_equal(chosen(0, 1, "1\n", 0xfd), "0 1");
	assert_string_equal(chosen(0, 1, "2-3,6-7\n", 0x33), "0 2");
	assert_string_equal(chosen(1, 2, "2-3,6-7\n", 0x33), "4 6 7");
	assert_string_equal(chosen(1, 3, "2-3,6-7\n", 0x33), "4 6 7 5");
	/* the node before the isolation */
	assert_string_equal(chosen(1, 1, "2-3\n", 0xf3), "4 6");
	/* a node of nothing else: the main lcore can be elsewhere */
	assert_string_equal(chosen(1, 2, "4-7\n", 0x0f), "0 4 6");
	/* and two CPUs in all, one isolated, as in a small machine */
	assert_string_equal(chosen(-1, 1, "1\n", 0x01), "0 1");
}

/* What a cpuset keeps from us is not asked for. */
static void
only_what_we_may_run_on(void **state)
{
	(void)state;
	cpuset = 0x37;
	assert_string_equal(chosen(0, 1, "2-3,6-7\n", 0x33), "0 2");
	assert_string_equal(chosen(0, 2, "2-3,6-7\n", 0x33), "0 2 1");
	assert_string_equal(chosen(1, 1, "6-7\n", 0x33), "4 5");
}

/* Those that were asked for, in that order, if they are there for us. */
static void
only_lcores_that_there_are(void **state)
{
	const struct vfio_wc_sysfs dev = { .bdf = FAKE_BDF, .node = 0 };
	struct args a = { .cores = 1, .lcores = { .v = { 3, 1 }, .n = 2 } };
	struct place p;

	(void)state;
	affinity = 0x05;
	cpuset = 0x0f;
	assert_int_equal(place_choose(&a, &dev, &p), WC_OK);
	assert_memory_equal(&p.lcores, &a.lcores, sizeof(p.lcores));
	assert_int_equal(affinity, 0x05);
	/* a cpuset that is smaller; no such CPU */
	a.lcores.v[1] = 4;
	assert_int_equal(place_choose(&a, &dev, &p), WC_ENVIRONMENT);
	assert_said("lcore 4: no such CPU");
	assert_int_equal(affinity, 0x05);
	fail_reset();
	a.lcores.v[1] = 4095;
	assert_int_equal(place_choose(&a, &dev, &p), WC_ENVIRONMENT);
	assert_said("lcore 4095: no such CPU");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_core_each_on_the_devices_node, setup,
			fake_root_remove),
		cmocka_unit_test_setup_teardown(isolated_cpus_forward, setup, fake_root_remove),
		cmocka_unit_test_setup_teardown(only_what_we_may_run_on, setup, fake_root_remove),
		cmocka_unit_test_setup_teardown(only_lcores_that_there_are, setup,
			fake_root_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
