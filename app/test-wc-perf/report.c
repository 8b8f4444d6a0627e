/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "environment.h"
#include "metrics.h"
#include "report.h"

/* json_pack() format of fixed-width numbers. */
#define J_U64(x) ((json_int_t)(x))

/* 64-bit values that are no quantities: as text, since readers of JSON may keep 53 bits. */
static json_t *
hex(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

static json_t *
leaves_json(const struct leaves *l)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < l->n; i++)
		json_array_append_new(all, json_pack("{so so so sI ss}",
			"va", hex(l->v[i].va), "pa", hex(l->v[i].pa), "pte", hex(l->v[i].pte),
			"size", J_U64(l->v[i].size), "type", l->v[i].type));
	return all;
}

static json_t *
arm_json(const struct arm_result *r, bool backend, bool compare, unsigned int burst)
{
	json_t *sent = json_array(), *dropped = json_array();
	json_t *counted = json_array(), *other = json_array(), *others = json_object();
	json_t *shaped = json_array(), *bus = NULL, *runs = NULL;
	size_t i;

	for (i = 0; i < r->n; i++) {
		json_array_append_new(sent, json_integer(J_U64(r->samples[i].sent)));
		json_array_append_new(dropped, json_integer(J_U64(r->samples[i].dropped)));
		json_array_append_new(counted, json_integer(J_U64(r->samples[i].counted)));
		json_array_append_new(other, json_integer(J_U64(r->samples[i].other)));
		json_array_append_new(shaped, json_integer(J_U64(r->samples[i].shaped)));
	}
	for (i = 0; i < r->seen.n_others; i++)
		json_object_set_new(others, r->seen.others[i].type,
			json_integer(r->seen.others[i].leaves));
	if (!backend) {
		json_decref(counted);
		json_decref(other);
		counted = other = NULL;
	}
	if (!r->counts_shaped) {
		json_decref(shaped);
		shaped = NULL;
	}
	for (i = 0; i < r->n; i++) {
		/* Who counted the one before may be gone. */
		if (!r->samples[i].bus.counted)
			continue;
		bus = bus_json(&r->samples[i].bus, r->samples[i].sent, burst);
		json_object_update_new(bus, json_pack("{sf si si}",
			"at_s", r->samples[i].at, "order", (int)r->samples[i].order,
			"start", (int)r->samples[i].start));
		if (runs == NULL)
			runs = json_array();
		json_array_append_new(runs, bus);
	}
	/* Readers of before know the last one alone. */
	json_incref(bus);
	return json_pack("{ss ss so so so so so* so* so* so so* so*}",
		"memory_type", r->seen.source != NULL ? r->seen.type : "unknown",
		"memory_type_source", r->seen.source != NULL ? r->seen.source : "none",
		"leaves", leaves_json(&r->seen.leaves),
		"other_leaves", others,
		"sent", sent, "dropped", dropped,
		"counted", counted, "counted_other", other, "shaped", shaped,
		"counts_equal", compare ? json_boolean(metrics_counts_equal(r)) : json_null(),
		"bus", bus, "bus_runs", runs);
}

static json_t *
ratio_json(const struct ratio *r)
{
	return json_pack("{sf so sI}", "median", r->median,
		"ci95", r->has_ci ? json_pack("[ff]", r->low, r->high) : json_null(),
		"pairs", J_U64(r->pairs));
}

static json_t *
known(double value)
{
	return isnan(value) ? json_null() : json_real(value);
}

/* Ratio of the rates of two arms; NULL if one of them was not run. */
static json_t *
arms_ratio_json(const struct args *a, const struct arm_result *over, const struct arm_result *under)
{
	struct levels r;

	if (!metrics_levels(a, over, under, &r))
		return NULL;
	return json_pack("{sf sf so sI sI sI so so}", "estimate", r.ratio, "median", r.median,
		"ci95", r.has_ci ? json_pack("[ff]", r.low, r.high) : json_null(),
		"pairs", J_U64(over->n < under->n ? over->n : under->n),
		"starts", J_U64(r.starts), "turns", J_U64(r.turns),
		"sd_start", known(r.sd_start), "sd_turn", known(r.sd_turn));
}

/* What was asked for, and what came of it; NULL: nothing was. */
static json_t *
precision_json(const struct args *a, const struct perf_case *k)
{
	const double got = metrics_precision(a, k);

	if (a->precision == 0)
		return NULL;
	return json_pack("{sf so sb}", "wanted", a->precision, "got", known(got),
		"reached", got <= a->precision);
}

static json_t *
cases_json(const struct result *r)
{
	json_t *all = json_array(), *lcores, *c;
	char id[METRIC_ID];
	unsigned int j;
	size_t i;
	int arm;

	for (i = 0; i < r->n_cases; i++) {
		const struct perf_case *k = &r->cases[i];
		const struct target *t = k->target;
		const bool backend = t->args->backend != NULL;

		/* No testpmd has come up on that device: nothing is known. */
		if (t->pmd[0] == '\0')
			continue;
		lcores = json_array();
		for (j = 0; j < t->place.lcores.n; j++)
			json_array_append_new(lcores, json_integer(t->place.lcores.v[j]));
		metrics_case_id(r, k, id);
		c = json_pack("{ss ss so so ss ss* so si sI sI si si si sb so si}",
			"id", id, "device", t->dev.bdf,
			"vendor_id", json_sprintf("0x%04x", t->dev.vendor),
			"device_id", json_sprintf("0x%04x", t->dev.device), "pmd", t->pmd,
			"firmware", t->firmware[0] != '\0' ? t->firmware : NULL,
			"iommu", environment_iommu(&t->dev), "bar", (int)t->range.bar,
			"offset", J_U64(t->range.offset), "length", J_U64(t->range.len),
			"frame_size", (int)k->frame, "burst", (int)k->burst,
			"queues", (int)k->queues, "mtrr_wc", (int)t->mtrr_wc,
			"lcores", lcores, "numa_node", t->place.node);
		for (arm = 0; arm < N_ARMS; arm++)
			if (r->args->arms[arm])
				json_object_set_new(c, arm_names[arm],
					arm_json(&k->arms[arm], backend,
						backend && r->compare_counts, k->burst));
		json_object_update_new(c, json_pack("{so* so* so*}",
			"ratio", arms_ratio_json(r->args, &k->arms[ARM_WC], &k->arms[ARM_UC]),
			"ratio_uc_plain",
			arms_ratio_json(r->args, &k->arms[ARM_UC], &k->arms[ARM_PLAIN]),
			"precision", precision_json(r->args, k)));
		json_array_append_new(all, c);
	}
	return all;
}

static json_t *
environment_json(const struct result *r)
{
	json_t *warnings = json_array(), *probe = NULL, *env;
	const struct list *lcores = &r->targets[0].place.lcores;
	unsigned int i;

	for (i = 0; warn_text(i) != NULL; i++)
		json_array_append_new(warnings, json_string(warn_text(i)));
	if (r->probe.measured)
		probe = json_pack("{ss si sI sI sf sf so}",
			"device", r->args->probe_device, "bar", (int)r->args->probe.bar,
			"offset", J_U64(r->args->probe.offset),
			"length", J_U64(r->args->probe.len),
			"uc_ns_per_line", r->probe.uc_ns, "wc_ns_per_line", r->probe.wc_ns,
			"ratio", ratio_json(&r->probe.ratio));
	env = environment_machine(lcores->n > 1 ? lcores->v[1] : 0);
	json_object_update_new(env, json_pack("{ss so ss so* so}",
		"dpdk", r->dpdk, "parts", environment_parts(r->args),
		"memory_types_honoured", r->probe.honoured, "probe", probe,
		"warnings", warnings));
	return env;
}

/* What was asked for. */
static json_t *
settings_json(const struct args *a)
{
	json_t *arms = json_array(), *settings;
	int arm;

	for (arm = 0; arm < N_ARMS; arm++)
		if (a->arms[arm])
			json_array_append_new(arms, json_string(arm_names[arm]));
	settings = json_pack("{so so ss ss si si si sf sf so si so so}",
		"command_line", environment_words(a->argv), "arms", arms,
		"wc_by", wc_by_names[a->wc_by],
		"forward", a->forward,
		"cores", (int)a->cores,
		"repeats", (int)a->repeats,
		"turns", (int)a->turns,
		"warmup_s", a->warmup,
		"window_s", a->window,
		"seed", hex(a->seed),
		"mem_mb", (int)a->mem_mb,
		"eal", environment_words(a->eal),
		"testpmd", environment_words(a->testpmd_args));
	if (a->precision > 0)
		json_object_update_new(settings, json_pack("{sf si}", "precision", a->precision,
			"max_repeats", (int)a->max_repeats));
	return settings;
}

static json_t *
refusal_json(const struct result *r)
{
	const struct refusal *f = &r->refusal;

	if (f->device == NULL)
		return NULL;
	return json_pack("{ss ss si sI sI ss ss ss}",
		"device", f->device, "arm", arm_names[f->arm], "bar", (int)f->bar,
		"offset", J_U64(f->offset), "length", J_U64(f->len),
		"expected", f->expected, "observed", f->observed, "source", f->source);
}

json_t *
report_json(const struct result *r)
{
	static const char *const verdict[] = {
		[WC_OK] = "ok", [WC_INTERNAL] = "internal", [WC_USAGE] = "usage",
		[WC_ENVIRONMENT] = "not ready", [WC_REFUSED] = "refused",
		[WC_COUNTS] = "counts differ", [WC_TESTPMD] = "testpmd failed",
		[WC_INTERRUPTED] = "interrupted",
		/* What there is is as good as it says; cases say what is missing. */
		[WC_IMPRECISE] = "ok",
	};
	const char *message = r->running ? "the run has not ended, or it was killed" : fail_text();
	json_t *env, *metrics;

	env = environment_json(r);
	metrics = metrics_json(r, json_string_value(json_object_get(env, "hypervisor")));
	return json_pack("{ss ss ss* ss sf so so so* so so}",
		"schema", REPORT_SCHEMA, "status", r->running ? "running" : verdict[r->status],
		"message", message,
		"started", r->started, "seconds", r->seconds,
		"environment", env, "settings", settings_json(r->args),
		"refused", refusal_json(r), "metrics", metrics, "cases", cases_json(r));
}

/*
 * The table. Everything it says is in the JSON; it can be printed again from there.
 */

static const char *
text_at(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s != NULL ? s : "?";
}

static json_int_t
int_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static double
real_at(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

struct paint {
	const char *good;
	const char *bad;
	const char *strong;
	const char *off;
};

static void
arm_row(const json_t *metrics, const json_t *c, const char *name, bool first, FILE *f,
	const struct paint *paint)
{
	const json_t *arm = json_object_get(c, name);
	const json_t *rates = metrics_samples(metrics, text_at(c, "id"), name, "tx_rate");
	const json_t *equal = json_object_get(arm, "counts_equal");
	const size_t n = json_array_size(rates);
	struct summary s;
	double *v;
	size_t i;

	if (first)
		fprintf(f, "%6d %6d %6d  ", (int)int_at(c, "frame_size"), (int)int_at(c, "burst"),
			(int)int_at(c, "queues"));
	else
		fprintf(f, "%22s", "");
	fprintf(f, "%-6s %-5s %-13s", name, text_at(arm, "memory_type"),
		text_at(arm, "memory_type_source"));
	if (n == 0) {
		fprintf(f, " %9s\n", "-");
		return;
	}
	v = calloc(n, sizeof(*v));
	if (v == NULL)
		abort();
	for (i = 0; i < n; i++)
		v[i] = real_at(json_array_get(rates, i), "value") / 1e6;
	s = stats_summary(v, n);
	free(v);
	fprintf(f, " %9.4f  %9.4f..%-9.4f %4zu", s.median, s.min, s.max, n);
	if (json_is_true(equal))
		fprintf(f, "  %sall frames arrived%s", paint->good, paint->off);
	else if (json_is_false(equal))
		fprintf(f, "  %sframe counts differ%s", paint->bad, paint->off);
	fputc('\n', f);
}

/* Of all runs; part: of an object in each, or NULL. */
static struct summary
of_runs(const json_t *runs, const char *part, const char *key)
{
	const size_t n = json_array_size(runs);
	double *v = calloc(n, sizeof(*v));
	struct summary s;
	size_t i;

	if (v == NULL)
		abort();
	for (i = 0; i < n; i++) {
		const json_t *run = json_array_get(runs, i);

		v[i] = real_at(part != NULL ? json_object_get(run, part) : run, key);
	}
	s = stats_summary(v, n);
	free(v);
	return s;
}

/* What reached the bus, under the rate that it belongs to. */
static void
bus_row(const json_t *c, const char *name, FILE *f, const struct paint *paint)
{
	json_t *bus = json_object_get(json_object_get(c, name), "bus");
	json_t *runs = json_object_get(json_object_get(c, name), "bus_runs");
	struct summary writes, median, worst;
	bool lingers = false;
	size_t i;

	if (bus == NULL || (runs != NULL && json_array_size(runs) == 0))
		return;
	/* Files of before have the last run. */
	runs = runs != NULL ? json_incref(runs) : json_pack("[O]", bus);
	for (i = 0; i < json_array_size(runs); i++)
		lingers = lingers || json_is_true(json_object_get(json_object_get(
			json_array_get(runs, i), "residency"), "lingers"));
	writes = of_runs(runs, NULL, "pcie_writes_per_packet");
	fprintf(f, "%22s       a packet: %.3f PCIe writes", "", writes.median);
	if (json_array_size(runs) > 1)
		fprintf(f, " (%.3f..%.3f in all runs)", writes.min, writes.max);
	fprintf(f, ", %.1f bytes on the wire, %.3f partial lines, %.3f fences\n",
		of_runs(runs, NULL, "wire_bytes_per_packet").median,
		of_runs(runs, NULL, "partial_lines_per_packet").median,
		of_runs(runs, NULL, "fences_per_packet").median);
	median = of_runs(runs, "residency", "median");
	worst = of_runs(runs, "residency", "worst");
	if (of_runs(runs, "residency", "stores").max > 0)
		fprintf(f, "%22s       stores wait in a WC buffer for %.0f instructions (median), "
			"%.0f (99%%), %.0f (worst)%s%s%s\n", "", median.median,
			of_runs(runs, "residency", "p99").median, worst.max,
			lingers ? paint->bad : "", lingers ? ": nobody flushes in time" : "",
			lingers ? paint->off : "");
	json_decref(runs);
}

/* What one of them adds, as standard deviation. */
static void
noise(const char *what, const json_t *sd, FILE *f)
{
	if (json_is_number(sd))
		fprintf(f, "; a %s adds %.1f%%", what, 100 * json_number_value(sd));
}

static void
ratio_row(const json_t *c, const char *key, const char *label, FILE *f, const struct paint *paint)
{
	const json_t *ratio = json_object_get(c, key);
	const json_t *ci = json_object_get(ratio, "ci95");
	/* Files of before have a start for each run. */
	const bool has_turns = json_object_get(ratio, "turns") != NULL;

	if (ratio == NULL)
		return;
	fprintf(f, "%22s%s%s %.3f%s, ", "", paint->strong, label,
		real_at(ratio, has_turns ? "estimate" : "median"), paint->off);
	if (json_array_size(ci) == 2)
		fprintf(f, "95%% interval %.3f..%.3f", json_number_value(json_array_get(ci, 0)),
			json_number_value(json_array_get(ci, 1)));
	else
		fprintf(f, "too few starts for a 95%% interval");
	fprintf(f, " (starts: %d, turns: %d", (int)int_at(ratio, has_turns ? "starts" : "pairs"),
		has_turns ? (int)int_at(ratio, "turns") : 1);
	noise("start", json_object_get(ratio, "sd_start"), f);
	noise("turn", json_object_get(ratio, "sd_turn"), f);
	fprintf(f, ")\n");
}

static void
precision_row(const json_t *c, FILE *f, const struct paint *paint)
{
	const json_t *precision = json_object_get(c, "precision");
	const json_t *got = json_object_get(precision, "got");
	const bool reached = json_is_true(json_object_get(precision, "reached"));

	if (precision == NULL)
		return;
	fprintf(f, "%22s%sprecision of wc/uc: ", "", reached ? paint->good : paint->bad);
	if (json_is_number(got))
		fprintf(f, "within %.2g%%", 100 * json_number_value(got));
	else
		fprintf(f, "unknown");
	fprintf(f, ", %.2g%% was asked for%s%s\n", 100 * real_at(precision, "wanted"),
		reached ? "" : ": not reached", paint->off);
}

static bool
same_target(const json_t *a, const json_t *b)
{
	return b != NULL && strcmp(text_at(a, "device"), text_at(b, "device")) == 0 &&
		int_at(a, "bar") == int_at(b, "bar") && int_at(a, "offset") == int_at(b, "offset");
}

static void
target_header(const json_t *c, FILE *f)
{
	fprintf(f, "\nDevice %s, PMD %s, BAR %d, 0x%llx..0x%llx\n", text_at(c, "device"),
		text_at(c, "pmd"), (int)int_at(c, "bar"), int_at(c, "offset"),
		int_at(c, "offset") + int_at(c, "length") - 1);
	fprintf(f, "%6s %6s %6s  %-6s %-5s %-13s %9s  %-20s %4s\n", "frame", "burst",
		"queues", "arm", "type", "observed by", "Mpps", " smallest..largest", "runs");
}

/* A cloud's limit is the same for each memory type: there is nothing to be seen of them beyond. */
static void
shaped_row(const json_t *arm, FILE *f, const struct paint *paint)
{
	const json_t *counts = json_object_get(arm, "shaped"), *count;
	long long shaped = 0;
	size_t i;

	json_array_foreach(counts, i, count)
		shaped += json_integer_value(count);
	if (shaped > 0)
		fprintf(f, "%22s       %sthe cloud held back %lld packets (*_allowance_exceeded): "
			"this rate is its limit%s\n", "", paint->bad, shaped, paint->off);
}

/* What writes were made to cost; NULL: nothing. It is the same in all runs. */
static const json_t *
emulation(const json_t *cases)
{
	const json_t *c, *found = NULL;
	size_t i, arm;

	json_array_foreach(cases, i, c)
		for (arm = 0; found == NULL && arm < N_ARMS; arm++)
			found = json_object_get(json_object_get(json_object_get(c, arm_names[arm]),
				"bus"), "emulated");
	return found;
}

/* What the reader must know before believing a ratio. */
static void
notes(const json_t *result, FILE *f, const struct paint *paint)
{
	const json_t *env = json_object_get(result, "environment");
	const json_t *probe = json_object_get(env, "probe");
	const json_t *ratio = json_object_get(probe, "ratio");
	const json_t *w, *c;
	const char *honoured = text_at(env, "memory_types_honoured");
	const json_t *emulated = emulation(json_object_get(result, "cases"));
	size_t i;

	if (probe != NULL) {
		const json_t *ci = json_object_get(ratio, "ci95");

		fprintf(f, "Stores to %s BAR %d: a 64-byte line takes %.1f ns uncached, %.1f ns "
			"write-combining; uncached/write-combining %.2f, 95%% interval "
			"%.2f..%.2f.\n", text_at(probe, "device"), (int)int_at(probe, "bar"),
			real_at(probe, "uc_ns_per_line"), real_at(probe, "wc_ns_per_line"),
			real_at(ratio, "median"), json_number_value(json_array_get(ci, 0)),
			json_number_value(json_array_get(ci, 1)));
	}
	if (emulated != NULL)
		fprintf(f, "%s*Emulated*: an instruction takes %.0f ns, a PCIe write as long as "
			"%.1f of them uncached, %.1f from a WC buffer: rates and ratios are of "
			"such a machine, not of any hardware.%s\n", paint->strong,
			real_at(emulated, "instruction_ns"), real_at(emulated, "uc_instructions"),
			real_at(emulated, "wc_instructions"), paint->off);
	else if (strcmp(honoured, "no") == 0)
		fprintf(f,
			"%sThis platform ignores memory types: the ratios mean nothing here.%s\n",
			paint->strong, paint->off);
	else if (strcmp(honoured, "yes") != 0)
		fprintf(f, "%sWhether this platform honours memory types is unknown (see --probe): "
			"until it is known, the ratios mean nothing.%s\n",
			paint->strong, paint->off);
	json_array_foreach(json_object_get(result, "cases"), i, c)
		if (json_is_true(json_object_get(c, "mtrr_wc")))
			fprintf(f, "%sDevice %s: the range is under a write-combining MTRR: its "
				"UC- pages are write-combining in effect, the uc and plain runs "
				"are spoiled.%s\n", paint->bad, text_at(c, "device"), paint->off);
	json_array_foreach(json_object_get(env, "warnings"), i, w)
		fprintf(f, "Warning: %s.\n", json_string_value(w));
	if (strcmp(text_at(result, "status"), "ok") != 0)
		fprintf(f, "%sStatus: %s.%s\n", paint->bad, text_at(result, "status"), paint->off);
}

void
report_table(const json_t *result, FILE *f, bool colour)
{
	static const struct paint plain = { "", "", "", "" };
	static const struct paint ansi = { "\033[32m", "\033[31m", "\033[1m", "\033[0m" };
	const struct paint *paint = colour ? &ansi : &plain;
	const json_t *env = json_object_get(result, "environment");
	const json_t *cases = json_object_get(result, "cases");
	const json_t *metrics = json_object_get(result, "metrics");
	const json_t *c;
	size_t i, arm;
	bool first;

	if (json_array_size(cases) == 0)
		return;
	fprintf(f, "%s, kernel %s, %s, hypervisor %s\n", text_at(env, "dpdk"),
		text_at(env, "kernel"), text_at(env, "cpu"), text_at(env, "hypervisor"));
	json_array_foreach(cases, i, c) {
		if (!same_target(c, json_array_get(cases, i - 1)))
			target_header(c, f);
		first = true;
		for (arm = 0; arm < N_ARMS; arm++) {
			if (json_object_get(c, arm_names[arm]) == NULL)
				continue;
			arm_row(metrics, c, arm_names[arm], first, f, paint);
			bus_row(c, arm_names[arm], f, paint);
			shaped_row(json_object_get(c, arm_names[arm]), f, paint);
			first = false;
		}
		ratio_row(c, "ratio", "wc/uc", f, paint);
		precision_row(c, f, paint);
		ratio_row(c, "ratio_uc_plain", "uc/plain", f, paint);
	}
	fputc('\n', f);
	notes(result, f, paint);
}

static int
dump(const json_t *result, FILE *f)
{
	int err = 0;

	if (json_dumpf(result, f, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) < 0 ||
			fputc('\n', f) == EOF || fflush(f) != 0)
		err = errno != 0 ? errno : EIO;
	return err;
}

static int
write_through(const json_t *result, const char *path)
{
	FILE *f = fopen(path, "we");
	int err;

	if (f == NULL)
		return errno;
	err = dump(result, f);
	return fclose(f) != 0 && err == 0 ? errno : err;
}

/* So that the new name is on the disk, too. */
static void
sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int fd;

	snprintf(dir, sizeof(dir), "%.*s", slash != NULL ? (int)(slash - path) + 1 : 1,
		slash != NULL ? path : ".");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
}

/* A new file beside the old one, which it replaces when it is on the disk. */
static int
replace(const json_t *result, const char *path, mode_t mode)
{
	char temporary[PATH_MAX];
	int err, fd;
	FILE *f;

	if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
		return ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return errno;
	f = fdopen(fd, "w");
	if (f == NULL)
		abort();
	err = dump(result, f);
	if (err == 0 && (fchmod(fd, mode) != 0 || fsync(fd) != 0))
		err = errno;
	if (fclose(f) != 0 && err == 0)
		err = errno;
	if (err == 0 && rename(temporary, path) != 0)
		err = errno;
	if (err != 0)
		unlink(temporary);
	else
		sync_directory(path);
	return err;
}

enum wc_status
report_write(const json_t *result, const char *path)
{
	const mode_t mask = umask(0);
	char file[PATH_MAX], text[PATH_MAX + 128];
	struct stat old;
	int err;

	umask(mask);
	errno = 0;
	if (stat(path, &old) != 0)
		err = replace(result, path, 0666 & ~mask);
	else if (!S_ISREG(old.st_mode))
		err = write_through(result, path);
	else if (realpath(path, file) == NULL)
		err = errno;
	else
		err = replace(result, file, old.st_mode & 07777);
	if (err == 0)
		return WC_OK;
	snprintf(text, sizeof(text), "cannot write %s: %s", path, strerror(err));
	/* Where something else failed before, that is the failure; this is lost all the same. */
	if (fail_text() != NULL && strcmp(fail_text(), text) != 0)
		warn("%s", text);
	return fail(WC_INTERNAL, "%s", text);
}

enum wc_status
report_read(const char *path, json_t **result)
{
	json_error_t error;

	*result = json_load_file(path, 0, &error);
	if (*result == NULL)
		return fail(WC_USAGE, "%s: %s", path, error.text);
	if (strcmp(text_at(*result, "schema"), REPORT_SCHEMA) != 0) {
		json_decref(*result);
		*result = NULL;
		return fail(WC_USAGE, "%s: not of schema %s; dpdk-wc-results reads older ones",
			path, REPORT_SCHEMA);
	}
	return WC_OK;
}
