/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_MEMTYPE_H
#define WC_PERF_MEMTYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "log.h"
#include "pci.h"
#include "witness.h"

/* Where the range's first byte is mapped, if the whole range is, in one piece of addresses. */
enum wc_status
memtype_find_range(const char *device, const struct vfio_wc_maps *maps,
	const struct bar_range *range, uint64_t *va);

/* Which BAR is at va, and which byte of it; false: none. */
bool
memtype_at(const struct vfio_wc_maps *maps, uint64_t va, unsigned int *bar, uint64_t *offset);

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
