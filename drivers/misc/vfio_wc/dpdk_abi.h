/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef DPDK_ABI_H
#define DPDK_ABI_H

/*
 * The one door to what is private in DPDK.
 *
 * A driver outside of DPDK's tree needs the layout of three private structures (a PCI device, and
 * a virtual device with its driver) whose headers distributions do not package. dpdk_layout.h says
 * what they look like in each release that was checked, chosen by rte_version(); nothing else in
 * this driver knows of them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "rte_vfio_wc.h"
#include "vfio_wc_sysfs.h"

struct rte_device;

/* A PCI device as EAL sees it, copied: no pointer into EAL's memory is kept. */
struct dpdk_pci {
	char name[VFIO_WC_BDF_LEN];
	uint16_t vendor;
	uint16_t device;
	int fd;		/* EAL's fd of the device; negative: EAL has none */
	struct {
		uint64_t start;		/* physical */
		uint64_t size;
		void *addr;		/* NULL: never mapped; may be stale after unmapping */
	} bar[RTE_VFIO_WC_BARS];
};

/*
 * Register the driver of virtual devices whose names start with name. To be called from
 * a constructor. Returns 0, or -ENOTSUP (logged) when the DPDK that runs is not of a release that
 * was checked: then nothing has been touched, and EAL refuses virtual devices of that name.
 */
int dpdk_abi_register_vdev(const char *name, int (*probe)(struct rte_device *dev),
		int (*remove)(struct rte_device *dev));

/*
 * NULL, or why this DPDK's PCI devices are not to be read: its release was checked, its patch level
 * was not. Virtual devices can be had there, so that what is optional need not stop anybody.
 */
const char *dpdk_abi_untrusted(void);

/*
 * Call visit for each device on EAL's PCI bus, until it returns true. Devices that do not look like
 * one by the expected layout are passed over, as all are where dpdk_abi_untrusted() has a reason.
 * Not to be used while EAL cleans up.
 */
void dpdk_abi_foreach_pci(bool (*visit)(struct rte_device *dev, const struct dpdk_pci *pci,
		void *arg), void *arg);

#endif /* DPDK_ABI_H */
