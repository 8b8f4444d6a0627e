/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * EAL's start with the plugin in it, a process for each, since an EAL starts once: what ends it,
 * and what does not.
 */

#include "process.h"

#include <stdbool.h>
#include <stdio.h>

#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_version.h>

#define CHECKED "DPDK 22.11.0"
#define UNKNOWN "DPDK 26.11.0"
#define NOT_LOOKED_AT "DPDK 22.11.99"	/* of the release, or laid out as it */

/* The plugin's constructor asks before main() runs: the process starts itself with it. */
#define VERSION "TEST_START_VERSION"

const char *__wrap_rte_version(void);
const char *__real_rte_version(void);

const char *
__wrap_rte_version(void)
{
	const char *version = getenv(VERSION);

	return version != NULL && strcmp(version, CHECKED) != 0 ? version : __real_rte_version();
}

#define WAIT "wait"	/* in the place of what to attach */

enum { CAME_UP = 40, NO_EAL, ATTACHED };

/* The other process: an application that makes EAL's arguments itself. */
static int
application(const char *vdev, const char *attach)
{
	char option[256];
	char *argv[] = {
		(char[]){ "test_start" }, (char[]){ "--no-huge" }, (char[]){ "--no-pci" },
		(char[]){ "--no-shconf" }, (char[]){ "--no-telemetry" }, (char[]){ "-m64" }, option,
	};

	snprintf(option, sizeof(option), "--vdev=%s", vdev);
	if (rte_eal_init(sizeof(argv) / sizeof(argv[0]), argv) < 0)
		return NO_EAL;
	if (strcmp(attach, WAIT) == 0)
		sleep(7);
	else if (attach[0] != '\0' && rte_dev_probe(attach) == 0)
		return ATTACHED;
	return CAME_UP;
}

static int
again(char **args)
{
	setenv(VERSION, args[1], 1);
	execl("/proc/self/exe", "test_start", args[0], args[2], NULL);
	return 99;
}

/* Its exit status; what it said is in output. */
static int
start(const char *version, const char *vdev, const char *attach)
{
	const char *args[] = { vdev, version, attach, NULL };

	return process(again, (char **)(uintptr_t)args);
}

#define DEV "dev=0000:ff:1f.7,bar=0"	/* EAL has no PCI devices */

/* Whatever asked for: never is a port used uncached by somebody who wanted otherwise. */
static void
an_unknown_dpdk_does_not_start_with_a_request(void **state)
{
	static const char * const vdevs[] = {
		"vfio_wc0,mode=required", "vfio_wc7," DEV ",mode=required",
		"vfio_wc_of_mine,mode=required,speed=high", "vdev:vfio_wc0,mode=required",
		"vfio_wc0",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(vdevs) / sizeof(vdevs[0]); i++) {
		if (start(UNKNOWN, vdevs[i], "") != NO_EAL)
			fail_msg("EAL starts with %s: %s", vdevs[i], output);
		assert_contains(output, "vfio_wc: \"" UNKNOWN "\" is not a DPDK whose private");
		assert_contains(output, ": the driver stays away, EAL does not start with "
			"a --vdev=vfio_wc...\n");
	}
	/* nor does it while it runs */
	assert_int_equal(start(UNKNOWN, "net_null0", "vfio_wc1," DEV ",mode=required"), CAME_UP);
}

/* What is optional stops nobody, what is required ends the start. */
static void
a_patch_level_that_nobody_looked_at(void **state)
{
	(void)state;
	assert_int_equal(start(NOT_LOOKED_AT, "vfio_wc0," DEV, ""), CAME_UP);
	assert_contains(output, "vfio_wc0: all stays as it is: the private structures of \""
		NOT_LOOKED_AT "\" were not checked (of 22.11, patch levels up to ");
	assert_int_equal(start(NOT_LOOKED_AT, "vfio_wc0,mode=off", ""), CAME_UP);
	assert_null(strstr(output, "vfio_wc: "));
	assert_int_equal(start(NOT_LOOKED_AT, "vfio_wc0," DEV ",mode=required", ""), EXIT_FAILURE);
	assert_contains(output, "vfio_wc0: mode=required cannot be met: the private structures");
	assert_int_equal(start(NOT_LOOKED_AT, "vfio_wc0,mode=required", ""), EXIT_FAILURE);
	/* nor can it be had while the program runs */
	assert_int_equal(start(NOT_LOOKED_AT, "net_null0", "vfio_wc1," DEV ",mode=required"),
		CAME_UP);
	assert_int_equal(start(NOT_LOOKED_AT, "net_null0", "vfio_wc1," DEV), ATTACHED);
}

/* Which device would have to go, nobody knows. */
static void
required_ends_the_start_when_no_device_is_named(void **state)
{
	(void)state;
	assert_int_equal(start(CHECKED, "vfio_wc0,mode=required,dev=eth0,bar=2", ""),
		EXIT_FAILURE);
	assert_contains(output, "vfio_wc0: mode=required cannot be met: arguments: "
		"dev=eth0 is not a PCI address");
	assert_int_equal(start(CHECKED, "vfio_wc0,dev=eth0,bar=2", ""), CAME_UP);
	/* nor of all */
	assert_int_equal(start(CHECKED, "vfio_wc0," DEV ",dev=eth0,bar=2,mode=required", ""),
		EXIT_FAILURE);
	assert_int_equal(start(CHECKED, "vfio_wc0," DEV ",dev=eth0,bar=2", ""), CAME_UP);
	/* one that is named is removed instead */
	assert_int_equal(start(CHECKED, "vfio_wc0," DEV ",mode=required,speed=high", ""), CAME_UP);
}

static void
a_program_that_runs_does_not_end(void **state)
{
	(void)state;
	assert_int_equal(start(CHECKED, "vfio_wc0,mode=required", "vfio_wc1,mode=required"),
		ATTACHED);
	assert_null(strstr(output, "vfio_wc: "));
	assert_int_equal(start(CHECKED, "vfio_wc0", "vfio_wc1,mode=required,dev=eth0"), CAME_UP);
	assert_contains(output, "vfio_wc1: arguments: dev=eth0 is not a PCI address");
}

/* EAL's own alarms have the plugin look, again and again. */
static void
looks_go_on(void **state)
{
	(void)state;
	assert_int_equal(start(CHECKED, "vfio_wc0,mode=required", WAIT), CAME_UP);
	assert_contains(output, "vfio_wc0: mode=required is of no device");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unknown_dpdk_does_not_start_with_a_request),
		cmocka_unit_test(a_patch_level_that_nobody_looked_at),
		cmocka_unit_test(required_ends_the_start_when_no_device_is_named),
		cmocka_unit_test(a_program_that_runs_does_not_end),
		cmocka_unit_test(looks_go_on),
	};

	if (argc == 3)
		return application(argv[1], argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
