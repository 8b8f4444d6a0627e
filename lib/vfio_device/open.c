/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "internal.h"

/*
 * VFIO_DEVICE_BIND_IOMMUFD came with Linux 6.6, its token with 6.17: as <linux/vfio.h> has it, for
 * systems whose header lacks it. A kernel without the token refuses the flag.
 */
struct bind_iommufd {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t out_devid;
	uint64_t token_uuid_ptr;
};
#define BIND_IOMMUFD		_IO(VFIO_TYPE, VFIO_BASE + 18)
#define BIND_FLAG_TOKEN		(1u << 0)
#define BIND_ARGSZ_NO_TOKEN	offsetof(struct bind_iommufd, token_uuid_ptr)

struct node
vfio_wc_group_node(const struct vfio_wc_sysfs *pci)
{
	struct node node = { "", false };

	if (pci->group[0] == '\0')
		return node;
	snprintf(node.path, sizeof(node.path), "/dev/vfio/noiommu-%s", pci->group);
	if (access(node.path, F_OK) != 0)
		snprintf(node.path, sizeof(node.path), "/dev/vfio/%s", pci->group);
	node.here = access(node.path, F_OK) == 0;
	return node;
}

static int
open_node(const char *path, struct vfio_wc_why *why)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	int err = errno;

	if (fd >= 0)
		return fd;
	return because(why, err, "cannot open %s: %s%s", path, strerror(err), err == EBUSY ?
		", a process that cannot be seen from here has it" : "");
}

static int
refuse_device(int err, const char *token, struct vfio_wc_why *why)
{
	return because(why, err, "cannot open the device: %s%s", strerror(err),
		err != EACCES ? "" : token == NULL ?
		", it is a virtual function (or has some) that wants the VF token of the process "
		"that has its physical function" : ", that is not its VF token");
}

/*
 * The caller may have one token for many devices: one that wants none refuses any (EINVAL), and is
 * asked without.
 */
static int
get_device(int group, const char *bdf, const char *token)
{
	char name[128];
	int fd;

	snprintf(name, sizeof(name), "%s%s%.40s", bdf, token != NULL ? " vf_token=" : "",
		token != NULL ? token : "");
	fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
	return fd < 0 && errno == EINVAL && token != NULL ? get_device(group, bdf, NULL) : fd;
}

/* Documentation/driver-api/vfio.rst, "VFIO Usage Example". */
static int
open_by_group(const struct vfio_wc_sysfs *pci, const char *token, struct vfio_wc_opened *opened,
		struct vfio_wc_why *why)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	const struct node node = vfio_wc_group_node(pci);
	const bool noiommu = strstr(node.path, "/noiommu-") != NULL;

	if (!node.here)
		return because(why, ENOENT,
			"its IOMMU group is %s, but %s is not here (a container "
			"has to be given it)",
			pci->group, node.path);
	opened->group = open_node(node.path, why);
	if (opened->group < 0)
		return opened->group;
	opened->container = open_node("/dev/vfio/vfio", why);
	if (opened->container < 0)
		return opened->container;
	if (ioctl(opened->group, VFIO_GROUP_GET_STATUS, &status) != 0)
		return because(why, errno, "IOMMU group %s: no status: %s", pci->group,
			strerror(errno));
	if ((status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0)
		return because(why, EPERM, "the IOMMU group is not viable: "
			"not all of its devices are bound to vfio");
	if (ioctl(opened->group, VFIO_GROUP_SET_CONTAINER, &opened->container) != 0)
		return because(why, errno, "IOMMU group %s: no container: %s", pci->group,
			strerror(errno));
	if (ioctl(opened->container, VFIO_SET_IOMMU,
			noiommu ? VFIO_NOIOMMU_IOMMU : VFIO_TYPE1v2_IOMMU) != 0)
		return because(why, errno, "no IOMMU for the group: %s%s", strerror(errno),
			errno == EPERM ? ", the kernel's log says why (no interrupt remapping?)" :
			"");
	opened->fd = get_device(opened->group, pci->bdf, token);
	return opened->fd >= 0 ? 0 : refuse_device(errno, token, why);
}

/* "13f50c52-..." to the 16 bytes it stands for, in that order. */
static int
parse_uuid(const char *text, uint8_t uuid[16])
{
	unsigned int n = 0, byte;

	while (n < 16 && isxdigit((unsigned char)text[0]) && isxdigit((unsigned char)text[1]) &&
			sscanf(text, "%2x", &byte) == 1) {
		uuid[n++] = byte;
		text += 2;
		if (*text == '-' && (n == 4 || n == 6 || n == 8 || n == 10))
			text++;
	}
	return n == 16 && *text == '\0' ? 0 : -EINVAL;
}

/* Same document, "IOMMUFD and VFIO_IOMMU_TYPE1": all that kernels without groups have. */
static int
open_by_cdev(const struct vfio_wc_sysfs *pci, const char *token, struct vfio_wc_opened *opened,
		struct vfio_wc_why *why)
{
	struct bind_iommufd bind = { .argsz = BIND_ARGSZ_NO_TOKEN };
	uint8_t uuid[16];
	char path[64];
	int ret;

	if (token != NULL) {
		if (parse_uuid(token, uuid) != 0)
			return because(why, EINVAL, "%s is no UUID", token);
		bind.argsz = sizeof(bind);
		bind.flags = BIND_FLAG_TOKEN;
		bind.token_uuid_ptr = (uintptr_t)uuid;
	}
	snprintf(path, sizeof(path), "/dev/vfio/devices/%s", pci->cdev);
	opened->fd = open_node(path, why);
	if (opened->fd < 0)
		return opened->fd;
	opened->container = open_node("/dev/iommu", why);
	if (opened->container < 0)
		return opened->container;
	bind.iommufd = opened->container;
	ret = ioctl(opened->fd, BIND_IOMMUFD, &bind);
	/* as get_device(); a kernel that knows of no token asks for none, either */
	if (ret != 0 && errno == EINVAL && token != NULL) {
		bind.argsz = BIND_ARGSZ_NO_TOKEN;
		bind.flags = 0;
		ret = ioctl(opened->fd, BIND_IOMMUFD, &bind);
	}
	return ret == 0 ? 0 : refuse_device(errno, token, why);
}

int
vfio_wc_open(const struct vfio_wc_sysfs *pci, const char *token, struct vfio_wc_opened *opened,
		struct vfio_wc_why *why)
{
	struct vfio_wc_why first = {
		"it has neither an IOMMU group nor a VFIO character device: is "
		"there an IOMMU, and is it on?"
	};
	int ret = -ENODEV;

	*opened = (struct vfio_wc_opened){ -1, -1, -1 };
	if (pci->group[0] != '\0') {
		ret = open_by_group(pci, token, opened, &first);
		if (ret == 0)
			return 0;
		vfio_wc_close(opened);
	}
	if (pci->cdev[0] != '\0') {
		int second = open_by_cdev(pci, token, opened, why);

		if (second == 0)
			return 0;
		vfio_wc_close(opened);
		if (pci->group[0] == '\0')
			return second;
	}
	*why = first;
	return ret;
}

void
vfio_wc_close(struct vfio_wc_opened *opened)
{
	if (opened->fd >= 0)
		close(opened->fd);
	if (opened->group >= 0)
		close(opened->group);
	if (opened->container >= 0)
		close(opened->container);
	*opened = (struct vfio_wc_opened){ -1, -1, -1 };
}
