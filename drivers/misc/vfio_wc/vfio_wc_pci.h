/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_PCI_H
#define VFIO_WC_PCI_H

/*
 * Devices on EAL's PCI bus, by name: nothing of them is kept.
 */

#include "dpdk_abi.h"

/* NULL: EAL has no such device. What is returned is for EAL's own functions, and soon stale. */
struct rte_device *vfio_wc_pci_find(const char *bdf, struct dpdk_pci *pci);

/* What becomes of mode=required where EAL cannot remove the device. */
enum vfio_wc_pci_otherwise {
	VFIO_WC_PCI_ENDS,	/* EAL starts: the program ends, before anybody uses the device */
	VFIO_WC_PCI_STAYS,	/* the request is refused, as its maker sees */
	VFIO_WC_PCI_CLOSES,	/* the request is in force: as vfio_wc_pci_close() */
};

/*
 * mode=required could not be had: without the device nobody runs uncached unawares. To be called
 * without a lock that an event callback takes, and not from such a callback.
 */
void vfio_wc_pci_remove(const char *bdf, enum vfio_wc_pci_otherwise otherwise);

/*
 * The same from an event callback, when the device is still being probed; under a lock, too. One
 * that cannot be removed is closed.
 */
void vfio_wc_pci_remove_later(const char *bdf);

/*
 * The same of a device that may be in use, and cannot be taken from under its user: its BARs become
 * inaccessible in this process, so that the next access ends it (SIGSEGV). Where not even that can
 * be had, the program ends here. Takes no lock.
 */
void vfio_wc_pci_close(const char *bdf);

#endif /* VFIO_WC_PCI_H */
