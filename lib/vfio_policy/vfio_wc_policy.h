/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_POLICY_H
#define VFIO_WC_POLICY_H

#include "vfio_wc_sysfs.h"

/*
 * The BARs that the PMD of this device pushes into, from the built-in table.
 * Returns how many (0: the device is not in the table), their numbers in bars.
 */
unsigned int vfio_wc_policy_bars(const struct vfio_wc_sysfs *pci,
		unsigned int bars[RTE_VFIO_WC_BARS]);

#endif /* VFIO_WC_POLICY_H */
