/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef BUS_WCBUF_H
#define BUS_WCBUF_H

/*
 * A model of the write-combining buffers of one processor core.
 *
 * A store to WC memory goes into the buffer of its 64-byte line, if there is one, else into a free
 * one. Stores to the same bytes merge: the later one is what leaves. A buffer drains, which is when
 * the device sees something, when
 *   - all its bytes are written (full line),
 *   - a store needs a buffer and none is free: the one in use for longest goes (eviction),
 *   - the core runs SFENCE, MFENCE, a locked or serialising instruction, an I/O instruction,
 *     accesses uncached memory, or takes an interrupt or exception: all go, oldest first,
 *   - the core loads from the line.
 * Intel SDM volume 3A, chapter "Memory Cache Control": "Methods of Caching Available" (WC: what
 * empties the buffers) and "Buffering of Write Combining Memory Locations"; AMD APM volume 2,
 * chapter "Memory System": "Write Combining". Real cores may also drain whenever they like: what is
 * counted here is the fewest writes that the stores allow.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WC_LINE 64
#define WC_BUFFERS_MAX 64
#define WC_BUFFERS_DEFAULT 10

enum wc_cause {
	WC_FULL, WC_EVICTED, WC_SFENCE, WC_MFENCE, WC_LOCKED, WC_SERIALISING, WC_IO, WC_UNCACHED,
	WC_INTERRUPT, WC_LOAD, WC_END, N_WC_CAUSES
};

extern const char *const wc_cause_names[N_WC_CAUSES];

/* One store, for the time it waits. */
struct wc_store {
	uint64_t when;	/* instructions */
	uint64_t site;	/* address of the instruction */
};

/* A line in a buffer. */
struct wc_line {
	uint64_t line;		/* physical address / WC_LINE */
	uint64_t mask;		/* bit n: byte n is written */
	uint64_t order;		/* when the buffer was taken: less is older */
	struct wc_store *stores;
	size_t n, room;
};

struct wcbuf {
	unsigned int limit;	/* buffers of the core */
	unsigned int used;
	uint64_t next_order;
	uint64_t merged;	/* stores that overwrote bytes not yet drained */
	/* Lines (none: UINT64_MAX) in which the store going on has */
	uint64_t merged_line;	/* overwritten bytes */
	uint64_t filled_line;	/* written the last byte that was missing */
	struct wc_line lines[WC_BUFFERS_MAX];	/* those in use come first */
	/* Called for each line that leaves, at time now. */
	void (*drained)(void *ctx, const struct wc_line *line, enum wc_cause cause, uint64_t now);
	void *ctx;
};

/*
 * Bytes [pa, pa + length) are stored by the instruction at site; length <= WC_LINE. more: this is
 * the rest of the store before.
 */
void
wcbuf_store(struct wcbuf *b, uint64_t pa, unsigned int length, uint64_t now, uint64_t site,
	bool more);

/* Everything leaves. */
void
wcbuf_drain(struct wcbuf *b, enum wc_cause cause, uint64_t now);

/* The lines leave that hold bytes of [pa, pa + length). */
void
wcbuf_load(struct wcbuf *b, uint64_t pa, unsigned int length, uint64_t now);

/* Forget, and free; limit, drained and ctx stay. */
void
wcbuf_reset(struct wcbuf *b);

#endif
