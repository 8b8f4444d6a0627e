/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_MAPS_H
#define VFIO_WC_MAPS_H

#include <stdint.h>

/*
 * Is [addr, addr + length) mapped from a VFIO device, without a gap, with fd_offset (an offset in
 * a device fd) at addr?
 *
 * Returns 0 when it is, -ENXIO when it is not, another negative errno when /proc/self/maps could
 * not be read.
 */
int vfio_wc_maps_check(const void *addr, uint64_t length, uint64_t fd_offset);

#endif /* VFIO_WC_MAPS_H */
