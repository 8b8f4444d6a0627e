/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RUN_H
#define RUN_H

#include <jansson.h>

#include "vfio_device.h"

/*
 * The ranges of a device that a process under vfio-wc-run says it has, as objects of the kind that
 * the plugin's telemetry has; NULL: it runs without. What is not mapped (any more) is off.
 */
json_t *run_ranges(pid_t pid, const struct vfio_wc_sysfs *pci);

#endif /* RUN_H */
