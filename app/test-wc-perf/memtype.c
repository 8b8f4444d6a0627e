/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_vfio_wc.h>

#include "memtype.h"

/* vfio-pci's file offsets: VFIO_PCI_OFFSET_SHIFT in include/linux/vfio_pci_core.h */
#define REGION_SHIFT 40

enum wc_status
memtype_read_maps(FILE *f, struct vfio_maps *maps)
{
	uint64_t start, end, offset;
	struct vfio_map *v;
	char *line = NULL;
	size_t size = 0;
	int path;

	free(maps->v);
	memset(maps, 0, sizeof(*maps));
	while (getline(&line, &size, f) > 0) {
		path = -1;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %n",
				&start, &end, &offset, &path) != 3 || path < 0)
			continue;
		/* The device's file: from a group, or the character device itself. */
		if (strncmp(&line[path], "anon_inode:[vfio-device]", 24) != 0 &&
				strncmp(&line[path], "/dev/vfio/devices/", 18) != 0)
			continue;
		v = realloc(maps->v, (maps->n + 1) * sizeof(*v));
		if (v == NULL) {
			free(line);
			return fail(WC_INTERNAL, "out of memory");
		}
		maps->v = v;
		v[maps->n++] = (struct vfio_map){
			.va = start,
			.len = end - start,
			.region = offset >> REGION_SHIFT,
			.offset = offset & ((1ULL << REGION_SHIFT) - 1),
		};
	}
	free(line);
	return WC_OK;
}

enum wc_status
memtype_read_pid_maps(pid_t pid, struct vfio_maps *maps)
{
	char path[64];
	enum wc_status st;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return fail(WC_TESTPMD, "%s: %s", path, strerror(errno));
	st = memtype_read_maps(f, maps);
	fclose(f);
	return st;
}

/* The mapping that has byte offset of the BAR. */
static const struct vfio_map *
find_offset(const struct vfio_maps *maps, unsigned int bar, uint64_t offset)
{
	size_t i;

	for (i = 0; i < maps->n; i++)
		if (maps->v[i].region == bar && offset >= maps->v[i].offset &&
				offset - maps->v[i].offset < maps->v[i].len)
			return &maps->v[i];
	return NULL;
}

enum wc_status
memtype_find_range(const struct vfio_maps *maps, const struct bar_range *range, uint64_t *va)
{
	uint64_t done, at;
	const struct vfio_map *m;

	for (done = 0; done < range->len; done += m->len - (range->offset + done - m->offset)) {
		m = find_offset(maps, range->bar, range->offset + done);
		if (m == NULL)
			return fail(WC_TESTPMD, "testpmd has not mapped BAR %u at 0x%" PRIx64,
				range->bar, range->offset + done);
		at = m->va + (range->offset + done - m->offset);
		if (done == 0)
			*va = at;
		else if (at != *va + done)
			return fail(WC_TESTPMD, "testpmd has mapped BAR %u in pieces apart at 0x%"
				PRIx64, range->bar, range->offset + done);
	}
	return WC_OK;
}

const struct vfio_map *
memtype_at(const struct vfio_maps *maps, uint64_t va)
{
	size_t i;

	for (i = 0; i < maps->n; i++)
		if (va >= maps->v[i].va && va - maps->v[i].va < maps->v[i].len)
			return &maps->v[i];
	return NULL;
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
