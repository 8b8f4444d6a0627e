/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TELEMETRY_H
#define TELEMETRY_H

#include <sys/types.h>

#include <jansson.h>

/*
 * Ask the plugin in a DPDK process what it has mapped, over DPDK's telemetry socket.
 *
 * Returns the object that /vfio_wc/ranges answers (a range by its ID), the caller's; NULL when no
 * socket of that process answers or the plugin is not in it, with the reason (static storage).
 */
json_t *telemetry_ranges(pid_t pid, const char **reason);

#endif /* TELEMETRY_H */
