/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "fake_vfio.h"
#include "vfio_wc_uapi.h"

struct fake fake;

/* Offsets in a device fd, as vfio-pci has them: the region's number from bit 40 on. */
#define REGION(n) ((uint64_t)(n) << 40)
#define CONFIG REGION(VFIO_PCI_CONFIG_REGION_INDEX)
#define COOKIES ((uint64_t)1 << 52)

static struct page {
	uintptr_t va;
	uint64_t offset;	/* in the region, with REGION() */
	unsigned int device;
	enum fake_page type;
	unsigned int mapping;	/* those of one call are one mapping, to mremap() */
} pages[4096];
static size_t top;		/* those from here on were never used */

static struct cookie {
	uint64_t offset, start, size;
	unsigned int device, bar;
	enum fake_page type;
} cookies[64];
static unsigned int nb_cookies;

static unsigned int get_calls[FAKE_DEVICES];

int __real_ioctl(int fd, unsigned long request, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__real_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *addr, size_t length);
int __wrap_munmap(void *addr, size_t length);
void *__real_mremap(void *from, size_t old, size_t length, int flags, ...);
void *__wrap_mremap(void *from, size_t old, size_t length, int flags, ...);
ssize_t __real_pread(int fd, void *buf, size_t size, off_t offset);
ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *buf, size_t size, off_t offset);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
ssize_t __real_pwrite(int fd, const void *buf, size_t size, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *buf, size_t size, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t size, off_t offset);
FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);
int __real_fstat(int fd, struct stat *file);
int __wrap_fstat(int fd, struct stat *file);
int __wrap_fstat64(int fd, struct stat *file);
ssize_t __real_readlink(const char *path, char *buf, size_t size);
ssize_t __wrap_readlink(const char *path, char *buf, size_t size);
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);

static void
forget(uintptr_t va, size_t length)
{
	struct page *p;

	for (p = pages; p < pages + top; p++)
		if (p->va >= va && p->va < va + length)
			*p = (struct page){ 0 };
}

static void
remember(uintptr_t va, size_t length, struct page first)
{
	static unsigned int mappings;
	size_t done;
	struct page *p = pages;

	mappings++;
	for (done = 0; done < length; done += FAKE_PAGE) {
		while (p->type != FAKE_NOTHING)
			p++;
		*p = first;
		p->va = va + done;
		p->offset = first.offset + done;
		p->mapping = mappings;
		if (p >= pages + top)
			top = p - pages + 1;
	}
}

static struct page *
find(uintptr_t va)
{
	struct page *p;

	for (p = pages; p < pages + top; p++)
		if (p->type != FAKE_NOTHING && p->va == va)
			return p;
	return NULL;
}

/* Is this call the one that shall fail? */
static bool
fails(void)
{
	if (fake.fail_at == 0 || --fake.fail_at != 0)
		return false;
	errno = ENOMEM;
	return true;
}

enum fake_page
fake_at(const void *addr)
{
	struct page *p = find((uintptr_t)addr);

	return p != NULL ? p->type : FAKE_NOTHING;
}

bool
fake_is(const void *addr, unsigned int device, uint64_t fd_offset)
{
	struct page *p = find((uintptr_t)addr);

	return p != NULL && p->device == device && p->offset == fd_offset;
}

unsigned int
fake_mapped(void)
{
	unsigned int i, n = 0;

	for (i = 0; i < top; i++)
		n += pages[i].type != FAKE_NOTHING;
	return n;
}

void
fake_reset(void)
{
	unsigned int i;

	for (i = 0; i < top; i++)
		if (pages[i].type != FAKE_NOTHING)
			__real_munmap((void *)pages[i].va, FAKE_PAGE);
	memset(pages, 0, sizeof(pages));
	top = 0;
	memset(cookies, 0, sizeof(cookies));
	memset(get_calls, 0, sizeof(get_calls));
	nb_cookies = 0;
	fake = (struct fake){
		.maps_path = "anon_inode:[vfio-device]",
		.device[0] = {
			.bdf = "0000:00:03.0", .driver = "vfio-pci", .present = true,
			.vendor = 0x1af4, .device = 0x1041,
			.bar[1] = { 0xfe000000, 0x1000, false, true, 3 },
			.bar[4] = { 0x8000000000, 0x4000, false, true, 3 },
			.capability_feature = VFIO_DEVICE_FEATURE_MMAP_COOKIE,
		},
		.device[1] = {
			.bdf = "0000:00:04.0", .driver = "vfio-pci", .present = true,
			.vendor = 0x8086, .device = 0x10ca,
			.bar[0] = { 0xfe100000, 0x4000, false, true, 3 },
			.bar[2] = { 0xc000, 0x20, true, false, 0 },
			.bar[3] = { 0xfe200000, 0x8000, false, true, 3 },
			.capability_feature = VFIO_DEVICE_FEATURE_MMAP_COOKIE,
			.msix_entries = 257, .msix_bar = 3, .msix_offset = 0x2000,
		},
	};
}

/* FAKE_DEVICES or more: it is none of theirs */
static unsigned int
index_of(int fd)
{
	return fd >= FAKE_DUP ? fd - FAKE_DUP : fd - FAKE_FD;
}

static struct fake_device *
device_of(int fd)
{
	return index_of(fd) < FAKE_DEVICES ? &fake.device[index_of(fd)] : NULL;
}

void *
fake_map_bar(unsigned int device, unsigned int bar)
{
	return __wrap_mmap(NULL, fake.device[device].bar[bar].size, PROT_READ | PROT_WRITE,
		MAP_SHARED, FAKE_FD + device, REGION(bar));
}

void
fake_map_bar_at(void *addr, unsigned int device, unsigned int bar)
{
	if (__wrap_mmap(addr, fake.device[device].bar[bar].size, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_FIXED, FAKE_FD + device, REGION(bar)) != addr)
		abort();
}

void
fake_unmap(void *addr, size_t length)
{
	__wrap_munmap(addr, length);
}

/* ---- ioctl ---- */

static int
fail(int err)
{
	errno = err;
	return -1;
}

static int
get_region_info(const struct fake_device *d, struct vfio_region_info *info)
{
	/* first a capability that is somebody else's, as the MSI-X one is in fact */
	struct {
		struct vfio_region_info info;
		struct vfio_info_cap_header other;
		struct vfio_region_info_cap_mmap_attrs ours;
	} full = { 0 };
	unsigned int bar = info->index;
	bool has_cap = bar < 6 && d->bar[bar].types != 0;
	uint32_t room = info->argsz;

	if (info->index == VFIO_PCI_CONFIG_REGION_INDEX) {
		full.info.size = 256;
	} else if (bar < 6) {
		full.info.size = d->bar[bar].size;
		full.info.flags = d->bar[bar].mappable ? VFIO_REGION_INFO_FLAG_MMAP : 0;
	} else {
		return fail(EINVAL);
	}
	full.info.argsz = sizeof(full.info);
	full.info.index = info->index;
	full.info.offset = REGION(info->index);
	if (has_cap) {
		full.info.argsz = sizeof(full);
		full.info.flags |= VFIO_REGION_INFO_FLAG_CAPS;
		full.other.id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE;
		full.other.version = 1;
		full.other.next = (char *)&full.ours - (char *)&full;
		full.ours.header.id = VFIO_REGION_INFO_CAP_MMAP_ATTRS;
		full.ours.header.version = 1;
		full.ours.feature = d->capability_feature;
		full.ours.attrs = d->bar[bar].types;
		if (d->capability_loop) {
			full.ours.header.id = VFIO_REGION_INFO_CAP_TYPE;
			full.ours.header.next = (char *)&full.other - (char *)&full;
		}
		if (room >= sizeof(full))
			full.info.cap_offset = (char *)&full.other - (char *)&full;
	}
	memcpy(info, &full, room < sizeof(full) ? room : sizeof(full));
	return 0;
}

static int
device_feature(unsigned int n, struct vfio_device_feature *feature)
{
	const struct fake_device *d = &fake.device[n];
	const uint64_t zero = 0;	/* flags, and what is reserved after them */
	struct vfio_device_feature_mmap_cookie ask;
	unsigned int i;

	if ((feature->flags & VFIO_DEVICE_FEATURE_MASK) != VFIO_DEVICE_FEATURE_MMAP_COOKIE ||
			(feature->flags & VFIO_DEVICE_FEATURE_GET) == 0)
		return fail(ENOTTY);
	if (d->probe_errno != 0)
		return fail(d->probe_errno);
	if ((feature->flags & VFIO_DEVICE_FEATURE_PROBE) != 0)
		return 0;
	if (feature->argsz < sizeof(*feature) + sizeof(ask))
		return fail(EINVAL);
	if (d->get_errno != 0 && get_calls[n]++ >= d->get_skip)
		return fail(d->get_errno);

	memcpy(&ask, feature->data, sizeof(ask));
	if (memcmp((char *)&ask + offsetof(__typeof__(ask), flags), &zero, sizeof(zero)) != 0 ||
			ask.attr > 1 || ask.size == 0)
		return fail(EINVAL);
	for (i = 0; i < nb_cookies; i++)
		if (cookies[i].device == n && cookies[i].bar == ask.region &&
				cookies[i].start == ask.start && cookies[i].size == ask.size &&
				(cookies[i].type == FAKE_WC) ==
				(ask.attr == VFIO_MMAP_ATTR_WRITECOMBINE)) {
			ask.offset = cookies[i].offset;
			memcpy(feature->data, &ask, sizeof(ask));
			return 0;
		}
	if (nb_cookies == sizeof(cookies) / sizeof(cookies[0]))
		return fail(ENOSPC);
	cookies[nb_cookies] = (struct cookie){
		.offset = COOKIES + nb_cookies * ((uint64_t)1 << 32), .start = ask.start,
		.size = ask.size, .device = n, .bar = ask.region,
		.type = ask.attr == VFIO_MMAP_ATTR_WRITECOMBINE ? FAKE_WC : FAKE_UC,
	};
	ask.offset = cookies[nb_cookies++].offset;
	memcpy(feature->data, &ask, sizeof(ask));
	return 0;
}

int
__wrap_ioctl(int fd, unsigned long request, ...)
{
	const struct fake_device *d = device_of(fd);
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	if (d == NULL)
		return __real_ioctl(fd, request, arg);
	if (!d->present)
		return fail(EBADF);
	if (fails())
		return -1;
	switch (request) {
	case VFIO_DEVICE_GET_INFO:
		((struct vfio_device_info *)arg)->flags = VFIO_DEVICE_FLAGS_PCI;
		return 0;
	case VFIO_DEVICE_GET_REGION_INFO:
		return get_region_info(d, arg);
	case VFIO_DEVICE_FEATURE:
		fake.nb_features++;
		return device_feature(index_of(fd), arg);
	case VFIO_DEVICE_GET_IRQ_INFO:
		((struct vfio_irq_info *)arg)->flags = VFIO_IRQ_INFO_EVENTFD;
		((struct vfio_irq_info *)arg)->count = 1;
		return 0;
	case VFIO_DEVICE_SET_IRQS:
		return 0;
	case VFIO_DEVICE_RESET:
		return fake.reset_errno != 0 ? fail(fake.reset_errno) : 0;
	default:
		return fail(ENOTTY);
	}
}

/* ---- memory ---- */

void *
__wrap_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	struct page first = { .offset = offset, .type = FAKE_PLAIN };
	unsigned int i;
	void *va;

	if (fails()) {
		if (fake.fail_leaves_hole && (flags & MAP_FIXED) != 0)
			__wrap_munmap(addr, length);
		errno = ENOMEM;
		return MAP_FAILED;
	}
	if (device_of(fd) == NULL)
		return __real_mmap(addr, length, prot, flags, fd, offset);
	first.device = index_of(fd);
	if ((uint64_t)offset >= COOKIES) {
		for (i = 0; i < nb_cookies; i++)
			if (cookies[i].device == first.device &&
					(uint64_t)offset >= cookies[i].offset &&
					offset + length <= cookies[i].offset + cookies[i].size)
				break;
		if (fake.cookie_mmap_errno != 0 || i == nb_cookies) {
			errno = i == nb_cookies ? EINVAL : fake.cookie_mmap_errno;
			return MAP_FAILED;
		}
		first.offset = REGION(cookies[i].bar) + cookies[i].start + offset -
			cookies[i].offset;
		first.type = cookies[i].type;
	} else if (fake.plain_mmap_errno != 0 && fake.plain_mmap_skip-- == 0) {
		fake.plain_mmap_skip = 0;
		errno = fake.plain_mmap_errno;
		return MAP_FAILED;
	}
	va = __real_mmap(addr, length, prot, flags | MAP_ANONYMOUS, -1, 0);
	if (va == MAP_FAILED)
		return va;
	fake.nb_mmaps++;
	forget((uintptr_t)va, length);
	remember((uintptr_t)va, length, first);
	return va;
}

void *
__wrap_mmap64(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	return __wrap_mmap(addr, length, prot, flags, fd, offset);
}

int
__wrap_munmap(void *addr, size_t length)
{
	forget((uintptr_t)addr, length);
	return __real_munmap(addr, length);
}

void *
__wrap_mremap(void *from, size_t old, size_t length, int flags, ...)
{
	struct page *p = find((uintptr_t)from), *other;
	struct page first;
	va_list ap;
	size_t done;
	void *to;

	va_start(ap, flags);
	to = va_arg(ap, void *);
	va_end(ap);
	if (p == NULL)
		return __real_mremap(from, old, length, flags, to);
	if (fake.mremap != FAKE_MREMAP_WORKS) {
		if (fake.mremap == FAKE_MREMAP_LEAVES_HOLE)
			__wrap_munmap(to, length);
		errno = ENOMEM;
		return MAP_FAILED;
	}
	if (fails()) {
		if (fake.fail_leaves_hole)
			__wrap_munmap(to, length);
		errno = ENOMEM;
		return MAP_FAILED;
	}
	first = *p;
	for (done = 0; done < old && done < length; done += FAKE_PAGE) {
		other = find((uintptr_t)from + done);
		if (other == NULL || other->mapping != first.mapping ||
				other->offset != first.offset + done) {
			errno = EFAULT;
			return MAP_FAILED;
		}
	}
	if (__real_mremap(from, old, length, flags, to) == MAP_FAILED)
		return MAP_FAILED;
	forget((uintptr_t)from, old);
	forget((uintptr_t)to, length);
	remember((uintptr_t)to, length, first);
	return to;
}

/* ---- files ---- */

/* What fstat() and /proc/self/maps say of a device's fd. */
#define FAKE_DEV makedev(0, 0xe)
#define FAKE_INODE 1055

#define FAKE_MAJOR 511	/* of character devices */

int
__wrap_fstat(int fd, struct stat *file)
{
	if (device_of(fd) == NULL)
		return __real_fstat(fd, file);
	*file = (struct stat){ .st_dev = FAKE_DEV, .st_ino = FAKE_INODE };
	if (fake.is_cdev) {
		file->st_mode = S_IFCHR;
		file->st_ino += index_of(fd);
		file->st_rdev = makedev(FAKE_MAJOR, index_of(fd));
	}
	return 0;
}

int
__wrap_fstat64(int fd, struct stat *file)
{
	return __wrap_fstat(fd, file);
}

/* /proc/self/pagemap, of which an entry at a time is read. */
static int pagemap_fd = -1;

int
__wrap_open(const char *path, int flags, ...)
{
	int fd = __real_open(path, flags, 0600);

	if (strcmp(path, "/proc/thread-self/pagemap") == 0)
		pagemap_fd = fd;
	else if (fd == pagemap_fd)
		pagemap_fd = -1;	/* it was closed */
	return fd;
}

int
__wrap_open64(const char *path, int flags, ...)
{
	return __wrap_open(path, flags);
}

static uint64_t
pagemap(uintptr_t va)
{
	const struct page *p = find(va);
	uint64_t pa;

	if (p == NULL || fake.pages_unused)
		return 0;
	pa = fake.device[p->device].bar[p->offset >> 40].start + (p->offset & (REGION(1) - 1));
	return UINT64_C(1) << 63 | (fake.pages_untold ? 0 : pa / FAKE_PAGE);
}

ssize_t
__wrap_pread(int fd, void *buf, size_t size, off_t offset)
{
	const struct fake_device *d = device_of(fd);
	uint8_t config[256] = { 0 };
	unsigned int i;

	if (fd == pagemap_fd && size == sizeof(uint64_t)) {
		const uint64_t entry = pagemap(offset / sizeof(entry) * FAKE_PAGE);

		memcpy(buf, &entry, sizeof(entry));
		return sizeof(entry);
	}
	if (d == NULL)
		return __real_pread(fd, buf, size, offset);
	if (fails())
		return -1;
	if (!d->present || (uint64_t)offset < CONFIG || offset + size > CONFIG + sizeof(config))
		return fail(EINVAL);
	config[0] = d->vendor & 0xff;
	config[1] = d->vendor >> 8;
	config[2] = d->device & 0xff;
	config[3] = d->device >> 8;
	for (i = 0; i < 6; i++) {
		uint32_t low = d->bar[i].start | (d->bar[i].io ? PCI_BASE_ADDRESS_SPACE_IO :
			d->bar[i].start >> 32 != 0 ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0);
		uint32_t high = d->bar[i].start >> 32;

		if (d->bar[i].size == 0 || d->is_vf)
			continue;
		memcpy(&config[PCI_BASE_ADDRESS_0 + 4 * i], &low, sizeof(low));
		if (high != 0)
			memcpy(&config[PCI_BASE_ADDRESS_0 + 4 * i + 4], &high, sizeof(high));
	}
	if (d->msix_entries != 0) {
		config[PCI_STATUS] = PCI_STATUS_CAP_LIST;
		config[PCI_CAPABILITY_LIST] = 0x40;
		config[0x40] = PCI_CAP_ID_PM;
		config[0x41] = 0x50;
		config[0x50] = PCI_CAP_ID_MSIX;
		config[0x52] = (d->msix_entries - 1) & 0xff;
		config[0x53] = (d->msix_entries - 1) >> 8;
		config[0x54] = (d->msix_offset & 0xf8) | d->msix_bar;
		config[0x55] = d->msix_offset >> 8 & 0xff;
		config[0x56] = d->msix_offset >> 16 & 0xff;
	}
	memcpy(buf, config + (offset - CONFIG), size);
	return size;
}

ssize_t
__wrap_pread64(int fd, void *buf, size_t size, off_t offset)
{
	return __wrap_pread(fd, buf, size, offset);
}

/* Nothing is kept: what is written to configuration space only has to arrive. */
ssize_t
__wrap_pwrite(int fd, const void *buf, size_t size, off_t offset)
{
	return device_of(fd) != NULL ? (ssize_t)size : __real_pwrite(fd, buf, size, offset);
}

ssize_t
__wrap_pwrite64(int fd, const void *buf, size_t size, off_t offset)
{
	return __wrap_pwrite(fd, buf, size, offset);
}

static int
by_va(const void *a, const void *b)
{
	uintptr_t x = (*(struct page * const *)a)->va, y = (*(struct page * const *)b)->va;

	return x < y ? -1 : x > y;
}

static void
print_maps(FILE *f)
{
	struct page *sorted[sizeof(pages) / sizeof(pages[0])];
	unsigned int i, n = 0;

	for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
		if (pages[i].type != FAKE_NOTHING)
			sorted[n++] = &pages[i];
	qsort(sorted, n, sizeof(sorted[0]), by_va);
	fprintf(f, "00010000-00020000 r-xp 00000000 08:01 131077     /usr/bin/some program\n"
		"00030000-00040000 rw-p 00000000 00:00 0 \n");
	for (i = 0; i < n; i++)
		fprintf(f, "%" PRIxPTR "-%" PRIxPTR " rw-s %08" PRIx64 " 00:0e %u "
			"                      %s\n", sorted[i]->va,
			sorted[i]->va + (uintptr_t)FAKE_PAGE, sorted[i]->offset, FAKE_INODE +
			(fake.is_cdev ? sorted[i]->device : 0), fake.maps_path);
}

static void
print_resource(FILE *f, const struct fake_device *d)
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		fprintf(f, "0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016x\n", d->bar[i].start,
			d->bar[i].size != 0 ? d->bar[i].start + d->bar[i].size - 1 : 0,
			d->bar[i].size == 0 ? 0 : d->bar[i].io ? 0x40101 : 0x14220c);
}

/* To be written, rewound and read. */
static FILE *
text_file(void)
{
	FILE *f = fmemopen(NULL, 1 << 16, "w+");

	if (f == NULL)
		abort();
	return f;
}

FILE *
__wrap_fopen(const char *path, const char *mode)
{
	char bdf[32], name[32];
	const char *text = NULL;
	unsigned int i;
	FILE *f;

	if (strcmp(path, "/proc/thread-self/maps") == 0 && fails())
		return NULL;
	if (strcmp(path, "/proc/thread-self/maps") == 0) {
		if (fake.maps_unreadable) {
			errno = EACCES;
			return NULL;
		}
		f = text_file();
		print_maps(f);
		rewind(f);
		return f;
	}
	if (strcmp(path, "/sys/kernel/debug/x86/pat_memtype_list") == 0)
		text = fake.pat_list;
	else if (strcmp(path, "/proc/mtrr") == 0)
		text = fake.mtrr;
	else if (sscanf(path, "/sys/bus/pci/devices/%31[^/]/%31s", bdf, name) != 2 &&
			sscanf(path, "/proc/thread-self/fdinfo/%u", &i) != 1)
		return __real_fopen(path, mode);

	f = text_file();
	if (text != NULL)
		fputs(text, f);
	else if (sscanf(path, "/proc/thread-self/fdinfo/%u", &i) == 1 && device_of(i) != NULL)
		fprintf(f, "pos:\t0\nflags:\t02\n%s%s\n",
			device_of(i)->syspath != NULL ? "vfio-device-syspath: " : "",
			device_of(i)->syspath != NULL ? device_of(i)->syspath : "");
	for (i = 0; text == NULL && strstr(path, "/sys/bus/") != NULL && i < FAKE_DEVICES; i++) {
		const struct fake_device *d = &fake.device[i];

		if (!d->present || strcmp(bdf, d->bdf) != 0)
			continue;
		if (strcmp(name, "vendor") == 0)
			fprintf(f, "0x%04x\n", d->vendor);
		else if (strcmp(name, "device") == 0)
			fprintf(f, "0x%04x\n", d->device);
		else if (strcmp(name, "resource") == 0)
			print_resource(f, d);
	}
	if (ftell(f) == 0) {
		fclose(f);
		errno = ENOENT;
		return NULL;
	}
	rewind(f);
	return f;
}

FILE *
__wrap_fopen64(const char *path, const char *mode)
{
	return __wrap_fopen(path, mode);
}

/* The folder of devices: names are all that is read of it. */
static char folder[] = "/tmp/fake-vfio-XXXXXX";
static char names[FAKE_DEVICES][64];

static void
remove_names(void)
{
	unsigned int i;

	for (i = 0; i < FAKE_DEVICES; i++)
		unlink(names[i]);
}

static void
remove_folder(void)
{
	remove_names();
	rmdir(folder);
}

DIR *
__wrap_opendir(const char *path)
{
	static bool is_there;
	unsigned int i;

	if (strcmp(path, "/sys/bus/pci/devices") != 0)
		return __real_opendir(path);
	if (!is_there && (mkdtemp(folder) == NULL || atexit(remove_folder) != 0))
		abort();
	is_there = true;
	remove_names();
	for (i = 0; i < FAKE_DEVICES; i++) {
		snprintf(names[i], sizeof(names[i]), "%s/%s", folder, fake.device[i].bdf);
		if (symlink(".", names[i]) != 0)
			abort();
	}
	return __real_opendir(folder);
}

int
__wrap_access(const char *path, int mode)
{
	return strcmp(path, "/sys/dev/char") != 0 ? __real_access(path, mode) :
		fake.no_sysfs ? fail(ENOENT) : 0;
}

ssize_t
__wrap_readlink(const char *path, char *buf, size_t size)
{
	char bdf[32], name[32];
	unsigned int i;

	if (sscanf(path, "/proc/thread-self/fd/%u", &i) == 1 && i == FAKE_OTHER)
		return snprintf(buf, size, "%s", fake.other_path);
	if (sscanf(path, "/proc/thread-self/fd/%u", &i) == 1 && device_of(i) != NULL)
		return snprintf(buf, size, "anon_inode:[vfio-device]");
	/* that number's in the first thread */
	if (sscanf(path, "/proc/self/fd/%u", &i) == 1 && device_of(i) != NULL)
		return snprintf(buf, size, "/dev/null");
	if (sscanf(path, "/sys/dev/char/511:%u", &i) == 1 && i < FAKE_DEVICES && !fake.no_sysfs)
		return snprintf(buf, size, "../../devices/pci0000:00/%s/vfio-dev/vfio%u",
			fake.device[i].bdf, i);

	if (sscanf(path, "/sys/bus/pci/devices/%31[^/]/%31s", bdf, name) != 2 ||
			strcmp(name, "driver") != 0)
		return __real_readlink(path, buf, size);
	for (i = 0; i < FAKE_DEVICES; i++)
		if (fake.device[i].present && strcmp(bdf, fake.device[i].bdf) == 0 &&
				fake.device[i].driver != NULL)
			return snprintf(buf, size, "../../../bus/pci/drivers/%s",
				fake.device[i].driver);
	return fail(ENOENT);
}
