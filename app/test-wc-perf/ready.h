/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_READY_H
#define WC_PERF_READY_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

#include "report.h"

#define READY_SCHEMA "dpdk-vfio-wc/test-wc-perf-check/1"

/*
 * What must be there before anything starts, as an array of {check, state, what, mend}: state is
 * "ready", "missing", or "advice" for what measures worse; what and mend (what to type, or which
 * option) are null where all is well. The functions append to one that is the caller's.
 */

/* Is it bound to vfio-pci? */
void ready_driver(json_t *all, const struct vfio_wc_sysfs *dev);

/* The same of a device, and of the CPUs and memory that were chosen for it. */
void ready_device(json_t *all, const struct args *a, const struct target *t);

/* Programs and files, whatever the device is. */
void ready_programs(json_t *all, const struct args *a);

/*
 * What only --check asks, since it takes a device that nobody has, or is no more than advice: may
 * we have the device, does its kernel map write-combined, do other tasks keep away.
 */
void ready_ask(json_t *all, const struct args *a, const struct target *t);

/* The machine: what VFIO needs and has not got, if one of the devices is not bound. */
void ready_machine(json_t *all, bool all_bound);

/* Failures and warnings of others become part of it; wrong: and it stays the failure. */
void ready_wrong(json_t *all, const char *check);
void ready_failed(json_t *all, const char *check);
void ready_warnings(json_t *all);

/* Nothing is missing; otherwise the first that is, is why the run cannot go on. */
enum wc_status ready_or_fail(const json_t *all);

/* For people; and is nothing missing? */
bool ready_text(const json_t *all, FILE *f);

#endif
