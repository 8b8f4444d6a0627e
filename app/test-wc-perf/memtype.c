/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <string.h>

#include <rte_vfio_wc.h>

#include "memtype.h"

enum wc_status
memtype_find_range(const char *device, const struct vfio_wc_maps *maps,
	const struct bar_range *range, uint64_t *va)
{
	uint64_t done, at;
	size_t i;

	for (done = 0; done < range->len; done = maps->v[i].va + maps->v[i].length - *va) {
		const uint64_t next = range->offset + done;

		for (i = 0; i < maps->n; i++)
			if (maps->v[i].bar == range->bar &&
					next - maps->v[i].bar_offset < maps->v[i].length)
				break;
		if (i == maps->n)
			return fail(WC_TESTPMD, "device %s: testpmd has not mapped BAR %u at 0x%"
				PRIx64, device, range->bar, next);
		at = maps->v[i].va + (next - maps->v[i].bar_offset);
		if (done == 0)
			*va = at;
		else if (at != *va + done)
			return fail(WC_TESTPMD, "device %s: testpmd has mapped BAR %u in pieces "
				"apart at 0x%" PRIx64, device, range->bar, next);
	}
	return WC_OK;
}

bool
memtype_at(const struct vfio_wc_maps *maps, uint64_t va, unsigned int *bar, uint64_t *offset)
{
	size_t i;

	for (i = 0; i < maps->n; i++) {
		const struct vfio_wc_map *map = &maps->v[i];

		if (va - map->va < map->length) {
			*bar = map->bar;
			*offset = map->bar_offset + (va - map->va);
			return true;
		}
	}
	return false;
}

/* More entries than this over one doorbell or window: say "unknown" rather than half of it. */
#define MAX_ENTRIES 64

static const char *
merge(const char *so_far, const char *next)
{
	return so_far == NULL || strcmp(so_far, next) == 0 ? next : "mixed";
}

const char *
memtype_from_list(uint64_t start, uint64_t len)
{
	struct rte_vfio_wc_memtype list[MAX_ENTRIES];
	uint64_t covered = start;
	const char *type = NULL;
	int i, n;

	n = rte_vfio_wc_pat_list(start, len, list, MAX_ENTRIES, NULL);
	if (n < 0 || n > MAX_ENTRIES)
		return "unknown";
	/*
	 * Sorted by start; entries of one type may nest. A page of vfio's that is in none is UC-:
	 * lookup_memtype() in arch/x86/mm/pat/memtype.c.
	 */
	for (i = 0; i < n; i++) {
		if (list[i].start > covered)
			type = merge(type, "UC-");
		type = merge(type, list[i].type);
		if (list[i].start + list[i].length > covered)
			covered = list[i].start + list[i].length;
	}
	return covered < start + len ? merge(type, "UC-") : type;
}

bool
memtype_mtrr_wc(uint64_t start, uint64_t len)
{
	struct rte_vfio_wc_memtype list[MAX_ENTRIES];
	int i, n;

	n = rte_vfio_wc_mtrr_list(start, len, list, MAX_ENTRIES, NULL);
	for (i = 0; i < n && i < MAX_ENTRIES; i++)
		if (strcmp(list[i].type, "WC") == 0)
			return true;
	return false;
}
