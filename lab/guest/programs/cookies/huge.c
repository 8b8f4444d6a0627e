// SPDX-License-Identifier: GPL-2.0-only
/*
 * Huge leaves: wanted for big BARs, wrong as soon as they cover two types
 */
static int walk_bar(const void *p, struct leaf *leaf, int max)
{
	return walk(p, at(dev.pages), bar()->pa, leaf, max);
}

/* Is the whole BAR mapped by huge leaves of this type? */
static bool all_huge(const void *p, const char *type)
{
	static struct leaf leaf[4096];
	int n = walk_bar(p, leaf, ARRAY_SIZE(leaf));

	if (n != (int)(at(dev.pages) / leaf_size()))
		return false;
	for (int i = 0; i < n; i++)
		if (leaf[i].size != leaf_size() || strcmp(leaf[i].type, type) ||
		    leaf[i].pa != bar()->pa + i * leaf_size())
			return false;
	return true;
}

static const char *need_huge(void)
{
	char thp[64] = "";
	int fd;

	if (!pte_witness)
		return "the size of a leaf is only seen in the page table";
	if (at(dev.pages) < 4 * PMD_SIZE)
		return "needs a BAR of 8 MB";
	fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY);
	if (fd < 0 || read(fd, thp, sizeof(thp) - 1) < 0 || strstr(thp, "[never]"))
		return "transparent huge pages are off";
	close(fd);
	return NULL;
}

/* The other process in huge_plain_with_wc_pages() */
static void huge_peer(struct __test_metadata *_metadata, struct peer *peer, const long *special)
{
	void *plain = map_whole_aligned(bar()->offset);

	ASSERT_MAPPED(plain);
	for (long page = 0; page < dev.pages; page += leaf_size() / page_size)
		ASSERT_TRUE(touch(plain + at(page)));
	EXPECT_TRUE(all_huge(plain, "UC-"));
	pass_turn(peer);
	take_turn(peer);
	for (int i = 0; i < 3; i++) {
		long page = special[i];

		EXPECT_ZAPPED(plain + at(page));
		if (page > 0)
			EXPECT_TYPE("UC-", plain + at(page - 1), page - 1, 1);
		EXPECT_TYPE("WC", plain + at(page), page, 1);
		if (page < dev.pages - 1)
			EXPECT_TYPE("UC-", plain + at(page + 1), page + 1, 1);
	}
	pass_turn(peer);
	take_turn(peer);
	for (int i = 0; i < 3; i++) {
		EXPECT_ZAPPED(plain + at(special[i]));
		EXPECT_TYPE("UC-", plain + at(special[i]), special[i], 1);
	}
	_exit(0);
}

TEST_F(wc, huge_plain_with_wc_pages)
{
	const long huge = PMD_SIZE / page_size;
	long special[] = { 0, dev.pages / 2 + huge / 2 + 3, dev.pages - 1 };
	const char *why = need_huge();
	static struct leaf leaf[4096];
	void *plain, *wc[3], *again;
	struct peer peer;
	int n;

	if (why)
		SKIP(return, "%s", why);
	if (!spawn(&peer))
		huge_peer(_metadata, &peer, special);
	ASSERT_LT(0, peer.pid);
	take_turn(&peer);
	plain = map_whole_aligned(bar()->offset);
	ASSERT_MAPPED(plain);
	for (long page = 0; page < dev.pages; page += leaf_size() / page_size)
		ASSERT_TRUE(touch(plain + at(page)));
	ASSERT_TRUE(all_huge(plain, "UC-"));

	for (int i = 0; i < 3; i++) {
		wc[i] = map_attr(dev.fd, WC, special[i], 1);
		ASSERT_MAPPED(wc[i]);
		EXPECT_ZAPPED(plain + at(special[i]));
		EXPECT_TYPE("WC", wc[i], special[i], 1);
	}
	if (wc_pages() >= 0)
		EXPECT_EQ(3, wc_pages());
	pass_turn(&peer);
	take_turn(&peer);

	/*
	 * Neighbours first, so that it is their fault that must not take a
	 * huge leaf along; then everything. And the same in a new mapping,
	 * where there are no page tables yet. Around the three pages leaves
	 * are small, all others are huge.
	 */
	again = map_whole_aligned(bar()->offset);
	ASSERT_MAPPED(again);
	for (void *p = plain; p; p = p == plain ? again : NULL) {
		ASSERT_TRUE(touch(p + at(1)));
		ASSERT_TRUE(touch(p + at(special[1] - 1)));
		ASSERT_TRUE(touch(p + at(dev.pages - 2)));
		ASSERT_TRUE(touch_pages(p, dev.pages));
		n = walk_bar(p, leaf, ARRAY_SIZE(leaf));
		EXPECT_LT(3 * huge, n);
		for (int i = 0; i < n; i++) {
			long page = (leaf[i].va - (uintptr_t)p) / page_size;
			bool is_wc = false, mixed = false;

			for (int j = 0; j < 3; j++) {
				is_wc |= page == special[j];
				mixed |= page / huge == special[j] / huge;
			}
			ASSERT_EQ(mixed, leaf[i].size == page_size)
				TH_LOG("page %ld", page);
			ASSERT_STREQ(is_wc ? "WC" : "UC-", leaf[i].type)
				TH_LOG("page %ld", page);
			ASSERT_EQ(bar()->pa + at(page), leaf[i].pa);
		}
	}

	for (int i = 0; i < 3; i++)
		munmap(wc[i], page_size);
	EXPECT_RELEASED();
	pass_turn(&peer);
	EXPECT_EQ(0, reap(&peer));
	ASSERT_TRUE(touch_pages(plain, dev.pages));
	n = walk_bar(plain, leaf, ARRAY_SIZE(leaf));
	EXPECT_LT(0, n);
	for (int i = 0; i < n; i++)
		ASSERT_STREQ("UC-", leaf[i].type);
	munmap(plain, at(dev.pages));
	munmap(again, at(dev.pages));

	/* Nothing is special any more: huge leaves everywhere */
	plain = map_whole_aligned(bar()->offset);
	ASSERT_MAPPED(plain);
	ASSERT_TRUE(touch_pages(plain, dev.pages));
	EXPECT_TRUE(all_huge(plain, "UC-"));
	munmap(plain, at(dev.pages));
}

TEST_F(wc, huge_wc)
{
	const char *why = need_huge();
	void *wc, *plain;
	__u64 offset;

	if (why)
		SKIP(return, "%s", why);
	plain = map_whole_aligned(bar()->offset);
	ASSERT_MAPPED(plain);
	ASSERT_TRUE(touch_pages(plain, dev.pages));
	ASSERT_TRUE(all_huge(plain, "UC-"));

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, dev.pages, &offset));
	/* So that addresses chosen by the offset fit huge leaves */
	EXPECT_EQ(0U, (offset - bar()->pa) % leaf_size());
	wc = map_whole_aligned(offset);
	ASSERT_MAPPED(wc);
	EXPECT_RESERVED(0, dev.pages);
	ASSERT_TRUE(touch_pages(wc, dev.pages));
	EXPECT_TRUE(all_huge(wc, "WC"));
	/* What size the plain mapping's leaves have meanwhile is nobody's promise */
	EXPECT_ZAPPED(plain);
	EXPECT_TYPE("WC", plain, 0, 4);
	EXPECT_TYPE("WC", plain + at(dev.pages - 4), dev.pages - 4, 4);
	munmap(wc, at(dev.pages));
	EXPECT_RELEASED();
	EXPECT_ZAPPED(plain);
	EXPECT_TYPE("UC-", plain, 0, 4);
	EXPECT_TYPE("UC-", plain + at(dev.pages - 4), dev.pages - 4, 4);
	munmap(plain, at(dev.pages));
}

/* A slice that begins and ends inside a huge leaf */
TEST_F(wc, huge_wc_slice)
{
	const long huge = PMD_SIZE / page_size, first = huge - 1, pages = 2 * huge + 2;
	const char *why = need_huge();
	static struct leaf leaf[4096];
	void *plain, *wc;
	__u64 offset;
	int n;

	if (why)
		SKIP(return, "%s", why);
	plain = map_whole_aligned(bar()->offset);
	ASSERT_MAPPED(plain);
	ASSERT_TRUE(touch_pages(plain, 4 * huge));
	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, dev.pages, &offset));
	/* At an address that is congruent with the physical one */
	wc = mmap(NULL, 5 * PMD_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	wc = (void *)(((uintptr_t)wc + PMD_SIZE) & ~(PMD_SIZE - 1)) + at(first);
	wc = mmap(wc, at(pages), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, dev.fd,
		  offset + at(first));
	ASSERT_MAPPED(wc);
	madvise(wc, at(pages), MADV_HUGEPAGE);
	ASSERT_TRUE(touch_pages(wc, pages));
	ASSERT_TRUE(touch_pages(plain, 4 * huge));
	if (wc_pages() >= 0)
		EXPECT_EQ(pages, wc_pages());

	n = walk(wc, at(pages), bar()->pa + at(first), leaf, ARRAY_SIZE(leaf));
	EXPECT_EQ(4, n);
	for (int i = 0; i < n; i++)
		EXPECT_STREQ("WC", leaf[i].type);
	n = walk(plain, 4 * PMD_SIZE, bar()->pa, leaf, ARRAY_SIZE(leaf));
	EXPECT_LT(0, n);
	for (int i = 0; i < n; i++) {
		long page = (leaf[i].va - (uintptr_t)plain) / page_size;

		ASSERT_STREQ(page >= first && page < first + pages ? "WC" : "UC-", leaf[i].type)
			TH_LOG("page %ld, leaf of %llu bytes", page, leaf[i].size);
	}
	munmap(wc, at(pages));
	munmap(plain, at(dev.pages));
	EXPECT_RELEASED();
}
