/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rte_vfio_wc.h"
#include "vfio_device.h"
#include "vfio_wc_error.h"

#define PAT_LIST "/sys/kernel/debug/x86/pat_memtype_list"
#define MTRR_LIST "/proc/mtrr"

/*
 * Linux spells the types in arch/x86/kernel/cpu/mtrr/mtrr.c (mtrr_strings) and
 * arch/x86/mm/pat/memtype.c (cattr_name). Longest first: "uncached" starts another one.
 */
static const struct {
	const char *linux_name;
	const char *name;
} types[] = {
	{ "uncached-minus", "UC-" },
	{ "uncached", "UC" },
	{ "uncachable", "UC" },
	{ "write-combining", "WC" },
	{ "write-through", "WT" },
	{ "write-protect", "WP" },
	{ "write-back", "WB" },
};

static const char *
type_of(const char *text)
{
	unsigned int i;

	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strncmp(text, types[i].linux_name, strlen(types[i].linux_name)) == 0)
			return types[i].name;
	return "?";
}

/* "PAT: [mem 0x00000000fe000000-0x00000000fe004000] write-combining"; the end is exclusive */
static int
parse_pat(const char *line, uint64_t *start, uint64_t *length)
{
	uint64_t end;
	int type = 0;

	if (sscanf(line, "PAT: [mem %" SCNx64 "-%" SCNx64 "] %n", start, &end, &type) != 2 ||
			type == 0)
		return 0;
	*length = end - *start;
	return type;
}

/* "reg00: base=0x0c0000000 ( 3072MB), size= 1024MB, count=1: uncachable" */
static int
parse_mtrr(const char *line, uint64_t *start, uint64_t *length)
{
	char unit;
	int type = 0;

	if (sscanf(line, "reg%*u: base=%" SCNx64 " (%*u%*cB), size=%" SCNu64 "%cB, count=%*u: %n",
			start, length, &unit, &type) != 3 || type == 0)
		return 0;
	*length <<= unit == 'M' ? 20 : 10;
	return type;
}

static int
list(const char *path, int (*parse)(const char *line, uint64_t *start, uint64_t *length),
		uint64_t start, uint64_t length, struct rte_vfio_wc_memtype *out,
		unsigned int max, struct rte_vfio_wc_error *error)
{
	char *line = NULL;
	size_t size = 0;
	int n = 0;
	FILE *f;

	f = fopen(path, "re");
	if (f == NULL)
		return vfio_wc_fail(error, errno, path, "%s", strerror(errno));

	while (getline(&line, &size, f) > 0) {
		uint64_t s, l, from, to;
		int type = parse(line, &s, &l);

		if (type == 0)
			continue;
		from = s > start ? s : start;
		to = s + l < start + length ? s + l : start + length;
		if (from >= to)
			continue;
		if ((unsigned int)n < max)
			out[n] = (struct rte_vfio_wc_memtype){
				.start = from, .length = to - from, .type = type_of(line + type),
			};
		n++;
	}
	free(line);
	fclose(f);
	return n;
}

int
rte_vfio_wc_pat_list(uint64_t start, uint64_t length, struct rte_vfio_wc_memtype *out,
		unsigned int max, struct rte_vfio_wc_error *error)
{
	return list(PAT_LIST, parse_pat, start, length, out, max, error);
}

int
rte_vfio_wc_mtrr_list(uint64_t start, uint64_t length, struct rte_vfio_wc_memtype *out,
		unsigned int max, struct rte_vfio_wc_error *error)
{
	return list(MTRR_LIST, parse_mtrr, start, length, out, max, error);
}

/* Is all of a physical range reserved as WC? The list is by address. */
static int
is_reserved_wc(uint64_t start, uint64_t length, struct rte_vfio_wc_error *error)
{
	struct rte_vfio_wc_memtype *entries;
	uint64_t next = start;
	int i, n, room;

	room = rte_vfio_wc_pat_list(start, length, NULL, 0, error);
	if (room <= 0)
		return room;
	entries = calloc(room, sizeof(*entries));
	if (entries == NULL)
		return vfio_wc_fail(error, ENOMEM, PAT_LIST, "%s", strerror(ENOMEM));
	n = rte_vfio_wc_pat_list(start, length, entries, room, error);
	for (i = 0; i < n && i < room && entries[i].start <= next; i++)
		if (strcmp(entries[i].type, "WC") == 0 &&
				entries[i].start + entries[i].length > next)
			next = entries[i].start + entries[i].length;
	free(entries);
	return n < 0 ? n : next == start + length;
}

int
rte_vfio_wc_is_wc(const void *addr, uint64_t length, struct rte_vfio_wc_error *error)
{
	const uint64_t page = sysconf(_SC_PAGESIZE), end = (uintptr_t)addr + length;
	uint64_t va, pa, start = 0, run = 0;
	char subject[64];
	int ret;

	snprintf(subject, sizeof(subject), "%p, 0x%" PRIx64 " bytes", addr, length);
	if (length == 0 || end < length)
		return vfio_wc_fail(error, EINVAL, subject, "no bytes, or too many");
	/* pages that follow each other in physical memory, too, are one question */
	for (va = (uintptr_t)addr / page * page; va < end; va += page) {
		ret = vfio_wc_physical((const void *)(uintptr_t)va, &pa);
		if (ret != 0)
			return vfio_wc_fail(error, -ret, subject, "%s",
				ret == -EAGAIN ? "a page of it was never used" :
				ret == -EPERM ? "/proc/self/pagemap does not tell without "
					"CAP_SYS_ADMIN" : strerror(-ret));
		if (run != 0 && pa != start + run) {
			ret = is_reserved_wc(start, run, error);
			if (ret != 1)
				return ret;
			run = 0;
		}
		if (run == 0)
			start = pa;
		run += page;
	}
	return is_reserved_wc(start, run, error);
}
