/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "pci.h"

#define BDF "0000:00:03.0"

/* A sysfs with one device, as virtio-net is in QEMU's q35. */
static char root[] = "/tmp/test-pci-XXXXXX";

static void
write_attribute(const char *name, const void *data, size_t size)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/" BDF "/%s", root, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

static int
make_sysfs(void **state)
{
	static const char resource[] =
		"0x0000000000001040 0x000000000000107f 0x0000000000040101\n"
		"0x00000000fea01000 0x00000000fea01fff 0x0000000000040200\n"
		"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		"0x000000fea0000000 0x000000fea0003fff 0x000000000014220c\n"
		"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		"0x00000000feb00000 0x00000000feb3ffff 0x000000000004e200\n";
	char command[512];

	(void)state;
	assert_non_null(mkdtemp(root));
	snprintf(command, sizeof(command), "mkdir -p %s/bus/pci/devices/" BDF " && "
		"ln -s ../../../drivers/vfio-pci %s/bus/pci/devices/" BDF "/driver", root, root);
	assert_int_equal(system(command), 0);
	write_attribute("resource", resource, strlen(resource));
	write_attribute("numa_node", "1\n", 2);
	return 0;
}

static int
remove_sysfs(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", root);
	return system(command);
}

static void
device_is_read(void **state)
{
	struct pci_device dev;

	(void)state;
	assert_int_equal(pci_read(root, BDF, &dev), WC_OK);
	assert_string_equal(dev.bdf, BDF);
	assert_string_equal(dev.driver, "vfio-pci");
	assert_int_equal(dev.node, 1);
	assert_true(dev.bar[0].len == 64 && !dev.bar[0].memory);
	assert_true(dev.bar[1].len == 4096 && dev.bar[1].memory);
	assert_true(dev.bar[2].len == 0);
	assert_true(dev.bar[4].start == 0xfea0000000 && dev.bar[4].len == 16384);
}

static void
no_such_device(void **state)
{
	struct pci_device dev;

	(void)state;
	assert_int_equal(pci_read(root, "0000:00:04.0", &dev), WC_ENVIRONMENT);
	assert_said("0000:00:04.0");
	fail_reset();
	assert_int_equal(pci_read(root, "00:03.0", &dev), WC_USAGE);
	assert_said("00:03.0");
}

static void
ranges_are_checked(void **state)
{
	static const struct {
		struct bar_range range;
		enum wc_status st;
		const char *said;
	} table[] = {
		{ { 4, 0x3000, 0x1000 }, WC_OK, NULL },
		{ { 4, 0, 0x4000 }, WC_OK, NULL },
		{ { 0, 0, 0 }, WC_ENVIRONMENT, "I/O" },
		{ { 2, 0, 0x1000 }, WC_ENVIRONMENT, "not there" },
		{ { 6, 0, 0x1000 }, WC_USAGE, "no BAR 6" },
		{ { 4, 0x4000, 0 }, WC_USAGE, "outside" },
		{ { 4, 0x3000, 0x2000 }, WC_USAGE, "outside" },
		{ { 4, 0x1000, UINT64_MAX & ~0xfffULL }, WC_USAGE, "outside" },
		{ { 4, 0x3800, 0x800 }, WC_USAGE, "page" },
		{ { 4, 0x3000, 0x800 }, WC_USAGE, "page" },
	};
	struct bar_range r = { 4, 0x1000, 0 };
	struct pci_device dev;
	size_t i;

	(void)state;
	assert_int_equal(pci_read(root, BDF, &dev), WC_OK);
	assert_int_equal(pci_check_range(&dev, &r), WC_OK);
	assert_true(r.len == 0x3000);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		fail_reset();
		r = table[i].range;
		assert_int_equal(pci_check_range(&dev, &r), table[i].st);
		if (table[i].said != NULL) {
			assert_said(BDF);
			assert_said(table[i].said);
		}
	}
}

static void
range_arguments(void **state)
{
	static const char *const bad[] = {
		"", "4", "bar", "bar=", "bar=x", "bar=6", "bar=-1", "offset=0", "bar=4,", "bar=4,,len=1",
		"bar=4,offset=0x", "bar=4,size=1", "bar=4 ,len=1", "bar=99999999999999999999",
	};
	struct bar_range r;
	size_t i;

	(void)state;
	assert_int_equal(pci_parse_range("bar=4,offset=0x3000,len=4096", &r), 0);
	assert_true(r.bar == 4 && r.offset == 0x3000 && r.len == 4096);
	assert_int_equal(pci_parse_range("len=0x1000,bar=0", &r), 0);
	assert_true(r.bar == 0 && r.offset == 0 && r.len == 0x1000);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (pci_parse_range(bad[i], &r) != -1) {
			print_error("\"%s\" was taken\n", bad[i]);
			assert_true(false);
		}
}

/* Common configuration, then notify, as QEMU lays them out; last MSI-X. */
static void
fill_config(uint8_t *config)
{
	static const uint8_t common[] = { 0x09, 0x70, 16, 1, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0 };
	static const uint8_t notify[] = { 0x09, 0x84, 20, 2, 4, 0, 0, 0, 0, 0x30, 0, 0, 0, 0x10, 0, 0,
		4, 0, 0, 0 };
	static const uint8_t msix[] = { 0x11, 0, 3, 0 };

	memset(config, 0, 256);
	config[0x06] = 0x10;
	config[0x34] = 0x50;
	memcpy(&config[0x50], common, sizeof(common));
	memcpy(&config[0x70], notify, sizeof(notify));
	memcpy(&config[0x84], msix, sizeof(msix));
}

static void
virtio_notify_is_found(void **state)
{
	struct bar_range r = { 0, 0, 0 };
	uint8_t config[256];
	struct pci_device dev;

	(void)state;
	fill_config(config);
	write_attribute("config", config, sizeof(config));
	assert_int_equal(pci_read(root, BDF, &dev), WC_OK);
	assert_int_equal(pci_virtio_notify(root, &dev, &r), WC_OK);
	assert_true(r.bar == 4 && r.offset == 0x3000 && r.len == 0x1000);
}

static void
virtio_notify_is_not_there(void **state)
{
	struct bar_range r = { 0, 0, 0 };
	uint8_t config[256];
	struct pci_device dev;

	(void)state;
	assert_int_equal(pci_read(root, BDF, &dev), WC_OK);
	/* A list of capabilities that never ends. */
	fill_config(config);
	config[0x70 + 3] = 1;
	config[0x84 + 1] = 0x50;
	write_attribute("config", config, sizeof(config));
	assert_int_equal(pci_virtio_notify(root, &dev, &r), WC_ENVIRONMENT);
	assert_said("no virtio notify capability");
	/* What an unprivileged reader gets. */
	fail_reset();
	write_attribute("config", config, 64);
	assert_int_equal(pci_virtio_notify(root, &dev, &r), WC_ENVIRONMENT);
	/* A capability that points outside its BAR. */
	fail_reset();
	fill_config(config);
	config[0x70 + 9] = 0x40;
	write_attribute("config", config, sizeof(config));
	assert_int_equal(pci_virtio_notify(root, &dev, &r), WC_USAGE);
	assert_said("outside");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(device_is_read),
		cmocka_unit_test_setup(no_such_device, forget_failure),
		cmocka_unit_test_setup(ranges_are_checked, forget_failure),
		cmocka_unit_test(range_arguments),
		cmocka_unit_test_setup(virtio_notify_is_found, forget_failure),
		cmocka_unit_test_setup(virtio_notify_is_not_there, forget_failure),
	};

	return cmocka_run_group_tests(tests, make_sysfs, remove_sysfs);
}
