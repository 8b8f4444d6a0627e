/* SPDX-License-Identifier: BSD-3-Clause */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* rte_intr_dev_fd_get() is exported, and internal; the device iterator is experimental. */
#define ALLOW_INTERNAL_API
#define ALLOW_EXPERIMENTAL_API

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_interrupts.h>
#include <rte_pci.h>
#include <rte_version.h>

#include "dpdk_abi.h"
#include "dpdk_layout.h"
#include "vfio_wc_log.h"

struct rte_vdev_device;
struct rte_vdev_driver;

/* The layout of the DPDK that runs; NULL until it is known to be one that was checked. */
static const struct dpdk_layout *layout;

#define MEMBER(name, type, structure, member, in_2211, in_2607) \
	typedef __typeof__(type) type_of_ ## name;
#define SIZE(name, structure, in_2211, in_2607)
#define FUNCTION(name, type) __typeof__(type) name;
DPDK_LAYOUT(MEMBER, SIZE, FUNCTION)

/* The member of that name, of dpdk_layout.h, in the structure at base. */
#define AT(base, name) ((type_of_ ## name *)RTE_PTR_ADD(base, layout->name))

static_assert(sizeof(type_of_pci_resources) ==
	RTE_VFIO_WC_BARS * sizeof(struct rte_mem_resource), "BARs of a PCI device");

static char untrusted[128];	/* "": the patch level was checked, too */

static int (*on_probe)(struct rte_device *dev);
static int (*on_remove)(struct rte_device *dev);

static int
probe_vdev(struct rte_vdev_device *vdev)
{
	return on_probe(AT(vdev, vdev_device));
}

static int
remove_vdev(struct rte_vdev_device *vdev)
{
	return on_remove(AT(vdev, vdev_device));
}

/* The .11 release of a year opens the ABI of the next, .03 and .07 follow it. */
static int
abi_of(int year, int month)
{
	return month == 11 ? year + 1 : year;
}

int
dpdk_abi_register_vdev(const char *name, int (*probe)(struct rte_device *dev),
		int (*remove)(struct rte_device *dev))
{
	const struct dpdk_release *first = &dpdk_releases[0], *last = first + DPDK_RELEASES - 1;
	const char *version = strchr(rte_version(), ' ');	/* "DPDK 24.11.4" */
	const struct dpdk_release *release;
	struct rte_vdev_driver *driver;
	bool checked;

	release = dpdk_release_of(version != NULL ? version : "", &checked);
	if (release == NULL) {
		LOG(ERR, "\"%s\" is not a DPDK whose private structures were checked (releases "
			"from %d.%02d to %d.%02d were): the driver stays away, EAL does not start "
			"with a --vdev=%s...", rte_version(), first->year, first->month,
			last->year, last->month, name);
		return -ENOTSUP;
	}
	untrusted[0] = '\0';
	if (!checked)
		snprintf(untrusted, sizeof(untrusted), "the private structures of \"%s\" were not "
			"checked (of %d.%02d, patch levels up to %d were)", rte_version(),
			release->year, release->month, release->patch);
	/* no version of a symbol says so: the shared object names no library (dpdk_calls.c) */
	else if (abi_of(release->year, release->month) != abi_of(RTE_VER_YEAR, RTE_VER_MONTH))
		snprintf(untrusted, sizeof(untrusted), "the plugin was built for DPDK's ABI %d, "
			"\"%s\" has ABI %d", abi_of(RTE_VER_YEAR, RTE_VER_MONTH), rte_version(),
			abi_of(release->year, release->month));
	layout = release->layout;
	/* EAL's, for good; twice the size, should a patch level have given it more members */
	driver = calloc(2, layout->vdev_driver);
	if (driver == NULL)
		return -ENOMEM;
	*AT(driver, vdev_name) = name;
	*AT(driver, vdev_probe) = probe_vdev;
	*AT(driver, vdev_remove) = remove_vdev;
	on_probe = probe;
	on_remove = remove;
	rte_vdev_register(driver);
	return 0;
}

const char *
dpdk_abi_untrusted(void)
{
	return untrusted[0] != '\0' ? untrusted : NULL;
}

static bool
copy_pci(struct rte_device *dev, struct dpdk_pci *out)
{
	const void *pci = RTE_PTR_SUB(dev, layout->pci_device);
	const struct rte_mem_resource *bars = *AT(pci, pci_resources);
	const struct rte_intr_handle *intr_handle = *AT(pci, pci_intr_handle);
	const struct rte_pci_addr *addr = AT(pci, pci_addr);
	char name[VFIO_WC_BDF_LEN];
	unsigned int i;

	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), PCI_PRI_FMT, addr->domain, addr->bus, addr->devid,
		addr->function);
	/*
	 * Name and address say the same in different places: a layout that is not the expected
	 * one does not survive this, before any pointer in it is followed.
	 */
	if (vfio_wc_bdf(rte_dev_name(dev), name) != 0 || strcmp(name, out->name) != 0)
		return false;

	out->vendor = AT(pci, pci_id)->vendor_id;
	out->device = AT(pci, pci_id)->device_id;
	for (i = 0; i < RTE_VFIO_WC_BARS; i++) {
		out->bar[i].start = bars[i].phys_addr;
		out->bar[i].size = bars[i].len;
		out->bar[i].addr = bars[i].addr;
	}
	/* allocated by the PCI bus when a driver probes the device */
	out->fd = intr_handle == NULL ? -1 : rte_intr_dev_fd_get(intr_handle);
	return true;
}

void
dpdk_abi_foreach_pci(bool (*visit)(struct rte_device *dev, const struct dpdk_pci *pci, void *arg),
		void *arg)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;
	struct dpdk_pci pci;

	if (dpdk_abi_untrusted() != NULL)
		return;
	RTE_DEV_FOREACH(dev, "bus=pci", &it)
		if (copy_pci(dev, &pci) && visit(dev, &pci, arg))
			break;
}
