/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_ROOT_H
#define FAKE_ROOT_H

/*
 * A directory that stands for /sys, /proc and /dev: the linker's --wrap sends what is opened there
 * to it (see meson.build). Paths are given as the code under test knows them.
 */

#include <stddef.h>

/* For cmocka's setup and teardown: an empty one; and away with it. */
int fake_root_make(void **state);
int fake_root_remove(void **state);

/* With all the directories above it; what was there is replaced. */
void fake_bytes(const char *path, const void *data, size_t size);
void fake_file(const char *path, const char *text);
void fake_link(const char *path, const char *target);
void fake_remove(const char *path);

/*
 * The usual device, 0000:00:03.0: virtio-net as it is in QEMU's q35, with vfio-pci, in group 12,
 * as character device vfio3.
 */
#define FAKE_BDF "0000:00:03.0"
#define FAKE_SYSFS "/sys/bus/pci/devices/" FAKE_BDF
void fake_virtio(void);

/* Its configuration space: capabilities as QEMU has them, 256 bytes. */
void fake_virtio_config(unsigned char *config);

#endif /* FAKE_ROOT_H */
