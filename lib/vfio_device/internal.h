/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_DEVICE_INTERNAL_H
#define VFIO_DEVICE_INTERNAL_H

#include <stdarg.h>
#include <stdio.h>

#include "vfio_device.h"

/* Write the reason, return -err. */
static inline int __attribute__((format(printf, 3, 4)))
because(struct vfio_wc_why *why, int err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
	return -err;
}

/*
 * The group's node in /dev/vfio, be there an IOMMU or not ("noiommu-12"). When it is not there,
 * where it would be; "" when the device has no group.
 */
struct node {
	char path[64];
	bool here;
};
struct node vfio_wc_group_node(const struct vfio_wc_sysfs *pci);

/*
 * The last name of the device's path, as the fdinfo at path has it; Linux tells it from 6.18 on.
 * False: it does not say.
 */
bool vfio_wc_syspath(const char *path, char *name, size_t size);

enum syspath { SAYS_NOTHING, THIS_DEVICE, ANOTHER_DEVICE };

/* Which device does the fdinfo at path belong to? */
enum syspath vfio_wc_fdinfo(const char *path, const char *bdf);

#endif /* VFIO_DEVICE_INTERNAL_H */
