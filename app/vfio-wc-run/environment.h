/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

/*
 * What vfio-wc-run tells the library that it has preloaded: what is wanted, in the words of
 * vfio_wc_conf.h, and options: "verbose", "leave=PID" (only that process is meant, not those that
 * it starts). And the loader's own word for it.
 */
#define ENV_WANTED "VFIO_WC_RUN"
#define ENV_OPTIONS "VFIO_WC_RUN_OPTIONS"
#define ENV_PRELOAD "LD_PRELOAD"

#define PRELOAD_NAME "libvfio_wc_preload.so"

/* Exit statuses, as in the help; of the library, REFUSED. As env(1) has them. */
enum { REFUSED = 125, CANNOT_RUN = 126, NOT_FOUND = 127 };

#endif /* ENVIRONMENT_H */
