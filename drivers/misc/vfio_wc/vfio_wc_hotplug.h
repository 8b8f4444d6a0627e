/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_HOTPLUG_H
#define VFIO_WC_HOTPLUG_H

/* What EAL's ports tell of devices that come and go: passed on to the requests. */

#include <stdbool.h>

/* Start or stop listening; twice is as good as once. */
void vfio_wc_hotplug_watch(bool on);

#endif /* VFIO_WC_HOTPLUG_H */
