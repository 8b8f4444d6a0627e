/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests use of later kernels' libvfio: opening a PCI device by its
 * group or by its cdev, with nothing mapped. Their errors end the test.
 */
#ifndef LIBVFIO_H
#define LIBVFIO_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>

#include <linux/types.h>
#include <linux/vfio.h>

#include "kselftest.h"

#define MODE_VFIO_TYPE1V2_IOMMU		"vfio_type1v2_iommu"
#define MODE_IOMMUFD			"iommufd"

struct iommu {
	int container_fd;
	int iommufd;
};

struct vfio_pci_device {
	int fd;
	int group_fd;
	struct iommu *iommu;
};

#define VFIO_ASSERT(cond, what)							\
	((cond) ? (void)0 : (void)ksft_exit_fail_msg("%s: %m\n", what))

static inline struct iommu *iommu_init(const char *mode)
{
	struct iommu *iommu = calloc(1, sizeof(*iommu));
	bool cdev = !strcmp(mode, MODE_IOMMUFD);
	int *fd = cdev ? &iommu->iommufd : &iommu->container_fd;

	*fd = open(cdev ? "/dev/iommu" : "/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	VFIO_ASSERT(*fd >= 0, mode);
	return iommu;
}

static inline void iommu_cleanup(struct iommu *iommu)
{
	close(iommu->iommufd ?: iommu->container_fd);
	free(iommu);
}

static inline struct vfio_pci_device *vfio_pci_device_alloc(const char *bdf, struct iommu *iommu)
{
	struct vfio_pci_device *device = calloc(1, sizeof(*device));

	device->fd = -1;
	device->iommu = iommu;
	return device;
}

static inline void vfio_pci_device_free(struct vfio_pci_device *device)
{
	free(device);
}

static inline unsigned int sysfs_iommu_group_get(const char *bdf)
{
	char path[PATH_MAX], target[PATH_MAX] = "";

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	VFIO_ASSERT(readlink(path, target, sizeof(target) - 1) > 0, path);
	return atoi(strrchr(target, '/') + 1);
}

static inline void vfio_pci_group_setup(struct vfio_pci_device *device, const char *bdf)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/dev/vfio/%u", sysfs_iommu_group_get(bdf));
	device->group_fd = open(path, O_RDWR | O_CLOEXEC);
	VFIO_ASSERT(device->group_fd >= 0, path);
	VFIO_ASSERT(!ioctl(device->group_fd, VFIO_GROUP_GET_STATUS, &status) &&
		    status.flags & VFIO_GROUP_FLAGS_VIABLE, "the group is not viable");
	VFIO_ASSERT(!ioctl(device->group_fd, VFIO_GROUP_SET_CONTAINER,
			   &device->iommu->container_fd), "VFIO_GROUP_SET_CONTAINER");
}

static inline void vfio_container_set_iommu(struct vfio_pci_device *device)
{
	VFIO_ASSERT(!ioctl(device->iommu->container_fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU),
		    "VFIO_SET_IOMMU");
}

static inline void __vfio_pci_group_get_device_fd(struct vfio_pci_device *device, const char *bdf,
						  const char *vf_token)
{
	device->fd = ioctl(device->group_fd, VFIO_GROUP_GET_DEVICE_FD, bdf);
}

static inline void vfio_pci_cdev_open(struct vfio_pci_device *device, const char *bdf)
{
	char path[PATH_MAX] = "";
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(path);
	VFIO_ASSERT(dir, path);
	while ((entry = readdir(dir)))
		if (!strncmp(entry->d_name, "vfio", 4))
			snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
	closedir(dir);
	device->fd = open(path, O_RDWR | O_CLOEXEC);
	VFIO_ASSERT(device->fd >= 0, path);
}

static inline int __vfio_device_bind_iommufd(int fd, int iommufd, const char *vf_token)
{
#ifdef VFIO_DEVICE_BIND_IOMMUFD
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };

	return ioctl(fd, VFIO_DEVICE_BIND_IOMMUFD, &bind) ? -errno : 0;
#else
	return -ENOTTY;	/* 6.1 has no cdev */
#endif
}

/* As the last argument or in the environment */
static inline const char *vfio_selftests_get_bdf(int *argc, char *argv[])
{
	const char *bdf = getenv("VFIO_SELFTESTS_BDF");

	if (*argc > 1 && strchr(argv[*argc - 1], ':'))
		bdf = argv[--*argc];
	if (!bdf || !*bdf)
		ksft_exit_skip("no device: name one, or set VFIO_SELFTESTS_BDF\n");
	return bdf;
}

#endif
