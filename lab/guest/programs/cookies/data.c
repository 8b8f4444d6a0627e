// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data: reads and writes of the file agree with every mapping, whatever the
 * types. The window is three pages, the middle one is the one that turns WC.
 */
static __u64 pattern(__u64 seed, size_t i)
{
	return (seed + i) * 0x9e3779b97f4a7c15ULL;
}

static void fill(void *p, size_t size, __u64 seed)
{
	for (size_t i = 0; i < size / 8; i++)
		((__u64 *)p)[i] = pattern(seed, i);
	__sync_synchronize();
}

static bool filled(const void *p, size_t size, __u64 seed)
{
	for (size_t i = 0; i < size / 8; i++)
		if (((const __u64 *)p)[i] != pattern(seed, i))
			return false;
	return true;
}

TEST_F(wc_ram, read_write_across)
{
	static const size_t widths[] = { 1, 2, 4, 8, 3, 5, 7, 24, 61 };
	unsigned char in[64], out[64], *bulk;
	unsigned char *view, *wc;
	__u64 cookie, offset;

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, 3, &cookie));
	view = map_plain(dev.fd, 0, 3);
	wc = map(dev.fd, cookie + at(1), 1);
	bulk = malloc(at(3));
	ASSERT_MAPPED(view);
	ASSERT_MAPPED(wc);
	EXPECT_TYPE("UC-", view, 0, 1);
	EXPECT_TYPE("WC", wc, 1, 1);

	for (int way = 0; way < 2; way++) {
		offset = way ? cookie : bar()->offset;
		for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
			for (int pos = -16; pos <= 16; pos++) {
				for (int edge = 1; edge <= 2; edge++) {
					size_t len = widths[i], where = at(edge) + pos;

					memset(in, where + len, sizeof(in));
					ASSERT_EQ((ssize_t)len,
						  pwrite(dev.fd, in, len, offset + where));
					ASSERT_EQ(0, memcmp(in, view + where, len));
					memset(view + where, pos, len);
					__sync_synchronize();
					memset(in, pos, sizeof(in));
					ASSERT_EQ((ssize_t)len,
						  pread(dev.fd, out, len, offset + where));
					ASSERT_EQ(0, memcmp(in, out, len));
				}
			}
		}
		fill(view, at(1), 1);
		fill(wc, at(1), 2);
		fill(view + at(2), at(1), 3);
		ASSERT_EQ((ssize_t)at(3), pread(dev.fd, bulk, at(3), offset));
		EXPECT_TRUE(filled(bulk, at(1), 1));
		EXPECT_TRUE(filled(bulk + at(1), at(1), 2));
		EXPECT_TRUE(filled(bulk + at(2), at(1), 3));

		fill(bulk, at(3), 4 + way);
		ASSERT_EQ((ssize_t)at(3), pwrite(dev.fd, bulk, at(3), offset));
		EXPECT_TRUE(filled(view, at(3), 4 + way));
		EXPECT_EQ(0, memcmp(wc, view + at(1), at(1)));
		/* Neither aligned nor whole pages */
		memset(bulk, 0, at(3));
		ASSERT_EQ((ssize_t)at(2) + 77, pread(dev.fd, bulk, at(2) + 77, offset + 3));
		EXPECT_EQ(0, memcmp(bulk, view + 3, at(2) + 77));
	}
	EXPECT_TYPE("UC-", view, 0, 1);
	EXPECT_TYPE("WC", view + at(1), 1, 1);
	EXPECT_TYPE("UC-", view + at(2), 2, 1);
	EXPECT_RESERVED(1, 1);
	munmap(wc, at(1));

	/* Nothing is WC now, and the cookie still reads and writes */
	EXPECT_RELEASED();
	fill(view, at(3), 9);
	ASSERT_EQ((ssize_t)at(3), pread(dev.fd, bulk, at(3), cookie));
	EXPECT_TRUE(filled(bulk, at(3), 9));
	munmap(view, at(3));
	free(bulk);
}

/*
 * The same around huge pages, where the kernel's own mappings may begin and
 * end, with another BAR accessed in between.
 */
TEST_F(wc_ram, read_write_far)
{
	const long huge = PMD_SIZE / page_size;
	const long special[] = { 0, huge - 1, huge, 2 * huge + 5, dev.pages - 1 };
	void *wc[ARRAY_SIZE(special)], *view, *buf;
	struct bar *other = NULL;
	__u32 value;

	if (dev.pages < 4 * huge)
		SKIP(return, "needs a BAR of 8 MB");
	for (int i = 0; i < NR_BARS; i++)
		if (i != dev.nr && dev.bar[i].flags & VFIO_REGION_INFO_FLAG_MMAP)
			other = &dev.bar[i];
	view = map_plain(dev.fd, 0, dev.pages);
	buf = malloc(at(6));
	ASSERT_MAPPED(view);
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		wc[i] = map_attr(dev.fd, WC, special[i], 1);
		ASSERT_MAPPED(wc[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		long first = special[i] < 3 ? 0 : special[i] - 3;
		long n = first + 6 > dev.pages ? dev.pages - first : 6;

		fill(buf, at(n), i);
		ASSERT_EQ((ssize_t)at(n), pwrite(dev.fd, buf, at(n), bar()->offset + at(first)));
		EXPECT_TRUE(filled(view + at(first), at(n), i));
		EXPECT_EQ(0, memcmp(wc[i], buf + at(special[i] - first), page_size));
		if (other)
			EXPECT_EQ(4, pread(dev.fd, &value, 4, other->offset));
		fill(view + at(first), at(n), ~i);
		ASSERT_EQ((ssize_t)at(n), pread(dev.fd, buf, at(n), bar()->offset + at(first)));
		EXPECT_TRUE(filled(buf, at(n), ~i));
	}
	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		munmap(wc[i], page_size);
	munmap(view, at(dev.pages));
	free(buf);
}

/* A cookie ends where it ends, although the BAR goes on */
TEST_F(wc_ram, read_write_limits)
{
	unsigned char *view, buf[128];
	__u64 cookie;

	view = map_plain(dev.fd, 0, 4);
	ASSERT_MAPPED(view);
	fill(view, at(4), 7);
	for (__u32 attr = NC; attr <= WC; attr++) {
		ASSERT_EQ(0, page_cookie(dev.fd, attr, 1, 2, &cookie));
		ASSERT_EQ(64, pread(dev.fd, buf, 64, cookie));
		EXPECT_EQ(0, memcmp(buf, view + at(1), 64));
		EXPECT_EQ(64, pread(dev.fd, buf, 128, cookie + at(2) - 64));
		EXPECT_EQ(0, memcmp(buf, view + at(3) - 64, 64));
		EXPECT_EQ(64, pwrite(dev.fd, buf, 128, cookie + at(2) - 64));
		EXPECT_TRUE(filled(view, at(4), 7));
	}
	EXPECT_EQ(-1, pread(dev.fd, buf, 8, cookie + at(2)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pread(dev.fd, buf, 8, 1ULL << 60));
	EXPECT_EQ(EINVAL, errno);
	munmap(view, at(4));
}

/* Page 1 WC, and back */
static void *toggle_wc(void *arg)
{
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		void *p = map_attr(dev.fd, WC, 1, 1);

		if (p == MAP_FAILED || !touch(p))
			w->errors++;
		if (p != MAP_FAILED)
			munmap(p, at(1));
	}
	return NULL;
}

static void *read_all(void *arg)
{
	struct worker *w = arg;
	void *buf = malloc(at(3));

	for (; !stopped(); w->rounds++)
		if (pread(dev.fd, buf, at(3), bar()->offset) != (ssize_t)at(3) ||
		    !filled(buf, at(3), 5))
			w->errors++;
	free(buf);
	return NULL;
}

/* The same values again, each by a write of its own */
static void *write_all(void *arg)
{
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		__u64 value = pattern(5, w->rounds % (at(3) / 8));

		if (pwrite(dev.fd, &value, 8, bar()->offset + w->rounds * 8 % at(3)) != 8)
			w->errors++;
	}
	return NULL;
}

static void *fault_plain(void *arg)
{
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		void *p = map_plain(dev.fd, 0, 3);

		if (p == MAP_FAILED || !touch_pages(p, 3) ||
		    (dev.ram && !filled(p, at(3), 5)))
			w->errors++;
		munmap(p, at(3));
	}
	return NULL;
}

TEST_F(wc_ram, read_write_while_wc_comes_and_goes)
{
	void *(*const workers[])(void *) = { toggle_wc, read_all, write_all, fault_plain };
	void *view;

	view = map_plain(dev.fd, 0, 3);
	ASSERT_MAPPED(view);
	fill(view, at(3), 5);
	run_workers(_metadata, workers, ARRAY_SIZE(workers));
	EXPECT_TRUE(filled(view, at(3), 5));
	EXPECT_TYPE("UC-", view, 0, 3);
	munmap(view, at(3));
}

/*
 * The buffer of a read or write is itself a BAR mapping, not yet faulted in:
 * the fault comes in the middle of the access.
 */
static void *rw_into_mapping(void *arg)
{
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		void *wc = map_attr(dev.fd, WC, 1, 1);
		void *plain = map_plain(dev.fd, 0, 3);
		__u64 from = bar()->offset;

		if (wc == MAP_FAILED || plain == MAP_FAILED) {
			w->errors++;
			break;
		}
		/* Each pair holds the same values: nothing changes */
		w->errors += pread(dev.fd, wc, 64, from + at(1)) != 64;
		w->errors += pread(dev.fd, plain + at(2), 64, from + at(2)) != 64;
		w->errors += pwrite(dev.fd, wc + 256, 64, from + at(1) + 256) != 64;
		w->errors += pwrite(dev.fd, plain, 64, from) != 64;
		w->errors += pread(dev.fd, plain + at(1), 64, from + at(1)) != 64;
		munmap(wc, at(1));
		munmap(plain, at(3));
	}
	return NULL;
}

TEST_F(wc_ram, read_into_mapping)
{
	void *(*const workers[])(void *) = {
		rw_into_mapping, rw_into_mapping, toggle_wc, write_all
	};
	unsigned char *view, *wc;

	view = map_plain(dev.fd, 0, 4);
	wc = map_attr(dev.fd, WC, 1, 1);
	ASSERT_MAPPED(view);
	ASSERT_MAPPED(wc);

	/* From page 3 into the WC page, and from the WC page into page 3 */
	fill(view, at(4), 11);
	ASSERT_EQ((ssize_t)at(1), pread(dev.fd, wc, at(1), bar()->offset + at(3)));
	EXPECT_EQ(0, memcmp(view + at(1), view + at(3), at(1)));
	fill(view + at(1), at(1), 12);
	munmap(wc, at(1));
	wc = map_attr(dev.fd, WC, 1, 1);
	ASSERT_MAPPED(wc);
	ASSERT_EQ((ssize_t)at(1), pwrite(dev.fd, wc, at(1), bar()->offset + at(3)));
	EXPECT_TRUE(filled(view + at(3), at(1), 12));
	munmap(wc, at(1));

	fill(view, at(3), 5);
	run_workers(_metadata, workers, ARRAY_SIZE(workers));
	EXPECT_TRUE(filled(view, at(3), 5));
	munmap(view, at(4));
}

/* An eventfd that stores into the BAR by the kernel's own mapping */
static bool fires(int fd, void *where, size_t width, __u64 data)
{
	double deadline;
	__u64 seen = 0;

	memset(where, 0, 8);
	__sync_synchronize();
	if (eventfd_write(fd, 1))
		return false;
	deadline = now() + 5;
	while (now() < deadline) {
		memcpy(&seen, where, 8);
		if (!memcmp(&seen, &data, width))
			break;
	}
	/* All of it, no more than it */
	data &= ~0ULL >> (64 - 8 * width);
	return seen == data;
}

TEST_F(wc_ram, ioeventfd)
{
	const __u64 data = 0x8877665544332211ULL;
	unsigned char *view;

	view = map_plain(dev.fd, 0, 4);
	ASSERT_MAPPED(view);
	for (int width = 1; width <= 8; width *= 2) {
		/* On both sides, right beside what becomes the WC page */
		const size_t where[] = { at(1) - 8, at(2) };
		int fd[ARRAY_SIZE(where)];
		void *wc;

		for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
			fd[i] = eventfd(0, EFD_CLOEXEC);
			ASSERT_EQ(0, ioeventfd(bar()->offset + where[i], data, width, fd[i]));
			EXPECT_TRUE(fires(fd[i], view + where[i], width, data));
		}
		wc = map_attr(dev.fd, WC, 1, 1);
		ASSERT_MAPPED(wc);
		EXPECT_TYPE("WC", wc, 1, 1);
		/* What it takes to write is there before */
		if (kernel_mapped(0, 1) >= 0) {
			EXPECT_EQ((long)at(1), kernel_mapped(0, 1));
			EXPECT_EQ((long)at(1), kernel_mapped(2, 1));
		}
		for (size_t i = 0; i < ARRAY_SIZE(where); i++)
			EXPECT_TRUE(fires(fd[i], view + where[i], width, data));
		EXPECT_TYPE("WC", wc, 1, 1);
		EXPECT_RESERVED(1, 1);
		munmap(wc, at(1));
		EXPECT_RELEASED();
		EXPECT_TYPE("UC-", view, 0, 4);
		for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
			EXPECT_TRUE(fires(fd[i], view + where[i], width, data));
			EXPECT_EQ(0, ioeventfd(bar()->offset + where[i], data, width, -1));
			close(fd[i]);
		}
	}
	munmap(view, at(4));
}

/* It holds its page uncached, as a mapping at a cookie does */
TEST_F(wc_ram, ioeventfd_conflict)
{
	const __u64 where = bar()->offset + at(1) + 64, across = bar()->offset + at(2) - 2;
	int fd = eventfd(0, EFD_CLOEXEC);
	unsigned char *view;
	void *wc;

	view = map_plain(dev.fd, 0, 4);
	wc = map_attr(dev.fd, WC, 1, 1);
	ASSERT_MAPPED(view);
	ASSERT_MAPPED(wc);
	EXPECT_EQ(EBUSY, ioeventfd(where, 0x1234, 4, fd));
	EXPECT_EQ(EBUSY, ioeventfd(across, 0x1234, 4, fd));
	EXPECT_TYPE("WC", wc, 1, 1);
	munmap(wc, at(1));

	ASSERT_EQ(0, ioeventfd(where, 0x1234, 4, fd));
	EXPECT_EQ(EBUSY, try_attr(dev.fd, WC, 1, 1));
	EXPECT_EQ(EBUSY, try_attr(dev.fd, WC, 0, 3));
	EXPECT_EQ(0, try_attr(dev.fd, WC, 2, 1));
	EXPECT_EQ(0, try_attr(dev.fd, NC, 1, 1));
	EXPECT_TRUE(fires(fd, view + at(1) + 64, 4, 0x1234));
	EXPECT_EQ(0, ioeventfd(where, 0x1234, 4, -1));
	EXPECT_EQ(0, try_attr(dev.fd, WC, 0, 3));

	/* One that is in two pages; and one that goes with its file */
	ASSERT_EQ(0, ioeventfd(across, 0x12345678, 4, fd));
	EXPECT_EQ(EBUSY, try_attr(dev.fd, WC, 1, 1));
	EXPECT_EQ(EBUSY, try_attr(dev.fd, WC, 2, 1));
	EXPECT_TRUE(fires(fd, view + at(2) - 2, 4, 0x12345678));
	munmap(view, at(4));
	close(fd);
}

/* Beside the page that turns WC */
static void *fire(void *arg)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	unsigned char *view = map_plain(dev.fd, 0, 3);
	struct worker *w = arg;
	eventfd_t count;

	w->errors += !!ioeventfd(bar()->offset + at(2) + 128, 0x5a5a5a5a, 4, fd);
	for (; !stopped(); w->rounds++) {
		w->errors += !fires(fd, view + at(2) + 128, 4, 0x5a5a5a5a);
		eventfd_read(fd, &count);
	}
	w->errors += !!ioeventfd(bar()->offset + at(2) + 128, 0x5a5a5a5a, 4, -1);
	munmap(view, at(3));
	close(fd);
	return NULL;
}

TEST_F(wc_ram, ioeventfd_while_wc_comes_and_goes)
{
	void *(*const workers[])(void *) = { toggle_wc, fire };

	run_workers(_metadata, workers, ARRAY_SIZE(workers));
}

/* ioeventfds are for offsets of regions, and not for somewhere else */
TEST_F(wc4, ioeventfd_at_cookie)
{
	__u64 cookie;
	int fd;

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 1, 1, &cookie));
	fd = eventfd(0, EFD_CLOEXEC);
	EXPECT_EQ(EINVAL, ioeventfd(cookie, 0x1234, 4, fd));
	EXPECT_EQ(EINVAL, ioeventfd(cookie + at(1), 0x1234, 4, fd));
	close(fd);
}
