/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The shared object in programs of different kinds, for which this is linked more than once: with
 * DPDK's archives, with EAL's alone (WITH_EAL_ALONE), or with EAL's shared
 * library and no other, as a program with nothing but drivers loaded later. Each case is a process.
 */

#include "process.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

#include "dpdk_calls.h"

static const char *plugin;

enum { CAME_UP = 40, NO_EAL, NOT_LOADED };

/* As EAL does with -d, whose rule that nobody else may write to a path the build need not keep. */
static int
application(char **args)
{
	const char *vdev = args[0];
	char option[256];
	char *argv[] = {
		(char[]){ "test_loads" }, (char[]){ "--no-huge" }, (char[]){ "--no-pci" },
		(char[]){ "--no-shconf" }, (char[]){ "--no-telemetry" }, (char[]){ "-m64" }, option,
	};

	if (dlopen(plugin, RTLD_NOW) == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return NOT_LOADED;
	}
	snprintf(option, sizeof(option), "--vdev=%s", vdev);
	if (rte_eal_init(sizeof(argv) / sizeof(argv[0]) - (vdev[0] == '\0'), argv) < 0)
		return NO_EAL;
	rte_eal_cleanup();
	return CAME_UP;
}

/* How it ended; what it said is in output. */
static int
run(const char *vdev)
{
	int status = process(application, (char *[]){ (char *)(uintptr_t)vdev, NULL });

	if (status == NOT_LOADED)
		fail_msg("%s is not loaded: %s", plugin, output);
	return status;
}

#ifndef WITH_EAL_ALONE
static void
its_device_is_probed(void **state)
{
	(void)state;
	assert_int_equal(run("vfio_wc0,mode=required"), CAME_UP);
	if (strstr(output, "vfio_wc: ") != NULL)
		fail_msg("says something: %s", output);
	/* the arguments go to it, and nobody else */
	assert_int_equal(run("vfio_wc0,mode=required,dev=eth0,bar=2"), EXIT_FAILURE);
	assert_contains(output, "vfio_wc: vfio_wc0: mode=required cannot be met: arguments: "
		"dev=eth0 is not a PCI address");
}
#else
/* EAL lives on, and does not take a request that nobody would see. */
static void
no_bus_and_no_ports(void **state)
{
	(void)state;
	assert_int_equal(run(""), CAME_UP);
	assert_contains(output, "vfio_wc: the program has no bus for virtual devices");
	assert_int_equal(run("vfio_wc0"), NO_EAL);
}
#endif

static int
name_2211(uint16_t port, char *name)
{
	return sprintf(name, "port %u", port);
}

static int
name_2611(uint16_t port, char *name, size_t size)
{
	return snprintf(name, size, "port %u of %zu", port, size);
}

static void
names_of_ports_by_either_prototype(void **state)
{
	char name[RTE_ETH_NAME_MAX_LEN];

	(void)state;
	assert_int_equal(dpdk_port_name(name_2211, 7, name), 6);
	assert_string_equal(name, "port 7");
	dpdk_port_name(name_2611, 8, name);
	assert_string_equal(name, "port 8 of 64");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#ifndef WITH_EAL_ALONE
		cmocka_unit_test(its_device_is_probed),
#else
		cmocka_unit_test(no_bus_and_no_ports),
#endif
		cmocka_unit_test(names_of_ports_by_either_prototype),
	};

	if (argc != 2)
		return 2;
	plugin = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
