/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_COOKIE_H
#define VFIO_WC_COOKIE_H

/*
 * What is asked of a VFIO device's file about mmap cookies. Needs the kernel's headers only:
 * librte_vfio_wc and DPDK's EAL have the same file.
 */

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vfio_wc_uapi.h"

/*
 * Bit n: enum vfio_mmap_attr n can be had for a region, says its information, which must have been
 * asked for with room for all capabilities. 0: no cookies, or a newer version of the capability.
 */
static inline uint32_t
vfio_wc_region_attrs(const struct vfio_region_info *info)
{
	uint32_t offset = info->flags & VFIO_REGION_INFO_FLAG_CAPS ? info->cap_offset : 0;

	while (offset != 0 && offset + sizeof(struct vfio_info_cap_header) <= info->argsz) {
		struct vfio_region_info_cap_mmap_attrs cap = { 0 };
		size_t room = info->argsz - offset;

		memcpy(&cap, (const char *)info + offset, room < sizeof(cap) ? room : sizeof(cap));
		if (cap.header.id == VFIO_REGION_INFO_CAP_MMAP_ATTRS && cap.header.version == 1 &&
				cap.feature == VFIO_DEVICE_FEATURE_MMAP_COOKIE)
			return cap.attrs;
		if (cap.header.next <= offset)
			break;	/* the chain only goes up: no loops */
		offset = cap.header.next;
	}
	return 0;
}

/* Ask for a cookie: cookie->offset is where to mmap. Returns 0 or a negative errno. */
static inline int
vfio_wc_get_cookie(int fd, struct vfio_device_feature_mmap_cookie *cookie)
{
	union {
		struct vfio_device_feature header;
		char bytes[sizeof(struct vfio_device_feature) + sizeof(*cookie)];
	} request = {
		.header.argsz = sizeof(request.bytes),
		.header.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MMAP_COOKIE,
	};

	memcpy(request.header.data, cookie, sizeof(*cookie));
	if (ioctl(fd, VFIO_DEVICE_FEATURE, &request) != 0)
		return -errno;
	memcpy(cookie, request.header.data, sizeof(*cookie));
	return 0;
}

#endif /* VFIO_WC_COOKIE_H */
