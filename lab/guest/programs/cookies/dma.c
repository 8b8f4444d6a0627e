// SPDX-License-Identifier: GPL-2.0-only
/* The MSI-X table is never WC, and everything else in its BAR may be */
TEST_F(wc, msix)
{
	long start, end, pages;
	void *table, *beside;

	if (dev.msix_bar < 0)
		SKIP(return, "the device has no MSI-X");
	dev.nr = dev.msix_bar;
	pages = bar()->size / page_size;
	start = dev.msix_start / page_size;
	end = dev.msix_end / page_size;
	if (!bar()->attrs)
		SKIP(return, "the MSI-X table's BAR cannot be mapped");

	for (int round = 0; round < 3; round++) {
		for (__u32 attr = NC; attr <= WC; attr++) {
			EXPECT_EQ(EINVAL, page_cookie(dev.fd, attr, start, 1, NULL));
			EXPECT_EQ(EINVAL, page_cookie(dev.fd, attr, end - 1, 1, NULL));
			EXPECT_EQ(EINVAL, page_cookie(dev.fd, attr, 0, pages, NULL));
			if (start > 0)
				EXPECT_EQ(EINVAL, page_cookie(dev.fd, attr, start - 1, 2, NULL));
			if (end < pages)
				EXPECT_EQ(EINVAL, page_cookie(dev.fd, attr, end - 1, 2, NULL));
		}
		beside = MAP_FAILED;
		if (start > 0)
			beside = map_attr(dev.fd, WC, start - 1, 1);
		else if (end < pages)
			beside = map_attr(dev.fd, WC, end, 1);
		if (start > 0 || end < pages)
			ASSERT_MAPPED(beside);

		/* A plain mapping of it is as ever */
		table = map_plain(dev.fd, start, end - start);
		ASSERT_MAPPED(table);
		EXPECT_TYPE("UC-", table, start, end - start);
		/* The second round is with MSI-X enabled, WC pages beside or not */
		if (round < 2)
			ASSERT_EQ(0, msix_enable(!round))
				TH_LOG("%s", strerror(errno));
		EXPECT_TYPE("UC-", table, start, end - start);
		if (beside != MAP_FAILED) {
			EXPECT_TYPE("WC", beside, start > 0 ? start - 1 : end, 1);
			EXPECT_RESERVED(start > 0 ? start - 1 : end, 1);
			munmap(beside, page_size);
		}
		EXPECT_RELEASED();
		munmap(table, at(end - start));
	}
}

/* Peer-to-peer: what type1 does with a plain mapping it does with a cookie's */
TEST_F(wc, dma_map)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.iova = 1 << 30,
		.size = page_size,
	};
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = map.iova,
		.size = map.size,
	};
	void *p;

	if (variant->cdev)
		SKIP(return, "no container with a cdev");
	p = map_plain(dev.fd, 0, 1);
	ASSERT_MAPPED(p);
	map.vaddr = (uintptr_t)p;
	if (ioctl(dev.vfio->iommu->container_fd, VFIO_IOMMU_MAP_DMA, &map))
		SKIP(return, "type1 maps no plain BAR: %s", strerror(errno));
	ASSERT_EQ(0, ioctl(dev.vfio->iommu->container_fd, VFIO_IOMMU_UNMAP_DMA, &unmap));
	munmap(p, page_size);

	/* Not faulted in before, then faulted in */
	for (int i = 0; i < 2; i++) {
		p = map_attr(dev.fd, WC, 0, 1);
		ASSERT_MAPPED(p);
		if (i)
			touch(p);
		map.vaddr = (uintptr_t)p;
		ASSERT_EQ(0, ioctl(dev.vfio->iommu->container_fd, VFIO_IOMMU_MAP_DMA, &map))
			TH_LOG("%s", strerror(errno));
		EXPECT_TYPE("WC", p, 0, 1);
		unmap.size = map.size;
		ASSERT_EQ(0, ioctl(dev.vfio->iommu->container_fd, VFIO_IOMMU_UNMAP_DMA, &unmap));
		EXPECT_EQ(map.size, unmap.size);
		munmap(p, page_size);
		EXPECT_RELEASED();
	}
}

#ifdef VFIO_DEVICE_FEATURE_DMA_BUF /* 7.x */
#include <linux/iommufd.h>

/* A DMABUF of the first pages of the BAR; -1: no */
static int export_dmabuf(long n)
{
	__aligned_u64 buf[8] = {};
	struct vfio_device_feature *f = (void *)buf;
	struct vfio_device_feature_dma_buf *export = (void *)f->data;

	f->argsz = sizeof(*f) + sizeof(*export) + sizeof(export->dma_ranges[0]);
	f->flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_DMA_BUF;
	export->region_index = dev.nr;
	export->open_flags = O_RDWR | O_CLOEXEC;
	export->nr_ranges = 1;
	export->dma_ranges[0].length = at(n);
	return ioctl(dev.fd, VFIO_DEVICE_FEATURE, f);
}

/* What the CPU maps and what a device is given do not get into each other's way */
TEST_F(wc, dmabuf)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach) };
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE |
			 IOMMU_IOAS_MAP_FIXED_IOVA,
		.length = page_size,
		.iova = 1 << 30,
	};
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.length = page_size,
		.iova = 1 << 30,
	};
	void *p = MAP_FAILED;

	map.fd = export_dmabuf(1);
	if (map.fd < 0)
		SKIP(return, "no DMABUF of this BAR: %s", strerror(errno));
	if (variant->cdev) {
		ASSERT_EQ(0, ioctl(dev.vfio->iommu->iommufd, IOMMU_IOAS_ALLOC, &ioas));
		attach.pt_id = ioas.out_ioas_id;
		map.ioas_id = ioas.out_ioas_id;
		unmap.ioas_id = ioas.out_ioas_id;
		ASSERT_EQ(0, ioctl(dev.fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach));
	}

	/* Exported before the WC mapping is made, and while it is there */
	for (int round = 0; round < 2; round++) {
		if (variant->cdev) {
			ASSERT_EQ(0, ioctl(dev.vfio->iommu->iommufd, IOMMU_IOAS_MAP_FILE, &map))
				TH_LOG("%s", strerror(errno));
		}
		if (!round) {
			p = map_attr(dev.fd, WC, 0, 1);
			ASSERT_MAPPED(p);
		}
		EXPECT_TYPE("WC", p, 0, 1);
		EXPECT_RESERVED(0, 1);
		if (variant->cdev)
			ASSERT_EQ(0, ioctl(dev.vfio->iommu->iommufd, IOMMU_IOAS_UNMAP, &unmap));
		close(map.fd);
		EXPECT_TYPE("WC", p, 0, 1);
		if (round)
			break;
		map.fd = export_dmabuf(1);
		ASSERT_LE(0, map.fd)
			TH_LOG("%s", strerror(errno));
		unmap.length = page_size;
	}

	/* Revoked and not, as the WC mapping is zapped and faulted in again */
	map.fd = export_dmabuf(1);
	ASSERT_LE(0, map.fd);
	if (!is_virtfn()) {
		ASSERT_EQ(0, memory_enable(false));
		EXPECT_FALSE(touch(p));
		ASSERT_EQ(0, memory_enable(true));
		EXPECT_TRUE(touch(p));
		EXPECT_TYPE("WC", p, 0, 1);
	}
	munmap(p, page_size);
	EXPECT_RELEASED();
	close(map.fd);
}
#endif
