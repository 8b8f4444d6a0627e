/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_UAPI_H
#define VFIO_WC_UAPI_H

/*
 * What the kernel series adds to <linux/vfio.h>, for systems whose headers lack it.
 * The reference is the kernel's own, include/uapi/linux/vfio.h with the series applied.
 */

#include <linux/vfio.h>

#ifndef VFIO_DEVICE_FEATURE	/* since Linux 5.7 */

struct vfio_device_feature {
	__u32 argsz;
	__u32 flags;
#define VFIO_DEVICE_FEATURE_MASK	(0xffff)
#define VFIO_DEVICE_FEATURE_GET		(1 << 16)
#define VFIO_DEVICE_FEATURE_SET		(1 << 17)
#define VFIO_DEVICE_FEATURE_PROBE	(1 << 18)
	__u8 data[];
};
#define VFIO_DEVICE_FEATURE		_IO(VFIO_TYPE, VFIO_BASE + 17)

#endif /* VFIO_DEVICE_FEATURE */

#ifndef VFIO_DEVICE_FEATURE_MMAP_COOKIE

/*
 * 0x5743 is "WC" in ASCII: VFIO_DEVICE_FEATURE indexes are 16 bits wide and upstream counts up
 * from 0, so that this one cannot meet the next few upstream features. Region capabilities are
 * numbered apart from features; the same number is used for both.
 */
#define VFIO_DEVICE_FEATURE_MMAP_COOKIE 0x5743
#define VFIO_REGION_INFO_CAP_MMAP_ATTRS 0x5743

enum vfio_mmap_attr {
	VFIO_MMAP_ATTR_NONCACHED = 0,		/* x86: UC- */
	VFIO_MMAP_ATTR_WRITECOMBINE = 1,
};

struct vfio_region_info_cap_mmap_attrs {
	struct vfio_info_cap_header header;
	__u32 feature;	/* VFIO_DEVICE_FEATURE index that makes the cookies */
	__u32 attrs;	/* bit n: enum vfio_mmap_attr n can be had for this region */
};

struct vfio_device_feature_mmap_cookie {
	__u32 region;
	__u32 attr;
	__u32 flags;
	__u32 reserved;	/* __reserved in the kernel's: not a name to have in DPDK's tree */
	__aligned_u64 start;
	__aligned_u64 size;
	__aligned_u64 offset;
};

#endif /* VFIO_DEVICE_FEATURE_MMAP_COOKIE */

#endif /* VFIO_WC_UAPI_H */
