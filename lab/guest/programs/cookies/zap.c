// SPDX-License-Identifier: GPL-2.0-only
/*
 * Zapping: what takes the entries of a plain mapping takes a cookie's, too,
 * and they come back with their types.
 */
static void *zap_map[3];

static void map_for_zap(struct __test_metadata *_metadata)
{
	zap_map[0] = map_plain(dev.fd, 0, 4);
	zap_map[1] = map_attr(dev.fd, WC, 1, 1);
	zap_map[2] = map_attr(dev.fd, NC, 2, 1);
	for (int i = 0; i < 3; i++)
		ASSERT_MAPPED(zap_map[i]);
	ASSERT_TRUE(touch_pages(zap_map[0], 4));
	ASSERT_TRUE(touch(zap_map[1]));
	ASSERT_TRUE(touch(zap_map[2]));
	for (int i = 0; i < 3; i++)
		EXPECT_PRESENT(zap_map[i]);
}

static void expect_zapped(struct __test_metadata *_metadata)
{
	for (int i = 0; i < 4; i++)
		EXPECT_ZAPPED(zap_map[0] + at(i));
	EXPECT_ZAPPED(zap_map[1]);
	EXPECT_ZAPPED(zap_map[2]);
	EXPECT_RESERVED(1, 1);
}

static void expect_refault(struct __test_metadata *_metadata)
{
	EXPECT_TYPE("WC", zap_map[1], 1, 1);
	EXPECT_TYPE("UC-", zap_map[2], 2, 1);
	EXPECT_TYPE("UC-", zap_map[0], 0, 1);
	EXPECT_TYPE("WC", zap_map[0] + at(1), 1, 1);
	EXPECT_TYPE("UC-", zap_map[0] + at(2), 2, 2);
	EXPECT_RESERVED(1, 1);
}

static void unmap_for_zap(void)
{
	munmap(zap_map[0], at(4));
	munmap(zap_map[1], at(1));
	munmap(zap_map[2], at(1));
}

TEST_F(wc4, reset)
{
	if (!(dev.info.flags & VFIO_DEVICE_FLAGS_RESET))
		SKIP(return, "the device cannot be reset");
	map_for_zap(_metadata);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, ioctl(dev.fd, VFIO_DEVICE_RESET))
			TH_LOG("%s", strerror(errno));
		expect_zapped(_metadata);
		expect_refault(_metadata);
	}
	unmap_for_zap();
}

TEST_F(wc4, hot_reset)
{
	struct {
		struct vfio_pci_hot_reset_info info;
		struct vfio_pci_dependent_device devices[64];
	} i = { .info.argsz = sizeof(i) };
	struct {
		struct vfio_pci_hot_reset reset;
		__s32 fd;
	} arg = {
		.reset.argsz = sizeof(arg),
		.reset.count = !variant->cdev,
		.fd = dev.vfio->group_fd,
	};

	if (ioctl(dev.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &i))
		SKIP(return, "no hot reset for this device");
	if (variant->cdev && !(i.info.flags & VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED))
		SKIP(return, "a hot reset would hit devices of others");
	for (__u32 n = 0; n < i.info.count; n++)
		if (!variant->cdev &&
		    i.info.devices[n].group_id != (__u32)sysfs_iommu_group_get(dev.bdf))
			SKIP(return, "a hot reset would hit devices of other groups");
	map_for_zap(_metadata);
	if (ioctl(dev.fd, VFIO_DEVICE_PCI_HOT_RESET, &arg)) {
		EXPECT_EQ(ENOTTY, errno);
		unmap_for_zap();
		SKIP(return, "the bus cannot be reset");
	}
	expect_zapped(_metadata);
	expect_refault(_metadata);
	unmap_for_zap();
}

TEST_F(wc4, memory_disable)
{
	void *late;
	__u32 value;

	if (is_virtfn())
		SKIP(return, "a virtual function has no memory enable bit");
	map_for_zap(_metadata);
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, memory_enable(false));
		expect_zapped(_metadata);
		EXPECT_FALSE(touch(zap_map[0]));
		EXPECT_FALSE(touch(zap_map[1]));
		EXPECT_FALSE(touch(zap_map[2]));
		EXPECT_EQ(-1, pread(dev.fd, &value, 4, bar()->offset + at(1)));
		EXPECT_EQ(EIO, errno);

		/* Mappings come and go meanwhile as they please */
		late = map_attr(dev.fd, WC, 3, 1);
		ASSERT_MAPPED(late);
		EXPECT_FALSE(touch(late));
		munmap(zap_map[1], at(1));
		EXPECT_RESERVED(3, 1);
		zap_map[1] = map_attr(dev.fd, WC, 1, 1);
		ASSERT_MAPPED(zap_map[1]);

		ASSERT_EQ(0, memory_enable(true));
		EXPECT_TYPE("WC", late, 3, 1);
		munmap(late, at(1));
		expect_refault(_metadata);
		EXPECT_EQ(4, pread(dev.fd, &value, 4, bar()->offset + at(1)));
	}
	unmap_for_zap();
}

TEST_F(wc4, low_power)
{
	const size_t argsz = sizeof(struct vfio_device_feature);
	char none;

	if (feature(dev.fd, VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_SET |
		    VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, &none, 0, argsz))
		SKIP(return, "no runtime power management");
	map_for_zap(_metadata);
	ASSERT_EQ(0, feature(dev.fd, VFIO_DEVICE_FEATURE_SET |
			     VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, &none, 0, argsz));
	expect_zapped(_metadata);
	EXPECT_FALSE(touch(zap_map[0]));
	EXPECT_FALSE(touch(zap_map[1]));
	ASSERT_EQ(0, feature(dev.fd, VFIO_DEVICE_FEATURE_SET |
			     VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, &none, 0, argsz));
	expect_refault(_metadata);
	unmap_for_zap();
}
