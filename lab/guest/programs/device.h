/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef GUEST_DEVICE_H
#define GUEST_DEVICE_H

#include "vfio_device.h"

/* Read what sysfs says of a device and open it. -1: says why on stderr. */
int
device_open(const char *address, struct vfio_wc_sysfs *pci, struct vfio_wc_opened *opened);

#endif
