/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_PCI_H
#define WC_PERF_PCI_H

#include <stdint.h>

#include "log.h"
#include "vfio_device.h"

/* Part of a BAR: what is to be write-combining. */
struct bar_range {
	unsigned int bar;
	uint64_t offset;
	uint64_t len;		/* 0: to the BAR's end (before pci_check_range()) */
};

/* What sysfs says of a device; any spelling of its address. */
enum wc_status
pci_read(const char *address, struct vfio_wc_sysfs *dev);

/* Is the range one that can be mapped apart? Completes len. */
enum wc_status
pci_check_range(const struct vfio_wc_sysfs *dev, struct bar_range *range);

/* The page that virtio's notify capability names (virtio 1.2, section 4.1.4.4). */
enum wc_status
pci_virtio_notify(const struct vfio_wc_sysfs *dev, struct bar_range *range);

/* "bar=4,offset=0x3000,len=0x1000" to a range; -1: it is none. */
int
pci_parse_range(const char *text, struct bar_range *range);

#endif
