/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "vfio_wc_error.h"
#include "vfio_wc_sysfs.h"

/* Flags of a line of sysfs' "resource": include/linux/ioport.h */
#define IORESOURCE_MEM		0x00000200
#define IORESOURCE_PREFETCH	0x00002000
#define IORESOURCE_MEM_64	0x00100000

static FILE *
open_attribute(const char *bdf, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", bdf, name);
	return fopen(path, "re");
}

static int
read_id(const char *bdf, const char *name, uint16_t *id)
{
	FILE *f = open_attribute(bdf, name);
	int n;

	if (f == NULL)
		return errno == ENOENT ? -ENODEV : -errno;
	n = fscanf(f, "%" SCNx16, id);
	fclose(f);
	return n == 1 ? 0 : -EIO;
}

static void
read_driver(const char *bdf, char *driver, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", bdf);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		n = 0;
	target[n] = '\0';
	snprintf(driver, size, "%s", strrchr(target, '/') != NULL ? strrchr(target, '/') + 1 : "");
}

int
vfio_wc_sysfs_read(const char *bdf, struct vfio_wc_sysfs *out)
{
	unsigned int i;
	FILE *f;
	int ret;

	memset(out, 0, sizeof(*out));
	ret = read_id(bdf, "vendor", &out->vendor);
	if (ret == 0)
		ret = read_id(bdf, "device", &out->device);
	if (ret != 0)
		return ret;
	read_driver(bdf, out->driver, sizeof(out->driver));

	f = open_attribute(bdf, "resource");
	if (f == NULL)
		return -errno;
	/* one line for each BAR: first byte, last byte, flags; all zero where there is none */
	for (i = 0; i < RTE_VFIO_WC_BARS; i++) {
		uint64_t start, last, flags;

		if (fscanf(f, "%" SCNx64 "%" SCNx64 "%" SCNx64, &start, &last, &flags) != 3)
			break;
		if (flags == 0)
			continue;
		out->bar[i].start = start;
		out->bar[i].size = last - start + 1;
		out->bar[i].memory = (flags & IORESOURCE_MEM) != 0;
		out->bar[i].prefetchable = (flags & IORESOURCE_PREFETCH) != 0;
		out->bar[i].is_64 = (flags & IORESOURCE_MEM_64) != 0;
	}
	fclose(f);
	return i == RTE_VFIO_WC_BARS ? 0 : -EIO;
}

/* "vfio-device-syspath: /sys/devices/pci0000:00/0000:00:03.0"; true when it says another device */
static bool
is_another_syspath(const char *bdf, int fd)
{
	static const char key[] = "vfio-device-syspath:";
	bool another = false;
	char path[64], *line = NULL;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while (getline(&line, &size, f) > 0) {
		const char *last;

		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		last = strrchr(line, '/');
		another = last == NULL || strcmp(last + 1, bdf) != 0;
		break;
	}
	free(line);
	fclose(f);
	return another;
}

int
vfio_wc_sysfs_match(const char *bdf, const struct vfio_wc_sysfs *pci, int fd,
		struct rte_vfio_wc_error *error)
{
	struct vfio_region_info config = {
		.argsz = sizeof(config),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	struct rte_vfio_wc_bar_info info;
	unsigned int bar;
	uint8_t id[4];
	int ret;

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++) {
		ret = rte_vfio_wc_bar_info(bdf, fd, bar, &info, error);
		if (ret != 0)
			return ret;
		if (info.size != pci->bar[bar].size)
			return vfio_wc_fail(error, ENODEV, bdf, "fd %d is another device's: BAR %u "
				"has 0x%" PRIx64 " bytes there, 0x%" PRIx64 " in sysfs", fd, bar,
				info.size, pci->bar[bar].size);
	}
	if (ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &config) != 0 ||
			pread(fd, id, sizeof(id), config.offset) != sizeof(id))
		return vfio_wc_fail(error, EIO, bdf, "configuration space cannot be read");
	if ((id[0] | id[1] << 8) != pci->vendor || (id[2] | id[3] << 8) != pci->device)
		return vfio_wc_fail(error, ENODEV, bdf,
			"fd %d is another device's: %02x%02x:%02x%02x, %04x:%04x in sysfs", fd,
			id[1], id[0], id[3], id[2], pci->vendor, pci->device);
	if (is_another_syspath(bdf, fd))
		return vfio_wc_fail(error, ENODEV, bdf,
			"fd %d is another device's, by its fdinfo", fd);
	return 0;
}
