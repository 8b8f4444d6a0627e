/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Who has a turn when, and in which start of testpmd: against one that is none. It sends as fast as
 * what it has mapped tells, so a turn that is of another arm than it is called has another rate.
 */

#include <math.h>
#include <stdlib.h>

#include "test.h"
#include "metrics.h"
#include "run.h"

static const double mpps[N_ARMS] = { [ARM_PLAIN] = 1, [ARM_UC] = 2, [ARM_WC] = 8 };

static struct {
	enum arm mapped;	/* ARM_PLAIN: nothing is mapped anew */
	bool runs, plugin, attached, forwards;
	const char *refuses;	/* the command that it does not take */
	double now, packets;
	double drift;		/* it gets faster by such a part each second */
	double noise;		/* the wc arm, in every other start */
	unsigned int starts;
	bool other;		/* it is of the other build, which is faster by half */
	/* "(" it starts, "[" the other build's does, "." the range is mapped anew, "p", "u", "w" a
	 * turn, ")" it ends */
	char story[256];
} fake;

static void
tell(char what)
{
	const size_t n = strlen(fake.story);

	assert_true(n + 1 < sizeof(fake.story));
	fake.story[n] = what;
}

enum wc_status __wrap_testpmd_start(struct testpmd *t, char *const *argv, const char *prefix);
enum wc_status __wrap_testpmd_command(struct testpmd *t, const char *fmt, ...);
enum wc_status __wrap_testpmd_telemetry(struct testpmd *t, const char *command, json_t **answer);
enum wc_status __wrap_testpmd_opackets(struct testpmd *t, uint64_t *packets, double *when);
enum wc_status __wrap_testpmd_shaped(struct testpmd *t, uint64_t *packets, bool *counted);
enum wc_status __wrap_testpmd_stop(struct testpmd *t, struct fwd_stats *stats);
void __wrap_testpmd_end(struct testpmd *t);
double __wrap_now(void);
enum wc_status __wrap_pause_for(double seconds);
enum wc_status __wrap_place_self(unsigned int cpu);
enum wc_status __wrap_observe(const struct observer *ob, enum arm arm, struct testpmd *t,
	struct observation *o);

static enum arm
type_of(const char *words)
{
	return strstr(words, "type=wc") != NULL || strstr(words, "=required") == words + 9 ?
		ARM_WC : strstr(words, "type=uc") != NULL ? ARM_UC : ARM_PLAIN;
}

enum wc_status
__wrap_testpmd_start(struct testpmd *t, char *const *argv, const char *prefix)
{
	(void)t;
	(void)prefix;
	assert_false(fake.runs);
	fake.runs = true;
	fake.starts++;
	fake.plugin = fake.attached = fake.forwards = false;
	fake.mapped = ARM_PLAIN;
	for (; *argv != NULL; argv++) {
		assert_true(strncmp(*argv, "--vdev", 6) != 0);
		if (strncmp(*argv, "--range=", 8) == 0 || strncmp(*argv, "--vfio-wc=", 10) == 0)
			fake.mapped = type_of(*argv);
		fake.other = strcmp(*argv, "/the/other.so") == 0;
		fake.plugin = fake.plugin || fake.other || strcmp(*argv, "/the/plugin.so") == 0;
		if (fake.plugin)
			break;
	}
	tell(fake.other ? '[' : '(');
	return WC_OK;
}

enum wc_status
__wrap_testpmd_command(struct testpmd *t, const char *fmt, ...)
{
	static char out[] = "Driver name: net_fake\r\npackets/burst=32\r\npacket len=64 nb\r\n";
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	t->out = out;
	if (fake.refuses != NULL && strstr(line, fake.refuses) != NULL)
		return fail(WC_TESTPMD, "it does not take %s", line);
	if (strncmp(line, "port attach ", 12) == 0) {
		assert_true(fake.plugin && !fake.attached && !fake.forwards);
		assert_non_null(strstr(line, " vfio_wc0,dev=0000:00:07.0,bar=2,offset=0x1000,"
			"len=0x2000,mode=required,type="));
		fake.attached = true;
		fake.mapped = type_of(line);
		tell('.');
	} else if (strcmp(line, "device detach vfio_wc0") == 0) {
		assert_true(fake.attached && !fake.forwards);
		fake.attached = false;
		fake.mapped = ARM_PLAIN;
	} else if (strcmp(line, "start") == 0) {
		fake.forwards = true;
	}
	return WC_OK;
}

enum wc_status
__wrap_testpmd_telemetry(struct testpmd *t, const char *command, json_t **answer)
{
	(void)t;
	assert_string_equal(command, "/info");
	*answer = json_pack("{ss}", "version", "DPDK 24.11");
	return WC_OK;
}

enum wc_status
__wrap_testpmd_opackets(struct testpmd *t, uint64_t *packets, double *when)
{
	(void)t;
	*packets = fake.packets;
	*when = fake.now;
	return WC_OK;
}

enum wc_status
__wrap_testpmd_shaped(struct testpmd *t, uint64_t *packets, bool *counted)
{
	(void)t;
	*packets = 0;
	*counted = false;
	return WC_OK;
}

enum wc_status
__wrap_testpmd_stop(struct testpmd *t, struct fwd_stats *stats)
{
	(void)t;
	fake.forwards = false;
	*stats = (struct fwd_stats){ .sent = fake.packets };
	return WC_OK;
}

void
__wrap_testpmd_end(struct testpmd *t)
{
	*t = (struct testpmd){ .prompt = -1, .telemetry = -1 };
	if (fake.runs)
		tell(')');
	fake.runs = false;
}

double
__wrap_now(void)
{
	return fake.now;
}

enum wc_status
__wrap_pause_for(double seconds)
{
	fake.now += seconds;
	if (fake.forwards)
		fake.packets += (fake.other ? 1.5 : 1) * seconds * mpps[fake.mapped] * 1e6 *
			exp(fake.drift * fake.now +
				(fake.mapped == ARM_WC ? fake.noise * (fake.starts % 2) : 0));
	return WC_OK;
}

enum wc_status
__wrap_place_self(unsigned int cpu)
{
	(void)cpu;
	return WC_OK;
}

/* Says what is mapped, not what was asked for. */
enum wc_status
__wrap_observe(const struct observer *ob, enum arm arm, struct testpmd *t, struct observation *o)
{
	(void)t;
	assert_true(fake.forwards);
	if (arm == ARM_PLAIN)
		assert_string_equal(ob->plain, strchr(fake.story, 'p') != NULL ? "UC-" : "");
	*o = (struct observation){ .source = "pte" };
	strcpy(o->type, fake.mapped == ARM_WC ? "WC" : "UC-");
	tell(arm_names[fake.mapped][0]);
	return WC_OK;
}

/* ---- a run ---- */

static struct args args;
static struct result result;

static int
setup(void **state)
{
	static const char *const words[] = { "dpdk-test-wc-perf", NULL };
	static const struct args defaults = {
		.argv = words,
		.targets = { { .device = "0000:00:07.0", .range_from = RANGE_GIVEN } },
		.n_targets = 1, .frames = { { 64 }, 1 }, .bursts = { { 32 }, 1 },
		.queues = { { 1 }, 1 }, .cores = 1, .repeats = 2, .max_repeats = 2,
		.turns = 2, .warmup = 0.5, .window = 1, .seed = 1, .arms = { true, true, true },
		.forward = "txonly",
		.testpmd = "testpmd", .plugin = "/the/plugin.so", .run = "vfio-wc-run",
	};

	args = defaults;
	memset(&fake, 0, sizeof(fake));
	result = (struct result){
		.args = &args, .probe.honoured = "unknown", .targets = { {
			.args = &args.targets[0], .dev = { .bdf = "0000:00:07.0" },
			.place = { { { 0, 1 }, 2 }, 0 }, .range = { 2, 0x1000, 0x2000 },
		} },
	};
	return forget_failure(state);
}

static void
free_cases(struct result *r)
{
	size_t i;

	for (i = 0; i < r->n_cases * N_ARMS; i++)
		free(r->cases[i / N_ARMS].arms[i % N_ARMS].samples);
	free(r->cases);
}

static int
teardown(void **state)
{
	(void)state;
	free_cases(&result);
	return 0;
}

/* Each sample of each arm: its rate is that of what the arm is called. */
static void
assert_samples(size_t n)
{
	const struct arm_result *a;
	enum arm arm;
	size_t c, i;

	for (c = 0; c < result.n_cases; c++)
		for (arm = 0; arm < N_ARMS; arm++) {
			a = &result.cases[c].arms[arm];
			assert_int_equal(a->n, args.arms[arm] ? n : 0);
			for (i = 0; i < a->n; i++)
				assert_true(a->samples[i].mpps > mpps[arm] - 1e-6 &&
					a->samples[i].mpps < mpps[arm] + 1e-6);
		}
}

/* The story, but for such events. */
static const char *
without(const char *events)
{
	static char t[sizeof(fake.story)];
	const char *p;
	size_t n = 0;

	for (p = fake.story; *p != '\0'; p++)
		if (strchr(events, *p) == NULL)
			t[n++] = *p;
	t[n] = '\0';
	return t;
}

static void
arms_take_turns_in_each_start(void **state)
{
	const char *t;
	size_t i, start;

	(void)state;
	args.repeats = args.max_repeats = 3;
	assert_int_equal(run(&result, 1, -1), WC_OK);
	assert_samples(6);
	t = without(".");
	assert_int_equal(strlen(t), 3 * 8);
	for (start = 0; start < 3; start++, t += 8) {
		assert_true(t[0] == '(' && t[7] == ')');
		/* each arm, and the mirror image */
		assert_int_equal(strcspn(t, "p") + strcspn(t, "u") + strcspn(t, "w"), 1 + 2 + 3);
		for (i = 1; i <= 3; i++)
			assert_int_equal(t[i], t[7 - i]);
	}
}

/* Also where the mirror image has the same arm twice: a turn has what its own exchange adds. */
static void
the_type_is_exchanged_for_each_turn(void **state)
{
	static const char *const order[] = { "(.u.w.w.u)", "(.w.u.u.w)" };

	(void)state;
	args.arms[ARM_PLAIN] = false;
	args.repeats = args.max_repeats = 1;
	assert_int_equal(run(&result, 1, -1), WC_OK);
	assert_samples(2);
	assert_string_equal(fake.story, order[fake.story[2] == 'w']);
}

static void
samples_carry_start_order_and_time(void **state)
{
	bool seen[1 + 2 * 2 * N_ARMS] = { false };
	const struct sample *s;
	enum arm arm;
	size_t i;

	(void)state;
	assert_int_equal(run(&result, 1, -1), WC_OK);
	for (arm = 0; arm < N_ARMS; arm++)
		for (i = 0; i < 4; i++) {
			s = &result.cases[0].arms[arm].samples[i];
			assert_int_equal(s->start, 1 + i / 2);
			assert_true(s->order >= 1 && s->order <= 2 * 2 * N_ARMS);
			assert_false(seen[s->order]);
			seen[s->order] = true;
			assert_true(s->at == (s->order - 1) * 1.5 + 0.5);
		}
}

static void
who_decides_at_the_start_has_one_for_each_arm(void **state)
{
	static const enum wc_by doors[] = { WC_BY_RUN, WC_BY_EAL };
	static const char *const arms[] = { "pp", "uu", "ww" }, *const eal[] = { "pp", "ww" };
	const char *t, *found;
	size_t d, i;

	for (d = 0; d < 2; d++) {
		setup(state);
		args.wc_by = doors[d];
		args.arms[ARM_UC] = args.wc_by == WC_BY_RUN;
		assert_int_equal(run(&result, 1, -1), WC_OK);
		assert_samples(4);
		assert_null(strchr(fake.story, '.'));
		t = without(".");
		assert_int_equal(strlen(t), 2 * 4 * (args.arms[ARM_UC] ? 3 : 2));
		for (i = 0; i < (args.arms[ARM_UC] ? 3 : 2); i++) {
			found = strstr(t, args.arms[ARM_UC] ? arms[i] : eal[i]);
			assert_non_null(found);
			assert_true(found[-1] == '(' && found[2] == ')');
		}
		/* the second repeat is the mirror image of the first */
		for (i = 0; t[i] != '\0'; i += 4)
			assert_int_equal(t[i + 1], t[strlen(t) - 3 - i]);
		assert_int_not_equal(result.cases[0].arms[ARM_WC].samples[0].start,
			result.cases[0].arms[ARM_PLAIN].samples[0].start);
		if (d == 0)
			teardown(state);
	}
}

static void
arms_of_a_case_are_neighbours(void **state)
{
	size_t c, turn;

	(void)state;
	args.frames = (struct list){ { 64, 64 }, 2 };
	args.arms[ARM_PLAIN] = false;
	assert_int_equal(run(&result, 1, -1), WC_OK);
	assert_samples(4);
	for (c = 0; c < 2; c++)
		for (turn = 0; turn < 4; turn++)
			assert_int_equal(abs((int)result.cases[c].arms[ARM_UC].samples[turn].order -
				(int)result.cases[c].arms[ARM_WC].samples[turn].order), 1);
}

static void
a_steady_drift_drops_out(void **state)
{
	double rate[N_ARMS][4];
	struct levels r;
	enum arm arm;
	size_t i;

	(void)state;
	fake.drift = 0.05;
	assert_int_equal(run(&result, 1, -1), WC_OK);
	for (arm = 0; arm < N_ARMS; arm++)
		for (i = 0; i < 4; i++)
			rate[arm][i] = result.cases[0].arms[arm].samples[i].mpps;
	assert_true(rate[ARM_UC][3] > 1.5 * mpps[ARM_UC]);
	r = stats_levels(rate[ARM_WC], rate[ARM_UC], 4, 2, STATS_LEVEL);
	assert_true(fabs(r.ratio - 4) < 1e-4 && r.sd_start < 1e-4 && r.sd_turn > 0.01);
}

/* Starts alternate between 1 and exp(noise): half of that is their deviation. */
static void
starts_are_added_until_it_is_precise_enough(void **state)
{
	const struct arm_result *wc;

	(void)state;
	args.turns = 1;
	args.precision = 0.01;
	args.repeats = 6;
	args.max_repeats = 30;
	fake.noise = 0.02;
	assert_int_equal(run(&result, 1, -1), WC_OK);
	wc = &result.cases[0].arms[ARM_WC];
	/* t(97%) x 0.01 / sqrt(n - 1), about: 0.0103 with 8, 0.0093 with 9 */
	assert_int_equal(wc->n, 9);
	assert_int_equal(fake.starts, 9);
	assert_true(metrics_precision(&args, &result.cases[0]) <= 0.01);
	assert_int_equal(result.cases[0].arms[ARM_PLAIN].n, 9);
}

/* What is measured stays, and says what it is worth. */
static void
what_is_not_precise_enough_is_said(void **state)
{
	const char *said;
	json_t *json, *c;

	(void)state;
	args.turns = 1;
	args.precision = 0.01;
	args.repeats = 6;
	args.max_repeats = 7;
	fake.noise = 0.1;
	result.status = run(&result, 1, -1);
	assert_int_equal(result.status, WC_IMPRECISE);
	assert_int_equal(result.cases[0].arms[ARM_WC].n, 7);
	json = report_json(&result);
	assert_string_equal(json_string_value(json_object_get(json, "status")), "ok");
	assert_null(json_object_get(json, "message"));
	c = json_array_get(json_object_get(json, "cases"), 0);
	c = json_object_get(c, "precision");
	assert_true(json_is_false(json_object_get(c, "reached")));
	assert_true(json_number_value(json_object_get(c, "wanted")) == 0.01);
	assert_true(json_number_value(json_object_get(c, "got")) ==
		metrics_precision(&args, &result.cases[0]));
	said = json_string_value(json_array_get(json_object_get(json_object_get(json,
		"environment"), "warnings"), 0));
	assert_non_null(said);
	assert_non_null(strstr(said, "0000:00:07.0, frame 64, burst 32, queues 1: wc/uc is known "
		"within 5."));
	assert_non_null(strstr(said, "%, not 1%, after 7 starts"));
	json_decref(json);
}

/* The others wait for the one that needs most; what it costs is starts. */
static void
each_case_is_precise_enough(void **state)
{
	size_t i;

	(void)state;
	args.frames = (struct list){ { 64, 64 }, 2 };
	args.queues = (struct list){ { 1, 2 }, 2 };
	args.turns = 1;
	args.precision = 0.01;
	args.repeats = 6;
	args.max_repeats = 30;
	fake.noise = 0.02;
	assert_int_equal(run(&result, 1, -1), WC_OK);
	assert_int_equal(result.n_cases, 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(result.cases[i].arms[ARM_UC].n, 9);
	assert_int_equal(fake.starts, 18);
}

/* As many of it, in mirrored order; what it measures is its own result's. */
static void
another_builds_starts_are_among_ours(void **state)
{
	struct args theirs;
	struct result r[2];
	enum arm arm;
	size_t i;

	(void)state;
	args.other.plugin = "/the/other.so";
	args.repeats = args.max_repeats = 3;
	args.turns = 1;
	args_against(&args, &theirs);
	r[0] = r[1] = result;
	r[1].args = &theirs;
	assert_int_equal(run(r, 2, -1), WC_OK);
	assert_string_equal(without(".puw)"), "([[(([");
	for (arm = 0; arm < N_ARMS; arm++)
		for (i = 0; i < 3; i++) {
			assert_int_equal(r[0].cases[0].arms[arm].n, 3);
			assert_int_equal(r[1].cases[0].arms[arm].n, 3);
			assert_true(fabs(r[0].cases[0].arms[arm].samples[i].mpps /
				mpps[arm] - 1) < 1e-6);
			assert_true(fabs(r[1].cases[0].arms[arm].samples[i].mpps /
				mpps[arm] - 1.5) < 1e-6);
		}
	assert_string_equal(r[1].targets[0].pmd, "net_fake");
	assert_int_equal(r[1].cases[0].arms[ARM_UC].samples[0].start, 2);
	free_cases(&r[0]);
	free_cases(&r[1]);
}

static void
nothing_is_loaded_that_maps_nothing(void **state)
{
	(void)state;
	args.arms[ARM_UC] = args.arms[ARM_WC] = false;
	assert_int_equal(run(&result, 1, -1), WC_OK);
	assert_string_equal(fake.story, "(pp)(pp)");
	assert_false(fake.plugin);
}

static void
what_cannot_be_exchanged_ends_the_run(void **state)
{
	(void)state;
	args.arms[ARM_PLAIN] = false;
	fake.refuses = "type=wc";
	assert_int_equal(run(&result, 1, -1), WC_TESTPMD);
	assert_said("type=wc");
	assert_int_equal(result.cases[0].arms[ARM_WC].n, 0);
	assert_false(fake.runs);

	teardown(state);
	setup(state);
	fake.refuses = "device detach";
	assert_int_equal(run(&result, 1, -1), WC_TESTPMD);
	assert_said("device detach");
	assert_false(fake.runs);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(arms_take_turns_in_each_start),
		T(the_type_is_exchanged_for_each_turn),
		T(samples_carry_start_order_and_time),
		T(who_decides_at_the_start_has_one_for_each_arm),
		T(arms_of_a_case_are_neighbours),
		T(a_steady_drift_drops_out),
		T(starts_are_added_until_it_is_precise_enough),
		T(what_is_not_precise_enough_is_said),
		T(each_case_is_precise_enough),
		T(another_builds_starts_are_among_ours),
		T(nothing_is_loaded_that_maps_nothing),
		T(what_cannot_be_exchanged_ends_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
