// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fuzzer of VFIO's mmap cookies that knows what must come of each step.
 *
 *	vfio-cookie-fuzz [--seed N] [--rounds N] [--steps N] [--every N] BDF[=RAM-BAR]...
 *	vfio-cookie-fuzz --play FILE... BDF[=RAM-BAR]...
 *
 * The devices must be bound to vfio-pci; RAM-BAR is the number of a BAR that
 * is plain memory. Some processes do random steps to them, one after the other,
 * and after each (--every: after so many) it is compared with the oracle what
 * that process has in its page tables, which the witness tells (witness.h), and
 * in /proc; less often that of all, and the kernel's list of memory types. A
 * round begins and ends with nothing open, and has the seed N, N + 1, ...
 *
 * A round that fails is made shorter, step by step, for as long as it fails.
 * What is left is printed, and is a file to --play.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "fuzz.h"

#define MAX_STEPS	20000	/* of a round */
#define STUCK_SECONDS	180
#define MAX_PLACE	24	/* where small mappings are */
#define HUGE_PLACE	512	/* where whole PMDs can be, */
/*
 * and whole BARs: not congruent modulo 1 GB, for to split a mapping that has
 * entries of that size crashes kernels, at least to 6.12, with any driver.
 */
#define WHOLE_PLACE	((1L << 18) + HUGE_PLACE)

static const char *const names[][2] = {
#define X(op, name, args) { name, args },
	OPS(X)
#undef X
};

/* Of a round, which runs in a process of its own */
static struct record {
	long steps;
	struct step step[MAX_STEPS];
	char why[512];		/* of a failure, which is that of the last step */
	long count[NR_OPS][2];	/* that did not work, and that worked */
} *record;

static int devices, every = 1;
static bool stuck;	/* a round is, and keeps what it has */
static char **bdf;

/* Steps as text: "map process=0 file=1 bar=2 ..." */

static void print_step(FILE *f, const struct step *step)
{
	const char *arg = names[step->op][1];

	fprintf(f, "%s", names[step->op][0]);
	for (int i = 0, n; *arg; i++, arg += n + (arg[n] == ' ')) {
		n = strcspn(arg, " ");
		fprintf(f, " %.*s=%lld", n, arg, step->arg[i]);
	}
	fputc('\n', f);
}

static bool parse_step(const char *line, struct step *step)
{
	int n = strcspn(line, " \n");

	for (step->op = 0; step->op < NR_OPS; step->op++)
		if (!strncmp(line, names[step->op][0], n) && !names[step->op][0][n])
			break;
	if (step->op == NR_OPS)
		return false;
	for (int i = 0; line[n] == ' '; i++) {
		line = strchr(line + n, '=');
		if (!line || i == MAX_ARGS)
			return false;
		step->arg[i] = strtoll(++line, NULL, 0);
		n = strcspn(line, " \n");
	}
	return true;
}

/* Random steps */

static __u64 state;

static __u64 random64(void) /* splitmix64 */
{
	__u64 z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static long below(long n)
{
	return random64() % n;
}

static bool one_in(long n)
{
	return !below(n);
}

static long any_place(void)
{
	if (one_in(8))
		return HUGE_PLACE * (1 + below(2)) + below(6);
	return one_in(10) ? WHOLE_PLACE + below(8) : below(MAX_PLACE);
}

static void random_cookie(long long *a)
{
	a[3] = below(2);
	a[4] = below(8) * PAGE;
	a[5] = (1 + below(4)) * PAGE;
	a[8] = 48;
	switch (below(16)) { /* one thing is wrong, or two */
	case 0:
		a[2] = below(12);
		break;
	case 1:
		a[2] = random64() & 0xffffffff;
		break;
	case 2:
		a[3] = 2 + (random64() & 0xffff);
		break;
	case 3:
		a[4] += 1 + below(4095);
		break;
	case 4:
		a[5] = below(4096);
		break;
	case 5:
		a[4] = -(long long)PAGE * (1 + below(8));
		break;
	case 6:
		a[5] = -(long long)PAGE * (1 + below(8));
		break;
	case 7:
		a[4] = (1LL << (12 + below(51)));
		break;
	case 8:
		a[6] = 1LL << below(32);
		break;
	case 9:
		a[7] = 1LL << below(32);
		break;
	case 10:
		a[8] = below(64);
		break;
	}
}

/* Mostly the biggest BAR, sometimes one that cannot have cookies */
static int random_bar(const struct machine *m, int process, int file)
{
	const struct bar_facts *bar = m->device[m->turn[process].device[file]].bar;
	int best = 0;

	if (one_in(32))
		return below(BARS);
	for (int i = 1; i < BARS; i++)
		if (bar[i].cookies && (bar[i].size > bar[best].size || one_in(8)))
			best = i;
	return best;
}

static long random_page(const struct machine *m, const long long *a)
{
	long window = bar_window(m, m->turn[a[0]].device[a[1]], a[2]);

	return !window || one_in(24) ? below(8) : below(window < 6 ? window : 6);
}

static void random_map(const struct machine *m, long long *a)
{
	long window = bar_window(m, m->turn[a[0]].device[a[1]], a[2]);

	a[3] = below(3);
	a[4] = random_page(m, a);
	a[5] = 1 + below(window > a[4] && window - a[4] < 6 ? window - a[4] : 6);
	a[6] = a[4] + below(a[5]);
	a[7] = 1 + below(a[4] + a[5] - a[6]);
	a[8] = below(MAX_PLACE);
	a[9] = one_in(4) ? below(4) : 3;
	if (one_in(12) && window >= HUGE_PLACE) { /* a whole PMD */
		a[4] = a[6] = 0;
		a[5] = a[7] = HUGE_PLACE;
		a[8] = HUGE_PLACE * (1 + below(2));
	}
	if (one_in(24)) /* before the cookie, or beyond */
		a[6] = below(8);
	if (one_in(30))
		a[9] |= HOW_PRIVATE;
}

/* How often, in how many */
static const int weights[NR_OPS] = {
	[SPAWN] = 5, [OPEN] = 6, [CLOSE] = 3, [SEND] = 3, [FORK] = 4, [EXEC] = 1, [EXIT] = 1,
	[COOKIE] = 6, [MAP] = 24, [WHOLE] = 2, [FOREIGN] = 3, [UNMAP] = 8, [MOVE] = 6,
	[RESIZE] = 4, [PROTECT] = 5, [ADVISE] = 5, [TOUCH] = 20, [STORE] = 6, [READ] = 5,
	[WRITE] = 4, [IOEVENT] = 5, [SIGNAL] = 3, [DMA] = 3, [MEMORY] = 4, [RESET] = 1,
};

static enum op random_op(void)
{
	int total = 0, op = 0;
	long n;

	for (int i = 0; i < NR_OPS; i++)
		total += weights[i];
	for (n = below(total); n >= weights[op]; op++)
		n -= weights[op];
	return op;
}

static void random_arguments(const struct machine *m, struct step *step)
{
	long long *a = step->arg;

	*step = (struct step){ .op = step->op, .arg = { below(PROCS), below(FILES) } };
	switch (step->op) {
	case OPEN:
		a[2] = below(devices);
		a[3] = one_in(4);
		break;
	case SEND:
		a[1] = below(PROCS);
		a[2] = below(FILES);
		break;
	case FORK:
		a[1] = below(PROCS);
		break;
	case EXIT:
		a[1] = below(2);
		break;
	case COOKIE:
		a[2] = random_bar(m, a[0], a[1]);
		random_cookie(a);
		break;
	case MAP:
		a[2] = random_bar(m, a[0], a[1]);
		random_map(m, a);
		break;
	case WHOLE:
		a[2] = random_bar(m, a[0], a[1]);
		a[3] = WHOLE_PLACE;
		break;
	case FOREIGN:
		a[2] = below(FILES);
		a[3] = random_bar(m, a[0], a[2]);
		a[4] = below(2);
		a[5] = below(4);
		a[6] = 1 + below(2);
		a[7] = below(MAX_PLACE);
		break;
	case UNMAP:
		a[1] = any_place();
		a[2] = one_in(4) ? HUGE_PLACE : 1 + below(6);
		break;
	case MOVE:
	case RESIZE:
		a[1] = any_place();
		a[2] = 1 + below(4);
		a[3] = step->op == MOVE ? below(MAX_PLACE) : 1 + below(4);
		break;
	case PROTECT:
	case ADVISE:
		a[1] = any_place();
		a[2] = 1 + below(3);
		a[3] = below(step->op == PROTECT ? 4 : 5);
		break;
	case TOUCH:
		a[1] = any_place();
		a[2] = 1 + below(MAX_TOUCH);
		break;
	case STORE:
		a[1] = any_place();
		a[2] = random64() & 0x7fffffff;
		break;
	case READ:
	case WRITE:
		a[2] = random_bar(m, a[0], a[1]);
		a[3] = below(3);
		a[4] = random_page(m, a);
		a[5] = step->op == WRITE ? random64() & 0x7fffffff : 0;
		break;
	case IOEVENT:
		a[2] = random_bar(m, a[0], a[1]);
		a[3] = random_page(m, a);
		a[4] = below(EVENTS);
		a[5] = !one_in(3);
		break;
	case SIGNAL:
		a[1] = below(EVENTS);
		break;
	case DMA:
		a[1] = below(devices);
		a[2] = any_place();
		a[3] = 1 + below(3);
		a[4] = below(2);
		break;
	case MEMORY:
		a[2] = !one_in(3);
		break;
	default:
		break;
	}
}

/* One that does something, for the most part */
static void random_step(const struct machine *m, const struct oracle *o, struct step *step)
{
	for (;;) {
		step->op = random_op();
		for (int tries = 0; tries < 100; tries++) {
			random_arguments(m, step);
			if (oracle_can(o, step) && (!oracle_misses(o, step) || one_in(64)))
				return;
		}
	}
}

/* A round */

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void fail(const char *why)
{
	if (!record->why[0])
		snprintf(record->why, sizeof(record->why), "%s", why);
}

static const char *look(const struct oracle *o, struct machine *m, int process)
{
	const char *why = m->turn[process].pid ? workers_look(m, process) : NULL;

	return why ?: oracle_compare(o, process);
}

static const char *look_at_all(const struct oracle *o, struct machine *m)
{
	const char *why = NULL;

	for (int i = 0; i < PROCS && !why; i++)
		why = look(o, m, i);
	return why ?: oracle_compare_types(o);
}

static bool take(struct oracle *o, struct machine *m, const struct step *step, long number)
{
	struct turn *turn = &m->turn[step->arg[0]];
	const char *why = workers_take(m, step);

	why = why ?: oracle_step(o, step, &turn->result);
	record->count[step->op][!turn->result.err && !turn->result.ask]++;
	if (!why && number % every == 0)
		why = look(o, m, step->arg[0]) ?: oracle_compare_types(o);
	if (!why && number % (every * 8) == 0)
		why = look_at_all(o, m);
	if (why)
		fail(why);
	return !why;
}

/* Is nothing reserved, as when nothing is open? */
static bool clean(const struct machine *m, int device)
{
	for (int b = 0; b < BARS; b++)
		if (m->device[device].bar[b].cookies && workers_memtypes(m, device, b, NULL) > 0)
			return false;
	return true;
}

/* With n steps that are given, or as many random ones */
static void run(const struct step *given, long n)
{
	struct machine *m = workers_open(devices, bdf);
	struct oracle *o = oracle_new(m);
	struct step step;
	const char *why;
	bool good = true;

	/* What a round that failed left behind is not to be mended */
	for (int i = 0; i < devices; i++)
		m->device[i].spoilt = !clean(m, i);
	for (long i = 0; good && i < n; i++) {
		if (given) {
			step = given[i];
			if (!oracle_can(o, &step))
				continue;
		} else {
			random_step(m, o, &step);
		}
		record->step[record->steps++] = step;
		good = take(o, m, &step, record->steps);
	}
	why = good ? look_at_all(o, m) : NULL;
	if (why)
		fail(why);
	workers_end(m);
	oracle_free(o);
	for (int i = 0; good && i < devices; i++)
		if (!m->device[i].spoilt && !clean(m, i))
			fail("a memory type is reserved, and nothing is open");
}

/* false: it does not end, or does not go on; what it has open stays as it is then */
static bool await_round(pid_t pid, int *status)
{
	double since = now();
	long steps = 0;

	while (waitpid(pid, status, WNOHANG) != pid) {
		if (steps != record->steps)
			since = now();
		steps = record->steps;
		if (now() - since > STUCK_SECONDS) {
			fail("the round is stuck");
			return false;
		}
		usleep(10000);
	}
	return true;
}

/* false: it failed, and the record says why */
static bool run_apart(const struct step *given, long n)
{
	char why[64];
	pid_t pid;
	int status;

	record->steps = 0;
	record->why[0] = 0;
	fflush(stdout);
	/* With it, which is init to them, go all processes that it made */
	pid = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
	if (!pid) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) ||
		    mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		    mount("proc", "/proc", "proc", 0, NULL))
			fail("no /proc of its own");
		else
			run(given, n);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0)
		fail(strerror(errno));
	else if (!await_round(pid, &status))
		stuck = true;
	else if (status) {
		snprintf(why, sizeof(why), "the round ended with status %#x", status);
		fail(why);
	}
	return !record->why[0];
}

/* Do these say the same, but for numbers? */
static bool same_kind(const char *a, const char *b)
{
	while (*a && *b) {
		a += strspn(a, "0123456789abcdefx");
		b += strspn(b, "0123456789abcdefx");
		if (*a != *b)
			return false;
		a += *a != 0;
		b += *b != 0;
	}
	return *a == *b;
}

/* The steps that are left of those recorded, when none of them can be left out */
static void shorten(void)
{
	struct record *best = malloc(sizeof(*best));
	struct step *rest = malloc(sizeof(record->step));
	int kept = every;

	if (!best || !rest)
		return;
	*best = *record;
	/* If it does as well, look when all is done only: what it is about is the last step */
	every = MAX_STEPS + 1;
	if (run_apart(best->step, best->steps) || !same_kind(record->why, best->why))
		every = kept;
	for (long chunk = best->steps / 2; chunk; chunk = chunk > 1 ? (chunk + 1) / 2 : 0) {
		for (long at = 0; at < best->steps;) {
			long n = at + chunk < best->steps ? chunk : best->steps - at;

			memcpy(rest, best->step, at * sizeof(*rest));
			memcpy(rest + at, best->step + at + n,
			       (best->steps - at - n) * sizeof(*rest));
			if (!run_apart(rest, best->steps - n) &&
			    same_kind(record->why, best->why))
				*best = *record;
			else
				at += n;
		}
		printf("# %ld steps are left\n", best->steps);
		fflush(stdout);
	}
	*record = *best;
	free(best);
	free(rest);
}

static void print_record(void)
{
	printf("# %s\n", record->why);
	for (long i = 0; i < record->steps; i++)
		print_step(stdout, &record->step[i]);
}

/* One result in TAP */
static bool play(const char *path, int number)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	struct step *step = calloc(MAX_STEPS, sizeof(*step));
	FILE *f = fopen(path, "r");
	char line[512];
	long n = 0;
	bool good;

	if (!f || !step) {
		printf("not ok %d - %s: %s\n", number, name, strerror(errno));
		return false;
	}
	while (n < MAX_STEPS && fgets(line, sizeof(line), f)) {
		if (line[0] == '#' || line[0] == '\n')
			continue;
		if (!parse_step(line, &step[n++])) {
			printf("not ok %d - %s: cannot understand: %s", number, name, line);
			return false;
		}
	}
	fclose(f);
	good = run_apart(step, n);
	if (!good)
		printf("# step %ld: %s\n", record->steps, record->why);
	printf("%s %d - %s\n", good ? "ok" : "not ok", number, name);
	free(step);
	return good;
}

static bool fuzz(__u64 seed, long rounds, long steps)
{
	double start = now();

	for (long i = 0; i < rounds; i++) {
		bool good;

		state = seed + i;
		good = run_apart(NULL, steps);
		printf("# round %ld of %ld, seed %llu: %ld steps, after %.0f s: %s\n", i + 1,
		       rounds, seed + i, record->steps, now() - start,
		       good ? "good" : record->why);
		fflush(stdout);
		if (good)
			continue;
		if (!stuck)
			shorten();
		print_record();
		printf("# found after %.0f s\n", now() - start);
		return false;
	}
	for (int i = 0; i < NR_OPS; i++)
		printf("# %s: %ld worked, %ld did not\n", names[i][0], record->count[i][1],
		       record->count[i][0]);
	return true;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "steps", required_argument, NULL, 'n' },
		{ "every", required_argument, NULL, 'e' },
		{ "play", no_argument, NULL, 'p' },
		{ "process", required_argument, NULL, 'w' },
		{},
	};
	long rounds = 1, steps = 500;
	__u64 seed = time(NULL);
	bool playing = false, good = true;
	char **paths;
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case 's':
			seed = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			rounds = atol(optarg);
			break;
		case 'n':
			steps = atol(optarg);
			break;
		case 'e':
			every = atoi(optarg);
			break;
		case 'p':
			playing = true;
			break;
		case 'w':
			return worker_main(atoi(optarg));
		default:
			return 2;
		}
	}
	record = mmap(NULL, sizeof(*record), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	paths = bdf = argv + optind;
	while (playing && bdf < argv + argc && !strchr(*bdf, ':'))
		bdf++;
	devices = argv + argc - bdf;
	if (record == MAP_FAILED || !devices || devices > DEVICES || steps > MAX_STEPS) {
		fprintf(stderr, "vfio-cookie-fuzz: 1 to %d devices, %d steps at most\n", DEVICES,
			MAX_STEPS);
		return 2;
	}
	if (!playing)
		return !fuzz(seed, rounds, steps);
	printf("1..%d\n", (int)(bdf - paths));
	for (int i = 0; paths + i < bdf; i++)
		good &= play(paths[i], i + 1);
	return !good;
}
