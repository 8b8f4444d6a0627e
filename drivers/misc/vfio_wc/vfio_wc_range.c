/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "vfio_wc_error.h"
#include "vfio_wc_log.h"
#include "vfio_wc_pci.h"
#include "vfio_wc_range.h"
#include "vfio_wc_sysfs.h"

static struct rte_vfio_wc_range
lib_range(const struct vfio_wc_range *range)
{
	return (struct rte_vfio_wc_range){
		.device = range->device, .fd = range->fd, .bar = range->bar,
		.offset = range->offset, .length = range->length,
	};
}

void
vfio_wc_range_set(struct vfio_wc_range *range, enum vfio_wc_state state, const char *reason)
{
	range->state = state;
	snprintf(range->reason, sizeof(range->reason), "%.127s", reason);
}

/*
 * Where is the range mapped, by which fd? EAL's word is checked against the kernel's.
 * Returns -EAGAIN when EAL has no such device mapped (yet).
 */
static int
locate(struct vfio_wc_range *range, struct rte_vfio_wc_error *error)
{
	const struct vfio_wc_sysfs_bar *bar;
	struct vfio_wc_sysfs sysfs;
	struct dpdk_pci pci;
	char subject[128];
	int ret;

	snprintf(subject, sizeof(subject), "%s BAR %u [0x%" PRIx64 ", 0x%" PRIx64 ")",
		range->device, range->bar, range->offset, range->offset + range->length);
	if (vfio_wc_pci_find(range->device, &pci) == NULL || pci.fd < 0)
		return vfio_wc_fail(error, EAGAIN, subject, VFIO_WC_NOT_PROBED);
	ret = vfio_wc_sysfs_read(range->device, &sysfs);
	if (ret != 0)
		return vfio_wc_fail(error, -ret, subject, "sysfs: %s", strerror(-ret));
	bar = &sysfs.bar[range->bar];
	/* to the end of a BAR that was not there when it was asked for */
	if (range->length == 0 && range->offset < bar->size)
		range->length = bar->size - range->offset;
	/* UIO's fd means nothing here, and no other driver has memory types */
	if (!vfio_wc_sysfs_is_vfio(&sysfs))
		return vfio_wc_fail(error, ENOTSUP, range->device, VFIO_WC_BOUND_TO,
			sysfs.driver[0] != '\0' ? sysfs.driver : "no driver");
	if (pci.vendor != sysfs.vendor || pci.device != sysfs.device ||
			pci.bar[range->bar].start != bar->start ||
			pci.bar[range->bar].size != bar->size)
		return vfio_wc_fail(error, EPROTO, subject, "EAL says %04x:%04x, 0x%" PRIx64
			" bytes at 0x%" PRIx64 "; sysfs says %04x:%04x, 0x%" PRIx64
			" at 0x%" PRIx64, pci.vendor, pci.device, pci.bar[range->bar].size,
			pci.bar[range->bar].start, sysfs.vendor, sysfs.device, bar->size,
			bar->start);
	ret = vfio_wc_sysfs_match(range->device, &sysfs, pci.fd, error);
	if (ret != 0)
		return ret;
	if (pci.bar[range->bar].addr == NULL)
		return vfio_wc_fail(error, ENXIO, subject, "EAL has not mapped the BAR");

	range->fd = pci.fd;
	range->va = RTE_PTR_ADD(pci.bar[range->bar].addr, range->offset);
	range->pa = bar->start + range->offset;
	return 0;
}

int
vfio_wc_range_on(struct vfio_wc_range *range, struct rte_vfio_wc_error *error)
{
	bool was_on = range->state == VFIO_WC_ON;
	struct rte_vfio_wc_range lib;
	int ret;

	ret = locate(range, error);
	if (ret != 0)
		return ret;
	lib = lib_range(range);
	ret = rte_vfio_wc_remap(&lib, range->type, range->va, error);
	/* mmap() of a process that may lock no more memory; here that is a word of locate()'s */
	if (ret == -EAGAIN)
		error->err = ENOMEM;
	if (ret != 0)
		return -error->err;
	vfio_wc_range_set(range, VFIO_WC_ON, "the kernel guarantees it");
	rte_log(was_on ? RTE_LOG_DEBUG : RTE_LOG_INFO, vfio_wc_logtype,
		"vfio_wc: %s BAR %u [0x%" PRIx64 ", 0x%" PRIx64 ") at %p is %s\n", range->device,
		range->bar, range->offset, range->offset + range->length, range->va,
		rte_vfio_wc_type_name(range->type));
	return 0;
}

/* Is fd still this device's, and the range mapped where it was? */
static int
check(const struct vfio_wc_range *range, struct rte_vfio_wc_error *error)
{
	struct rte_vfio_wc_range lib = lib_range(range);
	struct vfio_wc_sysfs sysfs;
	int ret;

	ret = vfio_wc_sysfs_read(range->device, &sysfs);
	if (ret != 0)
		return vfio_wc_fail(error, -ret, range->device, "sysfs: %s", strerror(-ret));
	ret = vfio_wc_sysfs_match(range->device, &sysfs, range->fd, error);
	return ret != 0 ? ret : rte_vfio_wc_mapped(&lib, range->va, error);
}

/* Device, fd or mapping gone: with them went the memory type. */
static bool
is_gone(int ret)
{
	return ret == -ENODEV || ret == -ENXIO;
}

bool
vfio_wc_range_verify(struct vfio_wc_range *range)
{
	if (range->state != VFIO_WC_ON)
		return true;
	if (is_gone(check(range, NULL))) {
		vfio_wc_range_set(range, VFIO_WC_WAITING, VFIO_WC_UNMAPPED);
		return true;
	}
	if (range->type != RTE_VFIO_WC_TYPE_WC ||
			rte_vfio_wc_is_wc(range->va, range->length, NULL) != 0)
		return true;
	vfio_wc_range_set(range, VFIO_WC_WAITING, "the kernel has it as WC no more");
	return false;
}

void
vfio_wc_range_off(struct vfio_wc_range *range, enum vfio_wc_state state, const char *reason)
{
	struct rte_vfio_wc_range lib = lib_range(range);
	struct rte_vfio_wc_error error;
	int ret;

	if (range->state == VFIO_WC_ON) {
		ret = check(range, &error);
		if (ret == 0)
			ret = rte_vfio_wc_restore(&lib, range->va, &error);
		if (ret != 0 && !is_gone(ret))
			LOG(WARNING, "%s: %s", range->device, error.text);
	}
	vfio_wc_range_set(range, state, reason);
}

bool
vfio_wc_range_overlap(const struct vfio_wc_range *a, const struct vfio_wc_range *b)
{
	return strcmp(a->device, b->device) == 0 && a->bar == b->bar &&
		a->offset < b->offset + b->length && b->offset < a->offset + a->length;
}
