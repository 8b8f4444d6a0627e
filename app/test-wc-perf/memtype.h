/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_MEMTYPE_H
#define WC_PERF_MEMTYPE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "log.h"
#include "pci.h"
#include "witness.h"

/* A piece of a BAR that a process has mapped. */
struct vfio_map {
	uint64_t va;
	uint64_t len;
	unsigned int region;
	uint64_t offset;	/* in the region */
};

struct vfio_maps {
	struct vfio_map *v;
	size_t n;
};

/* VFIO mappings in /proc/PID/maps text. A cookie's mapping shows its region's offset too. */
enum wc_status
memtype_read_maps(FILE *f, struct vfio_maps *maps);
enum wc_status
memtype_read_pid_maps(pid_t pid, struct vfio_maps *maps);

/* Where the range's first byte is mapped, if the whole range is, in one piece of addresses. */
enum wc_status
memtype_find_range(const struct vfio_maps *maps, const struct bar_range *range, uint64_t *va);

/* Which part of which BAR is at va; NULL: none. */
const struct vfio_map *
memtype_at(const struct vfio_maps *maps, uint64_t va);

/*
 * Type that the kernel's list of memory types gives a vfio mapping of [start, start + len): "WC",
 * "UC-", ...; "mixed"; or "unknown" if the list cannot be read.
 */
const char *
memtype_from_list(uint64_t start, uint64_t len);

/* Is part of [start, start + len) under a write-combining MTRR? That spoils uncached runs. */
bool
memtype_mtrr_wc(uint64_t start, uint64_t len);

#endif
