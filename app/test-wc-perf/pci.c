/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pci.h"

/* Flags in sysfs' resource file: include/linux/ioport.h */
#define IORESOURCE_MEM 0x200

static FILE *
open_attribute(const char *sysfs, const char *bdf, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/%s", sysfs, bdf, name);
	return fopen(path, "re");
}

static void
read_driver(const char *sysfs, struct pci_device *dev)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *name;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/driver", sysfs, dev->bdf);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return;
	target[n] = '\0';
	name = strrchr(target, '/');
	snprintf(dev->driver, sizeof(dev->driver), "%.31s", name != NULL ? name + 1 : target);
}

enum wc_status
pci_read(const char *sysfs, const char *bdf, struct pci_device *dev)
{
	uint64_t start, end, flags;
	unsigned int i;
	FILE *f;

	memset(dev, 0, sizeof(*dev));
	dev->node = -1;
	if (strlen(bdf) != PCI_BDF_LEN - 1)
		return fail(WC_USAGE, "device %s: not of the form 0000:00:03.0", bdf);
	strcpy(dev->bdf, bdf);

	f = open_attribute(sysfs, bdf, "resource");
	if (f == NULL)
		return fail(WC_ENVIRONMENT, "device %s: no such PCI device", bdf);
	for (i = 0; i < PCI_BARS; i++) {
		if (fscanf(f, "%" SCNx64 " %" SCNx64 " %" SCNx64, &start, &end, &flags) != 3)
			break;
		if (end <= start)
			continue;
		dev->bar[i].start = start;
		dev->bar[i].len = end - start + 1;
		dev->bar[i].memory = (flags & IORESOURCE_MEM) != 0;
	}
	fclose(f);

	f = open_attribute(sysfs, bdf, "numa_node");
	if (f != NULL) {
		if (fscanf(f, "%d", &dev->node) != 1)
			dev->node = -1;
		fclose(f);
	}
	read_driver(sysfs, dev);
	return WC_OK;
}

enum wc_status
pci_check_range(const struct pci_device *dev, struct bar_range *range)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	const struct pci_bar *bar;

	if (range->bar >= PCI_BARS)
		return fail(WC_USAGE, "device %s: no BAR %u", dev->bdf, range->bar);
	bar = &dev->bar[range->bar];
	if (bar->len == 0 || !bar->memory)
		return fail(WC_ENVIRONMENT, "device %s BAR %u: %s", dev->bdf, range->bar,
			bar->len == 0 ? "not there" : "I/O ports, not memory");
	if (range->offset >= bar->len || range->len > bar->len - range->offset)
		return fail(WC_USAGE, "device %s BAR %u: 0x%" PRIx64 "+0x%" PRIx64
			" is outside its 0x%" PRIx64 " bytes", dev->bdf, range->bar,
			range->offset, range->len, bar->len);
	if (range->len == 0)
		range->len = bar->len - range->offset;
	if ((range->offset | range->len) & (page - 1))
		return fail(WC_USAGE, "device %s BAR %u: 0x%" PRIx64 "+0x%" PRIx64
			" does not start and end at a page", dev->bdf, range->bar,
			range->offset, range->len);
	return WC_OK;
}

/* Configuration space, little-endian: PCI Local Bus 3.0 section 6.7, virtio 1.2 section 4.1.4. */
#define PCI_STATUS 0x06
#define PCI_STATUS_CAP_LIST 0x10
#define PCI_CAPABILITY_LIST 0x34
#define PCI_CAP_ID_VNDR 0x09
#define VIRTIO_PCI_CAP_NOTIFY_CFG 2

static uint32_t
le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

enum wc_status
pci_virtio_notify(const char *sysfs, const struct pci_device *dev, struct bar_range *range)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	uint8_t config[256] = { 0 };
	uint64_t offset, len;
	const uint8_t *cap;
	unsigned int pos, hops;
	FILE *f;

	f = open_attribute(sysfs, dev->bdf, "config");
	if (f != NULL) {
		/* Without privileges only the first 64 bytes: no capabilities found then. */
		if (fread(config, 1, sizeof(config), f) < 64)
			config[PCI_STATUS] = 0;
		fclose(f);
	}
	if ((config[PCI_STATUS] & PCI_STATUS_CAP_LIST) == 0)
		return fail(WC_ENVIRONMENT, "device %s: no PCI capabilities", dev->bdf);
	pos = config[PCI_CAPABILITY_LIST] & ~3u;
	/* 48 capabilities of 4 bytes fit; more hops are a loop. */
	for (hops = 0; pos >= 64 && hops < 48; hops++, pos = cap[1] & ~3u) {
		cap = &config[pos];
		if (cap[0] != PCI_CAP_ID_VNDR || pos + 16 > sizeof(config) ||
				cap[3] != VIRTIO_PCI_CAP_NOTIFY_CFG)
			continue;
		offset = le32(&cap[8]);
		len = le32(&cap[12]);
		range->bar = cap[4];
		range->offset = offset & ~(page - 1);
		range->len = ((offset + len + page - 1) & ~(page - 1)) - range->offset;
		return pci_check_range(dev, range);
	}
	return fail(WC_ENVIRONMENT, "device %s: no virtio notify capability", dev->bdf);
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
			if (value >= PCI_BARS)
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
