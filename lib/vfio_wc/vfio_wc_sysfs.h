/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_SYSFS_H
#define VFIO_WC_SYSFS_H

#include <stdbool.h>
#include <stdint.h>

#include "rte_vfio_wc.h"

/* "dddd:bb:dd.f" and the final zero; domains can have more than four digits (VMD). */
#define VFIO_WC_BDF_LEN 20

struct vfio_wc_sysfs_bar {
	uint64_t start;		/* physical address as the CPU sees it */
	uint64_t size;		/* 0: not populated */
	bool memory;		/* otherwise I/O ports */
	bool prefetchable;
	bool is_64;
};

/* What sysfs says of a PCI device. */
struct vfio_wc_sysfs {
	uint16_t vendor;
	uint16_t device;
	char driver[32];	/* "": none */
	struct vfio_wc_sysfs_bar bar[RTE_VFIO_WC_BARS];
};

/* Returns 0, -ENODEV when there is no such device, or another negative errno. */
int vfio_wc_sysfs_read(const char *bdf, struct vfio_wc_sysfs *out);

/*
 * Is fd, a number that somebody else gave, the VFIO fd of this device? Compares IDs, BAR sizes, and
 * where the kernel tells it (Linux 6.18), the device's path. Two cards of one kind cannot be told
 * apart without the last.
 *
 * Returns 0, -ENODEV when it is not (or not a VFIO PCI device at all), or another negative errno.
 */
int vfio_wc_sysfs_match(const char *bdf, const struct vfio_wc_sysfs *pci, int fd,
		struct rte_vfio_wc_error *error);

#endif /* VFIO_WC_SYSFS_H */
