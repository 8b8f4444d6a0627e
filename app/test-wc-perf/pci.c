/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pci.h"

enum wc_status
pci_read(const char *address, struct vfio_wc_sysfs *dev)
{
	const int ret = vfio_wc_sysfs_read(address, dev);

	switch (ret) {
	case 0:
		return WC_OK;
	case -EINVAL:
		return fail(WC_USAGE, "device %s: not a PCI address, such as 0000:00:03.0",
			address);
	case -ENODEV:
		return fail(WC_ENVIRONMENT, "device %s: no such PCI device", address);
	default:
		return fail(WC_ENVIRONMENT, "device %s: sysfs: %s", address,
			strerror(-ret));
	}
}

enum wc_status
pci_check_range(const struct vfio_wc_sysfs *dev, struct bar_range *range)
{
	struct vfio_wc_limits limits = { .mappable = true };
	struct vfio_wc_why why;
	uint64_t len;
	int config, ret;

	if (range->bar >= PCI_STD_NUM_BARS)
		return fail(WC_USAGE, "device %s: no BAR %u", dev->bdf, range->bar);
	limits.size = dev->bar[range->bar].size;
	limits.memory = dev->bar[range->bar].memory;
	/* Without privileges the table is not found: the kernel will say no to it. */
	config = vfio_wc_sysfs_config(dev);
	if (config >= 0) {
		vfio_wc_msix(config, 0, range->bar, &limits);
		close(config);
	}
	len = range->len;
	if (len == 0 && range->offset < limits.size)
		len = limits.size - range->offset;
	ret = vfio_wc_check_range(&limits, range->offset, len, &why);
	if (ret != 0)
		return fail(ret == -ENODEV ? WC_ENVIRONMENT : WC_USAGE,
			"device %s BAR %u 0x%" PRIx64 "+0x%" PRIx64 ": %s", dev->bdf, range->bar,
			range->offset, len, why.text);
	range->len = len;
	return WC_OK;
}

/* virtio 1.2 section 4.1.4, little-endian. */
#define VIRTIO_PCI_CAP_NOTIFY_CFG 2

static uint32_t
le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The notify capability; -1: there is none, or it cannot be seen (without privileges). */
static int
read_notify(const struct vfio_wc_sysfs *dev, uint8_t cap[16])
{
	int config = vfio_wc_sysfs_config(dev), found = -1, pos;
	unsigned int i;

	for (i = 0; config >= 0 && found < 0; i++) {
		pos = vfio_wc_capability(config, 0, PCI_CAP_ID_VNDR, i);
		if (pos <= 0 || pread(config, cap, 16, pos) != 16)
			break;
		if (cap[3] == VIRTIO_PCI_CAP_NOTIFY_CFG)
			found = 0;
	}
	if (config >= 0)
		close(config);
	return found;
}

enum wc_status
pci_virtio_notify(const struct vfio_wc_sysfs *dev, struct bar_range *range)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	uint64_t offset, len;
	uint8_t cap[16];

	if (read_notify(dev, cap) < 0)
		return fail(WC_ENVIRONMENT, "device %s: no virtio notify capability", dev->bdf);
	range->bar = cap[4];
	offset = le32(&cap[8]);
	len = le32(&cap[12]);
	range->offset = offset & ~(page - 1);
	range->len = ((offset + len + page - 1) & ~(page - 1)) - range->offset;
	return pci_check_range(dev, range);
}

int
pci_parse_range(const char *text, struct bar_range *range)
{
	bool have_bar = false;
	uint64_t value;
	char *end;
	size_t key;

	memset(range, 0, sizeof(*range));
	for (;;) {
		key = strcspn(text, "=");
		if (text[key] == '\0')
			return -1;
		errno = 0;
		value = strtoull(&text[key + 1], &end, 0);
		if (errno != 0 || end == &text[key + 1] || text[key + 1] == '-' ||
				(*end != ',' && *end != '\0'))
			return -1;
		if (key == 3 && strncmp(text, "bar", key) == 0) {
			if (value >= PCI_STD_NUM_BARS)
				return -1;
			range->bar = value;
			have_bar = true;
		} else if (key == 6 && strncmp(text, "offset", key) == 0) {
			range->offset = value;
		} else if (key == 3 && strncmp(text, "len", key) == 0) {
			range->len = value;
		} else {
			return -1;
		}
		if (*end == '\0')
			return have_bar ? 0 : -1;
		text = end + 1;
	}
}
