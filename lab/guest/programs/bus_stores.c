/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * bus-stores RAM-BDF RAM-BAR IO-BDF IO-BAR IO-OFFSET SEQUENCES [SEED]
 *
 * Is what the plugin counts exact? Random sequences of stores, loads and fences to pages of a BAR
 * that is RAM and of one that is emulated, and beside them a reference model, which says what must
 * be counted. It shares nothing with the plugin's: it keeps every byte of every page, and looks
 * for what the plugin remembers. Speaks TAP.
 */

#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <cpuid.h>
#include <immintrin.h>

#include <rte_vfio_wc.h>

#include "bus.h"
#include "device.h"

#define CPU 1
#define PAGE 4096u
#define LINE 64u
#define LINES (PAGE / LINE)
#define BUFFERS 10
#define MAX_RETRIES 200

/* Next to each other in the address space: WC and UC- of the RAM. */
enum { RAM_WC, RAM_UC, IO, N_PAGES };

struct page {
	uint8_t *va;
	uint64_t pa;
	bool wc;
	bool ram;
	bool dirty[PAGE];	/* in a buffer */
	unsigned int taken[LINES];	/* when the line's buffer was; 0: it has none */
};

enum count {
	UC_STORES, WC_STORES, LOADS, STORE_BYTES, WRITES, PAYLOAD, WIRE, FULL, PARTIAL, MERGED,
	SFENCE, MFENCE, LFENCE, LOCKED, SERIALISING, BY_FULL, BY_EVICTION, BY_SFENCE, BY_MFENCE,
	BY_LOAD, BY_UNCACHED, BY_LOCKED, BY_SERIALISING, N_COUNTS
};

static const char *const names[N_COUNTS] = {
	"uc_stores", "wc_stores", "loads", "store_bytes", "pcie_writes", "payload_bytes",
	"wire_bytes", "full_lines", "partial_lines", "merged_stores", "sfence", "mfence", "lfence",
	"locked", "serialising", "lines_full", "lines_evicted", "lines_sfence", "lines_mfence",
	"lines_load", "lines_uncached", "lines_locked", "lines_serialising",
};

static struct page pages[N_PAGES];
static uint64_t expected[N_COUNTS];
static uint64_t expected_hash;
static unsigned int clock_;
static uint64_t random_state;
static bool avx;
static bool tell;	/* what is done, as it is done */

static uint32_t
pick(uint32_t below)
{
	/* PCG (O'Neill, 2014), its simplest member. */
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(random_state >> 33) % below;
}

static void
say(const char *what, const uint8_t *va, unsigned int length)
{
	const ptrdiff_t page = va != NULL ? (va - pages[0].va) / PAGE : 0;

	if (tell)
		printf("  %s page %d offset %#x, %u\n", what, (int)page,
			va != NULL ? (unsigned int)((va - pages[0].va) % PAGE) : 0, length);
}

/* --- The reference model ---------------------------------------------------------------------- */

static void
ref_write(uint64_t from, uint64_t to)
{
	uint64_t dw;

	expected[WRITES]++;
	/* Header, 3 DWs up to 4 GB or 4; sequence number, framing, LCRC; data DW by DW. */
	expected[WIRE] += (to <= 0x100000000 ? 12 : 16) + 8;
	for (dw = from / 4; dw * 4 < to; dw++)
		expected[WIRE] += 4;
}

static void
ref_drain_line(struct page *p, unsigned int line, enum count cause)
{
	bool *byte = &p->dirty[line * LINE];
	unsigned int i, j, n = 0, first, last;

	for (i = 0; i < LINE; i++)
		n += byte[i];
	expected[cause]++;
	expected[PAYLOAD] += n;
	expected[n == LINE ? FULL : PARTIAL]++;
	if (n == LINE)
		ref_write(p->pa + line * LINE, p->pa + line * LINE + LINE);
	for (i = 0; n < LINE && i < LINE; i += 8) {
		first = 8;
		last = 0;
		for (j = 0; j < 8; j++)
			if (byte[i + j]) {
				first = first < j ? first : j;
				last = j;
			}
		if (first < 8)
			ref_write(p->pa + line * LINE + i + first,
				p->pa + line * LINE + i + last + 1);
	}
	memset(byte, 0, LINE);
	p->taken[line] = 0;
}

/* Lines that have a buffer, and the oldest of them. */
static unsigned int
ref_in_use(struct page **oldest_page, unsigned int *oldest_line)
{
	unsigned int i, n = 0, best = 0;
	struct page *p;

	*oldest_page = NULL;
	*oldest_line = 0;
	for (p = pages; p < &pages[N_PAGES]; p++)
		for (i = 0; i < LINES; i++) {
			if (p->taken[i] == 0)
				continue;
			n++;
			if (best == 0 || p->taken[i] < best) {
				best = p->taken[i];
				*oldest_page = p;
				*oldest_line = i;
			}
		}
	return n;
}

static void
ref_drain(enum count cause)
{
	unsigned int line;
	struct page *p;

	while (ref_in_use(&p, &line) > 0)
		ref_drain_line(p, line, cause);
}

static struct page *
page_at(const uint8_t *va)
{
	struct page *p;

	for (p = pages; p < &pages[N_PAGES]; p++)
		if (va >= p->va && va < p->va + PAGE)
			return p;
	abort();
}

/* One store; the bytes of an uncached one that lie in one line are one write. */
static void
ref_store(uint8_t *va, const void *value, unsigned int length)
{
	const unsigned int first_wc = page_at(va)->wc;
	uint64_t begin = 0, begin_line = UINT64_MAX, pa = 0;
	unsigned int i, line, evict_line;
	struct page *p, *evict;
	bool merged = false;

	expected[first_wc ? WC_STORES : UC_STORES]++;
	expected[STORE_BYTES] += length;
	for (i = 0; i < length; i++) {
		p = page_at(va + i);
		pa = p->pa + (va + i - p->va);
		line = (va + i - p->va) / LINE;
		expected_hash = (expected_hash ^ pa << 8 ^ ((const uint8_t *)value)[i]) *
			0x100000001b3ULL;
		if (!p->wc) {
			expected[PAYLOAD]++;
			ref_drain(BY_UNCACHED);
			if (begin_line != UINT64_MAX && begin_line != pa / LINE)
				ref_write(begin, pa);
			if (begin_line != pa / LINE) {
				begin = pa;
				begin_line = pa / LINE;
			}
			continue;
		}
		if (begin_line != UINT64_MAX) {
			ref_write(begin, pa);
			begin_line = UINT64_MAX;
		}
		if (p->taken[line] == 0) {
			if (ref_in_use(&evict, &evict_line) == BUFFERS)
				ref_drain_line(evict, evict_line, BY_EVICTION);
			p->taken[line] = ++clock_;
		}
		merged |= p->dirty[pa % PAGE];
		p->dirty[pa % PAGE] = true;
		/* The end of what this store does in the line. */
		if (i + 1 == length || (pa + 1) % LINE == 0) {
			unsigned int n = 0, j;

			expected[MERGED] += merged;
			merged = false;
			for (j = 0; j < LINE; j++)
				n += p->dirty[line * LINE + j];
			if (n == LINE)
				ref_drain_line(p, line, BY_FULL);
		}
	}
	if (begin_line != UINT64_MAX)
		ref_write(begin, pa + 1);
}

static void
ref_load(const uint8_t *va, unsigned int length)
{
	struct page *p = page_at(va);
	unsigned int i;

	expected[LOADS]++;
	if (!p->wc) {
		ref_drain(BY_UNCACHED);
		return;
	}
	for (i = 0; i < length; i++)
		if (p->taken[(va + i - p->va) / LINE] != 0)
			ref_drain_line(p, (va + i - p->va) / LINE, BY_LOAD);
}

/* --- What the processor does ------------------------------------------------------------------ */

#define STORE(type, insn, constraint, va, value) __asm__ volatile(insn " %1, %0" : \
	"=m"(*(type *)(va)) : constraint(*(const type *)(const void *)(value)) : "memory")

static void
store(uint8_t *va, unsigned int length, bool non_temporal)
{
	uint8_t value[32];
	unsigned int i;

	for (i = 0; i < length; i++)
		value[i] = pick(256);
	if (length < 4)
		non_temporal = false;
	if (length >= 16 && non_temporal) /* aligned, or they fault */
		va -= (uintptr_t)va % length;
	say(non_temporal ? "non-temporal store" : "store", va, length);
	switch (length) {
	case 1:
		STORE(uint8_t, "movb", "q", va, value);
		break;
	case 2:
		STORE(uint16_t, "movw", "r", va, value);
		break;
	case 4:
		if (non_temporal)
			STORE(uint32_t, "movnti", "r", va, value);
		else
			STORE(uint32_t, "movl", "r", va, value);
		break;
	case 8:
		if (non_temporal)
			STORE(uint64_t, "movnti", "r", va, value);
		else
			STORE(uint64_t, "movq", "r", va, value);
		break;
	case 16:
		if (non_temporal)
			STORE(__m128i_u, "movntdq", "x", va, value);
		else
			STORE(__m128i_u, "movdqu", "x", va, value);
		break;
	case 32:
		__asm__ volatile("vmovdqu %0, %%ymm0" : : "m"(value) : "xmm0");
		if (non_temporal)
			__asm__ volatile("vmovntdq %%ymm0, (%0)" : : "r"(va) : "memory");
		else
			__asm__ volatile("vmovdqu %%ymm0, (%0)" : : "r"(va) : "memory");
		break;
	}
	ref_store(va, value, length);
}

/* A string instruction: each element is a store. */
static void
string(uint8_t *va, unsigned int n)
{
	uint64_t value = (uint64_t)pick(UINT32_MAX) << 32 | pick(UINT32_MAX);
	uint8_t source[256], *to = va;
	const uint8_t *from = source;
	unsigned long count = n;
	unsigned int i, element = 8;

	switch (pick(3)) {
	case 0:
		element = 1;
		__asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
		break;
	case 1:
		__asm__ volatile("rep stosq" : "+D"(to), "+c"(count) : "a"(value) : "memory");
		break;
	case 2:
		element = 4;
		for (i = 0; i < n * element; i++)
			source[i] = pick(256);
		__asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
		break;
	}
	say("string", va, n * element);
	for (i = 0; i < n; i++)
		ref_store(va + i * element, element == 4 ? &source[i * element] : (uint8_t *)&value,
			element);
}

static void
exchange(uint8_t *va)
{
	uint32_t value = pick(UINT32_MAX), before = value;

	say("exchange", va, 4);
	/* Empties the buffers before and after. */
	__asm__ volatile("xchgl %0, (%1)" : "+r"(value) : "r"(va) : "memory");
	expected[LOCKED]++;
	ref_drain(BY_LOCKED);
	ref_store(va, &before, sizeof(before));
	ref_drain(BY_LOCKED);
}

static void
fence(void)
{
	unsigned int eax, ebx, ecx, edx;
	uint32_t here = 0;

	const unsigned int which = pick(8);

	say("fence of kind", NULL, which);
	switch (which) {
	default:
		__asm__ volatile("sfence" : : : "memory");
		expected[SFENCE]++;
		ref_drain(BY_SFENCE);
		break;
	case 4:
		__asm__ volatile("mfence" : : : "memory");
		expected[MFENCE]++;
		ref_drain(BY_MFENCE);
		break;
	case 5:
		__asm__ volatile("lfence" : : : "memory");
		expected[LFENCE]++;
		break;
	case 6:
		__asm__ volatile("lock incl %0" : "+m"(here) : : "memory");
		expected[LOCKED]++;
		ref_drain(BY_LOCKED);
		break;
	case 7:
		__cpuid(0, eax, ebx, ecx, edx);
		expected[SERIALISING]++;
		ref_drain(BY_SERIALISING);
		break;
	}
}

static void
load(const uint8_t *va)
{
	const unsigned int length = 1 << pick(3);
	volatile uint64_t sink;

	va -= (uintptr_t)va % length;
	say("load", va, length);
	switch (length) {
	case 1: sink = *(const volatile uint8_t *)va; break;
	case 2: sink = *(const volatile uint16_t *)(const void *)va; break;
	default: sink = *(const volatile uint32_t *)(const void *)va; break;
	}
	(void)sink;
	ref_load(va, length);
}

/* The library's way for this CPU: so many stores, of so many bytes each, upwards. */
static void
copy64(uint8_t *va)
{
	const unsigned int n = rte_vfio_wc_copy64_stores(), length = LINE / n;
	uint8_t value[LINE];
	unsigned int i;

	va -= (uintptr_t)va % LINE;
	for (i = 0; i < LINE; i++)
		value[i] = pick(256);
	say("copy64", va, n);
	rte_vfio_wc_copy64(va, value);
	for (i = 0; i < n; i++)
		ref_store(va + i * length, value + i * length, length);
}

/* A line, whole or nearly, in some order: what drivers that push do, well or badly. */
static void
line(uint8_t *va)
{
	const unsigned int start = pick(8), n = pick(3) == 0 ? 7 : 8;
	unsigned int i;

	va -= (uintptr_t)va % LINE;
	for (i = 0; i < n; i++)
		store(va + (start + i) % 8 * 8, 8, pick(2));
}

static void
step(void)
{
	const unsigned int which = pick(N_PAGES), length = 1u << pick(avx ? 6 : 5);
	struct page *p = &pages[which];
	/* Few lines, so that stores meet; more now and then, so that buffers run out. */
	const unsigned int reach = pick(4) == 0 ? PAGE : 4 * LINE;
	uint8_t *va = p->va + pick(reach - 32);

	switch (pick(17)) {
	case 0: case 1:
		fence();
		break;
	case 16:
		copy64(va);
		break;
	case 2:
		load(va);
		break;
	case 3: case 4:
		line(va);
		break;
	case 5:
		string(p->va + pick(PAGE - 256), pick(24));
		break;
	case 6: /* from one page into the next, of another type */
		if (length > 1)
			store(pages[RAM_UC].va - 1 - pick(length - 1), length, false);
		break;
	case 7: /* a doorbell */
		store(p->va + 0x40, 4, false);
		break;
	case 8:
		/* QEMU starts a locked access to a device twice. */
		if (p->ram)
			exchange(va - (uintptr_t)va % 4);
		break;
	default:
		store(va, length, pick(3) == 0);
		break;
	}
}

/* --- Setting up and comparing ----------------------------------------------------------------- */

/* The first max steps of a sequence. quiet: say nothing when the counts differ. */
static bool
sequence(struct bus *bus, uint64_t seed, unsigned int max, bool quiet)
{
	unsigned int i, n, retry;
	struct page *p;
	bool same;

	/* An interrupt amid the sequence empties the buffers when it pleases: try again. */
	for (retry = 0; retry < MAX_RETRIES; retry++) {
		random_state = seed;
		memset(expected, 0, sizeof(expected));
		expected_hash = 0xcbf29ce484222325ULL;
		clock_ = 0;
		for (p = pages; p < &pages[N_PAGES]; p++) {
			memset(p->dirty, 0, sizeof(p->dirty));
			memset(p->taken, 0, sizeof(p->taken));
		}
		if (bus_ask(bus, "bus start %#x %#" PRIx64 " %#x %#" PRIx64 " %#x\n", 1 << CPU,
				pages[RAM_WC].pa, 2 * PAGE, pages[IO].pa, PAGE) < 0)
			return false;
		for (i = 0, n = 1 + pick(60); i < n && i < max; i++)
			step();
		__asm__ volatile("mfence" : : : "memory");
		expected[MFENCE]++;
		ref_drain(BY_MFENCE);
		if (bus_ask(bus, "bus stop\n") < 0)
			return false;
		if (bus_value(bus, "lines_interrupt") == 0)
			break;
	}
	same = bus_value(bus, "hash") == expected_hash && bus_value(bus, "other_stores") == 0;
	for (i = 0; i < N_COUNTS; i++)
		same &= bus_value(bus, names[i]) == expected[i];
	if (same || quiet)
		return same;
	printf("sequence with seed %" PRIu64 ", %u steps, %u retries:\n", seed, n, retry);
	for (i = 0; i < N_COUNTS; i++)
		printf("  %-16s expected %6" PRIu64 ", observed %6" PRIu64 "%s\n", names[i],
			expected[i], bus_value(bus, names[i]),
			expected[i] == bus_value(bus, names[i]) ? "" : "  <--");
	printf("  bytes and their order %s\n",
		bus_value(bus, "hash") == expected_hash ? "agree" : "differ");
	return false;
}

/* The shortest beginning of a sequence that still differs, step by step. */
static void
shrink(struct bus *bus, uint64_t seed)
{
	unsigned int n = 1;

	while (n < 60 && sequence(bus, seed, n, true))
		n++;
	tell = true;
	sequence(bus, seed, n, false);
	tell = false;
}

static uint64_t
bar_start(const char *bdf, unsigned int bar)
{
	char path[128], line_[128];
	uint64_t start = 0;
	unsigned int i;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", bdf);
	f = fopen(path, "r");
	for (i = 0; f != NULL && i <= bar; i++)
		if (fgets(line_, sizeof(line_), f) == NULL)
			break;
	if (f != NULL && i == bar + 1)
		start = strtoull(line_, NULL, 16);
	if (f != NULL)
		fclose(f);
	return start;
}

/* One page at va with a type. */
static int
map_page(int fd, const char *bdf, unsigned int bar, uint64_t offset, bool wc, uint8_t *va,
	struct page *p)
{
	const struct rte_vfio_wc_range range = {
		.device = bdf, .fd = fd, .bar = bar, .offset = offset, .length = PAGE,
	};
	struct rte_vfio_wc_error error;
	void *at;

	if (rte_vfio_wc_map(&range, wc ? RTE_VFIO_WC_TYPE_WC : RTE_VFIO_WC_TYPE_UC, &at,
			&error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		return -1;
	}
	if (mremap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, va) == MAP_FAILED) {
		perror("mremap");
		return -1;
	}
	p->va = va;
	p->pa = bar_start(bdf, bar) + offset;
	p->wc = wc;
	*(volatile uint8_t *)va = 0; /* the page fault would empty the buffers */
	return 0;
}

/* Both types for the emulated page, one after the other. */
static int
run(struct bus *bus, int ram, int io, char **argv, bool io_wc, uint64_t seed, unsigned int n)
{
	const unsigned int ram_bar = atoi(argv[2]), io_bar = atoi(argv[4]);
	const uint64_t io_offset = strtoull(argv[5], NULL, 0);
	unsigned int i, failed = 0;
	uint8_t *va;

	va = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (va == MAP_FAILED ||
			map_page(ram, argv[1], ram_bar, 0, true, va, &pages[RAM_WC]) < 0 ||
			map_page(ram, argv[1], ram_bar, PAGE, false, va + PAGE,
				&pages[RAM_UC]) < 0 ||
			map_page(io, argv[3], io_bar, io_offset, io_wc, va + 3 * PAGE,
				&pages[IO]) < 0)
		return -1;
	pages[RAM_WC].ram = pages[RAM_UC].ram = true;
	for (i = 0; i < n && failed < 2; i++)
		if (!sequence(bus, seed + i, UINT32_MAX, true)) {
			shrink(bus, seed + i);
			failed++;
		}
	munmap(va, 4 * PAGE);
	printf("%s %d - random sequences, emulated page %s\n", failed > 0 ? "not ok" : "ok",
		2 - io_wc, io_wc ? "WC" : "UC-");
	fflush(stdout);
	return failed > 0;
}

int
main(int argc, char **argv)
{
	struct vfio_wc_opened ram, io;
	struct vfio_wc_sysfs pci;
	unsigned int n, failed = 0;
	struct bus bus;
	cpu_set_t cpus;
	uint64_t seed;

	if (argc != 7 && argc != 8) {
		fprintf(stderr,
			"usage: bus-stores RAM-BDF BAR IO-BDF BAR OFFSET SEQUENCES [SEED]\n");
		return 2;
	}
	n = atoi(argv[6]);
	if (argc == 8)
		seed = strtoull(argv[7], NULL, 0);
	else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		return 2;
	seed >>= 16;
	printf("1..2\n# seed %" PRIu64 "\n", seed << 16);
	avx = __builtin_cpu_supports("avx2");
	CPU_ZERO(&cpus);
	CPU_SET(CPU, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0 || bus_open(&bus) < 0 ||
			device_open(argv[1], &pci, &ram) < 0 ||
			device_open(argv[3], &pci, &io) < 0)
		return 2;
	failed |= run(&bus, ram.fd, io.fd, argv, true, seed, n);
	failed |= run(&bus, ram.fd, io.fd, argv, false, seed + n, n);
	return failed != 0;
}
