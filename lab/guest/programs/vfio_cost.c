/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * vfio-cost BDF BAR            instructions of what every program does with a device
 * vfio-cost --cookies BDF BAR  instructions of what is done at mmap cookies, with 1, a tenth of the
 *                              limit, and the limit of them
 * vfio-cost --memory BDF BAR   bytes for an open file, a cookie and a mapping
 *
 * Prints "NUMBER WHAT", a line for each. Where the time-stamp counter counts instructions (QEMU's
 * -icount shift=0; "accel: icount" in lab/README.md) that is what the numbers are: the fewest of
 * many repeats, of mappings the median, and so without interrupts, to the instruction. System calls
 * are made right here: no library comes in between.
 */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "device.h"
#include "vfio_wc_uapi.h"

#define PAGE 4096ul
#define HUGE (2ul << 20)
#define REPEATS 300
#define COOKIES 256	/* VFIO_MMAP_COOKIES_MAX */
#define FILES 64
#define CONFIG VFIO_PCI_CONFIG_REGION_INDEX
/* PCI_INTERRUPT_LINE and what follows; VFIO keeps the line's number to itself. */
#define SCRATCH 0x3c

static struct vfio_wc_opened vfio;
static const char *bdf;
static unsigned int bar;
static uint64_t bar_size;

static inline uint64_t
now(void)
{
	uint32_t low, high;

	__asm__ volatile ("rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline long
call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile ("syscall" : "=a" (result)
		: "a" (number), "D" (a), "S" (b), "d" (c), "r" (r10), "r" (r8), "r" (r9)
		: "rcx", "r11", "memory");
	return result;
}

static void
check(long result, const char *what)
{
	if (result >= 0 || result < -4095)
		return;
	fprintf(stderr, "vfio-cost: %s: %s\n", what, strerror(-result));
	exit(2);
}

/* The fewest instructions of an expression, which fails with a negative errno. */
#define FEWEST(expression) __extension__ ({						\
	uint64_t fewest_ = UINT64_MAX, begin_, end_;				\
	long result_;								\
	int i_;									\
										\
	for (i_ = 0; i_ < REPEATS; i_++) {					\
		begin_ = now();							\
		result_ = (expression);						\
		end_ = now();							\
		check(result_, #expression);					\
		if (end_ - begin_ < fewest_)					\
			fewest_ = end_ - begin_;				\
	}									\
	fewest_;								\
})

static uint64_t nothing;	/* instructions that counting takes */

static void
say(uint64_t count, const char *what)
{
	printf("%llu %s\n", (unsigned long long)(count - nothing), what);
}

/* --- What every program does ------------------------------------------------------------------ */

static uint64_t
region(unsigned int index, uint64_t *size)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };

	check(call(SYS_ioctl, vfio.fd, VFIO_DEVICE_GET_REGION_INFO, (long)&info, 0, 0, 0),
		"VFIO_DEVICE_GET_REGION_INFO");
	*size = info.size;
	return info.offset;
}

static uint64_t
region_info(unsigned int index, size_t argsz)
{
	union {
		struct vfio_region_info info;
		char room[512];
	} arg;

	return FEWEST(({
		arg.info.argsz = argsz;
		arg.info.index = index;
		call(SYS_ioctl, vfio.fd, VFIO_DEVICE_GET_REGION_INFO, (long)&arg, 0, 0, 0);
	}));
}

static uint64_t
transfer(long number, uint64_t offset, size_t size, int fd)
{
	uint32_t value = 0;

	if (number == SYS_pwrite64)
		check(call(SYS_pread64, fd, (long)&value, size, offset, 0, 0), "pread");
	return FEWEST(call(number, fd, (long)&value, size, offset, 0, 0));
}

static int
by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static uint64_t
median(uint64_t *value)
{
	qsort(value, REPEATS, sizeof(*value), by_size);
	return value[REPEATS / 2];
}

/*
 * A free address that is congruent with a BAR's, for a mapping of @size bytes, between pages that
 * keep the page tables above it alive: it is the mapping's own cost that is asked for. (One page
 * is not enough for what crosses a multiple of 1 GB, as one in sixteen of the BAR's mappings does.)
 */
static char *
free_address(uint64_t size)
{
	uint64_t length = 2 * HUGE + size;
	char *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS |
		MAP_NORESERVE, -1, 0), *free;

	if (p == MAP_FAILED)
		check(-errno, "mmap");
	madvise(p, length, MADV_NOHUGEPAGE);
	free = (char *)(((uintptr_t)p + HUGE) & ~(HUGE - 1));
	if (size < HUGE) {
		free[0] = 1;
		free += PAGE;
	} else {
		free[size] = 1;
	}
	munmap(free, size);
	return free;
}

static void
map_and_touch(int fd, uint64_t offset, uint64_t size, uint64_t *map, uint64_t *fault)
{
	static uint64_t maps[REPEATS], faults[REPEATS];
	char *where = free_address(size), *p;
	uint64_t begin;
	int i;

	for (i = 0; i < REPEATS; i++) {
		begin = now();
		p = (char *)call(SYS_mmap, (long)where, size, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_FIXED_NOREPLACE, fd, offset);
		maps[i] = now() - begin;
		check((long)p, "mmap");
		if (size >= HUGE)
			madvise(p, size, MADV_HUGEPAGE);
		begin = now();
		*(volatile uint8_t *)p;
		faults[i] = now() - begin;
		munmap(p, size);
	}
	*map = median(maps);
	*fault = median(faults);
}

static void
usual(void)
{
	uint64_t map, fault, size, offset, config;

	offset = region(bar, &size);
	config = region(CONFIG, &size);
	say(region_info(bar, sizeof(struct vfio_region_info)), "REGION_INFO of the BAR");
	say(region_info(bar, 512), "REGION_INFO of the BAR, room for capabilities");
	say(region_info(CONFIG, sizeof(struct vfio_region_info)), "REGION_INFO of config space");
	map_and_touch(vfio.fd, offset, PAGE, &map, &fault);
	say(map, "mmap of a page");
	say(fault, "first fault");
	if (bar_size >= HUGE) {
		map_and_touch(vfio.fd, offset, bar_size, &map, &fault);
		say(map, "mmap of the BAR");
		say(fault, "first fault, huge");
	}
	say(transfer(SYS_pread64, offset, 4, vfio.fd), "read of 4 bytes of the BAR");
	say(transfer(SYS_pwrite64, offset, 4, vfio.fd), "write of 4 bytes of the BAR");
	say(transfer(SYS_pread64, config, 4, vfio.fd), "read of 4 bytes of config space");
	say(transfer(SYS_pwrite64, config + SCRATCH, 4, vfio.fd),
		"write of 4 bytes of config space");
	say(transfer(SYS_pread64, offset, 0, vfio.fd), "read of nothing of the BAR");
}

/* --- Cookies ---------------------------------------------------------------------------------- */

static int
another_file(void)
{
	int fd = ioctl(vfio.group, VFIO_GROUP_GET_DEVICE_FD, bdf);

	if (fd < 0)
		check(-errno, "VFIO_GROUP_GET_DEVICE_FD");
	return fd;
}

struct request {
	uint32_t argsz, flags;	/* struct vfio_device_feature, whose end is open */
	struct vfio_device_feature_mmap_cookie cookie;
};

/* A page, so that each number is another cookie. */
static void
fill(struct request *r, unsigned int number)
{
	*r = (struct request){
		.argsz = sizeof(*r),
		.flags = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_MMAP_COOKIE,
		.cookie.region = bar,
		.cookie.attr = VFIO_MMAP_ATTR_WRITECOMBINE,
		.cookie.start = number * PAGE,
		.cookie.size = PAGE,
	};
}

static uint64_t
cookie(int fd, unsigned int number)
{
	struct request r;

	fill(&r, number);
	check(call(SYS_ioctl, fd, VFIO_DEVICE_FEATURE, (long)&r, 0, 0, 0), "asking for a cookie");
	return r.cookie.offset;
}

static bool
has_cookies(void)
{
	struct request r;

	fill(&r, 0);
	return ioctl(vfio.fd, VFIO_DEVICE_FEATURE, &r) == 0;
}

static uint64_t
again(int fd, unsigned int number)
{
	struct request r;

	fill(&r, number);
	return FEWEST(call(SYS_ioctl, fd, VFIO_DEVICE_FEATURE, (long)&r, 0, 0, 0));
}

static int
file_with_cookies(unsigned int n, uint64_t *offset)
{
	int fd = another_file();
	unsigned int i;

	for (i = 0; i < n; i++)
		offset[i] = cookie(fd, i);
	return fd;
}

static void
say_of(uint64_t count, const char *what, unsigned int n)
{
	char text[80];

	snprintf(text, sizeof(text), "%s at a cookie, %u of them", what, n);
	say(count, text);
}

/* With n cookies on one file: the most that the first, the last and the one between cost. */
static void
map_cookies(unsigned int n)
{
	uint64_t offset[COOKIES], map, fault, most[2] = { 0 };
	const unsigned int chosen[] = { 0, n / 2, n - 1 };
	int fd = file_with_cookies(n, offset);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		map_and_touch(fd, offset[chosen[i]], PAGE, &map, &fault);
		most[0] = map > most[0] ? map : most[0];
		most[1] = fault > most[1] ? fault : most[1];
	}
	say_of(most[0], "mmap of a page", n);
	say_of(most[1], "first fault", n);
	close(fd);
}

/* The most that any of them costs. */
static void
read_cookies(unsigned int n)
{
	uint64_t offset[COOKIES], count, most[3] = { 0 };
	int fd = file_with_cookies(n, offset);
	unsigned int i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < 3; j++) {
			count = j == 2 ? again(fd, i) :
				transfer(SYS_pread64, offset[i], j * 4, fd);
			most[j] = count > most[j] ? count : most[j];
		}
	say_of(most[0], "read of nothing", n);
	say_of(most[1], "read of 4 bytes", n);
	say_of(most[2], "the same request", n);
	close(fd);
}

static void
at_cookies(void)
{
	static const unsigned int numbers[] = { 1, COOKIES / 10, COOKIES };
	unsigned int i;

	/* Each mapping has the kernel's mapping of the BAR pushed out, and let in again */
	for (i = 0; i < 3; i++)
		map_cookies(numbers[i]);
	for (i = 0; i < 3; i++)
		read_cookies(numbers[i]);
}

/* --- Memory ----------------------------------------------------------------------------------- */

struct slabs {
	unsigned long long accounted;	/* to the cgroup that we are in */
	unsigned long long all;		/* of the whole system */
};

static unsigned long long
number_in(const char *path, const char *format)
{
	unsigned long long number;
	char line[128];
	FILE *f = fopen(path, "r");
	int found = 0;

	if (f == NULL)
		check(-errno, path);
	while (found != 1 && fgets(line, sizeof(line), f) != NULL)
		found = sscanf(line, format, &number);
	fclose(f);
	if (found != 1)
		check(-ENOENT, path);
	return number;
}

static struct slabs
slabs(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/memory.stat", getenv("COST_CGROUP"));
	/* What was counted on each CPU is added up every two seconds. */
	sleep(3);
	return (struct slabs){
		number_in(path, "slab %llu"),
		number_in("/proc/meminfo", "Slab: %llu") << 10,
	};
}

static void
say_bytes(struct slabs from, struct slabs to, unsigned int n, const char *what)
{
	printf("%.0f bytes accounted for %s\n%.0f bytes of slabs for %s\n",
		(double)(to.accounted - from.accounted) / n, what,
		(double)(to.all - from.all) / n, what);
}

static void
map_each(int fd)
{
	unsigned int i;

	for (i = 0; i < COOKIES; i++)
		if (mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, cookie(fd, i)) ==
				MAP_FAILED)
			check(-errno, "mmap");
}

static void
memory(bool cookies)
{
	struct slabs before = slabs(), between, after;
	unsigned int i, j;
	int fd[FILES];

	for (i = 0; i < FILES; i++)
		fd[i] = another_file();
	between = slabs();
	say_bytes(before, between, FILES, "an open file");
	for (i = 0; cookies && i < FILES; i++)
		for (j = 0; j < COOKIES; j++)
			cookie(fd[i], j);
	after = slabs();
	if (cookies) {
		say_bytes(between, after, FILES * COOKIES, "a cookie");
		/* The mappings of the second file share what those of the first hold */
		map_each(fd[0]);
		before = slabs();
		say_bytes(after, before, COOKIES, "a mapping");
		map_each(fd[1]);
		say_bytes(before, slabs(), COOKIES, "a further mapping");
	}
	for (i = 0; i < FILES; i++)
		close(fd[i]);
}

int
main(int argc, char **argv)
{
	const char *what = argc == 4 ? argv[1] : "";
	struct vfio_wc_sysfs dev;

	if (argc != 3 && argc != 4) {
		fprintf(stderr, "usage: vfio-cost [--cookies | --memory] BDF BAR\n");
		return 2;
	}
	bdf = argv[argc - 2];
	bar = atoi(argv[argc - 1]);
	if (bar >= PCI_STD_NUM_BARS || device_open(bdf, &dev, &vfio) < 0)
		return 2;
	bdf = dev.bdf;
	bar_size = dev.bar[bar].size;
	nothing = FEWEST(0);
	if (strcmp(what, "--cookies") == 0)
		at_cookies();
	else if (strcmp(what, "--memory") == 0)
		memory(has_cookies());
	else
		usual();
	vfio_wc_close(&vfio);
	return 0;
}
