/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_SYSFS_H
#define VFIO_WC_SYSFS_H

#include "rte_vfio_wc.h"
#include "vfio_device.h"

/* vfio_wc_match() with an error of this library. */
int vfio_wc_sysfs_match(const char *device, const struct vfio_wc_sysfs *pci, int fd,
		struct rte_vfio_wc_error *error);

#endif /* VFIO_WC_SYSFS_H */
