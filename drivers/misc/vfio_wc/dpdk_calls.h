/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef DPDK_CALLS_H
#define DPDK_CALLS_H

/* A call of ethdev whose prototype is not the same in all releases. */

#include <stddef.h>
#include <stdint.h>

#include <rte_ethdev.h>

typedef int (*dpdk_port_name_2211)(uint16_t port, char *name);
typedef int (*dpdk_port_name_2611)(uint16_t port, char *name, size_t size);

static inline int
dpdk_port_name_by_2211(dpdk_port_name_2211 call, uint16_t port, char *name)
{
	return call(port, name);
}

static inline int
dpdk_port_name_by_2611(dpdk_port_name_2611 call, uint16_t port, char *name)
{
	return call(port, name, RTE_ETH_NAME_MAX_LEN);
}

/*
 * rte_eth_dev_get_name_by_port(), or a pointer to it, of whichever release: 26.11 gets the size of
 * the buffer as a third argument (DPDK's deprecation notices). name has RTE_ETH_NAME_MAX_LEN bytes.
 */
#define dpdk_port_name(call, port, name) _Generic((call), \
	dpdk_port_name_2211: dpdk_port_name_by_2211, \
	dpdk_port_name_2611: dpdk_port_name_by_2611)(call, port, name)

#endif /* DPDK_CALLS_H */
