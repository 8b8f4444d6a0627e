/* SPDX-License-Identifier: BSD-3-Clause */

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_vfio.h"
#include "rte_vfio_wc.h"
#include "vfio_wc_uapi.h"

static struct rte_vfio_wc_error error;

static const struct rte_vfio_wc_range notify = {
	.device = "0000:00:03.0", .fd = FAKE_FD, .bar = 4, .offset = 0x3000, .length = 0x1000,
};

static int
setup(void **state)
{
	(void)state;
	fake_reset();
	memset(&error, 0, sizeof(error));
	return 0;
}

static void
probe_needs_feature_and_capability(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(rte_vfio_wc_probe("dev", FAKE_FD, &error), 0);

	/* some other kernel's feature of that number */
	fake.device[0].capability_feature = 12;
	assert_int_equal(rte_vfio_wc_probe("dev", FAKE_FD, &error), -EPROTO);
	assert_int_equal(error.err, EPROTO);
	fake.device[0].capability_feature = VFIO_DEVICE_FEATURE_MMAP_COOKIE;
	for (i = 0; i < 6; i++)
		fake.device[0].bar[i].types = 0;
	assert_int_equal(rte_vfio_wc_probe("dev", FAKE_FD, &error), -EPROTO);
	/* and the capability without the feature */
	fake.device[0].bar[4].types = 3;
	fake.device[0].probe_errno = ENOTTY;
	assert_int_equal(rte_vfio_wc_probe("dev", FAKE_FD, &error), -ENOTTY);
	assert_contains(error.text, "dev: this kernel's vfio driver has no mmap cookies");
	/* a vfio driver without any features */
	fake.device[0].probe_errno = EINVAL;
	assert_int_equal(rte_vfio_wc_probe("dev", FAKE_FD, &error), -ENOTTY);
	/* anything else is told as it is */
	fake.device[0].probe_errno = EPERM;
	assert_int_equal(rte_vfio_wc_probe("dev", FAKE_FD, NULL), -EPERM);
}

static void
a_uio_fd_is_refused(void **state)
{
	struct rte_vfio_wc_bar_info info;
	struct rte_vfio_wc_range range = notify;
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	range.fd = pipes[0];
	assert_int_equal(rte_vfio_wc_probe("dev", pipes[0], &error), -ENODEV);
	assert_contains(error.text, "is not a VFIO device");
	assert_int_equal(rte_vfio_wc_bar_info("dev", pipes[0], 0, &info, &error), -ENODEV);
	assert_int_equal(rte_vfio_wc_remap(&range, RTE_VFIO_WC_TYPE_WC, &range, &error), -ENODEV);
	assert_int_equal(rte_vfio_wc_restore(&range, &range, &error), -ENODEV);
	close(pipes[0]);
	close(pipes[1]);
}

static void
bar_info_tells_what_the_kernel_says(void **state)
{
	struct rte_vfio_wc_bar_info info;

	(void)state;
	assert_int_equal(rte_vfio_wc_bar_info("dev", FAKE_FD, 4, &info, &error), 0);
	assert_int_equal(info.size, 0x4000);
	assert_int_equal(info.fd_offset, (uint64_t)4 << 40);
	assert_true(info.mappable);
	assert_false(info.io);
	assert_int_equal(info.types, 3);
	assert_int_equal(info.msix_length, 0);

	assert_int_equal(rte_vfio_wc_bar_info("dev", FAKE_FD, 0, &info, &error), 0);
	assert_int_equal(info.size, 0);

	assert_int_equal(rte_vfio_wc_bar_info("dev", FAKE_FD + 1, 2, &info, &error), 0);
	assert_true(info.io);
	assert_false(info.mappable);
	assert_int_equal(info.types, 0);

	/* 257 entries of 16 bytes reach into a second page */
	assert_int_equal(rte_vfio_wc_bar_info("dev", FAKE_FD + 1, 3, &info, &error), 0);
	assert_int_equal(info.msix_offset, 0x2000);
	assert_int_equal(info.msix_length, 0x2000);

	assert_int_equal(rte_vfio_wc_bar_info("dev", FAKE_FD, 6, &info, &error), -EINVAL);
	assert_contains(error.text, "dev BAR 6: a PCI device has BARs 0 to 5");
}

static void
a_looping_capability_chain_ends(void **state)
{
	struct rte_vfio_wc_bar_info info;

	(void)state;
	fake.device[0].capability_loop = true;
	assert_int_equal(rte_vfio_wc_bar_info("dev", FAKE_FD, 4, &info, &error), 0);
	assert_int_equal(info.types, 0);
}

/* What can be told without asking the kernel, with the words the user sees. */
static void
ranges_are_checked(void **state)
{
	static const struct {
		unsigned int device, bar;
		uint64_t offset, length;
		int err;
		const char *text;
	} cases[] = {
		{ 0, 4, 0x3000, 0, EINVAL, "the range is empty" },
		{ 0, 4, 0x3004, 0x1000, EINVAL, "multiples of the page size, 0x1000" },
		{ 0, 4, 0x3000, 0x800, EINVAL, "multiples of the page size, 0x1000" },
		{ 0, 4, 0x3000, 0x2000, ERANGE, "leaves the BAR, which has 0x4000 bytes" },
		{ 0, 4, 0x4000, 0x1000, ERANGE, "leaves the BAR" },
		{ 0, 4, 0x1000, -(uint64_t)0x1000 + 0, EOVERFLOW, "wraps" },
		{ 0, 0, 0, 0x1000, ENODEV, "no such BAR" },
		{ 0, 7, 0, 0x1000, EINVAL, "BARs 0 to 5" },
		{ 1, 2, 0, 0x1000, ENODEV, "I/O ports" },
		{ 1, 3, 0, 0x8000, EINVAL, "the MSI-X table is in [0x2000, 0x4000)" },
		{ 1, 3, 0x3000, 0x1000, EINVAL, "MSI-X table" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rte_vfio_wc_range range = {
			.device = "card", .fd = FAKE_FD + cases[i].device, .bar = cases[i].bar,
			.offset = cases[i].offset, .length = cases[i].length,
		};
		char subject[32];
		uint64_t cookie;
		void *va;

		snprintf(subject, sizeof(subject), "card BAR %u", cases[i].bar);
		assert_int_equal(rte_vfio_wc_cookie(&range, RTE_VFIO_WC_TYPE_WC, &cookie, &error),
			-cases[i].err);
		assert_int_equal(error.err, cases[i].err);
		assert_contains(error.text, subject);
		assert_contains(error.text, cases[i].text);
		assert_int_equal(rte_vfio_wc_map(&range, RTE_VFIO_WC_TYPE_WC, &va, NULL),
			-cases[i].err);
		assert_int_equal(rte_vfio_wc_remap(&range, RTE_VFIO_WC_TYPE_WC, &range, NULL),
			-cases[i].err);
	}
	assert_int_equal(fake.nb_mmaps, 0);

	/* beside the table all is well */
	{
		struct rte_vfio_wc_range beside = {
			.device = "card", .fd = FAKE_FD + 1, .bar = 3, .length = 0x2000,
		};
		uint64_t cookie;

		assert_int_equal(rte_vfio_wc_cookie(&beside, RTE_VFIO_WC_TYPE_WC, &cookie, &error),
			0);
		beside.offset = 0x4000;
		beside.length = 0x4000;
		assert_int_equal(rte_vfio_wc_cookie(&beside, RTE_VFIO_WC_TYPE_WC, &cookie, &error),
			0);
	}
	fake.device[0].bar[4].mappable = false;
	assert_int_equal(rte_vfio_wc_mapped(&notify, &notify, &error), -ENODEV);
	assert_contains(error.text, "does not let this BAR be mapped");
}

static void
each_errno_of_the_kernel_has_its_words(void **state)
{
	static const struct {
		int err;
		const char *text;
	} cases[] = {
		{ ENOTTY, "no mmap cookies" },
		{ EOPNOTSUPP, "nopat" },
		{ ENOSPC, "256 cookies" },
		{ ENODEV, "does not let this BAR be mapped" },
		{ EINVAL, "refuses the request" },
		{ ENOMEM, "Cannot allocate memory" },
		{ EFAULT, "Bad address" },
	};
	uint64_t cookie;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake.device[0].get_errno = cases[i].err;
		assert_int_equal(rte_vfio_wc_cookie(&notify, RTE_VFIO_WC_TYPE_WC, &cookie, &error),
			-cases[i].err);
		assert_int_equal(error.err, cases[i].err);
		assert_contains(error.text, "0000:00:03.0 BAR 4 [0x3000, 0x4000): WC: ");
		assert_contains(error.text, cases[i].text);
	}
}

static void
types_that_are_not_offered_are_refused(void **state)
{
	uint64_t cookie;
	unsigned int i;

	(void)state;
	fake.device[0].bar[4].types = 1;	/* as with nopat */
	assert_int_equal(rte_vfio_wc_cookie(&notify, RTE_VFIO_WC_TYPE_WC, &cookie, &error),
		-EOPNOTSUPP);
	assert_contains(error.text, "nopat");
	assert_int_equal(rte_vfio_wc_cookie(&notify, RTE_VFIO_WC_TYPE_UC, &cookie, &error), 0);
	assert_int_equal(rte_vfio_wc_cookie(&notify, (enum rte_vfio_wc_type)2, &cookie, &error),
		-EINVAL);
	assert_contains(error.text, "unknown memory type 2");

	/* this BAR has none, another one has */
	fake.device[0].bar[4].types = 0;
	assert_int_equal(rte_vfio_wc_cookie(&notify, RTE_VFIO_WC_TYPE_WC, &cookie, &error),
		-ENODEV);
	/* no BAR has, and the kernel has no such feature: that is the reason to tell */
	for (i = 0; i < 6; i++)
		fake.device[0].bar[i].types = 0;
	fake.device[0].probe_errno = ENOTTY;
	assert_int_equal(rte_vfio_wc_cookie(&notify, RTE_VFIO_WC_TYPE_WC, &cookie, &error),
		-ENOTTY);
	assert_contains(error.text, "0000:00:03.0 BAR 4 [0x3000, 0x4000): this kernel's");
}

static void
map_gives_the_type(void **state)
{
	void *wc, *uc;

	(void)state;
	assert_int_equal(rte_vfio_wc_map(&notify, RTE_VFIO_WC_TYPE_WC, &wc, &error), 0);
	assert_int_equal(fake_at(wc), FAKE_WC);
	assert_int_equal(rte_vfio_wc_map(&notify, RTE_VFIO_WC_TYPE_UC, &uc, &error), 0);
	assert_int_equal(fake_at(uc), FAKE_UC);

	fake.cookie_mmap_errno = EBUSY;
	assert_int_equal(rte_vfio_wc_map(&notify, RTE_VFIO_WC_TYPE_WC, &wc, &error), -EBUSY);
	assert_contains(error.text, "BAR 4 [0x3000, 0x4000): mmap as WC: a page of it is held");
}

/* Another fd does not know it, be it of another device or of the same. */
static void
a_cookie_is_the_fds_that_it_was_asked_of(void **state)
{
	struct rte_vfio_wc_range other = notify;
	uint64_t cookie, others;
	void *va;

	(void)state;
	fake.device[1].bar[4] = fake.device[0].bar[4];
	other.fd = FAKE_FD + 1;
	assert_int_equal(rte_vfio_wc_cookie(&notify, RTE_VFIO_WC_TYPE_WC, &cookie, &error), 0);
	assert_int_equal(rte_vfio_wc_cookie(&other, RTE_VFIO_WC_TYPE_WC, &others, &error), 0);
	assert_int_not_equal(cookie, others);
	assert_int_equal(rte_vfio_wc_map(&notify, RTE_VFIO_WC_TYPE_WC, &va, &error), 0);
	assert_int_equal(rte_vfio_wc_map(&other, RTE_VFIO_WC_TYPE_WC, &va, &error), 0);
	assert_int_equal(fake_at(va), FAKE_WC);
}

/* The four pages of BAR 4, by the first letters of what they are. */
static const char *
four_pages(const char *va)
{
	static char text[5];
	unsigned int i;

	for (i = 0; i < 4; i++)
		text[i] = ".PUW"[fake_at(va + i * FAKE_PAGE)];
	return text;
}

static void
remap_changes_this_range_alone(void **state)
{
	struct rte_vfio_wc_range two = notify;
	char *va = fake_map_bar(0, 4);

	(void)state;
	assert_int_equal(rte_vfio_wc_remap(&notify, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error), 0);
	assert_string_equal(four_pages(va), "PPPW");
	assert_int_equal(rte_vfio_wc_mapped(&notify, va + 0x3000, &error), 0);
	assert_int_equal(fake_mapped(), 4);

	/* once more is no harm */
	assert_int_equal(rte_vfio_wc_remap(&notify, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error), 0);
	assert_string_equal(four_pages(va), "PPPW");

	two.offset = 0x1000;
	two.length = 0x2000;
	assert_int_equal(rte_vfio_wc_remap(&two, RTE_VFIO_WC_TYPE_UC, va + 0x1000, &error), 0);
	assert_string_equal(four_pages(va), "PUUW");

	assert_int_equal(rte_vfio_wc_restore(&two, va + 0x1000, &error), 0);
	assert_int_equal(rte_vfio_wc_restore(&notify, va + 0x3000, &error), 0);
	assert_string_equal(four_pages(va), "PPPP");
	assert_int_equal(fake_mapped(), 4);
}

static void
a_refused_type_leaves_the_mapping_alone(void **state)
{
	char *va = fake_map_bar(0, 4);

	(void)state;
	fake.cookie_mmap_errno = EBUSY;
	assert_int_equal(rte_vfio_wc_remap(&notify, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error),
		-EBUSY);
	assert_string_equal(four_pages(va), "PPPP");
	assert_int_equal(fake.nb_mmaps, 1);
}

static void
a_failing_mremap_leaves_no_hole_and_no_rest(void **state)
{
	char *va = fake_map_bar(0, 4);

	(void)state;
	fake.mremap = FAKE_MREMAP_KEEPS;
	assert_int_equal(rte_vfio_wc_remap(&notify, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error),
		-ENOMEM);
	assert_contains(error.text, "the old mapping stays");
	assert_string_equal(four_pages(va), "PPPP");
	assert_int_equal(fake_mapped(), 4);

	fake.mremap = FAKE_MREMAP_LEAVES_HOLE;
	assert_int_equal(rte_vfio_wc_remap(&notify, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error),
		-ENOMEM);
	assert_contains(error.text, "the plain mapping was put back");
	assert_string_equal(four_pages(va), "PPPP");
	assert_int_equal(fake_mapped(), 4);

	fake.plain_mmap_errno = ENOMEM;
	assert_int_equal(rte_vfio_wc_remap(&notify, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error),
		-ENOTRECOVERABLE);
	assert_contains(error.text, "could not be put back");
	assert_string_equal(four_pages(va), "PPP.");
	assert_int_equal(fake_mapped(), 3);
}

static void
only_this_range_of_a_device_is_replaced(void **state)
{
	char *va = fake_map_bar(0, 4);
	void *other;

	(void)state;
	/* the wrong page of the BAR */
	assert_int_equal(rte_vfio_wc_remap(&notify, RTE_VFIO_WC_TYPE_WC, va, &error), -ENXIO);
	assert_contains(error.text, "is not a mapping of this range of a VFIO device");
	/* another BAR's */
	other = fake_map_bar(0, 1);
	assert_int_equal(rte_vfio_wc_remap(&notify, RTE_VFIO_WC_TYPE_WC, other, &error), -ENXIO);
	/* another device's, as large as this one, where they can be told apart */
	fake.device[1].bar[4] = fake.device[0].bar[4];
	fake.is_cdev = true;
	other = (char *)fake_map_bar(1, 4) + 0x3000;
	assert_int_equal(rte_vfio_wc_remap(&notify, RTE_VFIO_WC_TYPE_WC, other, &error), -ENXIO);
	assert_int_equal(fake_at(other), FAKE_PLAIN);
	assert_int_equal(rte_vfio_wc_mapped(&notify, va + 0x3000, &error), 0);
	fake.is_cdev = false;
	/* memory */
	other = mmap(NULL, 0x1000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_int_equal(rte_vfio_wc_remap(&notify, RTE_VFIO_WC_TYPE_WC, other, &error), -ENXIO);
	munmap(other, 0x1000);
	assert_string_equal(four_pages(va), "PPPP");

	/* some driver's mapping at that very offset; and a device opened without a group */
	fake.maps_path = "/dev/dri/card0";
	assert_int_equal(rte_vfio_wc_mapped(&notify, va + 0x3000, &error), -ENXIO);
	fake.maps_path = "";
	assert_int_equal(rte_vfio_wc_mapped(&notify, va + 0x3000, &error), -ENXIO);
	fake.maps_path = "/dev/vfio/devices/vfio12";
	assert_int_equal(rte_vfio_wc_mapped(&notify, va + 0x3000, &error), 0);
	fake.maps_path = "anon_inode:[vfio-device]";

	/* a hole amidst the range */
	{
		struct rte_vfio_wc_range four = notify;
		char *holed = fake_map_bar(0, 4);

		four.offset = 0;
		four.length = 0x4000;
		assert_int_equal(rte_vfio_wc_mapped(&four, holed, &error), 0);
		fake_unmap(holed + 0x1000, 0x1000);
		assert_int_equal(rte_vfio_wc_mapped(&four, holed, &error), -ENXIO);
	}

	/* half of the range is gone */
	{
		struct rte_vfio_wc_range two = notify;

		two.offset = 0x2000;
		two.length = 0x2000;
		fake_unmap(va + 0x3000, 0x1000);
		assert_int_equal(rte_vfio_wc_remap(&two, RTE_VFIO_WC_TYPE_WC, va + 0x2000, &error),
			-ENXIO);
		assert_int_equal(rte_vfio_wc_restore(&two, va + 0x2000, &error), -ENXIO);
		assert_int_equal(rte_vfio_wc_mapped(&two, va + 0x2000, &error), -ENXIO);
	}
	/* what was unmapped is not put back */
	assert_int_equal(rte_vfio_wc_restore(&notify, va + 0x3000, &error), -ENXIO);
	assert_string_equal(four_pages(va), "PPP.");

	fake.maps_unreadable = true;
	assert_int_equal(rte_vfio_wc_remap(&notify, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error),
		-EACCES);
	assert_contains(error.text, "/proc/self/maps");
}

/* Two cards of one kind, whose fds cannot be told apart by what /proc/self/maps says. */
static void
nothing_is_put_in_the_place_of_another_devices(void **state)
{
	const uint64_t start = fake.device[1].bar[0].start;
	struct rte_vfio_wc_range range = notify;
	char *va;

	(void)state;
	fake.device[1] = fake.device[0];
	fake.device[1].bdf = "0000:00:04.0";
	fake.device[1].bar[4].start = start;
	va = fake_map_bar(1, 4);
	assert_int_equal(rte_vfio_wc_remap(&range, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error),
		-ENXIO);
	assert_contains(error.text, "is a mapping of another device, at physical 0xfe103000");
	assert_int_equal(rte_vfio_wc_restore(&range, va + 0x3000, &error), -ENXIO);
	assert_int_equal(fake_at(va + 0x3000), FAKE_PLAIN);
	range.fd = FAKE_FD + 1;
	range.device = "00:04.0";
	assert_int_equal(rte_vfio_wc_remap(&range, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error), 0);
	assert_int_equal(rte_vfio_wc_restore(&range, va + 0x3000, &error), 0);
	/* where the page tables say nothing, what is known is believed */
	fake.pages_untold = true;
	assert_int_equal(rte_vfio_wc_remap(&notify, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error), 0);
}

static void
the_fd_is_the_devices(void **state)
{
	struct rte_vfio_wc_range range = notify;
	char *va = fake_map_bar(0, 4);

	(void)state;
	range.device = "0000:00:04.0";
	assert_int_equal(rte_vfio_wc_remap(&range, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error),
		-ENODEV);
	assert_contains(error.text, "fd 1000 is another device's");
	range.device = "0000:00:05.0";
	assert_int_equal(rte_vfio_wc_remap(&range, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error),
		-ENODEV);
	assert_int_equal(fake_at(va + 0x3000), FAKE_PLAIN);
	range.device = "my NIC";
	assert_int_equal(rte_vfio_wc_remap(&range, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error), 0);
}

/* A program of tomorrow asks a library of today for something that it does not know. */
static void
what_is_reserved_is_not_passed_over(void **state)
{
	struct rte_vfio_wc_range range = notify;
	char *va = fake_map_bar(0, 4);

	(void)state;
	range.reserved[3] = 1;
	assert_int_equal(rte_vfio_wc_remap(&range, RTE_VFIO_WC_TYPE_WC, va + 0x3000, &error),
		-EINVAL);
	assert_contains(error.text, "[0x3000, 0x4000): a reserved field is not 0");
	assert_int_equal(rte_vfio_wc_mapped(&range, va + 0x3000, &error), -EINVAL);
}

static void
is_wc_says_what_the_kernel_has_reserved(void **state)
{
	char *va = fake_map_bar(0, 4), *other = fake_map_bar(0, 1);

	(void)state;
	assert_int_equal(rte_vfio_wc_is_wc(va, 8, &error), -ENOENT);
	assert_contains(error.text, "pat_memtype_list: No such file");
	fake.pat_list = "PAT memtype list:\n"
		"PAT: [mem 0x0000008000000000-0x0000008000004000] uncached-minus\n"
		"PAT: [mem 0x0000008000001000-0x0000008000002000] write-combining\n"
		"PAT: [mem 0x0000008000002000-0x0000008000003000] write-combining\n"
		"PAT: [mem 0x0000008000003000-0x0000008000004000] uncached-minus\n";
	assert_int_equal(rte_vfio_wc_is_wc(va, 0x1000, &error), 0);
	assert_int_equal(rte_vfio_wc_is_wc(va + 0x1000, 0x2000, &error), 1);
	assert_int_equal(rte_vfio_wc_is_wc(va + 0x2ff8, 8, &error), 1);
	assert_int_equal(rte_vfio_wc_is_wc(va + 0x2ff8, 9, &error), 0);
	assert_int_equal(rte_vfio_wc_is_wc(va + 0xfff, 2, &error), 0);
	assert_int_equal(rte_vfio_wc_is_wc(va, 0x4000, &error), 0);
	assert_int_equal(rte_vfio_wc_is_wc(other, 1, &error), 0);
	assert_int_equal(rte_vfio_wc_is_wc(va, 0, &error), -EINVAL);
	assert_int_equal(rte_vfio_wc_is_wc(va, UINT64_MAX, &error), -EINVAL);
	/* what nobody tells is no "no" */
	fake.pages_untold = true;
	assert_int_equal(rte_vfio_wc_is_wc(va + 0x1000, 1, &error), -EPERM);
	assert_contains(error.text, "CAP_SYS_ADMIN");
	fake.pages_unused = true;
	assert_int_equal(rte_vfio_wc_is_wc(va + 0x1000, 1, NULL), -EAGAIN);
}

static void
memtype_lists_are_clipped(void **state)
{
	struct rte_vfio_wc_memtype list[4];

	(void)state;
	assert_int_equal(rte_vfio_wc_pat_list(0, 1, list, 4, &error), -ENOENT);
	assert_contains(error.text, "pat_memtype_list: No such file");

	fake.pat_list = "PAT memtype list:\n"
		"PAT: [mem 0x00000000bffe0000-0x00000000bffe1000] write-back\n"
		"PAT: [mem 0x0000008000000000-0x0000008000004000] uncached-minus\n"
		"PAT: [mem 0x0000008000003000-0x0000008000004000] write-combining\n"
		"PAT: [mem 0x0000008000004000-0x0000008000005000] uncached\n";
	assert_int_equal(rte_vfio_wc_pat_list(0x8000002000, 0x2000, list, 4, &error), 2);
	assert_string_equal(list[0].type, "UC-");
	assert_int_equal(list[0].start, 0x8000002000);
	assert_int_equal(list[0].length, 0x2000);
	assert_string_equal(list[1].type, "WC");
	assert_int_equal(list[1].start, 0x8000003000);
	assert_int_equal(list[1].length, 0x1000);
	list[1].type = "untouched";
	assert_int_equal(rte_vfio_wc_pat_list(0x8000002000, 0x3000, list, 1, &error), 3);
	assert_string_equal(list[1].type, "untouched");
	assert_int_equal(rte_vfio_wc_pat_list(0x8000004000, 0x1000, list, 4, &error), 1);
	assert_string_equal(list[0].type, "UC");

	fake.mtrr = "reg00: base=0x0c0000000 ( 3072MB), size= 1024MB, count=1: uncachable\n"
		"reg01: base=0x8000000000 (524288MB), size=   64KB, count=1: write-combining\n";
	assert_int_equal(rte_vfio_wc_mtrr_list(0x8000002000, 0x1000, list, 4, &error), 1);
	assert_string_equal(list[0].type, "WC");
	assert_int_equal(rte_vfio_wc_mtrr_list(0x8000010000, 0x1000, list, 4, &error), 0);
	assert_int_equal(rte_vfio_wc_mtrr_list(0xffffff000, 0x1000, list, 4, &error), 0);
	assert_int_equal(rte_vfio_wc_mtrr_list(0xfffff000, 0x1000, list, 4, &error), 1);
	assert_string_equal(list[0].type, "UC");
}

static void
names_and_flush(void **state)
{
	(void)state;
	assert_string_equal(rte_vfio_wc_type_name(RTE_VFIO_WC_TYPE_WC), "WC");
	assert_string_equal(rte_vfio_wc_type_name(RTE_VFIO_WC_TYPE_UC), "UC-");
	assert_string_equal(rte_vfio_wc_type_name((enum rte_vfio_wc_type)7), "unknown");
	rte_vfio_wc_flush();	/* it assembles, and does not trap */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(probe_needs_feature_and_capability, setup),
		cmocka_unit_test_setup(a_uio_fd_is_refused, setup),
		cmocka_unit_test_setup(bar_info_tells_what_the_kernel_says, setup),
		cmocka_unit_test_setup(a_looping_capability_chain_ends, setup),
		cmocka_unit_test_setup(ranges_are_checked, setup),
		cmocka_unit_test_setup(each_errno_of_the_kernel_has_its_words, setup),
		cmocka_unit_test_setup(types_that_are_not_offered_are_refused, setup),
		cmocka_unit_test_setup(map_gives_the_type, setup),
		cmocka_unit_test_setup(a_cookie_is_the_fds_that_it_was_asked_of, setup),
		cmocka_unit_test_setup(remap_changes_this_range_alone, setup),
		cmocka_unit_test_setup(a_refused_type_leaves_the_mapping_alone, setup),
		cmocka_unit_test_setup(a_failing_mremap_leaves_no_hole_and_no_rest, setup),
		cmocka_unit_test_setup(only_this_range_of_a_device_is_replaced, setup),
		cmocka_unit_test_setup(nothing_is_put_in_the_place_of_another_devices, setup),
		cmocka_unit_test_setup(the_fd_is_the_devices, setup),
		cmocka_unit_test_setup(what_is_reserved_is_not_passed_over, setup),
		cmocka_unit_test_setup(is_wc_says_what_the_kernel_has_reserved, setup),
		cmocka_unit_test_setup(memtype_lists_are_clipped, setup),
		cmocka_unit_test_setup(names_and_flush, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
