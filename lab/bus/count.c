/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "count.h"

#define GB4 (1ULL << 32)
#define CHUNK 8
#define FNV_BASIS 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

/* Sequence number and framing, LCRC. */
#define LINK_OVERHEAD 8
#define HEADER_3DW 12
#define HEADER_4DW 16

#define REPORT_SITES 16

static struct site *
find_site(struct core *core, uint64_t address)
{
	unsigned int i, h = (address * 0x9e3779b97f4a7c15ULL) >> 54;
	struct site *s;

	for (i = 0; i < N_SITES; i++) {
		s = &core->sites[(h + i) % N_SITES];
		if (s->address == address || s->stores == 0)
			break;
	}
	s->address = address;
	return s;
}

/* One PCIe memory write of the bytes [pa, pa + length), or as many as the payload size makes it. */
static unsigned int
pcie_write(struct core *core, uint64_t pa, unsigned int length)
{
	const unsigned int data = ((pa + length - 1) / 4 - pa / 4 + 1) * 4;
	const unsigned int n = (data + core->payload - 1) / core->payload;

	core->c.pcie_writes += n;
	core->c.wire_bytes += data +
		n * (LINK_OVERHEAD + (pa + length <= GB4 ? HEADER_3DW : HEADER_4DW));
	return n;
}

static unsigned int
residency_index(uint64_t value)
{
	int octave;

	if (value < 1024)
		return value;
	octave = 63 - __builtin_clzll(value);
	return 1024 + (octave - 10) * 64 + (value >> (octave - 6) & 63);
}

static uint64_t
residency_value(unsigned int index)
{
	if (index < 1024)
		return index;
	index -= 1024;
	return (64ULL + index % 64) << (index / 64 + 4);
}

uint64_t
core_residency(const struct core *core, double share)
{
	uint64_t total = 0, seen = 0;
	unsigned int i;

	for (i = 0; i < N_RESIDENCY; i++)
		total += core->residency[i];
	for (i = 0; i < N_RESIDENCY; i++) {
		seen += core->residency[i];
		if (seen > 0 && seen >= share * total)
			return residency_value(i);
	}
	return 0;
}

static void
drained(void *ctx, const struct wc_line *line, enum wc_cause cause, uint64_t now)
{
	const uint64_t pa = line->line * WC_LINE;
	struct core *core = ctx;
	struct site *site;
	unsigned int i, first, last, writes = 0;
	uint64_t wait;
	size_t j;

	core->lines[cause]++;
	core->left[cause] += line->n;
	core->c.payload_bytes += __builtin_popcountll(line->mask);
	if (line->mask == UINT64_MAX) {
		core->c.full_lines++;
		writes = pcie_write(core, pa, WC_LINE);
	} else {
		core->c.partial_lines++;
		for (i = 0; i < WC_LINE; i += CHUNK) {
			const unsigned int chunk = line->mask >> i & 0xff;

			if (chunk == 0)
				continue;
			first = __builtin_ctz(chunk);
			last = 31 - __builtin_clz(chunk);
			writes += pcie_write(core, pa + i + first, last - first + 1);
		}
	}
	core->c.wc_writes += writes;
	for (j = 0; j < line->n; j++) {
		wait = now - line->stores[j].when;
		core->residency[residency_index(wait)]++;
		if (wait > core->residency_worst)
			core->residency_worst = wait;
		site = find_site(core, line->stores[j].site);
		if (wait > site->residency)
			site->residency = wait;
	}
	site = find_site(core, line->stores[line->n - 1].site);
	site->writes += writes;
	site->partial += line->mask != UINT64_MAX;
}

void
core_init(struct core *core, unsigned int buffers, unsigned int payload)
{
	memset(core, 0, sizeof(*core));
	core->wc.limit = buffers;
	core->wc.drained = drained;
	core->wc.ctx = core;
	core->payload = payload;
	core->hash = FNV_BASIS;
	core->last.open = NO_WRITE;
}

void
core_reset(struct core *core)
{
	wcbuf_reset(&core->wc);
	core_init(core, core->wc.limit, core->payload);
}

/* An uncached store; where it goes on in the line of the open write, it makes that longer. */
static void
store_uncached(struct core *core, uint64_t pa, unsigned int length, struct site *site)
{
	unsigned int room, part;

	for (; length > 0; pa += part, length -= part) {
		room = WC_LINE - pa % WC_LINE;
		part = length < room ? length : room;
		core->c.payload_bytes += part;
		if (core->last.open != NO_WRITE && core->last.open / WC_LINE == pa / WC_LINE) {
			core->c.wire_bytes += ((pa + part - 1) / 4 - (pa - 1) / 4) * 4;
		} else {
			site->writes += pcie_write(core, pa, part);
			core->last.open = pa;
		}
	}
}

void
core_store(struct core *core, enum memtype type, uint64_t pa, const uint8_t *value,
	unsigned int length, enum insn_kind kind, uint64_t now, uint64_t at, bool rest)
{
	/* AVX: the same instruction goes on where it stopped. */
	const bool more = kind == INSN_VEX && core->last.now == now && core->last.site == at &&
		core->last.end == pa;
	struct site *site = find_site(core, at);
	unsigned int i;

	for (i = 0; i < length; i++)
		core->hash = (core->hash ^ (pa + i) << 8 ^ value[i]) * FNV_PRIME;
	core->c.store_bytes += length;
	if (!rest && !more) {
		*(type == TYPE_WC ? &core->c.wc_stores :
			type == TYPE_UC || type == TYPE_UC_MINUS ? &core->c.uc_stores :
			&core->c.other_stores) += 1;
		site->stores++;
	}
	if (!more || type == TYPE_WC)
		core->last.open = NO_WRITE;
	if (type == TYPE_WC) {
		wcbuf_store(&core->wc, pa, length, now, at, rest || more);
		if (kind == INSN_LOCKED)
			wcbuf_drain(&core->wc, WC_LOCKED, now);
	} else {
		wcbuf_drain(&core->wc, WC_UNCACHED, now);
		store_uncached(core, pa, length, site);
	}
	core->last.now = now;
	core->last.site = at;
	core->last.end = pa + length;
}

void
core_load(struct core *core, enum memtype type, uint64_t pa, unsigned int length, uint64_t now)
{
	core->c.loads++;
	if (type == TYPE_WC)
		wcbuf_load(&core->wc, pa, length, now);
	else
		wcbuf_drain(&core->wc, WC_UNCACHED, now);
}

void
core_insn(struct core *core, enum insn_kind kind, uint64_t now, uint64_t site)
{
	static const struct {
		enum wc_cause cause;
		size_t counter;	/* offset in struct counters, + 1 */
	} what[] = {
#define COUNTER(name) (offsetof(struct counters, name) + 1)
		[INSN_SFENCE] = { WC_SFENCE, COUNTER(sfence) },
		[INSN_MFENCE] = { WC_MFENCE, COUNTER(mfence) },
		[INSN_LFENCE] = { N_WC_CAUSES, COUNTER(lfence) },
		[INSN_LOCKED] = { WC_LOCKED, COUNTER(locked) },
		[INSN_SERIALISING] = { WC_SERIALISING, COUNTER(serialising) },
		[INSN_IO] = { WC_IO, 0 },
		[INSN_VEX] = { N_WC_CAUSES, 0 },
#undef COUNTER
	};

	/* The kernel's are none of the driver's doing; the upper half is the kernel's. */
	if (what[kind].counter != 0 && site >> 63 == 0)
		*(uint64_t *)((char *)&core->c + what[kind].counter - 1) += 1;
	if (what[kind].cause != N_WC_CAUSES)
		wcbuf_drain(&core->wc, what[kind].cause, now);
}

void
core_interrupt(struct core *core, uint64_t now)
{
	core->c.interrupts++;
	wcbuf_drain(&core->wc, WC_INTERRUPT, now);
}

void
core_uncached(struct core *core, uint64_t now)
{
	wcbuf_drain(&core->wc, WC_UNCACHED, now);
}

uint64_t
core_takes(const struct core *core, const struct pace *pace, uint64_t instructions)
{
	const struct counters *c = &core->c;

	return (instructions * 1000 + (c->pcie_writes - c->wc_writes) * pace->uc +
		c->wc_writes * pace->wc) * pace->ps / 1000000;
}

int64_t
core_goes_on(struct core *core, const struct pace *pace, uint64_t instructions, int64_t now_ns)
{
	const int64_t takes = core_takes(core, pace, instructions);
	int64_t late;

	if (!core->pace.begun)
		core->pace.origin = now_ns - takes;
	core->pace.begun = true;
	late = now_ns - core->pace.origin - takes - PACE_CREDIT_NS;
	if (late > 0) {
		core->pace.origin += late;
		core->c.late_ns += late;
	}
	return core->pace.origin + takes;
}

void
core_add(struct core *into, const struct core *from)
{
	unsigned int i;

#define C(name) into->c.name += from->c.name;
	COUNTERS
#undef C
	into->c.merged_stores += from->wc.merged;
	for (i = 0; i < N_WC_CAUSES; i++) {
		into->lines[i] += from->lines[i];
		into->left[i] += from->left[i];
	}
	for (i = 0; i < N_RESIDENCY; i++)
		into->residency[i] += from->residency[i];
	if (from->residency_worst > into->residency_worst)
		into->residency_worst = from->residency_worst;
	if (from->c.store_bytes > 0) /* meaningful when one CPU stores */
		into->hash = from->hash;
	for (i = 0; i < N_SITES; i++) {
		const struct site *s = &from->sites[i];
		struct site *t;

		if (s->stores == 0)
			continue;
		t = find_site(into, s->address);
		t->stores += s->stores;
		t->writes += s->writes;
		t->partial += s->partial;
		if (s->residency > t->residency)
			t->residency = s->residency;
	}
}

static int
busier(const void *a, const void *b)
{
	const struct site *x = *(const struct site *const *)a;
	const struct site *y = *(const struct site *const *)b;

	return x->stores != y->stores ? (x->stores < y->stores ? 1 : -1) :
		x->address < y->address ? -1 : x->address > y->address;
}

void
core_report(const struct core *core, FILE *f)
{
	const struct site *sites[N_SITES];
	unsigned int i, n = 0;

#define C(name) fprintf(f, #name " %" PRIu64 "\n", core->c.name);
	COUNTERS
#undef C
	for (i = 0; i < N_WC_CAUSES; i++)
		fprintf(f, "lines_%s %" PRIu64 "\nstores_%s %" PRIu64 "\n", wc_cause_names[i],
			core->lines[i], wc_cause_names[i], core->left[i]);
	fprintf(f, "residency_median %" PRIu64 "\nresidency_p99 %" PRIu64 "\n"
		"residency_worst %" PRIu64 "\nhash %" PRIu64 "\n", core_residency(core, 0.5),
		core_residency(core, 0.99), core->residency_worst, core->hash);
	for (i = 0; i < N_SITES; i++)
		if (core->sites[i].stores > 0)
			sites[n++] = &core->sites[i];
	qsort(sites, n, sizeof(sites[0]), busier);
	for (i = 0; i < n && i < REPORT_SITES; i++)
		fprintf(f, "site 0x%" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			sites[i]->address, sites[i]->stores, sites[i]->writes,
			sites[i]->partial, sites[i]->residency);
}
