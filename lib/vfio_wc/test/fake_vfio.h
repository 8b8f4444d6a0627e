/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_VFIO_H
#define FAKE_VFIO_H

/*
 * A kernel with VFIO devices, faked at the system calls that the library makes: the linker's
 * --wrap sends them here (see meson.build). Mappings are real memory, and each page of them knows
 * what it is; /proc/self/maps and sysfs read as Linux writes them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_FD 1000		/* of device 0; device n has FAKE_FD + n */
#define FAKE_DUP 1100		/* the same, duplicated */
#define FAKE_OTHER 1200		/* a file that is none of theirs */
#define FAKE_DEVICES 2
#define FAKE_PAGE ((uint64_t)4096)

enum fake_page { FAKE_NOTHING, FAKE_PLAIN, FAKE_UC, FAKE_WC };

enum fake_mremap { FAKE_MREMAP_WORKS, FAKE_MREMAP_KEEPS, FAKE_MREMAP_LEAVES_HOLE };

struct fake_device {
	const char *bdf;
	const char *driver;
	bool present;
	uint16_t vendor, device;
	struct {
		uint64_t start, size;
		bool io, mappable;
		uint32_t types;		/* offered by the capability; 0: no capability */
	} bar[6];
	uint32_t capability_feature;	/* what the capability says; ours by default */
	bool capability_loop;		/* a chain that never ends */
	int probe_errno;		/* of the feature's PROBE; 0: it is there */
	int get_errno;			/* of the feature's GET */
	unsigned int get_skip;		/* ... after that many that work */
	uint16_t msix_entries;		/* 0: no MSI-X */
	unsigned int msix_bar;
	uint32_t msix_offset;
	const char *syspath;		/* in fdinfo; NULL: an older kernel */
	bool is_vf;			/* no addresses in its registers */
};

extern struct fake {
	struct fake_device device[FAKE_DEVICES];
	int cookie_mmap_errno;		/* of mmap at a cookie */
	int plain_mmap_errno;		/* of mmap at a plain offset, once armed */
	unsigned int plain_mmap_skip;	/* ... after that many that work */
	int reset_errno;		/* of VFIO_DEVICE_RESET */
	enum fake_mremap mremap;
	bool maps_unreadable;
	bool pages_unused;		/* no page table has them */
	bool pages_untold;		/* /proc/self/pagemap has no addresses */
	bool is_cdev;			/* character devices, with inodes of their own */
	bool no_sysfs;			/* to tell what those are */
	const char *other_path;		/* of FAKE_OTHER */
	const char *maps_path;		/* whose mappings they are; a VFIO device's by default */
	const char *pat_list;		/* contents; NULL: no such file */
	const char *mtrr;
	unsigned int nb_mmaps;		/* made on device fds */
	unsigned int fail_at;		/* which call from here on fails; 0: none, or past */
	bool fail_leaves_hole;		/* ... where something was to be replaced */
	unsigned int nb_features;	/* asked for on device fds */
} fake;

/* Back to two good devices: 0 is virtio-like, with BARs 1 and 4; 1 has an I/O BAR and MSI-X. */
void fake_reset(void);

/* Map a whole BAR plainly, as EAL does. */
void *fake_map_bar(unsigned int device, unsigned int bar);

/* The same where something was; MAP_FIXED. */
void fake_map_bar_at(void *addr, unsigned int device, unsigned int bar);

/* What is mapped at addr; the type of one page. And of which device, where in its fd. */
enum fake_page fake_at(const void *addr);
bool fake_is(const void *addr, unsigned int device, uint64_t fd_offset);

/* How many pages of devices are mapped in all. */
unsigned int fake_mapped(void);

/* Unmap as an application would. */
void fake_unmap(void *addr, size_t length);

#endif /* FAKE_VFIO_H */
