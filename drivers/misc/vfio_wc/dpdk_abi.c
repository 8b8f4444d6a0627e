/* SPDX-License-Identifier: BSD-3-Clause */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
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
#include "vfio_wc_log.h"

static_assert(PCI_MAX_RESOURCE == RTE_VFIO_WC_BARS, "BARs of a PCI device");

/*
 * struct rte_device: lib/eal/include/dev_driver.h.
 * The same from 22.11 (which made it private) to 26.07; only its size matters here, the members
 * have public accessors.
 */
struct abi_device {
	void *next[2];
	const char *name;
	const char *bus_info;
	const void *driver;
	const void *bus;
	int numa_node;
	void *devargs;
};

/*
 * struct rte_pci_device: drivers/bus/pci/bus_pci_driver.h.
 * A list entry stands before the struct rte_device until 26.03; from that on, as far as
 * intr_handle, it is the same from 22.11 to 26.07. So it is counted from the struct rte_device.
 */
struct abi_pci_device {
	struct abi_device device;
	struct rte_pci_addr addr;
	struct rte_pci_id id;
	struct rte_mem_resource mem_resource[PCI_MAX_RESOURCE];
	struct rte_intr_handle *intr_handle;
};

/*
 * struct rte_vdev_driver: drivers/bus/vdev/bus_vdev_driver.h, with struct rte_driver inside.
 * Until 26.03 it and its device start with a list entry of their own; 26.07 uses the one in the
 * common structures, and gave the common driver a bus.
 */
struct abi_vdev_ops {
	int (*probe)(void *vdev);
	int (*remove)(void *vdev);
	void *dma_map;
	void *dma_unmap;
	uint32_t drv_flags;
};

struct abi_vdev_driver_2211 {
	void *next[2];
	struct {
		void *next[2];
		const char *name;
		const char *alias;
	} driver;
	struct abi_vdev_ops ops;
};

struct abi_vdev_driver_2607 {
	struct {
		void *next[2];
		const char *name;
		const char *alias;
		const void *bus;
	} driver;
	struct abi_vdev_ops ops;
};

#ifdef RTE_ARCH_64
static_assert(sizeof(struct abi_device) == 64, "struct rte_device");
static_assert(offsetof(struct abi_pci_device, addr) == 64, "struct rte_pci_device");
static_assert(offsetof(struct abi_pci_device, id) == 72, "struct rte_pci_device");
static_assert(offsetof(struct abi_pci_device, mem_resource) == 88, "struct rte_pci_device");
static_assert(offsetof(struct abi_pci_device, intr_handle) == 232, "struct rte_pci_device");
static_assert(offsetof(struct abi_vdev_driver_2211, ops) == 48, "struct rte_vdev_driver");
static_assert(sizeof(struct abi_vdev_driver_2211) == 88, "struct rte_vdev_driver");
static_assert(offsetof(struct abi_vdev_driver_2607, ops) == 40, "struct rte_vdev_driver");
static_assert(sizeof(struct abi_vdev_driver_2607) == 80, "struct rte_vdev_driver");
#endif

/* Exported by librte_bus_vdev; declared in a header that is not packaged. */
void rte_vdev_register(void *driver);

static int (*vdev_probe)(struct rte_device *dev);
static int (*vdev_remove)(struct rte_device *dev);

static struct rte_device *
device_2211(void *vdev)
{
	return RTE_PTR_ADD(vdev, 2 * sizeof(void *));	/* its list entry */
}

static int
probe_2211(void *vdev)
{
	return vdev_probe(device_2211(vdev));
}

static int
remove_2211(void *vdev)
{
	return vdev_remove(device_2211(vdev));
}

static void
register_2211(const char *name)
{
	static struct abi_vdev_driver_2211 driver = {
		.ops = { .probe = probe_2211, .remove = remove_2211 },
	};

	driver.driver.name = name;
	rte_vdev_register(&driver);
}

static int
probe_2607(void *vdev)
{
	return vdev_probe(vdev);
}

static int
remove_2607(void *vdev)
{
	return vdev_remove(vdev);
}

static void
register_2607(const char *name)
{
	static struct abi_vdev_driver_2607 driver = {
		.ops = { .probe = probe_2607, .remove = remove_2607 },
	};

	driver.driver.name = name;
	rte_vdev_register(&driver);
}

/*
 * Checked by reading the headers of each release named, and by running 22.11 and 24.11.
 * The shared object itself links against one ABI's libraries; this table is what catches an update
 * of DPDK within an ABI, a static build, and a release that nobody has looked at.
 */
static const struct abi {
	int first, last;	/* year * 100 + month of the releases, inclusive */
	void (*register_vdev)(const char *name);
} abis[] = {
	{ 2211, 2603, register_2211 },
	{ 2607, 2607, register_2607 },
};

static const struct abi *
find_abi(void)
{
	unsigned int i;
	int year, month;

	/* "DPDK 24.11.4" */
	if (sscanf(rte_version(), "%*s %d.%d", &year, &month) != 2)
		return NULL;
	for (i = 0; i < RTE_DIM(abis); i++)
		if (abis[i].first <= year * 100 + month && year * 100 + month <= abis[i].last)
			return &abis[i];
	return NULL;
}

int
dpdk_abi_register_vdev(const char *name, int (*probe)(struct rte_device *dev),
		int (*remove)(struct rte_device *dev))
{
	const struct abi *abi = find_abi();

	if (abi == NULL) {
		LOG(ERR, "\"%s\" is not a DPDK whose private structures were checked "
			"(22.11 to 26.07 are); the driver stays away", rte_version());
		return -ENOTSUP;
	}
	vdev_probe = probe;
	vdev_remove = remove;
	abi->register_vdev(name);
	return 0;
}

static bool
copy_pci(const struct rte_device *dev, struct dpdk_pci *out)
{
	const struct abi_pci_device *pci = (const void *)dev;
	struct rte_pci_addr addr;
	unsigned int i;

	memset(out, 0, sizeof(*out));
	/*
	 * Name and address say the same in different places: a layout that is not the expected
	 * one does not survive this, before any pointer in it is followed.
	 */
	if (rte_pci_addr_parse(rte_dev_name(dev), &addr) != 0 ||
			rte_pci_addr_cmp(&addr, &pci->addr) != 0)
		return false;

	snprintf(out->name, sizeof(out->name), PCI_PRI_FMT, addr.domain, addr.bus, addr.devid,
		addr.function);
	out->vendor = pci->id.vendor_id;
	out->device = pci->id.device_id;
	for (i = 0; i < RTE_VFIO_WC_BARS; i++) {
		out->bar[i].start = pci->mem_resource[i].phys_addr;
		out->bar[i].size = pci->mem_resource[i].len;
		out->bar[i].addr = pci->mem_resource[i].addr;
	}
	/* allocated by the PCI bus when a driver probes the device */
	out->fd = pci->intr_handle == NULL ? -1 : rte_intr_dev_fd_get(pci->intr_handle);
	return true;
}

void
dpdk_abi_foreach_pci(bool (*visit)(struct rte_device *dev, const struct dpdk_pci *pci, void *arg),
		void *arg)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;
	struct dpdk_pci pci;

	RTE_DEV_FOREACH(dev, "bus=pci", &it)
		if (copy_pci(dev, &pci) && visit(dev, &pci, arg))
			break;
}
