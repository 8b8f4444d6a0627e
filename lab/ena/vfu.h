/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A vfio-user server for one PCI device: what QEMU's vfio-user-pci talks to.
 *
 * Protocol: QEMU, docs/interop/vfio-user.rst ("the protocol" below). Structures of requests that
 * mirror an ioctl are Linux's, include/uapi/linux/vfio.h.
 *
 * Single-threaded: every function is called from the thread that called vfu_open(). Nothing that
 * the other side sends is trusted; a message that makes no sense gets an error for an answer.
 */

#ifndef VFU_H
#define VFU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VFU_BARS 6
#define VFU_VECTORS 32
#define VFU_CONFIG_SIZE 256
#define VFU_MAX_FDS 16
#define VFU_MAX_MSG 8192 /* longest message accepted, header included */

struct vfu;

/* What the device does. @bar is 0..5; @len is what the guest accessed, already checked to lie in
 * the BAR. */
struct vfu_ops {
	void (*bar_read)(void *device, unsigned int bar, uint64_t offset, void *data, size_t len);
	void (*bar_write)(void *device, unsigned int bar, uint64_t offset, const void *data,
			  size_t len);
	void (*reset)(void *device);
};

/* A BAR; all of it is trapped when fd is -1, else it is that file, mapped by the guest. */
struct vfu_bar {
	uint64_t size; /* power of 2, or 0: not there */
	uint32_t type; /* low bits of the base address register */
	int fd;
};

struct vfu *vfu_new(const struct vfu_ops *ops, void *device);
void vfu_free(struct vfu *vfu);

/* Config space, for the device to fill in before anybody connects; vectors: MSI-X table size. */
uint8_t *vfu_config(struct vfu *vfu);
void vfu_set_bar(struct vfu *vfu, unsigned int bar, const struct vfu_bar *def);
void vfu_set_vectors(struct vfu *vfu, unsigned int count);

/*
 * Process one request. @msg holds a whole message of @len bytes; @fds came along with it and
 * belong to the callee. Returns the length of the answer written to @reply (VFU_MAX_MSG bytes),
 * 0: none is wanted. *@reply_fd is a file descriptor to send along (still the callee's), or -1.
 */
size_t vfu_process(struct vfu *vfu, const void *msg, size_t len, int *fds, unsigned int nfds,
		   void *reply, int *reply_fd);

/* Read a request from a connected socket, process it, answer. False: the connection is over. */
bool vfu_serve(struct vfu *vfu, int sock);

/*
 * Guest memory by DMA address. NULL or false unless all of it is mapped with that right.
 * vfu_dma() wants one contiguous piece; the copies split at the borders of mappings. Pointers are
 * good until the next message is processed, and the guest may change what they point to at any
 * time: read each field once.
 */
void *vfu_dma(struct vfu *vfu, uint64_t addr, size_t len, bool write);
bool vfu_dma_read(struct vfu *vfu, uint64_t addr, void *data, size_t len);
bool vfu_dma_write(struct vfu *vfu, uint64_t addr, const void *data, size_t len);

/* Raise an MSI-X vector; nothing happens when the guest has not enabled it. */
void vfu_irq(struct vfu *vfu, unsigned int vector);

#endif
