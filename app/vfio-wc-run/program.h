/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PROGRAM_H
#define PROGRAM_H

#include <limits.h>

#include "vfio_device.h"

/* Where the shell would find a program. 0, or a negative errno. */
int program_find(const char *name, char path[PATH_MAX]);

/*
 * Will the loader preload a library into this program? Follows the interpreters of scripts. 0;
 * -EPERM: it will not, why says so; another negative errno: it cannot be run at all.
 */
int program_check(const char *path, struct vfio_wc_why *why);

#endif /* PROGRAM_H */
