/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>

#include "wcbuf.h"

const char *const wc_cause_names[N_WC_CAUSES] = {
	"full", "evicted", "sfence", "mfence", "locked", "serialising", "io", "uncached",
	"interrupt", "load", "end",
};

static void
drain_line(struct wcbuf *b, unsigned int i, enum wc_cause cause, uint64_t now)
{
	struct wc_line *last = &b->lines[--b->used];
	struct wc_line gone = b->lines[i];

	b->drained(b->ctx, &gone, cause, now);
	b->lines[i] = *last;
	/* Its memory serves again. */
	*last = (struct wc_line){ .stores = gone.stores, .room = gone.room };
}

static unsigned int
oldest(const struct wcbuf *b)
{
	unsigned int i, found = 0;

	for (i = 1; i < b->used; i++)
		if (b->lines[i].order < b->lines[found].order)
			found = i;
	return found;
}

static struct wc_line *
take(struct wcbuf *b, uint64_t line, uint64_t now)
{
	struct wc_line *l;
	unsigned int i;

	for (i = 0; i < b->used; i++)
		if (b->lines[i].line == line)
			return &b->lines[i];
	if (b->used == b->limit)
		drain_line(b, oldest(b), WC_EVICTED, now);
	l = &b->lines[b->used++];
	l->line = line;
	l->mask = 0;
	l->order = b->next_order++;
	l->n = 0;
	return l;
}

/* The part of a store that lies in one line. */
static void
store_part(struct wcbuf *b, uint64_t pa, unsigned int length, uint64_t now, uint64_t site,
	bool more)
{
	const uint64_t ones = length == WC_LINE ? UINT64_MAX : (1ULL << length) - 1;
	const uint64_t mask = ones << pa % WC_LINE;
	struct wc_line *l;

	/* The processor stores at once what comes here in parts: this went with the full line. */
	if (b->filled_line == pa / WC_LINE) {
		b->merged += b->merged_line != b->filled_line;
		b->merged_line = b->filled_line;
		return;
	}
	l = take(b, pa / WC_LINE, now);
	if ((l->mask & mask) != 0 && b->merged_line != l->line) {
		b->merged++;
		b->merged_line = l->line;
	}
	l->mask |= mask;
	if (l->n == l->room) {
		l->room = l->room == 0 ? 16 : 2 * l->room;
		l->stores = realloc(l->stores, l->room * sizeof(*l->stores));
		if (l->stores == NULL)
			abort();
	}
	if (!more || l->n == 0)
		l->stores[l->n++] = (struct wc_store){ now, site };
	if (l->mask == UINT64_MAX) {
		b->filled_line = l->line;
		drain_line(b, l - b->lines, WC_FULL, now);
	}
}

void
wcbuf_store(struct wcbuf *b, uint64_t pa, unsigned int length, uint64_t now, uint64_t site,
	bool more)
{
	const unsigned int room = WC_LINE - pa % WC_LINE;

	if (!more)
		b->merged_line = b->filled_line = UINT64_MAX;
	store_part(b, pa, length < room ? length : room, now, site, more);
	if (length > room)
		store_part(b, pa + room, length - room, now, site, more);
}

void
wcbuf_drain(struct wcbuf *b, enum wc_cause cause, uint64_t now)
{
	while (b->used > 0)
		drain_line(b, oldest(b), cause, now);
}

void
wcbuf_load(struct wcbuf *b, uint64_t pa, unsigned int length, uint64_t now)
{
	unsigned int i = 0;

	while (i < b->used)
		if (b->lines[i].line >= pa / WC_LINE &&
				b->lines[i].line <= (pa + length - 1) / WC_LINE)
			drain_line(b, i, WC_LOAD, now);
		else
			i++;
}

void
wcbuf_reset(struct wcbuf *b)
{
	unsigned int i;

	for (i = 0; i < WC_BUFFERS_MAX; i++) {
		free(b->lines[i].stores);
		b->lines[i] = (struct wc_line){ .stores = NULL };
	}
	b->used = 0;
	b->next_order = 0;
	b->merged = 0;
}
