/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>

#include <jansson.h>

#include "rte_vfio_wc.h"
#include "vfio_device.h"

#define MEMTYPES 64	/* entries of a list that are shown for one BAR */

enum answer { UNKNOWN, YES, NO };

/* Everything that could be learnt about one device. */
struct device {
	struct vfio_wc_sysfs sysfs;
	bool noiommu;		/* its group is of no-IOMMU mode */
	struct vfio_wc_holder user;
	struct vfio_wc_holder mapper[RTE_VFIO_WC_BARS];	/* through sysfs */
	bool not_asked;		/* cookies and info[] are unknown, since nobody asked */
	enum answer cookies;	/* does the kernel offer them for this device? */
	char cookies_reason[sizeof(((struct rte_vfio_wc_error *)0)->text)];
	bool opened;		/* info[] is filled */
	struct rte_vfio_wc_bar_info info[RTE_VFIO_WC_BARS];
	int nb_pat[RTE_VFIO_WC_BARS];	/* negative errno: not learnt */
	struct rte_vfio_wc_memtype pat[RTE_VFIO_WC_BARS][MEMTYPES];
	int nb_mtrr[RTE_VFIO_WC_BARS];
	struct rte_vfio_wc_memtype mtrr[RTE_VFIO_WC_BARS][MEMTYPES];
	/*
	 * Of this device, NULL: none learnt. "by" says whose a range is, the user's "plugin" or its
	 * "vfio-wc-run". Where one is on as WC, "in_kernel_list" says if the kernel's list of
	 * memory types has all of it as WC; null: the list cannot be read.
	 */
	json_t *ranges;
	const char *asked;		/* who said so, for a sentence: "the plugin" */
	const char *ranges_reason;	/* why ranges is NULL although there is a user */
	char no_push[80];	/* the word by which the user told the PMD not to push; "": none */
	enum answer wc;
	bool disagree;		/* plugin and kernel, about a range */
	char because[512];
};

/*
 * Learn about a device. Opens it only with may_open, and if nobody uses it, for a moment, with a VF
 * token if it wants one; vfio-pci resets it then. The caller calls device_free().
 */
int device_learn(struct device *device, const char *address, bool may_open, const char *token);
void device_free(struct device *device);

#endif /* DEVICE_H */
