/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Asking for VFIO's mmap cookies, mapping with them, and seeing what was
 * reserved for that.
 */
#ifndef VFIO_MMAP_COOKIE_H
#define VFIO_MMAP_COOKIE_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/mman.h>

#include <linux/limits.h>
#include <linux/vfio.h>

#include <libvfio.h>

#include "kselftest.h"

#define NC		VFIO_MMAP_ATTR_NONCACHED
#define WC		VFIO_MMAP_ATTR_WRITECOMBINE
#define NR_COOKIES	256	/* of one device file */
#define NR_MEMTYPES	4096

/* Bytes that so many pages are */
static inline size_t at(long pages)
{
	return pages * sysconf(_SC_PAGESIZE);
}

/* Opened by its group or its cdev, with nothing mapped; NULL: there is no such thing here */
static inline struct vfio_pci_device *device_open(const char *bdf, const char *mode)
{
	bool cdev = !strcmp(mode, MODE_IOMMUFD);
	struct vfio_pci_device *device;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	if (access(cdev ? "/dev/iommu" : "/dev/vfio/vfio", R_OK | W_OK) ||
	    (cdev && access(path, F_OK)))
		return NULL;
	device = vfio_pci_device_alloc(bdf, iommu_init(mode));
	if (cdev) {
		vfio_pci_cdev_open(device, bdf);
		__vfio_device_bind_iommufd(device->fd, device->iommu->iommufd, NULL);
	} else {
		vfio_pci_group_setup(device, bdf);
		vfio_container_set_iommu(device);
		__vfio_pci_group_get_device_fd(device, bdf, NULL);
	}
	return device;
}

static inline void device_close(struct vfio_pci_device *device)
{
	close(device->fd);
	if (device->group_fd > 0)
		close(device->group_fd);
	iommu_cleanup(device->iommu);
	vfio_pci_device_free(device);
}

/* Device files and ioctls: these return 0 or an errno */

static inline int feature(int fd, __u32 flags, void *data, size_t size, size_t argsz)
{
	__aligned_u64 buf[32] = {};
	struct vfio_device_feature *f = (void *)buf;
	int err;

	f->argsz = argsz;
	f->flags = flags;
	memcpy(f->data, data, size);
	err = ioctl(fd, VFIO_DEVICE_FEATURE, f) ? errno : 0;
	memcpy(data, f->data, size);
	return err;
}

static inline int get_feature(int fd, __u32 flags, struct vfio_device_feature_mmap_cookie *c)
{
	return feature(fd, VFIO_DEVICE_FEATURE_MMAP_COOKIE | flags, c, sizeof(*c),
		       sizeof(struct vfio_device_feature) + sizeof(*c));
}

static inline int probe(int fd)
{
	struct vfio_device_feature_mmap_cookie c = {};

	return get_feature(fd, VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET, &c);
}

static inline int get_cookie(int fd, __u32 region, __u32 attr, __u64 start, __u64 size,
			     __u64 *offset)
{
	struct vfio_device_feature_mmap_cookie c = {
		.region = region,
		.attr = attr,
		.start = start,
		.size = size,
		.offset = ~0ULL,
	};
	int err = get_feature(fd, VFIO_DEVICE_FEATURE_GET, &c);

	if (offset)
		*offset = c.offset;
	return err;
}

static inline int region_info(int fd, __u32 index, struct vfio_region_info *info, size_t size)
{
	memset(info, 0, size);
	info->argsz = size;
	info->index = index;
	return ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, info) ? errno : 0;
}

static inline const void *region_cap(const struct vfio_region_info *info, __u16 id)
{
	const struct vfio_info_cap_header *cap;
	__u32 next = info->flags & VFIO_REGION_INFO_FLAG_CAPS ? info->cap_offset : 0;

	for (; next; next = cap->next) {
		cap = (const void *)((const char *)info + next);
		if (cap->id == id)
			return cap;
	}
	return NULL;
}

/* Mappings: MAP_FAILED, and errno is set */

static inline void *map(int fd, __u64 offset, long n)
{
	return mmap(NULL, at(n), PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
}

/* Map and unmap at once: 0, or the errno of mmap */
static inline int try_map(int fd, __u64 offset, long n)
{
	void *p = map(fd, offset, n);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, at(n));
	return 0;
}

/*
 * Reservations of memory types, by debugfs on x86. What the kernel has there
 * it means to map: it is no proof of what the page tables hold.
 */
struct memtype {
	__u64 start, end;
	const char *type;
};

/* Those that touch a physical range, sorted by start; -1: not to be seen here */
static inline int memtypes(__u64 from, __u64 to, struct memtype *m, int max)
{
	static const char *const names[][2] = {
		{ "write-combining", "WC" }, { "uncached-minus", "UC-" }, { "uncached", "UC" },
		{ "write-back", "WB" }, { "write-through", "WT" },
	};
	FILE *f = fopen("/sys/kernel/debug/x86/pat_memtype_list", "r");
	char line[256], type[32];
	int n = 0;

	if (!f)
		return -1;
	while (n < max && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "PAT: [mem %llx-%llx] %31s", &m[n].start, &m[n].end, type) != 3 ||
		    m[n].start >= to || m[n].end <= from)
			continue;
		m[n].type = "?";
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			if (!strcmp(type, names[i][0]))
				m[n].type = names[i][1];
		n++;
	}
	fclose(f);
	return n;
}

/* How many pages of the range are reserved WC; -1: not to be seen here */
static inline long wc_pages_in(__u64 from, __u64 to)
{
	static struct memtype m[NR_MEMTYPES];
	int n = memtypes(from, to, m, NR_MEMTYPES);
	__u64 bytes = 0, start, end;

	/* One page may be reserved more than once */
	for (int i = 0; i < n; i++) {
		start = m[i].start > from ? m[i].start : from;
		end = m[i].end < to ? m[i].end : to;
		if (strcmp(m[i].type, "WC") || start >= end)
			continue;
		bytes += end - start;
		from = end;
	}
	return n < 0 ? -1 : (long)(bytes / at(1));
}

#endif
