/* SPDX-License-Identifier: BSD-3-Clause */

#include <math.h>
#include <stdlib.h>

#include "test.h"
#include "metrics.h"

/* What nobody may mistake for another run's: each arm has figures of its own. */
static struct args args = {
	.repeats = 3, .turns = 1, .forward = "txonly", .arms = { true, true, true },
	.targets = { { .device = "0000:00:03.0", .backend = "net0" } }, .n_targets = 1,
};
static struct sample samples[N_ARMS][3];
static struct perf_case one = { .frame = 64, .burst = 32, .queues = 1 };
static struct result result;

static int
setup(void **state)
{
	static const double mpps[N_ARMS] = { [ARM_PLAIN] = 1, [ARM_UC] = 2, [ARM_WC] = 8 };
	int arm, i;

	result = (struct result){
		.args = &args, .compare_counts = true, .probe.honoured = "yes", .cases = &one,
		.n_cases = 1, .targets = { { .args = &args.targets[0], .pmd = "net_virtio" } },
	};
	one.target = &result.targets[0];
	args.turns = 1;
	for (arm = 0; arm < N_ARMS; arm++) {
		one.arms[arm] = (struct arm_result){
			.samples = samples[arm], .n = 3, .seen = { .source = "pte" },
		};
		strcpy(one.arms[arm].seen.type, arm == ARM_WC ? "WC" : "UC-");
		for (i = 0; i < 3; i++)
			samples[arm][i] = (struct sample){
				.at = 3 * i + arm, .order = 1 + 3 * i + arm, .start = 5 + i,
				.mpps = mpps[arm] * (1 << i),
				.sent = 100 + 10 * arm + i,
				.counted = 100 + 10 * arm + i, .dropped = i, .other = i,
			};
	}
	return forget_failure(state);
}

static json_t *
at(const json_t *json, const char *arm, const char *key)
{
	return json_object_get(json_object_get(
		json_array_get(json_object_get(json, "cases"), 0), arm), key);
}

static const json_t *
samples_of(const json_t *json, const char *arm, const char *name)
{
	const json_t *id = json_object_get(json_array_get(json_object_get(json, "cases"), 0), "id");

	return metrics_samples(json_object_get(json, "metrics"), json_string_value(id), arm, name);
}

static const json_t *
metric(const json_t *json, const char *arm, const char *name)
{
	const json_t *m;
	size_t i;

	json_array_foreach(json_object_get(json, "metrics"), i, m)
		if (strcmp(json_string_value(json_object_get(m, "arm")), arm) == 0 &&
				strcmp(json_string_value(json_object_get(m, "metric")), name) == 0)
			return m;
	print_error("no %s of %s\n", name, arm);
	assert_true(false);
	return NULL;
}

/* Is it usable, and if not, does the first reason have these words? */
static void
assert_usable(const char *arm, const char *name, const char *why_not)
{
	json_t *json = report_json(&result);
	const json_t *m = metric(json, arm, name), *first;

	first = json_array_get(json_object_get(m, "reasons"), 0);
	assert_int_equal(json_is_true(json_object_get(m, "usable")), why_not == NULL);
	assert_int_equal(first == NULL, why_not == NULL);
	if (why_not != NULL)
		assert_non_null(strstr(json_string_value(first), why_not));
	json_decref(json);
}

/* All runs, in order, under the arm that they were of. */
static void
runs_stand_with_their_arm(void **state)
{
	static const char *const keys[] = { "sent", "counted", "dropped", "counted_other" };
	json_t *json = report_json(&result), *values;
	const json_t *one_of;
	size_t arm, key, i;

	(void)state;
	for (arm = 0; arm < N_ARMS; arm++) {
		for (key = 0; key < sizeof(keys) / sizeof(keys[0]); key++)
			assert_int_equal(json_array_size(at(json, arm_names[arm], keys[key])), 3);
		for (i = 0; i < 3; i++) {
			const struct sample *s = &samples[arm][i];

			one_of = json_array_get(samples_of(json, arm_names[arm], "tx_rate"), i);
			assert_true(json_number_value(json_object_get(one_of, "value")) ==
				s->mpps * 1e6);
			assert_true(json_number_value(json_object_get(one_of, "at_s")) == s->at);
			assert_int_equal(json_integer_value(json_object_get(one_of, "order")),
				s->order);
			assert_int_equal(json_integer_value(json_object_get(one_of, "start")),
				s->start);
			values = at(json, arm_names[arm], "sent");
			assert_int_equal(json_integer_value(json_array_get(values, i)), s->sent);
			values = at(json, arm_names[arm], "counted");
			assert_int_equal(json_integer_value(json_array_get(values, i)), s->counted);
		}
		assert_string_equal(json_string_value(at(json, arm_names[arm], "memory_type")),
			arm == ARM_WC ? "WC" : "UC-");
	}
	json_decref(json);
}

static void
ratios_are_wc_over_uc_and_uc_over_plain(void **state)
{
	json_t *json = report_json(&result);
	const json_t *sample;

	(void)state;
	assert_true(json_number_value(at(json, "ratio", "median")) == 4);
	assert_true(fabs(json_number_value(at(json, "ratio", "estimate")) - 4) < 1e-9);
	assert_int_equal(json_integer_value(at(json, "ratio", "pairs")), 3);
	assert_int_equal(json_integer_value(at(json, "ratio", "starts")), 3);
	assert_int_equal(json_array_size(at(json, "ratio", "ci95")), 2);
	assert_true(json_is_null(at(json, "ratio", "sd_start")));
	assert_true(json_number_value(at(json, "ratio_uc_plain", "median")) == 2);
	sample = json_array_get(samples_of(json, "wc/uc", "tx_rate"), 2);
	assert_true(json_number_value(json_object_get(sample, "value")) == 4);
	assert_true(json_number_value(json_object_get(sample, "at_s")) == 6 + ARM_WC);
	assert_int_equal(json_integer_value(json_object_get(sample, "start")), 7);
	sample = json_array_get(samples_of(json, "uc/plain", "tx_rate"), 0);
	assert_true(json_number_value(json_object_get(sample, "value")) == 2);
	json_decref(json);
}

/* Of the first start; the other one was cut short and does not count. */
static void
noise_is_of_starts_and_turns(void **state)
{
	json_t *json;
	char *table;
	size_t size;
	FILE *f;

	(void)state;
	samples[ARM_WC][1].mpps *= 4;
	args.turns = 2;
	json = report_json(&result);
	assert_true(fabs(json_number_value(at(json, "ratio", "estimate")) - 8) < 1e-9);
	assert_int_equal(json_integer_value(at(json, "ratio", "starts")), 1);
	assert_int_equal(json_integer_value(at(json, "ratio", "turns")), 2);
	assert_true(json_is_null(at(json, "ratio", "ci95")));
	assert_true(json_is_null(at(json, "ratio", "sd_start")));
	assert_true(fabs(json_number_value(at(json, "ratio", "sd_turn")) - M_SQRT2 * M_LN2) < 1e-9);
	f = open_memstream(&table, &size);
	report_table(json, f, false);
	fclose(f);
	assert_non_null(strstr(table, "wc/uc 8.000, too few starts for a 95% interval (starts: 1, "
		"turns: 2; a turn adds 98.0%)"));
	free(table);
	json_decref(json);
}

/* In the table, with what was got; nothing where nothing was asked for. */
static void
precision_is_told(void **state)
{
	static const struct {
		double wanted;
		const char *said;
	} table[] = {
		{ 0.5, "precision of wc/uc: within 0%, 50% was asked for\n" },
		{ 0.01, "precision of wc/uc: within 16%, 1% was asked for: not reached\n" },
		{ 0, NULL },
	};
	char *text;
	size_t size, i;
	json_t *json;
	FILE *f;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		args.precision = table[i].wanted;
		if (i == 1)
			samples[ARM_WC][2].mpps *= 1.08;
		json = report_json(&result);
		f = open_memstream(&text, &size);
		report_table(json, f, false);
		fclose(f);
		if (table[i].said == NULL) {
			assert_null(strstr(text, "precision"));
			assert_null(json_object_get(json_object_get(json, "settings"),
				"precision"));
		} else {
			if (strstr(text, table[i].said) == NULL)
				print_error("%s", text);
			assert_non_null(strstr(text, table[i].said));
		}
		free(text);
		json_decref(json);
	}
}

/* Of the same version of the schema, before arms took turns. */
static void
files_of_before_are_shown(void **state)
{
	static const char *const later[] = { "estimate", "starts", "turns", "sd_start", "sd_turn" };
	json_t *json = report_json(&result);
	char *table;
	size_t size, i;
	FILE *f;

	(void)state;
	for (i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		json_object_del(json_object_get(json_array_get(json_object_get(json, "cases"), 0),
			"ratio"), later[i]);
	f = open_memstream(&table, &size);
	report_table(json, f, false);
	fclose(f);
	assert_non_null(strstr(table, "wc/uc 4.000, 95% interval 4.000..4.000 (starts: 3, "
		"turns: 1)"));
	free(table);
	json_decref(json);
}

/* One frame in one run is enough. */
static void
frames_that_got_lost_are_told(void **state)
{
	json_t *json;

	(void)state;
	samples[ARM_UC][2].counted--;
	json = report_json(&result);
	assert_true(json_is_true(at(json, "plain", "counts_equal")));
	assert_true(json_is_false(at(json, "uc", "counts_equal")));
	assert_true(json_is_true(at(json, "wc", "counts_equal")));
	json_decref(json);
	result.compare_counts = false;
	json = report_json(&result);
	assert_true(json_is_null(at(json, "uc", "counts_equal")));
	json_decref(json);
}

/* In one run of one arm: the reader of the table must see it. */
static void
what_the_cloud_held_back_is_told(void **state)
{
	char *table = NULL;
	size_t size;
	json_t *json = report_json(&result);
	FILE *f;

	(void)state;
	assert_null(at(json, "wc", "shaped"));
	json_decref(json);
	one.arms[ARM_WC].counts_shaped = true;
	samples[ARM_WC][1].shaped = 77;
	json = report_json(&result);
	assert_null(at(json, "uc", "shaped"));
	assert_int_equal(json_integer_value(json_array_get(at(json, "wc", "shaped"), 0)), 0);
	assert_int_equal(json_integer_value(json_array_get(at(json, "wc", "shaped"), 1)), 77);
	f = open_memstream(&table, &size);
	report_table(json, f, false);
	fclose(f);
	assert_non_null(strstr(table, "the cloud held back 77 packets (*_allowance_exceeded)"));
	free(table);
	json_decref(json);
	/* the limit of both arms: no ratio of memory types */
	assert_usable("wc", "tx_rate", "the rate is its limit");
	assert_usable("wc/uc", "tx_rate", "the rate is its limit");
	assert_usable("uc/plain", "tx_rate", NULL);
}

/* What calls itself a result and has other things in it: odd, but no crash. */
static void
what_is_no_result_is_no_end(void **state)
{
	json_t *json = report_json(&result), *c, *bus;
	size_t size, i;
	char *table;
	FILE *f;

	(void)state;
	c = json_array_get(json_object_get(json, "cases"), 0);
	bus = json_pack("{s{} s[]}", "bus", "bus_runs");
	json_object_update(json_object_get(c, "wc"), bus);
	json_decref(bus);
	json_array_append_new(json_object_get(json, "metrics"), json_object());
	json_array_append_new(json_object_get(json, "metrics"), json_null());
	for (i = 0; i < 2; i++) {
		f = open_memstream(&table, &size);
		report_table(json, f, false);
		fclose(f);
		free(table);
		json_object_del(c, "id");
	}
	json_decref(json);
}

static void
a_case_is_the_same_in_another_slot(void **state)
{
	const char *want = "net_virtio/1af4:1041/bar4+0x3000+0x1000/txonly/frame64/burst32/queues1/"
		"cores2";
	struct perf_case other;
	char id[METRIC_ID];

	(void)state;
	args.cores = 2;
	result.targets[0].dev.vendor = 0x1af4;
	result.targets[0].dev.device = 0x1041;
	result.targets[0].range = (struct bar_range){ 4, 0x3000, 0x1000 };
	strcpy(result.targets[0].dev.bdf, "0000:00:03.0");
	metrics_case_id(&result, &one, id);
	assert_string_equal(id, want);
	strcpy(result.targets[0].dev.bdf, "0000:81:00.0");
	metrics_case_id(&result, &one, id);
	assert_string_equal(id, want);
	/* its twin is another one, whatever stands between the fields */
	result.targets[1] = result.targets[0];
	memset(&result.targets[1].range, 0xff, sizeof(result.targets[1].range));
	result.targets[1].range.bar = 4;
	result.targets[1].range.offset = 0x3000;
	result.targets[1].range.len = 0x1000;
	other = one;
	other.target = &result.targets[1];
	metrics_case_id(&result, &other, id);
	assert_non_null(strstr(id, "/1af4:1041#2/"));
}

static void
what_may_not_be_used_says_why(void **state)
{
	(void)state;
	assert_usable("wc/uc", "tx_rate", NULL);
	result.probe.honoured = "unknown";
	assert_usable("wc/uc", "tx_rate", "unknown (--probe)");
	assert_usable("wc", "tx_rate", NULL);
	result.probe.honoured = "no";
	assert_usable("wc/uc", "tx_rate", "ignores memory types");
	assert_usable("wc", "tx_rate", "ignores memory types");
	assert_usable("uc", "tx_rate", NULL);
	assert_usable("uc/plain", "tx_rate", NULL);
	result.probe.honoured = "yes";
	result.targets[0].mtrr_wc = true;
	assert_usable("wc", "tx_rate", NULL);
	assert_usable("wc/uc", "tx_rate", "MTRR");
	assert_usable("uc", "tx_rate", "MTRR");
	result.targets[0].mtrr_wc = false;
	one.arms[ARM_WC].seen.source = NULL;
	assert_usable("wc", "tx_rate", "nobody observed");
	one.arms[ARM_WC].seen.source = "pte";
	/* as observe() has it where the list of memory types cannot be read */
	one.arms[ARM_PLAIN].seen.source = "none";
	assert_usable("plain", "tx_rate", "nobody observed");
	assert_usable("uc/plain", "tx_rate", "nobody observed");
	assert_usable("wc/uc", "tx_rate", NULL);
	one.arms[ARM_PLAIN].seen.source = "pte";
	samples[ARM_UC][2].counted--;
	assert_usable("uc", "tx_rate", "arrived differ");
	assert_usable("uc/plain", "tx_rate", "arrived differ");
}

static void
set_counts(struct sample *s, double writes, double residency)
{
	bus_free(&s->bus);
	s->bus.counted = true;
	s->bus.values = json_pack("{sf sf sf sf}", "pcie_writes", writes * s->sent,
		"wc_stores", 1.0, "residency_median", residency, "residency_worst", residency);
}

static void
counts_are_of_every_run(void **state)
{
	json_t *json, *runs;
	const json_t *m;
	char *table;
	size_t size, i;
	FILE *f;

	(void)state;
	for (i = 0; i < 3; i++)
		set_counts(&samples[ARM_WC][i], 10 + 2 * i, BUS_LINGER - i);
	json = report_json(&result);
	m = metric(json, "wc", "pcie_writes");
	assert_string_equal(json_string_value(json_object_get(m, "kind")), "counted");
	assert_string_equal(json_string_value(json_object_get(m, "direction")), "lower");
	m = json_array_get(samples_of(json, "wc", "pcie_writes"), 1);
	assert_true(json_number_value(json_object_get(m, "value")) == 12);
	assert_null(samples_of(json, "uc", "pcie_writes"));
	/* all that was counted, with when it was */
	runs = at(json, "wc", "bus_runs");
	assert_int_equal(json_array_size(runs), 3);
	for (i = 0; i < 3; i++) {
		m = json_array_get(runs, i);
		assert_int_equal(json_integer_value(json_object_get(m, "packets")),
			samples[ARM_WC][i].sent);
		assert_true(json_number_value(json_object_get(m, "pcie_writes_per_packet")) ==
			10 + 2 * i);
		assert_true(json_number_value(json_object_get(m, "at_s")) ==
			samples[ARM_WC][i].at);
		assert_int_equal(json_integer_value(json_object_get(m, "order")),
			samples[ARM_WC][i].order);
		assert_int_equal(json_integer_value(json_object_get(m, "start")), 5 + i);
	}
	assert_true(json_equal(at(json, "wc", "bus"), json_array_get(runs, 2)));
	assert_null(at(json, "uc", "bus_runs"));
	f = open_memstream(&table, &size);
	report_table(json, f, false);
	fclose(f);
	assert_non_null(strstr(table, "a packet: 12.000 PCIe writes (10.000..14.000 in all runs)"));
	assert_non_null(strstr(table, "for 999 instructions (median), 0 (99%), 1000 (worst)\n"));
	free(table);
	json_decref(json);
	assert_usable("wc", "pcie_writes", NULL);
	/* what nobody counted is no zero, and keeps nothing from the rest */
	bus_free(&samples[ARM_WC][0].bus);
	json = report_json(&result);
	assert_int_equal(json_array_size(samples_of(json, "wc", "pcie_writes")), 2);
	m = json_array_get(samples_of(json, "wc", "pcie_writes"), 0);
	assert_true(json_number_value(json_object_get(m, "value")) == 12);
	assert_int_equal(json_array_size(at(json, "wc", "bus_runs")), 2);
	assert_int_equal(json_array_size(samples_of(json, "wc", "tx_rate")), 3);
	json_decref(json);
	set_counts(&samples[ARM_WC][0], 10, 1);
	/* in one of them is enough, whichever it is */
	set_counts(&samples[ARM_WC][1], 10, BUS_LINGER + 1);
	assert_usable("wc", "pcie_writes", "linger");
	for (i = 0; i < 3; i++)
		bus_free(&samples[ARM_WC][i].bus);
}

/* Where writes were made to cost something, types matter, and no clock is of hardware. */
static void
what_is_emulated_says_so(void **state)
{
	static const char *const arms[] = { "uc", "wc", "wc/uc" };
	json_t *json;
	char *table;
	size_t size, i;
	FILE *f;

	(void)state;
	result.probe.honoured = "no";
	assert_usable("wc", "tx_rate", "ignores memory types");
	for (i = 0; i < 3; i++) {
		set_counts(&samples[ARM_WC][i], 10, 1);
		json_object_update_new(samples[ARM_WC][i].bus.values, json_pack("{sf sf sf sf}",
			"pace_ps", 250000.0, "pace_uc", 306360.0, "pace_wc", 126250.0,
			"late_ns", 1.5e9));
	}
	assert_usable("wc", "tx_rate", NULL);
	assert_usable("wc/uc", "tx_rate", NULL);
	result.probe.honoured = "unknown";
	assert_usable("wc/uc", "tx_rate", NULL);
	json = report_json(&result);
	for (i = 0; i < 3; i++)
		assert_string_equal(json_string_value(json_object_get(metric(json, arms[i],
			"tx_rate"), "kind")), "emulated");
	assert_string_equal(json_string_value(json_object_get(metric(json, "wc", "pcie_writes"),
		"kind")), "counted");
	f = open_memstream(&table, &size);
	report_table(json, f, false);
	fclose(f);
	assert_non_null(strstr(table, "*Emulated*: an instruction takes 250 ns, a PCIe write as "
		"long as 306.4 of them uncached, 126.2 from a WC buffer"));
	assert_null(strstr(table, "ratios mean nothing"));
	free(table);
	json_decref(json);
	for (i = 0; i < 3; i++)
		bus_free(&samples[ARM_WC][i].bus);
}

static void
the_status_is_how_it_ended(void **state)
{
	static const char *const words[] = {
		[WC_OK] = "ok", [WC_INTERNAL] = "internal", [WC_USAGE] = "usage",
		[WC_ENVIRONMENT] = "not ready", [WC_REFUSED] = "refused",
		[WC_COUNTS] = "counts differ", [WC_TESTPMD] = "testpmd failed",
		[WC_INTERRUPTED] = "interrupted", [WC_IMPRECISE] = "ok",
	};
	json_t *json;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		result.status = i;
		json = report_json(&result);
		assert_string_equal(json_string_value(json_object_get(json, "status")), words[i]);
		json_decref(json);
	}
}

static void
a_refusal_says_what_was_seen(void **state)
{
	json_t *json, *refused;

	(void)state;
	result.status = fail(WC_REFUSED, "why");
	result.refusal = (struct refusal){
		.device = "0000:00:03.0", .arm = ARM_WC, .bar = 4, .offset = 0x3000, .len = 0x1000,
		.expected = "WC", .observed = "UC-", .source = "pte",
	};
	json = report_json(&result);
	refused = json_object_get(json, "refused");
	assert_string_equal(json_string_value(json_object_get(json, "message")), "why");
	assert_string_equal(json_string_value(json_object_get(refused, "arm")), "wc");
	assert_string_equal(json_string_value(json_object_get(refused, "expected")), "WC");
	assert_string_equal(json_string_value(json_object_get(refused, "observed")), "UC-");
	assert_string_equal(json_string_value(json_object_get(refused, "source")), "pte");
	json_decref(json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(runs_stand_with_their_arm, setup),
		cmocka_unit_test_setup(ratios_are_wc_over_uc_and_uc_over_plain, setup),
		cmocka_unit_test_setup(noise_is_of_starts_and_turns, setup),
		cmocka_unit_test_setup(precision_is_told, setup),
		cmocka_unit_test_setup(files_of_before_are_shown, setup),
		cmocka_unit_test_setup(frames_that_got_lost_are_told, setup),
		cmocka_unit_test_setup(a_case_is_the_same_in_another_slot, setup),
		cmocka_unit_test_setup(what_may_not_be_used_says_why, setup),
		cmocka_unit_test_setup(counts_are_of_every_run, setup),
		cmocka_unit_test_setup(what_is_emulated_says_so, setup),
		cmocka_unit_test_setup(what_the_cloud_held_back_is_told, setup),
		cmocka_unit_test_setup(what_is_no_result_is_no_end, setup),
		cmocka_unit_test_setup(the_status_is_how_it_ended, setup),
		cmocka_unit_test_setup(a_refusal_says_what_was_seen, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
