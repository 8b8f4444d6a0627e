/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_ENVIRONMENT_H
#define WC_PERF_ENVIRONMENT_H

#include <jansson.h>

#include "args.h"
#include "place.h"

/*
 * The machine, as far as it can make two runs differ: what is not there to be read is null, so that
 * "off" and "unknown" are not the same. cpu: the forwarding lcore that governor and frequency are
 * asked of.
 */
json_t *
environment_machine(unsigned int cpu);

/* What maps: the kernel's vfio modules, the plugin's file; with what tells two builds apart. */
json_t *
environment_parts(const struct args *a);

/* How the IOMMU serves the device; null: not at all. */
json_t *
environment_iommu(const struct vfio_wc_sysfs *dev);

/* A command line, made UTF-8. */
json_t *
environment_words(const char *const *words);

#endif
