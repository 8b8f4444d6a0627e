/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * An EAL plugin that changes the memory type of BAR ranges under unmodified PMDs.
 *
 *      --vdev=vfio_wc0,...      vfio_wc_vdev.c: probe(), after every PCI device, since EAL
 *             |                 probes the vdev bus last
 *             v
 *      request (all or none)  ---->  vfio_wc_shared.c: memzone, for secondary processes
 *             |  vfio_wc_request.c
 *             v
 *      ranges  WAITING --apply()--> ON      vfio_wc_range.c: rte_vfio_wc_remap() in place
 *                 ^          \----> FAILED  auto: as before; required: vfio_wc_pci.c removes
 *                 |                    |                              the device
 *                 +--- port removed ---+    vfio_wc_hotplug.c: RTE_ETH_EVENT_DESTROY;
 *                                           RTE_ETH_EVENT_NEW applies again
 *
 * Nothing of EAL is kept: devices are looked up by name each time, and what is trusted is what the
 * kernel says (sysfs, the device fd, /proc/self/maps). On the data path nothing is added.
 */

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>

#include "dpdk_abi.h"
#include "vfio_wc_args.h"
#include "vfio_wc_hotplug.h"
#include "vfio_wc_log.h"
#include "vfio_wc_request.h"
#include "vfio_wc_shared.h"

static int
probe(struct rte_device *dev)
{
	const struct rte_devargs *devargs = rte_dev_devargs(dev);
	const char *name = rte_dev_name(dev);
	struct rte_vfio_wc_error error;
	struct vfio_wc_request args;
	int ret;

	if (!vfio_wc_shared_get(name, &args)) {
		ret = vfio_wc_args_parse(name, devargs != NULL && devargs->args != NULL ?
			devargs->args : "", &args, &error);
		if (ret != 0) {
			LOG(ERR, "%s: %s", name, error.text);
			vfio_wc_request_refuse(&args);
			return ret;
		}
	}
	ret = vfio_wc_request_add(&args);
	if (ret != 0)
		return ret;
	vfio_wc_shared_set(name, &args);
	vfio_wc_hotplug_watch(true);
	return 0;
}

static int
vdev_remove(struct rte_device *dev)
{
	const char *name = rte_dev_name(dev);

	vfio_wc_shared_set(name, NULL);
	if (vfio_wc_request_remove(name))
		vfio_wc_hotplug_watch(false);
	return 0;
}

RTE_INIT(vfio_wc_register)
{
	dpdk_abi_register_vdev("vfio_wc", probe, vdev_remove);
}
