/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_REPORT_H
#define WC_PERF_REPORT_H

#include <stdio.h>

#include <jansson.h>

#include "args.h"
#include "bus.h"
#include "observe.h"
#include "place.h"
#include "probe.h"

#define REPORT_SCHEMA "dpdk-vfio-wc/test-wc-perf/2"

/* A device under test. */
struct target {
	const struct target_args *args;
	struct vfio_wc_sysfs dev;
	struct place place;
	struct bar_range range;
	bool mtrr_wc;			/* the range is under a write-combining MTRR */
	char pmd[64];
	char firmware[64];		/* "": the PMD does not say */
};

/* The runs of one arm in one case, in order: args->turns of each repeat. */
struct arm_result {
	struct observation seen;	/* in the last run; earlier ones agreed in type */
	struct sample {
		double at;		/* s since the run began */
		unsigned int order;	/* among all samples of the run, from 1 */
		unsigned int start;	/* of testpmd, from 1 */
		double mpps;
		uint64_t sent;		/* testpmd's forwarding statistics, start to stop */
		uint64_t dropped;	/* by testpmd: no room in the ring */
		uint64_t counted;	/* frames at the back end, if there is one */
		uint64_t other;		/* frames there that testpmd did not send */
		uint64_t shaped;	/* that the cloud held back, where the NIC counts them */
		struct bus bus;		/* while it forwarded, where that is counted */
	} *samples;
	size_t n;
	bool counts_shaped;		/* the NIC does */
};

/* One combination of parameters. */
struct perf_case {
	const struct target *target;
	unsigned int frame;
	unsigned int burst;
	unsigned int queues;
	struct arm_result arms[N_ARMS];
};

struct result {
	const struct args *args;
	struct target targets[MAX_LIST];
	bool compare_counts;		/* a back end's count should equal testpmd's */
	struct probe probe;
	struct refusal refusal;
	char dpdk[64];
	char started[32];
	double seconds;
	bool running;			/* it has no status yet */
	enum wc_status status;
	struct perf_case *cases;
	size_t n_cases;
};

/* The result as doc/schema/result-2.json describes it. */
json_t *
report_json(const struct result *r);

/* The table for people, made from that; nothing if no testpmd has come up. */
void
report_table(const json_t *result, FILE *f, bool colour);

/*
 * Write all of it or nothing: a file that is there stays as it is until the new one is on the disk.
 * What is no file (a terminal, a pipe) is written to.
 */
enum wc_status
report_write(const json_t *result, const char *path);

enum wc_status
report_read(const char *path, json_t **result);

#endif
