/* SPDX-License-Identifier: BSD-3-Clause */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "record.h"
#include "run.h"

/* "7f3a9c000000-7f3a9c006000 rw-p 00000000 00:01 1056     /memfd:vfio-wc (deleted)" */
static uint64_t
find_record(pid_t pid)
{
	char path[64], *line = NULL;
	uint64_t at, found = 0;
	size_t size = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f != NULL && found == 0 && getline(&line, &size, f) > 0)
		if (strstr(line, " /memfd:" RECORD_NAME " ") != NULL &&
				sscanf(line, "%" SCNx64 "-", &at) == 1)
			found = at;
	free(line);
	if (f != NULL)
		fclose(f);
	return found;
}

/* NULL: there is none, or none that this program understands. */
static struct record *
read_record(pid_t pid)
{
	struct record *record = malloc(sizeof(*record));
	const uint64_t at = find_record(pid);
	char path[64];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = record != NULL && at != 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		n = pread(fd, record, sizeof(*record), at);
		close(fd);
	}
	if (n == sizeof(*record) && strncmp(record->magic, RECORD_MAGIC,
			sizeof(record->magic)) == 0 && record->nb_ranges <= RECORD_RANGES)
		return record;
	free(record);
	return NULL;
}

/* Whoever could write there could write anything. */
static void
make_text(char *text, size_t size)
{
	size_t i;

	text[size - 1] = '\0';
	for (i = 0; text[i] != '\0'; i++)
		if (text[i] < ' ' || text[i] > '~')
			text[i] = '?';
}

static bool
is_mapped(const struct vfio_wc_maps *maps, const struct record_range *r)
{
	size_t i;

	for (i = 0; i < maps->n; i++) {
		const struct vfio_wc_map *map = &maps->v[i];

		if (r->va >= map->va && r->va - map->va < map->length &&
				map->fd_offset + (r->va - map->va) >= r->fd_offset &&
				map->fd_offset + (r->va - map->va) < r->fd_offset + r->length)
			return true;
	}
	return false;
}

static json_t *
range_json(struct record_range *r, const struct vfio_wc_sysfs *pci, bool mapped)
{
	const char *type = rte_vfio_wc_type_name(r->type);
	const bool on = r->on && mapped;
	char va[32];

	make_text(r->reason, sizeof(r->reason));
	snprintf(va, sizeof(va), "0x%" PRIx64, on ? r->va : 0);
	return json_pack("{s:s, s:i, s:I, s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
		"device", pci->bdf, "bar", (int)r->bar, "offset", (json_int_t)r->offset,
		"length", (json_int_t)r->length, "va", va,
		"source", r->from_table ? "table" : "request",
		"mode", vfio_wc_mode_name(r->mode), "requested", type,
		"state", on ? "on" : "off", "memory_type", on ? type : "unknown",
		"reason", on ? "the kernel guarantees it" : r->on ? "it is not mapped any more" :
		r->reason);
}

json_t *
run_ranges(pid_t pid, const struct vfio_wc_sysfs *pci)
{
	struct record *record = read_record(pid);
	struct vfio_wc_maps maps = { 0 };
	char id[VFIO_WC_BDF_LEN];
	json_t *ranges;
	uint32_t i;

	if (record == NULL)
		return NULL;
	ranges = json_array();
	/* a device that the process could not tell from its twins goes by its IDs */
	snprintf(id, sizeof(id), "%04x:%04x", pci->vendor, pci->device);
	if (vfio_wc_maps_read(pid, &maps) != 0)
		maps.n = 0;
	for (i = 0; i < record->nb_ranges; i++) {
		struct record_range *r = &record->range[i];

		make_text(r->device, sizeof(r->device));
		if ((strcmp(r->device, pci->bdf) == 0 || strcmp(r->device, id) == 0) &&
				r->bar < RTE_VFIO_WC_BARS && r->mode <= VFIO_WC_OFF)
			json_array_append_new(ranges, range_json(r, pci, is_mapped(&maps, r)));
	}
	free(maps.v);
	free(record);
	return ranges;
}
