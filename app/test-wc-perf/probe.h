/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_PROBE_H
#define WC_PERF_PROBE_H

#include "pci.h"
#include "stats.h"

/*
 * Does this platform honour memory types at all? An emulator need not, and a hypervisor may
 * override them; its name tells nothing. So: time stores. The same BAR pages are mapped
 * uncached and write-combining in turn, and filled with 64-byte lines of eight 8-byte stores,
 * a barrier at the end. Uncached, each store is a transaction of its own; write-combining,
 * each line.
 */
#define PROBE_PAIRS 41

/*
 * Thresholds on the 95% interval of the ratio of the times, uncached / write-combining. On
 * hardware eight transactions against one give about 8; where types are ignored it is 1 with
 * a few percent of noise. What falls between is not decided.
 */
#define PROBE_YES_ABOVE 1.5
#define PROBE_NO_BELOW 1.2
#define PROBE_NO_ABOVE 0.8

struct probe {
	const char *honoured;	/* "yes", "no", "unknown" */
	bool measured;		/* the rest is valid */
	double uc_ns;		/* a line, median */
	double wc_ns;
	struct ratio ratio;	/* of the times, uncached / write-combining */
};

/*
 * Probe with a range of a device that is bound to vfio-pci, used by nobody, and whose memory may
 * be overwritten. What prevents it is warned of, and leaves "unknown".
 */
void
probe_run(const struct vfio_wc_sysfs *dev, const struct bar_range *range, struct probe *p);

/* The verdict for a ratio. */
const char *
probe_verdict(const struct ratio *r);

#endif
