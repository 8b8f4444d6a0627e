/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_DEVICE_H
#define VFIO_DEVICE_H

/*
 * What a VFIO device looks like from user space, for everything in this tree that looks at one: the
 * library, the plugin, the tools, the lab's programs. libc only, no state, not installed.
 *
 *      address, sysfs        pci.c      which device, and what the kernel says of it
 *      opening               open.c     by its group, or by its character device
 *      holder                holder.c   which process has it open, or mapped through sysfs
 *      device of an fd       fd.c       which one somebody else's fd may be of
 *      fd, BARs, ranges      bar.c      what VFIO says of an fd; which range of a BAR is one
 *      mappings              maps.c     what of devices a process has mapped
 *
 * Functions return 0 or a negative errno, unless they say otherwise. Those that fail for more
 * reasons than errno has words for give one; which device, BAR and range it was is the caller's to
 * say.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

/* A reason, without the name of the device. */
struct vfio_wc_why {
	char text[240];
};

/* ---- address, sysfs ---- */

/* "dddd:bb:dd.f" and the final zero; domains can have more than four digits (VMD). */
#define VFIO_WC_BDF_LEN 20

/*
 * The address of a PCI function as the kernel spells it, from whatever lspci and DPDK print and
 * take: "00:07.0", "0000:0A:00.0", "pci:0000:00:07.0". -EINVAL: text is no PCI address.
 */
int vfio_wc_bdf(const char *text, char bdf[VFIO_WC_BDF_LEN]);

struct vfio_wc_sysfs_bar {
	uint64_t start;		/* physical address as the CPU sees it */
	uint64_t size;		/* 0: not populated */
	bool memory;		/* otherwise I/O ports */
	bool prefetchable;
	bool is_64;
};

/* What sysfs says of a PCI device. */
struct vfio_wc_sysfs {
	char bdf[VFIO_WC_BDF_LEN];
	uint16_t vendor;
	uint16_t device;
	int node;		/* NUMA node; -1: the platform does not say */
	char driver[32];	/* "": none */
	char group[16];		/* "12", the IOMMU group; "": none */
	char cdev[16];		/* "vfio3", the VFIO character device; "": none */
	struct vfio_wc_sysfs_bar bar[PCI_STD_NUM_BARS];
};

/* Any spelling of the address. -EINVAL: it is none; -ENODEV: there is no such device. */
int vfio_wc_sysfs_read(const char *address, struct vfio_wc_sysfs *out);

/* Is it bound to vfio-pci or a variant driver (mlx5_vfio_pci, hisi-acc-vfio-pci, ...)? */
bool vfio_wc_sysfs_is_vfio(const struct vfio_wc_sysfs *pci);

/* Configuration space: a file descriptor, to be read from offset 0 on. Or a negative errno. */
int vfio_wc_sysfs_config(const struct vfio_wc_sysfs *pci);

/* ---- opening ---- */

/* A device that is open: its fd, and what keeps it usable. -1: not there. */
struct vfio_wc_opened {
	int fd;
	int group;
	int container;	/* or the iommufd */
};

/*
 * Open a device through its group; where that cannot be, through its character device. When neither
 * can, the first failure is the one told. token: the UUID that a virtual function wants whose
 * physical function is on vfio-pci, too; NULL: none. vfio-pci resets a device that it opens.
 */
int vfio_wc_open(const struct vfio_wc_sysfs *pci, const char *token, struct vfio_wc_opened *opened,
		struct vfio_wc_why *why);
void vfio_wc_close(struct vfio_wc_opened *opened);

/* ---- holder ---- */

struct vfio_wc_holder {
	pid_t pid;	/* 0: none that can be seen */
	char name[32];
};

/*
 * Who has the device open: its group, its character device, or an fd of it that was handed over
 * (which a kernel tells from 6.18 on). Several can: the first with a pid beyond after, 0 for the
 * first of all. Needs root to see into other users' processes.
 */
void vfio_wc_find_holder(const struct vfio_wc_sysfs *pci, pid_t after,
		struct vfio_wc_holder *out);

/*
 * Who has a BAR mapped through sysfs (resourceN, resourceN_wc), as tools do that dump registers: of
 * each BAR the first that is found. The kernel gives a page no second memory type meanwhile.
 */
void vfio_wc_find_mappers(const struct vfio_wc_sysfs *pci,
		struct vfio_wc_holder out[PCI_STD_NUM_BARS]);

/* ---- device of an fd ---- */

/*
 * Is this file a VFIO device's? It is looked at from outside: no ioctl reaches it that another kind
 * of file might take for one of its own (unless there is no /proc, or no /sys, to look into).
 */
bool vfio_wc_is_device(int fd);

/*
 * What a VFIO PCI device says of itself through its fd: IDs and BARs; of a BAR the start is what
 * the base address register holds, 0 where it holds none (virtual functions). All else is empty,
 * the address, too. -ENODEV: it is one of another bus; -EIO: it does not say.
 */
int vfio_wc_sysfs_from_fd(int fd, struct vfio_wc_sysfs *out, struct vfio_wc_why *why);

/*
 * The address of the device that fd is of, where the kernel tells it: of character devices, of
 * others from Linux 6.18 on. False: it does not.
 */
bool vfio_wc_address(int fd, char bdf[VFIO_WC_BDF_LEN]);

/*
 * The addresses of the devices that an fd may be of which says this of itself: one that stands
 * where its registers say, otherwise all that look like it and are bound to VFIO. Returns how many
 * there are, which may be more than max.
 */
unsigned int vfio_wc_lookalikes(const struct vfio_wc_sysfs *self,
		char (*out)[VFIO_WC_BDF_LEN], unsigned int max);

/* ---- fd, BARs, ranges ---- */

/* Is fd a VFIO PCI device? -ENODEV: no. */
int vfio_wc_check_fd(int fd, struct vfio_wc_why *why);

/*
 * Is fd, a number that somebody else gave, the VFIO fd of this device? Compares IDs, BAR sizes, and
 * where the kernel tells it (Linux 6.18), the device's path. Two cards of one kind cannot be told
 * apart without the last. -ENODEV: it is not.
 */
int vfio_wc_match(const struct vfio_wc_sysfs *pci, int fd, struct vfio_wc_why *why);

/* What VFIO says of a region, with its capabilities; the caller's to free(). NULL and errno. */
struct vfio_region_info *vfio_wc_region_info(int fd, unsigned int index);

/*
 * Configuration space, which is at offset config of a VFIO device's fd, at 0 of sysfs' file.
 * The n-th capability (from 0) with this ID: its position, 0 when there is none, or -EIO.
 */
int vfio_wc_capability(int fd, uint64_t config, uint8_t id, unsigned int n);

/*
 * What a range of a BAR has to keep to. The pages that hold the MSI-X table are vfio-pci's own.
 */
struct vfio_wc_limits {
	uint64_t size;		/* 0: there is no such BAR */
	bool memory;		/* otherwise I/O ports */
	bool mappable;		/* the kernel lets it be mapped; sysfs does not tell */
	uint64_t msix_offset;
	uint64_t msix_length;	/* 0: the table is not in this BAR */
};

/* Where the MSI-X table is in a BAR, whole pages; fd and config as above. */
int vfio_wc_msix(int fd, uint64_t config, unsigned int bar, struct vfio_wc_limits *limits);

/*
 * Can the range be mapped apart? -ENODEV: the BAR cannot; -EINVAL: it is empty, no whole pages, or
 * meets the MSI-X table; -EOVERFLOW: it wraps; -ERANGE: it leaves the BAR.
 */
int vfio_wc_check_range(const struct vfio_wc_limits *limits, uint64_t offset, uint64_t length,
		struct vfio_wc_why *why);

/* ---- mappings ---- */

/* A mapping of a VFIO device: which file, as stat() says it, and what of that. */
struct vfio_wc_map {
	uint64_t va;
	uint64_t length;
	uint64_t fd_offset;	/* of a cookie's mapping, that of its region, too */
	unsigned int bar;	/* see vfio_wc_maps_find_bars() */
	uint64_t bar_offset;
	dev_t dev;
	ino_t inode;
};

struct vfio_wc_maps {
	struct vfio_wc_map *v;	/* by address; the caller's to free() */
	size_t n;
};

/* All mappings of VFIO devices in a process; pid 0: in this one. */
int vfio_wc_maps_read(pid_t pid, struct vfio_wc_maps *maps);

/*
 * Of which BAR of a device each mapping is, and where it begins there: by what VFIO says of the
 * file that the process has open. Where that cannot be asked (it takes Linux 5.6, and the right to
 * trace the process): BARs are 1 << 40 bytes apart, as vfio-pci has them if the kernel is not
 * configured otherwise.
 */
void vfio_wc_maps_find_bars(pid_t pid, const struct vfio_wc_sysfs *pci, struct vfio_wc_maps *maps);

/*
 * Is [addr, addr + length) of this process mapped from the device that fd belongs to, without a
 * gap, with fd_offset at addr? -ENXIO: it is not. Character devices are told apart by their inodes;
 * fds that come from groups share one (as of Linux 7.3): of these, another device's mapping at the
 * same offset is taken for this one's.
 */
int vfio_wc_maps_check(int fd, const void *addr, uint64_t length, uint64_t fd_offset);

/*
 * The physical address of a byte of this process. -EAGAIN: the page table has no page there (yet);
 * -EPERM: it tells nobody without CAP_SYS_ADMIN.
 */
int vfio_wc_physical(const void *addr, uint64_t *pa);

#endif /* VFIO_DEVICE_H */
