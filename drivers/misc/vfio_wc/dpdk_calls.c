/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Calls of DPDK's libraries that a program need not have. For the shared object alone: the archive
 * is linked with the libraries themselves.
 *
 * The shared object names no library of DPDK as needed. In a program with DPDK linked statically
 * each of them would be loaded beside the program's own, and EAL end in a panic at the second of
 * its kind. So what is undefined here is found in the program, or in the libraries that it needs,
 * by the dynamic linker, which asks for all of it at once. That is good for EAL and what EAL itself
 * needs. The vdev bus and ethdev are another matter: a static program was linked with what it uses,
 * and of a shared DPDK they are drivers, or needed by drivers, that EAL loads after this one and
 * for nobody else to see. They get their names here, hidden, and are looked for when called.
 */

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#define ALLOW_EXPERIMENTAL_API

#include <rte_bus_vdev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>

#include "dpdk_calls.h"
#include "dpdk_layout.h"
#include "vfio_wc_log.h"

struct rte_vdev_device;
struct rte_vdev_driver;

#define MEMBER(name, type, structure, member, in_2211, in_2607)
#define SIZE(name, structure, in_2211, in_2607)
#define FUNCTION(name, type) __typeof__(type) name;
DPDK_LAYOUT(MEMBER, SIZE, FUNCTION)

#define EAL_LIBRARY "librte_eal.so"

/*
 * NULL: the program has no such call. Of a shared DPDK, librte_LIBRARY.so is beside EAL, or where
 * the dynamic linker looks; should it be loaded already, this is the same one.
 */
static void *
find(const char *library, const char *call)
{
	void *handle, *found = dlsym(RTLD_DEFAULT, call);
	char path[PATH_MAX];
	const char *name;
	Dl_info eal;
	int n;

	if (found != NULL || dladdr(rte_eal_init, &eal) == 0 ||
			(name = strstr(eal.dli_fname, EAL_LIBRARY)) == NULL)
		return found;
	n = name - eal.dli_fname;
	snprintf(path, sizeof(path), "%.*slibrte_%s.so%s", n, eal.dli_fname, library,
		name + strlen(EAL_LIBRARY));
	handle = dlopen(path, RTLD_NOW);
	if (handle == NULL)
		handle = dlopen(path + n, RTLD_NOW);
	/* never closed: the call may leave something there, as drivers do */
	return handle != NULL ? dlsym(handle, call) : NULL;
}

#define CALL(library, type, name, parameters, arguments, without) \
	type \
	name parameters \
	{ \
		__typeof__(name) *call = find(library, #name); \
		\
		return call != NULL ? call arguments : without; \
	}

CALL("bus_vdev", int, rte_vdev_add_custom_scan, (rte_vdev_scan_callback callback, void *user_arg),
	(callback, user_arg), 0)
CALL("ethdev", int, rte_eth_dev_callback_register,
	(uint16_t port_id, enum rte_eth_event_type event, rte_eth_dev_cb_fn cb_fn, void *cb_arg),
	(port_id, event, cb_fn, cb_arg), -ENOTSUP)
CALL("ethdev", int, rte_eth_dev_callback_unregister,
	(uint16_t port_id, enum rte_eth_event_type event, rte_eth_dev_cb_fn cb_fn, void *cb_arg),
	(port_id, event, cb_fn, cb_arg), -ENOTSUP)
CALL("ethdev", int, rte_eth_dev_info_get, (uint16_t port_id, struct rte_eth_dev_info *dev_info),
	(port_id, dev_info), -ENODEV)
CALL("ethdev", uint64_t, rte_eth_find_next_owned_by, (uint16_t port_id, const uint64_t owner_id),
	(port_id, owner_id), RTE_MAX_ETHPORTS)

/* It has the one name, and one prototype or another. */
int port_name(uint16_t port, char *name) __asm__("rte_eth_dev_get_name_by_port");

int
port_name(uint16_t port, char *name)
{
	__typeof__(rte_eth_dev_get_name_by_port) *call = find("ethdev",
		"rte_eth_dev_get_name_by_port");

	return call != NULL ? dpdk_port_name(call, port, name) : -ENODEV;
}

void
rte_vdev_register(struct rte_vdev_driver *driver)
{
	__typeof__(rte_vdev_register) *call = find("bus_vdev", "rte_vdev_register");

	if (call != NULL)
		call(driver);
	else
		LOG(ERR, "the program has no bus for virtual devices (librte_bus_vdev): EAL does "
			"not start with a --vdev=vfio_wc...");
}
