/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef DOOR_H
#define DOOR_H

/*
 * The door that every user of VFIO passes: mmap() of a device fd.
 *
 *	what is asked for     |<----------- a BAR, or a part of it ----------->|
 *	what is wanted                  |<- WC ->|          |<- UC ->|
 *	what is given         |  plain  | cookie |  plain   | cookie |  plain  |
 *
 * The plain mapping is made as it was asked for, then cookies' mappings are moved over it, all
 * before the caller sees it. Where it is to replace what the caller has (MAP_FIXED) that is done
 * elsewhere first, and the pieces are moved into place when nothing can be refused any more.
 *
 * The callers have a lock. errno is that of the call.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "vfio_wc_conf.h"

struct door {
	struct vfio_wc_conf conf;	/* what is wanted */
	bool verbose;			/* say what was mapped, too */
};

bool door_requires(const struct door *door);

/* mmap() of a VFIO device (vfio_wc_is_device()). */
void *door_mmap(const struct door *door, void *addr, size_t length, int prot, int flags, int fd,
		off_t offset);

/*
 * May this part of a file be mapped that is no VFIO device's? Not if it is a BAR in sysfs, as UIO's
 * programs map it, of which something is required. False: errno, and it was said.
 */
bool door_lets_pass(const struct door *door, int fd, uint64_t offset, uint64_t length);

/*
 * mremap() with MREMAP_FIXED of what may have been mapped here. To Linux before 6.17 a mapping in
 * pieces is not one that can be moved, and the caller knows of no pieces.
 */
void *door_move(void *from, size_t old, size_t length, void *to);

/* Has door_mmap() made a mapping in pieces? */
bool door_has_pieces(void);

#endif /* DOOR_H */
