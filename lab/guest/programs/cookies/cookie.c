// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interface: what a cookie is, and each way to be refused one
 */
FIXTURE(cookie) {};

FIXTURE_VARIANT(cookie) {
	bool cdev;
};

FIXTURE_VARIANT_ADD(cookie, group) { .cdev = false };
FIXTURE_VARIANT_ADD(cookie, cdev) { .cdev = true };

FIXTURE_SETUP(cookie)
{
	const char *why = need_cookies(variant->cdev);

	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(cookie)
{
	EXPECT_RELEASED();
	close_device();
}

TEST_F(cookie, capability)
{
	char cmdline[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY);
	__u32 expected = 1 << NC;

	ASSERT_LE(0, read(fd, cmdline, sizeof(cmdline) - 1));
	close(fd);
#ifdef __x86_64__
	if (!strstr(cmdline, "nopat"))
		expected |= 1 << WC;
#else
	expected |= bar()->attrs;
#endif
	for (int i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
		const struct vfio_region_info_cap_mmap_attrs *cap;
		struct {
			struct vfio_region_info info;
			char caps[4096];
		} r;
		struct vfio_region_info brief;

		if (region_info(dev.fd, i, &r.info, sizeof(r)))
			continue;
		cap = region_cap(&r.info, VFIO_REGION_INFO_CAP_MMAP_ATTRS);
		if (i >= NR_BARS || dev.bar[i].io || dev.bar[i].size < page_size ||
		    !(r.info.flags & VFIO_REGION_INFO_FLAG_MMAP)) {
			EXPECT_NULL(cap);
			continue;
		}
		ASSERT_NE(NULL, cap);
		EXPECT_EQ(1, cap->header.version);
		EXPECT_EQ((__u32)VFIO_DEVICE_FEATURE_MMAP_COOKIE, cap->feature);
		EXPECT_EQ(expected, cap->attrs);
		if (i == dev.msix_bar)
			EXPECT_NE(NULL, region_cap(&r.info, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE));

		/* No room for the chain: told how much it takes, all else the same */
		ASSERT_EQ(0, region_info(dev.fd, i, &brief, sizeof(brief)));
		EXPECT_LE(sizeof(brief) + sizeof(*cap), brief.argsz);
		EXPECT_EQ(0U, brief.cap_offset);
		EXPECT_EQ(r.info.flags, brief.flags);
		EXPECT_EQ(r.info.offset, brief.offset);
		EXPECT_EQ(r.info.size, brief.size);

		/* That much is enough */
		memset(&r, 0, sizeof(r));
		ASSERT_EQ(0, region_info(dev.fd, i, &r.info, brief.argsz));
		EXPECT_NE(NULL, region_cap(&r.info, VFIO_REGION_INFO_CAP_MMAP_ATTRS));
	}
}

TEST_F(cookie, feature_flags)
{
	struct vfio_device_feature_mmap_cookie c = { .region = dev.nr, .attr = NC,
						     .size = page_size };
	size_t whole = sizeof(struct vfio_device_feature) + sizeof(c);
	__u32 index = VFIO_DEVICE_FEATURE_MMAP_COOKIE;

	EXPECT_EQ(0, probe(dev.fd));
	EXPECT_EQ(0, get_feature(dev.fd, VFIO_DEVICE_FEATURE_PROBE, &c));
	EXPECT_EQ(EINVAL, get_feature(dev.fd, 0, &c));
	EXPECT_EQ(EINVAL, get_feature(dev.fd, VFIO_DEVICE_FEATURE_SET, &c));
	EXPECT_EQ(EINVAL, get_feature(dev.fd, VFIO_DEVICE_FEATURE_PROBE |
				      VFIO_DEVICE_FEATURE_SET, &c));
	for (size_t argsz = 0; argsz < whole; argsz++)
		EXPECT_EQ(EINVAL, feature(dev.fd, VFIO_DEVICE_FEATURE_GET | index, &c, sizeof(c),
					  argsz));
	EXPECT_EQ(0, feature(dev.fd, VFIO_DEVICE_FEATURE_GET | index, &c, sizeof(c), whole));
	EXPECT_EQ(0, feature(dev.fd, VFIO_DEVICE_FEATURE_GET | index, &c, sizeof(c), whole + 64));
}

TEST_F(cookie, bad_pointer)
{
	struct vfio_device_feature *f;

	f = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_MAPPED(f);
	f->argsz = sizeof(*f) + sizeof(struct vfio_device_feature_mmap_cookie);
	f->flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MMAP_COOKIE;
	((struct vfio_device_feature_mmap_cookie *)f->data)->region = dev.nr;
	((struct vfio_device_feature_mmap_cookie *)f->data)->size = page_size;
	ASSERT_EQ(0, mprotect(f, page_size, PROT_READ));
	EXPECT_EQ(-1, ioctl(dev.fd, VFIO_DEVICE_FEATURE, f));
	EXPECT_EQ(EFAULT, errno);

	/* The header can be read, what follows it cannot */
	ASSERT_EQ(0, munmap(f, page_size));
	f = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_MAPPED(f);
	ASSERT_EQ(0, mprotect((char *)f + page_size, page_size, PROT_NONE));
	f = (void *)((char *)f + page_size - sizeof(*f));
	f->argsz = sizeof(*f) + sizeof(struct vfio_device_feature_mmap_cookie);
	f->flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MMAP_COOKIE;
	EXPECT_EQ(-1, ioctl(dev.fd, VFIO_DEVICE_FEATURE, f));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(cookie, bad_requests)
{
	const __u32 unknown[] = { 2, 3, 31, 32, 64, 0x80000000, ~0U };
	struct vfio_device_feature_mmap_cookie c;
	__u64 size = bar()->size;

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		EXPECT_EQ(EINVAL, page_cookie(dev.fd, unknown[i], 0, 1, NULL));
	for (int bit = 0; bit < 32; bit++) {
		c = (typeof(c)){ .region = dev.nr, .size = page_size, .flags = 1U << bit };
		EXPECT_EQ(EINVAL, get_feature(dev.fd, VFIO_DEVICE_FEATURE_GET, &c));
		c = (typeof(c)){ .region = dev.nr, .size = page_size, .__reserved = 1U << bit };
		EXPECT_EQ(EINVAL, get_feature(dev.fd, VFIO_DEVICE_FEATURE_GET, &c));
	}

	for (__u32 attr = NC; attr <= WC; attr++) {
		if (!(bar()->attrs & 1 << attr))
			continue;
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.nr, attr, 0, 0, NULL));
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.nr, attr, at(1), 0, NULL));
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.nr, attr, 1, page_size, NULL));
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.nr, attr, page_size / 2, page_size, NULL));
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.nr, attr, 0, 1, NULL));
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.nr, attr, 0, page_size - 1, NULL));

		EXPECT_EQ(EOVERFLOW, get_cookie(dev.fd, dev.nr, attr, -at(1), at(2), NULL));
		EXPECT_EQ(EOVERFLOW, get_cookie(dev.fd, dev.nr, attr, at(1), -at(1), NULL));
		EXPECT_EQ(EOVERFLOW, get_cookie(dev.fd, dev.nr, attr, 1ULL << 63, 1ULL << 63,
						NULL));

		EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, attr, size, at(1), NULL));
		EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, attr, 0, size + at(1), NULL));
		EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, attr, size - at(1), at(2), NULL));
		EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, attr, 1ULL << 40, at(1), NULL));
		EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, attr, 0, 1ULL << 62, NULL));
	}
	if (!(bar()->attrs & 1 << WC))
		EXPECT_EQ(EOPNOTSUPP, page_cookie(dev.fd, WC, 0, 1, NULL));

	/* Nothing of all that counts as a cookie, or has side effects */
	for (int i = 0; i < 2 * NR_COOKIES; i++)
		ASSERT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, NC, size + at(i), at(1), NULL));
	EXPECT_EQ(0, page_cookie(dev.fd, NC, 0, 1, NULL));
}

TEST_F(cookie, bad_regions)
{
	const __u32 none[] = { VFIO_PCI_NUM_REGIONS, 10, 255, 1 << 16, 1U << 24, ~0U };

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, none[i], NC, 0, at(1), NULL))
			TH_LOG("region %u", none[i]);
	}
	for (__u32 i = 0; i <= VFIO_PCI_VGA_REGION_INDEX; i++) {
		if (i < NR_BARS && dev.bar[i].attrs)
			continue;
		EXPECT_EQ(ENODEV, get_cookie(dev.fd, i, NC, 0, at(1), NULL))
			TH_LOG("region %u%s", i, i < NR_BARS && dev.bar[i].io ? ", I/O" : "");
	}
}

TEST_F(cookie, io_bar)
{
	int i = 0;

	while (i < NR_BARS && !(dev.bar[i].io && dev.bar[i].size))
		i++;
	if (i == NR_BARS)
		SKIP(return, "the device has no I/O BAR");
	EXPECT_EQ(0U, dev.bar[i].attrs);
	EXPECT_EQ(ENODEV, get_cookie(dev.fd, i, NC, 0, at(1), NULL));
	EXPECT_EQ(ENODEV, get_cookie(dev.fd, i, WC, 0, at(1), NULL));
}

TEST_F(cookie, sub_page_bar)
{
	int i = 0;

	while (i < NR_BARS && !(!dev.bar[i].io && dev.bar[i].size && dev.bar[i].size < page_size))
		i++;
	if (i == NR_BARS)
		SKIP(return, "the device has no BAR smaller than a page");
	EXPECT_EQ(0U, dev.bar[i].attrs);
	EXPECT_EQ(ENODEV, get_cookie(dev.fd, i, NC, 0, at(1), NULL));
	EXPECT_EQ(ENODEV, get_cookie(dev.fd, i, WC, 0, at(1), NULL));
}

/* Cookies of all types for all ranges of the first pages: 20 of them at most */
static int some_cookies(__u64 *offset, size_t *size)
{
	int n = 0;

	for (__u32 attr = NC; attr <= WC; attr++) {
		if (!(bar()->attrs & 1 << attr))
			continue;
		for (long start = 0; start < dev.pages && start < 4; start++) {
			for (long end = start + 1; end <= dev.pages && end <= 4; end++, n++) {
				size[n] = at(end - start);
				if (page_cookie(dev.fd, attr, start, end - start, &offset[n]))
					return -1;
			}
		}
	}
	return n;
}

/* One request, one cookie; different requests, cookies that do not overlap */
TEST_F(cookie, idempotent)
{
	struct vfio_region_info before[VFIO_PCI_NUM_REGIONS], after;
	__u64 offset[20], again[20];
	size_t size[20];
	int n;

	for (int i = 0; i < VFIO_PCI_NUM_REGIONS; i++)
		region_info(dev.fd, i, &before[i], sizeof(before[i]));

	n = some_cookies(offset, size);
	ASSERT_LT(0, n);
	for (int i = 0; i < n; i++) {
		EXPECT_EQ(0U, offset[i] % page_size);
		/* Not inside a standard region, nor inside another cookie */
		for (int j = 0; j < VFIO_PCI_NUM_REGIONS; j++)
			EXPECT_TRUE(offset[i] >= before[j].offset + before[j].size ||
				    offset[i] + size[i] <= before[j].offset);
		for (int j = 0; j < i; j++)
			EXPECT_TRUE(offset[i] >= offset[j] + size[j] ||
				    offset[i] + size[i] <= offset[j]);
	}

	/* Again, more often than there are cookies, and used in between */
	for (int round = 0; round < NR_COOKIES; round++) {
		ASSERT_EQ(n, some_cookies(again, size));
		ASSERT_EQ(0, memcmp(offset, again, n * sizeof(*offset)));
		ASSERT_EQ(0, try_map(dev.fd, offset[round % n], 1));
	}

	for (int i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
		region_info(dev.fd, i, &after, sizeof(after));
		EXPECT_EQ(0, memcmp(&before[i], &after, sizeof(after)));
	}
}

struct asker {
	pthread_t thread;
	__u64 offset[4];
	int err;
};

static void *ask_for_cookies(void *arg)
{
	struct asker *a = arg;

	for (int i = 0; i < 4; i++)
		a->err |= page_cookie(dev.fd, NC, 0, i + 1, &a->offset[i]);
	return NULL;
}

/* Also when several threads are the first to ask */
TEST_F(cookie, idempotent_race)
{
	struct asker a[8] = {};

	if (dev.pages < 4)
		SKIP(return, "needs 4 pages");
	for (size_t i = 0; i < ARRAY_SIZE(a); i++)
		ASSERT_EQ(0, pthread_create(&a[i].thread, NULL, ask_for_cookies, &a[i]));
	for (size_t i = 0; i < ARRAY_SIZE(a); i++)
		pthread_join(a[i].thread, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(a); i++) {
		EXPECT_EQ(0, a[i].err);
		EXPECT_EQ(0, memcmp(a[0].offset, a[i].offset, sizeof(a[i].offset)));
	}
}

/* A file has so many cookies and no more, and the next file as many again */
TEST_F(cookie, exhaustion)
{
	__u64 first, offset;
	int fd;

	if (dev.pages < NR_COOKIES + 1)
		SKIP(return, "needs a BAR of more than %d pages", NR_COOKIES);
	ASSERT_EQ(0, page_cookie(dev.fd, NC, 0, 1, &first));
	for (int i = 1; i < NR_COOKIES; i++) {
		ASSERT_EQ(0, page_cookie(dev.fd, NC, i, 1, &offset))
			TH_LOG("cookie %d", i);
	}
	EXPECT_EQ(ENOSPC, page_cookie(dev.fd, NC, NR_COOKIES, 1, NULL));
	EXPECT_EQ(ENOSPC, page_cookie(dev.fd, NC, 0, 2, NULL));

	/* The ones there are work, and are still to be had */
	EXPECT_EQ(0, try_map(dev.fd, first, 1));
	EXPECT_EQ(0, try_map(dev.fd, offset, 1));
	EXPECT_EQ(0, page_cookie(dev.fd, NC, 0, 1, &offset));
	EXPECT_EQ(first, offset);
	/* A bad request is a bad request, whatever else */
	EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, NC, bar()->size, at(1), NULL));

	if (variant->cdev)
		return;
	for (int round = 0; round < 3; round++) {
		fd = device_fd();
		ASSERT_LE(0, fd);
		for (int i = 0; i < NR_COOKIES; i++)
			ASSERT_EQ(0, page_cookie(fd, NC, i, 1, &offset));
		EXPECT_EQ(ENOSPC, page_cookie(fd, NC, NR_COOKIES, 1, NULL));
		close(fd);
	}
}

/* A cookie is nothing to any other file, not even one that has cookies, too */
TEST_F(cookie, unknown_elsewhere)
{
	__u64 mine, other;
	__u32 value;
	int fd;

	if (variant->cdev)
		SKIP(return, "a cdev cannot be opened twice");
	fd = device_fd();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, page_cookie(dev.fd, NC, 0, 1, &mine));
	EXPECT_EQ(EINVAL, try_map(fd, mine, 1));
	EXPECT_EQ(-1, pread(fd, &value, sizeof(value), mine));
	EXPECT_EQ(EINVAL, errno);

	ASSERT_EQ(0, get_cookie(fd, dev.nr, NC, 0, bar()->size, &other));
	if (dev.pages > 1) {
		EXPECT_EQ(EINVAL, try_map(fd, mine, 1));
		EXPECT_EQ(EINVAL, try_map(dev.fd, other, 1));
	}
	EXPECT_EQ(0, try_map(dev.fd, mine, 1));
	EXPECT_EQ(0, try_map(fd, other, dev.pages));

	/* Gone at close, unknown to those who open later */
	close(fd);
	fd = device_fd();
	ASSERT_LE(0, fd);
	EXPECT_EQ(EINVAL, try_map(fd, other, 1));
	close(fd);
	EXPECT_EQ(0, try_map(dev.fd, mine, 1));
}

TEST_F(cookie, mmap_limits)
{
	__u64 offset;
	void *p;

	for (__u32 attr = NC; attr <= WC; attr++) {
		if (!(bar()->attrs & 1 << attr))
			continue;
		ASSERT_EQ(0, page_cookie(dev.fd, attr, 0, dev.pages, &offset));
		EXPECT_EQ(0, try_map(dev.fd, offset, dev.pages));
		EXPECT_EQ(EINVAL, try_map(dev.fd, offset, dev.pages + 1));
		EXPECT_EQ(EINVAL, try_map(dev.fd, offset + at(1), dev.pages));
		EXPECT_EQ(EINVAL, try_map(dev.fd, offset + at(dev.pages - 1), 2));
		EXPECT_EQ(EINVAL, try_map(dev.fd, offset - at(1), 2));
		if (dev.pages >= 4) {
			ASSERT_EQ(0, page_cookie(dev.fd, attr, 1, 2, &offset));
			EXPECT_EQ(0, try_map(dev.fd, offset, 2));
			EXPECT_EQ(EINVAL, try_map(dev.fd, offset, 3));
			EXPECT_EQ(EINVAL, try_map(dev.fd, offset + at(1), 2));
		}

		p = mmap(NULL, page_size, PROT_READ, MAP_PRIVATE, dev.fd, offset);
		EXPECT_EQ(MAP_FAILED, p);
		EXPECT_EQ(EINVAL, errno);
		p = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, dev.fd, offset);
		EXPECT_EQ(MAP_FAILED, p);
		EXPECT_EQ(EINVAL, errno);
		EXPECT_RELEASED();
	}
	/* Far from everything */
	EXPECT_EQ(EINVAL, try_map(dev.fd, 1ULL << 60, 1));
}

/* What is asked for as uncached is uncached, and cannot be asked away */
TEST_F(cookie, noncached)
{
	__u64 offset;
	void *p;

	ASSERT_EQ(0, page_cookie(dev.fd, NC, 0, dev.pages, &offset));
	p = map(dev.fd, offset, dev.pages);
	ASSERT_MAPPED(p);
	EXPECT_TYPE("UC-", p, 0, dev.pages < 4 ? dev.pages : 4);
	EXPECT_TYPE("UC-", (char *)p + at(dev.pages - 1), dev.pages - 1, 1);
	EXPECT_RELEASED();
	munmap(p, at(dev.pages));
}

/* Tools know BAR mappings by their offsets: a cookie's shows the region's */
TEST_F(cookie, proc_maps)
{
	unsigned long from, to, offset;
	__u64 cookie;
	char line[512];
	int found = 0;
	long page = dev.pages > 2 ? 2 : 0;
	void *p;
	FILE *f;

	ASSERT_EQ(0, page_cookie(dev.fd, NC, 0, dev.pages, &cookie));
	p = map(dev.fd, cookie + at(page), 1);
	ASSERT_MAPPED(p);
	f = fopen("/proc/self/maps", "r");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %*s %lx", &from, &to, &offset) != 3 ||
		    from != (unsigned long)p)
			continue;
		found++;
		EXPECT_EQ(from + page_size, to);
		EXPECT_EQ(bar()->offset + at(page), offset);
	}
	EXPECT_EQ(1, found);
	fclose(f);
	munmap(p, page_size);
}
