/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "metrics.h"
#include "run.h"
#include "vfio_wc_policy.h"

/* A queue's descriptors, what sits in caches, and some. */
#define MBUFS_PER_QUEUE 4096
#define MBUFS_PER_LCORE 512

/* Frames may still be on their way when testpmd has stopped. */
#define ARRIVAL_S 5

/* The plugin's virtual device. */
#define VDEV "vfio_wc0"
#define REQUEST 128

struct context {
	struct result *builds;
	unsigned int n_builds;
	struct result *r;	/* one of them */
	struct target *target;	/* of its */
	struct observer observer;
	struct testpmd testpmd;
	unsigned int start;	/* of testpmd, from 1 */
	unsigned int repeats;	/* with these queues, as far as is known */
	bool attached;		/* it has VDEV */
	int witness;
	double started;
	unsigned int done;
	unsigned int total;
};

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014): few lines, good enough to shuffle. */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

void
run_order(uint64_t seed, unsigned int round, enum arm order[N_ARMS])
{
	uint64_t state = seed + round / 2 * 0x632be59bd9b4e019ULL;
	enum arm t;
	int i, j;

	for (i = 0; i < N_ARMS; i++)
		order[i] = i;
	for (i = N_ARMS - 1; i > 0; i--) {
		j = next_random(&state) % (i + 1);
		t = order[i];
		order[i] = order[j];
		order[j] = t;
	}
	if (round % 2 != 0) {
		t = order[0];
		order[0] = order[N_ARMS - 1];
		order[N_ARMS - 1] = t;
	}
}

/* An argument vector under construction. */
struct argv {
	char *v[96];
	unsigned int n;
};

static void
add(struct argv *argv, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
add(struct argv *argv, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (argv->n + 1 >= sizeof(argv->v) / sizeof(argv->v[0]) ||
			vasprintf(&argv->v[argv->n++], fmt, ap) < 0)
		abort();
	va_end(ap);
	argv->v[argv->n] = NULL;
}

static void
argv_free(struct argv *argv)
{
	while (argv->n > 0)
		free(argv->v[--argv->n]);
}

/* "0,0,192": memory on one node. */
static void
add_memory(struct argv *argv, unsigned int node, unsigned int mb)
{
	char text[256] = "";
	unsigned int i;

	for (i = 0; i < node && strlen(text) + 2 < sizeof(text); i++)
		strcat(text, "0,");
	add(argv, "--socket-mem=%s%u", text, mb);
}

static void
add_lcores(struct argv *argv, const struct list *lcores)
{
	char text[256] = "";
	unsigned int i, n = 0;

	for (i = 0; i < lcores->n; i++)
		n += snprintf(text + n, sizeof(text) - n, "%s%u", i > 0 ? "," : "", lcores->v[i]);
	add(argv, "-l");
	add(argv, "%s", text);
	add(argv, "--main-lcore=%u", lcores->v[0]);
}

/* The range with the type of the arm, as the plugin and vfio-wc-run are asked for it. */
static void
request(const struct target *t, enum arm arm, char text[REQUEST])
{
	snprintf(text, REQUEST, "dev=%s,bar=%u,offset=0x%" PRIx64 ",len=0x%" PRIx64
		",mode=required,type=%s", t->dev.bdf, t->range.bar, t->range.offset,
		t->range.len, arm == ARM_WC ? "wc" : "uc");
}

/*
 * An EAL that maps the range itself: what its driver declares, or the range. --vfio-wc=off is all
 * that the other arms differ by.
 */
static void
add_eal(struct argv *argv, const struct target *t, enum arm arm)
{
	add(argv, "--vfio-wc=%s", arm == ARM_WC ? "required" : "off");
	if (arm == ARM_WC && t->args->range_from != RANGE_TABLE)
		add(argv, "--vfio-wc-range=%s,%u,0x%" PRIx64 ",0x%" PRIx64, t->dev.bdf,
			t->range.bar, t->range.offset, t->range.len);
}

/* The plugin comes with no request: exchange() makes and takes back what its arms ask for. */
static enum wc_status
start_testpmd(struct context *c, enum arm arm, unsigned int queues)
{
	const struct args *a = c->r->args;
	struct argv argv = { .n = 0 };
	char prefix[64], text[REQUEST];
	enum wc_status st;
	unsigned int i;

	testpmd_prefix(prefix, sizeof(prefix));
	if (args_maps(a, arm) && a->wc_by == WC_BY_RUN) {
		request(c->target, arm, text);
		add(&argv, "%s", a->run);
		add(&argv, "--range=%s", text);
		add(&argv, "--");
	}
	add(&argv, "%s", a->testpmd);
	add_lcores(&argv, &c->target->place.lcores);
	add(&argv, "--file-prefix=%s", prefix);
	/* Nothing is left in hugetlbfs, however testpmd ends. */
	add(&argv, "--in-memory");
	add_memory(&argv, c->target->place.node, a->mem_mb);
	add(&argv, "-a");
	add(&argv, "%s", c->target->dev.bdf);
	if (args_maps_any(a) && a->wc_by == WC_BY_PLUGIN) {
		add(&argv, "-d");
		add(&argv, "%s", a->plugin);
	}
	if (a->wc_by == WC_BY_EAL)
		add_eal(&argv, c->target, arm);
	for (i = 0; i < a->n_eal; i++)
		add(&argv, "%s", a->eal[i]);
	add(&argv, "--");
	add(&argv, "-i");
	add(&argv, "--nb-cores=%u", a->cores);
	add(&argv, "--forward-mode=%s", a->forward);
	add(&argv, "--rxq=%u", queues);
	add(&argv, "--txq=%u", queues);
	add(&argv, "--total-num-mbufs=%u",
		queues * MBUFS_PER_QUEUE + (a->cores + 1) * MBUFS_PER_LCORE);
	for (i = 0; i < a->n_testpmd_args; i++)
		add(&argv, "%s", a->testpmd_args[i]);

	c->start++;
	c->attached = false;
	st = testpmd_start(&c->testpmd, argv.v, prefix);
	argv_free(&argv);
	return st;
}

/* The plugin maps the range with the type of the arm, or puts back what was there. */
static enum wc_status
exchange(struct context *c, enum arm arm)
{
	enum wc_status st = WC_OK;
	char text[REQUEST];

	if (c->attached)
		st = testpmd_command(&c->testpmd, "device detach " VDEV);
	c->attached = st == WC_OK && args_maps(c->r->args, arm);
	if (c->attached) {
		request(c->target, arm, text);
		st = testpmd_command(&c->testpmd, "port attach " VDEV ",%s", text);
	}
	return st;
}

/* Version and driver, once. */
static enum wc_status
identify(struct context *c)
{
	struct result *r = c->r;
	struct target *t = c->target;
	enum wc_status st;
	json_t *info;

	if (t->pmd[0] != '\0')
		return WC_OK;
	st = testpmd_telemetry(&c->testpmd, "/info", &info);
	if (st != WC_OK)
		return st;
	snprintf(r->dpdk, sizeof(r->dpdk), "%s",
		json_string_value(json_object_get(info, "version")));
	text_clean(r->dpdk);
	json_decref(info);
	st = testpmd_command(&c->testpmd, "show port info 0");
	if (st == WC_OK && !testpmd_field(&c->testpmd, "Driver name", t->pmd, sizeof(t->pmd)))
		st = fail(WC_TESTPMD, "testpmd has no port on device %s", t->dev.bdf);
	if (st == WC_OK)
		testpmd_field(&c->testpmd, "Firmware-version", t->firmware, sizeof(t->firmware));
	return st;
}

/* The range that the table gives for the device, the same for all that map. */
static enum wc_status
look_up(struct target *t)
{
	unsigned int bars[RTE_VFIO_WC_BARS], found = vfio_wc_policy_bars(&t->dev, bars);

	if (found != 1)
		return fail(WC_ENVIRONMENT, "device %s: the built-in table has %s range to map "
			"write-combining; say which with --range", t->dev.bdf,
			found == 0 ? "no" : "more than one");
	t->range = (struct bar_range){ .bar = bars[0], .len = t->dev.bar[bars[0]].size };
	return pci_check_range(&t->dev, &t->range);
}

/* What the back end counted since; waits for what is still on its way. */
static enum wc_status
count_arrived(struct context *c, const struct frames *before, struct sample *s)
{
	const double end = now() + ARRIVAL_S;
	struct frames after;
	enum wc_status st;

	for (;;) {
		st = witness_count(c->witness, c->target->args->backend, &after);
		if (st != WC_OK)
			return st;
		s->counted = after.frames - before->frames;
		s->other = after.other - before->other;
		if (s->counted >= s->sent || !c->r->compare_counts || now() > end)
			return WC_OK;
		st = pause_for(0.02);
		if (st != WC_OK)
			return st;
	}
}

/* Did testpmd take the frame size and burst? It says so at start. */
static enum wc_status
check_banner(struct context *c, const struct perf_case *k)
{
	char burst[32], frame[32];

	snprintf(burst, sizeof(burst), "packets/burst=%u\r", k->burst);
	snprintf(frame, sizeof(frame), "packet len=%u ", k->frame);
	if (strstr(c->testpmd.out, burst) == NULL)
		return fail(WC_TESTPMD, "testpmd did not take burst %u", k->burst);
	if (strcmp(c->r->args->forward, "txonly") == 0 && strstr(c->testpmd.out, frame) == NULL)
		return fail(WC_TESTPMD, "testpmd did not take frame size %u", k->frame);
	return WC_OK;
}

static uint64_t
forwarding_cpus(const struct context *c)
{
	const struct list *lcores = &c->target->place.lcores;
	uint64_t mask = 0;
	unsigned int i;

	for (i = 1; i < lcores->n; i++)
		mask |= lcores->v[i] < 64 ? 1ULL << lcores->v[i] : 0;
	return mask;
}

/* Forward for a while: rate, memory type, totals. It stands still before and after. */
static enum wc_status
measure(struct context *c, struct perf_case *k, enum arm arm, struct sample *s)
{
	struct testpmd *t = &c->testpmd;
	struct arm_result *result = &k->arms[arm];
	const char *backend = c->target->args->backend;
	struct frames before = { 0, 0, 0 };
	uint64_t packets[2] = { 0, 0 }, shaped[2] = { 0, 0 };
	double when[2] = { 0, 0 };
	struct fwd_stats stats;
	bool counting = false;
	enum wc_status st;

	*s = (struct sample){ 0 };
	st = testpmd_command(t, "set txpkts %u", k->frame);
	if (st == WC_OK)
		st = testpmd_command(t, "set burst %u", k->burst);
	if (st == WC_OK && backend != NULL)
		st = witness_count(c->witness, backend, &before);
	if (st == WC_OK)
		st = testpmd_shaped(t, &shaped[0], &result->counts_shaped);
	if (st == WC_OK)
		st = bus_start(c->witness, forwarding_cpus(c), &c->target->dev, &counting);
	if (st == WC_OK)
		st = testpmd_command(t, "start");
	if (st == WC_OK)
		st = check_banner(c, k);
	if (st == WC_OK)
		st = pause_for(c->r->args->warmup);
	if (st == WC_OK)
		st = testpmd_opackets(t, &packets[0], &when[0]);
	if (st == WC_OK)
		st = pause_for(c->r->args->window);
	if (st == WC_OK)
		st = testpmd_opackets(t, &packets[1], &when[1]);
	/* After the window: the witness may hold the machine while it looks. */
	if (st == WC_OK) {
		observation_free(&result->seen);
		st = observe(&c->observer, arm, t, &result->seen);
	}
	if (st == WC_OK)
		st = testpmd_stop(t, &stats);
	if (st == WC_OK && counting)
		st = bus_stop(c->witness, &s->bus);
	if (st == WC_OK)
		st = testpmd_shaped(t, &shaped[1], &result->counts_shaped);
	if (st != WC_OK)
		return st;
	s->shaped = shaped[1] - shaped[0];
	if (s->shaped > 0)
		warn("device %s: the cloud held back %" PRIu64 " of %" PRIu64 " packets "
			"(*_allowance_exceeded): what was measured is its limit",
			c->target->dev.bdf, s->shaped, stats.sent);
	bus_locate(&s->bus, t->pid);
	s->sent = stats.sent;
	s->dropped = stats.dropped;
	s->order = c->done + 1;
	s->start = c->start;
	s->at = when[0] - c->started;
	s->mpps = (packets[1] - packets[0]) / (when[1] - when[0]) / 1e6;
	if (packets[1] <= packets[0])
		return fail(WC_TESTPMD, "device %s: testpmd sent nothing in %g s of %s%s",
			c->target->dev.bdf, c->r->args->window, c->r->args->forward,
			c->r->compare_counts ? "" : "; does that mode need frames from outside?");
	if (backend == NULL)
		return WC_OK;
	st = count_arrived(c, &before, s);
	if (st == WC_OK && c->r->compare_counts && s->counted != s->sent)
		warn("device %s: testpmd sent %" PRIu64 " frames, %" PRIu64 " arrived at %s",
			c->target->dev.bdf, s->sent, s->counted, backend);
	return st;
}

static void
progress(struct context *c, const struct perf_case *k, enum arm arm)
{
	const struct arm_result *runs = &k->arms[arm];
	const double spent = now() - c->started;

	c->done++;
	fprintf(stderr, "[%*u/%u] %s start %u%s, %-5s run %zu/%u, frame %u, burst %u, queues %u: "
		"%.4f Mpps, %s (%s); %.0f s, about %.0f s to go\n",
		c->total < 10 ? 1 : c->total < 100 ? 2 : 3, c->done, c->total,
		c->target->dev.bdf, c->start, c->r == c->builds ? "" : " (other build)",
		arm_names[arm], runs->n, c->repeats * c->r->args->turns, k->frame, k->burst,
		k->queues, runs->samples[runs->n - 1].mpps, runs->seen.type, runs->seen.source,
		spent, spent / c->done * (c->total - c->done));
}

/* A turn of one arm. */
static enum wc_status
run_turn(struct context *c, struct perf_case *k, enum arm arm)
{
	struct arm_result *runs = &k->arms[arm];
	enum wc_status st = WC_OK;

	if (c->r->args->wc_by == WC_BY_PLUGIN)
		st = exchange(c, arm);
	if (st == WC_OK)
		st = measure(c, k, arm, &runs->samples[runs->n]);
	if (st != WC_OK) {
		bus_free(&runs->samples[runs->n].bus);
		return st;
	}
	runs->n++;
	if (arm == ARM_PLAIN)
		memcpy(c->observer.plain, runs->seen.type, sizeof(runs->seen.type));
	progress(c, k, arm);
	return WC_OK;
}

/* One testpmd: at every frame size and burst its arms take turns. */
static enum wc_status
run_start(struct context *c, const enum arm *arms, unsigned int n, unsigned int queues,
	unsigned int repeat)
{
	const struct args *a = c->r->args;
	enum arm order[N_ARMS];
	unsigned int turn, i, j;
	struct perf_case *k;
	enum wc_status st;

	st = start_testpmd(c, arms[0], queues);
	if (st == WC_OK)
		st = identify(c);
	for (turn = 0; turn < a->turns; turn++) {
		run_order(a->seed, repeat * a->turns + turn, order);
		for (k = c->r->cases; k < &c->r->cases[c->r->n_cases]; k++) {
			if (k->target != c->target || k->queues != queues)
				continue;
			for (i = 0; i < N_ARMS; i++)
				for (j = 0; st == WC_OK && j < n; j++)
					if (arms[j] == order[i])
						st = run_turn(c, k, arms[j]);
		}
	}
	testpmd_end(&c->testpmd);
	return st;
}

/* All arms: in one start where the type can be exchanged meanwhile, otherwise in one for each. */
static enum wc_status
run_repeat(struct context *c, unsigned int queues, unsigned int repeat)
{
	const struct args *a = c->r->args;
	const bool together = a->wc_by == WC_BY_PLUGIN;
	enum arm order[N_ARMS], arms[N_ARMS];
	unsigned int i, n = 0;
	enum wc_status st = WC_OK;

	run_order(a->seed, repeat, order);
	for (i = 0; i < N_ARMS; i++)
		if (a->arms[order[i]])
			arms[n++] = order[i];
	for (i = 0; st == WC_OK && i < n; i += together ? n : 1)
		st = run_start(c, &arms[i], together ? n : 1, queues, repeat);
	return st;
}

static enum wc_status
make_cases(struct result *r)
{
	const struct args *a = r->args;
	unsigned int i, n = a->n_targets * a->queues.n * a->frames.n * a->bursts.n;
	struct perf_case *k;
	int arm;

	r->cases = calloc(n, sizeof(*r->cases));
	if (r->cases == NULL)
		return fail(WC_INTERNAL, "out of memory");
	for (r->n_cases = 0; r->n_cases < n; r->n_cases++) {
		k = &r->cases[r->n_cases];
		i = r->n_cases;
		k->burst = a->bursts.v[i % a->bursts.n];
		i /= a->bursts.n;
		k->frame = a->frames.v[i % a->frames.n];
		i /= a->frames.n;
		k->queues = a->queues.v[i % a->queues.n];
		k->target = &r->targets[i / a->queues.n];
		for (arm = 0; arm < N_ARMS; arm++) {
			k->arms[arm].samples = calloc((size_t)a->max_repeats * a->turns,
				sizeof(struct sample));
			if (k->arms[arm].samples == NULL)
				return fail(WC_INTERNAL, "out of memory");
		}
	}
	return WC_OK;
}

static unsigned int
count_arms(const struct args *a)
{
	unsigned int n = 0;
	int arm;

	for (arm = 0; arm < N_ARMS; arm++)
		n += a->arms[arm];
	return n;
}

/* How many of the cases with these queues are not as precise as they should be, in any build. */
static unsigned int
imprecise(const struct context *c, unsigned int queues)
{
	const size_t target = c->target - c->r->targets;
	const struct args *a = c->r->args;
	const struct perf_case *k;
	const struct result *r;
	unsigned int n = 0;

	for (r = c->builds; r < &c->builds[c->n_builds]; r++)
		for (k = r->cases; k < &r->cases[r->n_cases]; k++)
			n += a->precision > 0 && k->target == &r->targets[target] &&
				k->queues == queues && !(metrics_precision(a, k) <= a->precision);
	return n;
}

/* What follows is of this build. */
static void
turn_to(struct context *c, unsigned int build, size_t target)
{
	c->r = &c->builds[build];
	c->target = &c->r->targets[target];
	c->observer.args = c->r->args;
	c->observer.refusal = &c->r->refusal;
	c->observer.dev = &c->target->dev;
	c->observer.range = &c->target->range;
}

/* A repeat of each build, in mirrored order. */
static enum wc_status
run_builds(struct context *c, unsigned int queues, unsigned int repeat)
{
	const size_t target = c->target - c->r->targets;
	enum wc_status st = WC_OK;
	unsigned int i;

	for (i = 0; st == WC_OK && i < c->n_builds; i++) {
		turn_to(c, repeat % 2 == 0 ? i : c->n_builds - 1 - i, target);
		st = run_repeat(c, queues, repeat);
	}
	return st;
}

/* As many starts as were asked for, and as the precision needs. */
static enum wc_status
run_repeats(struct context *c, unsigned int queues)
{
	const struct args *a = c->r->args;
	enum wc_status st = WC_OK;
	unsigned int repeat;

	c->repeats = a->repeats;
	for (repeat = 0; st == WC_OK && repeat < c->repeats; repeat++) {
		st = run_builds(c, queues, repeat);
		if (st == WC_OK && repeat + 1 == c->repeats && c->repeats < a->max_repeats &&
				imprecise(c, queues) > 0) {
			c->repeats++;
			c->total += c->n_builds * count_arms(a) * a->turns * a->frames.n *
				a->bursts.n;
		}
	}
	return st;
}

/* All runs on one device. */
static enum wc_status
run_target(struct context *c, size_t target)
{
	const struct args *a = c->builds->args;
	enum wc_status st = WC_OK;
	struct target *t;
	unsigned int b, q;

	c->observer.plain[0] = '\0';
	for (b = c->n_builds; st == WC_OK && b-- > 0; ) {
		turn_to(c, b, target);
		t = c->target;
		if (t->args->range_from == RANGE_TABLE)
			st = look_up(t);
		if (st == WC_OK)
			t->mtrr_wc = memtype_mtrr_wc(t->dev.bar[t->range.bar].start +
				t->range.offset, t->range.len);
	}
	/* This process stays off the forwarding lcores; so does what testpmd inherits. */
	c->observer.cpu = c->target->place.lcores.v[1];
	if (st == WC_OK)
		st = place_self(c->target->place.lcores.v[0]);
	for (q = 0; st == WC_OK && q < a->queues.n; q++)
		st = run_repeats(c, a->queues.v[q]);
	return st;
}

static enum wc_status
check_counts(const struct result *r)
{
	const struct perf_case *k;
	int arm;

	for (k = r->cases; k < &r->cases[r->n_cases]; k++)
		for (arm = 0; arm < N_ARMS; arm++)
			if (k->target->args->backend != NULL && r->compare_counts &&
					!metrics_counts_equal(&k->arms[arm]))
				return fail(WC_COUNTS, "device %s: frames sent and frames that "
					"arrived differ", k->target->dev.bdf);
	return WC_OK;
}

/* Each case that would have needed more. */
static enum wc_status
check_precision(const struct result *r)
{
	const struct args *a = r->args;
	const struct perf_case *k;
	enum wc_status st = WC_OK;
	double got;

	for (k = r->cases; a->precision > 0 && k < &r->cases[r->n_cases]; k++) {
		got = metrics_precision(a, k);
		if (got <= a->precision)
			continue;
		warn("device %s, frame %u, burst %u, queues %u: wc/uc is known within %.2g%%, not "
			"%.2g%%, after %u starts (--max-repeats)", k->target->dev.bdf, k->frame,
			k->burst, k->queues, 100 * got, 100 * a->precision, a->max_repeats);
		st = WC_IMPRECISE;
	}
	return st;
}

enum wc_status
run(struct result *r, unsigned int n, int witness)
{
	const struct args *a = r->args;
	struct context c = {
		.builds = r,
		.n_builds = n,
		.witness = witness,
		.started = now(),
		.testpmd = { .prompt = -1, .telemetry = -1, .verbose = a->verbose },
		.observer = { .witness = witness },
	};
	enum wc_status st = WC_OK;
	unsigned int i;

	for (i = 0; st == WC_OK && i < n; i++) {
		/* What other modes send is no frame that the witness knows as testpmd's. */
		r[i].compare_counts = strcmp(a->forward, "txonly") == 0;
		st = make_cases(&r[i]);
	}
	c.total = n * count_arms(a) * a->repeats * a->turns * r->n_cases;
	for (i = 0; st == WC_OK && i < a->n_targets; i++)
		st = run_target(&c, i);
	for (i = 0; i < n; i++)
		r[i].seconds = now() - c.started;
	for (i = 0; st == WC_OK && i < n; i++)
		st = check_counts(&r[i]);
	for (i = 0; i < n && (st == WC_OK || st == WC_IMPRECISE); i++)
		if (check_precision(&r[i]) != WC_OK)
			st = WC_IMPRECISE;
	return st;
}
