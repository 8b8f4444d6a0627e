/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Random sequences of mmap(), munmap() and mremap() against a model of what the caller must find;
 * one call of each is made with every system call in it failing, one after the other, until none
 * does: test_model [SEQUENCES [SEED]]. munmap() of what was mapped is not among those that fail:
 * Linux's does not.
 */

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "door.h"
#include "fake_next.h"
#include "fake_vfio.h"
#include "known.h"
#include "next.h"

#define ROOM 40		/* pages that the sequences play in */
#define CALLS 6		/* of a sequence */
#define REGION(n) ((uint64_t)(n) << 40)
#define RW (PROT_READ | PROT_WRITE)

static struct door door;
static uint64_t seed, state;
static unsigned long sequences = 10000, sequence, faults;
static char *room;

/* What the caller must find in a page. */
struct page {
	bool mapped;
	unsigned int device;
	uint64_t offset;
	enum fake_page type;
} model[ROOM];

/* BARs, in pages; wanted is what the configuration below says of each page. */
static const struct bar {
	unsigned int device, bar, pages;
	const char *wanted;
} bars[] = {
	{ 0, 4, 4, "PWPU" },
	{ 0, 1, 1, "P" },
	{ 1, 0, 4, "WWWW" },
	{ 1, 3, 8, "WUPPPPWP" },	/* the MSI-X table is in the third and fourth */
};

static const char wanted[] =
	"dev=00:03.0,bar=4,offset=0x1000,len=0x1000,mode=%1$s\n"
	"dev=00:03.0,bar=4,offset=0x3000,type=uc,mode=%1$s\n"
	"dev=8086:10ca,bar=0,bar=3,len=0x1000,bar=3,offset=0x6000,len=0x1000,mode=%1$s\n"
	"dev=8086:10ca,bar=3,offset=0x1000,len=0x1000,type=uc,mode=%1$s\n";

/* xorshift64* */
static unsigned int
any(unsigned int below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * UINT64_C(0x2545f4914f6cdd1d) >> 33) % below;
}

#define CHECK(condition, ...) do { \
	if (!(condition)) \
		broken(#condition, __VA_ARGS__); \
} while (0)

static void broken(const char *condition, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));

static void
broken(const char *condition, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	hear_no_more(NULL);
	printf("not ok 1 - as the model says # seed %ju, sequence %lu: not (%s): %s\n",
		(uintmax_t)seed, sequence, condition, text);
	exit(1);
}

static enum fake_page
type_of(const struct bar *bar, unsigned int page)
{
	return bar->wanted[page] == 'P' ? FAKE_PLAIN : bar->wanted[page] == 'U' ? FAKE_UC : FAKE_WC;
}

/* The room holds what the model says, and there is nothing else, nowhere. */
static void
compare(const char *what, unsigned int elsewhere)
{
	unsigned int i, n = 0;

	for (i = 0; i < ROOM; i++) {
		const char *at = room + i * FAKE_PAGE;

		CHECK(fake_at(at) == (model[i].mapped ? model[i].type : FAKE_NOTHING),
			"%s: page %u is %d, not %d", what, i, fake_at(at), model[i].type);
		CHECK(!model[i].mapped || fake_is(at, model[i].device, model[i].offset),
			"%s: page %u is of another place", what, i);
		n += model[i].mapped;
	}
	CHECK(fake_mapped() == n + elsewhere, "%s: %u pages are mapped, not %u", what,
		fake_mapped(), n + elsewhere);
}

/* In auto mode what cannot be had is plain. */
static void
learn_types(unsigned int first, unsigned int n, const struct bar *bar, unsigned int from)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		enum fake_page type = fake_at(room + (first + i) * FAKE_PAGE);

		CHECK(type == FAKE_PLAIN || type == type_of(bar, from + i),
			"page %u is of a type that nobody asked for", first + i);
		model[first + i].type = type;
	}
}

/* Pages of the room that nothing is mapped in: nobody else shall come there. */
static void
keep_free(unsigned int from, unsigned int n)
{
	next.mmap(room + from * FAKE_PAGE, n * FAKE_PAGE, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	memset(&model[from], 0, n * sizeof(model[0]));
}

/* What Linux does when it fails to replace a mapping: the old one may have gone. */
static void
holes_are_linux_own(unsigned int from, unsigned int n)
{
	for (; n > 0; n--, from++)
		if (fake_at(room + from * FAKE_PAGE) == FAKE_NOTHING)
			keep_free(from, 1);
}

static void
step_map(bool required, bool with_faults)
{
	const struct bar *bar = &bars[any(sizeof(bars) / sizeof(bars[0]))];
	const unsigned int from = any(bar->pages), n = 1 + any(bar->pages - from);
	const unsigned int to = any(ROOM - n + 1), fd = (any(2) ? FAKE_FD : FAKE_DUP) + bar->device;
	const bool fixed = any(4) != 0;
	unsigned int k, i;
	bool reached;
	char *at;

	for (k = 1, reached = true; reached; k++) {
		fake.fail_at = with_faults ? k : 0;
		fake.fail_leaves_hole = any(2);
		at = door_mmap(&door, fixed ? room + to * FAKE_PAGE : NULL, n * FAKE_PAGE, RW,
			MAP_SHARED | (fixed ? MAP_FIXED : 0), fd,
			REGION(bar->bar) + from * FAKE_PAGE);
		reached = with_faults && fake.fail_at == 0;
		fake.fail_at = 0;
		faults += reached;
		CHECK(reached || at != MAP_FAILED, "mmap: %s, and nothing failed", strerror(errno));
		if (at == MAP_FAILED) {
			CHECK(errno != 0, "no errno");
			/* nothing is wanted there: it is the kernel's call, as it is */
			if (fixed && strspn(bar->wanted + from, "P") >= n)
				holes_are_linux_own(to, n);
			compare("a failed mmap", 0);
			continue;
		}
		CHECK(!fixed || at == room + to * FAKE_PAGE, "another address");
		for (i = 0; i < n; i++) {
			const enum fake_page type = fake_at(at + i * FAKE_PAGE);

			CHECK(type == type_of(bar, from + i) ||
				(reached && !required && type == FAKE_PLAIN),
				"page %u of %u is %d", i, n, type);
			CHECK(fake_is(at + i * FAKE_PAGE, bar->device,
				REGION(bar->bar) + (from + i) * FAKE_PAGE), "another place");
			if (fixed)
				model[to + i] = (struct page){ true, bar->device,
					REGION(bar->bar) + (from + i) * FAKE_PAGE, type };
		}
		if (fixed)
			learn_types(to, n, bar, from);
		compare("mmap", fixed ? 0 : n);
		if (!fixed)
			next.munmap(at, n * FAKE_PAGE);
	}
}

static void
step_unmap(void)
{
	const unsigned int from = any(ROOM), n = 1 + any(ROOM - from < 8 ? ROOM - from : 8);

	next.munmap(room + from * FAKE_PAGE, n * FAKE_PAGE);
	keep_free(from, n);
	compare("munmap", 0);
}

/* Is it all mapped from devices? (The fake's mappings, and nothing of the room's own.) */
static bool
all_mapped(unsigned int from, unsigned int n)
{
	while (n-- > 0)
		if (!model[from++].mapped)
			return false;
	return true;
}

static void
step_move(bool with_faults)
{
	unsigned int from, to, n, left, k;
	bool reached;
	void *at;

	n = 1 + any(8);
	from = any(ROOM - n + 1);
	to = any(ROOM - n + 1);
	left = 1 + any(n);	/* of which so many stay */
	if (!all_mapped(from, n) || (to < from + n && from < to + n))
		return;
	for (k = 1, reached = true; reached; k++) {
		fake.fail_at = with_faults ? k : 0;
		fake.fail_leaves_hole = any(2);
		at = door_move(room + from * FAKE_PAGE, n * FAKE_PAGE, left * FAKE_PAGE,
			room + to * FAKE_PAGE);
		reached = with_faults && fake.fail_at == 0;
		fake.fail_at = 0;
		faults += reached;
		CHECK(reached || at != MAP_FAILED, "mremap: %s, and nothing failed",
			strerror(errno));
		if (at != MAP_FAILED)
			break;
		holes_are_linux_own(to, left);
		compare("a failed mremap", 0);
	}
	memcpy(&model[to], &model[from], left * sizeof(model[0]));
	keep_free(from, n);
	compare("mremap", 0);
}

static void
play(void)
{
	struct rte_vfio_wc_error error;
	const bool required = any(2);
	char text[1024];
	unsigned int i, faulty;

	state = seed + sequence * UINT64_C(0x9e3779b97f4a7c15) + 1;
	fake_reset();
	keep_free(0, ROOM);
	vfio_wc_conf_free(&door.conf);
	snprintf(text, sizeof(text), wanted, required ? "required" : "auto");
	if (vfio_wc_conf_add(&door.conf, "model", text, &error) != 0)
		broken("the configuration is read", "%s", error.text);
	known_add(FAKE_FD, "0000:00:03.0");
	known_add(FAKE_FD + 1, "0000:00:04.0");
	faulty = any(CALLS);
	for (i = 0; i < CALLS; i++) {
		const unsigned int what = i == 0 ? 0 : any(8);

		if (what < 4)
			step_map(required, i == faulty);
		else if (what < 5)
			step_unmap();
		else
			step_move(i == faulty);
	}
	heard();
}

int
main(int argc, char **argv)
{
	if (argc > 1)
		sequences = strtoul(argv[1], NULL, 0);
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (uint64_t)time(NULL);
	room = mmap(NULL, ROOM * FAKE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	printf("1..1\n# seed %ju\n", (uintmax_t)seed);
	fflush(stdout);
	if (room == MAP_FAILED || hear(NULL) != 0)
		return 1;
	for (sequence = 0; sequence < sequences; sequence++)
		play();
	hear_no_more(NULL);
	printf("# %lu sequences, %lu failing system calls\n", sequences, faults);
	printf("%sok 1 - as the model says\n", faults > sequences ? "" : "not ");
	return 0;
}
