/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_HOTPLUG_H
#define VFIO_WC_HOTPLUG_H

/* What tells of devices that come and go, EAL's ports and a look a second, goes to the requests. */

#include <stdbool.h>

/* Start or stop listening; twice is as good as once. */
void vfio_wc_hotplug_watch(bool on);

#endif /* VFIO_WC_HOTPLUG_H */
