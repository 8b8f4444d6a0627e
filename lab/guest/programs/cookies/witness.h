/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COOKIES_WITNESS_H
#define COOKIES_WITNESS_H

#include "device.h"

/*
 * What the page tables hold, by a witness outside of this kernel. It is asked
 *	walk CPU VA LEN PA
 * and answers a line "leaf VA PA PTE SIZE TYPE" for each leaf that covers the
 * range in the address space that CPU runs now, then "end N", or "error TEXT".
 * TYPE is x86's name: on arm64, "WC" is Normal non-cacheable and "UC-" is
 * Device-nGnRnE, which is what pgprot_writecombine() and _noncached() are there.
 * PA, the physical address behind VA, tells it that it looks at this process:
 * which therefore stays on that CPU and in that process until the answer comes.
 *	mmio CPU VA PA
 * is answered with the leaves of everything that is not RAM.
 */
struct leaf {
	__u64 va, pa, pte, size;
	char type[8];
};

static int witness_ask(char *text, size_t size, const char *verb, const void *va, size_t len,
		       __u64 pa)
{
	double deadline = now() + 10;
	size_t have = 0, sent = 0, want;
	char range[32] = "";
	int fd, ret = -1;
	char *line;
	ssize_t n;

	/* One client at a time: another process of this test may just ask, too */
	while ((fd = open(pte_witness, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
		if (now() > deadline)
			return -1;

	/* Nothing is left of an answer that nobody waited for */
	while (read(fd, text, size) > 0)
		;
	if (len)
		snprintf(range, sizeof(range), " 0x%zx", len);
	want = snprintf(text, size, "%s %d 0x%lx%s 0x%llx\n", verb, sched_getcpu(),
			(unsigned long)va, range, pa);
	while (sent < want && now() < deadline) {
		n = write(fd, text + sent, want - sent);
		if (n > 0)
			sent += n;
	}
	while (now() < deadline && have < size - 1) {
		n = read(fd, text + have, size - 1 - have);
		if (n <= 0)
			continue;
		have += n;
		text[have] = 0;
		if (text[have - 1] != '\n')
			continue;
		line = memrchr(text, '\n', have - 1);
		line = line ? line + 1 : text;
		if (!strncmp(line, "end ", 4))
			ret = 0;
		if (!ret || !strncmp(line, "error ", 6))
			break;
	}
	close(fd);
	if (ret)
		ksft_print_msg("witness: %.*s\n", (int)strcspn(text, "\n"), have ? text : "silent");
	return ret;
}

/* The leaves of an answer; -1: there was none */
static int ask_for_leaves(const char *verb, const void *va, size_t len, __u64 pa,
			  struct leaf *leaf, int max)
{
	static char text[1 << 22];
	cpu_set_t all, one;
	char *line, *next;
	int n = 0, err = -1;

	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	/* It gives up after a while, which may be too short on a busy machine */
	for (int i = 0; err && i < 10; i++)
		err = witness_ask(text, sizeof(text), verb, va, len, pa);
	sched_setaffinity(0, sizeof(all), &all);
	if (err)
		return -1;

	for (line = text; n < max && (next = strchr(line, '\n')); line = next + 1)
		if (sscanf(line, "leaf %llx %llx %llx %llx %7s", &leaf[n].va, &leaf[n].pa,
			   &leaf[n].pte, &leaf[n].size, leaf[n].type) == 5)
			n++;
	return n;
}

/* Leaves that cover the range, which must have been touched */
static int walk(const void *va, size_t len, __u64 pa, struct leaf *leaf, int max)
{
	return ask_for_leaves("walk", va, len, pa, leaf, max);
}

/* All leaves that are not RAM. For an anchor, a page of RAM will do. */
static int walk_mmio(struct leaf *leaf, int max)
{
	static unsigned char anchor[1 << 16];
	uintptr_t va = ((uintptr_t)anchor + page_size - 1) & ~(page_size - 1);
	__u64 entry = 0;
	int fd;

	/* This process' own page, not one that it shares with its parent */
	(*(unsigned char *)va)++;
	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &entry, sizeof(entry), va / page_size * 8) != sizeof(entry))
		entry = 0;
	close(fd);
	return ask_for_leaves("mmio", (void *)va, 0, (entry & ((1ULL << 55) - 1)) * page_size,
			      leaf, max);
}

#endif
