/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "next.h"
#include "record.h"

/* Where nobody can look, it is still needed here. */
static struct record hidden;
static struct record *record;

static void
make(void)
{
	int fd = memfd_create(RECORD_NAME, MFD_CLOEXEC);

	record = &hidden;
	if (fd < 0)
		return;
	if (ftruncate(fd, sizeof(*record)) == 0) {
		void *at = next.mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE, MAP_PRIVATE, fd,
			0);

		if (at != MAP_FAILED)
			record = at;
	}
	next.close(fd);
	strcpy(record->magic, RECORD_MAGIC);
}

static struct record_range *
find(const char *device, const struct vfio_wc_wanted *wanted)
{
	struct record_range *r;

	for (r = record->range; r < record->range + record->nb_ranges; r++)
		if (strcmp(r->device, device) == 0 && r->bar == wanted->bar &&
				r->offset == wanted->offset && r->length == wanted->length)
			return r;
	return NULL;
}

static bool
has_failed(const char *device)
{
	const struct record_range *r;

	for (r = record->range; r < record->range + record->nb_ranges; r++)
		if (strcmp(r->device, device) == 0 && r->reason[0] != '\0')
			return true;
	return false;
}

bool
record_set(const char *device, const struct vfio_wc_wanted *wanted, uint64_t fd_offset,
		uint64_t va, const char *reason)
{
	struct record_range *r;
	bool first;

	if (record == NULL)
		make();
	first = va == 0 && !has_failed(device);
	r = find(device, wanted);
	if (r == NULL) {
		if (record->nb_ranges == RECORD_RANGES)
			return first;
		r = &record->range[record->nb_ranges];
		*r = (struct record_range){
			.bar = wanted->bar, .type = wanted->type, .mode = wanted->mode,
			.from_table = wanted->from_table, .offset = wanted->offset,
			.length = wanted->length,
		};
		snprintf(r->device, sizeof(r->device), "%s", device);
		record->nb_ranges++;
	}
	r->fd_offset = fd_offset;
	r->va = va;
	r->on = va != 0;
	/* kept when it is on again: it was said */
	if (va == 0)
		snprintf(r->reason, sizeof(r->reason), "%s", reason);
	return first;
}
