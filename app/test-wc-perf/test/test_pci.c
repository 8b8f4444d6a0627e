/* SPDX-License-Identifier: BSD-3-Clause */

#include "fake_root.h"
#include "pci.h"
#include "test.h"

static int
make_sysfs(void **state)
{
	unsigned char config[256];

	if (fake_root_make(state) != 0)
		return -1;
	fake_virtio();
	fake_virtio_config(config);
	fake_bytes(FAKE_SYSFS "/config", config, sizeof(config));
	return 0;
}

static void
device_is_read(void **state)
{
	struct vfio_wc_sysfs dev;

	(void)state;
	assert_int_equal(pci_read(FAKE_BDF, &dev), WC_OK);
	assert_string_equal(dev.driver, "vfio-pci");
	assert_int_equal(pci_read("00:03.0", &dev), WC_OK);
	assert_string_equal(dev.bdf, FAKE_BDF);
}

static void
no_such_device(void **state)
{
	struct vfio_wc_sysfs dev;

	(void)state;
	assert_int_equal(pci_read("0000:00:04.0", &dev), WC_ENVIRONMENT);
	assert_said("0000:00:04.0");
	fail_reset();
	assert_int_equal(pci_read("eth0", &dev), WC_USAGE);
	assert_said("eth0: not a PCI address");
	fail_reset();
	fake_remove(FAKE_SYSFS "/resource");
	assert_int_equal(pci_read(FAKE_BDF, &dev), WC_ENVIRONMENT);
	assert_said(FAKE_BDF ": sysfs: No such file");
	fake_virtio();
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
		{ { 2, 0, 0x1000 }, WC_ENVIRONMENT, "no such BAR" },
		{ { 6, 0, 0x1000 }, WC_USAGE, "no BAR 6" },
		{ { 4, 0x4000, 0 }, WC_USAGE, "leaves the BAR" },
		{ { 4, 0x3000, 0x2000 }, WC_USAGE, "leaves the BAR" },
		{ { 4, 0x1000, UINT64_MAX & ~0xfffULL }, WC_USAGE, "wraps" },
		{ { 4, 0x3800, 0x800 }, WC_USAGE, "page" },
		{ { 4, 0x3000, 0x800 }, WC_USAGE, "page" },
		{ { 1, 0, 0 }, WC_USAGE, "MSI-X" },
	};
	struct bar_range r = { 4, 0x1000, 0 };
	struct vfio_wc_sysfs dev;
	size_t i;

	(void)state;
	assert_int_equal(pci_read(FAKE_BDF, &dev), WC_OK);
	assert_int_equal(pci_check_range(&dev, &r), WC_OK);
	assert_true(r.len == 0x3000);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		fail_reset();
		r = table[i].range;
		assert_int_equal(pci_check_range(&dev, &r), table[i].st);
		if (table[i].said != NULL) {
			assert_said(FAKE_BDF);
			assert_said(table[i].said);
		}
	}
}

static void
range_arguments(void **state)
{
	static const char *const bad[] = {
		"", "4", "bar", "bar=", "bar=x", "bar=6", "bar=-1", "offset=0", "bar=4,",
		"bar=4,,len=1",
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

static void
virtio_notify_is_found(void **state)
{
	struct bar_range r = { 0, 0, 0 };
	struct vfio_wc_sysfs dev;

	(void)state;
	assert_int_equal(pci_read(FAKE_BDF, &dev), WC_OK);
	assert_int_equal(pci_virtio_notify(&dev, &r), WC_OK);
	assert_true(r.bar == 4 && r.offset == 0x3000 && r.len == 0x1000);
}

static void
virtio_notify_is_not_there(void **state)
{
	struct bar_range r = { 0, 0, 0 };
	uint8_t config[256];
	struct vfio_wc_sysfs dev;

	(void)state;
	assert_int_equal(pci_read(FAKE_BDF, &dev), WC_OK);
	/* A list of capabilities that never ends. */
	fake_virtio_config(config);
	config[0x70 + 3] = 1;
	config[0x84 + 1] = 0x50;
	fake_bytes(FAKE_SYSFS "/config", config, sizeof(config));
	assert_int_equal(pci_virtio_notify(&dev, &r), WC_ENVIRONMENT);
	assert_said("no virtio notify capability");
	/* What an unprivileged reader gets. */
	fail_reset();
	fake_bytes(FAKE_SYSFS "/config", config, 64);
	assert_int_equal(pci_virtio_notify(&dev, &r), WC_ENVIRONMENT);
	/* A capability that points outside its BAR. */
	fail_reset();
	fake_virtio_config(config);
	config[0x70 + 9] = 0x40;
	fake_bytes(FAKE_SYSFS "/config", config, sizeof(config));
	assert_int_equal(pci_virtio_notify(&dev, &r), WC_USAGE);
	assert_said("leaves the BAR");
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

	return cmocka_run_group_tests(tests, make_sysfs, fake_root_remove);
}
