/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_METRICS_H
#define WC_PERF_METRICS_H

#include "report.h"

/*
 * What a dashboard keeps: one series for each case, arm and quantity, under a name that is the same
 * in the next run, whatever slot the NIC is in; with all samples, when they were taken, and whether
 * they may be used.
 */

#define METRIC_ID 256

/* Frames at the back end equal those sent, in every run. */
bool
metrics_counts_equal(const struct arm_result *r);

/*
 * The ratio of the rates of two arms in one case, with the interval that this run needs; false: one
 * of them has none.
 */
bool
metrics_levels(const struct args *a, const struct arm_result *over, const struct arm_result *under,
	struct levels *levels);

/* How far the interval of wc/uc reaches from it, relative; NAN: there is none. */
double
metrics_precision(const struct args *a, const struct perf_case *k);

/* PMD, PCI ids, range, mode and parameters. */
void
metrics_case_id(const struct result *r, const struct perf_case *k, char id[METRIC_ID]);

/* hypervisor: as the environment has it. */
json_t *
metrics_json(const struct result *r, const char *hypervisor);

/* A run's write costs were emulated: its rates are of no hardware, and types matter in it. */
bool
metrics_emulated(const struct perf_case *k);

/* The samples of one of them; NULL: it is not there. */
const json_t *
metrics_samples(const json_t *metrics, const char *case_id, const char *arm, const char *name);

#endif
