/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

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
vfio_wc_pci_remove(const char *bdf)
{
	struct dpdk_pci pci;
	struct rte_device *dev = vfio_wc_pci_find(bdf, &pci);

	if (dev == NULL || pci.fd < 0)
		return;
	/* from a secondary process this would take the device from all of them */
	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		LOG(ERR, "%s: a secondary process goes on with its plain mapping", bdf);
	else if (in_use(dev))
		LOG(ERR, "%s: is in use already and goes on with its plain mapping", bdf);
	else if (rte_dev_remove(dev) == 0)
		LOG(ERR, "%s: removed, since mode=required cannot be met", bdf);
	else
		LOG(ERR, "%s: mode=required cannot be met, and the device cannot be removed", bdf);
}

static void
remove_alarm(void *bdf)
{
	vfio_wc_pci_remove(bdf);
	free(bdf);
}

void
vfio_wc_pci_remove_later(const char *bdf)
{
	char *copy = strdup(bdf);

	if (copy == NULL || rte_eal_alarm_set(1, remove_alarm, copy) != 0) {
		LOG(ERR, "%s: mode=required cannot be met, and the device cannot be removed", bdf);
		free(copy);
	}
}

void
vfio_wc_pci_left(const char *bdf)
{
	LOG(ERR, "%s: mode=required cannot be met; it came late, may be in use, and goes on with "
		"its plain mapping", bdf);
}
