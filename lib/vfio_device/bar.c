/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

/* An ioctl that other kinds of files do not know: under UIO, EAL's device fd is a /dev/uioN. */
int
vfio_wc_check_fd(int fd, struct vfio_wc_why *why)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	if (ioctl(fd, VFIO_DEVICE_GET_INFO, &info) != 0)
		return because(why, ENODEV, "fd %d is not a VFIO device (%s)", fd, strerror(errno));
	if ((info.flags & VFIO_DEVICE_FLAGS_PCI) == 0)
		return because(why, ENODEV, "fd %d is not a VFIO PCI device", fd);
	return 0;
}

struct vfio_region_info *
vfio_wc_region_info(int fd, unsigned int index)
{
	struct vfio_region_info *info = NULL;
	uint32_t argsz = sizeof(*info);

	/* The kernel says in argsz how much there is: the second round has the room. */
	for (;;) {
		struct vfio_region_info *bigger = realloc(info, argsz);

		if (bigger == NULL)
			break;
		info = bigger;
		memset(info, 0, argsz);
		info->argsz = argsz;
		info->index = index;
		if (ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, info) != 0)
			break;
		if (info->argsz <= argsz)
			return info;
		argsz = info->argsz;
	}
	free(info);
	return NULL;
}

static int
config_read(int fd, uint64_t config, unsigned int offset, void *buf, size_t size)
{
	return pread(fd, buf, size, config + offset) == (ssize_t)size ? 0 : -EIO;
}

int
vfio_wc_match(const struct vfio_wc_sysfs *pci, int fd, struct vfio_wc_why *why)
{
	struct vfio_region_info *info;
	unsigned int bar;
	char fdinfo[64];
	uint64_t size;
	uint8_t id[4];
	int ret;

	ret = vfio_wc_check_fd(fd, why);
	if (ret != 0)
		return ret;
	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		info = vfio_wc_region_info(fd, VFIO_PCI_BAR0_REGION_INDEX + bar);
		if (info == NULL)
			return because(why, errno, "no region information of BAR %u (%s)", bar,
				strerror(errno));
		size = info->size;
		free(info);
		if (size != pci->bar[bar].size)
			return because(why, ENODEV, "fd %d is another device's: BAR %u has 0x%"
				PRIx64 " bytes there, 0x%" PRIx64 " in sysfs", fd, bar, size,
				pci->bar[bar].size);
	}
	info = vfio_wc_region_info(fd, VFIO_PCI_CONFIG_REGION_INDEX);
	ret = info != NULL ? config_read(fd, info->offset, 0, id, sizeof(id)) : -EIO;
	free(info);
	if (ret != 0)
		return because(why, EIO, "configuration space cannot be read");
	if ((id[0] | id[1] << 8) != pci->vendor || (id[2] | id[3] << 8) != pci->device)
		return because(why, ENODEV, "fd %d is another device's: %02x%02x:%02x%02x, "
			"%04x:%04x in sysfs", fd, id[1], id[0], id[3], id[2], pci->vendor,
			pci->device);
	snprintf(fdinfo, sizeof(fdinfo), "/proc/thread-self/fdinfo/%d", fd);
	if (vfio_wc_fdinfo(fdinfo, pci->bdf) == ANOTHER_DEVICE)
		return because(why, ENODEV, "fd %d is another device's, by its fdinfo", fd);
	return 0;
}

/* PCI local bus specification 3.0, section 6.7: a list that starts at 0x34. */
int
vfio_wc_capability(int fd, uint64_t config, uint8_t id, unsigned int n)
{
	uint8_t status[2], pos, cap[2];
	unsigned int left;

	if (config_read(fd, config, PCI_STATUS, status, sizeof(status)) != 0)
		return -EIO;
	if ((status[0] & PCI_STATUS_CAP_LIST) == 0)
		return 0;
	if (config_read(fd, config, PCI_CAPABILITY_LIST, &pos, sizeof(pos)) != 0)
		return -EIO;
	/* 192 bytes of capabilities, four at least each: a longer list has a loop */
	for (left = 192 / 4; left > 0 && pos >= PCI_STD_HEADER_SIZEOF; left--, pos = cap[1]) {
		pos &= ~3;
		if (config_read(fd, config, pos, cap, sizeof(cap)) != 0)
			return -EIO;
		if (cap[0] == id && n-- == 0)
			return pos;
	}
	return 0;
}

/*
 * Section 6.8.2: the table's size less one in the control word, BAR number and offset in the double
 * word after. PCI is little-endian, and so are VFIO's accesses to it.
 */
int
vfio_wc_msix(int fd, uint64_t config, unsigned int bar, struct vfio_wc_limits *limits)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	uint64_t start, end;
	uint32_t table;
	uint8_t cap[8];
	int pos;

	limits->msix_offset = limits->msix_length = 0;
	pos = vfio_wc_capability(fd, config, PCI_CAP_ID_MSIX, 0);
	if (pos <= 0)
		return pos;
	if (config_read(fd, config, pos, cap, sizeof(cap)) != 0)
		return -EIO;
	table = cap[4] | cap[5] << 8 | cap[6] << 16 | (uint32_t)cap[7] << 24;
	if ((table & PCI_MSIX_TABLE_BIR) != bar)
		return 0;
	start = table & PCI_MSIX_TABLE_OFFSET;
	end = start + (((cap[2] | cap[3] << 8) & PCI_MSIX_FLAGS_QSIZE) + 1) *
		(uint64_t)PCI_MSIX_ENTRY_SIZE;
	limits->msix_offset = start & ~(page - 1);
	limits->msix_length = ((end + page - 1) & ~(page - 1)) - limits->msix_offset;
	return 0;
}

int
vfio_wc_check_range(const struct vfio_wc_limits *limits, uint64_t offset, uint64_t length,
		struct vfio_wc_why *why)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	const uint64_t msix_end = limits->msix_offset + limits->msix_length;
	const uint64_t end = offset + length;

	if (limits->size == 0)
		return because(why, ENODEV, "the device has no such BAR");
	if (!limits->memory)
		return because(why, ENODEV,
			"the BAR is I/O ports, only memory has a memory type");
	if (!limits->mappable)
		return because(why, ENODEV, "the kernel does not let this BAR be mapped");
	if (length == 0 && offset < limits->size)
		return because(why, EINVAL, "the range is empty");
	if (offset % page != 0 || length % page != 0)
		return because(why, EINVAL, "offset and length must be multiples of the page size, "
			"0x%" PRIx64, page);
	if (end < offset)
		return because(why, EOVERFLOW, "offset + length wraps");
	if (offset >= limits->size || end > limits->size)
		return because(why, ERANGE, "the range leaves the BAR, which has 0x%" PRIx64
			" bytes", limits->size);
	if (limits->msix_length != 0 && offset < msix_end && limits->msix_offset < end)
		return because(why, EINVAL, "the MSI-X table is in [0x%" PRIx64 ", 0x%" PRIx64
			") and stays uncached", limits->msix_offset, msix_end);
	return 0;
}
