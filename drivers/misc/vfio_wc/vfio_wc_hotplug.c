/* SPDX-License-Identifier: BSD-3-Clause */

#include <rte_alarm.h>
#include <rte_common.h>
#include <rte_ethdev.h>

#include "dpdk_calls.h"
#include "vfio_wc_hotplug.h"
#include "vfio_wc_request.h"

/* The BARs are mapped already, the port is not usable yet. */
static int
port_new(uint16_t port __rte_unused, enum rte_eth_event_type event __rte_unused,
		void *arg __rte_unused, void *ret_param __rte_unused)
{
	vfio_wc_request_apply_all();
	return 0;
}

/*
 * The port goes, and with it, sooner or later (PMDs differ), the mapping: the kernel gives the type
 * back by itself. Its driver must not be asked anything any more; the name is enough.
 */
static int
port_destroy(uint16_t port, enum rte_eth_event_type event __rte_unused, void *arg __rte_unused,
		void *ret_param __rte_unused)
{
	char name[RTE_ETH_NAME_MAX_LEN];

	if (dpdk_port_name(rte_eth_dev_get_name_by_port, port, name) == 0)
		vfio_wc_request_port_gone(name);
	return 0;
}

/*
 * Devices that are no ports (crypto, raw, SPDK's NVMe) have no event that an unmodified program
 * would have EAL tell: what the process has mapped is looked at.
 */
#define LOOK_US 1000000

static void
look(void *arg __rte_unused)
{
	vfio_wc_request_look();
	rte_eal_alarm_set(LOOK_US, look, NULL);
}

void
vfio_wc_hotplug_watch(bool on)
{
	int (*call)(uint16_t port, enum rte_eth_event_type event, rte_eth_dev_cb_fn cb, void *arg) =
		on ? rte_eth_dev_callback_register : rte_eth_dev_callback_unregister;

	call(RTE_ETH_ALL, RTE_ETH_EVENT_NEW, port_new, NULL);
	call(RTE_ETH_ALL, RTE_ETH_EVENT_DESTROY, port_destroy, NULL);
	rte_eal_alarm_cancel(look, NULL);
	if (on)
		rte_eal_alarm_set(LOOK_US, look, NULL);
}
