/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_ERROR_H
#define VFIO_WC_ERROR_H

#include "rte_vfio_wc.h"

/* Fill error (unless NULL) and return -err. Subject: "device BAR n [a, b)" or whatever fits. */
int vfio_wc_fail(struct rte_vfio_wc_error *error, int err, const char *subject,
		const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif /* VFIO_WC_ERROR_H */
