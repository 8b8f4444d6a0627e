// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must hold on every kernel
 */
FIXTURE(plain) {};

FIXTURE_VARIANT(plain) {
	bool cdev;
};

FIXTURE_VARIANT_ADD(plain, group) { .cdev = false };
FIXTURE_VARIANT_ADD(plain, cdev) { .cdev = true };

FIXTURE_SETUP(plain)
{
	const char *why = open_device(variant->cdev);

	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(plain)
{
	close_device();
}

/*
 * The same answers however often one asks; offsets as they have always been, or
 * one region behind the other.
 */
TEST_F(plain, region_info_stable)
{
	__u64 end = 0;

	for (__u32 i = 0; i <= VFIO_PCI_VGA_REGION_INDEX; i++) {
		struct vfio_region_info first, again;
		int err = region_info(dev.fd, i, &first, sizeof(first));

		if (i < NR_BARS)
			ASSERT_EQ(0, err);
		if (!err && !compact()) {
			EXPECT_EQ((__u64)i << 40, first.offset);
		} else if (!err) {
			EXPECT_LE(end, first.offset);
			EXPECT_EQ(0, first.offset % page_size);
			EXPECT_GE(first.size >= PMD_SIZE ? first.size : 0, first.offset - end);
			end = first.offset + (first.size ?: 1);
			end += -end % page_size;
		}
		for (int n = 0; n < 100; n++) {
			ASSERT_EQ(err, region_info(dev.fd, i, &again, sizeof(again)));
			ASSERT_EQ(0, memcmp(&first, &again, sizeof(first)));
		}
	}
}

/* No byte of the answer changes that is in no capability of the chain */
TEST_F(plain, region_info_chain)
{
	for (__u32 i = 0; i <= VFIO_PCI_VGA_REGION_INDEX; i++) {
		union {
			struct vfio_region_info info;
			unsigned char bytes[512];
		} r;
		const struct vfio_info_cap_header *cap;
		bool known[sizeof(r)] = {};
		size_t size;
		__u32 next;

		memset(&r, 0xa5, sizeof(r));
		r.info = (struct vfio_region_info){ .argsz = sizeof(r), .index = i };
		if (ioctl(dev.fd, VFIO_DEVICE_GET_REGION_INFO, &r.info))
			continue;
		next = r.info.flags & VFIO_REGION_INFO_FLAG_CAPS ? r.info.cap_offset : 0;
		for (; next; next = cap->next) {
			ASSERT_GT(sizeof(r), next);
			cap = (void *)r.bytes + next;
			size = cap->id == VFIO_REGION_INFO_CAP_MMAP_ATTRS ?
			       sizeof(struct vfio_region_info_cap_mmap_attrs) : sizeof(*cap);
			if (cap->id != VFIO_REGION_INFO_CAP_MMAP_ATTRS &&
			    cap->id != VFIO_REGION_INFO_CAP_MSIX_MAPPABLE)
				SKIP(return, "capability %u of region %u", cap->id, i);
			memset(known + next, true, size);
		}
		for (size_t n = sizeof(r.info); n < sizeof(r); n++) {
			ASSERT_TRUE(known[n] || r.bytes[n] == 0xa5)
				TH_LOG("region %u, byte %zu", i, n);
		}
	}
}

/* The two ways to ask whether there are cookies never contradict each other */
TEST_F(plain, probe_agrees_with_capability)
{
	int err = probe(dev.fd);

	if (err) {
		EXPECT_EQ(ENOTTY, err);
		EXPECT_EQ(ENOTTY, page_cookie(dev.fd, NC, 0, 1, NULL));
		EXPECT_EQ(ENOTTY, page_cookie(dev.fd, WC, 0, 1, NULL));
	}
	for (int i = 0; i < NR_BARS; i++) {
		struct bar *b = &dev.bar[i];
		bool expected = !err && (b->flags & VFIO_REGION_INFO_FLAG_MMAP) &&
				b->size >= page_size;

		EXPECT_EQ(expected, !!b->attrs)
			TH_LOG("BAR %d", i);
	}
}

TEST_F(plain, mmap_works)
{
	for (int i = 0; i < NR_BARS; i++) {
		struct bar *b = &dev.bar[i];
		void *p;

		if (!(b->flags & VFIO_REGION_INFO_FLAG_MMAP)) {
			EXPECT_EQ(EINVAL, try_map(dev.fd, b->offset, 1));
			continue;
		}
		dev.nr = i;
		dev.pages = (b->size + page_size - 1) / page_size;
		p = map_plain(dev.fd, 0, dev.pages);
		ASSERT_MAPPED(p);
		if (i != dev.msix_bar || b->size > page_size)
			EXPECT_TYPE("UC-", p, 0, dev.pages < 4 ? dev.pages : 4);
		munmap(p, at(dev.pages));
		EXPECT_EQ(EINVAL, try_map(dev.fd, b->offset, dev.pages + 1));
		if (!compact()) /* where another region may be */
			EXPECT_EQ(EINVAL, try_map(dev.fd, b->offset + at(dev.pages), 1));
		EXPECT_EQ(MAP_FAILED, mmap(NULL, page_size, PROT_READ, MAP_PRIVATE, dev.fd,
					   b->offset));
		EXPECT_EQ(EINVAL, errno);
	}
	for (__u32 i = VFIO_PCI_ROM_REGION_INDEX; i < 12; i++)
		EXPECT_EQ(EINVAL, try_map(dev.fd, (__u64)i << 40, 1));
}

/* Each width, also across a page and unaligned, against a plain mapping */
TEST_F(plain, read_write)
{
	unsigned char in[64], out[64];
	unsigned char *p;

	if (need_pages() || need_ram())
		SKIP(return, "%s", need_pages() ?: need_ram());
	p = map_plain(dev.fd, 0, 2);
	ASSERT_MAPPED(p);
	for (size_t len = 1; len <= sizeof(in); len += len < 9 ? 1 : 11) {
		for (size_t pos = page_size - 20; pos < page_size + 4; pos++) {
			memset(in, pos + len, len);
			ASSERT_EQ((ssize_t)len, pwrite(dev.fd, in, len, bar()->offset + pos));
			ASSERT_EQ(0, memcmp(in, p + pos, len));
			memset(p + pos, ~(pos + len), len);
			memset(in, ~(pos + len), len);
			ASSERT_EQ((ssize_t)len, pread(dev.fd, out, len, bar()->offset + pos));
			ASSERT_EQ(0, memcmp(in, out, len));
		}
	}
	munmap(p, at(2));
}
