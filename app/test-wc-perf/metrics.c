/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics.h"

static const struct quantity {
	const char *name;
	const char *unit;
	const char *direction;	/* which is better */
	const char *count;	/* on the bus; NULL: by the clock */
} quantities[] = {
	{ "tx_rate", "packets_per_second", "higher", NULL },
	{ "pcie_writes", "writes_per_packet", "lower", "pcie_writes" },
	{ "pcie_wire_bytes", "bytes_per_packet", "lower", "wire_bytes" },
};

static double
value_of(const struct quantity *q, const struct sample *s)
{
	return q->count == NULL ? s->mpps * 1e6 : bus_per_packet(&s->bus, q->count, s->sent);
}

bool
metrics_counts_equal(const struct arm_result *r)
{
	size_t i;

	for (i = 0; i < r->n; i++)
		if (r->samples[i].counted != r->samples[i].sent)
			return false;
	return true;
}

bool
metrics_levels(const struct args *a, const struct arm_result *over, const struct arm_result *under,
	struct levels *levels)
{
	const size_t n = over->n < under->n ? over->n : under->n;
	double *v;
	size_t i;

	if (n == 0)
		return false;
	v = calloc(2 * n, sizeof(*v));
	if (v == NULL)
		abort();
	for (i = 0; i < n; i++) {
		v[i] = over->samples[i].mpps;
		v[n + i] = under->samples[i].mpps;
	}
	*levels = stats_levels(v, v + n, n, a->turns,
		a->precision > 0 ? STATS_STOPPED : STATS_LEVEL);
	free(v);
	return true;
}

double
metrics_precision(const struct args *a, const struct perf_case *k)
{
	struct levels r;

	if (!metrics_levels(a, &k->arms[ARM_WC], &k->arms[ARM_UC], &r) || !r.has_ci)
		return NAN;
	/* the farther end: logarithms are symmetric */
	return r.high / r.ratio - 1;
}

/* How many like it came before: two ports of one NIC have the same ids. */
static unsigned int
twins_before(const struct result *r, const struct target *t)
{
	const struct target *o;
	unsigned int n = 0;

	for (o = r->targets; o < t; o++)
		n += o->dev.vendor == t->dev.vendor && o->dev.device == t->dev.device &&
			o->range.bar == t->range.bar && o->range.offset == t->range.offset &&
			o->range.len == t->range.len;
	return n;
}

void
metrics_case_id(const struct result *r, const struct perf_case *k, char id[METRIC_ID])
{
	const struct target *t = k->target;
	const unsigned int twins = twins_before(r, t);
	char twin[16] = "";

	if (twins > 0)
		snprintf(twin, sizeof(twin), "#%u", twins + 1);
	snprintf(id, METRIC_ID, "%s/%04x:%04x%s/bar%u+0x%" PRIx64 "+0x%" PRIx64 "/%s/frame%u/"
		"burst%u/queues%u/cores%u", t->pmd, t->dev.vendor, t->dev.device, twin,
		t->range.bar, t->range.offset, t->range.len, r->args->forward, k->frame, k->burst,
		k->queues, r->args->cores);
}

static void
reason(json_t *reasons, bool holds, const char *text)
{
	if (holds)
		json_array_append_new(reasons, json_string(text));
}

bool
metrics_emulated(const struct perf_case *k)
{
	int arm;

	for (arm = 0; arm < N_ARMS; arm++)
		if (k->arms[arm].n > 0 && bus_emulated(&k->arms[arm].samples[0].bus))
			return true;
	return false;
}

/* Why the rates of an arm say less than they seem to. */
static void
arm_reasons(const struct result *r, const struct perf_case *k, enum arm arm, json_t *reasons)
{
	const struct arm_result *a = &k->arms[arm];
	bool shaped = false;
	size_t i;

	for (i = 0; i < a->n; i++)
		shaped = shaped || a->samples[i].shaped > 0;
	reason(reasons, arm == ARM_WC && strcmp(r->probe.honoured, "no") == 0 &&
		!metrics_emulated(k), "this platform ignores memory types");
	reason(reasons, arm != ARM_WC && k->target->mtrr_wc,
		"a write-combining MTRR is over the range");
	reason(reasons, a->seen.source == NULL || strcmp(a->seen.source, "none") == 0,
		"nobody observed the memory type");
	reason(reasons, shaped, "the cloud held packets back: the rate is its limit");
	reason(reasons, k->target->args->backend != NULL && r->compare_counts &&
		!metrics_counts_equal(a), "frames sent and frames that arrived differ");
}

static json_t *
metric_json(const char *case_id, const char *arm, const char *name, const char *unit,
	const char *direction, const char *kind, json_t *reasons, json_t *samples)
{
	return json_pack("{so ss ss ss ss ss ss sb so so}",
		"id", json_sprintf("%s/%s/%s", case_id, arm, name),
		"case", case_id, "arm", arm, "metric", name, "unit", unit,
		"direction", direction, "kind", kind,
		"usable", json_array_size(reasons) == 0, "reasons", reasons, "samples", samples);
}

static void
append_sample(json_t *samples, double value, const struct sample *s)
{
	json_array_append_new(samples, json_pack("{sf sf si si}", "value", value, "at_s", s->at,
		"order", (int)s->order, "start", (int)s->start));
}

/* A clock that an emulator drives measures the emulator. */
static const char *
clock_kind(const char *hypervisor, const struct perf_case *k)
{
	return strcmp(hypervisor, "TCGTCGTCGTCG") == 0 || metrics_emulated(k) ? "emulated" :
		"measured";
}

static void
add_arm(json_t *all, const struct result *r, const struct perf_case *k, enum arm arm,
	const char *kind)
{
	const struct arm_result *a = &k->arms[arm];
	const struct quantity *q;
	json_t *samples, *reasons;
	bool lingers = false;
	char id[METRIC_ID];
	size_t i;

	for (i = 0; i < a->n; i++)
		lingers = lingers || bus_lingers(&a->samples[i].bus);
	metrics_case_id(r, k, id);
	for (q = quantities; q < &quantities[sizeof(quantities) / sizeof(quantities[0])]; q++) {
		samples = json_array();
		reasons = json_array();
		for (i = 0; i < a->n; i++)
			if (q->count == NULL || a->samples[i].bus.counted)
				append_sample(samples, value_of(q, &a->samples[i]), &a->samples[i]);
		if (json_array_size(samples) == 0) {
			json_decref(samples);
			json_decref(reasons);
			continue;
		}
		if (q->count != NULL)
			reason(reasons, lingers,
				"stores linger in write-combining buffers: few writes are no gain");
		else
			arm_reasons(r, k, arm, reasons);
		json_array_append_new(all, metric_json(id, arm_names[arm], q->name, q->unit,
			q->direction, q->count != NULL ? "counted" : kind, reasons, samples));
	}
}

/* Of runs that were neighbours in time; its time and start are the later one's. */
static void
add_ratio(json_t *all, const struct result *r, const struct perf_case *k, enum arm over,
	enum arm under, const char *kind)
{
	const struct arm_result *a = &k->arms[over], *b = &k->arms[under];
	json_t *samples = json_array(), *reasons = json_array();
	const struct sample *later;
	char id[METRIC_ID], arm[16];
	size_t i;

	metrics_case_id(r, k, id);
	for (i = 0; i < a->n && i < b->n; i++) {
		later = a->samples[i].at > b->samples[i].at ? &a->samples[i] : &b->samples[i];
		append_sample(samples, a->samples[i].mpps / b->samples[i].mpps, later);
	}
	arm_reasons(r, k, over, reasons);
	if (json_array_size(reasons) == 0)
		arm_reasons(r, k, under, reasons);
	reason(reasons, over == ARM_WC && strcmp(r->probe.honoured, "unknown") == 0 &&
		!metrics_emulated(k),
		"whether this platform honours memory types is unknown (--probe)");
	snprintf(arm, sizeof(arm), "%s/%s", arm_names[over], arm_names[under]);
	json_array_append_new(all, metric_json(id, arm, "tx_rate", "ratio", "higher", kind,
		reasons, samples));
}

json_t *
metrics_json(const struct result *r, const char *hypervisor)
{
	const struct perf_case *k;
	json_t *all = json_array();
	const char *kind;
	enum arm arm;

	for (k = r->cases; k < &r->cases[r->n_cases]; k++) {
		kind = clock_kind(hypervisor, k);
		for (arm = 0; arm < N_ARMS; arm++)
			if (k->arms[arm].n > 0)
				add_arm(all, r, k, arm, kind);
		if (k->arms[ARM_WC].n > 0 && k->arms[ARM_UC].n > 0)
			add_ratio(all, r, k, ARM_WC, ARM_UC, kind);
		if (k->arms[ARM_UC].n > 0 && k->arms[ARM_PLAIN].n > 0)
			add_ratio(all, r, k, ARM_UC, ARM_PLAIN, kind);
	}
	return all;
}

static bool
says(const json_t *m, const char *key, const char *text)
{
	const char *s = json_string_value(json_object_get(m, key));

	return s != NULL && strcmp(s, text) == 0;
}

const json_t *
metrics_samples(const json_t *metrics, const char *case_id, const char *arm, const char *name)
{
	const json_t *m;
	size_t i;

	json_array_foreach(metrics, i, m)
		if (says(m, "case", case_id) && says(m, "arm", arm) && says(m, "metric", name))
			return json_object_get(m, "samples");
	return NULL;
}
