/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_VFIO_WC_H
#define RTE_VFIO_WC_H

/**
 * @file
 *
 * Write-combining (WC) mappings of the BARs of a VFIO device.
 *
 * A VFIO device fd is one long file. Today it holds each region (BAR) once, and a mapping of that
 * is uncached (UC-). A kernel with mmap cookies gives a second door to the same bytes: asked for
 * (BAR, slice, memory type), it answers a *cookie*, an offset in the same fd, and whatever is
 * mmapped there has that type in the page table, or the mmap fails.
 *
 *      device fd     0        BAR0      BAR2         BAR4                 cookies
 *                    |---------|---------|------------|------ ... ------|=====|===|-->
 *                                              ^  plain offset             ^
 *                                              |                           | cookie for
 *      the BAR itself                +---------+-----+---------+           | (4, 0x3000, WC)
 *                                    | 0x0000   ...  | 0x3000  |<----------+
 *                                    +---------------+---------+
 *                                       |                 |
 *      process          PMD's pointer ->+-- UC- pages ----+-- WC page --+
 *                                       va                va + 0x3000
 *
 * Call order, for someone who has a device fd and a BAR mapped plainly at va:
 *
 *      rte_vfio_wc_probe()        does this kernel do it?                         (optional)
 *      rte_vfio_wc_bar_info()     how large is the BAR, which types can it have?  (optional)
 *      rte_vfio_wc_remap()        the page at va + 0x3000 becomes WC, in place
 *        ... stores, rte_vfio_wc_flush() after each doorbell ...
 *      rte_vfio_wc_restore()      and plain again
 *
 * and for someone who maps by himself: rte_vfio_wc_map(), munmap().
 *
 * **What is guaranteed.** When rte_vfio_wc_map() or rte_vfio_wc_remap() returns success, the
 * kernel has reserved the type for exactly that range and verified it: it *is* WC (or UC-), and
 * stays so until it is unmapped. No page is touched here: reading a device register to find out
 * may have side effects (reading virtio's ISR clears it, virtio 1.2 section 4.1.4.5), so the first
 * access that a page sees is its user's own.
 *
 * **One physical page has one type** (x86). While a WC mapping of it exists, plain mappings of the
 * same page, in any process, are WC as well, and return to UC- when the last WC mapping goes.
 *
 * **WC is not a faster UC.** Stores to WC memory may wait in a CPU buffer, leave in any order and
 * merge; read rte_vfio_wc_flush() before putting a doorbell there.
 *
 * **Threads.** The library keeps no state: any function may be called from any thread, and calls on
 * different ranges may run in parallel. Calls on the same addresses must be serialised by the
 * caller. Other threads may read and write the range while it is being remapped or restored: the
 * exchange is atomic for them (one mremap()), except in the failure that -ENOTRECOVERABLE names.
 *
 * **Fork.** A child inherits the mappings; the kernel keeps the type until the last copy goes.
 *
 * **Errors.** Functions return 0 or a negative errno, and describe the failure in a struct
 * rte_vfio_wc_error unless that pointer is NULL: which device, BAR and range, and why.
 *
 * The library uses nothing of DPDK: any program with a VFIO device fd may link it.
 */

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** @cond */
#define RTE_VFIO_WC_API __attribute__((visibility("default")))
/** @endcond */

/** A PCI device has six BARs (PCI Express base specification, type 0 header). */
#define RTE_VFIO_WC_BARS 6

/**
 * Memory types that can be asked for. The values are those of the kernel's enum vfio_mmap_attr.
 */
enum rte_vfio_wc_type {
	/** Uncached, what a plain mapping has by default (x86: UC-; arm64: Device-nGnRnE). */
	RTE_VFIO_WC_TYPE_UC = 0,
	/** Write-combining (x86: WC; arm64: Normal Non-cacheable). */
	RTE_VFIO_WC_TYPE_WC = 1,
};

/*
 * What is reserved in the structures below lets them grow under programs that are compiled already.
 * Where a caller fills them in, it must be 0.
 */

/** Why a call failed. */
struct rte_vfio_wc_error {
	int err;	/**< Positive errno, the negative of what was returned; 0: no error. */
	char text[320];	/**< One line without newline: device, BAR, range, reason. */
	uint64_t reserved[4];	/**< Not written. */
};

/** A slice of a BAR. */
struct rte_vfio_wc_range {
	/**
	 * Whose BAR it is. A PCI address ("0000:00:03.0", any spelling) is also checked: the fd
	 * must be this device's before anything is put in the place of a mapping. Other names are
	 * for messages alone.
	 */
	const char *device;
	int fd;			/**< VFIO device fd; stays the caller's. */
	unsigned int bar;	/**< 0 .. RTE_VFIO_WC_BARS - 1. */
	uint64_t offset;	/**< First byte in the BAR; multiple of the page size. */
	uint64_t length;	/**< Bytes, at least one page; multiple of the page size. */
	uint64_t reserved[4];	/**< 0. */
};

/** What the kernel says about a BAR. */
struct rte_vfio_wc_bar_info {
	uint64_t size;		/**< Bytes; 0: no such BAR (or the upper half of a 64-bit one). */
	uint64_t fd_offset;	/**< Where the BAR starts in the device fd, for a plain mmap. */
	bool mappable;		/**< It is memory and can be mmapped. */
	bool io;		/**< It is I/O ports, not memory. */
	/** Bit n: cookies of enum rte_vfio_wc_type n can be had. 0: no cookies. */
	uint32_t types;
	uint64_t msix_offset;	/**< First byte of the pages that hold the MSI-X table. */
	uint64_t msix_length;	/**< Bytes of those pages; 0: the table is not in this BAR. */
	uint64_t reserved[4];	/**< 0. */
};

/**
 * The name of a memory type as this project's tools and telemetry print it.
 *
 * @return
 *   "WC", "UC-", or "unknown" for a value that is neither. Static storage.
 */
RTE_VFIO_WC_API const char *
rte_vfio_wc_type_name(enum rte_vfio_wc_type type);

/**
 * Does the kernel hand out cookies for this device?
 *
 * Feature numbers could be taken by somebody else one day; so two things must agree: the probe of
 * the feature, and the capability in the region information of at least one BAR, which names it.
 *
 * @param device
 *   Name for messages.
 * @param fd
 *   VFIO device fd.
 * @param[out] error
 *   Filled on failure; may be NULL.
 * @return
 *   - 0: yes; which types is a matter of each BAR, see rte_vfio_wc_bar_info().
 *   - -ENOTTY: the kernel (or this device's variant driver) does not do mmap cookies.
 *   - -EPROTO: the feature's number answers, but no BAR carries the capability: either no BAR of
 *     this device can be mapped, or the number means something else in this kernel.
 *   - -ENODEV: fd is not a VFIO device.
 *   - Other errno of ioctl().
 */
RTE_VFIO_WC_API int
rte_vfio_wc_probe(const char *device, int fd, struct rte_vfio_wc_error *error);

/**
 * Ask the kernel about a BAR. Changes nothing.
 *
 * @param device
 *   Name for messages.
 * @param fd
 *   VFIO device fd.
 * @param bar
 *   0 .. RTE_VFIO_WC_BARS - 1.
 * @param[out] info
 *   Filled on success.
 * @param[out] error
 *   Filled on failure; may be NULL.
 * @return
 *   - 0: success; info->size may be 0.
 *   - -EINVAL: bar out of range.
 *   - -ENODEV: fd is not a VFIO device.
 *   - -ENOMEM, -EIO (configuration space unreadable), other errno of ioctl().
 */
RTE_VFIO_WC_API int
rte_vfio_wc_bar_info(const char *device, int fd, unsigned int bar,
		struct rte_vfio_wc_bar_info *info, struct rte_vfio_wc_error *error);

/**
 * Get a cookie: the fd offset at which a range has a given memory type.
 *
 * The same request on the same fd gives the same cookie. Cookies live until the fd is closed and
 * mean nothing on any other fd: never hand one to another process that opened its own.
 * The kernel keeps at most 256 a file.
 *
 * @param range
 *   The slice.
 * @param type
 *   The memory type.
 * @param[out] fd_offset
 *   The cookie. Any page-aligned part of it can be mmapped (MAP_SHARED).
 * @param[out] error
 *   Filled on failure; may be NULL.
 * @return
 *   - 0: success.
 *   - -EINVAL: BAR number, type, alignment, zero length, a reserved field that is not 0, or the
 *     range meets the MSI-X table.
 *   - -EOVERFLOW: offset + length wraps.
 *   - -ERANGE: the range leaves the BAR.
 *   - -ENODEV: the BAR cannot be mapped (absent, I/O ports, smaller than a page), or fd is not
 *     a VFIO device.
 *   - -ENOTTY, -EPROTO: no cookies, see rte_vfio_wc_probe().
 *   - -EOPNOTSUPP: not this type on this machine (kernel booted with nopat, or an architecture
 *     that has no such type for PCI memory).
 *   - -ENOSPC: 256 cookies on this fd already.
 *   - -ENOMEM, -EIO (configuration space cannot be read), other errno of ioctl().
 */
RTE_VFIO_WC_API int
rte_vfio_wc_cookie(const struct rte_vfio_wc_range *range, enum rte_vfio_wc_type type,
		uint64_t *fd_offset, struct rte_vfio_wc_error *error);

/**
 * Map a range with a given memory type, at an address of the kernel's choice.
 *
 * @param range
 *   The slice.
 * @param type
 *   The memory type.
 * @param[out] addr
 *   Readable and writable mapping of range->length bytes; the caller's, who gives it back with
 *   munmap(). (Unmapping a part keeps the type of the whole until the last piece goes.)
 * @param[out] error
 *   Filled on failure; may be NULL.
 * @return
 *   - 0: success, and the pages have that type.
 *   - -EBUSY: a page is held with the other type through somebody's cookie, through sysfs
 *     (resourceN), by an ioeventfd, or by another driver; dpdk-wc-info names who has it mapped
 *     through sysfs.
 *   - -ENOSPC: also when 1024 different ranges of the device are mapped through cookies.
 *   - Any error of rte_vfio_wc_cookie(), other errno of mmap().
 */
RTE_VFIO_WC_API int
rte_vfio_wc_map(const struct rte_vfio_wc_range *range, enum rte_vfio_wc_type type, void **addr,
		struct rte_vfio_wc_error *error);

/**
 * Change the memory type of a range that is mapped already, in place.
 *
 * The new mapping is made elsewhere (which is where the kernel refuses what it cannot do), then
 * moved over the old one by a single mremap(). mmap(MAP_FIXED) at once would be wrong: Linux takes
 * the old mapping away before it knows whether the new one works.
 *
 * To change a range from one cookie's type to another, rte_vfio_wc_restore() it in between.
 *
 * @param range
 *   The slice.
 * @param type
 *   The memory type.
 * @param addr
 *   Where the first byte of the slice is mapped now. All of it must be mapped from a VFIO device
 *   at the right offset (checked in /proc/self/maps).
 * @param[out] error
 *   Filled on failure; may be NULL.
 * @return
 *   - 0: success, and the pages have that type.
 *   - -ENXIO: what is mapped at addr is not this range of a VFIO device, or of another one, as far
 *     as the kernel tells (fds of VFIO groups share an inode; with CAP_SYS_ADMIN the physical
 *     address of a page that was used tells devices apart); nothing was changed.
 *   - -ENODEV: also when fd is not that of the device whose PCI address range->device is.
 *   - -ENOTRECOVERABLE: mremap() failed, took the old mapping with it, and the plain mapping could
 *     not be put back: nothing is mapped at addr any more. The device must not be used.
 *   - Any error of rte_vfio_wc_map(), other errno of mremap(): the old mapping is still there,
 *     or a plain one in its place.
 */
RTE_VFIO_WC_API int
rte_vfio_wc_remap(const struct rte_vfio_wc_range *range, enum rte_vfio_wc_type type, void *addr,
		struct rte_vfio_wc_error *error);

/**
 * Put the plain mapping of a range back, in place. The inverse of rte_vfio_wc_remap(); does no harm
 * where the mapping is plain already.
 *
 * @param range
 *   The slice.
 * @param addr
 *   Where the first byte of the slice is mapped now.
 * @param[out] error
 *   Filled on failure; may be NULL.
 * @return
 *   As rte_vfio_wc_remap(). In particular -ENXIO: somebody has unmapped the range or put something
 *   else there, which is left alone.
 */
RTE_VFIO_WC_API int
rte_vfio_wc_restore(const struct rte_vfio_wc_range *range, void *addr,
		struct rte_vfio_wc_error *error);

/**
 * Is this range of a VFIO device mapped at addr (with whatever type)?
 *
 * @return
 *   - 0: yes, all of it.
 *   - -ENXIO: no.
 *   - Errors of rte_vfio_wc_bar_info() and of reading /proc/self/maps.
 */
RTE_VFIO_WC_API int
rte_vfio_wc_mapped(const struct rte_vfio_wc_range *range, const void *addr,
		struct rte_vfio_wc_error *error);

/**
 * Is this memory write-combining, whoever made it so? For a PMD that pushes if it is, and for one
 * that must know whether its doorbells need a flush.
 *
 * The answer is the kernel's: which physical pages these are (/proc/self/pagemap) and what it has
 * reserved for them (rte_vfio_wc_pat_list()), which all mappings of a page follow. So it holds
 * until somebody changes it, and needs root, debugfs, and x86 with PAT; and each page must have
 * been used once, for nothing is touched here.
 *
 * @param addr
 *   First byte.
 * @param length
 *   Bytes.
 * @param[out] error
 *   Filled on failure; may be NULL.
 * @return
 *   - 1: all of it is.
 *   - 0: some of it, or all, is not.
 *   - -EAGAIN: a page of it is in no page table yet.
 *   - -EPERM, -EACCES: not with these rights.
 *   - -ENOENT: this kernel has no list of memory types (no debugfs mounted, no PAT, not x86).
 *   - -EINVAL: no bytes. Errors of reading the two files.
 */
RTE_VFIO_WC_API int
rte_vfio_wc_is_wc(const void *addr, uint64_t length, struct rte_vfio_wc_error *error);

/**
 * Push out what this CPU holds back of its stores to write-combining memory.
 *
 * A store to WC memory may *linger* in a buffer of the core: nothing bounds the time by which a
 * partly filled buffer is written out. x86 empties its buffers when a line is full, on
 * SFENCE/MFENCE, a locked instruction, an access to uncached memory, an interrupt. So a 4-byte
 * doorbell in WC memory needs a flush right after it, or the device may not hear of it until
 * something else happens; two values written to one doorbell without a flush between may arrive as
 * one; and lines leave in any order, so data that a doorbell announces wants a flush before it.
 * A PMD that pushes into WC memory and then writes an *uncached* doorbell needs neither on x86.
 *
 * Orders and drains the calling CPU's stores only. Call it on the lcore that stored.
 * Never fails. Costs: a round trip to where the buffers drain, when they hold something.
 */
static inline void
rte_vfio_wc_flush(void)
{
#if defined(__x86_64__) || defined(__i386__)
	/*
	 * Intel SDM volume 3A, chapter "Memory Cache Control": "Buffering of Write Combining
	 * Memory Locations" (11.3.1 in the editions before the chapters were renumbered) and the
	 * paragraph on WC among the memory types before it, which lists what empties the buffers.
	 * AMD APM volume 2 (24593), chapter "Memory System": "Memory Barrier Interaction with
	 * Memory Types" (7.4.2) and "Write Combining" (7.5.2).
	 */
	__asm__ volatile("sfence" ::: "memory");
#elif defined(__aarch64__) || defined(__arm__)
	/*
	 * Arm ARM (DDI 0487), chapter B2, "Data Synchronization Barrier": a DSB completes when the
	 * stores before it have completed, whereas a DMB only orders them and lets them gather on.
	 * Full system ("st", not "ishst"): the observer is a PCIe device.
	 */
	__asm__ volatile("dsb st" ::: "memory");
#elif defined(__powerpc__)
	/* Power ISA, book II, "Memory Barrier Instructions": heavyweight sync ends gathering. */
	__asm__ volatile("sync" ::: "memory");
#elif defined(__riscv)
	/* RISC-V unprivileged ISA, "Memory Ordering Instructions": device output counts as o. */
	__asm__ volatile("fence ow, ow" ::: "memory");
#elif defined(__loongarch__)
	/* LoongArch reference manual volume 1, "Barrier Instructions": hint 0 is the full one. */
	__asm__ volatile("dbar 0" ::: "memory");
#else
#error "rte_vfio_wc_flush(): say which barrier drains write-combining stores here"
#endif
}

/**
 * Store one line of 64 bytes, in as few stores as this CPU has: MOVDIR64B or AVX-512, one store;
 * else AVX, NEON (2), SSE2 (4), 8 bytes at a time. Chosen once, when the library is loaded.
 *
 * A line of WC memory that is written by one store leaves the CPU whole. One that is written by
 * several may leave in parts, when the buffer is emptied in between, by an interrupt say: a device
 * must not take a part of a line for the whole. In what order the parts are stored is no promise.
 *
 * Lines that were stored are not flushed: rte_vfio_wc_flush(). (MOVDIR64B does not wait in a
 * buffer, and is ordered against other stores by a fence alone.)
 *
 * @param line
 *   Where to: a multiple of 64.
 * @param from
 *   64 bytes of ordinary memory, of any alignment.
 */
RTE_VFIO_WC_API void
rte_vfio_wc_copy64(void *line, const void *from);

/**
 * How many stores rte_vfio_wc_copy64() is on this CPU. 1: a line never leaves in parts.
 */
RTE_VFIO_WC_API unsigned int
rte_vfio_wc_copy64_stores(void);

/*
 * Witnesses on real machines, where user space sees no page table.
 */

/** A piece of physical memory and the type that some witness gives for it. */
struct rte_vfio_wc_memtype {
	uint64_t start;		/**< Physical address of the first byte. */
	uint64_t length;	/**< Bytes. */
	const char *type;	/**< "WC", "UC-", "UC", "WB", "WT", "WP"; static storage. */
	uint64_t reserved;	/**< 0. */
};

/**
 * What /sys/kernel/debug/x86/pat_memtype_list holds for a physical range.
 *
 * The list tells what has been *reserved*, by a cookie's mapping or by the kernel for itself.
 * A plain vfio mapping reserves nothing and follows the list: what no entry covers is UC- where it
 * is mapped.
 * Needs root and debugfs; x86 with PAT enabled only.
 *
 * @param start
 *   Physical address.
 * @param length
 *   Bytes.
 * @param[out] list
 *   Entries clipped to the range, in the kernel's order, at most max. Duplicates (several mappings
 *   of one page) stay.
 * @param max
 *   Room in list.
 * @param[out] error
 *   Filled on failure; may be NULL.
 * @return
 *   The number of entries that meet the range, which may be more than max; or negative errno:
 *   -ENOENT (no debugfs mounted, other architecture, or nopat), -EACCES (not root).
 */
RTE_VFIO_WC_API int
rte_vfio_wc_pat_list(uint64_t start, uint64_t length, struct rte_vfio_wc_memtype *list,
		unsigned int max, struct rte_vfio_wc_error *error);

/**
 * What the memory type range registers say of a physical range (/proc/mtrr).
 *
 * The type that counts is page table *and* MTRR: a UC- page under a WC MTRR is effectively WC
 * (Intel SDM volume 3A, "Effective Page-Level Memory Type"), which spoils the uncached side of any
 * comparison. A WC page is WC whatever the MTRR says.
 *
 * @return
 *   As rte_vfio_wc_pat_list(); -ENOENT: no MTRRs here, so nothing can spoil.
 */
RTE_VFIO_WC_API int
rte_vfio_wc_mtrr_list(uint64_t start, uint64_t length, struct rte_vfio_wc_memtype *list,
		unsigned int max, struct rte_vfio_wc_error *error);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VFIO_WC_H */
