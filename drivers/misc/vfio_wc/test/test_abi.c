/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * dpdk_abi.c in a real EAL, whose PCI bus finds a device in a directory of ours: what EAL wrote by
 * its own structures is read by dpdk_layout.h, in whichever DPDK this is built with.
 */

#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_log.h>
#include <rte_version.h>

#include "dpdk_abi.h"

#define BDF "0000:03:1a.5"

static const char *running;	/* NULL: the true version */
static const char *renamed;
static unsigned int registered;

struct rte_vdev_driver;
const char *__wrap_rte_version(void);
const char *__real_rte_version(void);
const char *__wrap_rte_dev_name(const struct rte_device *dev);
const char *__real_rte_dev_name(const struct rte_device *dev);
void __wrap_rte_vdev_register(struct rte_vdev_driver *driver);

const char *
__wrap_rte_version(void)
{
	return running != NULL ? running : __real_rte_version();
}

const char *
__wrap_rte_dev_name(const struct rte_device *dev)
{
	return renamed != NULL ? renamed : __real_rte_dev_name(dev);
}

void
__wrap_rte_vdev_register(struct rte_vdev_driver *driver)
{
	free(driver);	/* which EAL would keep */
	registered++;
}

static int
no_probe(struct rte_device *dev)
{
	(void)dev;
	return -1;
}

/* As a DPDK of that version, or the one that it is. */
static int
register_as(const char *version)
{
	running = version;
	return dpdk_abi_register_vdev("vfio_wc", no_probe, no_probe);
}

static bool
visit(struct rte_device *dev, const struct dpdk_pci *pci, void *arg)
{
	struct dpdk_pci *found = arg;

	assert_non_null(dev);
	*found = *pci;
	return strcmp(pci->name, BDF) == 0;
}

static void
a_pci_device_is_read_as_eal_wrote_it(void **state)
{
	struct dpdk_pci pci = { 0 };
	unsigned int bar;

	(void)state;
	assert_int_equal(register_as(NULL), 0);
	dpdk_abi_foreach_pci(visit, &pci);
	assert_string_equal(pci.name, BDF);
	assert_int_equal(pci.vendor, 0x1234);
	assert_int_equal(pci.device, 0xfedc);
	assert_int_equal(pci.fd, -1);
	assert_int_equal(pci.bar[0].start, 0xfd000000);
	assert_int_equal(pci.bar[0].size, 0x4000);
	assert_int_equal(pci.bar[5].start, 0x8000000000);
	assert_int_equal(pci.bar[5].size, 0x100000);
	for (bar = 1; bar < 5; bar++)
		assert_int_equal(pci.bar[bar].size, 0);
}

/* Name and address are in different places of the structure, and do not agree. */
static void
a_device_of_another_layout_is_passed_over(void **state)
{
	struct dpdk_pci pci = { 0 };

	(void)state;
	assert_int_equal(register_as(NULL), 0);
	renamed = "0000:03:1a.4";
	dpdk_abi_foreach_pci(visit, &pci);
	assert_string_equal(pci.name, "");
	renamed = "nonsense";
	dpdk_abi_foreach_pci(visit, &pci);
	assert_string_equal(pci.name, "");
	renamed = NULL;
	dpdk_abi_foreach_pci(visit, &pci);
	assert_string_equal(pci.name, BDF);
}

static void
only_patch_levels_that_were_checked(void **state)
{
	struct dpdk_pci pci = { 0 };

	(void)state;
	assert_int_equal(register_as("DPDK 24.11.99"), 0);
	assert_contains(dpdk_abi_untrusted(), "\"DPDK 24.11.99\" were not checked (of 24.11, patch "
		"levels up to 8 were)");
	dpdk_abi_foreach_pci(visit, &pci);
	assert_string_equal(pci.name, "");
	assert_int_equal(register_as("DPDK 26.07.1"), 0);
	assert_contains(dpdk_abi_untrusted(), "(of 26.07, patch levels up to 0 were)");
	assert_int_equal(register_as(NULL), 0);
	assert_null(dpdk_abi_untrusted());
}

/* Symbols of the shared object have no versions: structures that are public may differ, too. */
static void
only_the_abi_that_it_was_built_for(void **state)
{
	const bool is_22 = RTE_VER_YEAR == 22;
	struct dpdk_pci pci = { 0 };

	(void)state;
	assert_int_equal(register_as(is_22 ? "DPDK 23.11.0" : "DPDK 22.11.0"), 0);
	assert_contains(dpdk_abi_untrusted(), "the plugin was built for DPDK's ABI ");
	assert_contains(dpdk_abi_untrusted(), is_22 ? "\"DPDK 23.11.0\" has ABI 24" :
		"\"DPDK 22.11.0\" has ABI 23");
	dpdk_abi_foreach_pci(visit, &pci);
	assert_string_equal(pci.name, "");
	/* a minor version of the same */
	if (is_22) {
		assert_int_equal(register_as("DPDK 23.07.0"), 0);
		assert_null(dpdk_abi_untrusted());
	}
}

static void
only_releases_that_were_checked(void **state)
{
	static const struct {
		const char *version, *complaint;	/* NULL: accepted */
	} cases[] = {
		{ "DPDK 22.11.0", NULL },
		{ "DPDK 22.11.11", NULL },
		{ "DPDK 24.11.8", NULL },
		{ "DPDK 26.03.0", NULL },
		{ "DPDK 26.07.0", NULL },
		{ "DPDK 21.11.9", "releases from 22.11 to 26.07" },
		{ "DPDK 22.07.0", "releases from 22.11 to 26.07" },
		{ "DPDK 24.08.0", "releases from 22.11 to 26.07" },
		{ "DPDK 26.11.0", "releases from 22.11 to 26.07" },
		{ "DPDK 26.07.0-rc1", "releases from 22.11 to 26.07" },
		{ "MLNX_DPDK 22.11.2401.1.0", "were" },
		{ "DPDK", "were" },
	};
	char line[256], expected[64];
	unsigned int i, before;
	FILE *log;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		log = tmpfile();
		rte_openlog_stream(log);
		before = registered;
		if ((register_as(cases[i].version) == 0) != (cases[i].complaint == NULL))
			fail_msg("%s: %s", cases[i].version,
				registered > before ? "accepted" : "refused");
		assert_int_equal(registered - before, cases[i].complaint == NULL);
		rewind(log);
		if (fgets(line, sizeof(line), log) == NULL)
			line[0] = '\0';
		if (cases[i].complaint == NULL) {
			assert_string_equal(line, "");
		} else {
			snprintf(expected, sizeof(expected), "vfio_wc: \"%s\" is not a DPDK",
				cases[i].version);
			assert_contains(line, expected);
			assert_contains(line, cases[i].complaint);
		}
		rte_openlog_stream(NULL);
		fclose(log);
	}
}

static void
put(const char *folder, const char *file, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/" BDF "/%s", folder, file);
	f = fopen(path, "w");
	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

/* What EAL reads of a device that nobody has a PMD for: drivers/bus/pci/linux/pci.c */
static void
make_sysfs(char *folder)
{
	static const char * const files[][2] = {
		{ "vendor", "0x1234\n" }, { "device", "0xfedc\n" }, { "class", "0xff0000\n" },
		{ "subsystem_vendor", "0x1234\n" }, { "subsystem_device", "0x0001\n" },
		{ "resource",
			"0x00000000fd000000 0x00000000fd003fff 0x0000000000040200\n"
			"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
			"0x000000000000e000 0x000000000000e01f 0x0000000000040101\n"
			"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
			"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
			"0x0000008000000000 0x00000080000fffff 0x000000000014220c\n" },
	};
	char path[256];
	unsigned int i;

	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(path, sizeof(path), "%s/" BDF, folder);
	if (mkdir(path, 0700) != 0)
		abort();
	strcat(path, "/driver");
	if (symlink("../../../../bus/pci/drivers/vfio-pci", path) != 0)
		abort();
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		put(folder, files[i][0], files[i][1]);
	setenv("SYSFS_PCI_DEVICES", folder, 1);
}

static void
remove_sysfs(const char *folder)
{
	char command[256];

	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	if (system(command) != 0)
		abort();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pci_device_is_read_as_eal_wrote_it),
		cmocka_unit_test(a_device_of_another_layout_is_passed_over),
		cmocka_unit_test(only_releases_that_were_checked),
		cmocka_unit_test(only_patch_levels_that_were_checked),
		cmocka_unit_test(only_the_abi_that_it_was_built_for),
	};
	char *argv[] = {
		(char[]){ "test_abi" }, (char[]){ "--no-huge" }, (char[]){ "--no-shconf" },
		(char[]){ "--no-telemetry" }, (char[]){ "-m64" },
		(char[]){ "--log-level=lib.eal:error" },
	};
	char folder[] = "/tmp/test_abi-XXXXXX";
	int failed = 99;

	make_sysfs(folder);
	if (rte_eal_init(sizeof(argv) / sizeof(argv[0]), argv) >= 0) {
		failed = cmocka_run_group_tests(tests, NULL, NULL);
		rte_eal_cleanup();
	}
	remove_sysfs(folder);
	return failed;
}
