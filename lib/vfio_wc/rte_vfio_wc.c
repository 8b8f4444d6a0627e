/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rte_vfio_wc.h"
#include "vfio_device.h"
#include "vfio_wc_cookie.h"
#include "vfio_wc_error.h"
#include "vfio_wc_sysfs.h"
#include "vfio_wc_uapi.h"

_Static_assert(RTE_VFIO_WC_BARS == PCI_STD_NUM_BARS, "BARs of a PCI device");

/* Since Linux 4.17; glibc has it since 2.27. */
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

int
vfio_wc_fail(struct rte_vfio_wc_error *error, int err, const char *subject,
		const char *format, ...)
{
	va_list ap;
	int n;

	if (error == NULL)
		return -err;

	error->err = err;
	n = snprintf(error->text, sizeof(error->text), "%s: ", subject);
	if (n >= 0 && (size_t)n < sizeof(error->text)) {
		va_start(ap, format);
		vsnprintf(error->text + n, sizeof(error->text) - n, format, ap);
		va_end(ap);
	}
	return -err;
}

/* Room for a device name, "BAR n" and two addresses; longer names are cut. */
struct subject {
	char text[128];
};

static const char *
subject_range(struct subject *s, const struct rte_vfio_wc_range *range)
{
	snprintf(s->text, sizeof(s->text), "%.64s BAR %u [0x%" PRIx64 ", 0x%" PRIx64 ")",
		range->device, range->bar, range->offset, range->offset + range->length);
	return s->text;
}

static const char *
subject_bar(struct subject *s, const char *device, unsigned int bar)
{
	snprintf(s->text, sizeof(s->text), "%.64s BAR %u", device, bar);
	return s->text;
}

const char *
rte_vfio_wc_type_name(enum rte_vfio_wc_type type)
{
	switch (type) {
	case RTE_VFIO_WC_TYPE_UC:
		return "UC-";
	case RTE_VFIO_WC_TYPE_WC:
		return "WC";
	}
	return "unknown";
}

/* Is fd a VFIO device? */
static int
check_device(const char *device, int fd, struct rte_vfio_wc_error *error)
{
	struct vfio_wc_why why;
	int ret = vfio_wc_check_fd(fd, &why);

	return ret == 0 ? 0 : vfio_wc_fail(error, -ret, device, "%s", why.text);
}

int
vfio_wc_sysfs_match(const char *device, const struct vfio_wc_sysfs *pci, int fd,
		struct rte_vfio_wc_error *error)
{
	struct vfio_wc_why why;
	int ret = vfio_wc_match(pci, fd, &why);

	return ret == 0 ? 0 : vfio_wc_fail(error, -ret, device, "%s", why.text);
}

int
rte_vfio_wc_bar_info(const char *device, int fd, unsigned int bar,
		struct rte_vfio_wc_bar_info *out, struct rte_vfio_wc_error *error)
{
	struct vfio_wc_limits limits;
	struct vfio_region_info *info;
	struct subject s;
	uint64_t config;
	uint8_t base[4];
	int ret;

	subject_bar(&s, device, bar);
	if (bar >= RTE_VFIO_WC_BARS)
		return vfio_wc_fail(error, EINVAL, s.text, "a PCI device has BARs 0 to %d",
			RTE_VFIO_WC_BARS - 1);
	ret = check_device(device, fd, error);
	if (ret != 0)
		return ret;

	memset(out, 0, sizeof(*out));
	info = vfio_wc_region_info(fd, VFIO_PCI_BAR0_REGION_INDEX + bar);
	if (info == NULL)
		return vfio_wc_fail(error, errno, s.text, "no region information (%s)",
			strerror(errno));
	out->size = info->size;
	out->fd_offset = info->offset;
	out->mappable = (info->flags & VFIO_REGION_INFO_FLAG_MMAP) != 0;
	out->types = vfio_wc_region_attrs(info);
	free(info);

	if (out->size == 0)
		return 0;

	info = vfio_wc_region_info(fd, VFIO_PCI_CONFIG_REGION_INDEX);
	if (info == NULL)
		return vfio_wc_fail(error, errno, s.text, "no configuration space (%s)",
			strerror(errno));
	config = info->offset;
	free(info);
	if (pread(fd, base, sizeof(base), config + PCI_BASE_ADDRESS_0 + 4 * bar) != sizeof(base) ||
			vfio_wc_msix(fd, config, bar, &limits) != 0)
		return vfio_wc_fail(error, EIO, s.text, "configuration space cannot be read");
	out->msix_offset = limits.msix_offset;
	out->msix_length = limits.msix_length;
	out->io = (base[0] & PCI_BASE_ADDRESS_SPACE) == PCI_BASE_ADDRESS_SPACE_IO;
	return 0;
}

static const char *
cookie_reason(int err)
{
	switch (err) {
	case ENOTTY:
		return "this kernel's vfio driver has no mmap cookies, "
			"all its mappings are uncached";
	case EOPNOTSUPP:
		return "this memory type cannot be had on this machine "
			"(nopat, or an architecture without it)";
	case ENOSPC:
		return "the device fd has its 256 cookies already";
	case ENODEV:
		return "the kernel does not let this BAR be mapped";
	case EINVAL:
		return "the kernel refuses the request";
	default:
		return strerror(err);
	}
}

/* Does a VFIO device hand out cookies? */
static int
probe(int fd, const char *subject, struct rte_vfio_wc_error *error)
{
	struct vfio_device_feature feature = {
		.argsz = sizeof(feature),
		.flags = VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET |
			VFIO_DEVICE_FEATURE_MMAP_COOKIE,
	};
	unsigned int bar;

	if (ioctl(fd, VFIO_DEVICE_FEATURE, &feature) != 0) {
		int err = errno == EINVAL ? ENOTTY : errno;	/* a driver without any feature */

		return vfio_wc_fail(error, err, subject, "%s", cookie_reason(err));
	}
	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++) {
		struct vfio_region_info *info =
			vfio_wc_region_info(fd, VFIO_PCI_BAR0_REGION_INDEX + bar);
		uint32_t types = info != NULL ? vfio_wc_region_attrs(info) : 0;

		free(info);
		if (types != 0)
			return 0;
	}
	return vfio_wc_fail(error, EPROTO, subject,
		"feature 0x%x answers, but no BAR offers memory types: "
		"no mappable BAR, or another kernel's use of that number",
		VFIO_DEVICE_FEATURE_MMAP_COOKIE);
}

int
rte_vfio_wc_probe(const char *device, int fd, struct rte_vfio_wc_error *error)
{
	int ret = check_device(device, fd, error);

	return ret != 0 ? ret : probe(fd, device, error);
}

static bool
is_reserved_used(const struct rte_vfio_wc_range *range)
{
	static const typeof(range->reserved) none = { 0 };

	return memcmp(range->reserved, none, sizeof(none)) != 0;
}

static int
check_range(const struct rte_vfio_wc_range *range, const char *subject,
		const struct rte_vfio_wc_bar_info *info, struct rte_vfio_wc_error *error)
{
	const struct vfio_wc_limits limits = {
		.size = info->size, .memory = !info->io, .mappable = info->mappable,
		.msix_offset = info->msix_offset, .msix_length = info->msix_length,
	};
	struct vfio_wc_why why;
	int ret;

	if (is_reserved_used(range))
		return vfio_wc_fail(error, EINVAL, subject, "a reserved field is not 0");
	ret = vfio_wc_check_range(&limits, range->offset, range->length, &why);
	return ret == 0 ? 0 : vfio_wc_fail(error, -ret, subject, "%s", why.text);
}

/* Check a range and get its cookie; plain: where the range starts without one. */
static int
get_cookie(const struct rte_vfio_wc_range *range, enum rte_vfio_wc_type type, uint64_t *cookie,
		uint64_t *plain, struct rte_vfio_wc_error *error)
{
	struct vfio_device_feature_mmap_cookie ask = {
		.region = VFIO_PCI_BAR0_REGION_INDEX + range->bar,
		.attr = type,
		.start = range->offset,
		.size = range->length,
	};
	struct rte_vfio_wc_bar_info info = { 0 };
	struct subject s;
	int ret;

	subject_range(&s, range);
	ret = rte_vfio_wc_bar_info(range->device, range->fd, range->bar, &info, error);
	if (ret == 0)
		ret = check_range(range, s.text, &info, error);
	if (ret == 0 && info.types == 0) {
		ret = probe(range->fd, s.text, error);
		if (ret == 0)
			ret = vfio_wc_fail(error, ENODEV, s.text,
				"the kernel has no cookies for this BAR");
	}
	if (ret != 0)
		return ret;
	if (type != RTE_VFIO_WC_TYPE_UC && type != RTE_VFIO_WC_TYPE_WC)
		return vfio_wc_fail(error, EINVAL, s.text, "unknown memory type %d", type);
	if ((info.types & UINT32_C(1) << type) == 0)
		return vfio_wc_fail(error, EOPNOTSUPP, s.text, "%s: %s",
			rte_vfio_wc_type_name(type), cookie_reason(EOPNOTSUPP));

	ret = vfio_wc_get_cookie(range->fd, &ask);
	if (ret != 0)
		return vfio_wc_fail(error, -ret, s.text, "%s: %s", rte_vfio_wc_type_name(type),
			cookie_reason(-ret));
	*cookie = ask.offset;
	*plain = info.fd_offset + range->offset;
	return 0;
}

int
rte_vfio_wc_cookie(const struct rte_vfio_wc_range *range, enum rte_vfio_wc_type type,
		uint64_t *fd_offset, struct rte_vfio_wc_error *error)
{
	uint64_t plain = 0;

	return get_cookie(range, type, fd_offset, &plain, error);
}

static int
map_at(const struct rte_vfio_wc_range *range, uint64_t fd_offset, const char *what, void **addr,
		struct rte_vfio_wc_error *error)
{
	struct subject s;
	int err;

	*addr = mmap(NULL, range->length, PROT_READ | PROT_WRITE, MAP_SHARED, range->fd, fd_offset);
	if (*addr != MAP_FAILED)
		return 0;
	err = errno;
	return vfio_wc_fail(error, err, subject_range(&s, range), "mmap as %s: %s", what,
		err == EBUSY ? "a page of it is held with another memory type, "
			"through somebody's cookie, through sysfs or by another driver" :
			strerror(err));
}

int
rte_vfio_wc_map(const struct rte_vfio_wc_range *range, enum rte_vfio_wc_type type, void **addr,
		struct rte_vfio_wc_error *error)
{
	uint64_t cookie = 0, plain = 0;
	int ret;

	ret = get_cookie(range, type, &cookie, &plain, error);
	if (ret == 0)
		ret = map_at(range, cookie, rte_vfio_wc_type_name(type), addr, error);
	return ret;
}

/*
 * Put a mapping in the place of another. A failing mremap() may or may not have taken the old one
 * away (Linux unmaps the target, then moves): fill the hole if there is one, at an address where
 * MAP_FIXED_NOREPLACE makes sure that nobody else's mapping is harmed.
 */
static int
move_over(const struct rte_vfio_wc_range *range, void *from, void *to, uint64_t plain,
		struct rte_vfio_wc_error *error)
{
	struct subject s;
	void *filled;
	int err;

	if (mremap(from, range->length, range->length, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to)
		return 0;
	err = errno;
	munmap(from, range->length);
	subject_range(&s, range);

	filled = mmap(to, range->length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED_NOREPLACE,
		range->fd, plain);
	if (filled == to)
		return vfio_wc_fail(error, err, s.text,
			"mremap: %s; the plain mapping was put back", strerror(err));
	if (filled != MAP_FAILED)
		munmap(filled, range->length);	/* a kernel that takes the flag for a hint */
	if (vfio_wc_maps_check(range->fd, to, range->length, plain) == 0)
		return vfio_wc_fail(error, err, s.text, "mremap: %s; the old mapping stays",
			strerror(err));
	return vfio_wc_fail(error, ENOTRECOVERABLE, s.text,
		"mremap: %s; and the plain mapping at %p could not be put back", strerror(err), to);
}

/*
 * Where a PCI address says whose the range is: is the fd this device's, and the page at addr, if
 * the kernel tells where it is?
 */
static int
check_whose(const struct rte_vfio_wc_range *range, const void *addr,
		struct rte_vfio_wc_error *error)
{
	struct vfio_wc_sysfs pci;
	struct subject s;
	uint64_t pa;
	int ret;

	ret = vfio_wc_sysfs_read(range->device, &pci);
	if (ret == -EINVAL)
		return 0;
	if (ret != 0)
		return vfio_wc_fail(error, -ret, range->device, "sysfs: %s", strerror(-ret));
	ret = vfio_wc_sysfs_match(range->device, &pci, range->fd, error);
	if (ret != 0)
		return ret;
	if (vfio_wc_physical(addr, &pa) == 0 && pa != pci.bar[range->bar].start + range->offset)
		return vfio_wc_fail(error, ENXIO, subject_range(&s, range),
			"%p is a mapping of another device, at physical 0x%" PRIx64, addr, pa);
	return 0;
}

static int
check_mapped(const struct rte_vfio_wc_range *range, const void *addr, uint64_t plain,
		struct rte_vfio_wc_error *error)
{
	int ret = vfio_wc_maps_check(range->fd, addr, range->length, plain);
	struct subject s;

	if (ret == -ENXIO)
		return vfio_wc_fail(error, ENXIO, subject_range(&s, range),
			"%p is not a mapping of this range of a VFIO device", addr);
	if (ret != 0)
		return vfio_wc_fail(error, -ret, subject_range(&s, range),
			"/proc/self/maps cannot be read: %s", strerror(-ret));
	return check_whose(range, addr, error);
}

int
rte_vfio_wc_remap(const struct rte_vfio_wc_range *range, enum rte_vfio_wc_type type, void *addr,
		struct rte_vfio_wc_error *error)
{
	uint64_t cookie = 0, plain = 0;
	void *elsewhere;
	int ret;

	ret = get_cookie(range, type, &cookie, &plain, error);
	if (ret == 0)
		ret = check_mapped(range, addr, plain, error);
	if (ret == 0)
		ret = map_at(range, cookie, rte_vfio_wc_type_name(type), &elsewhere, error);
	if (ret == 0)
		ret = move_over(range, elsewhere, addr, plain, error);
	return ret;
}

/* Check a range without asking for a cookie. */
static int
plain_offset(const struct rte_vfio_wc_range *range, uint64_t *plain,
		struct rte_vfio_wc_error *error)
{
	struct rte_vfio_wc_bar_info info = { 0 };
	struct subject s;
	int ret;

	ret = rte_vfio_wc_bar_info(range->device, range->fd, range->bar, &info, error);
	if (ret == 0)
		ret = check_range(range, subject_range(&s, range), &info, error);
	if (ret == 0)
		*plain = info.fd_offset + range->offset;
	return ret;
}

int
rte_vfio_wc_restore(const struct rte_vfio_wc_range *range, void *addr,
		struct rte_vfio_wc_error *error)
{
	void *elsewhere;
	uint64_t plain = 0;
	int ret;

	ret = plain_offset(range, &plain, error);
	if (ret == 0)
		ret = check_mapped(range, addr, plain, error);
	if (ret == 0)
		ret = map_at(range, plain, "plain", &elsewhere, error);
	if (ret == 0)
		ret = move_over(range, elsewhere, addr, plain, error);
	return ret;
}

int
rte_vfio_wc_mapped(const struct rte_vfio_wc_range *range, const void *addr,
		struct rte_vfio_wc_error *error)
{
	uint64_t plain = 0;
	int ret;

	ret = plain_offset(range, &plain, error);
	if (ret == 0)
		ret = check_mapped(range, addr, plain, error);
	return ret;
}
