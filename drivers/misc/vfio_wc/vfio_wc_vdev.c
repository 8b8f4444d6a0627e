/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * An EAL plugin that changes the memory type of BAR ranges under unmodified PMDs.
 *
 *      --vdev=vfio_wc0,...      vfio_wc_vdev.c: scan(), before any device, ends what cannot be;
 *             |                 probe(), after every PCI device: EAL probes the vdev bus last
 *             v
 *      request (all or none)  ---->  vfio_wc_shared.c: memzone, for secondary processes
 *             |  vfio_wc_request.c
 *             v
 *      ranges  WAITING --apply()--> ON      vfio_wc_range.c: rte_vfio_wc_remap() in place
 *                 ^          \----> FAILED  auto: as before; required: vfio_wc_pci.c removes
 *                 |                    |                              the device
 *                 +--- port removed ---+    vfio_wc_hotplug.c: RTE_ETH_EVENT_DESTROY;
 *                      or unmapped          RTE_ETH_EVENT_NEW, or a look, applies again
 *
 * Nothing of EAL is kept: devices are looked up by name each time, and what is trusted is what the
 * kernel says (sysfs, the device fd, /proc/self/maps). On the data path nothing is added.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus_vdev.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_eal.h>

#include "dpdk_abi.h"
#include "vfio_wc_args.h"
#include "vfio_wc_hotplug.h"
#include "vfio_wc_log.h"
#include "vfio_wc_request.h"
#include "vfio_wc_shared.h"

#define NAME "vfio_wc"	/* what the names of its virtual devices start with */

/* What becomes of a request where no device can be read. */
static int
without(const struct vfio_wc_request *args)
{
	if (args->mode == VFIO_WC_REQUIRED) {
		LOG(ERR, "%s: mode=required cannot be met: %s", args->name, dpdk_abi_untrusted());
		return -ENOTSUP;
	}
	if (args->mode != VFIO_WC_OFF)
		LOG(NOTICE, "%s: all stays as it is: %s", args->name, dpdk_abi_untrusted());
	return 0;
}

/*
 * Of EAL's own arguments, those that it has not probed yet: until then it is not up, and nobody
 * uses a device. A secondary process has the primary's besides: there, until something is attached.
 */
static unsigned int scans, unprobed;

static bool
is_starting(void)
{
	return unprobed > 0 ||
		(rte_eal_process_type() == RTE_PROC_SECONDARY && scans == 1);
}

static int
probe(struct rte_device *dev)
{
	const struct rte_devargs *devargs = rte_dev_devargs(dev);
	const char *name = rte_dev_name(dev);
	const bool starting = is_starting();
	struct rte_vfio_wc_error error;
	struct vfio_wc_request args;
	int ret;

	unprobed -= unprobed > 0;
	if (!vfio_wc_shared_get(name, &args)) {
		ret = vfio_wc_args_parse(name, devargs != NULL && devargs->args != NULL ?
			devargs->args : "", &args, &error);
		if (ret != 0) {
			LOG(ERR, "%s: %s", name, error.text);
			vfio_wc_request_refuse(&args, starting);
			return ret;
		}
	}
	if (dpdk_abi_untrusted() != NULL)
		return without(&args);
	ret = vfio_wc_request_add(&args, starting);
	if (ret != 0)
		return ret;
	ret = vfio_wc_shared_set(name, &args);
	if (ret != 0 && args.mode == VFIO_WC_REQUIRED) {
		vfio_wc_request_remove(name);
		vfio_wc_request_refuse(&args, starting);
		return ret;
	}
	vfio_wc_hotplug_watch(true);
	return 0;
}

static int
vdev_remove(struct rte_device *dev)
{
	const char *name = rte_dev_name(dev);

	if (dpdk_abi_untrusted() != NULL)
		return 0;
	vfio_wc_shared_set(name, NULL);
	if (vfio_wc_request_remove(name))
		vfio_wc_hotplug_watch(false);
	return 0;
}

/*
 * A request that says "required", and not of which device, or where none can be read: probe() could
 * refuse it, but remove nothing, and EAL goes on when a virtual device fails. So its start has to
 * end.
 */
static bool
is_hopeless(const char *name, const char *args)
{
	struct rte_vfio_wc_error error;
	struct vfio_wc_request request;
	const int ret = vfio_wc_args_parse(name, args, &request, &error);

	if (request.mode != VFIO_WC_REQUIRED)
		return false;
	if (dpdk_abi_untrusted() != NULL)
		return without(&request) != 0;
	if (ret == 0 || (request.nb_ranges > 0 && !request.unread))
		return false;
	LOG(ERR, "%s: mode=required cannot be met: %s", name, error.text);
	return true;
}

/*
 * The vdev bus calls this when EAL has read its arguments, wherever they are from, and before any
 * device is probed. exit(), since rte_exit() would clean up an EAL that has half started.
 */
static void
scan(void *arg __rte_unused)
{
	struct rte_devargs *devargs;
	bool hopeless = false;

	/* later scans are for a device that is attached: that call fails, the program goes on */
	if (scans++ > 0)
		return;
	RTE_EAL_DEVARGS_FOREACH("vdev", devargs)
		if (strncmp(devargs->name, NAME, strlen(NAME)) == 0) {
			unprobed++;
			hopeless |= is_hopeless(devargs->name,
				devargs->args != NULL ? devargs->args : "");
		}
	if (hopeless) {
		LOG(ERR, "the program ends, before any device is used");
		exit(EXIT_FAILURE);
	}
}

/*
 * In a release that the driver stays away from, nobody takes the name vfio_wc: EAL cannot parse
 * such a --vdev and refuses to start, whatever its mode, and refuses to attach one later. Nothing
 * more needs to be done for mode=required there. (rte_eal_init(), eal_option_device_parse(),
 * rte_devargs_add(), the parse() of the vdev bus, which asks the drivers. Test: test_start.c)
 */
RTE_INIT(vfio_wc_register)
{
	if (dpdk_abi_register_vdev(NAME, probe, vdev_remove) == 0 &&
			rte_vdev_add_custom_scan(scan, NULL) != 0)
		LOG(ERR, "no memory: what mode=required asks for is not looked at before probing");
}
