/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tests claim of memory types: of page tables, and of reservations. */
#ifndef COOKIES_EXPECT_H
#define COOKIES_EXPECT_H

#include "witness.h"

/* Of all BARs, which may be sorted anyhow; -1: not to be seen here */
static int bar_memtypes(struct memtype *m, int max)
{
	int n = 0;

	for (int i = 0; i < NR_BARS && n >= 0; i++) {
		struct bar *b = &dev.bar[i];
		int found = 0;

		if (!b->io && b->size)
			found = memtypes(b->pa, b->pa + b->size, m + n, max - n);

		n = found < 0 ? -1 : n + found;
	}
	return n;
}

/* How many pages of them are reserved WC */
static long wc_pages(void)
{
	long pages = 0;

	for (int i = 0; i < NR_BARS && pages >= 0; i++) {
		struct bar *b = &dev.bar[i];
		long found = b->io ? 0 : wc_pages_in(b->pa, b->pa + b->size);

		pages = found < 0 ? -1 : pages + found;
	}
	return pages;
}

/* How many reservations that are */
static int wc_entries(void)
{
	static struct memtype m[NR_MEMTYPES];
	int n = bar_memtypes(m, NR_MEMTYPES), entries = 0;

	for (int i = 0; i < n; i++)
		entries += !strcmp(m[i].type, "WC");
	return n < 0 ? -1 : entries;
}

/* What a fault would find for this physical page, as the kernel has it */
static const char *memtype_of(__u64 pa)
{
	static struct memtype m[NR_MEMTYPES];
	int n = memtypes(pa, pa + 1, m, NR_MEMTYPES);

	return n < 0 ? NULL : n ? m[0].type : "UC-";
}

/* The list as text, after what any first use of a BAR leaves behind */
static char *snapshot(void)
{
	static struct memtype m[NR_MEMTYPES];
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	void *p = map_plain(dev.fd, 0, 1);
	__u32 value;
	int n;

	touch(p);
	munmap(p, page_size);
	if (pread(dev.fd, &value, sizeof(value), bar()->offset) != sizeof(value))
		fputs("pread failed\n", f);
	n = bar_memtypes(m, ARRAY_SIZE(m));
	for (int i = 0; i < n; i++)
		fprintf(f, "%llx-%llx %s\n", m[i].start, m[i].end, m[i].type);
	fclose(f);
	return text;
}

/*
 * The check that everything here is about: are these pages of the BAR mapped
 * at this address, with this type?
 */
static void expect_type(struct __test_metadata *_metadata, int line, const char *type,
			const void *va, long page, long n)
{
	static struct leaf leaf[4096];
	int i = 0, leaves = 0;

	ASSERT_TRUE(touch_pages(va, n))
		TH_LOG("line %d: page %ld cannot be accessed", line, page);

	if (pte_witness) {
		leaves = walk(va, at(n), bar()->pa + at(page), leaf, ARRAY_SIZE(leaf));
		ASSERT_LT(0, leaves)
			TH_LOG("line %d: no answer from the witness", line);
	}
	for (; n; n--, page++, va = (const char *)va + page_size) {
		const char *seen = NULL;

		while (i < leaves && leaf[i].va + leaf[i].size <= (uintptr_t)va)
			i++;
		if (!pte_witness)
			seen = memtype_of(bar()->pa + at(page));
		else if (i < leaves && leaf[i].va <= (uintptr_t)va &&
			 leaf[i].pa + ((uintptr_t)va - leaf[i].va) == bar()->pa + at(page))
			seen = leaf[i].type;
		else
			seen = "nothing";
		if (!seen)
			return;
		EXPECT_STREQ(type, seen)
			TH_LOG("line %d: page %ld of BAR %d", line, page, dev.nr);
		if (strcmp(type, seen))
			return;
	}
}

#define EXPECT_TYPE(type, va, page, n) \
	expect_type(_metadata, __LINE__, type, va, page, n)

/* Is there a page-table entry? Not after a zap, until the next touch */
static void expect_present(struct __test_metadata *_metadata, int line, bool expected,
			   const void *p)
{
	static struct leaf leaf[1 << 14];
	bool seen = false;
	int n;

	if (!pte_witness)
		return;
	n = walk_mmio(leaf, ARRAY_SIZE(leaf));
	ASSERT_LE(0, n)
		TH_LOG("line %d: no answer from the witness", line);
	for (int i = 0; i < n; i++)
		seen |= leaf[i].va <= (uintptr_t)p && (uintptr_t)p < leaf[i].va + leaf[i].size;
	EXPECT_EQ(expected, seen)
		TH_LOG("line %d: entry is %s", line, seen ? "there" : "not there");
}

#define EXPECT_PRESENT(p) \
	expect_present(_metadata, __LINE__, true, p)
#define EXPECT_ZAPPED(p) \
	expect_present(_metadata, __LINE__, false, p)

/* Exactly these pages, and none but these, are reserved WC */
static void expect_reserved(struct __test_metadata *_metadata, int line, long page, long n)
{
	__u64 pa = bar()->pa + at(page);

	if (wc_pages() < 0)
		return;
	EXPECT_EQ(n, wc_pages())
		TH_LOG("line %d: pages reserved WC", line);
	EXPECT_EQ(n, wc_pages_in(pa, pa + at(n)))
		TH_LOG("line %d: pages reserved WC from page %ld of BAR %d", line, page, dev.nr);
}

#define EXPECT_RESERVED(page, n) \
	expect_reserved(_metadata, __LINE__, page, n)

#define EXPECT_RELEASED() EXPECT_RESERVED(0, 0)

/*
 * How many bytes of these pages the kernel has mapped for itself; -1: not to be seen. What it says
 * of a mapping's size is with the page that guards its end.
 */
static long kernel_mapped(long page, long n)
{
	__u64 from = bar()->pa + at(page), to = from + at(n), pa, size, start, end;
	FILE *f = fopen("/proc/vmallocinfo", "r");
	char line[512], *phys;
	long bytes = 0;

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		phys = strstr(line, " phys=");
		if (!phys || sscanf(phys, " phys=%llx", &pa) != 1 ||
		    sscanf(line, "%*s %llu", &size) != 1)
			continue;
		start = pa > from ? pa : from;
		end = pa + size - page_size < to ? pa + size - page_size : to;
		bytes += start < end ? end - start : 0;
	}
	fclose(f);
	return bytes;
}

static void assert_mapped(struct __test_metadata *_metadata, int line, const void *p)
{
	ASSERT_NE(MAP_FAILED, p)
		TH_LOG("line %d: %s", line, strerror(errno));
}

#define ASSERT_MAPPED(p) assert_mapped(_metadata, __LINE__, p)

#endif
