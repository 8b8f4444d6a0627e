/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_WITNESS_H
#define WC_PERF_WITNESS_H

#include <stddef.h>
#include <stdint.h>

#include "log.h"

/*
 * The witness: someone outside the machine (in the lab: the host, reading the guest's RAM)
 * who says what the page tables of the process that a CPU is running now hold. Questions and
 * answers are lines of text on a character device.
 */

/* One page-table leaf. */
struct leaf {
	uint64_t va;
	uint64_t pa;
	uint64_t pte;
	uint64_t size;
	char type[4];	/* "WC", "UC-", ... */
};

struct leaves {
	struct leaf *v;
	size_t n;
};

/* What the back end of a network device received. */
struct frames {
	uint64_t frames;	/* IPv4/UDP, as testpmd sends them */
	uint64_t bytes;
	uint64_t other;
};

void
leaves_free(struct leaves *l);

/* Append; false: no memory. */
int
leaves_add(struct leaves *l, const struct leaf *leaf);

/*
 * Parse one line of an answer. 0: more to come; 1: the answer is complete; -1: not an answer
 * (or the witness's "error TEXT"), *why says so (it points to static text or into line).
 */
int
witness_parse_leaf(const char *line, struct leaves *l, const char **why);
int
witness_parse_count(const char *line, struct frames *f, const char **why);

/* Open and close. */
enum wc_status
witness_open(const char *path, int *fd);

/* Leaves covering [va, va + len) in the process that cpu runs; va must translate to pa. */
enum wc_status
witness_walk(int fd, unsigned int cpu, uint64_t va, uint64_t len, uint64_t pa,
	struct leaves *l);

/* All leaves of that process outside RAM. */
enum wc_status
witness_mmio(int fd, unsigned int cpu, uint64_t va, uint64_t pa, struct leaves *l);

/* Frames that the back end received so far. */
enum wc_status
witness_count(int fd, const char *netdev, struct frames *f);

/* A question, and one line of its answer (without its end); for what has a parser of its own. */
enum wc_status
witness_ask(int fd, const char *question);
enum wc_status
witness_read_line(int fd, char *line, size_t size);

#endif
