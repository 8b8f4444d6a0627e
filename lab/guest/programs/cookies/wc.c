// SPDX-License-Identifier: GPL-2.0-only
/*
 * Write-combining
 */
FIXTURE(wc) {};

FIXTURE_VARIANT(wc) {
	bool cdev;
};

FIXTURE_VARIANT_ADD(wc, group) { .cdev = false };
FIXTURE_VARIANT_ADD(wc, cdev) { .cdev = true };

FIXTURE_SETUP(wc)
{
	const char *why = need_wc(variant->cdev);

	if (why)
		SKIP(return, "%s", why);
	EXPECT_RELEASED();
}

FIXTURE_TEARDOWN(wc)
{
	/* The files are still open: it is the mappings that hold a type */
	EXPECT_RELEASED();
	close_device();
	EXPECT_RELEASED();
}

/* Room for neighbours */
FIXTURE(wc4) {};

FIXTURE_VARIANT(wc4) {
	bool cdev;
};

FIXTURE_VARIANT_ADD(wc4, group) { .cdev = false };
FIXTURE_VARIANT_ADD(wc4, cdev) { .cdev = true };

FIXTURE_SETUP(wc4)
{
	const char *why = need_wc(variant->cdev) ?: need_pages();

	if (why)
		SKIP(return, "%s", why);
	EXPECT_RELEASED();
}

FIXTURE_TEARDOWN(wc4)
{
	EXPECT_RELEASED();
	close_device();
	EXPECT_RELEASED();
}

/* Room for neighbours, and data that stays where it is put */
FIXTURE(wc_ram) {};

FIXTURE_VARIANT(wc_ram) {
	bool cdev;
};

FIXTURE_VARIANT_ADD(wc_ram, group) { .cdev = false };
FIXTURE_VARIANT_ADD(wc_ram, cdev) { .cdev = true };

FIXTURE_SETUP(wc_ram)
{
	const char *why = need_wc(variant->cdev) ?: need_pages() ?: need_ram();

	if (why)
		SKIP(return, "%s", why);
	EXPECT_RELEASED();
}

FIXTURE_TEARDOWN(wc_ram)
{
	EXPECT_RELEASED();
	close_device();
	EXPECT_RELEASED();
}

/* WC is WC, for exactly as long as it is mapped */
TEST_F(wc, map_and_unmap)
{
	long n = dev.pages < 4 ? dev.pages : 4;
	char *before = snapshot(), *after;
	void *p;

	for (int i = 0; i < 3; i++) {
		p = map_attr(dev.fd, WC, 0, n);
		ASSERT_MAPPED(p);
		EXPECT_TYPE("WC", p, 0, n);
		EXPECT_RESERVED(0, n);
		ASSERT_EQ(0, munmap(p, at(n)));
		EXPECT_RELEASED();
	}
	after = snapshot();
	EXPECT_STREQ(before, after);
}

/* Reserved with the mapping, not with the first access */
TEST_F(wc, untouched)
{
	void *p = map_attr(dev.fd, WC, 0, 1);

	ASSERT_MAPPED(p);
	EXPECT_ZAPPED(p);
	EXPECT_RESERVED(0, 1);
	munmap(p, page_size);
}

/* One range mapped ever so often is one reservation, until the last one goes */
TEST_F(wc, mapped_often)
{
	static void *p[3000];
	const int last = ARRAY_SIZE(p) - 1;
	__u64 offset;
	int fd = -1;

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, 1, &offset));
	for (int i = 0; i <= last; i++) {
		p[i] = map(dev.fd, offset, 1);
		ASSERT_MAPPED(p[i]);
	}
	if (!variant->cdev) {
		fd = device_fd();
		ASSERT_LE(0, fd);
		EXPECT_EQ(0, try_attr(fd, WC, 0, 1));
	}
	EXPECT_TYPE("WC", p[0], 0, 1);
	if (wc_entries() >= 0)
		EXPECT_EQ(1, wc_entries());
	for (int i = 0; i < last; i++)
		munmap(p[i], page_size);
	EXPECT_RESERVED(0, 1);
	EXPECT_TYPE("WC", p[last], 0, 1);
	munmap(p[last], page_size);
	EXPECT_RELEASED();
	close(fd);
}

/* What a device's mappings take of the kernel has bounds, which a plain one does not feel */
TEST_F(wc, too_many_ranges)
{
	static void *p[NR_SLICES];
	__u64 offset;
	int fd;

	if (dev.pages <= NR_SLICES)
		SKIP(return, "needs a BAR of more than %d pages", NR_SLICES);
	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, dev.pages, &offset));
	for (int i = 0; i < NR_SLICES; i++) {
		p[i] = map(dev.fd, offset + at(i), 1);
		ASSERT_MAPPED(p[i]);
	}
	EXPECT_RESERVED(0, NR_SLICES);
	EXPECT_EQ(ENOSPC, try_map(dev.fd, offset + at(NR_SLICES), 1));
	EXPECT_EQ(ENOSPC, try_map(dev.fd, offset, 2));
	EXPECT_EQ(ENOSPC, try_attr(dev.fd, NC, NR_SLICES, 1));
	if (!variant->cdev) {
		fd = device_fd();
		ASSERT_LE(0, fd);
		EXPECT_EQ(ENOSPC, try_attr(fd, WC, NR_SLICES, 1));
		close(fd);
	}
	EXPECT_EQ(0, try_map(dev.fd, offset + at(7), 1));
	EXPECT_EQ(0, try_map(dev.fd, bar()->offset + at(NR_SLICES), 1));
	EXPECT_RESERVED(0, NR_SLICES);

	munmap(p[7], page_size);
	EXPECT_EQ(0, try_map(dev.fd, offset + at(NR_SLICES), 1));
	for (int i = 0; i < NR_SLICES; i++)
		if (i != 7)
			munmap(p[i], page_size);
	EXPECT_RELEASED();
	EXPECT_EQ(0, try_map(dev.fd, offset + at(NR_SLICES), 1));
}

/*
 * The kernel maps what it accesses itself: a page here and there beside what is WC, of which it
 * keeps some, and all of the BAR when nothing is WC.
 */
TEST_F(wc4, kernel_mappings)
{
	__u32 value;
	void *wc;

	if (kernel_mapped(0, 1) < 0)
		SKIP(return, "no /proc/vmallocinfo");
	ASSERT_EQ(4, pread(dev.fd, &value, 4, bar()->offset));
	EXPECT_EQ((long)at(dev.pages), kernel_mapped(0, dev.pages));
	wc = map_attr(dev.fd, WC, 1, 1);
	ASSERT_MAPPED(wc);
	EXPECT_EQ(0, kernel_mapped(0, dev.pages));
	for (int i = 0; i < 8; i++)
		ASSERT_EQ(4, pread(dev.fd, &value, 4, bar()->offset + at(i % 4)));
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ((long)at(1), kernel_mapped(i, 1))
			TH_LOG("page %d", i);
	}
	EXPECT_EQ((long)at(4), kernel_mapped(0, dev.pages));
	munmap(wc, at(1));
	EXPECT_EQ((long)at(dev.pages), kernel_mapped(0, dev.pages));

	/* What it takes does not depend on the size */
	wc = map_attr(dev.fd, WC, 1, dev.pages - 1);
	ASSERT_MAPPED(wc);
	for (long i = 0; i < dev.pages && i < 1024; i++)
		ASSERT_EQ(4, pread(dev.fd, &value, 4, bar()->offset + at(i)));
	EXPECT_GE((long)at(NR_WINDOWS), kernel_mapped(0, dev.pages));
	munmap(wc, at(dev.pages - 1));
	EXPECT_EQ((long)at(dev.pages), kernel_mapped(0, dev.pages));
}

TEST_F(wc4, two_types_one_bar)
{
	void *plain, *wc, *nc;

	plain = map_plain(dev.fd, 0, 4);
	wc = map_attr(dev.fd, WC, 1, 1);
	nc = map_attr(dev.fd, NC, 2, 1);
	ASSERT_MAPPED(plain);
	ASSERT_MAPPED(wc);
	ASSERT_MAPPED(nc);
	EXPECT_TYPE("WC", wc, 1, 1);
	EXPECT_TYPE("UC-", nc, 2, 1);
	EXPECT_TYPE("UC-", plain, 0, 1);
	EXPECT_TYPE("UC-", plain + at(2), 2, 2);
	EXPECT_RESERVED(1, 1);
	munmap(wc, at(1));
	munmap(nc, at(1));
	munmap(plain, at(4));
}

/* Slices of one cookie for the whole BAR: only what is mapped is reserved */
TEST_F(wc4, slices)
{
	long slices[] = { 0, dev.pages / 2, dev.pages - 1 };
	void *plain, *p;
	__u64 offset;

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, dev.pages, &offset));
	plain = map_plain(dev.fd, 0, dev.pages);
	ASSERT_MAPPED(plain);
	EXPECT_RELEASED();
	for (size_t i = 0; i < ARRAY_SIZE(slices); i++) {
		long page = slices[i];

		p = map(dev.fd, offset + at(page), 1);
		ASSERT_MAPPED(p);
		EXPECT_TYPE("WC", p, page, 1);
		EXPECT_RESERVED(page, 1);
		if (page > 0)
			EXPECT_TYPE("UC-", plain + at(page - 1), page - 1, 1);
		if (page < dev.pages - 1)
			EXPECT_TYPE("UC-", plain + at(page + 1), page + 1, 1);
		munmap(p, page_size);
		EXPECT_RELEASED();
	}
	munmap(plain, at(dev.pages));
}

/* One page mapped WC more than once: WC until the last goes */
TEST_F(wc4, overlapping_slices)
{
	void *a, *b, *c, *plain;

	plain = map_plain(dev.fd, 0, 4);
	a = map_attr(dev.fd, WC, 0, 3);
	b = map_attr(dev.fd, WC, 1, 3);
	c = map_attr(dev.fd, WC, 1, 1);
	ASSERT_MAPPED(plain);
	ASSERT_MAPPED(a);
	ASSERT_MAPPED(b);
	ASSERT_MAPPED(c);
	EXPECT_TYPE("WC", a, 0, 3);
	EXPECT_TYPE("WC", b, 1, 3);
	EXPECT_TYPE("WC", c, 1, 1);
	EXPECT_RESERVED(0, 4);
	munmap(b, at(3));
	EXPECT_RESERVED(0, 3);
	EXPECT_TYPE("WC", a, 0, 3);
	EXPECT_TYPE("UC-", plain + at(3), 3, 1);
	munmap(a, at(3));
	EXPECT_RESERVED(1, 1);
	EXPECT_TYPE("WC", c, 1, 1);
	EXPECT_TYPE("UC-", plain, 0, 1);
	EXPECT_TYPE("WC", plain + at(1), 1, 1);
	EXPECT_TYPE("UC-", plain + at(2), 2, 2);
	munmap(c, at(1));
	EXPECT_RELEASED();
	EXPECT_TYPE("UC-", plain, 0, 4);
	munmap(plain, at(4));
}

static void expect_present_pages(struct __test_metadata *_metadata, const void *p, long n)
{
	for (long i = 0; i < n; i++)
		EXPECT_PRESENT(p + at(i));
}

/* Who maps what is WC already, or lets go of it, takes nobody's entries away */
TEST_F(wc4, nobody_else_faults)
{
	long beyond[] = { 1, dev.pages - 1 };
	void *plain, *outer, *p;

	plain = map_plain(dev.fd, 0, 4);
	outer = map_attr(dev.fd, WC, 0, 3);
	ASSERT_MAPPED(plain);
	ASSERT_MAPPED(outer);
	ASSERT_TRUE(touch_pages(outer, 3));
	ASSERT_TRUE(touch_pages(plain, 4));
	/* Inside, and elsewhere in the BAR */
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
		p = map_attr(dev.fd, WC, beyond[i], 1);
		ASSERT_MAPPED(p);
		expect_present_pages(_metadata, outer, 3);
		expect_present_pages(_metadata, plain, 3);
		ASSERT_TRUE(touch_pages(plain, 4));
		munmap(p, at(1));
		expect_present_pages(_metadata, outer, 3);
		expect_present_pages(_metadata, plain, 3);
		ASSERT_TRUE(touch_pages(plain, 4));
	}
	/* The outer one goes, and the inner one stays */
	p = map_attr(dev.fd, WC, 1, 1);
	ASSERT_MAPPED(p);
	ASSERT_TRUE(touch(p));
	munmap(outer, at(3));
	EXPECT_PRESENT(p);
	EXPECT_ZAPPED(plain);
	EXPECT_PRESENT(plain + at(1));
	EXPECT_ZAPPED(plain + at(2));
	EXPECT_PRESENT(plain + at(3));
	EXPECT_TYPE("UC-", plain, 0, 1);
	EXPECT_TYPE("UC-", plain + at(2), 2, 1);
	munmap(p, at(1));
	EXPECT_PRESENT(plain);
	EXPECT_ZAPPED(plain + at(1));
	EXPECT_PRESENT(plain + at(2));
	munmap(plain, at(4));
}

/* A slice stays reserved as a whole until its last piece is gone */
TEST_F(wc4, partial_munmap)
{
	static const int orders[][4] = {
		{ 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 2, 0, 3 }, { 2, 0, 3, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		void *plain = map_plain(dev.fd, 0, 4);
		void *p = map_attr(dev.fd, WC, 0, 4);

		ASSERT_MAPPED(plain);
		ASSERT_MAPPED(p);
		EXPECT_TYPE("WC", p, 0, 4);
		for (int n = 0; n < 3; n++) {
			int last = orders[i][3];

			ASSERT_EQ(0, munmap(p + at(orders[i][n]), page_size));
			EXPECT_RESERVED(0, 4);
			EXPECT_TYPE("WC", p + at(last), last, 1);
			EXPECT_TYPE("WC", plain, 0, 4);
		}
		ASSERT_EQ(0, munmap(p + at(orders[i][3]), page_size));
		EXPECT_RELEASED();
		EXPECT_TYPE("UC-", plain, 0, 4);
		munmap(plain, at(4));
	}
}

/* The last process to let go releases, whichever it is and however it does */
TEST_F(wc4, fork)
{
	enum { UNMAPS, EXITS, PARENT_FIRST, PIECES } way;

	for (way = UNMAPS; way <= PIECES; way++) {
		void *p = map_attr(dev.fd, WC, 1, 2);
		struct peer peer;

		ASSERT_MAPPED(p);
		ASSERT_TRUE(touch_pages(p, 2));
		if (!spawn(&peer)) {
			EXPECT_TYPE("WC", p, 1, 2);
			if (way == UNMAPS)
				munmap(p, at(2));
			if (way == PIECES)
				munmap(p, at(1));
			pass_turn(&peer);
			take_turn(&peer);
			if (way == PARENT_FIRST || way == PIECES)
				EXPECT_TYPE("WC", p + at(1), 2, 1);
			_exit(0);
		}
		ASSERT_LT(0, peer.pid);
		take_turn(&peer);
		EXPECT_RESERVED(1, 2);
		if (way == PARENT_FIRST || way == PIECES) {
			munmap(p, at(2));
			EXPECT_RESERVED(1, 2);
		} else {
			EXPECT_TYPE("WC", p, 1, 2);
		}
		pass_turn(&peer);
		EXPECT_EQ(0, reap(&peer));
		if (way != PARENT_FIRST && way != PIECES) {
			EXPECT_TYPE("WC", p, 1, 2);
			EXPECT_RESERVED(1, 2);
			munmap(p, at(2));
		}
		EXPECT_RELEASED();
	}
}

TEST_F(wc, killed)
{
	char *before = snapshot(), *after;

	for (int i = 0; i < 20; i++) {
		struct peer peer;

		if (!spawn(&peer)) {
			void *p = map_attr(dev.fd, WC, 0, dev.pages > 1 ? 2 : 1);

			if (p == MAP_FAILED || !touch(p))
				_exit(KSFT_FAIL);
			munmap(p + page_size, dev.pages > 1 ? page_size : 0);
			pass_turn(&peer);
			pause();
		}
		ASSERT_LT(0, peer.pid);
		take_turn(&peer);
		EXPECT_RESERVED(0, dev.pages > 1 ? 2 : 1);
		kill(peer.pid, SIGKILL);
		EXPECT_EQ(-SIGKILL, reap(&peer));
		EXPECT_RELEASED();
	}
	after = snapshot();
	EXPECT_STREQ(before, after);
}

/* A mapping keeps its file, and its type, when the descriptor goes */
TEST_F(wc, close_first)
{
	void *p = map_attr(dev.fd, WC, 0, 1);

	ASSERT_MAPPED(p);
	close_device();
	EXPECT_TYPE("WC", p, 0, 1);
	EXPECT_RESERVED(0, 1);
	munmap(p, page_size);
	EXPECT_RELEASED();
}

TEST_F(wc4, mremap_move)
{
	void *p, *to, *plain;

	plain = map_plain(dev.fd, 0, 4);
	p = map_attr(dev.fd, WC, 1, 2);
	to = mmap(NULL, at(8), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_MAPPED(plain);
	ASSERT_MAPPED(p);
	ASSERT_MAPPED(to);
	EXPECT_TYPE("WC", p, 1, 2);
	ASSERT_EQ(to, mremap(p, at(2), at(2), MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_TYPE("WC", to, 1, 2);
	EXPECT_RESERVED(1, 2);

	/* The last page alone: the slice is in two pieces now */
	ASSERT_EQ(to + at(4), mremap(to + at(1), at(1), at(1), MREMAP_MAYMOVE | MREMAP_FIXED,
				     to + at(4)));
	EXPECT_TYPE("WC", to, 1, 1);
	EXPECT_TYPE("WC", to + at(4), 2, 1);
	munmap(to, at(1));
	EXPECT_RESERVED(1, 2);
	EXPECT_TYPE("WC", to + at(4), 2, 1);

	/* In the place of a plain mapping: what a program does under its driver */
	ASSERT_EQ(plain + at(2), mremap(to + at(4), at(1), at(1), MREMAP_MAYMOVE | MREMAP_FIXED,
					plain + at(2)));
	EXPECT_TYPE("WC", plain + at(2), 2, 1);
	EXPECT_TYPE("UC-", plain, 0, 1);
	EXPECT_TYPE("UC-", plain + at(3), 3, 1);
	munmap(plain, at(4));
	EXPECT_RELEASED();
	munmap(to, at(8));
}

TEST_F(wc4, mremap_shrink)
{
	void *p;

	p = map_attr(dev.fd, WC, 0, 4);
	ASSERT_MAPPED(p);
	ASSERT_EQ(p, mremap(p, at(4), at(1), 0));
	EXPECT_TYPE("WC", p, 0, 1);
	EXPECT_RESERVED(0, 4);
	/* It cannot grow, back or else */
	EXPECT_EQ(MAP_FAILED, mremap(p, at(1), at(2), MREMAP_MAYMOVE));
	munmap(p, at(1));
	EXPECT_RELEASED();
}

/* Mapped over itself, over other types, and by plain mappings in its turn */
TEST_F(wc4, map_fixed)
{
	__u64 wc, nc;
	void *p;

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, 4, &wc));
	ASSERT_EQ(0, page_cookie(dev.fd, NC, 0, 4, &nc));
	p = map_plain(dev.fd, 0, 4);
	ASSERT_MAPPED(p);
	EXPECT_TYPE("UC-", p, 0, 4);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(p + at(1), mmap(p + at(1), at(2), PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_FIXED, dev.fd, wc + at(1)));
		EXPECT_TYPE("UC-", p, 0, 1);
		EXPECT_TYPE("WC", p + at(1), 1, 2);
		EXPECT_TYPE("UC-", p + at(3), 3, 1);
		EXPECT_RESERVED(1, 2);
	}
	ASSERT_EQ(p, mmap(p, at(4), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, dev.fd,
			  bar()->offset));
	EXPECT_RELEASED();
	EXPECT_TYPE("UC-", p, 0, 4);
	ASSERT_EQ(p, mmap(p, at(4), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, dev.fd, nc));
	EXPECT_TYPE("UC-", p, 0, 4);
	munmap(p, at(4));
}

TEST_F(wc4, protection)
{
	__u64 offset;
	void *p;

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, 4, &offset));

	p = mmap(NULL, at(2), PROT_READ, MAP_SHARED, dev.fd, offset);
	ASSERT_MAPPED(p);
	EXPECT_TYPE("WC", p, 0, 2);
	EXPECT_FALSE(store(p, 0));
	ASSERT_EQ(0, mprotect(p, at(2), PROT_READ | PROT_WRITE));
	EXPECT_TYPE("WC", p, 0, 2);
	munmap(p, at(2));

	p = mmap(NULL, at(1), PROT_WRITE, MAP_SHARED, dev.fd, offset);
	ASSERT_MAPPED(p);
	EXPECT_RESERVED(0, 1);
	EXPECT_TYPE("WC", p, 0, 1);
	munmap(p, at(1));

	/* From no access at all; then in three pieces, which fault anew */
	p = mmap(NULL, at(4), PROT_NONE, MAP_SHARED, dev.fd, offset);
	ASSERT_MAPPED(p);
	EXPECT_FALSE(touch(p));
	EXPECT_RESERVED(0, 4);
	ASSERT_EQ(0, mprotect(p, at(4), PROT_READ));
	EXPECT_TYPE("WC", p, 0, 4);
	ASSERT_EQ(0, mprotect(p + at(1), at(2), PROT_NONE));
	EXPECT_FALSE(touch(p + at(1)));
	ASSERT_EQ(0, mprotect(p + at(1), at(1), PROT_READ | PROT_WRITE));
	EXPECT_TYPE("WC", p, 0, 2);
	EXPECT_TYPE("WC", p + at(3), 3, 1);
	EXPECT_RESERVED(0, 4);
	/* Nobody but the device takes entries away, as with a plain mapping */
	EXPECT_EQ(-1, madvise(p, at(1), MADV_DONTNEED));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_PRESENT(p);
	munmap(p, at(4));
	EXPECT_RELEASED();
}

/*
 * One physical page has one type. A plain mapping promises none: it is always
 * to be had, and is WC while somebody holds the page WC, in this process and
 * in any other.
 */
TEST_F(wc4, plain_follows)
{
	void *plain, *wc, *late;
	struct peer peer;

	plain = map_plain(dev.fd, 0, 4);
	ASSERT_MAPPED(plain);
	EXPECT_TYPE("UC-", plain, 0, 4);
	if (!spawn(&peer)) {
		/* Its own mapping beside the inherited one */
		void *own = map_plain(dev.fd, 0, 4);

		ASSERT_MAPPED(own);
		EXPECT_TYPE("UC-", own, 0, 4);
		EXPECT_TYPE("UC-", plain, 0, 4);
		pass_turn(&peer);
		take_turn(&peer);
		for (void *p = own; p; p = p == own ? plain : NULL) {
			EXPECT_TYPE("UC-", p, 0, 1);
			EXPECT_TYPE("WC", p + at(1), 1, 2);
			EXPECT_TYPE("UC-", p + at(3), 3, 1);
		}
		pass_turn(&peer);
		take_turn(&peer);
		EXPECT_TYPE("UC-", own, 0, 4);
		EXPECT_TYPE("UC-", plain, 0, 4);
		_exit(0);
	}
	ASSERT_LT(0, peer.pid);
	take_turn(&peer);
	wc = map_attr(dev.fd, WC, 1, 2);
	ASSERT_MAPPED(wc);
	/* The entries that told of UC- are gone, before anything is touched */
	EXPECT_ZAPPED(plain + at(1));
	EXPECT_ZAPPED(plain + at(2));
	EXPECT_TYPE("WC", wc, 1, 2);
	EXPECT_TYPE("UC-", plain, 0, 1);
	EXPECT_TYPE("WC", plain + at(1), 1, 2);
	EXPECT_TYPE("UC-", plain + at(3), 3, 1);
	late = map_plain(dev.fd, 0, 4);
	ASSERT_MAPPED(late);
	EXPECT_TYPE("UC-", late, 0, 1);
	EXPECT_TYPE("WC", late + at(1), 1, 2);
	EXPECT_RESERVED(1, 2);
	pass_turn(&peer);
	take_turn(&peer);

	munmap(wc, at(2));
	EXPECT_ZAPPED(plain + at(1));
	EXPECT_ZAPPED(late + at(2));
	EXPECT_RELEASED();
	EXPECT_TYPE("UC-", plain, 0, 4);
	EXPECT_TYPE("UC-", late, 0, 4);
	pass_turn(&peer);
	EXPECT_EQ(0, reap(&peer));
	munmap(plain, at(4));
	munmap(late, at(4));
}

/* The same through another file of the device */
TEST_F(wc4, plain_follows_other_file)
{
	void *plain, *wc;
	int fd;

	if (variant->cdev)
		SKIP(return, "a cdev cannot be opened twice");
	fd = device_fd();
	ASSERT_LE(0, fd);
	plain = map_plain(fd, 0, 2);
	ASSERT_MAPPED(plain);
	EXPECT_TYPE("UC-", plain, 0, 2);
	wc = map_attr(dev.fd, WC, 1, 1);
	ASSERT_MAPPED(wc);
	EXPECT_TYPE("UC-", plain, 0, 1);
	EXPECT_TYPE("WC", plain + at(1), 1, 1);

	/* Both hold it WC: the first to go changes nothing */
	munmap(plain, at(2));
	plain = map_attr(fd, WC, 1, 1);
	ASSERT_MAPPED(plain);
	close(fd);
	munmap(wc, at(1));
	EXPECT_TYPE("WC", plain, 1, 1);
	EXPECT_RESERVED(1, 1);
	munmap(plain, at(1));
	EXPECT_RELEASED();
}

/* Cookies do promise: the second to come is told that the page is taken */
TEST_F(wc4, conflict)
{
	static const __u32 attrs[] = { NC, WC };

	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		__u32 held = attrs[i], other = attrs[!i];
		const char *type = held == WC ? "WC" : "UC-";
		void *p = map_attr(dev.fd, held, 1, 2);
		void *beside;
		struct peer peer;
		int fd;

		ASSERT_MAPPED(p);
		EXPECT_TYPE(type, p, 1, 2);
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 1, 2));
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 2, 1));
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 0, 2));
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 2, 2));
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 0, 4));
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 0, dev.pages));
		EXPECT_EQ(0, try_attr(dev.fd, held, 0, 4));
		/* Who was refused leaves nothing behind, and did no harm */
		EXPECT_TYPE(type, p, 1, 2);
		EXPECT_RESERVED(1, held == WC ? 2 : 0);

		/* Both sides of it are free */
		beside = map_attr(dev.fd, other, 0, 1);
		ASSERT_MAPPED(beside);
		EXPECT_TYPE(held == WC ? "UC-" : "WC", beside, 0, 1);
		munmap(beside, at(1));
		EXPECT_EQ(0, try_attr(dev.fd, other, 3, 1));

		if (!variant->cdev) {
			fd = device_fd();
			ASSERT_LE(0, fd);
			EXPECT_EQ(EBUSY, try_attr(fd, other, 2, 1));
			EXPECT_EQ(0, try_attr(fd, held, 2, 1));
			EXPECT_EQ(0, try_attr(fd, other, 3, 1));
			close(fd);
		}

		/* A child keeps what its parent has given up */
		if (!spawn(&peer)) {
			EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 2, 1));
			pass_turn(&peer);
			take_turn(&peer);
			_exit(0);
		}
		ASSERT_LT(0, peer.pid);
		take_turn(&peer);
		munmap(p, at(2));
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 2, 1));
		pass_turn(&peer);
		EXPECT_EQ(0, reap(&peer));

		/* Free again */
		p = map_attr(dev.fd, other, 1, 2);
		ASSERT_MAPPED(p);
		EXPECT_TYPE(held == WC ? "UC-" : "WC", p, 1, 2);
		munmap(p, at(2));
		EXPECT_RELEASED();
	}
}
