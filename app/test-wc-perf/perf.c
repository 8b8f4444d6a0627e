/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * dpdk-test-wc-perf: what does a write-combining doorbell or push buffer bring? Drives an
 * unmodified dpdk-testpmd and compares.
 *
 *	args -> pci, place, ready -> probe -> run --------> report: JSON -> table
 *	                                        |  \
 *	                             testpmd <--+   +--> observe: witness | plugin | memtype list
 *
 * One JSON object describes a run; doc/schema/result-2.json is its schema. The table is made
 * from it. Its file is written first of all, with status "running", and again at the end,
 * whatever that is: what stands there is never an older run's.
 */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "perf.h"
#include "ready.h"
#include "run.h"

static void
on_signal(int number)
{
	(void)number;
	interrupted = 1;
}

static void
catch_signals(void)
{
	/* No SA_RESTART: every wait ends at once, looks, and cleans up. */
	struct sigaction action = { .sa_handler = on_signal };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static enum wc_status
probe_platform(struct args *a, struct probe *p)
{
	struct vfio_wc_sysfs dev;
	enum wc_status st;
	json_t *all;

	if (!a->have_probe)
		return WC_OK;
	st = pci_read(a->probe_device, &dev);
	if (st == WC_OK) {
		all = json_array();
		ready_driver(all, &dev);
		st = ready_or_fail(all);
		json_decref(all);
	}
	if (st == WC_OK)
		st = pci_check_range(&dev, &a->probe);
	if (st != WC_OK)
		return st;
	fprintf(stderr, "Probing whether this platform honours memory types, with stores to %s "
		"BAR %u\n", dev.bdf, a->probe.bar);
	probe_run(&dev, &a->probe, p);
	return WC_OK;
}

static void
timestamp(char *text, size_t size)
{
	time_t t = time(NULL);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static const char *
text_in(const json_t *result, const char *key)
{
	const char *text = json_string_value(json_object_get(result, key));

	return text != NULL ? text : "?";
}

static enum wc_status
show(const char *path)
{
	json_t *result;
	enum wc_status st = report_read(path, &result);

	if (st != WC_OK)
		return st;
	if (json_array_size(json_object_get(result, "cases")) == 0)
		printf("Nothing was measured. Status: %s: %s\n", text_in(result, "status"),
			text_in(result, "message"));
	report_table(result, stdout, isatty(STDOUT_FILENO));
	json_decref(result);
	return WC_OK;
}

/* A device: is it there, where does testpmd run for it? */
static enum wc_status
prepare_target(const struct target_args *ta, struct target *t)
{
	enum wc_status st;

	t->args = ta;
	t->range = ta->range;
	st = pci_read(ta->device, &t->dev);
	if (st == WC_OK && ta->range_from == RANGE_VIRTIO_NOTIFY)
		st = pci_virtio_notify(&t->dev, &t->range);
	if (st == WC_OK && ta->range_from != RANGE_TABLE)
		st = pci_check_range(&t->dev, &t->range);
	return st;
}

/* The programs of ours, and of the other one. */
static void
ready_builds(json_t *all, const struct args *a)
{
	struct args other;

	ready_programs(all, a);
	if (a->against) {
		args_against(a, &other);
		ready_programs(all, &other);
	}
}

/* Everything that must be right before the first run. */
static enum wc_status
prepare(struct args *a, struct result *r, int *witness)
{
	enum wc_status st = WC_OK;
	json_t *all = json_array();
	unsigned int i;

	for (i = 0; st == WC_OK && i < a->n_targets; i++) {
		st = prepare_target(&a->targets[i], &r->targets[i]);
		if (st == WC_OK)
			st = place_choose(a, &r->targets[i].dev, &r->targets[i].place);
		if (st == WC_OK)
			ready_device(all, a, &r->targets[i]);
	}
	ready_builds(all, a);
	if (st == WC_OK)
		st = ready_or_fail(all);
	json_decref(all);
	if (st == WC_OK && a->witness != NULL)
		st = witness_open(a->witness, witness);
	if (st == WC_OK)
		st = probe_platform(a, &r->probe);
	return st;
}

/* The file, if there is to be one. */
static enum wc_status
write_result(const struct result *r, const json_t *json)
{
	if (json == NULL)
		return fail(WC_INTERNAL, "out of memory");
	return r->args->json != NULL ? report_write(json, r->args->json) : WC_OK;
}

/* Where people read: not among JSON that goes to the standard output. */
static FILE *
for_people(const struct args *a)
{
	const char *const paths[] = { a->json, a->other.json };
	struct stat out, file;
	size_t i;

	for (i = 0; fstat(STDOUT_FILENO, &out) == 0 && i < 2; i++)
		if (paths[i] != NULL && stat(paths[i], &file) == 0 &&
				file.st_dev == out.st_dev && file.st_ino == out.st_ino)
			return stderr;
	return stdout;
}

/* All that is missing, and nothing is started. st: what has come of the arguments. */
static enum wc_status
check(const struct args *a, struct result *r, enum wc_status st)
{
	json_t *all = json_array(), *json;
	bool bound = true, is_ready;
	enum wc_status written;
	int witness = -1;
	unsigned int i;

	for (i = 0; st == WC_OK && i < a->n_targets; i++) {
		struct target *t = &r->targets[i];

		st = prepare_target(&a->targets[i], t);
		if (st != WC_OK)
			break;
		if (place_choose(a, &t->dev, &t->place) != WC_OK)
			ready_failed(all, "placement");
		ready_device(all, a, t);
		ready_ask(all, a, t);
		bound = bound && vfio_wc_sysfs_is_vfio(&t->dev);
	}
	if (st == WC_OK) {
		if (a->witness != NULL && witness_open(a->witness, &witness) != WC_OK)
			ready_failed(all, "witness");
		if (witness >= 0)
			close(witness);
		ready_machine(all, bound);
		ready_builds(all, a);
		ready_warnings(all);
	} else {
		/* Whoever reads the file only must not take an older one for this. */
		ready_wrong(all, "run");
	}
	is_ready = ready_text(all, for_people(a));
	json = json_pack("{ss sb sO}", "schema", READY_SCHEMA, "ready", is_ready, "checks", all);
	written = write_result(r, json);
	json_decref(json);
	json_decref(all);
	if (st == WC_OK)
		st = written;
	return st == WC_OK && !is_ready ? WC_ENVIRONMENT : st;
}

static void
free_cases(struct result *r)
{
	size_t i, j;

	for (i = 0; i < r->n_cases * N_ARMS; i++) {
		struct arm_result *a = &r->cases[i / N_ARMS].arms[i % N_ARMS];

		observation_free(&a->seen);
		for (j = 0; j < a->n; j++)
			bus_free(&a->samples[j].bus);
		free(a->samples);
	}
	free(r->cases);
}

/* What is no file keeps nothing old, and gets one result. */
static enum wc_status
start(const struct result *r)
{
	struct stat file;
	enum wc_status st;
	json_t *json;

	if (r->args->json != NULL && stat(r->args->json, &file) == 0 && !S_ISREG(file.st_mode)) {
		if (S_ISDIR(file.st_mode) || access(r->args->json, W_OK) != 0)
			return fail(WC_INTERNAL, "cannot write %s: %s", r->args->json,
				strerror(S_ISDIR(file.st_mode) ? EISDIR : errno));
		return WC_OK;
	}
	json = report_json(r);
	st = write_result(r, json);
	json_decref(json);
	return st;
}

/* However it ended: files and tables. */
static enum wc_status
finish(struct result *r, unsigned int n, enum wc_status st)
{
	FILE *f = for_people(r->args);
	enum wc_status written = WC_OK, one;
	unsigned int i;
	json_t *json;

	for (i = 0; i < n; i++) {
		r[i].running = false;
		r[i].status = st;
		json = report_json(&r[i]);
		one = write_result(&r[i], json);
		if (written == WC_OK)
			written = one;
		if (n > 1 && r[i].n_cases > 0)
			fprintf(f, "%s: %s, %s\n", i == 0 ? "This build" : "\nThe other one",
				r[i].args->testpmd, r[i].args->plugin);
		if (json != NULL)
			report_table(json, f, isatty(fileno(f)));
		json_decref(json);
	}
	if (n > 1 && r[0].n_cases > 0 && (st == WC_OK || st == WC_IMPRECISE) &&
			r[0].args->json != NULL && r[1].args->json != NULL)
		fprintf(f, "\nBetter or worse: dpdk-wc-results compare %s %s\n", r[1].args->json,
			r[0].args->json);
	return st == WC_OK ? written : st;
}

/* The other build's: prepared as ours, with its own words. */
static void
make_other(struct result *r, struct args *other)
{
	args_against(r[0].args, other);
	r[1] = r[0];
	r[1].args = other;
}

static enum wc_status
perform(int argc, char **argv)
{
	struct result r[2] = { { .probe.honoured = "unknown", .running = true } };
	struct args args, other;
	unsigned int i, n;
	enum wc_status st;
	int witness = -1;

	r->args = &args;
	st = args_parse(&args, argc, argv);
	if (args.done)
		return st;
	if (args.show != NULL)
		return st == WC_OK ? show(args.show) : st;

	if (args.check)
		return check(&args, r, st);

	timestamp(r->started, sizeof(r->started));
	n = args.against ? 2 : 1;
	make_other(r, &other);
	if (st != WC_OK)
		return finish(r, n, st);
	catch_signals();
	for (i = 0; st == WC_OK && i < n; i++)
		st = start(&r[i]);
	if (st == WC_OK)
		st = prepare(&args, r, &witness);
	make_other(r, &other);
	if (st == WC_OK)
		st = run(r, n, witness);
	st = finish(r, n, st);
	for (i = 0; i < n; i++)
		free_cases(&r[i]);
	if (witness >= 0)
		close(witness);
	return st;
}

int
perf(int argc, char **argv)
{
	enum wc_status st = perform(argc, argv);

	/* The table may be all that there is of a result. */
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fail(WC_INTERNAL, "cannot write the standard output: %s",
			strerror(errno != 0 ? errno : EIO));
		if (st == WC_OK)
			st = WC_INTERNAL;
	}
	return st;
}
