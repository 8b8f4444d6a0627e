/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_OBSERVE_H
#define WC_PERF_OBSERVE_H

#include "args.h"
#include "memtype.h"
#include "testpmd.h"
#include "witness.h"

/* One page, or more of one kind, whose type differs from what its arm promises. */
struct refusal {
	const char *device;	/* NULL: nothing was refused */
	enum arm arm;
	unsigned int bar;
	uint64_t offset;
	uint64_t len;
	char expected[8];
	char observed[8];
	const char *source;
};

#define MAX_TYPES 6

/*
 * What memory types a running testpmd has, and who says so:
 *  "pte"           the witness: page tables, read from outside
 *  "kernel"        the kernel's guarantee for a cookie, through the plugin's telemetry
 *  "memtype_list"  the kernel's list of reservations
 *  "none"          nobody
 */
struct observation {
	char type[8];		/* of the range; "mixed", "unknown" */
	const char *source;
	struct leaves leaves;	/* page-table entries of the range, if source is "pte" */
	/* Leaves of all other BAR pages, by type. */
	struct {
		char type[4];
		unsigned int leaves;
	} others[MAX_TYPES];
	unsigned int n_others;
};

struct observer {
	const struct args *args;
	const struct vfio_wc_sysfs *dev;
	const struct bar_range *range;
	int witness;		/* -1: none */
	unsigned int cpu;	/* busy with testpmd's forwarding */
	char plain[8];		/* type that the range has had in the plain arm; "": none yet */
	struct refusal *refusal;
};

/*
 * Look, and refuse (WC_REFUSED) what is not as the arm promises:
 *  uc     every BAR page of the process is UC-
 *  wc     exactly the range is WC, every other BAR page UC-; with --wc-by=kernel the range is WC
 *         (such kernels make whole BARs WC)
 *  plain  the range has the same type each time
 * o is to be released with observation_free().
 */
enum wc_status
observe(const struct observer *ob, enum arm arm, struct testpmd *t, struct observation *o);

void
observation_free(struct observation *o);

/*
 * The judgement on what the witness saw (exposed for tests): range leaves in o->leaves, all leaves
 * outside RAM in all, of which those in maps count.
 */
enum wc_status
observe_judge(const struct observer *ob, enum arm arm, const struct vfio_wc_maps *maps, uint64_t va,
	const struct leaves *all, struct observation *o);

/* A number in the plugin's telemetry: as such, or as hexadecimal text. */
uint64_t
json_u64(const json_t *object, const char *key);

#endif
