/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_SHARED_H
#define VFIO_WC_SHARED_H

/*
 * The primary's requests, in shared memory: EAL tells a secondary process the names of the
 * primary's vdevs, without their arguments. The memory and its lock are used here alone.
 */

#include <stdbool.h>

#include "vfio_wc_args.h"

/*
 * Primary: publish a request, or withdraw it (args NULL). In others nothing is done. -ENOMEM: there
 * is no room (logged).
 */
int vfio_wc_shared_set(const char *name, const struct vfio_wc_request *args);

/* Secondary: what the primary asked for under this name. */
bool vfio_wc_shared_get(const char *name, struct vfio_wc_request *args);

#endif /* VFIO_WC_SHARED_H */
