/* SPDX-License-Identifier: BSD-3-Clause */

#include "test.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "door.h"
#include "fake_next.h"
#include "fake_vfio.h"
#include "known.h"
#include "next.h"

static struct door door;

/* The fake's devices: 0 has BAR 4 of 4 pages, 1 has BAR 3 of 8 with the MSI-X table in 2 and 3. */
#define REGION(n) ((off_t)(n) << 40)
#define RW (PROT_READ | PROT_WRITE)

static int
setup(void **state)
{
	fake_reset();
	return hear(state);
}

static int
teardown(void **state)
{
	known_closes(0, UINT_MAX);
	vfio_wc_conf_free(&door.conf);
	door.verbose = false;
	return hear_no_more(state);
}

static void
want(const char *text)
{
	struct rte_vfio_wc_error error;

	vfio_wc_conf_free(&door.conf);
	if (vfio_wc_conf_add(&door.conf, "test", text, &error) != 0)
		fail_msg("%s", error.text);
}

static char *
map(int fd, off_t offset, size_t length)
{
	return door_mmap(&door, NULL, length, RW, MAP_SHARED, fd, offset);
}

/* "PPPW": what the pages from addr on are */
static const char *
pages(const char *addr, unsigned int n)
{
	static char text[64];
	unsigned int i;

	for (i = 0; i < n; i++)
		text[i] = ".PUW"[fake_at(addr + i * FAKE_PAGE)];
	text[n] = '\0';
	return text;
}

static void
assert_plain_offsets(const char *addr, unsigned int device, off_t offset, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		assert_true(fake_is(addr + i * FAKE_PAGE, device, offset + i * FAKE_PAGE));
}

static void
a_page_of_a_bar(void **state)
{
	char *at;

	(void)state;
	want("dev=00:03.0,bar=4,offset=0x3000,len=0x1000");
	at = map(FAKE_FD, REGION(4), 0x4000);
	assert_string_equal(pages(at, 4), "PPPW");
	assert_plain_offsets(at, 0, REGION(4), 4);
	assert_int_equal(fake_mapped(), 4);
	/* a part of it, which begins within the BAR, and one that does not reach it */
	at = map(FAKE_FD, REGION(4) + 0x2000, 0x2000);
	assert_string_equal(pages(at, 2), "PW");
	at = map(FAKE_FD, REGION(4), 0x3000);
	assert_string_equal(pages(at, 3), "PPP");
	at = map(FAKE_FD, REGION(1), 0x1000);
	assert_string_equal(pages(at, 1), "P");
	assert_string_equal(heard(), "");
}

static void
several_ranges_and_types(void **state)
{
	char *at;

	(void)state;
	want("dev=00:03.0,bar=4,len=0x1000,bar=4,offset=0x3000\n"
		"dev=00:03.0,bar=4,offset=0x1000,len=0x1000,type=uc");
	at = map(FAKE_FD, REGION(4), 0x4000);
	assert_string_equal(pages(at, 4), "WUPW");
	assert_plain_offsets(at, 0, REGION(4), 4);
	assert_int_equal(fake_mapped(), 4);
	/* a length that is no whole page is what the kernel makes of it */
	at = map(FAKE_FD, REGION(4), 0x1001);
	assert_string_equal(pages(at, 2), "WU");
	/* two types and nothing else */
	assert_plain_offsets(at, 0, REGION(4), 2);
}

static void
all_of_a_bar(void **state)
{
	const unsigned int before = fake.nb_mmaps;
	char *at;

	(void)state;
	want("dev=1af4:1041,bar=4");
	at = map(FAKE_FD, REGION(4), 0x4000);
	assert_string_equal(pages(at, 4), "WWWW");
	assert_int_equal(fake.nb_mmaps, before + 1);
	/* from within */
	at = map(FAKE_FD, REGION(4) + 0x2000, 0x1000);
	assert_string_equal(pages(at, 1), "W");
	assert_true(fake_is(at, 0, REGION(4) + 0x2000));
}

static void
the_built_in_table(void **state)
{
	char *at;

	(void)state;
	want("mode=auto");
	at = map(FAKE_FD, REGION(4), 0x4000);
	assert_string_equal(pages(at, 4), "PPPP");
	fake.device[0].vendor = 0x1d0f;
	fake.device[0].device = 0xec20;
	fake.device[0].bar[2] = fake.device[0].bar[4];
	at = map(FAKE_FD, REGION(2), 0x4000);
	assert_string_equal(pages(at, 4), "WWWW");
	at = map(FAKE_FD, REGION(4), 0x4000);
	assert_string_equal(pages(at, 4), "PPPP");
}

static char *
reserve(unsigned int n)
{
	return next.mmap(NULL, n * FAKE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
in_place_of_something(void **state)
{
	char *room = reserve(16), *at;

	(void)state;
	want("dev=00:03.0,bar=4,offset=0x1000,len=0x1000,mode=required");
	at = door_mmap(&door, room + 0x2000, 0x4000, RW, MAP_SHARED | MAP_FIXED, FAKE_FD,
		REGION(4));
	assert_ptr_equal(at, room + 0x2000);
	assert_string_equal(pages(room, 8), "..PWPP..");
	assert_plain_offsets(at, 0, REGION(4), 4);
	assert_int_equal(fake_mapped(), 4);
	/* over itself, shifted */
	at = door_mmap(&door, room + 0x3000, 0x4000, RW, MAP_SHARED | MAP_FIXED, FAKE_FD,
		REGION(4));
	assert_string_equal(pages(room, 8), "..PPWPP.");
	assert_int_equal(fake_mapped(), 5);
	/* where that cannot be, as the kernel says it */
	at = door_mmap(&door, room + 0x800, 0x4000, RW, MAP_SHARED | MAP_FIXED, FAKE_FD, REGION(4));
	assert_ptr_equal(at, MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(pages(room, 8), "..PPWPP.");
	/* only if nothing is there: something is */
	at = door_mmap(&door, room + 0x3000, 0x4000, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, FAKE_FD,
		REGION(4));
	assert_ptr_equal(at, MAP_FAILED);
	assert_int_equal(errno, EEXIST);
	assert_string_equal(pages(room, 8), "..PPWPP.");
	munmap(room + 0xa000, 0x4000);
	at = door_mmap(&door, room + 0xa000, 0x4000, RW, MAP_SHARED | MAP_FIXED_NOREPLACE, FAKE_FD,
		REGION(4));
	assert_ptr_equal(at, room + 0xa000);
	assert_string_equal(pages(at, 4), "PWPP");
	munmap(room, 16 * FAKE_PAGE);
}

static void
around_the_msix_table(void **state)
{
	char *at;

	(void)state;
	want("dev=00:04.0,bar=3,len=0x2000\ndev=00:04.0,bar=3,offset=0x5000,mode=required");
	at = map(FAKE_FD + 1, REGION(3), 0x8000);
	assert_string_equal(pages(at, 8), "WWPPPWWW");
	assert_string_equal(heard(), "");

	want("dev=00:04.0,bar=3,offset=0x3000,len=0x2000");
	at = map(FAKE_FD + 1, REGION(3), 0x8000);
	assert_string_equal(pages(at, 8), "PPPPPPPP");
	assert_string_equal(heard(), "vfio-wc-run: 0000:00:04.0 BAR 3 [0x3000, 0x5000): the MSI-X "
		"table is in [0x2000, 0x4000) and stays uncached; it stays uncached\n");

	want("dev=00:04.0,bar=3,mode=required");
	assert_ptr_equal(map(FAKE_FD + 1, REGION(3), 0x8000), MAP_FAILED);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(heard(), "vfio-wc-run: 0000:00:04.0 BAR 3 [0x0, 0x8000): the MSI-X "
		"table is in [0x2000, 0x4000) and stays uncached; it is not mapped, since "
		"mode=required\n");
	/* a part of the BAR that is not met */
	at = map(FAKE_FD + 1, REGION(0), 0x4000);
	assert_string_equal(pages(at, 4), "PPPP");
}

static void
required_fails_closed(void **state)
{
	static const struct {
		int probe, get, mmap, err;
		uint32_t types;
		const char *why;
	} cases[] = {
		{ ENOTTY, 0, 0, ENOTTY, 0, "this kernel's vfio driver has no mmap cookies" },
		{ 0, 0, 0, EOPNOTSUPP, 1, "WC: this memory type cannot be had" },
		{ 0, ENOSPC, 0, ENOSPC, 3, "256 cookies already" },
		{ 0, 0, EBUSY, EBUSY, 3, "mmap as WC: a page of it is held with another memory" },
	};
	char *room = reserve(4), text[64];
	unsigned int i;
	int fixed;

	(void)state;
	assert_ptr_equal(door_mmap(&door, room, 0x4000, RW, MAP_SHARED | MAP_FIXED, FAKE_FD,
		REGION(4)), room);
	want("dev=00:03.0,bar=4,offset=0x3000,mode=required");
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake.device[0].probe_errno = cases[i].probe;
		fake.device[0].get_errno = cases[i].get;
		fake.device[0].bar[4].types = cases[i].types;
		fake.cookie_mmap_errno = cases[i].mmap;
		for (fixed = 0; fixed <= MAP_FIXED; fixed += MAP_FIXED) {
			assert_ptr_equal(door_mmap(&door, fixed ? room : NULL, 0x4000, RW,
				MAP_SHARED | fixed, FAKE_FD, REGION(4)), MAP_FAILED);
			assert_int_equal(errno, cases[i].err);
			snprintf(text, sizeof(text), "%s", heard());
			assert_contains(text, "0000:00:03.0 BAR 4 [0x3000, 0x4000)");
			assert_string_equal(pages(room, 4), "PPPP");
			assert_int_equal(fake_mapped(), 4);
		}
		map(FAKE_FD, REGION(4) + 0x3000, 0x1000);
		assert_contains(heard(), cases[i].why);
	}
	/* what has nothing to do with it goes on */
	assert_string_equal(pages(map(FAKE_FD, REGION(4), 0x3000), 3), "PPP");
}

#define SYSFS "/sys/devices/pci0000:00/"

/* UIO's way to a BAR, and that of tools: past VFIO. */
static void
a_bar_that_is_mapped_through_sysfs(void **state)
{
	static const char *const others[] = {
		SYSFS "0000:00:03.0/resource1", SYSFS "0000:00:04.0/resource4",
		SYSFS "0000:00:03.0/resource4_wc", SYSFS "0000:00:03.0/resource",
		SYSFS "0000:00:03.0/resource44", "/tmp/resource4", "socket:[1]", "",
	};
	size_t i;

	(void)state;
	want("dev=00:03.0,bar=4,offset=0x3000,len=0x1000,mode=required\n"
		"dev=00:03.0,bar=4,len=0x1000,mode=required,type=uc");
	fake.other_path = SYSFS "0000:00:03.0/resource4";
	errno = 0;
	assert_false(door_lets_pass(&door, FAKE_OTHER, 0, 0x4000));
	assert_int_equal(errno, ENOTSUP);
	assert_string_equal(heard(), "vfio-wc-run: 0000:00:03.0 BAR 4 [0x3000, 0x4000): is mapped "
		"through sysfs, not through VFIO; it is not mapped, since mode=required\n");
	fake.other_path = "/host" SYSFS "0000:00:1c.0/0000:00:03.0/resource4";
	assert_false(door_lets_pass(&door, FAKE_OTHER, 0x3000, 1));
	heard();
	/* up to it */
	assert_true(door_lets_pass(&door, FAKE_OTHER, 0, 0x3000));
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		fake.other_path = others[i];
		assert_true(door_lets_pass(&door, FAKE_OTHER, 0, 0x4000));
	}
	/* nobody must have it */
	want("dev=00:03.0,bar=4,offset=0x3000,len=0x1000");
	fake.other_path = SYSFS "0000:00:03.0/resource4";
	assert_true(door_lets_pass(&door, FAKE_OTHER, 0, 0x4000));
	assert_string_equal(heard(), "");
	/* all of it, of a device that sysfs has no more to say of */
	want("dev=00:05.0,bar=2,mode=required");
	fake.other_path = SYSFS "0000:00:05.0/resource2";
	assert_false(door_lets_pass(&door, FAKE_OTHER, 0x1000, 0x1000));
}

static void
a_range_that_cannot_be(void **state)
{
	(void)state;
	want("dev=00:03.0,bar=4,offset=0x4000,mode=required");
	assert_ptr_equal(map(FAKE_FD, REGION(4), 0x4000), MAP_FAILED);
	assert_int_equal(errno, ERANGE);
	assert_contains(heard(), "leaves the BAR, which has 0x4000 bytes");
	/* whoever asks for it means another device */
	assert_ptr_equal(map(FAKE_FD, REGION(1), 0x1000), MAP_FAILED);
	want("dev=00:03.0,bar=2,mode=required");
	assert_ptr_equal(map(FAKE_FD, REGION(4), 0x4000), MAP_FAILED);
	assert_contains(heard(), "0000:00:03.0 BAR 2 [0x0, 0x0): the device has no such BAR");
	want("dev=00:03.0,bar=2");
	assert_string_equal(pages(map(FAKE_FD, REGION(4), 0x4000), 4), "PPPP");
}

static void
one_notice_a_device(void **state)
{
	(void)state;
	fake.device[0].probe_errno = ENOTTY;
	fake.device[0].bar[4].types = fake.device[0].bar[1].types = 0;
	want("dev=00:03.0,bar=4,len=0x1000,bar=4,offset=0x2000,len=0x1000,bar=1");
	fake.device[0].bdf = "0000:00:13.0";
	want("dev=00:13.0,bar=4,len=0x1000,bar=4,offset=0x2000,len=0x1000,bar=1");
	assert_string_equal(pages(map(FAKE_FD, REGION(4), 0x4000), 4), "PPPP");
	assert_string_equal(heard(), "vfio-wc-run: 0000:00:13.0 BAR 4 [0x0, 0x1000): this kernel's "
		"vfio driver has no mmap cookies, all its mappings are uncached; it stays "
		"uncached\n");
	assert_string_equal(pages(map(FAKE_FD, REGION(1), 0x1000), 1), "P");
	assert_string_equal(pages(map(FAKE_FD, REGION(4), 0x4000), 4), "PPPP");
	assert_string_equal(heard(), "");
}

static void
one_range_of_two_can_be_had(void **state)
{
	(void)state;
	want("dev=00:04.0,bar=3,len=0x1000,bar=3,offset=0x3000,len=0x1000");
	assert_string_equal(pages(map(FAKE_FD + 1, REGION(3), 0x8000), 8), "WPPPPPPP");
	/* whichever comes first */
	want("dev=00:04.0,bar=3,offset=0x3000,len=0x1000,bar=3,offset=0x6000");
	assert_string_equal(pages(map(FAKE_FD + 1, REGION(3), 0x8000), 8), "PPPPPPWW");
}

static void
the_kernel_refuses_the_plain_mapping(void **state)
{
	(void)state;
	want("dev=00:03.0,bar=4,len=0x1000");
	fake.plain_mmap_errno = EACCES;
	assert_ptr_equal(map(FAKE_FD, REGION(4), 0x4000), MAP_FAILED);
	assert_int_equal(errno, EACCES);
	assert_int_equal(fake_mapped(), 0);
	assert_string_equal(heard(), "");
}

static void
verbose(void **state)
{
	(void)state;
	door.verbose = true;
	want("dev=00:03.0,bar=4,offset=0x1000");
	map(FAKE_FD, REGION(4), 0x3000);
	assert_contains(heard(), "0000:00:03.0 BAR 4 [0x1000, 0x4000): 0x2000 bytes at 0x");
	map(FAKE_FD + 1, REGION(0), 0x4000);
	assert_string_equal(heard(), "vfio-wc-run: 0000:00:04.0: nothing is wanted of this device, "
		"it stays uncached\n");
}

/* Two functions of one kind, whose fds say nothing of their addresses. */
static void
twins(void)
{
	fake.device[0] = fake.device[1];
	fake.device[0].bdf = "0000:00:03.0";
	fake.device[0].is_vf = fake.device[1].is_vf = true;
}

static void
whose_fd_it_is(void **state)
{
	static const char one[] = "dev=00:04.0,bar=0,mode=required";

	(void)state;
	/* nobody said: IDs and BARs do, or the addresses in the registers */
	want(one);
	assert_string_equal(pages(map(FAKE_FD + 1, REGION(0), 0x4000), 4), "WWWW");
	twins();
	fake.device[0].is_vf = fake.device[1].is_vf = false;
	fake.device[0].bar[0].start += 0x100000;
	assert_string_equal(pages(map(FAKE_FD, REGION(0), 0x4000), 4), "PPPP");
	assert_string_equal(pages(map(FAKE_FD + 1, REGION(0), 0x4000), 4), "WWWW");

	/* no way to tell them apart: only one of them shall have it */
	twins();
	assert_ptr_equal(map(FAKE_FD + 1, REGION(0), 0x4000), MAP_FAILED);
	assert_int_equal(errno, ENODEV);
	assert_string_equal(heard(), "vfio-wc-run: 8086:10ca (fd 1001): which of 2 devices this is "
		"cannot be told, and not the same is wanted of all; it is not mapped, since "
		"mode=required\n");
	want("dev=00:04.0,bar=0");
	assert_string_equal(pages(map(FAKE_FD + 1, REGION(0), 0x4000), 4), "PPPP");
	assert_contains(heard(), "cannot be told, and not the same is wanted of all; it stays");
	/* no need to */
	want("dev=00:04.0,bar=0,mode=required\ndev=00:03.0,bar=0,mode=required");
	assert_string_equal(pages(map(FAKE_FD + 1, REGION(0), 0x4000), 4), "WWWW");
	want("dev=8086:10ca,bar=0,mode=required");
	assert_string_equal(pages(map(FAKE_FD + 1, REGION(0), 0x4000), 4), "WWWW");

	/* newer kernels tell */
	want(one);
	fake.device[1].syspath = "/sys/devices/pci0000:00/0000:00:04.0";
	assert_string_equal(pages(map(FAKE_FD + 1, REGION(0), 0x4000), 4), "WWWW");
	fake.device[0].syspath = "/sys/devices/pci0000:00/0000:00:03.0";
	assert_string_equal(pages(map(FAKE_FD, REGION(0), 0x4000), 4), "PPPP");
}

static void
an_fd_that_was_opened_by_address(void **state)
{
	(void)state;
	twins();
	want("dev=00:04.0,bar=0,mode=required");
	known_add(FAKE_FD + 1, "0000:00:04.0 vf_token=13f50c52-96b3-4a0f-8f35-000000000000");
	known_add(FAKE_FD, "0000:00:03.0");
	assert_string_equal(pages(map(FAKE_FD + 1, REGION(0), 0x4000), 4), "WWWW");
	assert_string_equal(pages(map(FAKE_FD, REGION(0), 0x4000), 4), "PPPP");
	/* duplicates of them */
	assert_string_equal(pages(map(FAKE_DUP + 1, REGION(0), 0x4000), 4), "WWWW");
	assert_string_equal(pages(map(FAKE_DUP, REGION(0), 0x4000), 4), "PPPP");
	/* dup2(): a number that was another device's */
	known_copied(FAKE_FD + 1, FAKE_DUP);
	assert_true(known_any());
	known_closes(FAKE_FD, FAKE_FD);
	known_closes(FAKE_FD + 1, FAKE_FD + 1);
	known_closes(FAKE_DUP, FAKE_DUP);
	assert_false(known_any());
	assert_ptr_equal(map(FAKE_FD + 1, REGION(0), 0x4000), MAP_FAILED);
}

/* Numbers that a device had: what was closed at once, and what is left of it. */
static void
a_range_that_is_closed(void **state)
{
	struct rlimit files;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	files.rlim_cur = files.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_int_equal(dup2(STDIN_FILENO, FAKE_DUP), FAKE_DUP);
	twins();
	want("dev=00:03.0,bar=0,mode=required");
	known_add(FAKE_FD, "0000:00:03.0");
	known_add(FAKE_FD + 1, "0000:00:04.0");
	/* the duplicate of one has its name */
	known_closes(FAKE_FD, FAKE_FD + 1);
	assert_string_equal(pages(map(FAKE_DUP, REGION(0), 0x4000), 4), "WWWW");
	assert_ptr_equal(map(FAKE_DUP + 1, REGION(0), 0x4000), MAP_FAILED);
	/* but not one that goes as well */
	known_closes(FAKE_DUP, FAKE_DUP);
	known_add(FAKE_FD, "0000:00:03.0");
	known_closes(FAKE_FD, UINT_MAX);
	assert_false(known_any());
	close(FAKE_DUP);
}

/* A child closes what is its own; that of vfork() what is its parent's, who still has it. */
static void
what_children_close(void **state)
{
	pid_t child;
	int status;

	(void)state;
	known_add(FAKE_FD, "0000:00:03.0");
	child = fork();
	if (child == 0) {
		known_closes(FAKE_FD, FAKE_FD);
		_exit(known_any());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	child = vfork();
	if (child == 0) {
		known_closes(FAKE_FD, FAKE_FD);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(known_any());
}

static void
the_kernel_knows_better(void **state)
{
	(void)state;
	twins();
	want("dev=00:04.0,bar=0,mode=required");
	/* a number that was closed behind our back */
	known_add(FAKE_FD + 1, "0000:00:03.0");
	fake.is_cdev = true;
	assert_true(vfio_wc_is_device(FAKE_FD + 1));
	assert_string_equal(pages(map(FAKE_FD + 1, REGION(0), 0x4000), 4), "WWWW");
	/* or has no place to say it: it is a device all the same */
	fake.no_sysfs = true;
	assert_true(vfio_wc_is_device(FAKE_FD + 1));
	fake.is_cdev = fake.no_sysfs = false;
	assert_true(vfio_wc_is_device(FAKE_FD + 1));
	fake.device[1].syspath = "/sys/devices/pci0000:00/0000:00:04.0";
	assert_string_equal(pages(map(FAKE_FD + 1, REGION(0), 0x4000), 4), "WWWW");
}

static void
what_is_no_address_is_not_kept(void **state)
{
	(void)state;
	known_add(FAKE_FD, "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");
	known_add(FAKE_FD, "an mdev's name that is longer than an address can be");
	assert_false(known_any());
	known_add(FAKE_FD, "0000:00:03.0");
	known_add(FAKE_FD, "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001");
	assert_false(known_any());
}

static void
moved_as_one(void **state)
{
	char *room = reserve(16), *at;

	(void)state;
	want("dev=00:03.0,bar=4,offset=0x1000,len=0x1000");
	at = map(FAKE_FD, REGION(4), 0x4000);
	assert_true(door_has_pieces());
	assert_ptr_equal(door_move(at, 0x4000, 0x4000, room), room);
	assert_string_equal(pages(room, 5), "PWPP.");
	assert_string_equal(pages(at, 4), "....");
	assert_plain_offsets(room, 0, REGION(4), 4);
	/* a part, from within, and less than there was */
	assert_ptr_equal(door_move(room + 0x1000, 0x3000, 0x2000, room + 0x8000), room + 0x8000);
	assert_string_equal(pages(room, 11), "P.......WP.");
	/* one piece is the kernel's; so is what is no mapping */
	assert_ptr_equal(door_move(room, 0x1000, 0x1000, room + 0x7000), room + 0x7000);
	assert_string_equal(pages(room, 11), ".......PWP.");
	assert_ptr_equal(door_move(room + 0x7000, 0x4000, 0x4000, room), MAP_FAILED);
	assert_int_equal(errno, EFAULT);
	assert_string_equal(pages(room, 11), ".......PWP.");
	munmap(room, 16 * FAKE_PAGE);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(a_page_of_a_bar),
		TEST(several_ranges_and_types),
		TEST(all_of_a_bar),
		TEST(the_built_in_table),
		TEST(in_place_of_something),
		TEST(around_the_msix_table),
		TEST(required_fails_closed),
		TEST(a_bar_that_is_mapped_through_sysfs),
		TEST(a_range_that_cannot_be),
		TEST(one_notice_a_device),
		TEST(one_range_of_two_can_be_had),
		TEST(the_kernel_refuses_the_plain_mapping),
		TEST(verbose),
		TEST(whose_fd_it_is),
		TEST(an_fd_that_was_opened_by_address),
		TEST(a_range_that_is_closed),
		TEST(what_children_close),
		TEST(the_kernel_knows_better),
		TEST(what_is_no_address_is_not_kept),
		TEST(moved_as_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
