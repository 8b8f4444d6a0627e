// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of VFIO's mmap cookies: mappings of PCI BARs with a memory type that
 * user space asked for (VFIO_DEVICE_FEATURE_MMAP_COOKIE).
 *
 *	vfio_mmap_cookie_test [harness options] [BDF]
 *
 * The device must be bound to vfio-pci. The environment may say more:
 *
 *  VFIO_SELFTESTS_BDF	   the device, where the command line names none
 *  VFIO_SELFTESTS_RAM_BAR number of a BAR that is plain memory. Only who runs
 *			   the test can know; without it nothing is stored into
 *			   the device, and the tests about data are skipped.
 *  VFIO_SELFTESTS_PTE	   a character device that tells what the page tables
 *			   hold, see walk() below. Without it the types come
 *			   from debugfs' pat_memtype_list, by physical address:
 *			   weaker, for that is the kernel's intention only.
 *			   Without either (not x86) types are not checked.
 *
 * Fixtures: "plain" runs on every kernel and shows that nothing changed there,
 * "cookie" needs the feature, "wc" needs write-combining to be had. On a
 * kernel without the feature the exit status is KSFT_SKIP, unless one of the
 * plain tests fails.
 */
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
#include <dirent.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "../kselftest_harness.h"

/* Emulated machines and debug kernels are slow */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 120

#define NC		VFIO_MMAP_ATTR_NONCACHED
#define WC		VFIO_MMAP_ATTR_WRITECOMBINE
#define NR_BARS		6
#define NR_COOKIES	256	/* of one device file */
#define PMD_SIZE	(2UL << 20)
#define PUD_SIZE	(512 * PMD_SIZE)
#define STRESS_SECONDS	3

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
	int container, group, iommufd, fd;
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
static const char *const memtype_list = "/sys/kernel/debug/x86/pat_memtype_list";

static size_t at(long page)
{
	return page * page_size;
}

static struct bar *bar(void)
{
	return &dev.bar[dev.nr];
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

static int feature(int fd, __u32 flags, void *data, size_t size, size_t argsz)
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

static int get_feature(int fd, __u32 flags, struct vfio_device_feature_mmap_cookie *c)
{
	return feature(fd, VFIO_DEVICE_FEATURE_MMAP_COOKIE | flags, c, sizeof(*c),
		       sizeof(struct vfio_device_feature) + sizeof(*c));
}

static int probe(int fd)
{
	struct vfio_device_feature_mmap_cookie c = {};

	return get_feature(fd, VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET, &c);
}

static int get_cookie(int fd, __u32 region, __u32 attr, __u64 start, __u64 size, __u64 *offset)
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

/* A cookie for some pages of the BAR under test */
static int page_cookie(int fd, __u32 attr, long page, long n, __u64 *offset)
{
	return get_cookie(fd, dev.nr, attr, at(page), at(n), offset);
}

static int region_info(int fd, __u32 index, struct vfio_region_info *info, size_t size)
{
	memset(info, 0, size);
	info->argsz = size;
	info->index = index;
	return ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, info) ? errno : 0;
}

static const void *region_cap(const struct vfio_region_info *info, __u16 id)
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

static void *map(int fd, __u64 offset, long n)
{
	return mmap(NULL, at(n), PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
}

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

/* Map and unmap at once: 0, or the errno of mmap */
static int try_map(int fd, __u64 offset, long n)
{
	void *p = map(fd, offset, n);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, at(n));
	return 0;
}

static int try_attr(int fd, __u32 attr, long page, long n)
{
	void *p = map_attr(fd, attr, page, n);

	if (p == MAP_FAILED)
		return errno;
	munmap(p, at(n));
	return 0;
}

/* The biggest leaf that can map part of the BAR */
static size_t leaf_size(void)
{
	return bar()->size >= PUD_SIZE ? PUD_SIZE : bar()->size >= PMD_SIZE ? PMD_SIZE : page_size;
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

/*
 * What the page tables hold, by a witness outside of this kernel. It is asked
 *	walk CPU VA LEN PA
 * and answers a line "leaf VA PA PTE SIZE TYPE" for each leaf that covers the
 * range in the address space that CPU runs now, then "end N", or "error TEXT".
 * PA, the physical address behind VA, tells it that it looks at this process:
 * which therefore stays on that CPU and in that process until the answer comes.
 *	mmio CPU VA PA
 * is answered with the leaves of everything that is not RAM.
 */
struct leaf {
	__u64 va, pa, pte, size;
	char type[8];
};

static int witness_ask(char *text, size_t size, const char *verb, const void *va, size_t len,
		       __u64 pa)
{
	double deadline = now() + 10;
	size_t have = 0, sent = 0, want;
	char range[32] = "";
	int fd, ret = -1;
	char *line;
	ssize_t n;

	/* One client at a time: another process of this test may just ask, too */
	while ((fd = open(pte_witness, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
		if (now() > deadline)
			return -1;

	/* Nothing is left of an answer that nobody waited for */
	while (read(fd, text, size) > 0)
		;
	if (len)
		snprintf(range, sizeof(range), " 0x%zx", len);
	want = snprintf(text, size, "%s %d 0x%lx%s 0x%llx\n", verb, sched_getcpu(),
			(unsigned long)va, range, pa);
	while (sent < want && now() < deadline) {
		n = write(fd, text + sent, want - sent);
		if (n > 0)
			sent += n;
	}
	while (now() < deadline && have < size - 1) {
		n = read(fd, text + have, size - 1 - have);
		if (n <= 0)
			continue;
		have += n;
		text[have] = 0;
		if (text[have - 1] != '\n')
			continue;
		line = memrchr(text, '\n', have - 1);
		line = line ? line + 1 : text;
		if (!strncmp(line, "end ", 4))
			ret = 0;
		if (!ret || !strncmp(line, "error ", 6))
			break;
	}
	close(fd);
	if (ret)
		ksft_print_msg("witness: %.*s\n", (int)strcspn(text, "\n"), have ? text : "silent");
	return ret;
}

/* The leaves of an answer; -1: there was none */
static int ask_for_leaves(const char *verb, const void *va, size_t len, __u64 pa,
			  struct leaf *leaf, int max)
{
	static char text[1 << 22];
	cpu_set_t all, one;
	char *line, *next;
	int n = 0, err = -1;

	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	/* It gives up after a while, which may be too short on a busy machine */
	for (int i = 0; err && i < 3; i++)
		err = witness_ask(text, sizeof(text), verb, va, len, pa);
	sched_setaffinity(0, sizeof(all), &all);
	if (err)
		return -1;

	for (line = text; n < max && (next = strchr(line, '\n')); line = next + 1)
		if (sscanf(line, "leaf %llx %llx %llx %llx %7s", &leaf[n].va, &leaf[n].pa,
			   &leaf[n].pte, &leaf[n].size, leaf[n].type) == 5)
			n++;
	return n;
}

/* Leaves that cover the range, which must have been touched */
static int walk(const void *va, size_t len, __u64 pa, struct leaf *leaf, int max)
{
	return ask_for_leaves("walk", va, len, pa, leaf, max);
}

/* All leaves that are not RAM. For an anchor, a page of RAM will do. */
static int walk_mmio(struct leaf *leaf, int max)
{
	static unsigned char anchor[1 << 16];
	uintptr_t va = ((uintptr_t)anchor + page_size - 1) & ~(page_size - 1);
	__u64 entry = 0;
	int fd;

	/* This process' own page, not one that it shares with its parent */
	(*(unsigned char *)va)++;
	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &entry, sizeof(entry), va / page_size * 8) != sizeof(entry))
		entry = 0;
	close(fd);
	return ask_for_leaves("mmio", (void *)va, 0, (entry & ((1ULL << 55) - 1)) * page_size,
			      leaf, max);
}

/* Reservations of memory types that touch the device's BARs */
struct memtype {
	__u64 start, end;
	const char *type;
};

static int memtypes(struct memtype *m, int max)
{
	static const char *const names[][2] = {
		{ "write-combining", "WC" }, { "uncached-minus", "UC-" }, { "uncached", "UC" },
		{ "write-back", "WB" }, { "write-through", "WT" },
	};
	FILE *f = fopen(memtype_list, "r");
	char line[256], type[32];
	int n = 0;

	if (!f)
		return -1;
	while (n < max && fgets(line, sizeof(line), f)) {
		bool ours = false;

		if (sscanf(line, "PAT: [mem %llx-%llx] %31s", &m[n].start, &m[n].end, type) != 3)
			continue;
		for (int i = 0; i < NR_BARS; i++)
			ours |= !dev.bar[i].io && m[n].start < dev.bar[i].pa + dev.bar[i].size &&
				m[n].end > dev.bar[i].pa;
		if (!ours)
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
static long wc_pages_in(__u64 from, __u64 to)
{
	struct memtype m[1024];
	int n = memtypes(m, ARRAY_SIZE(m));
	__u64 bytes = 0, start, end;

	/* Sorted by start. One page may be reserved more than once. */
	for (int i = 0; i < n; i++) {
		start = m[i].start > from ? m[i].start : from;
		end = m[i].end < to ? m[i].end : to;
		if (strcmp(m[i].type, "WC") || start >= end)
			continue;
		bytes += end - start;
		from = end;
	}
	return n < 0 ? -1 : (long)(bytes / page_size);
}

/* Of all BARs */
static long wc_pages(void)
{
	return wc_pages_in(0, ~0ULL);
}

/* What a fault would find for this physical page, as the kernel has it */
static const char *memtype_of(__u64 pa)
{
	static struct memtype m[1024];
	int n = memtypes(m, ARRAY_SIZE(m));

	for (int i = 0; i < n; i++)
		if (m[i].start <= pa && pa < m[i].end)
			return m[i].type;
	return n < 0 ? NULL : "UC-";
}

/* The list as text, after what any first use of a BAR leaves behind */
static char *snapshot(void)
{
	struct memtype m[1024];
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	void *p = map_plain(dev.fd, 0, 1);
	__u32 value;
	int n;

	touch(p);
	munmap(p, page_size);
	if (pread(dev.fd, &value, sizeof(value), bar()->offset) != sizeof(value))
		fputs("pread failed\n", f);
	n = memtypes(m, ARRAY_SIZE(m));
	for (int i = 0; i < n; i++)
		fprintf(f, "%llx-%llx %s\n", m[i].start, m[i].end, m[i].type);
	fclose(f);
	return text;
}

/*
 * The check that everything here is about: are these pages of the BAR mapped
 * at this address, with this type?
 */
static void expect_type(struct __test_metadata *_metadata, int line, const char *type,
			const void *va, long page, long n)
{
	static struct leaf leaf[4096];
	int i = 0, leaves = 0;

	ASSERT_TRUE(touch_pages(va, n))
		TH_LOG("line %d: page %ld cannot be accessed", line, page);

	if (pte_witness) {
		leaves = walk(va, at(n), bar()->pa + at(page), leaf, ARRAY_SIZE(leaf));
		ASSERT_LT(0, leaves)
			TH_LOG("line %d: no answer from the witness", line);
	}
	for (; n; n--, page++, va = (const char *)va + page_size) {
		const char *seen = NULL;

		while (i < leaves && leaf[i].va + leaf[i].size <= (uintptr_t)va)
			i++;
		if (!pte_witness)
			seen = memtype_of(bar()->pa + at(page));
		else if (i < leaves && leaf[i].va <= (uintptr_t)va &&
			 leaf[i].pa + ((uintptr_t)va - leaf[i].va) == bar()->pa + at(page))
			seen = leaf[i].type;
		else
			seen = "nothing";
		if (!seen)
			return;
		EXPECT_STREQ(type, seen)
			TH_LOG("line %d: page %ld of BAR %d", line, page, dev.nr);
		if (strcmp(type, seen))
			return;
	}
}

#define EXPECT_TYPE(type, va, page, n) \
	expect_type(_metadata, __LINE__, type, va, page, n)

/* Is there a page-table entry? Not after a zap, until the next touch */
static void expect_present(struct __test_metadata *_metadata, int line, bool expected,
			   const void *p)
{
	static struct leaf leaf[1 << 14];
	bool seen = false;
	int n;

	if (!pte_witness)
		return;
	n = walk_mmio(leaf, ARRAY_SIZE(leaf));
	ASSERT_LE(0, n)
		TH_LOG("line %d: no answer from the witness", line);
	for (int i = 0; i < n; i++)
		seen |= leaf[i].va <= (uintptr_t)p && (uintptr_t)p < leaf[i].va + leaf[i].size;
	EXPECT_EQ(expected, seen)
		TH_LOG("line %d: entry is %s", line, seen ? "there" : "not there");
}

#define EXPECT_PRESENT(p) \
	expect_present(_metadata, __LINE__, true, p)
#define EXPECT_ZAPPED(p) \
	expect_present(_metadata, __LINE__, false, p)

/* Exactly these pages, and none but these, are reserved WC */
static void expect_reserved(struct __test_metadata *_metadata, int line, long page, long n)
{
	__u64 pa = bar()->pa + at(page);

	if (wc_pages() < 0)
		return;
	EXPECT_EQ(n, wc_pages())
		TH_LOG("line %d: pages reserved WC", line);
	EXPECT_EQ(n, wc_pages_in(pa, pa + at(n)))
		TH_LOG("line %d: pages reserved WC from page %ld of BAR %d", line, page, dev.nr);
}

#define EXPECT_RESERVED(page, n) \
	expect_reserved(_metadata, __LINE__, page, n)

#define EXPECT_RELEASED() EXPECT_RESERVED(0, 0)

static void assert_mapped(struct __test_metadata *_metadata, int line, const void *p)
{
	ASSERT_NE(MAP_FAILED, p)
		TH_LOG("line %d: %s", line, strerror(errno));
}

#define ASSERT_MAPPED(p) assert_mapped(_metadata, __LINE__, p)

/* Another process that takes turns with this one */
struct peer {
	pid_t pid;
	int turn;
};

static void pass_turn(struct peer *peer)
{
	if (write(peer->turn, "", 1) != 1)
		_exit(KSFT_FAIL);
}

/* Without a peer there is nothing to wait for: the test has failed already */
static void take_turn(struct peer *peer)
{
	char c;

	if (read(peer->turn, &c, 1) != 1)
		_exit(KSFT_FAIL);
}

/* As fork(): 0 in the child */
static pid_t spawn(struct peer *peer)
{
	int sv[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv))
		return -1;
	peer->pid = fork();
	peer->turn = sv[!peer->pid];
	close(sv[!!peer->pid]);
	return peer->pid;
}

/* Exit status of the child, or minus the signal that ended it */
static int reap(struct peer *peer)
{
	int status;

	close(peer->turn);
	if (waitpid(peer->pid, &status, 0) != peer->pid)
		return -1;
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Opening the device */

static long sysfs_link_number(const char *name)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *base;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", dev.bdf, name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -1;
	target[n] = 0;
	base = strrchr(target, '/');
	return base ? atol(base + 1) : -1;
}

static int device_fd(void)
{
	return ioctl(dev.group, VFIO_GROUP_GET_DEVICE_FD, dev.bdf);
}

static const char *open_group(void)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/dev/vfio/%ld", sysfs_link_number("iommu_group"));
	dev.container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	dev.group = open(path, O_RDWR | O_CLOEXEC);
	if (dev.container < 0 || dev.group < 0)
		return "cannot open the group: not bound to vfio-pci?";
	if (ioctl(dev.group, VFIO_GROUP_GET_STATUS, &status) ||
	    !(status.flags & VFIO_GROUP_FLAGS_VIABLE))
		return "the group is not viable";
	if (ioctl(dev.group, VFIO_GROUP_SET_CONTAINER, &dev.container) ||
	    ioctl(dev.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		return "no type1 IOMMU";
	dev.fd = device_fd();
	return dev.fd < 0 ? "cannot get the device from its group" : NULL;
}

static const char *open_cdev(void)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	char path[PATH_MAX] = "";
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", dev.bdf);
	dir = opendir(path);
	if (!dir)
		return "no VFIO cdev on this kernel";
	*path = 0;
	while ((entry = readdir(dir)))
		if (!strncmp(entry->d_name, "vfio", 4))
			snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
	closedir(dir);

	dev.fd = open(path, O_RDWR | O_CLOEXEC);
	dev.iommufd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (dev.fd < 0 || dev.iommufd < 0)
		return "no VFIO cdev or no iommufd on this kernel";
	bind.iommufd = dev.iommufd;
	return ioctl(dev.fd, VFIO_DEVICE_BIND_IOMMUFD, &bind) ? "cannot bind to iommufd" : NULL;
}

static void close_device(void)
{
	int *fd[] = { &dev.fd, &dev.group, &dev.container, &dev.iommufd };

	for (size_t i = 0; i < ARRAY_SIZE(fd); i++) {
		if (*fd[i] >= 0)
			close(*fd[i]);
		*fd[i] = -1;
	}
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
	const char *why;

	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	dev.container = -1;
	dev.group = -1;
	dev.iommufd = -1;
	dev.fd = -1;
	why = cdev ? open_cdev() : open_group();
	return why ?: look_around();
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

/* The same answers however often one asks; offsets as they have always been */
TEST_F(plain, region_info_stable)
{
	for (__u32 i = 0; i <= VFIO_PCI_VGA_REGION_INDEX; i++) {
		struct vfio_region_info first, again;
		int err = region_info(dev.fd, i, &first, sizeof(first));

		if (i < NR_BARS)
			ASSERT_EQ(0, err);
		if (!err)
			EXPECT_EQ((__u64)i << 40, first.offset);
		for (int n = 0; n < 100; n++) {
			ASSERT_EQ(err, region_info(dev.fd, i, &again, sizeof(again)));
			ASSERT_EQ(0, memcmp(&first, &again, sizeof(first)));
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

/*
 * The interface: what a cookie is, and each way to be refused one
 */
FIXTURE(cookie) {};

FIXTURE_VARIANT(cookie) {
	bool cdev;
};

FIXTURE_VARIANT_ADD(cookie, group) { .cdev = false };
FIXTURE_VARIANT_ADD(cookie, cdev) { .cdev = true };

FIXTURE_SETUP(cookie)
{
	const char *why = need_cookies(variant->cdev);

	if (why)
		SKIP(return, "%s", why);
}

FIXTURE_TEARDOWN(cookie)
{
	EXPECT_RELEASED();
	close_device();
}

TEST_F(cookie, capability)
{
	char cmdline[4096] = "";
	int fd = open("/proc/cmdline", O_RDONLY);
	__u32 expected = 1 << NC;

	ASSERT_LE(0, read(fd, cmdline, sizeof(cmdline) - 1));
	close(fd);
#ifdef __x86_64__
	if (!strstr(cmdline, "nopat"))
		expected |= 1 << WC;
#else
	expected |= bar()->attrs;
#endif
	for (int i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
		const struct vfio_region_info_cap_mmap_attrs *cap;
		struct {
			struct vfio_region_info info;
			char caps[4096];
		} r;
		struct vfio_region_info brief;

		if (region_info(dev.fd, i, &r.info, sizeof(r)))
			continue;
		cap = region_cap(&r.info, VFIO_REGION_INFO_CAP_MMAP_ATTRS);
		if (i >= NR_BARS || dev.bar[i].io || dev.bar[i].size < page_size ||
		    !(r.info.flags & VFIO_REGION_INFO_FLAG_MMAP)) {
			EXPECT_NULL(cap);
			continue;
		}
		ASSERT_NE(NULL, cap);
		EXPECT_EQ(1, cap->header.version);
		EXPECT_EQ((__u32)VFIO_DEVICE_FEATURE_MMAP_COOKIE, cap->feature);
		EXPECT_EQ(expected, cap->attrs);
		if (i == dev.msix_bar)
			EXPECT_NE(NULL, region_cap(&r.info, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE));

		/* No room for the chain: told how much it takes, all else the same */
		ASSERT_EQ(0, region_info(dev.fd, i, &brief, sizeof(brief)));
		EXPECT_LE(sizeof(brief) + sizeof(*cap), brief.argsz);
		EXPECT_EQ(0U, brief.cap_offset);
		EXPECT_EQ(r.info.flags, brief.flags);
		EXPECT_EQ(r.info.offset, brief.offset);
		EXPECT_EQ(r.info.size, brief.size);
	}
}

TEST_F(cookie, feature_flags)
{
	struct vfio_device_feature_mmap_cookie c = { .region = dev.nr, .attr = NC,
						     .size = page_size };
	size_t whole = sizeof(struct vfio_device_feature) + sizeof(c);
	__u32 index = VFIO_DEVICE_FEATURE_MMAP_COOKIE;

	EXPECT_EQ(0, probe(dev.fd));
	EXPECT_EQ(0, get_feature(dev.fd, VFIO_DEVICE_FEATURE_PROBE, &c));
	EXPECT_EQ(EINVAL, get_feature(dev.fd, 0, &c));
	EXPECT_EQ(EINVAL, get_feature(dev.fd, VFIO_DEVICE_FEATURE_SET, &c));
	EXPECT_EQ(EINVAL, get_feature(dev.fd, VFIO_DEVICE_FEATURE_PROBE |
				      VFIO_DEVICE_FEATURE_SET, &c));
	for (size_t argsz = 0; argsz < whole; argsz++)
		EXPECT_EQ(EINVAL, feature(dev.fd, VFIO_DEVICE_FEATURE_GET | index, &c, sizeof(c),
					  argsz));
	EXPECT_EQ(0, feature(dev.fd, VFIO_DEVICE_FEATURE_GET | index, &c, sizeof(c), whole));
	EXPECT_EQ(0, feature(dev.fd, VFIO_DEVICE_FEATURE_GET | index, &c, sizeof(c), whole + 64));
}

TEST_F(cookie, bad_pointer)
{
	struct vfio_device_feature *f;

	f = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_MAPPED(f);
	f->argsz = sizeof(*f) + sizeof(struct vfio_device_feature_mmap_cookie);
	f->flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MMAP_COOKIE;
	((struct vfio_device_feature_mmap_cookie *)f->data)->region = dev.nr;
	((struct vfio_device_feature_mmap_cookie *)f->data)->size = page_size;
	ASSERT_EQ(0, mprotect(f, page_size, PROT_READ));
	EXPECT_EQ(-1, ioctl(dev.fd, VFIO_DEVICE_FEATURE, f));
	EXPECT_EQ(EFAULT, errno);

	/* The header can be read, what follows it cannot */
	ASSERT_EQ(0, munmap(f, page_size));
	f = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_MAPPED(f);
	ASSERT_EQ(0, mprotect((char *)f + page_size, page_size, PROT_NONE));
	f = (void *)((char *)f + page_size - sizeof(*f));
	f->argsz = sizeof(*f) + sizeof(struct vfio_device_feature_mmap_cookie);
	f->flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MMAP_COOKIE;
	EXPECT_EQ(-1, ioctl(dev.fd, VFIO_DEVICE_FEATURE, f));
	EXPECT_EQ(EFAULT, errno);
}

TEST_F(cookie, bad_requests)
{
	const __u32 unknown[] = { 2, 3, 31, 32, 64, 0x80000000, ~0U };
	struct vfio_device_feature_mmap_cookie c;
	__u64 size = bar()->size;

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++)
		EXPECT_EQ(EINVAL, page_cookie(dev.fd, unknown[i], 0, 1, NULL));
	for (int bit = 0; bit < 32; bit++) {
		c = (typeof(c)){ .region = dev.nr, .size = page_size, .flags = 1U << bit };
		EXPECT_EQ(EINVAL, get_feature(dev.fd, VFIO_DEVICE_FEATURE_GET, &c));
		c = (typeof(c)){ .region = dev.nr, .size = page_size, .__reserved = 1U << bit };
		EXPECT_EQ(EINVAL, get_feature(dev.fd, VFIO_DEVICE_FEATURE_GET, &c));
	}

	for (__u32 attr = NC; attr <= WC; attr++) {
		if (!(bar()->attrs & 1 << attr))
			continue;
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.nr, attr, 0, 0, NULL));
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.nr, attr, at(1), 0, NULL));
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.nr, attr, 1, page_size, NULL));
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.nr, attr, page_size / 2, page_size, NULL));
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.nr, attr, 0, 1, NULL));
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, dev.nr, attr, 0, page_size - 1, NULL));

		EXPECT_EQ(EOVERFLOW, get_cookie(dev.fd, dev.nr, attr, -at(1), at(2), NULL));
		EXPECT_EQ(EOVERFLOW, get_cookie(dev.fd, dev.nr, attr, at(1), -at(1), NULL));
		EXPECT_EQ(EOVERFLOW, get_cookie(dev.fd, dev.nr, attr, 1ULL << 63, 1ULL << 63,
						NULL));

		EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, attr, size, at(1), NULL));
		EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, attr, 0, size + at(1), NULL));
		EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, attr, size - at(1), at(2), NULL));
		EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, attr, 1ULL << 40, at(1), NULL));
		EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, attr, 0, 1ULL << 62, NULL));
	}
	if (!(bar()->attrs & 1 << WC))
		EXPECT_EQ(EOPNOTSUPP, page_cookie(dev.fd, WC, 0, 1, NULL));

	/* Nothing of all that counts as a cookie, or has side effects */
	for (int i = 0; i < 2 * NR_COOKIES; i++)
		ASSERT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, NC, size + at(i), at(1), NULL));
	EXPECT_EQ(0, page_cookie(dev.fd, NC, 0, 1, NULL));
}

TEST_F(cookie, bad_regions)
{
	const __u32 none[] = { VFIO_PCI_NUM_REGIONS, 10, 255, 1 << 16, 1U << 24, ~0U };

	for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
		EXPECT_EQ(EINVAL, get_cookie(dev.fd, none[i], NC, 0, at(1), NULL))
			TH_LOG("region %u", none[i]);
	}
	for (__u32 i = 0; i <= VFIO_PCI_VGA_REGION_INDEX; i++) {
		if (i < NR_BARS && dev.bar[i].attrs)
			continue;
		EXPECT_EQ(ENODEV, get_cookie(dev.fd, i, NC, 0, at(1), NULL))
			TH_LOG("region %u%s", i, i < NR_BARS && dev.bar[i].io ? ", I/O" : "");
	}
}

TEST_F(cookie, io_bar)
{
	int i = 0;

	while (i < NR_BARS && !(dev.bar[i].io && dev.bar[i].size))
		i++;
	if (i == NR_BARS)
		SKIP(return, "the device has no I/O BAR");
	EXPECT_EQ(0U, dev.bar[i].attrs);
	EXPECT_EQ(ENODEV, get_cookie(dev.fd, i, NC, 0, at(1), NULL));
	EXPECT_EQ(ENODEV, get_cookie(dev.fd, i, WC, 0, at(1), NULL));
}

TEST_F(cookie, sub_page_bar)
{
	int i = 0;

	while (i < NR_BARS && !(!dev.bar[i].io && dev.bar[i].size && dev.bar[i].size < page_size))
		i++;
	if (i == NR_BARS)
		SKIP(return, "the device has no BAR smaller than a page");
	EXPECT_EQ(0U, dev.bar[i].attrs);
	EXPECT_EQ(ENODEV, get_cookie(dev.fd, i, NC, 0, at(1), NULL));
	EXPECT_EQ(ENODEV, get_cookie(dev.fd, i, WC, 0, at(1), NULL));
}

/* Cookies of all types for all ranges of the first pages: 20 of them at most */
static int some_cookies(__u64 *offset, size_t *size)
{
	int n = 0;

	for (__u32 attr = NC; attr <= WC; attr++) {
		if (!(bar()->attrs & 1 << attr))
			continue;
		for (long start = 0; start < dev.pages && start < 4; start++) {
			for (long end = start + 1; end <= dev.pages && end <= 4; end++, n++) {
				size[n] = at(end - start);
				if (page_cookie(dev.fd, attr, start, end - start, &offset[n]))
					return -1;
			}
		}
	}
	return n;
}

/* One request, one cookie; different requests, cookies that do not overlap */
TEST_F(cookie, idempotent)
{
	struct vfio_region_info before[VFIO_PCI_NUM_REGIONS], after;
	__u64 offset[20], again[20];
	size_t size[20];
	int n;

	for (int i = 0; i < VFIO_PCI_NUM_REGIONS; i++)
		region_info(dev.fd, i, &before[i], sizeof(before[i]));

	n = some_cookies(offset, size);
	ASSERT_LT(0, n);
	for (int i = 0; i < n; i++) {
		EXPECT_EQ(0U, offset[i] % page_size);
		/* Not inside a standard region, nor inside another cookie */
		for (int j = 0; j < VFIO_PCI_NUM_REGIONS; j++)
			EXPECT_TRUE(offset[i] >= before[j].offset + before[j].size ||
				    offset[i] + size[i] <= before[j].offset);
		for (int j = 0; j < i; j++)
			EXPECT_TRUE(offset[i] >= offset[j] + size[j] ||
				    offset[i] + size[i] <= offset[j]);
	}

	/* Again, more often than there are cookies, and used in between */
	for (int round = 0; round < NR_COOKIES; round++) {
		ASSERT_EQ(n, some_cookies(again, size));
		ASSERT_EQ(0, memcmp(offset, again, n * sizeof(*offset)));
		ASSERT_EQ(0, try_map(dev.fd, offset[round % n], 1));
	}

	for (int i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
		region_info(dev.fd, i, &after, sizeof(after));
		EXPECT_EQ(0, memcmp(&before[i], &after, sizeof(after)));
	}
}

struct asker {
	pthread_t thread;
	__u64 offset[4];
	int err;
};

static void *ask_for_cookies(void *arg)
{
	struct asker *a = arg;

	for (int i = 0; i < 4; i++)
		a->err |= page_cookie(dev.fd, NC, 0, i + 1, &a->offset[i]);
	return NULL;
}

/* Also when several threads are the first to ask */
TEST_F(cookie, idempotent_race)
{
	struct asker a[8] = {};

	if (dev.pages < 4)
		SKIP(return, "needs 4 pages");
	for (size_t i = 0; i < ARRAY_SIZE(a); i++)
		ASSERT_EQ(0, pthread_create(&a[i].thread, NULL, ask_for_cookies, &a[i]));
	for (size_t i = 0; i < ARRAY_SIZE(a); i++)
		pthread_join(a[i].thread, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(a); i++) {
		EXPECT_EQ(0, a[i].err);
		EXPECT_EQ(0, memcmp(a[0].offset, a[i].offset, sizeof(a[i].offset)));
	}
}

/* A file has so many cookies and no more, and the next file as many again */
TEST_F(cookie, exhaustion)
{
	__u64 first, offset;
	int fd;

	if (dev.pages < NR_COOKIES + 1)
		SKIP(return, "needs a BAR of more than %d pages", NR_COOKIES);
	ASSERT_EQ(0, page_cookie(dev.fd, NC, 0, 1, &first));
	for (int i = 1; i < NR_COOKIES; i++) {
		ASSERT_EQ(0, page_cookie(dev.fd, NC, i, 1, &offset))
			TH_LOG("cookie %d", i);
	}
	EXPECT_EQ(ENOSPC, page_cookie(dev.fd, NC, NR_COOKIES, 1, NULL));
	EXPECT_EQ(ENOSPC, page_cookie(dev.fd, NC, 0, 2, NULL));

	/* The ones there are work, and are still to be had */
	EXPECT_EQ(0, try_map(dev.fd, first, 1));
	EXPECT_EQ(0, try_map(dev.fd, offset, 1));
	EXPECT_EQ(0, page_cookie(dev.fd, NC, 0, 1, &offset));
	EXPECT_EQ(first, offset);
	/* A bad request is a bad request, whatever else */
	EXPECT_EQ(ERANGE, get_cookie(dev.fd, dev.nr, NC, bar()->size, at(1), NULL));

	if (variant->cdev)
		return;
	for (int round = 0; round < 3; round++) {
		fd = device_fd();
		ASSERT_LE(0, fd);
		for (int i = 0; i < NR_COOKIES; i++)
			ASSERT_EQ(0, page_cookie(fd, NC, i, 1, &offset));
		EXPECT_EQ(ENOSPC, page_cookie(fd, NC, NR_COOKIES, 1, NULL));
		close(fd);
	}
}

/* A cookie is nothing to any other file, not even one that has cookies, too */
TEST_F(cookie, unknown_elsewhere)
{
	__u64 mine, other;
	__u32 value;
	int fd;

	if (variant->cdev)
		SKIP(return, "a cdev cannot be opened twice");
	fd = device_fd();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, page_cookie(dev.fd, NC, 0, 1, &mine));
	EXPECT_EQ(EINVAL, try_map(fd, mine, 1));
	EXPECT_EQ(-1, pread(fd, &value, sizeof(value), mine));
	EXPECT_EQ(EINVAL, errno);

	ASSERT_EQ(0, get_cookie(fd, dev.nr, NC, 0, bar()->size, &other));
	if (dev.pages > 1) {
		EXPECT_EQ(EINVAL, try_map(fd, mine, 1));
		EXPECT_EQ(EINVAL, try_map(dev.fd, other, 1));
	}
	EXPECT_EQ(0, try_map(dev.fd, mine, 1));
	EXPECT_EQ(0, try_map(fd, other, dev.pages));

	/* Gone at close, unknown to those who open later */
	close(fd);
	fd = device_fd();
	ASSERT_LE(0, fd);
	EXPECT_EQ(EINVAL, try_map(fd, other, 1));
	close(fd);
	EXPECT_EQ(0, try_map(dev.fd, mine, 1));
}

TEST_F(cookie, mmap_limits)
{
	__u64 offset;
	void *p;

	for (__u32 attr = NC; attr <= WC; attr++) {
		if (!(bar()->attrs & 1 << attr))
			continue;
		ASSERT_EQ(0, page_cookie(dev.fd, attr, 0, dev.pages, &offset));
		EXPECT_EQ(0, try_map(dev.fd, offset, dev.pages));
		EXPECT_EQ(EINVAL, try_map(dev.fd, offset, dev.pages + 1));
		EXPECT_EQ(EINVAL, try_map(dev.fd, offset + at(1), dev.pages));
		EXPECT_EQ(EINVAL, try_map(dev.fd, offset + at(dev.pages - 1), 2));
		EXPECT_EQ(EINVAL, try_map(dev.fd, offset - at(1), 2));
		if (dev.pages >= 4) {
			ASSERT_EQ(0, page_cookie(dev.fd, attr, 1, 2, &offset));
			EXPECT_EQ(0, try_map(dev.fd, offset, 2));
			EXPECT_EQ(EINVAL, try_map(dev.fd, offset, 3));
			EXPECT_EQ(EINVAL, try_map(dev.fd, offset + at(1), 2));
		}

		p = mmap(NULL, page_size, PROT_READ, MAP_PRIVATE, dev.fd, offset);
		EXPECT_EQ(MAP_FAILED, p);
		EXPECT_EQ(EINVAL, errno);
		p = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, dev.fd, offset);
		EXPECT_EQ(MAP_FAILED, p);
		EXPECT_EQ(EINVAL, errno);
		EXPECT_RELEASED();
	}
	/* Far from everything */
	EXPECT_EQ(EINVAL, try_map(dev.fd, 1ULL << 60, 1));
}

/* What is asked for as uncached is uncached, and cannot be asked away */
TEST_F(cookie, noncached)
{
	__u64 offset;
	void *p;

	ASSERT_EQ(0, page_cookie(dev.fd, NC, 0, dev.pages, &offset));
	p = map(dev.fd, offset, dev.pages);
	ASSERT_MAPPED(p);
	EXPECT_TYPE("UC-", p, 0, dev.pages < 4 ? dev.pages : 4);
	EXPECT_TYPE("UC-", (char *)p + at(dev.pages - 1), dev.pages - 1, 1);
	EXPECT_RELEASED();
	munmap(p, at(dev.pages));
}

/* Tools know BAR mappings by their offsets: a cookie's shows the region's */
TEST_F(cookie, proc_maps)
{
	unsigned long from, to, offset;
	__u64 cookie;
	char line[512];
	int found = 0;
	long page = dev.pages > 2 ? 2 : 0;
	void *p;
	FILE *f;

	ASSERT_EQ(0, page_cookie(dev.fd, NC, 0, dev.pages, &cookie));
	p = map(dev.fd, cookie + at(page), 1);
	ASSERT_MAPPED(p);
	f = fopen("/proc/self/maps", "r");
	ASSERT_NE(NULL, f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx %*s %lx", &from, &to, &offset) != 3 ||
		    from != (unsigned long)p)
			continue;
		found++;
		EXPECT_EQ(from + page_size, to);
		EXPECT_EQ(bar()->offset + at(page), offset);
	}
	EXPECT_EQ(1, found);
	fclose(f);
	munmap(p, page_size);
}

/*
 * Write-combining
 */
FIXTURE(wc) {};

FIXTURE_VARIANT(wc) {
	bool cdev;
};

FIXTURE_VARIANT_ADD(wc, group) { .cdev = false };
FIXTURE_VARIANT_ADD(wc, cdev) { .cdev = true };

FIXTURE_SETUP(wc)
{
	const char *why = need_wc(variant->cdev);

	if (why)
		SKIP(return, "%s", why);
	EXPECT_RELEASED();
}

FIXTURE_TEARDOWN(wc)
{
	/* The files are still open: it is the mappings that hold a type */
	EXPECT_RELEASED();
	close_device();
	EXPECT_RELEASED();
}

/* Room for neighbours */
FIXTURE(wc4) {};

FIXTURE_VARIANT(wc4) {
	bool cdev;
};

FIXTURE_VARIANT_ADD(wc4, group) { .cdev = false };
FIXTURE_VARIANT_ADD(wc4, cdev) { .cdev = true };

FIXTURE_SETUP(wc4)
{
	const char *why = need_wc(variant->cdev) ?: need_pages();

	if (why)
		SKIP(return, "%s", why);
	EXPECT_RELEASED();
}

FIXTURE_TEARDOWN(wc4)
{
	EXPECT_RELEASED();
	close_device();
	EXPECT_RELEASED();
}

/* Room for neighbours, and data that stays where it is put */
FIXTURE(wc_ram) {};

FIXTURE_VARIANT(wc_ram) {
	bool cdev;
};

FIXTURE_VARIANT_ADD(wc_ram, group) { .cdev = false };
FIXTURE_VARIANT_ADD(wc_ram, cdev) { .cdev = true };

FIXTURE_SETUP(wc_ram)
{
	const char *why = need_wc(variant->cdev) ?: need_pages() ?: need_ram();

	if (why)
		SKIP(return, "%s", why);
	EXPECT_RELEASED();
}

FIXTURE_TEARDOWN(wc_ram)
{
	EXPECT_RELEASED();
	close_device();
	EXPECT_RELEASED();
}

/* WC is WC, for exactly as long as it is mapped */
TEST_F(wc, map_and_unmap)
{
	long n = dev.pages < 4 ? dev.pages : 4;
	char *before = snapshot(), *after;
	void *p;

	for (int i = 0; i < 3; i++) {
		p = map_attr(dev.fd, WC, 0, n);
		ASSERT_MAPPED(p);
		EXPECT_TYPE("WC", p, 0, n);
		EXPECT_RESERVED(0, n);
		ASSERT_EQ(0, munmap(p, at(n)));
		EXPECT_RELEASED();
	}
	after = snapshot();
	EXPECT_STREQ(before, after);
}

/* Reserved with the mapping, not with the first access */
TEST_F(wc, untouched)
{
	void *p = map_attr(dev.fd, WC, 0, 1);

	ASSERT_MAPPED(p);
	EXPECT_ZAPPED(p);
	EXPECT_RESERVED(0, 1);
	munmap(p, page_size);
}

TEST_F(wc4, two_types_one_bar)
{
	void *plain, *wc, *nc;

	plain = map_plain(dev.fd, 0, 4);
	wc = map_attr(dev.fd, WC, 1, 1);
	nc = map_attr(dev.fd, NC, 2, 1);
	ASSERT_MAPPED(plain);
	ASSERT_MAPPED(wc);
	ASSERT_MAPPED(nc);
	EXPECT_TYPE("WC", wc, 1, 1);
	EXPECT_TYPE("UC-", nc, 2, 1);
	EXPECT_TYPE("UC-", plain, 0, 1);
	EXPECT_TYPE("UC-", plain + at(2), 2, 2);
	EXPECT_RESERVED(1, 1);
	munmap(wc, at(1));
	munmap(nc, at(1));
	munmap(plain, at(4));
}

/* Slices of one cookie for the whole BAR: only what is mapped is reserved */
TEST_F(wc4, slices)
{
	long slices[] = { 0, dev.pages / 2, dev.pages - 1 };
	void *plain, *p;
	__u64 offset;

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, dev.pages, &offset));
	plain = map_plain(dev.fd, 0, dev.pages);
	ASSERT_MAPPED(plain);
	EXPECT_RELEASED();
	for (size_t i = 0; i < ARRAY_SIZE(slices); i++) {
		long page = slices[i];

		p = map(dev.fd, offset + at(page), 1);
		ASSERT_MAPPED(p);
		EXPECT_TYPE("WC", p, page, 1);
		EXPECT_RESERVED(page, 1);
		if (page > 0)
			EXPECT_TYPE("UC-", plain + at(page - 1), page - 1, 1);
		if (page < dev.pages - 1)
			EXPECT_TYPE("UC-", plain + at(page + 1), page + 1, 1);
		munmap(p, page_size);
		EXPECT_RELEASED();
	}
	munmap(plain, at(dev.pages));
}

/* One page mapped WC more than once: WC until the last goes */
TEST_F(wc4, overlapping_slices)
{
	void *a, *b, *c, *plain;

	plain = map_plain(dev.fd, 0, 4);
	a = map_attr(dev.fd, WC, 0, 3);
	b = map_attr(dev.fd, WC, 1, 3);
	c = map_attr(dev.fd, WC, 1, 1);
	ASSERT_MAPPED(plain);
	ASSERT_MAPPED(a);
	ASSERT_MAPPED(b);
	ASSERT_MAPPED(c);
	EXPECT_TYPE("WC", a, 0, 3);
	EXPECT_TYPE("WC", b, 1, 3);
	EXPECT_TYPE("WC", c, 1, 1);
	EXPECT_RESERVED(0, 4);
	munmap(b, at(3));
	EXPECT_RESERVED(0, 3);
	EXPECT_TYPE("WC", a, 0, 3);
	EXPECT_TYPE("UC-", plain + at(3), 3, 1);
	munmap(a, at(3));
	EXPECT_RESERVED(1, 1);
	EXPECT_TYPE("WC", c, 1, 1);
	EXPECT_TYPE("UC-", plain, 0, 1);
	EXPECT_TYPE("WC", plain + at(1), 1, 1);
	EXPECT_TYPE("UC-", plain + at(2), 2, 2);
	munmap(c, at(1));
	EXPECT_RELEASED();
	EXPECT_TYPE("UC-", plain, 0, 4);
	munmap(plain, at(4));
}

/* A slice stays reserved as a whole until its last piece is gone */
TEST_F(wc4, partial_munmap)
{
	static const int orders[][4] = {
		{ 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 2, 0, 3 }, { 2, 0, 3, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		void *plain = map_plain(dev.fd, 0, 4);
		void *p = map_attr(dev.fd, WC, 0, 4);

		ASSERT_MAPPED(plain);
		ASSERT_MAPPED(p);
		EXPECT_TYPE("WC", p, 0, 4);
		for (int n = 0; n < 3; n++) {
			int last = orders[i][3];

			ASSERT_EQ(0, munmap(p + at(orders[i][n]), page_size));
			EXPECT_RESERVED(0, 4);
			EXPECT_TYPE("WC", p + at(last), last, 1);
			EXPECT_TYPE("WC", plain, 0, 4);
		}
		ASSERT_EQ(0, munmap(p + at(orders[i][3]), page_size));
		EXPECT_RELEASED();
		EXPECT_TYPE("UC-", plain, 0, 4);
		munmap(plain, at(4));
	}
}

/* The last process to let go releases, whichever it is and however it does */
TEST_F(wc4, fork)
{
	enum { UNMAPS, EXITS, PARENT_FIRST, PIECES } way;

	for (way = UNMAPS; way <= PIECES; way++) {
		void *p = map_attr(dev.fd, WC, 1, 2);
		struct peer peer;

		ASSERT_MAPPED(p);
		ASSERT_TRUE(touch_pages(p, 2));
		if (!spawn(&peer)) {
			EXPECT_TYPE("WC", p, 1, 2);
			if (way == UNMAPS)
				munmap(p, at(2));
			if (way == PIECES)
				munmap(p, at(1));
			pass_turn(&peer);
			take_turn(&peer);
			if (way == PARENT_FIRST || way == PIECES)
				EXPECT_TYPE("WC", p + at(1), 2, 1);
			_exit(0);
		}
		ASSERT_LT(0, peer.pid);
		take_turn(&peer);
		EXPECT_RESERVED(1, 2);
		if (way == PARENT_FIRST || way == PIECES) {
			munmap(p, at(2));
			EXPECT_RESERVED(1, 2);
		} else {
			EXPECT_TYPE("WC", p, 1, 2);
		}
		pass_turn(&peer);
		EXPECT_EQ(0, reap(&peer));
		if (way != PARENT_FIRST && way != PIECES) {
			EXPECT_TYPE("WC", p, 1, 2);
			EXPECT_RESERVED(1, 2);
			munmap(p, at(2));
		}
		EXPECT_RELEASED();
	}
}

TEST_F(wc, killed)
{
	char *before = snapshot(), *after;

	for (int i = 0; i < 20; i++) {
		struct peer peer;

		if (!spawn(&peer)) {
			void *p = map_attr(dev.fd, WC, 0, dev.pages > 1 ? 2 : 1);

			if (p == MAP_FAILED || !touch(p))
				_exit(KSFT_FAIL);
			munmap(p + page_size, dev.pages > 1 ? page_size : 0);
			pass_turn(&peer);
			pause();
		}
		ASSERT_LT(0, peer.pid);
		take_turn(&peer);
		EXPECT_RESERVED(0, dev.pages > 1 ? 2 : 1);
		kill(peer.pid, SIGKILL);
		EXPECT_EQ(-SIGKILL, reap(&peer));
		EXPECT_RELEASED();
	}
	after = snapshot();
	EXPECT_STREQ(before, after);
}

/* A mapping keeps its file, and its type, when the descriptor goes */
TEST_F(wc, close_first)
{
	void *p = map_attr(dev.fd, WC, 0, 1);

	ASSERT_MAPPED(p);
	close_device();
	EXPECT_TYPE("WC", p, 0, 1);
	EXPECT_RESERVED(0, 1);
	munmap(p, page_size);
	EXPECT_RELEASED();
}

TEST_F(wc4, mremap_move)
{
	void *p, *to, *plain;

	plain = map_plain(dev.fd, 0, 4);
	p = map_attr(dev.fd, WC, 1, 2);
	to = mmap(NULL, at(8), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_MAPPED(plain);
	ASSERT_MAPPED(p);
	ASSERT_MAPPED(to);
	EXPECT_TYPE("WC", p, 1, 2);
	ASSERT_EQ(to, mremap(p, at(2), at(2), MREMAP_MAYMOVE | MREMAP_FIXED, to));
	EXPECT_TYPE("WC", to, 1, 2);
	EXPECT_RESERVED(1, 2);

	/* The last page alone: the slice is in two pieces now */
	ASSERT_EQ(to + at(4), mremap(to + at(1), at(1), at(1), MREMAP_MAYMOVE | MREMAP_FIXED,
				     to + at(4)));
	EXPECT_TYPE("WC", to, 1, 1);
	EXPECT_TYPE("WC", to + at(4), 2, 1);
	munmap(to, at(1));
	EXPECT_RESERVED(1, 2);
	EXPECT_TYPE("WC", to + at(4), 2, 1);

	/* In the place of a plain mapping: what a program does under its driver */
	ASSERT_EQ(plain + at(2), mremap(to + at(4), at(1), at(1), MREMAP_MAYMOVE | MREMAP_FIXED,
					plain + at(2)));
	EXPECT_TYPE("WC", plain + at(2), 2, 1);
	EXPECT_TYPE("UC-", plain, 0, 1);
	EXPECT_TYPE("UC-", plain + at(3), 3, 1);
	munmap(plain, at(4));
	EXPECT_RELEASED();
	munmap(to, at(8));
}

TEST_F(wc4, mremap_shrink)
{
	void *p;

	p = map_attr(dev.fd, WC, 0, 4);
	ASSERT_MAPPED(p);
	ASSERT_EQ(p, mremap(p, at(4), at(1), 0));
	EXPECT_TYPE("WC", p, 0, 1);
	EXPECT_RESERVED(0, 4);
	/* It cannot grow, back or else */
	EXPECT_EQ(MAP_FAILED, mremap(p, at(1), at(2), MREMAP_MAYMOVE));
	munmap(p, at(1));
	EXPECT_RELEASED();
}

/* Mapped over itself, over other types, and by plain mappings in its turn */
TEST_F(wc4, map_fixed)
{
	__u64 wc, nc;
	void *p;

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, 4, &wc));
	ASSERT_EQ(0, page_cookie(dev.fd, NC, 0, 4, &nc));
	p = map_plain(dev.fd, 0, 4);
	ASSERT_MAPPED(p);
	EXPECT_TYPE("UC-", p, 0, 4);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(p + at(1), mmap(p + at(1), at(2), PROT_READ | PROT_WRITE,
					  MAP_SHARED | MAP_FIXED, dev.fd, wc + at(1)));
		EXPECT_TYPE("UC-", p, 0, 1);
		EXPECT_TYPE("WC", p + at(1), 1, 2);
		EXPECT_TYPE("UC-", p + at(3), 3, 1);
		EXPECT_RESERVED(1, 2);
	}
	ASSERT_EQ(p, mmap(p, at(4), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, dev.fd,
			  bar()->offset));
	EXPECT_RELEASED();
	EXPECT_TYPE("UC-", p, 0, 4);
	ASSERT_EQ(p, mmap(p, at(4), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, dev.fd, nc));
	EXPECT_TYPE("UC-", p, 0, 4);
	munmap(p, at(4));
}

TEST_F(wc4, protection)
{
	__u64 offset;
	void *p;

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, 4, &offset));

	p = mmap(NULL, at(2), PROT_READ, MAP_SHARED, dev.fd, offset);
	ASSERT_MAPPED(p);
	EXPECT_TYPE("WC", p, 0, 2);
	EXPECT_FALSE(store(p, 0));
	ASSERT_EQ(0, mprotect(p, at(2), PROT_READ | PROT_WRITE));
	EXPECT_TYPE("WC", p, 0, 2);
	munmap(p, at(2));

	p = mmap(NULL, at(1), PROT_WRITE, MAP_SHARED, dev.fd, offset);
	ASSERT_MAPPED(p);
	EXPECT_RESERVED(0, 1);
	EXPECT_TYPE("WC", p, 0, 1);
	munmap(p, at(1));

	/* From no access at all; then in three pieces, which fault anew */
	p = mmap(NULL, at(4), PROT_NONE, MAP_SHARED, dev.fd, offset);
	ASSERT_MAPPED(p);
	EXPECT_FALSE(touch(p));
	EXPECT_RESERVED(0, 4);
	ASSERT_EQ(0, mprotect(p, at(4), PROT_READ));
	EXPECT_TYPE("WC", p, 0, 4);
	ASSERT_EQ(0, mprotect(p + at(1), at(2), PROT_NONE));
	EXPECT_FALSE(touch(p + at(1)));
	ASSERT_EQ(0, mprotect(p + at(1), at(1), PROT_READ | PROT_WRITE));
	EXPECT_TYPE("WC", p, 0, 2);
	EXPECT_TYPE("WC", p + at(3), 3, 1);
	EXPECT_RESERVED(0, 4);
	/* Nobody but the device takes entries away, as with a plain mapping */
	EXPECT_EQ(-1, madvise(p, at(1), MADV_DONTNEED));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_PRESENT(p);
	munmap(p, at(4));
	EXPECT_RELEASED();
}

/*
 * One physical page has one type. A plain mapping promises none: it is always
 * to be had, and is WC while somebody holds the page WC, in this process and
 * in any other.
 */
TEST_F(wc4, plain_follows)
{
	void *plain, *wc, *late;
	struct peer peer;

	plain = map_plain(dev.fd, 0, 4);
	ASSERT_MAPPED(plain);
	EXPECT_TYPE("UC-", plain, 0, 4);
	if (!spawn(&peer)) {
		/* Its own mapping beside the inherited one */
		void *own = map_plain(dev.fd, 0, 4);

		ASSERT_MAPPED(own);
		EXPECT_TYPE("UC-", own, 0, 4);
		EXPECT_TYPE("UC-", plain, 0, 4);
		pass_turn(&peer);
		take_turn(&peer);
		for (void *p = own; p; p = p == own ? plain : NULL) {
			EXPECT_TYPE("UC-", p, 0, 1);
			EXPECT_TYPE("WC", p + at(1), 1, 2);
			EXPECT_TYPE("UC-", p + at(3), 3, 1);
		}
		pass_turn(&peer);
		take_turn(&peer);
		EXPECT_TYPE("UC-", own, 0, 4);
		EXPECT_TYPE("UC-", plain, 0, 4);
		_exit(0);
	}
	ASSERT_LT(0, peer.pid);
	take_turn(&peer);
	wc = map_attr(dev.fd, WC, 1, 2);
	ASSERT_MAPPED(wc);
	/* The entries that told of UC- are gone, before anything is touched */
	EXPECT_ZAPPED(plain + at(1));
	EXPECT_ZAPPED(plain + at(2));
	EXPECT_TYPE("WC", wc, 1, 2);
	EXPECT_TYPE("UC-", plain, 0, 1);
	EXPECT_TYPE("WC", plain + at(1), 1, 2);
	EXPECT_TYPE("UC-", plain + at(3), 3, 1);
	late = map_plain(dev.fd, 0, 4);
	ASSERT_MAPPED(late);
	EXPECT_TYPE("UC-", late, 0, 1);
	EXPECT_TYPE("WC", late + at(1), 1, 2);
	EXPECT_RESERVED(1, 2);
	pass_turn(&peer);
	take_turn(&peer);

	munmap(wc, at(2));
	EXPECT_ZAPPED(plain + at(1));
	EXPECT_ZAPPED(late + at(2));
	EXPECT_RELEASED();
	EXPECT_TYPE("UC-", plain, 0, 4);
	EXPECT_TYPE("UC-", late, 0, 4);
	pass_turn(&peer);
	EXPECT_EQ(0, reap(&peer));
	munmap(plain, at(4));
	munmap(late, at(4));
}

/* The same through another file of the device */
TEST_F(wc4, plain_follows_other_file)
{
	void *plain, *wc;
	int fd;

	if (variant->cdev)
		SKIP(return, "a cdev cannot be opened twice");
	fd = device_fd();
	ASSERT_LE(0, fd);
	plain = map_plain(fd, 0, 2);
	ASSERT_MAPPED(plain);
	EXPECT_TYPE("UC-", plain, 0, 2);
	wc = map_attr(dev.fd, WC, 1, 1);
	ASSERT_MAPPED(wc);
	EXPECT_TYPE("UC-", plain, 0, 1);
	EXPECT_TYPE("WC", plain + at(1), 1, 1);

	/* Both hold it WC: the first to go changes nothing */
	munmap(plain, at(2));
	plain = map_attr(fd, WC, 1, 1);
	ASSERT_MAPPED(plain);
	close(fd);
	munmap(wc, at(1));
	EXPECT_TYPE("WC", plain, 1, 1);
	EXPECT_RESERVED(1, 1);
	munmap(plain, at(1));
	EXPECT_RELEASED();
}

/* Cookies do promise: the second to come is told that the page is taken */
TEST_F(wc4, conflict)
{
	static const __u32 attrs[] = { NC, WC };

	for (size_t i = 0; i < ARRAY_SIZE(attrs); i++) {
		__u32 held = attrs[i], other = attrs[!i];
		const char *type = held == WC ? "WC" : "UC-";
		void *p = map_attr(dev.fd, held, 1, 2);
		void *beside;
		struct peer peer;
		int fd;

		ASSERT_MAPPED(p);
		EXPECT_TYPE(type, p, 1, 2);
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 1, 2));
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 2, 1));
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 0, 2));
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 2, 2));
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 0, 4));
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 0, dev.pages));
		EXPECT_EQ(0, try_attr(dev.fd, held, 0, 4));
		/* Who was refused leaves nothing behind, and did no harm */
		EXPECT_TYPE(type, p, 1, 2);
		EXPECT_RESERVED(1, held == WC ? 2 : 0);

		/* Both sides of it are free */
		beside = map_attr(dev.fd, other, 0, 1);
		ASSERT_MAPPED(beside);
		EXPECT_TYPE(held == WC ? "UC-" : "WC", beside, 0, 1);
		munmap(beside, at(1));
		EXPECT_EQ(0, try_attr(dev.fd, other, 3, 1));

		if (!variant->cdev) {
			fd = device_fd();
			ASSERT_LE(0, fd);
			EXPECT_EQ(EBUSY, try_attr(fd, other, 2, 1));
			EXPECT_EQ(0, try_attr(fd, held, 2, 1));
			EXPECT_EQ(0, try_attr(fd, other, 3, 1));
			close(fd);
		}

		/* A child keeps what its parent has given up */
		if (!spawn(&peer)) {
			EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 2, 1));
			pass_turn(&peer);
			take_turn(&peer);
			_exit(0);
		}
		ASSERT_LT(0, peer.pid);
		take_turn(&peer);
		munmap(p, at(2));
		EXPECT_EQ(EBUSY, try_attr(dev.fd, other, 2, 1));
		pass_turn(&peer);
		EXPECT_EQ(0, reap(&peer));

		/* Free again */
		p = map_attr(dev.fd, other, 1, 2);
		ASSERT_MAPPED(p);
		EXPECT_TYPE(held == WC ? "UC-" : "WC", p, 1, 2);
		munmap(p, at(2));
		EXPECT_RELEASED();
	}
}

/*
 * Data: reads and writes of the file agree with every mapping, whatever the
 * types. The window is three pages, the middle one is the one that turns WC.
 */
static __u64 pattern(__u64 seed, size_t i)
{
	return (seed + i) * 0x9e3779b97f4a7c15ULL;
}

static void fill(void *p, size_t size, __u64 seed)
{
	for (size_t i = 0; i < size / 8; i++)
		((__u64 *)p)[i] = pattern(seed, i);
	__sync_synchronize();
}

static bool filled(const void *p, size_t size, __u64 seed)
{
	for (size_t i = 0; i < size / 8; i++)
		if (((const __u64 *)p)[i] != pattern(seed, i))
			return false;
	return true;
}

TEST_F(wc_ram, read_write_across)
{
	static const size_t widths[] = { 1, 2, 4, 8, 3, 5, 7, 24, 61 };
	unsigned char in[64], out[64], *bulk;
	unsigned char *view, *wc;
	__u64 cookie, offset;

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, 3, &cookie));
	view = map_plain(dev.fd, 0, 3);
	wc = map(dev.fd, cookie + at(1), 1);
	bulk = malloc(at(3));
	ASSERT_MAPPED(view);
	ASSERT_MAPPED(wc);
	EXPECT_TYPE("UC-", view, 0, 1);
	EXPECT_TYPE("WC", wc, 1, 1);

	for (int way = 0; way < 2; way++) {
		offset = way ? cookie : bar()->offset;
		for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
			for (int pos = -16; pos <= 16; pos++) {
				for (int edge = 1; edge <= 2; edge++) {
					size_t len = widths[i], where = at(edge) + pos;

					memset(in, where + len, sizeof(in));
					ASSERT_EQ((ssize_t)len,
						  pwrite(dev.fd, in, len, offset + where));
					ASSERT_EQ(0, memcmp(in, view + where, len));
					memset(view + where, pos, len);
					__sync_synchronize();
					memset(in, pos, sizeof(in));
					ASSERT_EQ((ssize_t)len,
						  pread(dev.fd, out, len, offset + where));
					ASSERT_EQ(0, memcmp(in, out, len));
				}
			}
		}
		fill(view, at(1), 1);
		fill(wc, at(1), 2);
		fill(view + at(2), at(1), 3);
		ASSERT_EQ((ssize_t)at(3), pread(dev.fd, bulk, at(3), offset));
		EXPECT_TRUE(filled(bulk, at(1), 1));
		EXPECT_TRUE(filled(bulk + at(1), at(1), 2));
		EXPECT_TRUE(filled(bulk + at(2), at(1), 3));

		fill(bulk, at(3), 4 + way);
		ASSERT_EQ((ssize_t)at(3), pwrite(dev.fd, bulk, at(3), offset));
		EXPECT_TRUE(filled(view, at(3), 4 + way));
		EXPECT_EQ(0, memcmp(wc, view + at(1), at(1)));
		/* Neither aligned nor whole pages */
		memset(bulk, 0, at(3));
		ASSERT_EQ((ssize_t)at(2) + 77, pread(dev.fd, bulk, at(2) + 77, offset + 3));
		EXPECT_EQ(0, memcmp(bulk, view + 3, at(2) + 77));
	}
	EXPECT_TYPE("UC-", view, 0, 1);
	EXPECT_TYPE("WC", view + at(1), 1, 1);
	EXPECT_TYPE("UC-", view + at(2), 2, 1);
	EXPECT_RESERVED(1, 1);
	munmap(wc, at(1));

	/* Nothing is WC now, and the cookie still reads and writes */
	EXPECT_RELEASED();
	fill(view, at(3), 9);
	ASSERT_EQ((ssize_t)at(3), pread(dev.fd, bulk, at(3), cookie));
	EXPECT_TRUE(filled(bulk, at(3), 9));
	munmap(view, at(3));
	free(bulk);
}

/*
 * The same around huge pages, where the kernel's own mappings may begin and
 * end, with another BAR accessed in between.
 */
TEST_F(wc_ram, read_write_far)
{
	const long huge = PMD_SIZE / page_size;
	const long special[] = { 0, huge - 1, huge, 2 * huge + 5, dev.pages - 1 };
	void *wc[ARRAY_SIZE(special)], *view, *buf;
	struct bar *other = NULL;
	__u32 value;

	if (dev.pages < 4 * huge)
		SKIP(return, "needs a BAR of 8 MB");
	for (int i = 0; i < NR_BARS; i++)
		if (i != dev.nr && dev.bar[i].flags & VFIO_REGION_INFO_FLAG_MMAP)
			other = &dev.bar[i];
	view = map_plain(dev.fd, 0, dev.pages);
	buf = malloc(at(6));
	ASSERT_MAPPED(view);
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		wc[i] = map_attr(dev.fd, WC, special[i], 1);
		ASSERT_MAPPED(wc[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		long first = special[i] < 3 ? 0 : special[i] - 3;
		long n = first + 6 > dev.pages ? dev.pages - first : 6;

		fill(buf, at(n), i);
		ASSERT_EQ((ssize_t)at(n), pwrite(dev.fd, buf, at(n), bar()->offset + at(first)));
		EXPECT_TRUE(filled(view + at(first), at(n), i));
		EXPECT_EQ(0, memcmp(wc[i], buf + at(special[i] - first), page_size));
		if (other)
			EXPECT_EQ(4, pread(dev.fd, &value, 4, other->offset));
		fill(view + at(first), at(n), ~i);
		ASSERT_EQ((ssize_t)at(n), pread(dev.fd, buf, at(n), bar()->offset + at(first)));
		EXPECT_TRUE(filled(buf, at(n), ~i));
	}
	for (size_t i = 0; i < ARRAY_SIZE(special); i++)
		munmap(wc[i], page_size);
	munmap(view, at(dev.pages));
	free(buf);
}

/* A cookie ends where it ends, although the BAR goes on */
TEST_F(wc_ram, read_write_limits)
{
	unsigned char *view, buf[128];
	__u64 cookie;

	view = map_plain(dev.fd, 0, 4);
	ASSERT_MAPPED(view);
	fill(view, at(4), 7);
	for (__u32 attr = NC; attr <= WC; attr++) {
		ASSERT_EQ(0, page_cookie(dev.fd, attr, 1, 2, &cookie));
		ASSERT_EQ(64, pread(dev.fd, buf, 64, cookie));
		EXPECT_EQ(0, memcmp(buf, view + at(1), 64));
		EXPECT_EQ(64, pread(dev.fd, buf, 128, cookie + at(2) - 64));
		EXPECT_EQ(0, memcmp(buf, view + at(3) - 64, 64));
		EXPECT_EQ(64, pwrite(dev.fd, buf, 128, cookie + at(2) - 64));
		EXPECT_TRUE(filled(view, at(4), 7));
	}
	EXPECT_EQ(-1, pread(dev.fd, buf, 8, cookie + at(2)));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, pread(dev.fd, buf, 8, 1ULL << 60));
	EXPECT_EQ(EINVAL, errno);
	munmap(view, at(4));
}

/* Stress: threads that do one thing each until told to stop */
struct worker {
	pthread_t thread;
	long rounds, errors;
};

static bool stop;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void run_workers(struct __test_metadata *_metadata, void *(*const fn[])(void *), int n)
{
	struct worker w[8] = {};

	stop = false;
	for (int i = 0; i < n; i++)
		ASSERT_EQ(0, pthread_create(&w[i].thread, NULL, fn[i], &w[i]));
	sleep(STRESS_SECONDS);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		EXPECT_LT(0, w[i].rounds)
			TH_LOG("worker %d did nothing", i);
		EXPECT_EQ(0, w[i].errors)
			TH_LOG("worker %d: %ld of %ld rounds", i, w[i].errors, w[i].rounds);
	}
}

/* Page 1 WC, and back */
static void *toggle_wc(void *arg)
{
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		void *p = map_attr(dev.fd, WC, 1, 1);

		if (p == MAP_FAILED || !touch(p))
			w->errors++;
		if (p != MAP_FAILED)
			munmap(p, at(1));
	}
	return NULL;
}

static void *read_all(void *arg)
{
	struct worker *w = arg;
	void *buf = malloc(at(3));

	for (; !stopped(); w->rounds++)
		if (pread(dev.fd, buf, at(3), bar()->offset) != (ssize_t)at(3) ||
		    !filled(buf, at(3), 5))
			w->errors++;
	free(buf);
	return NULL;
}

/* The same values again, each by a write of its own */
static void *write_all(void *arg)
{
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		__u64 value = pattern(5, w->rounds % (at(3) / 8));

		if (pwrite(dev.fd, &value, 8, bar()->offset + w->rounds * 8 % at(3)) != 8)
			w->errors++;
	}
	return NULL;
}

static void *fault_plain(void *arg)
{
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		void *p = map_plain(dev.fd, 0, 3);

		if (p == MAP_FAILED || !touch_pages(p, 3) ||
		    (dev.ram && !filled(p, at(3), 5)))
			w->errors++;
		munmap(p, at(3));
	}
	return NULL;
}

TEST_F(wc_ram, read_write_while_wc_comes_and_goes)
{
	void *(*const workers[])(void *) = { toggle_wc, read_all, write_all, fault_plain };
	void *view;

	view = map_plain(dev.fd, 0, 3);
	ASSERT_MAPPED(view);
	fill(view, at(3), 5);
	run_workers(_metadata, workers, ARRAY_SIZE(workers));
	EXPECT_TRUE(filled(view, at(3), 5));
	EXPECT_TYPE("UC-", view, 0, 3);
	munmap(view, at(3));
}

/* Two types at once, by whoever comes first: never both */
static int holders[2];

static void claim(struct worker *w, __u32 attr)
{
	for (; !stopped(); w->rounds++) {
		void *p = map_attr(dev.fd, attr, 1, 2);

		if (p == MAP_FAILED) {
			w->errors += errno != EBUSY;
			continue;
		}
		__atomic_add_fetch(&holders[attr], 1, __ATOMIC_SEQ_CST);
		w->errors += __atomic_load_n(&holders[!attr], __ATOMIC_SEQ_CST) != 0;
		w->errors += !touch_pages(p, 2);
		__atomic_sub_fetch(&holders[attr], 1, __ATOMIC_SEQ_CST);
		munmap(p, at(2));
	}
}

static void *claim_wc(void *arg)
{
	claim(arg, WC);
	return NULL;
}

static void *claim_nc(void *arg)
{
	claim(arg, NC);
	return NULL;
}

TEST_F(wc4, conflict_race)
{
	void *(*const workers[])(void *) = { claim_wc, claim_nc, claim_wc, claim_nc };

	run_workers(_metadata, workers, ARRAY_SIZE(workers));
}

/*
 * The buffer of a read or write is itself a BAR mapping, not yet faulted in:
 * the fault comes in the middle of the access.
 */
static void *rw_into_mapping(void *arg)
{
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		void *wc = map_attr(dev.fd, WC, 1, 1);
		void *plain = map_plain(dev.fd, 0, 3);
		__u64 from = bar()->offset;

		if (wc == MAP_FAILED || plain == MAP_FAILED) {
			w->errors++;
			break;
		}
		/* Each pair holds the same values: nothing changes */
		w->errors += pread(dev.fd, wc, 64, from + at(1)) != 64;
		w->errors += pread(dev.fd, plain + at(2), 64, from + at(2)) != 64;
		w->errors += pwrite(dev.fd, wc + 256, 64, from + at(1) + 256) != 64;
		w->errors += pwrite(dev.fd, plain, 64, from) != 64;
		w->errors += pread(dev.fd, plain + at(1), 64, from + at(1)) != 64;
		munmap(wc, at(1));
		munmap(plain, at(3));
	}
	return NULL;
}

TEST_F(wc_ram, read_into_mapping)
{
	void *(*const workers[])(void *) = {
		rw_into_mapping, rw_into_mapping, toggle_wc, write_all
	};
	unsigned char *view, *wc;

	view = map_plain(dev.fd, 0, 4);
	wc = map_attr(dev.fd, WC, 1, 1);
	ASSERT_MAPPED(view);
	ASSERT_MAPPED(wc);

	/* From page 3 into the WC page, and from the WC page into page 3 */
	fill(view, at(4), 11);
	ASSERT_EQ((ssize_t)at(1), pread(dev.fd, wc, at(1), bar()->offset + at(3)));
	EXPECT_EQ(0, memcmp(view + at(1), view + at(3), at(1)));
	fill(view + at(1), at(1), 12);
	munmap(wc, at(1));
	wc = map_attr(dev.fd, WC, 1, 1);
	ASSERT_MAPPED(wc);
	ASSERT_EQ((ssize_t)at(1), pwrite(dev.fd, wc, at(1), bar()->offset + at(3)));
	EXPECT_TRUE(filled(view + at(3), at(1), 12));
	munmap(wc, at(1));

	fill(view, at(3), 5);
	run_workers(_metadata, workers, ARRAY_SIZE(workers));
	EXPECT_TRUE(filled(view, at(3), 5));
	munmap(view, at(4));
}

/* An eventfd that stores into the BAR by the kernel's own mapping */
static bool fires(int fd, void *where, size_t width, __u64 data)
{
	double deadline;
	__u64 seen = 0;

	memset(where, 0, 8);
	__sync_synchronize();
	if (eventfd_write(fd, 1))
		return false;
	deadline = now() + 5;
	while (now() < deadline) {
		memcpy(&seen, where, 8);
		if (!memcmp(&seen, &data, width))
			break;
	}
	/* All of it, no more than it */
	data &= ~0ULL >> (64 - 8 * width);
	return seen == data;
}

TEST_F(wc_ram, ioeventfd)
{
	const __u64 data = 0x8877665544332211ULL;
	unsigned char *view;

	view = map_plain(dev.fd, 0, 4);
	ASSERT_MAPPED(view);
	for (int width = 1; width <= 8; width *= 2) {
		/* In what becomes the WC page, and on both sides right beside it */
		const size_t where[] = { at(1) - 8, at(1), at(2) - 8, at(2) };
		int fd[ARRAY_SIZE(where)], late;
		void *wc;

		for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
			fd[i] = eventfd(0, EFD_CLOEXEC);
			ASSERT_EQ(0, ioeventfd(bar()->offset + where[i], data, width, fd[i]));
			EXPECT_TRUE(fires(fd[i], view + where[i], width, data));
		}
		wc = map_attr(dev.fd, WC, 1, 1);
		ASSERT_MAPPED(wc);
		EXPECT_TYPE("WC", wc, 1, 1);
		for (size_t i = 0; i < ARRAY_SIZE(where); i++)
			EXPECT_TRUE(fires(fd[i], view + where[i], width, data));
		/* One that comes while the page is WC, and stays on */
		late = eventfd(0, EFD_CLOEXEC);
		ASSERT_EQ(0, ioeventfd(bar()->offset + at(1) + 64, data, width, late));
		EXPECT_TRUE(fires(late, view + at(1) + 64, width, data));
		EXPECT_TYPE("WC", wc, 1, 1);
		EXPECT_RESERVED(1, 1);
		munmap(wc, at(1));
		EXPECT_RELEASED();
		EXPECT_TYPE("UC-", view, 0, 4);
		for (size_t i = 0; i < ARRAY_SIZE(where); i++) {
			EXPECT_TRUE(fires(fd[i], view + where[i], width, data));
			EXPECT_EQ(0, ioeventfd(bar()->offset + where[i], data, width, -1));
			close(fd[i]);
		}
		EXPECT_TRUE(fires(late, view + at(1) + 64, width, data));
		/* The WC page again: no stale pointer */
		wc = map_attr(dev.fd, WC, 0, 3);
		ASSERT_MAPPED(wc);
		EXPECT_TRUE(fires(late, wc + at(1) + 64, width, data));
		munmap(wc, at(3));
		EXPECT_EQ(0, ioeventfd(bar()->offset + at(1) + 64, data, width, -1));
		close(late);
	}
	munmap(view, at(4));
}

static void *fire(void *arg)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	unsigned char *view = map_plain(dev.fd, 0, 3);
	struct worker *w = arg;
	eventfd_t count;

	w->errors += !!ioeventfd(bar()->offset + at(1) + 128, 0x5a5a5a5a, 4, fd);
	for (; !stopped(); w->rounds++) {
		w->errors += !fires(fd, view + at(1) + 128, 4, 0x5a5a5a5a);
		eventfd_read(fd, &count);
	}
	w->errors += !!ioeventfd(bar()->offset + at(1) + 128, 0x5a5a5a5a, 4, -1);
	munmap(view, at(3));
	close(fd);
	return NULL;
}

TEST_F(wc_ram, ioeventfd_while_wc_comes_and_goes)
{
	void *(*const workers[])(void *) = { toggle_wc, fire };

	run_workers(_metadata, workers, ARRAY_SIZE(workers));
}

/* ioeventfds are for offsets of regions, and not for somewhere else */
TEST_F(wc4, ioeventfd_at_cookie)
{
	__u64 cookie;
	int fd;

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 1, 1, &cookie));
	fd = eventfd(0, EFD_CLOEXEC);
	EXPECT_EQ(EINVAL, ioeventfd(cookie, 0x1234, 4, fd));
	EXPECT_EQ(EINVAL, ioeventfd(cookie + at(1), 0x1234, 4, fd));
	close(fd);
}

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
	} arg = { .reset.argsz = sizeof(arg), .reset.count = !variant->cdev, .fd = dev.group };

	if (ioctl(dev.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &i))
		SKIP(return, "no hot reset for this device");
	if (variant->cdev && !(i.info.flags & VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED))
		SKIP(return, "a hot reset would hit devices of others");
	for (__u32 n = 0; n < i.info.count; n++)
		if (!variant->cdev &&
		    i.info.devices[n].group_id != (__u32)sysfs_link_number("iommu_group"))
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

/*
 * Huge leaves: wanted for big BARs, wrong as soon as they cover two types
 */
static int walk_bar(const void *p, struct leaf *leaf, int max)
{
	return walk(p, at(dev.pages), bar()->pa, leaf, max);
}

/* Is the whole BAR mapped by huge leaves of this type? */
static bool all_huge(const void *p, const char *type)
{
	static struct leaf leaf[4096];
	int n = walk_bar(p, leaf, ARRAY_SIZE(leaf));

	if (n != (int)(at(dev.pages) / leaf_size()))
		return false;
	for (int i = 0; i < n; i++)
		if (leaf[i].size != leaf_size() || strcmp(leaf[i].type, type) ||
		    leaf[i].pa != bar()->pa + i * leaf_size())
			return false;
	return true;
}

static const char *need_huge(void)
{
	char thp[64] = "";
	int fd;

	if (!pte_witness)
		return "the size of a leaf is only seen in the page table";
	if (at(dev.pages) < 4 * PMD_SIZE)
		return "needs a BAR of 8 MB";
	fd = open("/sys/kernel/mm/transparent_hugepage/enabled", O_RDONLY);
	if (fd < 0 || read(fd, thp, sizeof(thp) - 1) < 0 || strstr(thp, "[never]"))
		return "transparent huge pages are off";
	close(fd);
	return NULL;
}

/* The other process in huge_plain_with_wc_pages() */
static void huge_peer(struct __test_metadata *_metadata, struct peer *peer, const long *special)
{
	void *plain = map_whole_aligned(bar()->offset);

	ASSERT_MAPPED(plain);
	for (long page = 0; page < dev.pages; page += leaf_size() / page_size)
		ASSERT_TRUE(touch(plain + at(page)));
	EXPECT_TRUE(all_huge(plain, "UC-"));
	pass_turn(peer);
	take_turn(peer);
	for (int i = 0; i < 3; i++) {
		long page = special[i];

		EXPECT_ZAPPED(plain + at(page));
		if (page > 0)
			EXPECT_TYPE("UC-", plain + at(page - 1), page - 1, 1);
		EXPECT_TYPE("WC", plain + at(page), page, 1);
		if (page < dev.pages - 1)
			EXPECT_TYPE("UC-", plain + at(page + 1), page + 1, 1);
	}
	pass_turn(peer);
	take_turn(peer);
	for (int i = 0; i < 3; i++) {
		EXPECT_ZAPPED(plain + at(special[i]));
		EXPECT_TYPE("UC-", plain + at(special[i]), special[i], 1);
	}
	_exit(0);
}

TEST_F(wc, huge_plain_with_wc_pages)
{
	const long huge = PMD_SIZE / page_size;
	long special[] = { 0, dev.pages / 2 + huge / 2 + 3, dev.pages - 1 };
	const char *why = need_huge();
	static struct leaf leaf[4096];
	void *plain, *wc[3], *again;
	struct peer peer;
	int n;

	if (why)
		SKIP(return, "%s", why);
	if (!spawn(&peer))
		huge_peer(_metadata, &peer, special);
	ASSERT_LT(0, peer.pid);
	take_turn(&peer);
	plain = map_whole_aligned(bar()->offset);
	ASSERT_MAPPED(plain);
	for (long page = 0; page < dev.pages; page += leaf_size() / page_size)
		ASSERT_TRUE(touch(plain + at(page)));
	ASSERT_TRUE(all_huge(plain, "UC-"));

	for (int i = 0; i < 3; i++) {
		wc[i] = map_attr(dev.fd, WC, special[i], 1);
		ASSERT_MAPPED(wc[i]);
		EXPECT_ZAPPED(plain + at(special[i]));
		EXPECT_TYPE("WC", wc[i], special[i], 1);
	}
	if (wc_pages() >= 0)
		EXPECT_EQ(3, wc_pages());
	pass_turn(&peer);
	take_turn(&peer);

	/*
	 * Neighbours first, so that it is their fault that must not take a
	 * huge leaf along; then everything. And the same in a new mapping,
	 * where there are no page tables yet. Around the three pages leaves
	 * are small, all others are huge.
	 */
	again = map_whole_aligned(bar()->offset);
	ASSERT_MAPPED(again);
	for (void *p = plain; p; p = p == plain ? again : NULL) {
		ASSERT_TRUE(touch(p + at(1)));
		ASSERT_TRUE(touch(p + at(special[1] - 1)));
		ASSERT_TRUE(touch(p + at(dev.pages - 2)));
		ASSERT_TRUE(touch_pages(p, dev.pages));
		n = walk_bar(p, leaf, ARRAY_SIZE(leaf));
		EXPECT_LT(3 * huge, n);
		for (int i = 0; i < n; i++) {
			long page = (leaf[i].va - (uintptr_t)p) / page_size;
			bool is_wc = false, mixed = false;

			for (int j = 0; j < 3; j++) {
				is_wc |= page == special[j];
				mixed |= page / huge == special[j] / huge;
			}
			ASSERT_EQ(mixed, leaf[i].size == page_size)
				TH_LOG("page %ld", page);
			ASSERT_STREQ(is_wc ? "WC" : "UC-", leaf[i].type)
				TH_LOG("page %ld", page);
			ASSERT_EQ(bar()->pa + at(page), leaf[i].pa);
		}
	}

	for (int i = 0; i < 3; i++)
		munmap(wc[i], page_size);
	EXPECT_RELEASED();
	pass_turn(&peer);
	EXPECT_EQ(0, reap(&peer));
	ASSERT_TRUE(touch_pages(plain, dev.pages));
	n = walk_bar(plain, leaf, ARRAY_SIZE(leaf));
	EXPECT_LT(0, n);
	for (int i = 0; i < n; i++)
		ASSERT_STREQ("UC-", leaf[i].type);
	munmap(plain, at(dev.pages));
	munmap(again, at(dev.pages));

	/* Nothing is special any more: huge leaves everywhere */
	plain = map_whole_aligned(bar()->offset);
	ASSERT_MAPPED(plain);
	ASSERT_TRUE(touch_pages(plain, dev.pages));
	EXPECT_TRUE(all_huge(plain, "UC-"));
	munmap(plain, at(dev.pages));
}

TEST_F(wc, huge_wc)
{
	const char *why = need_huge();
	void *wc, *plain;
	__u64 offset;

	if (why)
		SKIP(return, "%s", why);
	plain = map_whole_aligned(bar()->offset);
	ASSERT_MAPPED(plain);
	ASSERT_TRUE(touch_pages(plain, dev.pages));
	ASSERT_TRUE(all_huge(plain, "UC-"));

	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, dev.pages, &offset));
	wc = map_whole_aligned(offset);
	ASSERT_MAPPED(wc);
	EXPECT_RESERVED(0, dev.pages);
	ASSERT_TRUE(touch_pages(wc, dev.pages));
	EXPECT_TRUE(all_huge(wc, "WC"));
	/* What size the plain mapping's leaves have meanwhile is nobody's promise */
	EXPECT_ZAPPED(plain);
	EXPECT_TYPE("WC", plain, 0, 4);
	EXPECT_TYPE("WC", plain + at(dev.pages - 4), dev.pages - 4, 4);
	munmap(wc, at(dev.pages));
	EXPECT_RELEASED();
	EXPECT_ZAPPED(plain);
	EXPECT_TYPE("UC-", plain, 0, 4);
	EXPECT_TYPE("UC-", plain + at(dev.pages - 4), dev.pages - 4, 4);
	munmap(plain, at(dev.pages));
}

/* A slice that begins and ends inside a huge leaf */
TEST_F(wc, huge_wc_slice)
{
	const long huge = PMD_SIZE / page_size, first = huge - 1, pages = 2 * huge + 2;
	const char *why = need_huge();
	static struct leaf leaf[4096];
	void *plain, *wc;
	__u64 offset;
	int n;

	if (why)
		SKIP(return, "%s", why);
	plain = map_whole_aligned(bar()->offset);
	ASSERT_MAPPED(plain);
	ASSERT_TRUE(touch_pages(plain, 4 * huge));
	ASSERT_EQ(0, page_cookie(dev.fd, WC, 0, dev.pages, &offset));
	/* At an address that is congruent with the physical one */
	wc = mmap(NULL, 5 * PMD_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	wc = (void *)(((uintptr_t)wc + PMD_SIZE) & ~(PMD_SIZE - 1)) + at(first);
	wc = mmap(wc, at(pages), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, dev.fd,
		  offset + at(first));
	ASSERT_MAPPED(wc);
	madvise(wc, at(pages), MADV_HUGEPAGE);
	ASSERT_TRUE(touch_pages(wc, pages));
	ASSERT_TRUE(touch_pages(plain, 4 * huge));
	if (wc_pages() >= 0)
		EXPECT_EQ(pages, wc_pages());

	n = walk(wc, at(pages), bar()->pa + at(first), leaf, ARRAY_SIZE(leaf));
	EXPECT_EQ(4, n);
	for (int i = 0; i < n; i++)
		EXPECT_STREQ("WC", leaf[i].type);
	n = walk(plain, 4 * PMD_SIZE, bar()->pa, leaf, ARRAY_SIZE(leaf));
	EXPECT_LT(0, n);
	for (int i = 0; i < n; i++) {
		long page = (leaf[i].va - (uintptr_t)plain) / page_size;

		ASSERT_STREQ(page >= first && page < first + pages ? "WC" : "UC-", leaf[i].type)
			TH_LOG("page %ld, leaf of %llu bytes", page, leaf[i].size);
	}
	munmap(wc, at(pages));
	munmap(plain, at(dev.pages));
	EXPECT_RELEASED();
}

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
	if (ioctl(dev.container, VFIO_IOMMU_MAP_DMA, &map))
		SKIP(return, "type1 maps no plain BAR: %s", strerror(errno));
	ASSERT_EQ(0, ioctl(dev.container, VFIO_IOMMU_UNMAP_DMA, &unmap));
	munmap(p, page_size);

	/* Not faulted in before, then faulted in */
	for (int i = 0; i < 2; i++) {
		p = map_attr(dev.fd, WC, 0, 1);
		ASSERT_MAPPED(p);
		if (i)
			touch(p);
		map.vaddr = (uintptr_t)p;
		ASSERT_EQ(0, ioctl(dev.container, VFIO_IOMMU_MAP_DMA, &map))
			TH_LOG("%s", strerror(errno));
		EXPECT_TYPE("WC", p, 0, 1);
		unmap.size = map.size;
		ASSERT_EQ(0, ioctl(dev.container, VFIO_IOMMU_UNMAP_DMA, &unmap));
		EXPECT_EQ(map.size, unmap.size);
		munmap(p, page_size);
		EXPECT_RELEASED();
	}
}

/* Everything at once. Accesses may fault: memory comes and goes, too. */
static void *random_slices(void *arg)
{
	unsigned int seed = (uintptr_t)&seed;
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		long page = rand_r(&seed) % 3, n = 1 + rand_r(&seed) % (4 - page);
		void *p = map_attr(dev.fd, WC, page, n);

		if (p == MAP_FAILED) {
			w->errors++;
			continue;
		}
		touch_pages(p, n);
		/* In pieces, in any order */
		if (n > 1)
			munmap(p + at(rand_r(&seed) % n), page_size);
		munmap(p, at(n));
	}
	return NULL;
}

static void *touch_plain(void *arg)
{
	void *p = map_plain(dev.fd, 0, 4);
	struct worker *w = arg;

	for (; !stopped(); w->rounds++)
		for (int i = 0; i < 4; i++)
			touch(p + at(i));
	munmap(p, at(4));
	return NULL;
}

static void *read_any(void *arg)
{
	struct worker *w = arg;
	__u64 value;

	for (; !stopped(); w->rounds++)
		if (pread(dev.fd, &value, 4, bar()->offset + at(w->rounds % 4)) != 4 &&
		    errno != EIO)
			w->errors++;
	return NULL;
}

static void *toggle_memory(void *arg)
{
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		if (is_virtfn())
			continue;
		w->errors += !!memory_enable(false);
		sched_yield();
		w->errors += !!memory_enable(true);
		usleep(1000);
	}
	return NULL;
}

static void *forker(void *arg)
{
	struct worker *w = arg;

	for (; !stopped(); w->rounds++) {
		int status = -1;
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (waitpid(pid, &status, 0) != pid || status)
			w->errors++;
	}
	return NULL;
}

TEST_F(wc4, stress)
{
	void *(*const workers[])(void *) = {
		random_slices, random_slices, touch_plain, read_any, toggle_memory, forker,
	};
	char *before, *after;
	void *p;

	before = snapshot();
	run_workers(_metadata, workers, ARRAY_SIZE(workers));
	EXPECT_RELEASED();
	after = snapshot();
	EXPECT_STREQ(before, after);
	p = map_attr(dev.fd, WC, 1, 2);
	ASSERT_MAPPED(p);
	EXPECT_TYPE("WC", p, 1, 2);
	munmap(p, at(2));
}

static bool is_bdf(const char *s)
{
	unsigned int domain, bus, device, function;
	int end = 0;

	return sscanf(s, "%4x:%2x:%2x.%1x%n", &domain, &bus, &device, &function, &end) == 4 &&
	       !s[end];
}

int main(int argc, char *argv[])
{
	bool supported;
	const char *why;
	int status;
	pid_t pid;

	page_size = sysconf(_SC_PAGESIZE);
	pte_witness = env("VFIO_SELFTESTS_PTE");
	dev.bdf = env("VFIO_SELFTESTS_BDF");
	if (argc > 1 && is_bdf(argv[argc - 1]))
		dev.bdf = argv[--argc];
	if (!dev.bdf)
		ksft_exit_skip("no device: name one, or set VFIO_SELFTESTS_BDF\n");

	why = open_device(false);
	if (why) {
		close_device();
		why = open_device(true) ? why : NULL;
	}
	if (why)
		ksft_exit_skip("%s: %s\n", dev.bdf, why);
	supported = !probe(dev.fd);
	ksft_print_msg("%s: BAR %d, %ld pages%s; mmap cookies %s\n", dev.bdf, dev.nr, dev.pages,
		       dev.ram ? " of plain memory" : "",
		       supported ? "supported" : "not supported");
	ksft_print_msg("types as told by: %s; reservations: %s\n",
		       pte_witness ? "the page table" :
		       wc_pages() >= 0 ? "pat_memtype_list" : "nobody, not checked",
		       wc_pages() >= 0 ? "pat_memtype_list" : "not checked");
	close_device();

	/* The harness exits; what it counts as passed may be a skip of ours */
	fflush(stdout);
	pid = fork();
	if (!pid)
		return test_harness_run(argc, argv);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return KSFT_FAIL;
	status = WEXITSTATUS(status);
	return status == KSFT_PASS && !supported ? KSFT_SKIP : status;
}
