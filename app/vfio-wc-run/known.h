/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef KNOWN_H
#define KNOWN_H

/*
 * Device fds whose address is known since they were opened by it, of a group. (The kernel says of
 * character devices what they are, and of all from Linux 6.18 on.) No lock: the callers have one,
 * save for known_any().
 */

#include <stdbool.h>

#include "vfio_device.h"

/* Is there any? */
bool known_any(void);

/* VFIO_GROUP_GET_DEVICE_FD gave fd for this name: "0000:00:07.0 vf_token=..." */
void known_add(int fd, const char *name);

/* The address of a device fd, or of one that is a duplicate of such. */
bool known_find(int fd, char bdf[VFIO_WC_BDF_LEN]);

/* What is open from first to last is about to be closed; duplicates beyond keep the name. */
void known_closes(unsigned int first, unsigned int last);

/* to is a duplicate of fd now, whatever it was. */
void known_copied(int fd, int to);

#endif /* KNOWN_H */
