// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of VFIO's mmap cookies: mappings of PCI BARs with a memory type that
 * user space asked for (VFIO_DEVICE_FEATURE_MMAP_COOKIE). A BAR is read from;
 * it is written to only if VFIO_SELFTESTS_RAM_BAR is its number.
 */
#include <fcntl.h>
#include <stdlib.h>

#include <sys/wait.h>

#include "kselftest_harness.h"
#include "vfio_mmap_cookie.h"

static const char *device_bdf;

/* The device under test: each test is a process of its own, and opens it */
static struct {
	struct vfio_pci_device *vfio;
	int fd;			/* vfio->fd */
	__u32 bar;
	long pages;		/* its size; 0: there is none for the test */
	__u64 pa;		/* CPU physical address */
	__u64 offset;		/* of the region */
	__u32 attrs;		/* what can be asked for */
} dev;

FIXTURE(cookies) {};

FIXTURE_VARIANT(cookies) {
	const char *mode;
};

FIXTURE_VARIANT_ADD(cookies, group) { .mode = MODE_VFIO_TYPE1V2_IOMMU };
#ifdef VFIO_DEVICE_BIND_IOMMUFD
FIXTURE_VARIANT_ADD(cookies, cdev) { .mode = MODE_IOMMUFD };
#endif

/* The biggest BAR that can be mapped and has no MSI-X table */
static void choose_bar(void)
{
	const struct vfio_region_info_cap_mmap_attrs *cap;
	__u64 start, end, flags;
	char path[PATH_MAX];
	struct {
		struct vfio_region_info info;
		char caps[4096];
	} r;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", device_bdf);
	f = fopen(path, "r");
	for (__u32 i = 0; f && i < VFIO_PCI_ROM_REGION_INDEX; i++) {
		if (fscanf(f, "%llx %llx %llx", &start, &end, &flags) != 3 ||
		    region_info(dev.fd, i, &r.info, sizeof(r)))
			break;
		cap = region_cap(&r.info, VFIO_REGION_INFO_CAP_MMAP_ATTRS);
		if (!cap || region_cap(&r.info, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE) ||
		    r.info.size <= at(dev.pages))
			continue;
		dev.bar = i;
		dev.pages = r.info.size / at(1);
		dev.pa = start;
		dev.offset = r.info.offset;
		dev.attrs = cap->attrs;
	}
	if (f)
		fclose(f);
}

FIXTURE_SETUP(cookies)
{
	dev.vfio = device_open(device_bdf, variant->mode);
	if (!dev.vfio)
		SKIP(return, "no %s", variant->mode);
	dev.fd = dev.vfio->fd;
	ASSERT_LE(0, dev.fd);
	choose_bar();
	if (!dev.pages)
		SKIP(return, "no BAR that can be mapped with attributes");
}

FIXTURE_TEARDOWN(cookies)
{
	device_close(dev.vfio);
}

static int cookie(__u32 attr, long page, long n, __u64 *offset)
{
	return get_cookie(dev.fd, dev.bar, attr, at(page), at(n), offset);
}

static void *map_attr(__u32 attr, long page, long n)
{
	__u64 offset;

	errno = cookie(attr, page, n, &offset);
	return errno ? MAP_FAILED : map(dev.fd, offset, n);
}

/* These pages of the BAR, and no others, are reserved WC, if that can be seen */
static bool reserved(long page, long n)
{
	long seen = wc_pages_in(dev.pa, dev.pa + at(dev.pages));

	return seen < 0 || (seen == n && n == wc_pages_in(dev.pa + at(page),
							  dev.pa + at(page + n)));
}

TEST_F(cookies, probe_and_capability)
{
	struct vfio_device_feature_mmap_cookie c = { .region = dev.bar, .size = at(1) };
	const __u32 get = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MMAP_COOKIE;
	const size_t whole = sizeof(struct vfio_device_feature) + sizeof(c);

	EXPECT_EQ(0, probe(dev.fd));
	EXPECT_EQ(0, get_feature(dev.fd, VFIO_DEVICE_FEATURE_PROBE, &c));
	EXPECT_EQ(EINVAL, get_feature(dev.fd, 0, &c));
	EXPECT_EQ(EINVAL, get_feature(dev.fd, VFIO_DEVICE_FEATURE_SET, &c));
	EXPECT_EQ(EINVAL, feature(dev.fd, get, &c, sizeof(c), whole - 1));
	EXPECT_EQ(0, feature(dev.fd, get, &c, sizeof(c), whole));

	EXPECT_TRUE(dev.attrs & 1 << NC);
	if (!(dev.attrs & 1 << WC))
		EXPECT_EQ(EOPNOTSUPP, cookie(WC, 0, 1, NULL));
}

TEST_F(cookies, bad_requests)
{
	struct vfio_device_feature_mmap_cookie c = { .region = dev.bar, .size = at(1) };
	const __u64 size = at(dev.pages);

	c.flags = 1;
	EXPECT_EQ(EINVAL, get_feature(dev.fd, VFIO_DEVICE_FEATURE_GET, &c));
	c.flags = 0;
	c.__reserved = 1;
	EXPECT_EQ(EINVAL, get_feature(dev.fd, VFIO_DEVICE_FEATURE_GET, &c));
	EXPECT_EQ(EINVAL, cookie(2, 0, 1, NULL));
	EXPECT_EQ(EINVAL, cookie(NC, 0, 0, NULL));
	EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.bar, NC, 1, at(1), NULL));
	EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.bar, NC, 0, at(1) - 1, NULL));
	EXPECT_EQ(EOVERFLOW, get_cookie(dev.fd, dev.bar, NC, at(1), -at(1), NULL));
	EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.bar, NC, size, at(1), NULL));
	EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.bar, NC, 0, size + at(1), NULL));
	EXPECT_EQ(ENODEV, get_cookie(dev.fd, VFIO_PCI_CONFIG_REGION_INDEX, NC, 0, at(1), NULL));
	EXPECT_EQ(EINVAL, get_cookie(dev.fd, VFIO_PCI_NUM_REGIONS, NC, 0, at(1), NULL));
}

/* The same request gets the same cookie, and regions stay where they are */
TEST_F(cookies, same_request_same_cookie)
{
	struct vfio_region_info before, info;
	__u64 whole, page, again;

	ASSERT_EQ(0, region_info(dev.fd, dev.bar, &before, sizeof(before)));
	ASSERT_EQ(0, cookie(NC, 0, dev.pages, &whole));
	ASSERT_EQ(0, cookie(NC, 0, 1, &page));
	for (int i = 0; i < NR_COOKIES; i++) {
		ASSERT_EQ(0, cookie(NC, 0, dev.pages, &again));
		ASSERT_EQ(whole, again);
	}
	if (dev.pages > 1)
		EXPECT_NE(whole, page);
	ASSERT_EQ(0, region_info(dev.fd, dev.bar, &info, sizeof(info)));
	EXPECT_EQ(0, memcmp(&before, &info, sizeof(info)));
}

TEST_F(cookies, too_many_cookies)
{
	__u64 first, again;

	if (dev.pages <= NR_COOKIES)
		SKIP(return, "needs a BAR of more than %d pages", NR_COOKIES);
	ASSERT_EQ(0, cookie(NC, 0, 1, &first));
	for (int i = 1; i < NR_COOKIES; i++)
		ASSERT_EQ(0, cookie(NC, i, 1, NULL));
	EXPECT_EQ(ENOSPC, cookie(NC, NR_COOKIES, 1, NULL));
	ASSERT_EQ(0, cookie(NC, 0, 1, &again));
	EXPECT_EQ(first, again);
}

TEST_F(cookies, unknown_to_other_files)
{
	__u64 mine;
	__u32 value;
	int fd;

	if (!strcmp(variant->mode, MODE_IOMMUFD))
		SKIP(return, "a cdev cannot be opened twice");
	fd = ioctl(dev.vfio->group_fd, VFIO_GROUP_GET_DEVICE_FD, device_bdf);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, cookie(NC, 0, 1, &mine));
	EXPECT_EQ(0, try_map(dev.fd, mine, 1));
	EXPECT_EQ(EINVAL, try_map(fd, mine, 1));
	EXPECT_EQ(-1, pread(fd, &value, sizeof(value), mine));
	close(fd);
}

TEST_F(cookies, mmap_limits)
{
	__u64 offset;

	ASSERT_EQ(0, cookie(NC, 0, dev.pages, &offset));
	EXPECT_EQ(0, try_map(dev.fd, offset, dev.pages));
	EXPECT_EQ(0, try_map(dev.fd, offset + at(dev.pages - 1), 1));
	EXPECT_EQ(EINVAL, try_map(dev.fd, offset, dev.pages + 1));
	EXPECT_EQ(EINVAL, try_map(dev.fd, offset + at(dev.pages), 1));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, at(1), PROT_READ, MAP_PRIVATE, dev.fd, offset));
}

TEST_F(cookies, read_write)
{
	const char *ram = getenv("VFIO_SELFTESTS_RAM_BAR");
	__u32 value, seen = 0;
	__u64 offset;

	for (__u32 attr = NC; attr <= WC; attr++) {
		if (!(dev.attrs & 1 << attr))
			continue;
		ASSERT_EQ(0, cookie(attr, 0, 1, &offset));
		EXPECT_EQ(4, pread(dev.fd, &value, 4, offset));
		EXPECT_EQ(-1, pread(dev.fd, &value, 4, offset + at(1)));
		EXPECT_EQ(-1, pwrite(dev.fd, &value, 4, offset + at(1)));
		if (!ram || !*ram || atoi(ram) != (int)dev.bar)
			continue;
		value = ~value;
		EXPECT_EQ(4, pwrite(dev.fd, &value, 4, offset));
		EXPECT_EQ(4, pread(dev.fd, &seen, 4, dev.offset));
		EXPECT_EQ(value, seen);
	}
}

static __u32 peek(const void *p)
{
	return __atomic_load_n((const __u32 *)p, __ATOMIC_RELAXED);
}

/* One page has one type; the pages beside it may have another */
TEST_F(cookies, two_types_in_one_bar)
{
	void *plain, *nc, *wc;

	if (!(dev.attrs & 1 << WC) || dev.pages < 4)
		SKIP(return, "no write-combining, or no 4 pages");
	plain = map(dev.fd, dev.offset, 4);
	wc = map_attr(WC, 1, 1);
	nc = map_attr(NC, 2, 1);
	ASSERT_NE(MAP_FAILED, plain);
	ASSERT_NE(MAP_FAILED, wc);
	ASSERT_NE(MAP_FAILED, nc);
	for (int i = 0; i < 4; i++)
		peek(plain + at(i));
	peek(wc);
	peek(nc);
	EXPECT_TRUE(reserved(1, 1));
	EXPECT_EQ(MAP_FAILED, map_attr(NC, 0, 2));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(MAP_FAILED, map_attr(WC, 2, 2));
	EXPECT_EQ(EBUSY, errno);
	munmap(wc, at(1));
	EXPECT_TRUE(reserved(0, 0));
	peek(plain + at(1));
}

/* Reserved as a whole until the last piece is gone */
TEST_F(cookies, partial_munmap)
{
	void *p;

	if (!(dev.attrs & 1 << WC) || dev.pages < 4)
		SKIP(return, "no write-combining, or no 4 pages");
	p = map_attr(WC, 0, 4);
	ASSERT_NE(MAP_FAILED, p);
	munmap(p + at(1), at(1));
	munmap(p + at(3), at(1));
	munmap(p, at(1));
	EXPECT_TRUE(reserved(0, 4));
	EXPECT_EQ(MAP_FAILED, map_attr(NC, 0, 1));
	peek(p + at(2));
	munmap(p + at(2), at(1));
	EXPECT_TRUE(reserved(0, 0));
	EXPECT_NE(MAP_FAILED, map_attr(NC, 0, 4));
}

/* A child keeps what its parent gives up */
TEST_F(cookies, fork)
{
	int go[2], status;
	pid_t pid;
	void *p;
	char c;

	if (!(dev.attrs & 1 << WC))
		SKIP(return, "no write-combining");
	p = map_attr(WC, 0, 1);
	ASSERT_NE(MAP_FAILED, p);
	ASSERT_EQ(0, pipe(go));
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		close(go[1]);
		status = read(go[0], &c, 1);
		peek(p);
		_exit(status);
	}
	close(go[0]);
	munmap(p, at(1));
	EXPECT_TRUE(reserved(0, 1));
	EXPECT_EQ(MAP_FAILED, map_attr(NC, 0, 1));
	close(go[1]);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(reserved(0, 0));
}

int main(int argc, char *argv[])
{
	int err;

	device_bdf = vfio_selftests_get_bdf(&argc, argv);
	dev.vfio = device_open(device_bdf, MODE_VFIO_TYPE1V2_IOMMU) ?:
		   device_open(device_bdf, MODE_IOMMUFD);
	if (!dev.vfio)
		ksft_exit_skip("neither a VFIO container nor iommufd\n");
	err = probe(dev.vfio->fd);
	device_close(dev.vfio);
	if (err == ENOTTY)
		ksft_exit_skip("this kernel has no mmap cookies for %s\n", device_bdf);
	return test_harness_run(argc, argv);
}
