/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fake_root.h"
#include "test.h"
#include "vfio_device.h"

/* The kernel's side: which call fails how, and what was asked. */
static struct {
	unsigned long fails;	/* the request that does; 0: none */
	int err;
	bool viable;
	unsigned long iommu;	/* of SET_IOMMU */
	char name[128];		/* of GET_DEVICE_FD */
	uint32_t argsz, flags;	/* of BIND_IOMMUFD */
	uint8_t token[16];
	unsigned int calls;
	bool no_token;		/* it refuses one */
} kernel;

#define BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)

struct bind {
	uint32_t argsz, flags;
	int32_t iommufd;
	uint32_t out_devid;
	uint64_t token;
};

int __wrap_ioctl(int fd, unsigned long request, ...);

int
__wrap_ioctl(int fd, unsigned long request, ...)
{
	const struct bind *bind;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	assert_true(fd >= 0);
	kernel.calls++;
	if (request == kernel.fails) {
		errno = kernel.err;
		return -1;
	}
	switch (request) {
	case VFIO_GROUP_GET_STATUS:
		((struct vfio_group_status *)arg)->flags =
			kernel.viable ? VFIO_GROUP_FLAGS_VIABLE : 0;
		return 0;
	case VFIO_GROUP_SET_CONTAINER:
		return 0;
	case VFIO_SET_IOMMU:
		kernel.iommu = (uintptr_t)arg;
		return 0;
	case VFIO_GROUP_GET_DEVICE_FD:
		if (kernel.no_token && strchr(arg, ' ') != NULL) {
			errno = EINVAL;
			return -1;
		}
		snprintf(kernel.name, sizeof(kernel.name), "%s", (const char *)arg);
		return dup(fd);
	case BIND_IOMMUFD:
		bind = arg;
		if (kernel.no_token && bind->flags != 0) {
			errno = EINVAL;
			return -1;
		}
		kernel.argsz = bind->argsz;
		kernel.flags = bind->flags;
		if (bind->argsz > 16)
			memcpy(kernel.token, (void *)(uintptr_t)bind->token, 16);
		assert_true(bind->iommufd >= 0);
		return 0;
	}
	fail_msg("ioctl %#lx", request);
	return -1;
}

#define TOKEN "14d63f20-8445-11ea-8900-1f9ce7d5650d"

static struct vfio_wc_why why;
static struct vfio_wc_opened opened;

static int
setup(void **state)
{
	memset(&kernel, 0, sizeof(kernel));
	memset(&why, 0, sizeof(why));
	kernel.viable = true;
	if (fake_root_make(state) != 0)
		return -1;
	fake_virtio();
	fake_file("/dev/vfio/12", "");
	fake_file("/dev/vfio/vfio", "");
	return 0;
}

static int
open_it(const char *token)
{
	struct vfio_wc_sysfs pci;
	int ret;

	assert_int_equal(vfio_wc_sysfs_read(FAKE_BDF, &pci), 0);
	ret = vfio_wc_open(&pci, token, &opened, &why);
	if (ret != 0)
		assert_true(opened.fd == -1 && opened.group == -1 && opened.container == -1);
	return ret;
}

/* All is closed again. */
static void
close_it(void)
{
	int fds[3] = { opened.fd, opened.group, opened.container }, i;

	vfio_wc_close(&opened);
	for (i = 0; i < 3; i++)
		assert_true(fds[i] == -1 || close(fds[i]) == -1);
	assert_true(opened.fd == -1 && opened.group == -1 && opened.container == -1);
}

static void
by_the_group(void **state)
{
	(void)state;
	assert_int_equal(open_it(NULL), 0);
	assert_true(opened.fd >= 0 && opened.group >= 0 && opened.container >= 0);
	assert_int_equal(kernel.iommu, VFIO_TYPE1v2_IOMMU);
	assert_string_equal(kernel.name, FAKE_BDF);
	close_it();

	assert_int_equal(open_it(TOKEN), 0);
	assert_string_equal(kernel.name, FAKE_BDF " vf_token=" TOKEN);
	close_it();

	fake_remove("/dev/vfio/12");
	fake_file("/dev/vfio/noiommu-12", "");
	assert_int_equal(open_it(NULL), 0);
	assert_int_equal(kernel.iommu, VFIO_NOIOMMU_IOMMU);
	close_it();
}

static void
by_the_character_device(void **state)
{
	static const uint8_t uuid[16] = { 0x14, 0xd6, 0x3f, 0x20, 0x84, 0x45, 0x11, 0xea, 0x89,
		0x00, 0x1f, 0x9c, 0xe7, 0xd5, 0x65, 0x0d };

	(void)state;
	fake_remove("/dev/vfio/12");
	fake_file("/dev/vfio/devices/vfio3", "");
	fake_file("/dev/iommu", "");
	assert_int_equal(open_it(NULL), 0);
	assert_true(opened.fd >= 0 && opened.group == -1 && opened.container >= 0);
	assert_int_equal(kernel.argsz, 16);
	assert_int_equal(kernel.flags, 0);
	close_it();

	/* with a token */
	assert_int_equal(open_it(TOKEN), 0);
	assert_int_equal(kernel.argsz, 24);
	assert_int_equal(kernel.flags, 1);
	assert_memory_equal(kernel.token, uuid, sizeof(uuid));
	close_it();

	/* the device has no group at all */
	fake_remove(FAKE_SYSFS "/iommu_group");
	assert_int_equal(open_it(NULL), 0);
	close_it();
	assert_int_equal(open_it("14d63f20"), -EINVAL);
	assert_contains(why.text, "14d63f20 is no UUID");
	assert_int_equal(open_it(TOKEN "0"), -EINVAL);
	kernel.fails = BIND_IOMMUFD;
	kernel.err = EBUSY;
	assert_int_equal(open_it(NULL), -EBUSY);
	assert_contains(why.text, "cannot open the device: Device or resource busy");
	fake_remove("/dev/iommu");
	assert_int_equal(open_it(NULL), -ENOENT);
	assert_contains(why.text, "cannot open /dev/iommu: No such file");
}

static void
neither_group_nor_character_device(void **state)
{
	(void)state;
	fake_remove(FAKE_SYSFS "/iommu_group");
	fake_remove(FAKE_SYSFS "/vfio-dev");
	assert_int_equal(open_it(NULL), -ENODEV);
	assert_contains(why.text, "neither an IOMMU group nor");
	assert_int_equal(kernel.calls, 0);
}

static void
a_group_whose_node_is_not_here(void **state)
{
	(void)state;
	fake_remove("/dev/vfio/12");
	assert_int_equal(open_it(NULL), -ENOENT);
	assert_contains(why.text, "its IOMMU group is 12, but /dev/vfio/12 is not here");
	fake_remove(FAKE_SYSFS "/vfio-dev");
	assert_int_equal(open_it(NULL), -ENOENT);
	assert_contains(why.text, "its IOMMU group is 12");
}

/* What follows from the first failure is noise: the character device cannot be had then, either. */
static void
the_first_failure_is_told(void **state)
{
	static const struct {
		unsigned long request;
		int err;
		const char *text;
	} cases[] = {
		{ VFIO_GROUP_GET_STATUS, ENOTTY, "no status: Inappropriate ioctl" },
		{ VFIO_GROUP_SET_CONTAINER, EBUSY, "no container: Device or resource busy" },
		{ VFIO_SET_IOMMU, EPERM, "no IOMMU for the group: Operation not permitted, "
			"the kernel's log says why" },
		{ VFIO_SET_IOMMU, ENODEV, "no IOMMU for the group: No such device" },
		{ VFIO_GROUP_GET_DEVICE_FD, EACCES, "wants the VF token" },
		{ VFIO_GROUP_GET_DEVICE_FD, ENODEV, "cannot open the device: No such device" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kernel.fails = cases[i].request;
		kernel.err = cases[i].err;
		assert_int_equal(open_it(NULL), -cases[i].err);
		assert_contains(why.text, cases[i].text);
	}
	kernel.fails = VFIO_GROUP_GET_DEVICE_FD;
	kernel.err = EACCES;
	assert_int_equal(open_it(TOKEN), -EACCES);
	assert_contains(why.text, "that is not its VF token");

	kernel.fails = 0;
	kernel.viable = false;
	assert_int_equal(open_it(NULL), -EPERM);
	assert_contains(why.text, "not viable");

	fake_remove("/dev/vfio/vfio");
	assert_int_equal(open_it(NULL), -ENOENT);
	assert_contains(why.text, "cannot open /dev/vfio/vfio");
}

/* One token is given for all devices that are looked at, and DPDK tries without, too. */
static void
a_device_that_wants_no_token(void **state)
{
	(void)state;
	kernel.no_token = true;
	assert_int_equal(open_it(TOKEN), 0);
	assert_string_equal(kernel.name, FAKE_BDF);
	close_it();

	fake_remove("/dev/vfio/12");
	fake_file("/dev/vfio/devices/vfio3", "");
	fake_file("/dev/iommu", "");
	assert_int_equal(open_it(TOKEN), 0);
	assert_int_equal(kernel.flags, 0);
	assert_int_equal(kernel.argsz, 16);
	close_it();
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, fake_root_remove)
	const struct CMUnitTest tests[] = {
		T(by_the_group),
		T(by_the_character_device),
		T(neither_group_nor_character_device),
		T(a_group_whose_node_is_not_here),
		T(the_first_failure_is_told),
		T(a_device_that_wants_no_token),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
