/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_DRIVER_H
#define VFIO_WC_DRIVER_H

#include "rte_vfio_wc.h"
#include "vfio_wc_args.h"

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
};

/* "vfio_wc0/1": the second range of vfio_wc0 */
#define VFIO_WC_ID_LEN (VFIO_WC_NAME_LEN + 12)

/* Call visit for each range of each request, under the driver's lock. */
void vfio_wc_foreach_range(void (*visit)(const char *id, const struct vfio_wc_request *request,
		const struct vfio_wc_range *range, void *arg), void *arg);

/* Telemetry commands cannot be unregistered: does its work once. */
void vfio_wc_telemetry_register(void);

#endif /* VFIO_WC_DRIVER_H */
