/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_vfio_wc.h>

#include "probe.h"
#include "testpmd.h"

#define LINE 64

static void
fill(volatile uint64_t *p, uint64_t bytes)
{
	volatile uint64_t *const end = p + bytes / sizeof(*p);

	for (; p < end; p += LINE / sizeof(*p)) {
		p[0] = 0; p[1] = 1; p[2] = 2; p[3] = 3;
		p[4] = 4; p[5] = 5; p[6] = 6; p[7] = 7;
	}
	rte_vfio_wc_flush();
}

/* Map, touch, time, unmap; ns a line, or -1. */
static double
time_stores(const struct rte_vfio_wc_range *range, enum rte_vfio_wc_type type)
{
	struct rte_vfio_wc_error error;
	double start, end;
	void *addr;

	if (rte_vfio_wc_map(range, type, &addr, &error) < 0) {
		warn("probe: %s", error.text);
		return -1;
	}
	fill(addr, range->length);
	start = now();
	fill(addr, range->length);
	end = now();
	munmap(addr, range->length);
	return (end - start) * 1e9 * LINE / range->length;
}

const char *
probe_verdict(const struct ratio *r)
{
	if (!r->has_ci)
		return "unknown";
	if (r->low > PROBE_YES_ABOVE)
		return "yes";
	if (r->low > PROBE_NO_ABOVE && r->high < PROBE_NO_BELOW)
		return "no";
	return "unknown";
}

void
probe_run(const struct vfio_wc_sysfs *dev, const struct bar_range *range, struct probe *p)
{
	/* One page has one type at a time: never both mappings at once. */
	static const enum rte_vfio_wc_type order[2][2] = {
		{ RTE_VFIO_WC_TYPE_UC, RTE_VFIO_WC_TYPE_WC },
		{ RTE_VFIO_WC_TYPE_WC, RTE_VFIO_WC_TYPE_UC },
	};
	double ns[2][PROBE_PAIRS];
	struct rte_vfio_wc_range r = {
		.device = dev->bdf,
		.bar = range->bar,
		.offset = range->offset,
		.length = range->len,
	};
	struct vfio_wc_opened vfio;
	struct vfio_wc_why why;
	unsigned int i, j;

	*p = (struct probe){ .honoured = "unknown" };
	if (vfio_wc_open(dev, NULL, &vfio, &why) != 0) {
		warn("probe: device %s: %s", dev->bdf, why.text);
		return;
	}
	r.fd = vfio.fd;
	for (i = 0; i < PROBE_PAIRS; i++) {
		for (j = 0; j < 2; j++) {
			const enum rte_vfio_wc_type type = order[i % 2][j];

			ns[type][i] = time_stores(&r, type);
			if (ns[type][i] < 0) {
				vfio_wc_close(&vfio);
				return;
			}
		}
	}
	vfio_wc_close(&vfio);
	p->measured = true;
	p->uc_ns = stats_summary(ns[RTE_VFIO_WC_TYPE_UC], PROBE_PAIRS).median;
	p->wc_ns = stats_summary(ns[RTE_VFIO_WC_TYPE_WC], PROBE_PAIRS).median;
	p->ratio = stats_ratio(ns[RTE_VFIO_WC_TYPE_UC], ns[RTE_VFIO_WC_TYPE_WC], PROBE_PAIRS);
	p->honoured = probe_verdict(&p->ratio);
}
