/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>
#include <string.h>

#include "device.h"

int
device_open(const char *address, struct vfio_wc_sysfs *pci, struct vfio_wc_opened *opened)
{
	struct vfio_wc_why why;
	int ret = vfio_wc_sysfs_read(address, pci);

	if (ret != 0)
		snprintf(why.text, sizeof(why.text), "sysfs: %s", strerror(-ret));
	else
		ret = vfio_wc_open(pci, NULL, opened, &why);
	if (ret != 0)
		fprintf(stderr, "%s: %s\n", address, why.text);
	return ret != 0 ? -1 : 0;
}
