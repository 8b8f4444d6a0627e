/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_RANGE_H
#define VFIO_WC_RANGE_H

/*
 * One range of a BAR, and its memory type:
 *
 *	WAITING --on()--> ON	rte_vfio_wc_remap() in place
 *	   ^      \-----> FAILED
 *	   +--verify()---'	the mapping has gone
 *
 * What is trusted is what the kernel says: sysfs, the device fd, /proc/self/maps. Nothing here has
 * a lock, ranges belong to whoever holds them.
 */

#include <stdbool.h>
#include <stdint.h>

#include "rte_vfio_wc.h"
#include "vfio_wc_sysfs.h"

enum vfio_wc_state {
	VFIO_WC_WAITING,	/* for EAL to probe (or to probe again) the device */
	VFIO_WC_ON,		/* the pages have the type that was asked for */
	VFIO_WC_FAILED,		/* plain mapping; reason says why */
	VFIO_WC_OFF_BY_MODE,
};

struct vfio_wc_range {
	char device[VFIO_WC_BDF_LEN];
	unsigned int bar;
	uint64_t offset;
	uint64_t length;
	enum rte_vfio_wc_type type;
	enum vfio_wc_state state;
	/* valid once it was on; numbers, not to be trusted without asking the kernel */
	void *va;
	uint64_t pa;
	int fd;
	char reason[128];
	bool noticed;	/* that it failed was said */
	unsigned int late;	/* looks since it failed, while EAL had the device */
};

#define VFIO_WC_NOT_PROBED "EAL has not probed this device (yet)"
#define VFIO_WC_UNMAPPED "the device is not mapped any more"
#define VFIO_WC_BOUND_TO "is bound to %s, not to vfio-pci"

void vfio_wc_range_set(struct vfio_wc_range *range, enum vfio_wc_state state, const char *reason);

/*
 * Give the range its type, or, when it was on, make sure that it has it: the kernel, asked again,
 * gives the same cookie, and a device that was removed and attached may have its plain mapping at
 * the same address, with an fd of the same number. Returns 0, or a negative errno with error filled
 * in and the range as it was: -EAGAIN when EAL has no such device mapped (yet).
 */
int vfio_wc_range_on(struct vfio_wc_range *range, struct rte_vfio_wc_error *error);

/*
 * A range that was on, and is not mapped any more, waits; so does one that is mapped, and not WC,
 * if the kernel says so: false. Neither EAL is asked nor anything mapped: for any thread at any
 * time.
 */
bool vfio_wc_range_verify(struct vfio_wc_range *range);

/*
 * Back to the plain mapping, if it was on. EAL is not asked: when it cleans up, its list of PCI
 * devices may be freed already (22.11 to 24.11). The numbers kept in the range are checked instead:
 * the fd must still be this device's, and the address still map this range.
 */
void vfio_wc_range_off(struct vfio_wc_range *range, enum vfio_wc_state state, const char *reason);

bool vfio_wc_range_overlap(const struct vfio_wc_range *a, const struct vfio_wc_range *b);

#endif /* VFIO_WC_RANGE_H */
