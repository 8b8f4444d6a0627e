/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_PCI_H
#define VFIO_WC_PCI_H

/*
 * Devices on EAL's PCI bus, by name: nothing of them is kept.
 */

#include "dpdk_abi.h"

/* NULL: EAL has no such device. What is returned is for EAL's own functions, and soon stale. */
struct rte_device *vfio_wc_pci_find(const char *bdf, struct dpdk_pci *pci);

/*
 * mode=required could not be had: without the device nobody runs uncached unawares. To be called
 * without a lock that an event callback takes, and not from such a callback.
 */
void vfio_wc_pci_remove(const char *bdf);

/* The same from an event callback, when the device is still being probed; under a lock, too. */
void vfio_wc_pci_remove_later(const char *bdf);

/* The same of a device that may be in use and is no port: it stays, which is said. */
void vfio_wc_pci_left(const char *bdf);

#endif /* VFIO_WC_PCI_H */
