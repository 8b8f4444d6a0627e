/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_VFIO_H
#define WC_PERF_VFIO_H

/* A VFIO device of our own: the device fd and what keeps it usable. */
struct vfio_device {
	int fd;
	int group;	/* group and container, or -1 */
	int container;	/* or the iommufd */
};

/* Open a device through its group, or its character device. Warns and returns -1 on failure. */
int
vfio_open(const char *bdf, struct vfio_device *dev);

void
vfio_close(struct vfio_device *dev);

#endif
