/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "observe.h"

void
observation_free(struct observation *o)
{
	leaves_free(&o->leaves);
	memset(o, 0, sizeof(*o));
}

static enum wc_status
refuse(const struct observer *ob, enum arm arm, unsigned int bar, uint64_t offset, uint64_t len,
	const char *expected, const char *observed, const char *source, const char *detail)
{
	struct refusal *r = ob->refusal;

	*r = (struct refusal){
		.device = ob->dev->bdf, .arm = arm, .bar = bar, .offset = offset, .len = len,
		.source = source,
	};
	snprintf(r->expected, sizeof(r->expected), "%s", expected);
	snprintf(r->observed, sizeof(r->observed), "%s", observed);
	return fail(WC_REFUSED, "refused: device %s BAR %u 0x%" PRIx64 "+0x%" PRIx64
		": arm %s needs %s here, observed %s (source: %s%s)", ob->dev->bdf, bar, offset,
		len, arm_names[arm], expected, observed, source, detail);
}

static void
count_other(struct observation *o, const char *type)
{
	unsigned int i;

	for (i = 0; i < o->n_others; i++)
		if (strcmp(o->others[i].type, type) == 0)
			break;
	if (i == MAX_TYPES)
		return;
	if (i == o->n_others) {
		snprintf(o->others[i].type, sizeof(o->others[i].type), "%s", type);
		o->n_others++;
	}
	o->others[i].leaves++;
}

/* The type that the range has, and whether that is what the arm needs. */
static enum wc_status
judge_range(const struct observer *ob, enum arm arm, const struct observation *o,
	const char *detail)
{
	const char *expected = arm == ARM_WC ? "WC" : arm == ARM_UC ? "UC-" : ob->plain;

	if (expected[0] == '\0' || strcmp(o->type, expected) == 0)
		return WC_OK;
	return refuse(ob, arm, ob->range->bar, ob->range->offset, ob->range->len, expected,
		o->type, o->source, detail);
}

enum wc_status
observe_judge(const struct observer *ob, enum arm arm, const struct vfio_wc_maps *maps, uint64_t va,
	const struct leaves *all, struct observation *o)
{
	const struct bar_range *range = ob->range;
	enum wc_status st;
	char detail[64] = "";
	size_t i;

	snprintf(o->type, sizeof(o->type), "%s",
		o->leaves.n != 0 ? o->leaves.v[0].type : "unknown");
	for (i = 1; i < o->leaves.n; i++)
		if (strcmp(o->leaves.v[i].type, o->type) != 0)
			strcpy(o->type, "mixed");
	if (o->leaves.n != 0)
		snprintf(detail, sizeof(detail), ", entry 0x%" PRIx64 " at 0x%" PRIx64,
			o->leaves.v[0].pte, o->leaves.v[0].va);
	st = judge_range(ob, arm, o, detail);

	for (i = 0; i < all->n; i++) {
		const struct leaf *l = &all->v[i];
		unsigned int bar;
		uint64_t offset;

		/* Not a BAR; or of the range, all of it: a large page that juts out is not. */
		if (!memtype_at(maps, l->va, &bar, &offset) ||
				(l->va >= va && l->va + l->size <= va + range->len))
			continue;
		count_other(o, l->type);
		if (st != WC_OK || !args_maps(ob->args, arm) || strcmp(l->type, "UC-") == 0)
			continue;
		snprintf(detail, sizeof(detail), ", entry 0x%" PRIx64 " at 0x%" PRIx64, l->pte,
			l->va);
		st = refuse(ob, arm, bar, offset, l->size, "UC-", l->type, o->source, detail);
	}
	return st;
}

static enum wc_status
observe_pte(const struct observer *ob, enum arm arm, const struct vfio_wc_maps *maps, uint64_t va,
	uint64_t pa, struct observation *o)
{
	struct leaves all = { NULL, 0 };
	enum wc_status st;

	o->source = "pte";
	st = witness_walk(ob->witness, ob->cpu, va, ob->range->len, pa, &o->leaves);
	if (st == WC_OK)
		st = witness_mmio(ob->witness, ob->cpu, va, pa, &all);
	if (st == WC_OK)
		st = observe_judge(ob, arm, maps, va, &all, o);
	leaves_free(&all);
	return st;
}

uint64_t
json_u64(const json_t *object, const char *key)
{
	const json_t *j = json_object_get(object, key);

	if (json_is_string(j))
		return strtoull(json_string_value(j), NULL, 0);
	return json_integer_value(j);
}

/* The plugin's word on the range: what the kernel guarantees for the cookie it mapped. */
static enum wc_status
observe_kernel(const struct observer *ob, struct testpmd *t, struct observation *o)
{
	const char *id, *device, *type;
	json_t *ranges, *r;
	enum wc_status st;

	o->source = "kernel";
	strcpy(o->type, "unknown");
	st = testpmd_telemetry(t, "/vfio_wc/ranges", &ranges);
	if (st != WC_OK)
		return st;
	json_object_foreach(ranges, id, r) {
		device = json_string_value(json_object_get(r, "device"));
		type = json_string_value(json_object_get(r, "memory_type"));
		if (device != NULL && type != NULL && strcmp(device, ob->dev->bdf) == 0 &&
				json_u64(r, "bar") == ob->range->bar &&
				json_u64(r, "offset") == ob->range->offset &&
				json_u64(r, "length") == ob->range->len)
			snprintf(o->type, sizeof(o->type), "%s", type);
	}
	json_decref(ranges);
	return st;
}

enum wc_status
observe(const struct observer *ob, enum arm arm, struct testpmd *t, struct observation *o)
{
	const uint64_t pa = ob->dev->bar[ob->range->bar].start + ob->range->offset;
	struct vfio_wc_maps maps;
	enum wc_status st;
	uint64_t va = 0;
	int ret;

	memset(o, 0, sizeof(*o));
	ret = vfio_wc_maps_read(t->pid, &maps);
	if (ret == 0)
		vfio_wc_maps_find_bars(t->pid, ob->dev, &maps);
	st = ret == 0 ? memtype_find_range(ob->dev->bdf, &maps, ob->range, &va) :
		fail(WC_TESTPMD, "mappings of testpmd (pid %d): %s", t->pid, strerror(-ret));
	if (st != WC_OK) {
		free(maps.v);
		return st;
	}
	if (ob->witness >= 0) {
		st = observe_pte(ob, arm, &maps, va, pa, o);
	} else {
		if (args_maps(ob->args, arm) && ob->args->wc_by == WC_BY_PLUGIN) {
			st = observe_kernel(ob, t, o);
		} else {
			snprintf(o->type, sizeof(o->type), "%s",
				memtype_from_list(pa, ob->range->len));
			o->source = strcmp(o->type, "unknown") == 0 ? "none" : "memtype_list";
		}
		if (st == WC_OK)
			st = judge_range(ob, arm, o, "");
	}
	free(maps.v);
	return st;
}
