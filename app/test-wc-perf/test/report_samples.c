/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Results as the tool writes them, one a line, for check_samples.py: complete, without plugin
 * and witness, refused, without any run. "table": the table of the first, for the eye and a
 * comparison.
 */

#include <stdlib.h>
#include <string.h>

#include "report.h"

static const char *const words[] = { "dpdk-test-wc-perf", "--device", "0000:00:03.0", NULL };

static struct args args = {
	.argv = words,
	.cores = 1,
	.plugin = "/nowhere/librte_misc_vfio_wc.so",
	.probe_device = "0000:00:06.0",
	.probe = { 2, 0, 0x10000 },
	.repeats = 3,
	.max_repeats = 30,
	.precision = 0.01,
	.turns = 2,
	.warmup = 1,
	.window = 2,
	.seed = UINT32_MAX,
	.forward = "txonly",
	.targets = { { .device = "0000:00:03.0", .backend = "net0" } },
	.n_targets = 1,
};

static struct perf_case cases[] = {
	{ .frame = 64, .burst = 32, .queues = 1 },
	{ .frame = 1514, .burst = 32, .queues = 1 },
};

static void
fill_arm(struct arm_result *r, double mpps, const char *type, const char *source)
{
	const struct leaf leaf = { 0x1100804000, 0xfea0003000, 0x80000fea0003067, 0x1000, "WC" };
	size_t i;

	r->n = 6;
	r->samples = calloc(r->n, sizeof(*r->samples));
	for (i = 0; i < r->n; i++)
		r->samples[i] = (struct sample){
			.at = i * 2.5, .order = 1 + i, .start = 1 + i / 2,
			.mpps = mpps + i / 100.0,
			.sent = 1000000 + i,
			.counted = 1000000 + i, .dropped = i,
		};
	strcpy(r->seen.type, type);
	r->seen.source = source;
	if (strcmp(source, "pte") != 0)
		return;
	leaves_add(&r->seen.leaves, &leaf);
	strcpy(r->seen.leaves.v[0].type, type);
	strcpy(r->seen.others[0].type, "UC-");
	r->seen.others[0].leaves = 4;
	r->seen.n_others = 1;
}

/* As the witness says it; a hundredth of a write more in each run. */
static void
fill_bus(struct bus *bus, size_t run)
{
	static const char *const lines[] = { "bus wc_stores 16000000",
		"bus wire_bytes 168000000", "bus residency_median 1012", "bus residency_p99 1014",
		"bus residency_worst 8192", "bus stores_full 16000000",
		"bus hash 18446744073709551615", "bus pace_ps 250000", "bus pace_uc 306360",
		"bus pace_wc 126250", "bus late_ns 1500000000",
		"bus site 0x7f0000001234 16000000 2000000 0 15" };
	char writes[64];
	size_t i;

	snprintf(writes, sizeof(writes), "bus pcie_writes %zu", 2000000 + 10000 * run);
	bus->values = json_object();
	bus->counted = true;
	if (bus_parse(writes, bus) != 0)
		abort();
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (bus_parse(lines[i], bus) != 0)
			abort();
	if (bus_parse("end 12", bus) != -1 || bus_parse("end 13", bus) != 1 ||
			bus_parse("bus", bus) != -1 || bus_parse("error x", bus) != -1)
		abort();
}

static void
put(const struct result *r)
{
	json_t *j = report_json(r);

	json_dumpf(j, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(j);
}

static void
free_arms(void)
{
	size_t i, arm, run;

	for (i = 0; i < 2; i++)
		for (arm = 0; arm < N_ARMS; arm++) {
			for (run = 0; run < cases[i].arms[arm].n; run++)
				bus_free(&cases[i].arms[arm].samples[run].bus);
			free(cases[i].arms[arm].samples);
			observation_free(&cases[i].arms[arm].seen);
			cases[i].arms[arm] = (struct arm_result){ .n = 0 };
		}
}

int
main(int argc, char **argv)
{
	struct result r = {
		.args = &args, .compare_counts = true,
		.probe = { "no", true, 6.1, 6.2, { 1.01, 0.97, 1.03, 41, true } },
		.dpdk = "DPDK 24.11.4", .started = "2026-11-21T01:00:00Z", .seconds = 12.5,
		.status = WC_OK, .cases = cases, .n_cases = 2,
		.targets = { {
			.args = &args.targets[0], .dev = {
				.bdf = "0000:00:03.0", .vendor = 0x1af4, .device = 0x1041,
			},
			.place = { { { 0, 1 }, 2 }, 0 }, .range = { 4, 0x3000, 0x1000 },
			.pmd = "net_virtio", .firmware = "1.0",
		} },
	};
	size_t i, run;
	json_t *j;

	args.arms[ARM_PLAIN] = args.arms[ARM_UC] = args.arms[ARM_WC] = true;
	for (i = 0; i < 2; i++) {
		cases[i].target = &r.targets[0];
		fill_arm(&cases[i].arms[ARM_PLAIN], 1.00, "UC-", "pte");
		fill_arm(&cases[i].arms[ARM_UC], 1.01, "UC-", "pte");
		fill_arm(&cases[i].arms[ARM_WC], 2.02, "WC", "pte");
		/* Counted in the first case. */
		for (run = 0; i == 0 && run < cases[i].arms[ARM_WC].n; run++)
			fill_bus(&cases[i].arms[ARM_WC].samples[run].bus, run);
		cases[i].arms[ARM_WC].counts_shaped = true;
	}
	if (argc > 1 && strcmp(argv[1], "table") == 0) {
		/* One frame got lost on its way. */
		cases[1].arms[ARM_WC].samples[3].counted--;
		j = report_json(&r);
		report_table(j, stdout, false);
		json_decref(j);
		free_arms();
		return 0;
	}
	put(&r);

	/* A real machine: no witness, no back end, no probe; too few pairs. */
	args.precision = 0;
	args.targets[0].backend = NULL;
	r.probe = (struct probe){ .honoured = "unknown" };
	r.targets[0].mtrr_wc = true;
	free_arms();
	fill_arm(&cases[0].arms[ARM_UC], 1.01, "UC-", "kernel");
	fill_arm(&cases[0].arms[ARM_WC], 2.02, "WC", "kernel");
	fill_arm(&cases[0].arms[ARM_PLAIN], 1.00, "unknown", "none");
	cases[0].arms[ARM_WC].n = 2;
	warn("two warnings");
	warn("of which this is the second");
	put(&r);

	/* The kernel was believed, and the page tables say otherwise. */
	free_arms();
	args.wc_by = WC_BY_KERNEL;
	args.arms[ARM_PLAIN] = args.arms[ARM_UC] = false;
	r.refusal = (struct refusal){
		.device = "0000:00:03.0", .arm = ARM_WC, .bar = 4, .offset = 0x3000, .len = 0x1000,
		.expected = "WC", .observed = "UC-", .source = "pte",
	};
	r.status = fail(WC_REFUSED, "refused: a sample");
	strcpy(cases[0].arms[ARM_WC].seen.type, "UC-");
	cases[0].arms[ARM_WC].seen.source = "pte";
	put(&r);

	/* testpmd did not start; not even the range is known. */
	r.refusal.device = NULL;
	r.status = WC_TESTPMD;
	r.targets[0].pmd[0] = '\0';
	memset(&r.targets[0].range, 0, sizeof(r.targets[0].range));
	put(&r);

	/* Nothing has started. */
	r.n_cases = 0;
	r.dpdk[0] = '\0';
	r.running = true;
	put(&r);
	return 0;
}
