/* SPDX-License-Identifier: GPL-2.0-only */
/* The device under test: how it is opened, and what is done to it. */
#ifndef COOKIES_DEVICE_H
#define COOKIES_DEVICE_H

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <time.h>

#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <linux/pci_regs.h>

#include "kselftest_harness.h"
#include "vfio_mmap_cookie.h"

/* Emulated machines and debug kernels are slow */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

#define NR_BARS		6
#define NR_SLICES	1024	/* different ranges mapped at a time, of one device */
#define NR_WINDOWS	16	/* pages that the kernel maps beside what is WC, of one device */
#define PMD_SIZE	(page_size * page_size / 8)
#define PUD_SIZE	(PMD_SIZE * page_size / 8)
#define STRESS_SECONDS	1	/* at least, and as long as it takes for each worker's */
#define STRESS_ROUNDS	10

#define IORESOURCE_IO	0x100	/* as in sysfs' resource file */

struct bar {
	__u64 pa;		/* CPU physical address */
	__u64 offset;		/* standard offset in the device fd */
	__u64 size;
	__u32 flags;		/* VFIO_REGION_INFO_FLAG_* */
	__u32 attrs;		/* bit n: enum vfio_mmap_attr n is to be had */
	bool io;
};

/*
 * The device under test. Each test runs in a process of its own, so what it
 * opened can be a global.
 */
static struct {
	const char *bdf;
	struct vfio_pci_device *vfio;
	int fd;			/* vfio->fd */
	struct vfio_device_info info;
	struct bar bar[NR_BARS];
	int msix_bar;		/* -1: no MSI-X */
	__u64 msix_start;	/* pages of the MSI-X table in that BAR */
	__u64 msix_end;
	int nr;			/* the BAR that the tests map */
	long pages;		/* its size */
	bool ram;		/* it is plain memory */
} dev;

static size_t page_size;
static const char *pte_witness;

static struct bar *bar(void)
{
	return &dev.bar[dev.nr];
}

/* Was the kernel configured to lay regions out compactly? Nothing says so but who built it. */
static bool compact(void)
{
	return getenv("COMPACT_OFFSETS");
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Empty is as good as not set */
static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Device files and ioctls. All return 0 or an errno unless they say otherwise. */

/* A cookie for some pages of the BAR under test */
static int page_cookie(int fd, __u32 attr, long page, long n, __u64 *offset)
{
	return get_cookie(fd, dev.nr, attr, at(page), at(n), offset);
}

static int config_rw(bool write, int where, void *data, size_t size)
{
	struct vfio_region_info info;
	ssize_t ret;
	int err;

	err = region_info(dev.fd, VFIO_PCI_CONFIG_REGION_INDEX, &info, sizeof(info));
	if (err)
		return err;
	ret = write ? pwrite(dev.fd, data, size, info.offset + where) :
		      pread(dev.fd, data, size, info.offset + where);
	return ret == (ssize_t)size ? 0 : EIO;
}

static int memory_enable(bool enable)
{
	__u16 command;
	int err;

	err = config_rw(false, PCI_COMMAND, &command, sizeof(command));
	if (err)
		return err;
	command = enable ? command | PCI_COMMAND_MEMORY : command & ~PCI_COMMAND_MEMORY;
	return config_rw(true, PCI_COMMAND, &command, sizeof(command));
}

/* A virtual function has no memory enable bit: it is its PF's */
static bool is_virtfn(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/physfn", dev.bdf);
	return !access(path, F_OK);
}

static int ioeventfd(__u64 offset, __u64 data, int width, int fd)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = sizeof(arg),
		.flags = width,
		.offset = offset,
		.data = data,
		.fd = fd,
	};

	return ioctl(dev.fd, VFIO_DEVICE_IOEVENTFD, &arg) ? errno : 0;
}

static int msix_enable(bool enable)
{
	struct {
		struct vfio_irq_set set;
		__s32 fd;
	} arg = {
		.set = {
			.argsz = sizeof(arg),
			.flags = VFIO_IRQ_SET_ACTION_TRIGGER |
				 (enable ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE),
			.index = VFIO_PCI_MSIX_IRQ_INDEX,
			.count = enable,
		},
		.fd = enable ? eventfd(0, EFD_CLOEXEC) : -1,
	};
	int err = ioctl(dev.fd, VFIO_DEVICE_SET_IRQS, &arg) ? errno : 0;

	if (arg.fd >= 0)
		close(arg.fd);
	return err;
}

/* Mappings. These return MAP_FAILED and set errno. */

static void *map_plain(int fd, long page, long n)
{
	return map(fd, bar()->offset + at(page), n);
}

static void *map_attr(int fd, __u32 attr, long page, long n)
{
	__u64 offset;

	errno = page_cookie(fd, attr, page, n, &offset);
	return errno ? MAP_FAILED : map(fd, offset, n);
}

static int try_attr(int fd, __u32 attr, long page, long n)
{
	void *p = map_attr(fd, attr, page, n);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, at(n));
	return 0;
}

/* The biggest leaf that can map part of the BAR: only x86 has bigger ones than PMDs for this */
static size_t leaf_size(void)
{
#ifdef __x86_64__
	if (bar()->size >= PUD_SIZE)
		return PUD_SIZE;
#endif
	return bar()->size >= PMD_SIZE ? PMD_SIZE : page_size;
}

/*
 * An address for the whole BAR that is congruent with its physical address,
 * or huge leaves are not possible. (BARs are aligned by their size.)
 */
static void *map_whole_aligned(__u64 offset)
{
	size_t len = at(dev.pages), align = leaf_size();
	uintptr_t p;

	p = (uintptr_t)mmap(NULL, len + align, PROT_NONE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	p = (p + align - 1) & ~(align - 1);
	p = (uintptr_t)mmap((void *)p, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			    dev.fd, offset);
	if ((void *)p != MAP_FAILED)
		madvise((void *)p, len, MADV_HUGEPAGE);
	return (void *)p;
}

/* Accesses that may fault: false says that a signal came */

static __thread sigjmp_buf fault_env;
static __thread bool fault_armed;

static void on_fault(int sig)
{
	if (fault_armed)
		siglongjmp(fault_env, 1);
	signal(sig, SIG_DFL);
}

static bool touch(const void *p)
{
	fault_armed = true;
	if (sigsetjmp(fault_env, 1)) {
		fault_armed = false;
		return false;
	}
	(void)__atomic_load_n((const __u32 *)p, __ATOMIC_SEQ_CST);
	fault_armed = false;
	return true;
}

static bool store(void *p, __u32 value)
{
	fault_armed = true;
	if (sigsetjmp(fault_env, 1)) {
		fault_armed = false;
		return false;
	}
	__atomic_store_n((__u32 *)p, value, __ATOMIC_SEQ_CST);
	fault_armed = false;
	return true;
}

static bool touch_pages(const void *p, long n)
{
	for (long i = 0; i < n; i++)
		if (!touch((const char *)p + at(i)))
			return false;
	return true;
}

/* Opening the device */

static int device_fd(void)
{
	struct vfio_pci_device second = *dev.vfio;

	__vfio_pci_group_get_device_fd(&second, dev.bdf, NULL);
	return second.fd;
}

static void close_device(void)
{
	if (dev.vfio)
		device_close(dev.vfio);
	dev.vfio = NULL;
	dev.fd = -1;
}

static void find_msix(void)
{
	__u16 status = 0, flags = 0, id;
	__u8 where = 0;
	__u32 table;

	dev.msix_bar = -1;
	if (config_rw(false, PCI_STATUS, &status, sizeof(status)) ||
	    !(status & PCI_STATUS_CAP_LIST))
		return;
	config_rw(false, PCI_CAPABILITY_LIST, &where, sizeof(where));
	for (int i = 0; where && i < 48; i++, where = id >> 8) {
		if (config_rw(false, where, &id, sizeof(id)))
			return;
		if ((id & 0xff) != PCI_CAP_ID_MSIX)
			continue;
		config_rw(false, where + PCI_MSIX_FLAGS, &flags, sizeof(flags));
		config_rw(false, where + PCI_MSIX_TABLE, &table, sizeof(table));
		dev.msix_bar = table & PCI_MSIX_TABLE_BIR;
		dev.msix_start = (table & PCI_MSIX_TABLE_OFFSET) & ~(page_size - 1);
		dev.msix_end = (table & PCI_MSIX_TABLE_OFFSET) +
			       ((flags & PCI_MSIX_FLAGS_QSIZE) + 1) * PCI_MSIX_ENTRY_SIZE;
		dev.msix_end = (dev.msix_end + page_size - 1) & ~(page_size - 1);
	}
}

/* BARs, and which of them the tests use */
static const char *look_around(void)
{
	const char *ram = env("VFIO_SELFTESTS_RAM_BAR");
	char path[PATH_MAX];
	__u64 end, flags;
	FILE *f;

	dev.info.argsz = sizeof(dev.info);
	if (ioctl(dev.fd, VFIO_DEVICE_GET_INFO, &dev.info))
		return "VFIO_DEVICE_GET_INFO failed";

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", dev.bdf);
	f = fopen(path, "r");
	if (!f)
		return "no resource file in sysfs";
	dev.nr = -1;
	find_msix();
	for (int i = 0; i < NR_BARS; i++) {
		const struct vfio_region_info_cap_mmap_attrs *cap;
		struct bar *b = &dev.bar[i];
		struct {
			struct vfio_region_info info;
			char caps[4096];
		} r;

		if (fscanf(f, "%llx %llx %llx", &b->pa, &end, &flags) != 3 ||
		    region_info(dev.fd, i, &r.info, sizeof(r)))
			break;
		b->io = flags & IORESOURCE_IO;
		b->offset = r.info.offset;
		b->size = r.info.size;
		b->flags = r.info.flags;
		cap = region_cap(&r.info, VFIO_REGION_INFO_CAP_MMAP_ATTRS);
		b->attrs = cap ? cap->attrs : 0;
		if (!(b->flags & VFIO_REGION_INFO_FLAG_MMAP) || b->size < page_size ||
		    i == dev.msix_bar)
			continue;
		if (dev.nr < 0 || b->size > bar()->size)
			dev.nr = i;
	}
	fclose(f);
	if (ram && atoi(ram) >= 0 && atoi(ram) < NR_BARS && dev.bar[atoi(ram)].size) {
		dev.nr = atoi(ram);
		dev.ram = true;
	}
	if (dev.nr < 0)
		return "no BAR that can be mapped";
	dev.pages = bar()->size / page_size;
	return NULL;
}

/* NULL, or why this device cannot be tested */
static const char *open_device(bool cdev)
{
	struct sigaction fault = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };

	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	dev.vfio = device_open(dev.bdf, cdev ? MODE_IOMMUFD : MODE_VFIO_TYPE1V2_IOMMU);
	if (!dev.vfio)
		return cdev ? "no VFIO cdev or no iommufd on this kernel" :
			      "no VFIO container on this kernel";
	dev.fd = dev.vfio->fd;
	if (dev.fd < 0)
		return "cannot get the device from its group";
	return look_around();
}

static const char *need_cookies(bool cdev)
{
	const char *why = open_device(cdev);

	if (!why && probe(dev.fd) == ENOTTY)
		why = "not supported: this kernel's vfio-pci has no mmap cookies";
	return why;
}

static const char *need_wc(bool cdev)
{
	const char *why = need_cookies(cdev);

	if (!why && !(bar()->attrs & 1 << WC))
		why = "write-combining is not to be had here";
	return why;
}

static const char *need_pages(void)
{
	return dev.pages < 4 ? "needs a BAR of 4 pages" : NULL;
}

static const char *need_ram(void)
{
	return dev.ram ? NULL : "no BAR is known to be plain memory";
}

#endif
