/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_ARGS_H
#define WC_PERF_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"
#include "pci.h"

/* The ways to run testpmd that are compared. */
enum arm {
	ARM_PLAIN,	/* as today */
	ARM_UC,		/* an uncached cookie (or --wc-by=eal: as today) */
	ARM_WC,		/* a write-combining cookie (or --wc-by=kernel: as today) */
	N_ARMS,
};

/* Who maps the range anew. */
enum wc_by {
	WC_BY_PLUGIN,
	WC_BY_RUN,	/* vfio-wc-run */
	WC_BY_EAL,	/* testpmd's own EAL (dpdk-patch), which has no uncached cookies */
	WC_BY_KERNEL,	/* nobody: the kernel is said to do it by itself */
	N_WC_BY,
};

extern const char *const wc_by_names[N_WC_BY];

extern const char *const arm_names[N_ARMS];

#define MAX_LIST 16

struct list {
	unsigned int v[MAX_LIST];
	unsigned int n;
};

enum range_from {
	RANGE_TABLE,		/* the built-in table of devices known to push */
	RANGE_GIVEN,
	RANGE_VIRTIO_NOTIFY,
};

/* A device and what is to be measured on it. */
struct target_args {
	const char *device;
	enum range_from range_from;
	struct bar_range range;
	const char *backend;
};

struct args {
	const char *const *argv;	/* all of them, as they came */
	struct target_args targets[MAX_LIST];
	unsigned int n_targets;
	struct list frames;
	struct list bursts;
	struct list queues;
	struct list lcores;	/* empty: chosen by NUMA node; the first is testpmd's main one */
	unsigned int cores;	/* forwarding lcores */
	unsigned int repeats;	/* starts of testpmd; of each arm, unless arms share one */
	unsigned int max_repeats;	/* up to so many, for the precision; else as many */
	double precision;	/* of the ratio wc/uc, relative; 0: whatever comes of it */
	unsigned int turns;	/* of each arm in a start */
	double warmup;		/* s */
	double window;		/* s */
	uint64_t seed;		/* of the order of the arms */
	bool arms[N_ARMS];
	enum wc_by wc_by;
	const char *forward;
	const char *testpmd;
	const char *plugin;
	const char *run;
	const char *eal[MAX_LIST + 1];
	const char *testpmd_args[MAX_LIST + 1];
	unsigned int n_eal;
	unsigned int n_testpmd_args;
	unsigned int mem_mb;
	const char *witness;
	bool have_probe;
	char probe_device[VFIO_WC_BDF_LEN];
	struct bar_range probe;
	const char *json;
	bool against;		/* the runs of another build are among ours */
	struct {
		const char *testpmd, *plugin, *run;	/* NULL: the same */
		const char *json;
		char words[1024];	/* of --against: where these paths stand */
	} other;
	const char *show;
	bool check;
	bool verbose;
	bool done;		/* --help, --version: nothing more to do */
};

/* Is the arm asked for, and does somebody map the range anew in it, or EAL as it is told to? */
bool
args_maps(const struct args *a, enum arm arm);

/* In any arm? */
bool
args_maps_any(const struct args *a);

/* What it has been told for the other build. */
void
args_against(const struct args *a, struct args *other);

/* Options to a; messages name the option and the value. */
enum wc_status
args_parse(struct args *a, int argc, char **argv);

#endif
