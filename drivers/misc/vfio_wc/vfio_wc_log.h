/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_LOG_H
#define VFIO_WC_LOG_H

#include <rte_log.h>

extern int vfio_wc_logtype;

#define LOG(level, fmt, ...) \
	rte_log(RTE_LOG_ ## level, vfio_wc_logtype, "vfio_wc: " fmt "\n", ##__VA_ARGS__)

#endif /* VFIO_WC_LOG_H */
