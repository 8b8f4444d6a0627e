/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_alarm.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>

#include "vfio_wc_log.h"
#include "vfio_wc_pci.h"

struct find {
	const char *bdf;
	struct rte_device *dev;
	struct dpdk_pci *pci;
};

static bool
find_visit(struct rte_device *dev, const struct dpdk_pci *pci, void *arg)
{
	struct find *find = arg;

	if (strcmp(pci->name, find->bdf) != 0)
		return false;
	find->dev = dev;
	*find->pci = *pci;
	return true;
}

struct rte_device *
vfio_wc_pci_find(const char *bdf, struct dpdk_pci *pci)
{
	struct find find = { .bdf = bdf, .pci = pci };

	dpdk_abi_foreach_pci(find_visit, &find);
	return find.dev;
}

/* Has an application configured a port of this device? Then it cannot be taken away any more. */
static bool
in_use(const struct rte_device *dev)
{
	struct rte_eth_dev_info info;
	uint16_t port;

	RTE_ETH_FOREACH_DEV(port)
		if (rte_eth_dev_info_get(port, &info) == 0 && info.device == dev &&
				(info.nb_rx_queues != 0 || info.nb_tx_queues != 0))
			return true;
	return false;
}

void
vfio_wc_pci_remove(const char *bdf, enum vfio_wc_pci_otherwise otherwise)
{
	struct dpdk_pci pci;
	struct rte_device *dev = vfio_wc_pci_find(bdf, &pci);
	const char *why;

	if (dev == NULL || pci.fd < 0)
		return;
	/* from a secondary process this would take the device from all of them */
	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		why = "by a secondary process";
	else if (in_use(dev))
		why = "since it is in use already";
	else if (rte_dev_remove(dev) != 0)
		why = "as EAL says";
	else
		why = NULL;
	if (why == NULL) {
		LOG(ERR, "%s: removed, since mode=required cannot be met", bdf);
		return;
	}
	LOG(ERR, "%s: mode=required cannot be met, and the device cannot be removed, %s: %s", bdf,
		why, otherwise == VFIO_WC_PCI_ENDS ? "the program ends" :
		otherwise == VFIO_WC_PCI_STAYS ? "the request is refused, all stays as it was" :
		"it is closed");
	if (otherwise == VFIO_WC_PCI_ENDS)
		exit(EXIT_FAILURE);
	if (otherwise == VFIO_WC_PCI_CLOSES)
		vfio_wc_pci_close(bdf);
}

static void
remove_alarm(void *bdf)
{
	vfio_wc_pci_remove(bdf, VFIO_WC_PCI_CLOSES);
	free(bdf);
}

void
vfio_wc_pci_remove_later(const char *bdf)
{
	char *copy = strdup(bdf);

	if (copy == NULL || rte_eal_alarm_set(1, remove_alarm, copy) != 0) {
		free(copy);
		vfio_wc_pci_close(bdf);
	}
}

void
vfio_wc_pci_close(const char *bdf)
{
	struct vfio_wc_maps maps;
	struct dpdk_pci pci;
	bool closed = false;
	unsigned int bar;
	size_t i;

	if (vfio_wc_pci_find(bdf, &pci) == NULL || pci.fd < 0)
		return;
	/* of what EAL says, what the kernel says, too */
	if (vfio_wc_maps_read(0, &maps) != 0)
		maps.n = 0;
	for (i = 0; i < maps.n; i++)
		for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++)
			if (maps.v[i].va - (uintptr_t)pci.bar[bar].addr < pci.bar[bar].size)
				closed |= mprotect((void *)(uintptr_t)maps.v[i].va,
					maps.v[i].length, PROT_NONE) == 0;
	free(maps.v);
	LOG(ERR, "%s: mode=required cannot be met, and the device may be in use: %s", bdf, closed ?
		"its BARs are closed, whoever uses them ends with SIGSEGV" :
		"its BARs cannot be closed, the program ends");
	if (!closed)
		abort();
}
