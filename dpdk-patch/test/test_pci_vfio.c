/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * How DPDK's PCI bus maps BARs with the series: its own objects, linked with a kernel that is faked
 * at the system calls (lib/vfio_wc/test), and with answers of our own where EAL would ask it for a
 * device or the user for options.
 */

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sanitizer/lsan_interface.h>

#include <bus_pci_driver.h>
#include <rte_eal.h>
#include <rte_interrupts.h>
#include <rte_log.h>
#include <rte_malloc.h>
#include <rte_vfio.h>

#include "fake_vfio.h"
#include "pci_init.h"
#include "private.h"

/* ---- what EAL is told ---- */

static enum rte_vfio_wc_mode mode;
static enum rte_proc_type_t process;
static struct rte_vfio_wc_request requests[RTE_PCI_WC_RANGES_MAX + 1];
static unsigned int nb_requests;
static bool no_memory;

int __wrap_rte_vfio_setup_device(const char *sysfs, const char *addr, int *fd,
		struct vfio_device_info *info);
int __wrap_rte_vfio_release_device(const char *sysfs, const char *addr, int fd);
int __wrap_rte_vfio_is_enabled(const char *module);
enum rte_proc_type_t __wrap_rte_eal_process_type(void);
enum rte_vfio_wc_mode __wrap_rte_vfio_wc_mode_get(void);
const struct rte_vfio_wc_request *__wrap_rte_vfio_wc_request_get(unsigned int n);
void *__real_rte_zmalloc(const char *type, size_t size, unsigned int align);
void *__wrap_rte_zmalloc(const char *type, size_t size, unsigned int align);

/* A secondary process has an fd of its own: the fake's second device has to be like the first. */
int
__wrap_rte_vfio_setup_device(const char *sysfs, const char *addr, int *fd,
		struct vfio_device_info *info)
{
	(void)sysfs;
	*fd = FAKE_FD + (process == RTE_PROC_SECONDARY || strcmp(addr, fake.device[1].bdf) == 0);
	info->num_regions = VFIO_PCI_NUM_REGIONS;
	return 0;
}

int
__wrap_rte_vfio_release_device(const char *sysfs, const char *addr, int fd)
{
	(void)sysfs;
	(void)addr;
	(void)fd;
	return 0;
}

int
__wrap_rte_vfio_is_enabled(const char *module)
{
	(void)module;
	return 1;
}

enum rte_proc_type_t
__wrap_rte_eal_process_type(void)
{
	return process;
}

enum rte_vfio_wc_mode
__wrap_rte_vfio_wc_mode_get(void)
{
	return mode;
}

const struct rte_vfio_wc_request *
__wrap_rte_vfio_wc_request_get(unsigned int n)
{
	return n < nb_requests ? &requests[n] : NULL;
}

void *
__wrap_rte_zmalloc(const char *type, size_t size, unsigned int align)
{
	return no_memory ? NULL : __real_rte_zmalloc(type, size, align);
}

/* ---- a driver and its device ---- */

static struct rte_pci_wc_range declared[RTE_PCI_WC_RANGES_MAX];
static int nb_declared;
static unsigned int nb_asked;
static struct rte_pci_driver driver;
static struct rte_pci_device dev;

static int
declare(const struct rte_pci_device *device, struct rte_pci_wc_range *ranges)
{
	uint16_t vendor = 0;

	nb_asked++;
	if (rte_pci_read_config(device, &vendor, sizeof(vendor), 0) != sizeof(vendor))
		return -EIO;
	assert_int_equal(vendor, device->id.vendor_id);
	if (nb_declared > 0)
		memcpy(ranges, declared, nb_declared * sizeof(ranges[0]));
	return nb_declared;
}

static void
device_is(unsigned int n)
{
	unsigned int i;

	rte_intr_instance_free(dev.intr_handle);
	rte_intr_instance_free(dev.vfio_req_intr_handle);
	free(dev.bus_info);
	memset(&dev, 0, sizeof(dev));
	dev.intr_handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	dev.vfio_req_intr_handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	dev.driver = &driver;
	dev.kdrv = RTE_PCI_KDRV_VFIO;
	dev.id.vendor_id = fake.device[n].vendor;
	dev.id.device_id = fake.device[n].device;
	snprintf(dev.name, sizeof(dev.name), "%s", fake.device[n].bdf);
	assert_int_equal(rte_pci_addr_parse(dev.name, &dev.addr), 0);
	for (i = 0; i < PCI_MAX_RESOURCE; i++) {
		dev.mem_resource[i].phys_addr = fake.device[n].bar[i].start;
		dev.mem_resource[i].len = fake.device[n].bar[i].size;
	}
}

static int
setup(void **state)
{
	(void)state;
	fake_reset();
	mode = RTE_VFIO_WC_AUTO;
	process = RTE_PROC_PRIMARY;
	nb_requests = 0;
	no_memory = false;
	nb_asked = 0;
	memset(declared, 0, sizeof(declared));
	driver = (struct rte_pci_driver){
		.driver.name = "test",
		.drv_flags = RTE_PCI_DRV_NEED_MAPPING | RTE_PCI_DRV_WC_RANGES,
		.wc_ranges = declare,
	};
	declared[0].bar = 4;
	nb_declared = 1;
	device_is(0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	process = RTE_PROC_PRIMARY;
	if (rte_intr_fd_get(dev.intr_handle) >= 0)
		rte_pci_unmap_device(&dev);
	return fake_mapped() != 0 || __lsan_do_recoverable_leak_check() != 0;
}

/* The pages of a BAR, "W" for WC, "-" for plain, " " for nothing */
static const char *
pages(unsigned int bar)
{
	static char text[64];
	unsigned int i, n = dev.mem_resource[bar].len / FAKE_PAGE;

	for (i = 0; i < n; i++) {
		const char *page = (const char *)dev.mem_resource[bar].addr + i * FAKE_PAGE;

		text[i] = " -uW"[fake_at(page)];
	}
	text[n] = '\0';
	return text;
}

/* Nothing is left of a device that cannot be used. */
static void
assert_refused(void)
{
	unsigned int i;

	assert_int_equal(rte_pci_map_device(&dev), -1);
	assert_int_equal(fake_mapped(), 0);
	assert_int_equal(rte_intr_fd_get(dev.intr_handle), -1);
	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		assert_null(dev.mem_resource[i].addr);
	assert_false(rte_pci_bar_is_wc(&dev, 4, 0, 0));
}

static unsigned int
open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

/* Of the memory that processes share */
static size_t
heap_used(void)
{
	struct rte_malloc_socket_stats stats;

	assert_int_equal(rte_malloc_get_socket_stats(0, &stats), 0);
	return stats.heap_allocsz_bytes;
}

/* What is said at notice level and above when the device is mapped */
static const char *
said(int result)
{
	static char text[1024];
	FILE *f;

	text[0] = '\0';	/* stays, if nothing is written */
	f = fmemopen(text, sizeof(text), "w");
	assert_non_null(f);
	rte_openlog_stream(f);
	rte_log_set_level(RTE_LOGTYPE_EAL, RTE_LOG_NOTICE);
	assert_int_equal(rte_pci_map_device(&dev), result);
	rte_log_set_level(RTE_LOGTYPE_EAL, RTE_LOG_CRIT);
	rte_openlog_stream(NULL);
	fclose(f);
	return text;
}

/* ---- tests ---- */

/* The first one: what is true of all devices is said once in a process. */
static void
what_cannot_be_is_said(void **state)
{
	static const char no_wc[] = "EAL: 0000:00:03.0 bar4:0x0-0x4000 is mapped uncached: "
		"the kernel's VFIO offers no write-combining\n";

	(void)state;
	fake.device[0].bar[4].types = 0;
	assert_string_equal(said(0), no_wc);
	rte_pci_unmap_device(&dev);
	device_is(0);
	assert_string_equal(said(0), "");
	rte_pci_unmap_device(&dev);
	device_is(0);
	mode = RTE_VFIO_WC_REQUIRED;
	assert_string_equal(said(-1), no_wc);

	device_is(0);
	fake.device[0].bar[4].types = 3;
	fake.device[0].get_errno = ENOSPC;
	assert_string_equal(said(-1), "EAL: 0000:00:03.0 bar4:0x0-0x4000 cannot be mapped "
		"write-combined: No space left on device\n");
	device_is(0);
	fake.device[0].get_errno = 0;
	assert_string_equal(said(0), "");
}

static void
a_declared_bar_is_wc(void **state)
{
	(void)state;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "WWWW");
	assert_string_equal(pages(1), "-");
	assert_true(rte_pci_bar_is_wc(&dev, 4, 0, 0));
	assert_true(rte_pci_bar_is_wc(&dev, 4, 0x3000, 0x1000));
	assert_false(rte_pci_bar_is_wc(&dev, 4, 0x3000, 0x1001));
	assert_false(rte_pci_bar_is_wc(&dev, 4, 0x4000, 0));
	assert_false(rte_pci_bar_is_wc(&dev, 1, 0, 0));
	assert_false(rte_pci_bar_is_wc(&dev, PCI_MAX_RESOURCE, 0, 0));
	assert_string_equal(dev.device.bus_info,
		"vendor_id=1af4, device_id=1041, wc=bar4:0x0-0x4000");

	rte_pci_unmap_device(&dev);
	assert_int_equal(fake_mapped(), 0);
	assert_false(rte_pci_bar_is_wc(&dev, 4, 0, 0));
	assert_string_equal(dev.device.bus_info, "vendor_id=1af4, device_id=1041");
	rte_intr_fd_set(dev.intr_handle, -1);
}

static void
a_range_is_wc_and_nothing_else(void **state)
{
	(void)state;
	declared[0].offset = 0x1000;
	declared[0].len = 0x2000;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "-WW-");
	assert_true(rte_pci_bar_is_wc(&dev, 4, 0x1000, 0x2000));
	assert_false(rte_pci_bar_is_wc(&dev, 4, 0, 0x2000));
	assert_false(rte_pci_bar_is_wc(&dev, 4, 0x2000, 0));
	assert_string_equal(strchr(dev.device.bus_info, 'w'), "wc=bar4:0x1000-0x3000");
}

static void
ranges_that_touch_are_one(void **state)
{
	(void)state;
	declared[0].offset = 0x2000;
	declared[1].bar = 4;
	declared[1].len = 0x2000;
	declared[2].bar = 1;
	nb_declared = 3;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "WWWW");
	assert_string_equal(pages(1), "W");
	assert_true(rte_pci_bar_is_wc(&dev, 4, 0, 0));
}

static void
the_msix_table_stays_plain(void **state)
{
	(void)state;
	device_is(1);
	declared[0].bar = 3;
	mode = RTE_VFIO_WC_REQUIRED;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(3), "WW--WWWW");
	assert_true(rte_pci_bar_is_wc(&dev, 3, 0, 0x2000));
	assert_true(rte_pci_bar_is_wc(&dev, 3, 0x4000, 0));
	assert_false(rte_pci_bar_is_wc(&dev, 3, 0, 0));
	rte_pci_unmap_device(&dev);

	/* a range that begins in it, one that ends in it, one that is all of it */
	device_is(1);
	declared[0].offset = 0x3000;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(3), "----WWWW");
	rte_pci_unmap_device(&dev);

	device_is(1);
	declared[0].offset = 0x1000;
	declared[0].len = 0x2000;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(3), "-W------");
	rte_pci_unmap_device(&dev);

	device_is(1);
	declared[0].offset = 0x2000;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(3), "--------");
}

static void
a_driver_of_old_is_not_asked(void **state)
{
	(void)state;
	driver.drv_flags &= ~RTE_PCI_DRV_WC_RANGES;
	driver.wc_ranges = (rte_pci_wc_ranges_t *)(uintptr_t)1;
	mode = RTE_VFIO_WC_REQUIRED;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "----");
	assert_int_equal(fake.nb_features, 0);
}

static void
off_asks_nobody(void **state)
{
	(void)state;
	mode = RTE_VFIO_WC_OFF;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "----");
	assert_int_equal(nb_asked, 0);
	assert_int_equal(fake.nb_features, 0);
}

static void
a_kernel_that_cannot_is_not_asked(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		fake.device[0].bar[i].types = 0;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "----");
	assert_int_equal(fake.nb_features, 0);
	assert_false(rte_pci_bar_is_wc(&dev, 4, 0, 0));
	rte_pci_unmap_device(&dev);

	device_is(0);
	mode = RTE_VFIO_WC_REQUIRED;
	assert_refused();
	assert_int_equal(fake.nb_features, 0);

	/* it has other attributes only */
	fake.device[0].bar[4].types = 1;
	assert_refused();
}

static void
a_refusal_leaves_it_plain_or_ends_it(void **state)
{
	(void)state;
	fake.device[0].get_errno = ENOSPC;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "----");
	rte_pci_unmap_device(&dev);

	device_is(0);
	mode = RTE_VFIO_WC_REQUIRED;
	assert_refused();

	fake.device[0].get_errno = 0;
	fake.cookie_mmap_errno = EBUSY;
	assert_refused();

	mode = RTE_VFIO_WC_AUTO;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "----");
	assert_false(rte_pci_bar_is_wc(&dev, 4, 0, 0));
}

static void
a_bar_with_a_hole_is_no_bar(void **state)
{
	(void)state;
	fake.cookie_mmap_errno = EBUSY;
	fake.plain_mmap_errno = ENOMEM;
	fake.plain_mmap_skip = 2;	/* BARs 1 and 4; not what would be put back */
	assert_refused();
}

static void
the_second_range_fails_alone(void **state)
{
	(void)state;
	declared[1].bar = 1;
	nb_declared = 2;
	fake.device[0].get_errno = ENOSPC;
	fake.device[0].get_skip = 1;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "WWWW");
	assert_string_equal(pages(1), "-");
	rte_pci_unmap_device(&dev);

	device_is(0);
	mode = RTE_VFIO_WC_REQUIRED;
	fake_reset();
	fake.device[0].get_errno = ENOSPC;
	fake.device[0].get_skip = 1;
	assert_refused();
}

static void
a_device_that_fails_later_leaves_nothing(void **state)
{
	unsigned int before;

	(void)state;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	rte_pci_unmap_device(&dev);
	device_is(0);

	before = open_files();
	fake.reset_errno = EIO;
	assert_refused();
	assert_int_equal(open_files(), before);

	/* the second BAR */
	fake.plain_mmap_errno = ENOMEM;
	fake.plain_mmap_skip = 1;
	assert_refused();
	assert_int_equal(open_files(), before);
}

/* What is mapped is whole, and WC where the bus says so. */
static void
assert_whole(unsigned int bar, const char *wanted)
{
	const char *text = pages(bar);
	unsigned int i;

	assert_int_equal(strlen(text), strlen(wanted));
	for (i = 0; text[i] != '\0'; i++) {
		assert_true(text[i] == '-' || text[i] == wanted[i]);
		assert_int_equal(text[i] == 'W',
			rte_pci_bar_is_wc(&dev, bar, i * FAKE_PAGE, FAKE_PAGE));
	}
	if (mode == RTE_VFIO_WC_REQUIRED)
		assert_string_equal(text, wanted);
}

/* Each call in turn: of two BARs that are declared, and of one around its MSI-X table. */
static void
whatever_fails_leaves_all_or_nothing(void **state)
{
	static const struct {
		unsigned int bar;
		const char *wanted;
	} devices[] = { { 4, "WWWW" }, { 3, "WW--WWWW" } };
	unsigned int i, n, files, refused = 0;
	bool reached;
	size_t heap;

	(void)state;
	for (i = 0; i < 8; i++) {
		unsigned int d = i % 2;

		mode = i & 2 ? RTE_VFIO_WC_REQUIRED : RTE_VFIO_WC_AUTO;
		for (n = 1, reached = true; reached; n++) {
			fake_reset();
			fake.fail_leaves_hole = (i & 4) != 0;
			device_is(d);
			declared[0].bar = devices[d].bar;
			declared[1].bar = 1 - d;
			nb_declared = 2;
			heap = heap_used();
			files = open_files();

			fake.fail_at = n;
			if (rte_pci_map_device(&dev) == 0) {
				reached = fake.fail_at == 0;
				fake.fail_at = 0;
				assert_whole(devices[d].bar, devices[d].wanted);
				assert_whole(1 - d, d ? "WWWW" : "W");
				rte_pci_unmap_device(&dev);
			} else {
				refused++;
				assert_int_equal(fake.fail_at, 0);
				assert_null(dev.mem_resource[devices[d].bar].addr);
			}
			assert_int_equal(fake_mapped(), 0);
			assert_int_equal(heap_used(), heap);
			assert_int_equal(open_files(), files);
		}
		assert_true(n > 20);
	}
	assert_true(refused > 100);

	device_is(0);
	no_memory = true;
	assert_refused();
}

static void
what_a_driver_declares_is_checked(void **state)
{
	static const struct rte_pci_wc_range wrong[] = {
		{ 4, 0x800, 0x1000 }, { 4, 0, 0x1800 }, { 4, 0, 0x5000 }, { 4, 0x4000, 0 },
		{ 4, 0x1000, UINT64_MAX - 0xfff },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		declared[0] = wrong[i];
		device_is(0);
		mode = RTE_VFIO_WC_AUTO;
		assert_int_equal(rte_pci_map_device(&dev), 0);
		assert_string_equal(pages(4), "----");
		rte_pci_unmap_device(&dev);
		device_is(0);
		mode = RTE_VFIO_WC_REQUIRED;
		assert_refused();
	}

	/* no such BAR: nothing to push into */
	declared[0] = (struct rte_pci_wc_range){ .bar = 2 };
	declared[1] = (struct rte_pci_wc_range){ .bar = 77 };
	nb_declared = 2;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "----");
	rte_pci_unmap_device(&dev);
	device_is(0);

	mode = RTE_VFIO_WC_AUTO;
	nb_declared = -EINVAL;
	assert_refused();
	nb_declared = 0;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "----");
}

static void
a_secondary_process_has_the_same(void **state)
{
	struct rte_pci_device primary;

	(void)state;
	fake.device[1] = fake.device[0];
	fake.device[1].bdf = "0000:00:05.0";
	declared[0].offset = 0x2000;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_int_equal(nb_asked, 1);

	/* the same addresses, by an offset that its own fd knows, whatever its user says */
	primary = dev;
	memset(&dev, 0, sizeof(dev));
	process = RTE_PROC_SECONDARY;
	mode = RTE_VFIO_WC_OFF;
	device_is(0);
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "--WW");
	assert_true(rte_pci_bar_is_wc(&dev, 4, 0x2000, 0));
	assert_non_null(strstr(dev.device.bus_info, "wc=bar4:0x2000-0x4000"));
	assert_int_equal(nb_asked, 1);
	rte_pci_unmap_device(&dev);
	assert_int_equal(fake_mapped(), 0);

	/* or nothing */
	device_is(0);
	fake.device[1].get_errno = ENOSPC;
	assert_int_equal(rte_pci_map_device(&dev), -1);
	assert_int_equal(fake_mapped(), 0);
	assert_null(dev.mem_resource[4].addr);

	/* and what the primary has noted is as it was */
	rte_intr_instance_free(dev.intr_handle);
	rte_intr_instance_free(dev.vfio_req_intr_handle);
	free(dev.bus_info);
	dev = primary;
	process = RTE_PROC_PRIMARY;
	assert_true(rte_pci_bar_is_wc(&dev, 4, 0x2000, 0));
}

static void
a_user_can_name_ranges(void **state)
{
	unsigned int i;

	(void)state;
	requests[0] = (struct rte_vfio_wc_request){ "0000:00:09.0", 1, 0, 0 };
	requests[1] = (struct rte_vfio_wc_request){ "0000:00:03.0", 4, 0x3000, 0x1000 };
	nb_requests = 2;
	driver.drv_flags = 0;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "---W");
	assert_string_equal(pages(1), "-");
	rte_pci_unmap_device(&dev);

	/* what is asked for, but not there, is an error where it is required */
	device_is(0);
	mode = RTE_VFIO_WC_REQUIRED;
	requests[1].bar = 2;
	assert_refused();
	requests[1].bar = PCI_MAX_RESOURCE;
	assert_refused();
	for (i = 0; i <= RTE_PCI_WC_RANGES_MAX; i++)
		requests[i] = (struct rte_vfio_wc_request){ "0000:00:03.0", 4, 0, 0 };
	nb_requests = RTE_PCI_WC_RANGES_MAX + 1;
	assert_refused();
	nb_requests--;
	assert_int_equal(rte_pci_map_device(&dev), 0);
	assert_string_equal(pages(4), "WWWW");
}

int
main(void)
{
	char *eal[] = { "test", "--no-huge", "--no-pci", "--no-shconf", "-m", "64",
		"--no-telemetry", "--log-level=lib.eal:critical", NULL };
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_cannot_be_is_said),
		TEST(a_declared_bar_is_wc),
		TEST(a_range_is_wc_and_nothing_else),
		TEST(ranges_that_touch_are_one),
		TEST(the_msix_table_stays_plain),
		TEST(a_driver_of_old_is_not_asked),
		TEST(off_asks_nobody),
		TEST(a_kernel_that_cannot_is_not_asked),
		TEST(a_refusal_leaves_it_plain_or_ends_it),
		TEST(a_bar_with_a_hole_is_no_bar),
		TEST(the_second_range_fails_alone),
		TEST(a_device_that_fails_later_leaves_nothing),
		TEST(whatever_fails_leaves_all_or_nothing),
		TEST(what_a_driver_declares_is_checked),
		TEST(a_secondary_process_has_the_same),
		TEST(a_user_can_name_ranges),
	};

	/* EAL's own is of no interest, and stays until the end. */
	__lsan_disable();
	if (rte_eal_init(sizeof(eal) / sizeof(eal[0]) - 1, eal) < 0)
		return 2;
	__lsan_enable();
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
