/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

static const char * const answers[] = { [UNKNOWN] = "unknown", [YES] = "yes", [NO] = "no" };
static const char * const on_off[] = { [UNKNOWN] = "unknown", [YES] = "on", [NO] = "off" };

bool
report_is_incomplete(const struct device *d)
{
	return d->wc == UNKNOWN || d->disagree || (d->cookies == UNKNOWN && !d->not_asked);
}

static const char *
types_text(uint32_t types)
{
	switch (types & 3) {
	case 0: return "none";
	case 1: return "UC-";
	case 2: return "WC";
	default: return "UC- WC";
	}
}

static const char *
size_text(uint64_t size, char *buf, size_t n)
{
	if (size >= 1 << 20 && size % (1 << 20) == 0)
		snprintf(buf, n, "%" PRIu64 "M", size >> 20);
	else if (size >= 1 << 10 && size % (1 << 10) == 0)
		snprintf(buf, n, "%" PRIu64 "K", size >> 10);
	else
		snprintf(buf, n, "%" PRIu64, size);
	return buf;
}

static void
print_bar(const struct device *d, unsigned int bar)
{
	const struct vfio_wc_sysfs_bar *b = &d->sysfs.bar[bar];
	char size[32];
	int i;

	printf("  BAR %u  %6s  %s", bar, size_text(b->size, size, sizeof(size)),
		!b->memory ? "I/O ports\n" : b->is_64 ? "64-bit" : "32-bit");
	if (!b->memory)
		return;
	printf("%s", b->prefetchable ? ", prefetchable" : "");
	if (d->opened)
		printf(", can be mapped as: %s", types_text(d->info[bar].types));
	if (d->opened && d->info[bar].msix_length != 0)
		printf(", MSI-X table in [0x%" PRIx64 ", 0x%" PRIx64 ")", d->info[bar].msix_offset,
			d->info[bar].msix_offset + d->info[bar].msix_length);
	printf("\n");
	if (d->mapper[bar].pid != 0)
		printf("           mapped through sysfs by %s (pid %d): no page of that gets "
			"another memory type\n", d->mapper[bar].name, d->mapper[bar].pid);

	for (i = 0; i < d->nb_pat[bar]; i++) {
		const struct rte_vfio_wc_memtype *m = &d->pat[bar][i];

		printf("           [0x%" PRIx64 ", 0x%" PRIx64 ") is %s\n", m->start - b->start,
			m->start - b->start + m->length, m->type);
	}
	/* a plain mapping reserves nothing: what is not in the list is UC- when mapped */
	if (d->nb_pat[bar] >= 0)
		printf("           %s UC- where mapped\n",
			d->nb_pat[bar] == 0 ? "all" : "the rest");
	else
		printf("           memory type not learnt: %s\n", strerror(-d->nb_pat[bar]));
	for (i = 0; i < d->nb_mtrr[bar]; i++)
		if (strcmp(d->mtrr[bar][i].type, "WC") == 0)
			printf("           an MTRR makes UC- mappings of [0x%" PRIx64 ", 0x%" PRIx64
				") write-combining\n", d->mtrr[bar][i].start - b->start,
				d->mtrr[bar][i].start - b->start + d->mtrr[bar][i].length);
}

/* Only for one who has WC is this a question. */
static bool
pushing_matters(const struct device *d)
{
	return d->wc == YES && json_array_size(d->ranges) > 0;
}

static void
print_range(const json_t *range)
{
	const uint64_t offset = json_integer_value(json_object_get(range, "offset"));

	printf("  %s: BAR %" JSON_INTEGER_FORMAT " [0x%" PRIx64 ", 0x%" PRIx64
		") %s, asked for as %s: %s%s\n",
		json_string_value(json_object_get(range, "by")),
		json_integer_value(json_object_get(range, "bar")), offset, offset +
		(uint64_t)json_integer_value(json_object_get(range, "length")),
		json_string_value(json_object_get(range, "state")),
		json_string_value(json_object_get(range, "requested")),
		json_string_value(json_object_get(range, "reason")),
		json_is_false(json_object_get(range, "in_kernel_list")) ?
		"; not so in the kernel's list of memory types" : "");
}

void
report_text(const struct device *d)
{
	const json_t *range;
	unsigned int bar;
	size_t i;

	printf("%s  %04x:%04x  %s%s", d->sysfs.bdf, d->sysfs.vendor, d->sysfs.device,
		d->sysfs.driver, d->user.pid != 0 ? "" : "\n");
	if (d->user.pid != 0)
		printf("  used by %s (pid %d)\n", d->user.name, d->user.pid);
	if (d->noiommu)
		printf("  no-IOMMU mode: nothing keeps its DMA from any memory\n");
	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++)
		if (d->sysfs.bar[bar].size != 0)
			print_bar(d, bar);
	json_array_foreach(d->ranges, i, range)
		print_range(range);
	if (d->ranges_reason != NULL)
		printf("  plugin: not asked, %s\n", d->ranges_reason);
	printf("  the kernel offers mmap cookies: %s%s%s\n", answers[d->cookies],
		d->cookies == YES ? "" : ", ", d->cookies == YES ? "" : d->cookies_reason);
	if (d->wc == UNKNOWN)
		printf("  whether WC is on could not be learnt: %s\n", d->because);
	else
		printf("  WC is %s because %s\n", on_off[d->wc], d->because);
	if (pushing_matters(d) && d->no_push[0] != '\0')
		printf("  but nobody pushes there: %s (pid %d) was started with %s\n", d->user.name,
			d->user.pid, d->no_push);
	else if (pushing_matters(d))
		printf("  whether the PMD pushes there is the PMD's business, not known here\n");
}

static json_t *
memtypes_json(const struct rte_vfio_wc_memtype *list, int n, uint64_t base)
{
	json_t *array;
	int i;

	if (n < 0)
		return json_null();
	array = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(array, json_pack("{s:I, s:I, s:s}",
			"offset", (json_int_t)(list[i].start - base),
			"length", (json_int_t)list[i].length, "type", list[i].type));
	return array;
}

static json_t *
types_json(const struct device *d, unsigned int bar)
{
	json_t *array;
	unsigned int type;

	if (!d->opened)
		return json_null();
	array = json_array();
	for (type = RTE_VFIO_WC_TYPE_UC; type <= RTE_VFIO_WC_TYPE_WC; type++)
		if ((d->info[bar].types & 1U << type) != 0)
			json_array_append_new(array, json_string(rte_vfio_wc_type_name(type)));
	return array;
}

static json_t *
process_json(const struct vfio_wc_holder *process)
{
	return process->pid == 0 ? json_null() :
		json_pack("{s:i, s:s}", "pid", (int)process->pid, "name", process->name);
}

json_t *
report_json(const struct device *d)
{
	json_t *bars = json_array();
	unsigned int bar;
	char start[32];

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++) {
		const struct vfio_wc_sysfs_bar *b = &d->sysfs.bar[bar];

		if (b->size == 0)
			continue;
		/* a string: physical addresses may need more bits than a double has */
		snprintf(start, sizeof(start), "0x%" PRIx64, b->start);
		json_array_append_new(bars, json_pack(
			"{s:i, s:s, s:I, s:b, s:b, s:b, s:o, s:o, s:o, s:o}",
			"bar", (int)bar, "start", start, "size", (json_int_t)b->size,
			"memory", b->memory, "64bit", b->is_64, "prefetchable", b->prefetchable,
			"types", types_json(d, bar),
			"pat", memtypes_json(d->pat[bar], d->nb_pat[bar], b->start),
			"mtrr", memtypes_json(d->mtrr[bar], d->nb_mtrr[bar], b->start),
			"sysfs_user", process_json(&d->mapper[bar])));
	}
	return json_pack(
		"{s:s, s:i, s:i, s:s, s:b, s:o, s:s, s:s, s:o, s:o, s:s, s:s, s:o, s:s}",
		"device", d->sysfs.bdf, "vendor_id", (int)d->sysfs.vendor, "device_id",
		(int)d->sysfs.device, "driver", d->sysfs.driver, "noiommu", d->noiommu,
		"user", process_json(&d->user),
		"cookies", answers[d->cookies], "cookies_reason", d->cookies_reason,
		"bars", bars, "ranges", d->ranges == NULL ? json_null() : json_deep_copy(d->ranges),
		"wc", on_off[d->wc], "because", d->because,
		"agree", json_boolean(!d->disagree), "no_push", d->no_push);
}
