/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "log.h"
#include "vfio.h"

static int
find_group(const char *bdf, unsigned int *group)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;
	char *name;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -1;
	target[n] = '\0';
	name = strrchr(target, '/');
	return name != NULL && sscanf(name, "/%u", group) == 1 ? 0 : -1;
}

/* Documentation/driver-api/vfio.rst, "VFIO Usage Example". -1: see errno. */
static int
open_group(const char *bdf, struct vfio_device *dev)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	unsigned int group;
	char path[64];
	int iommu;

	if (find_group(bdf, &group) < 0) {
		errno = ENOENT;
		return -1;
	}
	snprintf(path, sizeof(path), "/dev/vfio/%u", group);
	iommu = VFIO_TYPE1v2_IOMMU;
	dev->group = open(path, O_RDWR | O_CLOEXEC);
	if (dev->group < 0 && errno == ENOENT) {
		snprintf(path, sizeof(path), "/dev/vfio/noiommu-%u", group);
		iommu = VFIO_NOIOMMU_IOMMU;
		dev->group = open(path, O_RDWR | O_CLOEXEC);
	}
	if (dev->group < 0)
		return -1;
	dev->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (dev->container < 0)
		return -1;
	if (ioctl(dev->group, VFIO_GROUP_GET_STATUS, &status) < 0)
		return -1;
	if ((status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0) {
		/* Some device of the group is still with a kernel driver. */
		errno = EPERM;
		return -1;
	}
	if (ioctl(dev->group, VFIO_GROUP_SET_CONTAINER, &dev->container) < 0 ||
			ioctl(dev->container, VFIO_SET_IOMMU, iommu) < 0)
		return -1;
	dev->fd = ioctl(dev->group, VFIO_GROUP_GET_DEVICE_FD, bdf);
	return dev->fd < 0 ? -1 : 0;
}

#ifdef VFIO_DEVICE_BIND_IOMMUFD
/* Same document, "VFIO device cdev"; kernels without groups have only this. */
static int
open_cdev(const char *bdf, struct vfio_device *dev)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	if (dir == NULL)
		return -1;
	while ((entry = readdir(dir)) != NULL && entry->d_name[0] == '.')
		;
	if (entry != NULL)
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
	closedir(dir);
	if (entry == NULL) {
		errno = ENOENT;
		return -1;
	}
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		return -1;
	dev->container = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	if (dev->container < 0)
		return -1;
	bind.iommufd = dev->container;
	return ioctl(dev->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind);
}
#else
static int
open_cdev(const char *bdf, struct vfio_device *dev)
{
	(void)bdf;
	(void)dev;
	return -1;
}
#endif

void
vfio_close(struct vfio_device *dev)
{
	if (dev->fd >= 0)
		close(dev->fd);
	if (dev->group >= 0)
		close(dev->group);
	if (dev->container >= 0)
		close(dev->container);
	*dev = (struct vfio_device){ -1, -1, -1 };
}

int
vfio_open(const char *bdf, struct vfio_device *dev)
{
	int error;

	*dev = (struct vfio_device){ -1, -1, -1 };
	if (open_group(bdf, dev) == 0)
		return 0;
	error = errno;
	vfio_close(dev);
	if (open_cdev(bdf, dev) == 0)
		return 0;
	vfio_close(dev);
	warn("device %s: cannot open it through VFIO: %s", bdf, strerror(error));
	return -1;
}
