/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <sys/types.h>

#include <jansson.h>

#include "rte_vfio_wc.h"
#include "vfio_wc_sysfs.h"

#define MEMTYPES 64	/* entries of a list that are shown for one BAR */

enum answer { UNKNOWN, YES, NO };

/* Everything that could be learnt about one device. */
struct device {
	char bdf[VFIO_WC_BDF_LEN];
	struct vfio_wc_sysfs sysfs;
	pid_t user;		/* process that has the VFIO group open; 0: nobody */
	char user_name[32];
	enum answer cookies;	/* does the kernel offer them for this device? */
	char cookies_reason[sizeof(((struct rte_vfio_wc_error *)0)->text)];
	bool opened;		/* info[] is filled */
	struct rte_vfio_wc_bar_info info[RTE_VFIO_WC_BARS];
	int nb_pat[RTE_VFIO_WC_BARS];	/* negative errno: not learnt */
	struct rte_vfio_wc_memtype pat[RTE_VFIO_WC_BARS][MEMTYPES];
	int nb_mtrr[RTE_VFIO_WC_BARS];
	struct rte_vfio_wc_memtype mtrr[RTE_VFIO_WC_BARS][MEMTYPES];
	json_t *ranges;		/* of this device, from the user's plugin; NULL: none learnt */
	const char *ranges_reason;	/* why ranges is NULL although there is a user */
	enum answer wc;
	char because[512];
};

/* Is this PCI device bound to vfio-pci or a variant driver? */
bool device_is_vfio(const struct vfio_wc_sysfs *sysfs);

/*
 * Learn about a device. With may_open, a device that nobody uses is opened for a moment, which makes
 * vfio-pci reset it. The caller calls device_free().
 */
int device_learn(struct device *device, const char *bdf, bool may_open);
void device_free(struct device *device);

#endif /* DEVICE_H */
