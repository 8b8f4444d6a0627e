/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fake_root.h"
#include "test.h"
#include "vfio_device.h"

static struct vfio_wc_why why;

/* ---- address, sysfs ---- */

static void
addresses_in_every_spelling(void **state)
{
	static const struct {
		const char *text, *bdf;
	} cases[] = {
		{ "0000:00:03.0", "0000:00:03.0" },
		{ "00:07.0", "0000:00:07.0" },
		{ "0000:0A:1F.7", "0000:0a:1f.7" },
		{ "0A:00.1", "0000:0a:00.1" },
		{ "0:3.0", "0000:00:03.0" },
		{ "0001:00:03.0", "0001:00:03.0" },
		{ "10000:e1:00.0", "10000:e1:00.0" },
		{ "pci:0000:00:03.0", "0000:00:03.0" },
		{ "", NULL }, { "eth0", NULL }, { "00:03", NULL }, { "00:03.8", NULL },
		{ "00:20.0", NULL }, { "100:03.0", NULL }, { "00:03.0 ", NULL },
		{ " 00:03.0", NULL }, { "00:-3.0", NULL }, { "0x0:03.0", NULL },
		{ ":00:03.0", NULL }, { "000000000:00:03.0", NULL }, { "0:0:00:03.0", NULL },
		{ "00:03.00", NULL }, { "00:03.0,bar=4", NULL },
	};
	char bdf[VFIO_WC_BDF_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ret = vfio_wc_bdf(cases[i].text, bdf);

		if (ret != (cases[i].bdf != NULL ? 0 : -EINVAL))
			fail_msg("\"%s\": %d", cases[i].text, ret);
		if (ret == 0)
			assert_string_equal(bdf, cases[i].bdf);
	}
}

static void
sysfs_is_read(void **state)
{
	struct vfio_wc_sysfs pci;

	(void)state;
	fake_virtio();
	assert_int_equal(vfio_wc_sysfs_read("00:03.0", &pci), 0);
	assert_string_equal(pci.bdf, FAKE_BDF);
	assert_int_equal(pci.vendor, 0x1af4);
	assert_int_equal(pci.device, 0x1041);
	assert_int_equal(pci.node, 1);
	assert_string_equal(pci.driver, "vfio-pci");
	assert_string_equal(pci.group, "12");
	assert_string_equal(pci.cdev, "vfio3");
	assert_true(vfio_wc_sysfs_is_vfio(&pci));
	assert_true(pci.bar[0].size == 0x40 && !pci.bar[0].memory);
	assert_true(pci.bar[1].size == 0x1000 && pci.bar[1].memory && !pci.bar[1].is_64);
	assert_true(pci.bar[2].size == 0);
	assert_true(pci.bar[4].start == 0xfea0000000 && pci.bar[4].size == 0x4000);
	assert_true(pci.bar[4].prefetchable && pci.bar[4].is_64);
	/* the expansion ROM's line is not a BAR's */
	assert_true(pci.bar[5].size == 0);
}

static void
what_sysfs_does_not_have(void **state)
{
	struct vfio_wc_sysfs pci;

	(void)state;
	fake_virtio();
	assert_int_equal(vfio_wc_sysfs_read("0001:00:03.0", &pci), -ENODEV);
	assert_int_equal(vfio_wc_sysfs_read("virtio", &pci), -EINVAL);
	assert_int_equal(vfio_wc_sysfs_config(&pci), -ENOENT);

	/* an older kernel, no IOMMU, no NUMA, no driver */
	fake_remove(FAKE_SYSFS "/vfio-dev");
	fake_remove(FAKE_SYSFS "/iommu_group");
	fake_remove(FAKE_SYSFS "/numa_node");
	fake_remove(FAKE_SYSFS "/driver");
	assert_int_equal(vfio_wc_sysfs_read(FAKE_BDF, &pci), 0);
	assert_string_equal(pci.cdev, "");
	assert_string_equal(pci.group, "");
	assert_string_equal(pci.driver, "");
	assert_false(vfio_wc_sysfs_is_vfio(&pci));
	assert_int_equal(pci.node, -1);

	fake_link(FAKE_SYSFS "/driver", "../../../bus/pci/drivers/mlx5_vfio_pci");
	assert_int_equal(vfio_wc_sysfs_read(FAKE_BDF, &pci), 0);
	assert_true(vfio_wc_sysfs_is_vfio(&pci));

	fake_file(FAKE_SYSFS "/resource", "0x0 0x0 0x0\n");
	assert_int_equal(vfio_wc_sysfs_read(FAKE_BDF, &pci), -EIO);
	fake_file(FAKE_SYSFS "/device", "x\n");
	assert_int_equal(vfio_wc_sysfs_read(FAKE_BDF, &pci), -EIO);
	fake_remove(FAKE_SYSFS "/device");
	assert_int_equal(vfio_wc_sysfs_read(FAKE_BDF, &pci), -ENODEV);
}

/* ---- configuration space ---- */

static int
config_of(const unsigned char *config, size_t size)
{
	struct vfio_wc_sysfs pci = { .bdf = FAKE_BDF };
	int fd;

	fake_bytes(FAKE_SYSFS "/config", config, size);
	fd = vfio_wc_sysfs_config(&pci);
	assert_true(fd >= 0);
	return fd;
}

static void
capabilities_are_found(void **state)
{
	unsigned char config[256];
	int fd;

	(void)state;
	fake_virtio_config(config);
	fd = config_of(config, sizeof(config));
	assert_int_equal(vfio_wc_capability(fd, 0, PCI_CAP_ID_VNDR, 0), 0x50);
	assert_int_equal(vfio_wc_capability(fd, 0, PCI_CAP_ID_VNDR, 1), 0x70);
	assert_int_equal(vfio_wc_capability(fd, 0, PCI_CAP_ID_VNDR, 2), 0);
	assert_int_equal(vfio_wc_capability(fd, 0, PCI_CAP_ID_MSIX, 0), 0x84);
	assert_int_equal(vfio_wc_capability(fd, 0, PCI_CAP_ID_PM, 0), 0);
	close(fd);
	assert_int_equal(vfio_wc_capability(fd, 0, PCI_CAP_ID_MSIX, 0), -EIO);

	/* the first 64 bytes are what one without privileges reads */
	fd = config_of(config, 64);
	assert_int_equal(vfio_wc_capability(fd, 0, PCI_CAP_ID_MSIX, 0), -EIO);
	close(fd);

	config[0x84 + 1] = 0x50;	/* a list that never ends */
	fd = config_of(config, sizeof(config));
	assert_int_equal(vfio_wc_capability(fd, 0, PCI_CAP_ID_PM, 0), 0);
	assert_int_equal(vfio_wc_capability(fd, 0, PCI_CAP_ID_VNDR, 1000), 0);
	close(fd);

	config[0x06] = 0;		/* no list */
	fd = config_of(config, sizeof(config));
	assert_int_equal(vfio_wc_capability(fd, 0, PCI_CAP_ID_MSIX, 0), 0);
	close(fd);
}

static void
the_msix_table_is_found(void **state)
{
	struct vfio_wc_limits limits = { .msix_length = 1 };
	unsigned char config[256];
	int fd;

	(void)state;
	fake_virtio_config(config);
	fd = config_of(config, sizeof(config));
	assert_int_equal(vfio_wc_msix(fd, 0, 4, &limits), 0);
	assert_int_equal(limits.msix_length, 0);
	assert_int_equal(vfio_wc_msix(fd, 0, 1, &limits), 0);
	assert_int_equal(limits.msix_offset, 0);
	assert_int_equal(limits.msix_length, 0x1000);
	close(fd);
	assert_int_equal(vfio_wc_msix(fd, 0, 1, &limits), -EIO);

	/* 256 entries fill a page, if they start at one */
	config[0x84 + 2] = 255;
	config[0x84 + 5] = 0x20;
	fd = config_of(config, sizeof(config));
	assert_int_equal(vfio_wc_msix(fd, 0, 1, &limits), 0);
	assert_int_equal(limits.msix_offset, 0x2000);
	assert_int_equal(limits.msix_length, 0x1000);
	close(fd);
	config[0x84 + 3] = 1;		/* 512 */
	config[0x84 + 5] = 0x28;
	fd = config_of(config, sizeof(config));
	assert_int_equal(vfio_wc_msix(fd, 0, 1, &limits), 0);
	assert_int_equal(limits.msix_offset, 0x2000);
	assert_int_equal(limits.msix_length, 0x3000);
	close(fd);
}

static void
ranges_are_checked(void **state)
{
	static const struct vfio_wc_limits none = { 0 }, ports = { .size = 0x40 },
		shut = { .size = 0x4000, .memory = true },
		bar = { .size = 0x8000, .memory = true, .mappable = true,
			.msix_offset = 0x2000, .msix_length = 0x2000 };
	static const struct {
		const struct vfio_wc_limits *limits;
		uint64_t offset, length;
		int ret;
		const char *text;
	} cases[] = {
		{ &none, 0, 0x1000, -ENODEV, "no such BAR" },
		{ &ports, 0, 0x40, -ENODEV, "I/O ports" },
		{ &shut, 0, 0x1000, -ENODEV, "does not let this BAR be mapped" },
		{ &bar, 0, 0x1000, 0, NULL },
		{ &bar, 0x4000, 0x4000, 0, NULL },
		{ &bar, 0x7000, 0x1000, 0, NULL },
		{ &bar, 0x7000, 0, -EINVAL, "empty" },
		{ &bar, 0x7800, 0x1000, -EINVAL, "multiples of the page size, 0x1000" },
		{ &bar, 0x7000, 0x800, -EINVAL, "multiples of the page size" },
		{ &bar, 0x7000, 0x2000, -ERANGE, "leaves the BAR, which has 0x8000 bytes" },
		{ &bar, 0x8000, 0x1000, -ERANGE, "leaves the BAR" },
		{ &bar, 0x8000, 0, -ERANGE, "leaves the BAR" },
		{ &bar, 0x7000, UINT64_C(0xfffffffffffff000), -EOVERFLOW, "wraps" },
		{ &bar, UINT64_C(0xfffffffffffff000), 0x1000, -EOVERFLOW, "wraps" },
		{ &bar, 0, 0x2000, 0, NULL },
		{ &bar, 0, 0x3000, -EINVAL, "the MSI-X table is in [0x2000, 0x4000)" },
		{ &bar, 0x3000, 0x1000, -EINVAL, "MSI-X" },
		{ &bar, 0x3000, 0x3000, -EINVAL, "MSI-X" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ret = vfio_wc_check_range(cases[i].limits, cases[i].offset, cases[i].length,
			&why);

		if (ret != cases[i].ret)
			fail_msg("case %zu: %d, %s", i, ret, why.text);
		if (ret != 0)
			assert_contains(why.text, cases[i].text);
	}
}

/* ---- mappings ---- */

static void
maps_of_vfio_devices_are_read(void **state)
{
	struct vfio_wc_sysfs pci;
	struct vfio_wc_maps maps;

	(void)state;
	fake_file("/proc/77/maps",
		"1100800000-1100801000 rw-s 10000000000 00:0f 2071 anon_inode:[vfio-device]\n"
		"1100801000-1100804000 rw-s 40000000000 00:0f 2071                       "
		"anon_inode:[vfio-device]\n"
		"55d8c8c00000-55d8c8c21000 rw-p 00000000 00:00 0                          [heap]\n"
		"7f3a8c000000-7f3a8c021000 rw-p 00000000 00:00 0 \n"
		"7f3a90000000-7f3a90001000 rw-s 20000001000 00:06 99 /dev/vfio/devices/vfio0\n"
		"7f3a94000000-7f3a94001000 rw-s 00000000 00:0f 2072 anon_inode:[vfio-device-x]\n"
		"7f3a98000000-7f3a98001000 rw-s 00000000 fe:01 2072 /tmp/a b /dev/vfio/devices/\n"
		"nonsense\n"
		"7f3a9c000000-7f3a9c001000 r--s 3000 00:06 100 /dev/vfio/devices/vfio1");
	assert_int_equal(vfio_wc_maps_read(77, &maps), 0);
	assert_int_equal(maps.n, 4);
	assert_true(maps.v[1].va == 0x1100801000 && maps.v[1].length == 0x3000);
	assert_true(maps.v[1].fd_offset == 0x40000000000);
	assert_true(maps.v[1].dev == makedev(0, 0xf) && maps.v[1].inode == 2071);
	assert_true(maps.v[2].inode == 99 && maps.v[2].fd_offset == 0x20000001000);
	/* the last line counts, with a newline or without */
	assert_true(maps.v[3].va == 0x7f3a9c000000 && maps.v[3].inode == 100);

	/* nobody can be asked: BARs are where most kernels have them */
	fake_virtio();
	assert_int_equal(vfio_wc_sysfs_read("0000:00:03.0", &pci), 0);
	vfio_wc_maps_find_bars(77, &pci, &maps);
	assert_true(maps.v[0].bar == 1 && maps.v[0].bar_offset == 0);
	assert_true(maps.v[1].bar == 4 && maps.v[1].bar_offset == 0);
	assert_true(maps.v[2].bar == 2 && maps.v[2].bar_offset == 0x1000);
	assert_true(maps.v[3].bar == 0 && maps.v[3].bar_offset == 0x3000);
	free(maps.v);

	assert_int_equal(vfio_wc_maps_read(78, &maps), -ENOENT);
	assert_int_equal(maps.n, 0);
}

/* /proc/self/maps with the file that fd is at 0x10000 and 0x13000, and others behind it. */
static void
fake_own_maps(int fd)
{
	struct stat file;
	char text[512];

	assert_int_equal(fstat(fd, &file), 0);
	snprintf(text, sizeof(text),
		"00010000-00013000 rw-s 40000000000 %02x:%02x %ju anon_inode:[vfio-device]\n"
		"00013000-00014000 rw-s 40000003000 %02x:%02x %ju anon_inode:[vfio-device]\n"
		"00014000-00015000 rw-s 40000004000 %02x:%02x %ju anon_inode:[vfio-device]\n"
		"00015000-00016000 rw-s 40000005000 %02x:%02x %ju /dev/dri/card0\n",
		major(file.st_dev), minor(file.st_dev), (uintmax_t)file.st_ino,
		major(file.st_dev), minor(file.st_dev), (uintmax_t)file.st_ino,
		major(file.st_dev), minor(file.st_dev), (uintmax_t)file.st_ino + 1,
		major(file.st_dev), minor(file.st_dev), (uintmax_t)file.st_ino);
	fake_file("/proc/thread-self/maps", text);
}

static void
mappings_are_checked(void **state)
{
	const uint64_t bar4 = UINT64_C(4) << 40;
	FILE *f = tmpfile();
	int fd = fileno(f);

	(void)state;
	fake_own_maps(fd);
	assert_int_equal(vfio_wc_maps_check(fd, (void *)0x10000, 0x1000, bar4), 0);
	assert_int_equal(vfio_wc_maps_check(fd, (void *)0x11000, 0x2000, bar4 + 0x1000), 0);
	/* in two pieces */
	assert_int_equal(vfio_wc_maps_check(fd, (void *)0x10000, 0x4000, bar4), 0);
	/* at another offset; before; beyond it is another device's, then none's */
	assert_int_equal(vfio_wc_maps_check(fd, (void *)0x11000, 0x1000, bar4), -ENXIO);
	assert_int_equal(vfio_wc_maps_check(fd, (void *)0xf000, 0x2000, bar4 - 0x1000), -ENXIO);
	assert_int_equal(vfio_wc_maps_check(fd, (void *)0x13000, 0x2000, bar4 + 0x3000), -ENXIO);
	assert_int_equal(vfio_wc_maps_check(fd, (void *)0x14000, 0x1000, bar4 + 0x4000), -ENXIO);
	assert_int_equal(vfio_wc_maps_check(fd, (void *)0x15000, 0x1000, bar4 + 0x5000), -ENXIO);
	assert_int_equal(vfio_wc_maps_check(fd, (void *)0x16000, 0x1000, bar4 + 0x6000), -ENXIO);
	/* an address so high that it wraps */
	assert_int_equal(vfio_wc_maps_check(fd, (void *)-0x1000, 0x2000, bar4), -ENXIO);

	fake_remove("/proc/thread-self/maps");
	assert_int_equal(vfio_wc_maps_check(fd, (void *)0x10000, 0x1000, bar4), -ENOENT);
	fclose(f);
	assert_int_equal(vfio_wc_maps_check(fd, (void *)0x10000, 0x1000, bar4), -EBADF);
}

/* ---- holder ---- */

static pid_t
holder(const char *name)
{
	struct vfio_wc_holder found;
	struct vfio_wc_sysfs pci;

	assert_int_equal(vfio_wc_sysfs_read(FAKE_BDF, &pci), 0);
	vfio_wc_find_holder(&pci, 0, &found);
	assert_string_equal(found.name, name);
	return found.pid;
}

static void
holders_are_found(void **state)
{
	(void)state;
	fake_virtio();
	fake_file("/dev/vfio/12", "");
	fake_file("/proc/version", "Linux");
	fake_link("/proc/self/fd/3", "/dev/vfio/12");
	fake_file("/proc/41/comm", "other\n");
	fake_link("/proc/41/fd/3", "/dev/vfio/13");
	fake_link("/proc/41/fd/4", "anon_inode:[vfio-device]");
	fake_file("/proc/41/fdinfo/4", "pos:\t0\n");
	fake_file("/proc/42/comm", "testpmd\n");
	fake_link("/proc/42/fd/0", "/dev/null");
	assert_int_equal(holder(""), 0);

	/* through the group, seen or not; one that has no IOMMU */
	fake_link("/proc/42/fd/7", "/dev/vfio/12");
	assert_int_equal(holder("testpmd"), 42);
	fake_remove("/dev/vfio/12");
	assert_int_equal(holder("testpmd"), 42);
	fake_file("/dev/vfio/noiommu-12", "");
	assert_int_equal(holder(""), 0);
	fake_link("/proc/42/fd/7", "/dev/vfio/noiommu-12");
	assert_int_equal(holder("testpmd"), 42);
	fake_remove("/dev/vfio/noiommu-12");

	/* through the character device, with groups in the kernel or without */
	fake_link("/proc/42/fd/7", "/dev/vfio/devices/vfio3");
	assert_int_equal(holder("testpmd"), 42);
	fake_remove(FAKE_SYSFS "/iommu_group");
	assert_int_equal(holder("testpmd"), 42);
	fake_link("/proc/42/fd/7", "/dev/vfio/devices/vfio4");
	assert_int_equal(holder(""), 0);

	/* by an fd that it was given */
	fake_link("/proc/42/fd/7", "anon_inode:[vfio-device]");
	fake_file("/proc/42/fdinfo/7", "pos:\t0\n"
		"vfio-device-syspath: /sys/devices/pci0000:00/0000:00:04.0\n");
	assert_int_equal(holder(""), 0);
	fake_file("/proc/42/fdinfo/7", "pos:\t0\n"
		"vfio-device-syspath: /sys/devices/pci0000:00/0000:00:03.0\n");
	assert_int_equal(holder("testpmd"), 42);
	fake_file("/proc/42/comm", "p\xc3\xa9\033[2J\n");
	assert_int_equal(holder("p???[2J"), 42);
	fake_remove("/proc/42");
}

/* A process in a root directory of its own, and a look from where the node is not. */
static void
holders_elsewhere_are_found(void **state)
{
	(void)state;
	fake_virtio();
	fake_file("/dev/vfio/12", "");
	fake_file("/proc/42/comm", "testpmd\n");
	fake_link("/proc/42/fd/7", "/srv/root/dev/vfio/12");
	assert_int_equal(holder("testpmd"), 42);
	fake_link("/proc/42/fd/7", "/srv/root/dev/vfio/devices/vfio3");
	assert_int_equal(holder("testpmd"), 42);
	fake_link("/proc/42/fd/7", "12");
	assert_int_equal(holder(""), 0);
	fake_remove("/dev/vfio/12");
	fake_link("/proc/42/fd/7", "/dev/vfio/noiommu-12");
	assert_int_equal(holder("testpmd"), 42);
	fake_link("/proc/42/fd/7", "/dev/vfio/noiommu-2");
	assert_int_equal(holder(""), 0);
}

static void
several_holders_are_found(void **state)
{
	static const pid_t pids[] = { 9, 42, 1041, 0 };
	struct vfio_wc_holder found = { 0 };
	struct vfio_wc_sysfs pci;
	size_t i;

	(void)state;
	fake_virtio();
	fake_link("/proc/1041/fd/3", "/dev/vfio/12");
	fake_link("/proc/42/fd/3", "/dev/vfio/12");
	fake_link("/proc/43/fd/3", "/dev/vfio/13");
	fake_link("/proc/9/fd/3", "/dev/vfio/12");
	assert_int_equal(vfio_wc_sysfs_read(FAKE_BDF, &pci), 0);
	for (i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
		vfio_wc_find_holder(&pci, found.pid, &found);
		assert_int_equal(found.pid, pids[i]);
	}
}

static void
mappers_through_sysfs_are_found(void **state)
{
	struct vfio_wc_holder found[PCI_STD_NUM_BARS];
	struct vfio_wc_sysfs pci;

	(void)state;
	fake_virtio();
	assert_int_equal(vfio_wc_sysfs_read(FAKE_BDF, &pci), 0);
	vfio_wc_find_mappers(&pci, found);
	assert_int_equal(found[4].pid, 0);

	fake_file("/proc/42/comm", "pcimem\n");
	fake_file("/proc/42/maps",
		"7f3a00000000-7f3a00004000 rw-s 00000000 00:16 72 "
		"/sys/devices/pci0000:00/0000:00:03.0/resource4_wc\n"
		"7f3a10000000-7f3a10001000 rw-s 00000000 00:16 73                         "
		"/host/sys/devices/pci0000:00/0000:00:03.0/resource1\n");
	/* another device's, one behind it, one in another domain; other files */
	fake_file("/proc/43/comm", "other\n");
	fake_file("/proc/43/maps",
		"7f3a00000000-7f3a00004000 rw-s 00000000 00:16 72 "
		"/sys/devices/pci0000:00/0000:00:04.0/resource0\n"
		"7f3a00000000-7f3a00004000 rw-s 00000000 00:16 72 "
		"/sys/devices/pci0000:00/0000:00:03.0/0000:01:00.0/resource0\n"
		"7f3a00000000-7f3a00004000 rw-s 00000000 00:16 72 "
		"/sys/devices/pci0000:00/10000:00:03.0/resource0\n"
		"7f3a00000000-7f3a00004000 rw-s 00000000 00:16 72 "
		"/sys/devices/pci0000:00/0000:00:03.0/resource2_wc_of_old\n"
		"7f3a00000000-7f3a00004000 rw-s 00000000 00:16 72 "
		"/sys/devices/pci0000:00/0000:00:03.0/resource\n");
	vfio_wc_find_mappers(&pci, found);
	assert_int_equal(found[4].pid, 42);
	assert_string_equal(found[4].name, "pcimem");
	assert_int_equal(found[1].pid, 42);
	assert_int_equal(found[0].pid, 0);
	assert_int_equal(found[2].pid, 0);
}

/* ---- device of an fd ---- */

static void
files_that_are_a_device_and_others(void **state)
{
	char address[VFIO_WC_BDF_LEN];
	/* not the fake's: a character device, 1:3 */
	const int null = open("//dev/null", O_RDWR), memory = memfd_create("a file", 0);
	int ends[2];

	(void)state;
	assert_true(null >= 0 && memory >= 0 && pipe(ends) == 0);
	assert_false(vfio_wc_is_device(memory));
	assert_false(vfio_wc_is_device(ends[0]));
	assert_false(vfio_wc_is_device(-1));
	/* where there is no sysfs to say that it is none, it says so itself */
	assert_false(vfio_wc_is_device(null));
	fake_link("/sys/dev/char/1:3", "../../devices/virtual/mem/null");
	assert_false(vfio_wc_is_device(null));
	/* VFIO's: what it is stands in its path */
	fake_link("/sys/dev/char/1:3",
		"../../devices/pci0000:00/0000:00:02.0/0000:0a:00.1/vfio-dev/vfio3");
	assert_true(vfio_wc_is_device(null));
	assert_true(vfio_wc_address(null, address));
	assert_string_equal(address, "0000:0a:00.1");
	assert_false(vfio_wc_address(memory, address));
	close(null);
	close(memory);
	close(ends[0]);
	close(ends[1]);
}

static void
devices_that_look_alike(void **state)
{
	char address[2][VFIO_WC_BDF_LEN] = { "" };
	struct vfio_wc_sysfs self;

	(void)state;
	fake_virtio();
	assert_int_equal(vfio_wc_sysfs_read(FAKE_BDF, &self), 0);
	assert_int_equal(vfio_wc_lookalikes(&self, address, 2), 1);
	assert_string_equal(address[0], FAKE_BDF);
	/* its registers say nothing of where it is; another one has other BARs, or no vfio */
	self.bar[4].start = self.bar[1].start = self.bar[0].start = 0;
	assert_int_equal(vfio_wc_lookalikes(&self, address, 2), 1);
	self.bar[4].size *= 2;
	assert_int_equal(vfio_wc_lookalikes(&self, address, 2), 0);
	self.bar[4].size /= 2;
	fake_link(FAKE_SYSFS "/driver", "../../../bus/pci/drivers/virtio-pci");
	assert_int_equal(vfio_wc_lookalikes(&self, address, 2), 0);
	/* more than there is room for are counted */
	fake_virtio();
	assert_int_equal(vfio_wc_lookalikes(&self, NULL, 0), 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fake_root_make, fake_root_remove)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_in_every_spelling),
		T(sysfs_is_read),
		T(what_sysfs_does_not_have),
		T(capabilities_are_found),
		T(the_msix_table_is_found),
		cmocka_unit_test(ranges_are_checked),
		T(maps_of_vfio_devices_are_read),
		T(mappings_are_checked),
		T(holders_are_found),
		T(holders_elsewhere_are_found),
		T(several_holders_are_found),
		T(mappers_through_sysfs_are_found),
		T(files_that_are_a_device_and_others),
		T(devices_that_look_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
