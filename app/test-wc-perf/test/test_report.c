/* SPDX-License-Identifier: BSD-3-Clause */

#include "test.h"
#include "report.h"

/* What nobody may mistake for another run's: each arm has figures of its own. */
static struct args args = {
	.repeats = 3, .forward = "txonly", .arms = { true, true, true },
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
	for (arm = 0; arm < N_ARMS; arm++) {
		one.arms[arm] = (struct arm_result){
			.samples = samples[arm], .n = 3, .seen = { .source = "pte" },
		};
		strcpy(one.arms[arm].seen.type, arm == ARM_WC ? "WC" : "UC-");
		for (i = 0; i < 3; i++)
			samples[arm][i] = (struct sample){
				.mpps = mpps[arm] * (1 << i), .sent = 100 + 10 * arm + i,
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

/* All runs, in order, under the arm that they were of. */
static void
runs_stand_with_their_arm(void **state)
{
	static const char *const keys[] = { "mpps", "sent", "counted", "dropped", "counted_other" };
	json_t *json = report_json(&result), *values;
	size_t arm, key, i;

	(void)state;
	for (arm = 0; arm < N_ARMS; arm++) {
		for (key = 0; key < sizeof(keys) / sizeof(keys[0]); key++)
			assert_int_equal(json_array_size(at(json, arm_names[arm], keys[key])), 3);
		for (i = 0; i < 3; i++) {
			const struct sample *s = &samples[arm][i];

			values = at(json, arm_names[arm], "mpps");
			assert_true(json_number_value(json_array_get(values, i)) == s->mpps);
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

	(void)state;
	assert_true(json_number_value(at(json, "ratio", "median")) == 4);
	assert_int_equal(json_integer_value(at(json, "ratio", "pairs")), 3);
	assert_true(json_is_null(at(json, "ratio", "ci95")));
	assert_true(json_number_value(at(json, "ratio_uc_plain", "median")) == 2);
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

static void
the_status_is_how_it_ended(void **state)
{
	static const char *const words[] = {
		[WC_OK] = "ok", [WC_INTERNAL] = "internal", [WC_USAGE] = "usage",
		[WC_ENVIRONMENT] = "not ready", [WC_REFUSED] = "refused",
		[WC_COUNTS] = "counts differ", [WC_TESTPMD] = "testpmd failed",
		[WC_INTERRUPTED] = "interrupted",
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
		cmocka_unit_test_setup(frames_that_got_lost_are_told, setup),
		cmocka_unit_test_setup(the_status_is_how_it_ended, setup),
		cmocka_unit_test_setup(a_refusal_says_what_was_seen, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
