/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_PLACE_H
#define WC_PERF_PLACE_H

#include "args.h"

/* Where testpmd runs. */
struct place {
	struct list lcores;	/* main, then forwarding */
	int node;		/* NUMA node of its memory */
};

/*
 * Lcores and memory on the device's NUMA node, one lcore a physical core as far as there are
 * enough, those that forward on isolated CPUs (isolcpus=) if there are; warns when it cannot be
 * done.
 */
enum wc_status
place_choose(const struct args *a, const struct vfio_wc_sysfs *dev, struct place *p);

/* Does the kernel leave the CPU alone (isolcpus=)? */
bool
place_is_isolated(unsigned int cpu);

/* Move this process to a CPU. */
enum wc_status
place_self(unsigned int cpu);

#endif
