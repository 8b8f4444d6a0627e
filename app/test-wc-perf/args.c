/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "stats.h"

const char *const arm_names[N_ARMS] = {
	[ARM_PLAIN] = "plain",
	[ARM_UC] = "uc",
	[ARM_WC] = "wc",
};

const char *const wc_by_names[N_WC_BY] = {
	[WC_BY_PLUGIN] = "plugin",
	[WC_BY_RUN] = "run",
	[WC_BY_EAL] = "eal",
	[WC_BY_KERNEL] = "kernel",
};

static const char usage[] =
"Usage: dpdk-test-wc-perf --device BDF [options]\n"
"       dpdk-test-wc-perf --check --device BDF [options]\n"
"       dpdk-test-wc-perf --show FILE\n"
"\n"
"Runs an unmodified dpdk-testpmd on one device, alternately with a part of a BAR mapped\n"
"uncached and write-combining, and compares the packet rates. Arms of the comparison:\n"
"  plain  nothing is mapped anew: shows that what does it costs nothing itself\n"
"  uc     the plugin, or vfio-wc-run, maps the range anew, uncached\n"
"  wc     it maps the range anew, write-combining\n"
"uc and wc differ in the memory type alone. What type the pages had is observed, not assumed;\n"
"when it is not what the arm is called, the tool refuses to go on.\n"
"\n"
"What is measured\n"
"  -D, --device BDF        PCI device, bound to vfio-pci (0000:00:03.0, or 00:03.0 as lspci\n"
"                          prints it); may repeat, each with its own --range and --backend\n"
"                          after it\n"
"  -r, --range WHAT        bar=N[,offset=X][,len=Y], whole pages; or virtio-notify: the page\n"
"                          that virtio's notify capability names (default: what the built-in\n"
"                          table says of the device)\n"
"  -f, --frames LIST       frame sizes without FCS, as testpmd's txpkts (default 64)\n"
"  -b, --bursts LIST       packets a burst (default 32)\n"
"  -q, --queues LIST       numbers of Tx queues, as many Rx queues (default 1)\n"
"  -F, --forward MODE      testpmd's forwarding mode (default txonly)\n"
"  -a, --arms LIST         of plain,uc,wc (default all; with --wc-by=kernel: wc)\n"
"  -n, --repeats N         starts of testpmd, in each of which the arms take turns while the\n"
"                          plugin exchanges the memory type; with another --wc-by, starts for\n"
"                          each arm (default 6; a 95% interval needs 2)\n"
"  -t, --turns N           of each arm in a start (default 2)\n"
"      --precision P       further starts until the 95% interval of wc/uc is within P of it (1%),\n"
"                          in each case, and 6 starts at least\n"
"      --max-repeats N     but no more than N starts; if that is too few, it is said, and\n"
"                          the exit status is 8 (default 30)\n"
"      --warmup S          seconds of forwarding before the window (default 1)\n"
"      --window S          seconds over which the rate is taken (default 2)\n"
"      --seed N            of the order of the arms (default 1)\n"
"      --wc-by WHO         plugin (default); run: testpmd runs under vfio-wc-run; eal: testpmd's\n"
"                          DPDK has the series in dpdk-patch, the other arms --vfio-wc=off;\n"
"                          or kernel: the wc arm runs as the plain one on a kernel that is\n"
"                          said to map write-combining by itself\n"
"\n"
"How testpmd runs\n"
"      --testpmd PATH      (default dpdk-testpmd)\n"
"      --plugin PATH       (default " WC_PERF_PLUGIN ")\n"
"      --run PATH          vfio-wc-run (default " WC_PERF_RUN ")\n"
"  -c, --cores N           forwarding lcores (default 1)\n"
"  -l, --lcores LIST       CPUs, first testpmd's main lcore (default: on the device's node)\n"
"  -m, --mem MB            hugepage memory (default 192)\n"
"      --eal ARG           a further argument for EAL; may repeat\n"
"      --testpmd-arg ARG   a further argument for testpmd; may repeat\n"
"\n"
"Against another build\n"
"      --against WHAT      plugin=PATH, testpmd=PATH, run=PATH, with commas between: a build\n"
"                          that has these has starts among ours, as many, in mirrored order\n"
"      --against-json FILE its results, for dpdk-wc-results compare\n"
"\n"
"Who observes the memory type\n"
"  -w, --witness PATH      page tables, read from outside (default $WC_WITNESS). Without a\n"
"                          witness: what the kernel guarantees to the plugin, else\n"
"                          /sys/kernel/debug/x86/pat_memtype_list\n"
"      --backend NAME      the witness counts frames at this back end, too\n"
"  -p, --probe BDF,RANGE   is there any difference on this platform? Times stores to a BAR\n"
"                          page that has no side effects\n"
"                          (0000:00:05.0,bar=2,offset=0,len=0x10000)\n"
"\n"
"Output\n"
"  -j, --json FILE         results (doc/schema describes them), however the run ends\n"
"  -s, --show FILE         print the table of such a file\n"
"      --check             start nothing; say what is missing for such a run, and what mends it\n"
"                          (a device that nobody has is opened for a moment); --json, too\n"
"  -v, --verbose           show testpmd's output\n"
"  -h, --help              this text\n"
"\n"
"Exit status\n"
"  0  measured; with --check: ready\n"
"  1  internal: out of memory, results cannot be written\n"
"  2  wrong arguments\n"
"  3  not ready: device, driver, hugepages, testpmd, plugin, witness\n"
"  4  refused: a page's memory type is not what the arm is called\n"
"  5  measured, but testpmd and the back end count different numbers of frames\n"
"  6  testpmd did not start, died or does not answer\n"
"  7  interrupted\n"
"  8  measured, but not as precisely as --precision asks\n";

enum {
	OPT_WARMUP = 256,
	OPT_WINDOW,
	OPT_SEED,
	OPT_WC_BY,
	OPT_TESTPMD,
	OPT_PLUGIN,
	OPT_RUN,
	OPT_EAL,
	OPT_TESTPMD_ARG,
	OPT_BACKEND,
	OPT_CHECK,
	OPT_AGAINST,
	OPT_AGAINST_JSON,
	OPT_MAX_REPEATS,
	OPT_PRECISION,
};

static const struct option options[] = {
	{ "against", required_argument, NULL, OPT_AGAINST },
	{ "against-json", required_argument, NULL, OPT_AGAINST_JSON },
	{ "arms", required_argument, NULL, 'a' },
	{ "backend", required_argument, NULL, OPT_BACKEND },
	{ "bursts", required_argument, NULL, 'b' },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "cores", required_argument, NULL, 'c' },
	{ "device", required_argument, NULL, 'D' },
	{ "eal", required_argument, NULL, OPT_EAL },
	{ "forward", required_argument, NULL, 'F' },
	{ "frames", required_argument, NULL, 'f' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", required_argument, NULL, 'j' },
	{ "lcores", required_argument, NULL, 'l' },
	{ "max-repeats", required_argument, NULL, OPT_MAX_REPEATS },
	{ "mem", required_argument, NULL, 'm' },
	{ "plugin", required_argument, NULL, OPT_PLUGIN },
	{ "precision", required_argument, NULL, OPT_PRECISION },
	{ "probe", required_argument, NULL, 'p' },
	{ "queues", required_argument, NULL, 'q' },
	{ "range", required_argument, NULL, 'r' },
	{ "repeats", required_argument, NULL, 'n' },
	{ "run", required_argument, NULL, OPT_RUN },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "show", required_argument, NULL, 's' },
	{ "testpmd", required_argument, NULL, OPT_TESTPMD },
	{ "testpmd-arg", required_argument, NULL, OPT_TESTPMD_ARG },
	{ "turns", required_argument, NULL, 't' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "warmup", required_argument, NULL, OPT_WARMUP },
	{ "wc-by", required_argument, NULL, OPT_WC_BY },
	{ "window", required_argument, NULL, OPT_WINDOW },
	{ "witness", required_argument, NULL, 'w' },
	{ NULL, 0, NULL, 0 },
};

static enum wc_status
parse_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0' || strchr(text, '-') != NULL ||
			*value < min || *value > max)
		return fail(WC_USAGE, "%s %s: not a number from %ju to %ju", option, text,
			(uintmax_t)min, (uintmax_t)max);
	return WC_OK;
}

static enum wc_status
parse_unsigned(const char *option, const char *text, unsigned int min, unsigned int max,
	unsigned int *value)
{
	uint64_t v = 0;
	enum wc_status st = parse_number(option, text, min, max, &v);

	if (st == WC_OK)
		*value = v;
	return st;
}

static enum wc_status
parse_seconds(const char *option, const char *text, double min, double *value)
{
	char *end;
	const double v = strtod(text, &end);

	if (end == text || *end != '\0' || !(v >= min && v <= 3600))
		return fail(WC_USAGE, "%s %s: not seconds from %g to 3600", option, text, min);
	*value = v;
	return WC_OK;
}

/* "1%" or 0.01 */
static enum wc_status
parse_precision(const char *text, double *value)
{
	char *end;
	double v = strtod(text, &end);

	if (end != text && strcmp(end, "%") == 0) {
		v /= 100;
		end++;
	}
	if (end == text || *end != '\0' || !(v >= 0.0001 && v <= 0.5))
		return fail(WC_USAGE, "--precision %s: not from 0.01%% to 50%%", text);
	*value = v;
	return WC_OK;
}

static enum wc_status
parse_list(const char *option, const char *text, unsigned int min, unsigned int max,
	struct list *list)
{
	char *copy = strdup(text), *rest = copy, *item;
	enum wc_status st = WC_OK;
	unsigned int i;

	if (copy == NULL)
		return fail(WC_INTERNAL, "out of memory");
	list->n = 0;
	while (st == WC_OK && (item = strsep(&rest, ",")) != NULL) {
		if (list->n == MAX_LIST)
			st = fail(WC_USAGE, "%s %s: more than %d values", option, text, MAX_LIST);
		else
			st = parse_unsigned(option, item, min, max, &list->v[list->n++]);
		for (i = 0; st == WC_OK && i + 1 < list->n; i++)
			if (list->v[i] == list->v[list->n - 1])
				st = fail(WC_USAGE, "%s %s: %u is there twice", option, text,
					list->v[i]);
	}
	free(copy);
	return st;
}

static enum wc_status
parse_arms(const char *text, bool *arms)
{
	size_t len, i;

	memset(arms, 0, N_ARMS * sizeof(*arms));
	for (;; text += len + 1) {
		len = strcspn(text, ",");
		for (i = 0; i < N_ARMS; i++)
			if (strlen(arm_names[i]) == len && strncmp(text, arm_names[i], len) == 0)
				break;
		if (i == N_ARMS)
			return fail(WC_USAGE, "--arms %s: not of plain, uc, wc", text);
		arms[i] = true;
		if (text[len] == '\0')
			return WC_OK;
	}
}

static enum wc_status
parse_probe(const char *text, struct args *a)
{
	const size_t length = strcspn(text, ",");
	char address[32];

	snprintf(address, sizeof(address), "%.*s", (int)length, text);
	if (text[length] == ',' && vfio_wc_bdf(address, a->probe_device) == 0 &&
			pci_parse_range(text + length + 1, &a->probe) == 0) {
		a->have_probe = true;
		return WC_OK;
	}
	return fail(WC_USAGE, "--probe %s: not of the form 0000:00:05.0,bar=2,offset=0,len=0x10000",
		text);
}

/* The device that an option behind it belongs to, or NULL. */
static struct target_args *
last_target(struct args *a, const char *option)
{
	if (a->n_targets > 0)
		return &a->targets[a->n_targets - 1];
	fail(WC_USAGE, "%s: stands before any --device", option);
	return NULL;
}

static enum wc_status
parse_range(const char *text, struct target_args *t)
{
	t->range_from = RANGE_GIVEN;
	if (strcmp(text, "virtio-notify") == 0)
		t->range_from = RANGE_VIRTIO_NOTIFY;
	else if (pci_parse_range(text, &t->range) < 0)
		return fail(WC_USAGE, "--range %s: not of the form bar=4,offset=0x3000,len=0x1000",
			text);
	return WC_OK;
}

static enum wc_status
append(const char *option, const char *text, const char **v, unsigned int *n)
{
	if (*n == MAX_LIST)
		return fail(WC_USAGE, "%s: more than %d", option, MAX_LIST);
	v[(*n)++] = text;
	return WC_OK;
}

static enum wc_status
parse_against(const char *text, struct args *a)
{
	const struct {
		const char *key;
		const char **path;
	} parts[] = {
		{ "plugin=", &a->other.plugin }, { "testpmd=", &a->other.testpmd },
		{ "run=", &a->other.run },
	};
	char *rest = a->other.words, *item;
	size_t i, n = snprintf(rest, sizeof(a->other.words), "%s", text);

	if (n >= sizeof(a->other.words))
		return fail(WC_USAGE, "--against: longer than %zu", sizeof(a->other.words) - 1);
	a->against = true;
	while ((item = strsep(&rest, ",")) != NULL) {
		for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			n = strlen(parts[i].key);
			if (strncmp(item, parts[i].key, n) == 0 && item[n] != '\0')
				break;
		}
		if (i == sizeof(parts) / sizeof(parts[0]))
			return fail(WC_USAGE, "--against %s: not of the form "
				"plugin=PATH,testpmd=PATH,run=PATH", text);
		*parts[i].path = item + n;
	}
	return WC_OK;
}

static enum wc_status
parse_option(struct args *a, int opt, const char *arg, bool *have_arms)
{
	struct target_args *t;

	switch (opt) {
	case 'a':
		*have_arms = true;
		return parse_arms(arg, a->arms);
	case 'b':
		return parse_list("--bursts", arg, 1, 512, &a->bursts);
	case 'c':
		return parse_unsigned("--cores", arg, 1, MAX_LIST - 1, &a->cores);
	case 'D':
		if (a->n_targets == MAX_LIST)
			return fail(WC_USAGE, "--device: more than %d", MAX_LIST);
		a->targets[a->n_targets++].device = arg;
		return WC_OK;
	case 'F':
		if (!text_is_utf8(arg))
			return fail(WC_USAGE, "--forward %s: not UTF-8", arg);
		a->forward = arg;
		return WC_OK;
	case 'f':
		return parse_list("--frames", arg, 60, 9000, &a->frames);
	case 'h':
		fputs(usage, stdout);
		a->done = true;
		return WC_OK;
	case 'j':
		a->json = arg;
		return WC_OK;
	case 'l':
		return parse_list("--lcores", arg, 0, 4095, &a->lcores);
	case 'm':
		return parse_unsigned("--mem", arg, 16, 1 << 20, &a->mem_mb);
	case 'n':
		return parse_unsigned("--repeats", arg, 1, 1000, &a->repeats);
	case 'p':
		return parse_probe(arg, a);
	case 'q':
		return parse_list("--queues", arg, 1, 128, &a->queues);
	case 'r':
		t = last_target(a, "--range");
		return t != NULL ? parse_range(arg, t) : WC_USAGE;
	case 's':
		a->show = arg;
		return WC_OK;
	case 't':
		return parse_unsigned("--turns", arg, 1, 1000, &a->turns);
	case 'v':
		a->verbose = true;
		return WC_OK;
	case 'w':
		a->witness = arg;
		return WC_OK;
	case OPT_BACKEND:
		t = last_target(a, "--backend");
		if (t == NULL)
			return WC_USAGE;
		t->backend = arg;
		return WC_OK;
	case OPT_CHECK:
		a->check = true;
		return WC_OK;
	case OPT_EAL:
		return append("--eal", arg, a->eal, &a->n_eal);
	case OPT_AGAINST:
		return parse_against(arg, a);
	case OPT_AGAINST_JSON:
		a->other.json = arg;
		return WC_OK;
	case OPT_MAX_REPEATS:
		return parse_unsigned("--max-repeats", arg, STATS_STOPPED_STARTS, 1000,
			&a->max_repeats);
	case OPT_PRECISION:
		return parse_precision(arg, &a->precision);
	case OPT_PLUGIN:
		a->plugin = arg;
		return WC_OK;
	case OPT_RUN:
		a->run = arg;
		return WC_OK;
	case OPT_SEED:
		return parse_number("--seed", arg, 0, UINT64_MAX, &a->seed);
	case OPT_TESTPMD:
		a->testpmd = arg;
		return WC_OK;
	case OPT_TESTPMD_ARG:
		return append("--testpmd-arg", arg, a->testpmd_args, &a->n_testpmd_args);
	case OPT_WARMUP:
		return parse_seconds("--warmup", arg, 0, &a->warmup);
	case OPT_WC_BY:
		for (a->wc_by = WC_BY_PLUGIN; a->wc_by < N_WC_BY; a->wc_by++)
			if (strcmp(arg, wc_by_names[a->wc_by]) == 0)
				return WC_OK;
		return fail(WC_USAGE, "--wc-by %s: none of plugin, run, eal, kernel", arg);
	case OPT_WINDOW:
		return parse_seconds("--window", arg, 0.1, &a->window);
	default:
		/* getopt_long() has said what is wrong. */
		return fail(WC_USAGE, "see --help");
	}
}

/* What single options cannot see. */
static enum wc_status
check_consistency(struct args *a, bool have_arms)
{
	const struct target_args *t;

	if (a->n_targets == 0)
		return fail(WC_USAGE, "--device is missing; see --help");
	if (a->lcores.n != 0 && a->lcores.n != a->cores + 1)
		return fail(WC_USAGE, "--lcores: %u CPUs for one main and %u forwarding lcores",
			a->lcores.n, a->cores);
	if (a->witness != NULL && a->witness[0] == '\0')
		a->witness = NULL;
	if (a->wc_by == WC_BY_KERNEL && !have_arms)
		a->arms[ARM_PLAIN] = a->arms[ARM_UC] = false;
	if (a->other.json != NULL && a->json != NULL && strcmp(a->other.json, a->json) == 0)
		return fail(WC_USAGE, "--against-json %s: that is where --json goes", a->json);
	if (a->other.json != NULL && !a->against)
		return fail(WC_USAGE, "--against-json %s: there is no --against", a->other.json);
	if (a->precision > 0 && !(a->arms[ARM_UC] && a->arms[ARM_WC]))
		return fail(WC_USAGE, "--precision: of wc/uc, so both arms are needed; see --arms");
	if (a->precision > 0 && a->repeats < STATS_STOPPED_STARTS)
		a->repeats = STATS_STOPPED_STARTS;
	if (a->precision == 0 || a->max_repeats < a->repeats)
		a->max_repeats = a->repeats;
	for (t = a->targets; t < &a->targets[a->n_targets]; t++) {
		if (t->backend != NULL && a->witness == NULL)
			return fail(WC_USAGE, "--backend %s: only a witness can count there; see "
				"--witness", t->backend);
		if (t->range_from == RANGE_TABLE && !args_maps_any(a))
			return fail(WC_USAGE, "device %s: no arm maps a range anew, so --range "
				"is needed", t->device);
	}
	return WC_OK;
}

void
args_against(const struct args *a, struct args *other)
{
	*other = *a;
	other->json = a->other.json;
	if (a->other.testpmd != NULL)
		other->testpmd = a->other.testpmd;
	if (a->other.plugin != NULL)
		other->plugin = a->other.plugin;
	if (a->other.run != NULL)
		other->run = a->other.run;
}

bool
args_maps(const struct args *a, enum arm arm)
{
	return a->arms[arm] && (arm == ARM_UC || (arm == ARM_WC && a->wc_by != WC_BY_KERNEL));
}

bool
args_maps_any(const struct args *a)
{
	return args_maps(a, ARM_UC) || args_maps(a, ARM_WC);
}

enum wc_status
args_parse(struct args *a, int argc, char **argv)
{
	enum wc_status st = WC_OK, one;
	bool have_arms = false;
	int opt;

	*a = (struct args){
		.argv = (const char *const *)argv,
		.frames = { .v = { 64 }, .n = 1 },
		.bursts = { .v = { 32 }, .n = 1 },
		.queues = { .v = { 1 }, .n = 1 },
		.cores = 1,
		.repeats = 6,
		.max_repeats = 30,
		.turns = 2,
		.warmup = 1,
		.window = 2,
		.seed = 1,
		.arms = { true, true, true },
		.forward = "txonly",
		.testpmd = "dpdk-testpmd",
		.plugin = WC_PERF_PLUGIN,
		.run = WC_PERF_RUN,
		.mem_mb = 192,
		.witness = getenv("WC_WITNESS"),
	};
	optind = 0;
	while ((opt = getopt_long(argc, argv, "a:b:c:D:F:f:hj:l:m:n:p:q:r:s:t:vw:", options,
			NULL)) != -1) {
		one = parse_option(a, opt, optarg, &have_arms);
		/* The first failure counts; where the result goes may stand behind it. */
		if (st == WC_OK)
			st = one;
		if (a->done)
			return st;
	}
	if (st != WC_OK)
		return st;
	if (optind != argc)
		return fail(WC_USAGE, "%s: not an option; see --help", argv[optind]);
	if (a->show != NULL)
		return WC_OK;
	return check_consistency(a, have_arms);
}
