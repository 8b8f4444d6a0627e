/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_ARGS_H
#define VFIO_WC_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "rte_vfio_wc.h"
#include "vfio_wc_sysfs.h"

#define VFIO_WC_RANGES 16	/* of one request */
#define VFIO_WC_NAME_LEN 64	/* RTE_DEV_NAME_MAX_LEN */

enum vfio_wc_mode {
	VFIO_WC_AUTO,		/* fall back to the plain mapping, and say so once */
	VFIO_WC_REQUIRED,	/* the device is not used without it */
	VFIO_WC_OFF,
};

/*
 * What one --vdev=vfio_wcN,..., one --range or one line of a file asks for.
 * Plain data: it lies in shared memory as it is, for secondary processes.
 */
struct vfio_wc_request {
	char name[VFIO_WC_NAME_LEN];
	enum vfio_wc_mode mode;
	enum rte_vfio_wc_type type;
	bool unread;		/* something of a device that is not among the ranges */
	unsigned int nb_ranges;	/* 0: by the built-in table */
	struct vfio_wc_arg_range {
		char device[VFIO_WC_BDF_LEN];	/* address, or "vvvv:dddd" where that may be */
		unsigned int bar;
		uint64_t offset;
		uint64_t length;	/* 0: to the end of the BAR */
	} range[VFIO_WC_RANGES];
};

/*
 * Parse "key=value,key=value...", which may be empty. In order:
 *
 *   dev=DDDD:BB:DD.F    the device of the bar= keys that follow
 *   bar=N               starts a range: all of BAR N, unless
 *   offset=N, len=N     say otherwise for the range last started
 *   mode=auto|required|off, type=wc|uc      for the whole request
 *
 * Numbers as strtoull() takes them (0x for hexadecimal).
 *
 * Returns 0, or a negative errno with error->text set. mode and the devices are filled as far as
 * they could be read even then, and unread says if that was not all: a request that says "required"
 * is refused whatever else is wrong.
 */
int vfio_wc_args_parse(const char *name, const char *args, struct vfio_wc_request *request,
		struct rte_vfio_wc_error *error);

/* The same where dev= may also be all devices of a kind, vvvv:dddd (vendor and device ID). */
int vfio_wc_args_parse_ids(const char *name, const char *args, struct vfio_wc_request *request,
		struct rte_vfio_wc_error *error);

const char *vfio_wc_mode_name(enum vfio_wc_mode mode);

#endif /* VFIO_WC_ARGS_H */
