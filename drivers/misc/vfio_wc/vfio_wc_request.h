/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_REQUEST_H
#define VFIO_WC_REQUEST_H

/*
 * The requests of this process, each a set of ranges. What a request names is met all or none; of
 * the built-in table, and under mode=required, each device by itself. The list and its lock are in
 * vfio_wc_request.c; every function here takes the lock, and none holds it while EAL removes
 * a device.
 */

#include <stdbool.h>

#include "vfio_wc_args.h"
#include "vfio_wc_range.h"

/*
 * Meet a request as far as EAL has its devices, and keep it. Returns 0, or a negative errno
 * (logged): then nothing is kept. Under mode=required the devices that cannot have what was asked
 * for are removed; where others can, or wait, the request is kept, and that is 0. starting: EAL is
 * not up yet, so that the program can end where a device cannot be removed.
 */
int vfio_wc_request_add(const struct vfio_wc_request *args, bool starting);

/*
 * A request that cannot be read, or kept: whatever is wrong, if it says "required" its devices go;
 * where it is not known which these are, EAL's start ends.
 */
void vfio_wc_request_refuse(const struct vfio_wc_request *args, bool starting);

/* Undo a request. True: there are no more. */
bool vfio_wc_request_remove(const char *name);

/* Meet what waits, and again what is on: EAL may have other devices than before. */
void vfio_wc_request_apply_all(void);

/*
 * To be called each second. When the process has mapped more of VFIO devices since the last time,
 * what waits is met; when it has unmapped some, what is on is verified. A device that is required
 * and cannot be met is not removed: it is no port, or its port is still to come, and nobody knows
 * who uses it. It is closed when it is still there some looks later.
 */
void vfio_wc_request_look(void);

/* A port goes, and with it the mappings of its device: its ranges wait from now on. */
void vfio_wc_request_port_gone(const char *port);

/* "vfio_wc0/1": the second range of vfio_wc0 */
#define VFIO_WC_ID_LEN (VFIO_WC_NAME_LEN + 12)

/* Call visit for each range of each request, verified, under the lock. */
void vfio_wc_request_foreach(void (*visit)(const char *id, const struct vfio_wc_request *request,
		const struct vfio_wc_range *range, void *arg), void *arg);

#endif /* VFIO_WC_REQUEST_H */
