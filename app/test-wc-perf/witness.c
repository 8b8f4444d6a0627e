/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "witness.h"

/* The witness itself gives up after 2 s of retries; reading page tables costs more. */
#define ANSWER_MS 20000

static const char *const types[] = { "WB", "WC", "UC-", "UC", "WT", "WP" };

void
leaves_free(struct leaves *l)
{
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

int
leaves_add(struct leaves *l, const struct leaf *leaf)
{
	struct leaf *v;

	/* Grow at powers of two. */
	if ((l->n & (l->n - 1)) == 0) {
		v = realloc(l->v, (l->n == 0 ? 1 : 2 * l->n) * sizeof(*v));
		if (v == NULL)
			return -1;
		l->v = v;
	}
	l->v[l->n++] = *leaf;
	return 0;
}

static int
not_an_answer(const char *line, const char **why)
{
	*why = strncmp(line, "error ", 6) == 0 ? line + 6 : "unintelligible answer";
	return -1;
}

int
witness_parse_leaf(const char *line, struct leaves *l, const char **why)
{
	struct leaf leaf;
	size_t count, i;
	int end = -1;

	if (sscanf(line, "end %zu%n", &count, &end) == 1 && line[end] == '\0') {
		if (count == l->n)
			return 1;
		*why = "an answer with lines missing";
		return -1;
	}
	if (sscanf(line, "leaf 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " %3s%n",
			&leaf.va, &leaf.pa, &leaf.pte, &leaf.size, leaf.type, &end) != 5 ||
			line[end] != '\0' || leaf.size == 0)
		return not_an_answer(line, why);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(leaf.type, types[i]) != 0)
			continue;
		if (leaves_add(l, &leaf) == 0)
			return 0;
		*why = "out of memory";
		return -1;
	}
	return not_an_answer(line, why);
}

int
witness_parse_count(const char *line, struct frames *f, const char **why)
{
	int end = -1;

	if (sscanf(line, "count %" SCNu64 " %" SCNu64 " %" SCNu64 "%n",
			&f->frames, &f->bytes, &f->other, &end) == 3 && line[end] == '\0')
		return 1;
	return not_an_answer(line, why);
}

enum wc_status
witness_open(const char *path, int *fd)
{
	*fd = open(path, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (*fd < 0)
		return fail(WC_ENVIRONMENT, "witness %s: %s", path, strerror(errno));
	return WC_OK;
}

/* Send a question. What a former, interrupted client left unread is thrown away first. */
enum wc_status
witness_ask(int fd, const char *question)
{
	char stale[256];
	size_t len = strlen(question);

	while (read(fd, stale, sizeof(stale)) > 0)
		;
	if (write(fd, question, len) != (ssize_t)len)
		return fail(WC_ENVIRONMENT, "witness: cannot ask: %s", strerror(errno));
	return WC_OK;
}

/* Read one line without its end. Byte by byte: the device buffers, lines are few. */
enum wc_status
witness_read_line(int fd, char *line, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	size_t n = 0;
	ssize_t r;

	for (;;) {
		r = read(fd, &line[n], 1);
		if (r == 1) {
			if (line[n] == '\n')
				break;
			if (line[n] != '\r' && ++n == size)
				return fail(WC_ENVIRONMENT, "witness: line too long");
			continue;
		}
		/* A virtio port without a host at its other end reads as end of file. */
		if (r == 0)
			return fail(WC_ENVIRONMENT, "witness: nobody at the other end");
		if (errno != EAGAIN && errno != EINTR)
			return fail(WC_ENVIRONMENT, "witness: %s", strerror(errno));
		if (interrupted)
			return fail(WC_INTERRUPTED, "interrupted");
		r = poll(&p, 1, ANSWER_MS);
		if (r == 0)
			return fail(WC_ENVIRONMENT, "witness: no answer in %d s",
				ANSWER_MS / 1000);
	}
	line[n] = '\0';
	return WC_OK;
}

static enum wc_status
ask_leaves(int fd, const char *question, struct leaves *l)
{
	char line[256];
	const char *why;
	enum wc_status st;
	int r;

	leaves_free(l);
	st = witness_ask(fd, question);
	while (st == WC_OK) {
		st = witness_read_line(fd, line, sizeof(line));
		if (st != WC_OK)
			break;
		r = witness_parse_leaf(line, l, &why);
		if (r == 1)
			return WC_OK;
		if (r < 0)
			st = fail(WC_ENVIRONMENT, "witness: \"%.*s\": %s",
				(int)strcspn(question, "\n"), question, why);
	}
	leaves_free(l);
	return st;
}

enum wc_status
witness_walk(int fd, unsigned int cpu, uint64_t va, uint64_t len, uint64_t pa,
	struct leaves *l)
{
	char question[128];

	snprintf(question, sizeof(question), "walk %u 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 "\n",
		cpu, va, len, pa);
	return ask_leaves(fd, question, l);
}

enum wc_status
witness_mmio(int fd, unsigned int cpu, uint64_t va, uint64_t pa, struct leaves *l)
{
	char question[128];

	snprintf(question, sizeof(question), "mmio %u 0x%" PRIx64 " 0x%" PRIx64 "\n", cpu, va, pa);
	return ask_leaves(fd, question, l);
}

enum wc_status
witness_count(int fd, const char *netdev, struct frames *f)
{
	char question[128], line[256];
	const char *why;
	enum wc_status st;

	snprintf(question, sizeof(question), "count %s\n", netdev);
	st = witness_ask(fd, question);
	if (st == WC_OK)
		st = witness_read_line(fd, line, sizeof(line));
	if (st == WC_OK && witness_parse_count(line, f, &why) < 0)
		st = fail(WC_ENVIRONMENT, "witness: count %s: %s", netdev, why);
	return st;
}
