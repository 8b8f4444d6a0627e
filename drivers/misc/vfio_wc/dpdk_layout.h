/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef DPDK_LAYOUT_H
#define DPDK_LAYOUT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * What this driver believes of DPDK's private structures, in which releases. test/check_layout has
 * a compiler compare each line with the private headers of DPDK's source; dpdk_abi.c reads memory
 * by the same lines. A release is added here after that test has passed for it, and not before.
 *
 *	MEMBER(name, type, structure, member, offsets)	where it is, and that it has this type
 *	SIZE(name, structure, sizes)
 *	FUNCTION(name, type)				exported, its prototype is not packaged
 *
 * There are two layouts. 26.07 moved the list entries of a bus's devices and drivers into the
 * common structures, and gave the common driver a bus: each offset and size stands for 22.11, then
 * for 26.07.
 */
#define DPDK_LAYOUT(MEMBER, SIZE, FUNCTION) \
	/* drivers/bus/pci/bus_pci_driver.h */ \
	MEMBER(pci_device, struct rte_device, struct rte_pci_device, device, 16, 0) \
	MEMBER(pci_addr, struct rte_pci_addr, struct rte_pci_device, addr, 80, 64) \
	MEMBER(pci_id, struct rte_pci_id, struct rte_pci_device, id, 88, 72) \
	MEMBER(pci_resources, struct rte_mem_resource[6], struct rte_pci_device, mem_resource, \
		104, 88) \
	MEMBER(pci_intr_handle, struct rte_intr_handle *, struct rte_pci_device, intr_handle, \
		248, 232) \
	/* drivers/bus/vdev/bus_vdev_driver.h */ \
	MEMBER(vdev_device, struct rte_device, struct rte_vdev_device, device, 16, 0) \
	SIZE(vdev_driver, struct rte_vdev_driver, 88, 80) \
	MEMBER(vdev_name, const char *, struct rte_vdev_driver, driver.name, 32, 16) \
	MEMBER(vdev_probe, int (*)(struct rte_vdev_device *), struct rte_vdev_driver, probe, \
		48, 40) \
	MEMBER(vdev_remove, int (*)(struct rte_vdev_device *), struct rte_vdev_driver, remove, \
		56, 48) \
	FUNCTION(rte_vdev_register, void (struct rte_vdev_driver *))

#ifndef RTE_ARCH_64
#error "The layout of DPDK's private structures was checked for 64-bit machines only."
#endif

struct dpdk_layout {
#define DPDK_MEMBER(name, type, structure, member, in_2211, in_2607) unsigned int name;
#define DPDK_SIZE(name, structure, in_2211, in_2607) unsigned int name;
#define DPDK_FUNCTION(name, type)
	DPDK_LAYOUT(DPDK_MEMBER, DPDK_SIZE, DPDK_FUNCTION)
#undef DPDK_MEMBER
#undef DPDK_SIZE
};

static const struct dpdk_layout dpdk_layout_2211 = {
#define DPDK_MEMBER(name, type, structure, member, in_2211, in_2607) .name = in_2211,
#define DPDK_SIZE(name, structure, in_2211, in_2607) .name = in_2211,
	DPDK_LAYOUT(DPDK_MEMBER, DPDK_SIZE, DPDK_FUNCTION)
#undef DPDK_MEMBER
#undef DPDK_SIZE
};

static const struct dpdk_layout dpdk_layout_2607 = {
#define DPDK_MEMBER(name, type, structure, member, in_2211, in_2607) .name = in_2607,
#define DPDK_SIZE(name, structure, in_2211, in_2607) .name = in_2607,
	DPDK_LAYOUT(DPDK_MEMBER, DPDK_SIZE, DPDK_FUNCTION)
#undef DPDK_MEMBER
#undef DPDK_SIZE
#undef DPDK_FUNCTION
};

/*
 * The releases that were checked. DPDK's promise of a stable ABI within a year, or within an LTS,
 * is about what is public; private structures may change in any release. So a patch level is
 * bounded, too, by the last one that was looked at, although none has changed them so far (what is
 * of the virtual device is used in later ones, to be able to say so): by
 * check_layout, or, of the two whose source was not to be had (24.11.8 and 25.11.4, Debian's), by
 * the unit tests and the lab's, which run the plugin in that DPDK.
 */
static const struct dpdk_release {
	int year, month, patch;
	const struct dpdk_layout *layout;
} dpdk_releases[] = {
	{ 22, 11, 11, &dpdk_layout_2211 },
	{ 23,  3,  0, &dpdk_layout_2211 },
	{ 23,  7,  0, &dpdk_layout_2211 },
	{ 23, 11,  7, &dpdk_layout_2211 },
	{ 24,  3,  0, &dpdk_layout_2211 },
	{ 24,  7,  0, &dpdk_layout_2211 },
	{ 24, 11,  8, &dpdk_layout_2211 },
	{ 25,  3,  0, &dpdk_layout_2211 },
	{ 25,  7,  0, &dpdk_layout_2211 },
	{ 25, 11,  4, &dpdk_layout_2211 },
	{ 26,  3,  0, &dpdk_layout_2211 },
	{ 26,  7,  0, &dpdk_layout_2607 },
};

#define DPDK_RELEASES (sizeof(dpdk_releases) / sizeof(dpdk_releases[0]))

/*
 * The line of a version's year and month, and whether that patch level was checked. NULL: there is
 * none, or it is no release ("26.07.0-rc1").
 */
static inline const struct dpdk_release *
dpdk_release_of(const char *version, bool *checked)
{
	int year, month, patch, end = 0;
	size_t i;

	*checked = false;
	if (sscanf(version, "%d.%d.%d%n", &year, &month, &patch, &end) != 3 || version[end] != '\0')
		return NULL;
	for (i = 0; i < DPDK_RELEASES; i++)
		if (dpdk_releases[i].year == year && dpdk_releases[i].month == month) {
			*checked = patch <= dpdk_releases[i].patch;
			return &dpdk_releases[i];
		}
	return NULL;
}

#endif /* DPDK_LAYOUT_H */
