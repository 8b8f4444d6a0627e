/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_PCI_H
#define WC_PERF_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"

#define PCI_BDF_LEN 13	/* "0000:00:03.0" and the end */
#define PCI_BARS 6

struct pci_bar {
	uint64_t start;
	uint64_t len;		/* 0: no such BAR */
	bool memory;
};

/* What sysfs says of a PCI function. */
struct pci_device {
	char bdf[PCI_BDF_LEN];
	char driver[32];	/* kernel driver, empty: none */
	int node;		/* NUMA node, -1: the platform does not say */
	struct pci_bar bar[PCI_BARS];
};

/* Part of a BAR: what is to be write-combining. */
struct bar_range {
	unsigned int bar;
	uint64_t offset;
	uint64_t len;		/* 0: to the BAR's end (before pci_check_range()) */
};

/* Read device bdf under sysfs ("/sys", or a test's copy). */
enum wc_status
pci_read(const char *sysfs, const char *bdf, struct pci_device *dev);

/* Is the range one that can be mapped? Completes len. */
enum wc_status
pci_check_range(const struct pci_device *dev, struct bar_range *range);

/* The page that virtio's notify capability names (virtio 1.2, section 4.1.4.4). */
enum wc_status
pci_virtio_notify(const char *sysfs, const struct pci_device *dev, struct bar_range *range);

/* "bar=4,offset=0x3000,len=0x1000" to a range; -1: it is none. */
int
pci_parse_range(const char *text, struct bar_range *range);

#endif
