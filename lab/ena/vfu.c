/* SPDX-License-Identifier: BSD-3-Clause */

#include "vfu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

/* The protocol, "Commands". */
enum {
	VFU_VERSION = 1,
	VFU_DMA_MAP = 2,
	VFU_DMA_UNMAP = 3,
	VFU_DEVICE_GET_INFO = 4,
	VFU_DEVICE_GET_REGION_INFO = 5,
	VFU_DEVICE_GET_IRQ_INFO = 7,
	VFU_DEVICE_SET_IRQS = 8,
	VFU_REGION_READ = 9,
	VFU_REGION_WRITE = 10,
	VFU_DEVICE_RESET = 13,
};

/* The protocol, "Header". */
struct header {
	uint16_t id;
	uint16_t command;
	uint32_t size;
	uint32_t flags;
	uint32_t error;
};
#define FLAG_REPLY 0x1
#define FLAG_TYPE 0xf
#define FLAG_NO_REPLY 0x10
#define FLAG_ERROR 0x20

/* The protocol, "VFIO_USER_DMA_MAP" and "VFIO_USER_DMA_UNMAP". */
struct dma_map {
	uint32_t argsz;
	uint32_t flags;
	uint64_t offset;
	uint64_t addr;
	uint64_t size;
};
struct dma_unmap {
	uint32_t argsz;
	uint32_t flags;
	uint64_t addr;
	uint64_t size;
};
#define MAP_READ 1
#define MAP_WRITE 2
#define UNMAP_ALL 2 /* VFIO_DMA_UNMAP_FLAG_ALL */

/* The protocol, "VFIO_USER_REGION_READ". */
struct region_access {
	uint64_t offset;
	uint32_t region;
	uint32_t count;
};

#define MAX_XFER 4096
#define MAX_MAPS 65535 /* what the protocol lets the other side assume */
#define MAX_FILES 64

/* One range of DMA addresses; sorted, not overlapping. host is NULL for what is not a file. */
struct map {
	uint64_t addr, size;
	uint8_t *host;
	uint32_t flags;
};

/* A file that backs guest memory. It is mapped once, whole, however often pieces of it are mapped
 * and unmapped for DMA: a virtual IOMMU does that for every page. */
struct file {
	dev_t dev;
	ino_t ino;
	uint8_t *host;
	uint64_t size;
};

struct vfu {
	const struct vfu_ops *ops;
	void *device;
	uint8_t config[VFU_CONFIG_SIZE];
	struct vfu_bar bars[VFU_BARS];
	unsigned int vectors;
	int irqs[VFU_VECTORS];
	struct map *maps;
	size_t count, room, last;
	struct file files[MAX_FILES];
	unsigned int file_count;
};

struct vfu *
vfu_new(const struct vfu_ops *ops, void *device)
{
	struct vfu *vfu = calloc(1, sizeof(*vfu));
	unsigned int i;

	if (vfu == NULL)
		return NULL;
	vfu->ops = ops;
	vfu->device = device;
	for (i = 0; i < VFU_BARS; i++)
		vfu->bars[i].fd = -1;
	for (i = 0; i < VFU_VECTORS; i++)
		vfu->irqs[i] = -1;
	return vfu;
}

void
vfu_free(struct vfu *vfu)
{
	unsigned int i;

	if (vfu == NULL)
		return;
	for (i = 0; i < vfu->file_count; i++)
		munmap(vfu->files[i].host, vfu->files[i].size);
	for (i = 0; i < VFU_VECTORS; i++)
		if (vfu->irqs[i] >= 0)
			close(vfu->irqs[i]);
	free(vfu->maps);
	free(vfu);
}

uint8_t *
vfu_config(struct vfu *vfu)
{
	return vfu->config;
}

void
vfu_set_bar(struct vfu *vfu, unsigned int bar, const struct vfu_bar *def)
{
	vfu->bars[bar] = *def;
	memcpy(vfu->config + PCI_BASE_ADDRESS_0 + 4 * bar, &def->type, sizeof(def->type));
}

void
vfu_set_vectors(struct vfu *vfu, unsigned int count)
{
	vfu->vectors = count;
}

/* --- Guest memory ----------------------------------------------------------------------------- */

/* The first mapping that ends after addr. */
static size_t
map_find(const struct vfu *vfu, uint64_t addr)
{
	size_t low = 0, high = vfu->count;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (vfu->maps[mid].addr + (vfu->maps[mid].size - 1) < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static uint8_t *
file_map(struct vfu *vfu, int fd, uint64_t offset, uint64_t size)
{
	struct file *file = vfu->files;
	struct stat st;
	unsigned int i;

	if (fstat(fd, &st) != 0 || st.st_size <= 0)
		return NULL;
	for (i = 0; i < vfu->file_count; i++, file++)
		if (file->dev == st.st_dev && file->ino == st.st_ino)
			break;
	if (i == vfu->file_count) {
		void *host;

		if (i == MAX_FILES)
			return NULL;
		host = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (host == MAP_FAILED)
			return NULL;
		*file = (struct file){ st.st_dev, st.st_ino, host, st.st_size };
		vfu->file_count++;
	}
	if (offset > file->size || size > file->size - offset)
		return NULL;
	return file->host + offset;
}

static int
dma_map(struct vfu *vfu, const struct dma_map *req, const int *fds, unsigned int nfds)
{
	struct map new = { req->addr, req->size, NULL, req->flags & (MAP_READ | MAP_WRITE) };
	size_t at;

	if (req->size == 0 || req->addr + (req->size - 1) < req->addr)
		return EINVAL;
	at = map_find(vfu, req->addr);
	if (at < vfu->count && vfu->maps[at].addr <= req->addr + (req->size - 1))
		return EEXIST;
	if (vfu->count == MAX_MAPS)
		return ENOSPC;
	/* What comes without a file (ROMs, other devices' BARs) would have to be asked for by
	 * message; no NIC driver does DMA there, so it is remembered and never accessible. */
	if (nfds > 0) {
		new.host = file_map(vfu, fds[0], req->offset, req->size);
		if (new.host == NULL)
			return EINVAL;
	}
	if (vfu->count == vfu->room) {
		size_t room = vfu->room ? 2 * vfu->room : 64;
		struct map *maps = realloc(vfu->maps, room * sizeof(*maps));

		if (maps == NULL)
			return ENOMEM;
		vfu->maps = maps;
		vfu->room = room;
	}
	memmove(vfu->maps + at + 1, vfu->maps + at, (vfu->count - at) * sizeof(new));
	vfu->maps[at] = new;
	vfu->count++;
	return 0;
}

/* Takes away whole mappings; a range that cuts one is refused. */
static int
dma_unmap(struct vfu *vfu, const struct dma_unmap *req)
{
	uint64_t last = req->addr + (req->size - 1);
	size_t from, to;

	if (req->flags & UNMAP_ALL) {
		vfu->count = 0;
		return 0;
	}
	if (req->size == 0 || last < req->addr)
		return EINVAL;
	from = map_find(vfu, req->addr);
	for (to = from; to < vfu->count && vfu->maps[to].addr <= last; to++)
		if (vfu->maps[to].addr < req->addr ||
		    vfu->maps[to].addr + (vfu->maps[to].size - 1) > last)
			return EINVAL;
	memmove(vfu->maps + from, vfu->maps + to, (vfu->count - to) * sizeof(*vfu->maps));
	vfu->count -= to - from;
	return 0;
}

/* The piece at addr and how much of it is contiguous. */
static uint8_t *
dma_piece(struct vfu *vfu, uint64_t addr, bool write, uint64_t *room)
{
	const struct map *map;
	size_t at = vfu->last;

	if (at >= vfu->count || addr < vfu->maps[at].addr ||
	    addr - vfu->maps[at].addr >= vfu->maps[at].size)
		at = vfu->last = map_find(vfu, addr);
	if (at >= vfu->count)
		return NULL;
	map = &vfu->maps[at];
	if (addr < map->addr || map->host == NULL || !(map->flags & (write ? MAP_WRITE : MAP_READ)))
		return NULL;
	*room = map->size - (addr - map->addr);
	return map->host + (addr - map->addr);
}

void *
vfu_dma(struct vfu *vfu, uint64_t addr, size_t len, bool write)
{
	uint64_t room;
	uint8_t *piece = dma_piece(vfu, addr, write, &room);

	return piece != NULL && len <= room ? piece : NULL;
}

bool
vfu_dma_read(struct vfu *vfu, uint64_t addr, void *data, size_t len)
{
	uint8_t *to = data;

	while (len > 0) {
		uint64_t room;
		uint8_t *piece = dma_piece(vfu, addr, false, &room);

		if (piece == NULL)
			return false;
		if (room > len)
			room = len;
		memcpy(to, piece, room);
		to += room;
		addr += room;
		len -= room;
	}
	return true;
}

bool
vfu_dma_write(struct vfu *vfu, uint64_t addr, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len > 0) {
		uint64_t room;
		uint8_t *piece = dma_piece(vfu, addr, true, &room);

		if (piece == NULL)
			return false;
		if (room > len)
			room = len;
		memcpy(piece, from, room);
		from += room;
		addr += room;
		len -= room;
	}
	return true;
}

/* --- Interrupts ------------------------------------------------------------------------------- */

void
vfu_irq(struct vfu *vfu, unsigned int vector)
{
	static const uint64_t one = 1;

	/* A full eventfd has been raised already. */
	if (vector < vfu->vectors && vfu->irqs[vector] >= 0 &&
	    write(vfu->irqs[vector], &one, sizeof(one)) < 0)
		return;
}

static int
set_irqs(struct vfu *vfu, const struct vfio_irq_set *set, int *fds, unsigned int nfds)
{
	uint32_t i;

	if (set->index != VFIO_PCI_MSIX_IRQ_INDEX)
		return set->count == 0 && set->index < VFIO_PCI_NUM_IRQS ? 0 : EINVAL;
	if (set->start > vfu->vectors || set->count > vfu->vectors - set->start)
		return EINVAL;
	if ((set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) != VFIO_IRQ_SET_ACTION_TRIGGER)
		return 0; /* QEMU masks by itself, in the table that it emulates */
	switch (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_EVENTFD:
		/* As many as vectors, or none at all: those vectors are taken away. */
		if (nfds != 0 && nfds != set->count)
			return EINVAL;
		for (i = 0; i < set->count; i++) {
			int *irq = &vfu->irqs[set->start + i];

			if (*irq >= 0)
				close(*irq);
			*irq = -1;
			if (nfds != 0) {
				*irq = fds[i];
				fds[i] = -1;
			}
		}
		return 0;
	case VFIO_IRQ_SET_DATA_NONE:
		if (set->count != 0) {
			for (i = 0; i < set->count; i++)
				vfu_irq(vfu, set->start + i);
			return 0;
		}
		for (i = 0; i < vfu->vectors; i++) {
			if (vfu->irqs[i] >= 0)
				close(vfu->irqs[i]);
			vfu->irqs[i] = -1;
		}
		return 0;
	default:
		return EINVAL;
	}
}

/* --- Regions ---------------------------------------------------------------------------------- */

static unsigned int
capability(const struct vfu *vfu, uint8_t id)
{
	unsigned int at = vfu->config[PCI_CAPABILITY_LIST], hops;

	for (hops = 0; at >= PCI_STD_HEADER_SIZEOF && at + 1 < VFU_CONFIG_SIZE && hops < 48;
		hops++) {
		if (vfu->config[at] == id)
			return at;
		at = vfu->config[at + 1];
	}
	return 0;
}

/* Which bits of a config byte can be written (PCI Local Bus 3.0, 6.2; PCI Express 4.0, 7.5.3). */
static uint8_t
config_mask(const struct vfu *vfu, unsigned int at)
{
	unsigned int msix = capability(vfu, PCI_CAP_ID_MSIX);

	if (at >= PCI_BASE_ADDRESS_0 && at < PCI_BASE_ADDRESS_0 + 4 * VFU_BARS) {
		unsigned int bar = (at - PCI_BASE_ADDRESS_0) / 4,
			     byte = (at - PCI_BASE_ADDRESS_0) % 4;
		bool high = bar > 0 &&
			(vfu->bars[bar - 1].type & PCI_BASE_ADDRESS_MEM_TYPE_64) != 0;
		uint64_t size = vfu->bars[high ? bar - 1 : bar].size;

		return size == 0 ? 0 : ~(size - 1) >> (8 * (byte + (high ? 4 : 0)));
	}
	switch (at) {
	case PCI_COMMAND:
		return PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
	case PCI_COMMAND + 1:
		return PCI_COMMAND_INTX_DISABLE >> 8;
	case PCI_CACHE_LINE_SIZE:
	case PCI_INTERRUPT_LINE:
		return 0xff;
	default:
		return msix != 0 && at == msix + PCI_MSIX_FLAGS + 1 ?
			(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL) >> 8 : 0;
	}
}

static void
config_write(struct vfu *vfu, uint64_t offset, const uint8_t *data, uint32_t count)
{
	unsigned int express = capability(vfu, PCI_CAP_ID_EXP);
	bool flr = false;
	uint32_t i;

	for (i = 0; i < count; i++) {
		unsigned int at = offset + i;
		uint8_t mask = config_mask(vfu, at);

		vfu->config[at] = (vfu->config[at] & ~mask) | (data[i] & mask);
		if (express != 0 && at == express + PCI_EXP_DEVCTL + 1 &&
		    (data[i] & (PCI_EXP_DEVCTL_BCR_FLR >> 8)))
			flr = true;
	}
	if (flr)
		vfu->ops->reset(vfu->device);
}

static uint64_t
region_size(const struct vfu *vfu, uint32_t region)
{
	if (region < VFU_BARS)
		return vfu->bars[region].size;
	return region == VFIO_PCI_CONFIG_REGION_INDEX ? VFU_CONFIG_SIZE : 0;
}

static int
region_access(struct vfu *vfu, const struct region_access *req, const uint8_t *in, uint8_t *out)
{
	uint64_t size = region_size(vfu, req->region);

	if (size == 0 || req->count > MAX_XFER || req->offset > size ||
		req->count > size - req->offset)
		return EINVAL;
	if (req->region == VFIO_PCI_CONFIG_REGION_INDEX) {
		if (in != NULL)
			config_write(vfu, req->offset, in, req->count);
		else
			memcpy(out, vfu->config + req->offset, req->count);
	} else if (vfu->bars[req->region].fd >= 0) {
		/* The guest has mapped it; this is QEMU's way round for odd accesses. */
		ssize_t done = in != NULL ?
			pwrite(vfu->bars[req->region].fd, in, req->count, req->offset) :
			pread(vfu->bars[req->region].fd, out, req->count, req->offset);

		return done == (ssize_t)req->count ? 0 : EIO;
	} else if (in != NULL) {
		vfu->ops->bar_write(vfu->device, req->region, req->offset, in, req->count);
	} else {
		vfu->ops->bar_read(vfu->device, req->region, req->offset, out, req->count);
	}
	return 0;
}

static int
region_info(const struct vfu *vfu, struct vfio_region_info *info, int *fd)
{
	if (info->index >= VFIO_PCI_NUM_REGIONS)
		return EINVAL;
	info->size = region_size(vfu, info->index);
	info->offset = 0;
	info->cap_offset = 0;
	info->flags = info->size ? VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE : 0;
	info->argsz = sizeof(*info);
	if (info->index < VFU_BARS && vfu->bars[info->index].fd >= 0) {
		info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
		*fd = vfu->bars[info->index].fd;
	}
	return 0;
}

/* --- Messages --------------------------------------------------------------------------------- */

/* The answer's body, if any, goes to out; its length to *out_len. Returns an errno value. */
static int
process(struct vfu *vfu, uint16_t command, const uint8_t *body, size_t len, int *fds,
	unsigned int nfds, uint8_t *out, size_t *out_len, int *out_fd)
{
	/* Only versions of this one major have ever been published. */
	static const char capabilities[] =
		"{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":4096}}";
	union {
		uint16_t version[2];
		struct dma_map map;
		struct dma_unmap unmap;
		struct vfio_region_info region;
		struct vfio_irq_info irq;
		uint8_t irq_set[sizeof(struct vfio_irq_set)];
		struct region_access access;
	} req;
	uint32_t info[4];
	size_t fixed;
	int error;

	switch (command) {
	case VFU_VERSION: fixed = sizeof(req.version); break;
	case VFU_DMA_MAP: fixed = sizeof(req.map); break;
	case VFU_DMA_UNMAP: fixed = sizeof(req.unmap); break;
	case VFU_DEVICE_GET_INFO: fixed = 8; break;
	case VFU_DEVICE_GET_REGION_INFO: fixed = sizeof(req.region); break;
	case VFU_DEVICE_GET_IRQ_INFO: fixed = sizeof(req.irq); break;
	case VFU_DEVICE_SET_IRQS: fixed = sizeof(req.irq_set); break;
	case VFU_REGION_READ:
	case VFU_REGION_WRITE: fixed = sizeof(req.access); break;
	case VFU_DEVICE_RESET: fixed = 0; break;
	default: return ENOTSUP;
	}
	if (len < fixed)
		return EINVAL;
	memcpy(&req, body, fixed);

	switch (command) {
	case VFU_VERSION:
		if (req.version[0] != 0)
			return EINVAL;
		req.version[1] = 0;
		memcpy(out, req.version, sizeof(req.version));
		memcpy(out + sizeof(req.version), capabilities, sizeof(capabilities));
		*out_len = sizeof(req.version) + sizeof(capabilities);
		return 0;
	case VFU_DMA_MAP:
		return dma_map(vfu, &req.map, fds, nfds);
	case VFU_DMA_UNMAP:
		error = dma_unmap(vfu, &req.unmap);
		if (error == 0) {
			memcpy(out, &req.unmap, sizeof(req.unmap));
			*out_len = sizeof(req.unmap);
		}
		return error;
	case VFU_DEVICE_GET_INFO:
		info[0] = sizeof(info);
		info[1] = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
		info[2] = VFIO_PCI_NUM_REGIONS;
		info[3] = VFIO_PCI_NUM_IRQS;
		memcpy(out, info, sizeof(info));
		*out_len = sizeof(info);
		return 0;
	case VFU_DEVICE_GET_REGION_INFO:
		error = region_info(vfu, &req.region, out_fd);
		if (error == 0) {
			memcpy(out, &req.region, sizeof(req.region));
			*out_len = sizeof(req.region);
		}
		return error;
	case VFU_DEVICE_GET_IRQ_INFO:
		if (req.irq.index >= VFIO_PCI_NUM_IRQS)
			return EINVAL;
		req.irq.count = req.irq.index == VFIO_PCI_MSIX_IRQ_INDEX ? vfu->vectors : 0;
		req.irq.flags = VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
		memcpy(out, &req.irq, sizeof(req.irq));
		*out_len = sizeof(req.irq);
		return 0;
	case VFU_DEVICE_SET_IRQS: {
		struct vfio_irq_set set;

		memcpy(&set, req.irq_set, sizeof(set));
		return set_irqs(vfu, &set, fds, nfds);
	}
	case VFU_REGION_READ:
		error = region_access(vfu, &req.access, NULL, out + sizeof(req.access));
		if (error == 0) {
			memcpy(out, &req.access, sizeof(req.access));
			*out_len = sizeof(req.access) + req.access.count;
		}
		return error;
	case VFU_REGION_WRITE:
		if (len - fixed < req.access.count)
			return EINVAL;
		error = region_access(vfu, &req.access, body + fixed, NULL);
		if (error == 0) {
			memcpy(out, &req.access, sizeof(req.access));
			*out_len = sizeof(req.access);
		}
		return error;
	default: /* VFU_DEVICE_RESET */
		vfu->ops->reset(vfu->device);
		return 0;
	}
}

size_t
vfu_process(struct vfu *vfu, const void *msg, size_t len, int *fds, unsigned int nfds,
	    void *reply, int *reply_fd)
{
	struct header header;
	size_t body = 0;
	unsigned int i;
	int error = EINVAL;

	*reply_fd = -1;
	memset(&header, 0, sizeof(header));
	if (len >= sizeof(header)) {
		memcpy(&header, msg, sizeof(header));
		if ((header.flags & FLAG_TYPE) == 0)
			error = process(vfu, header.command, (const uint8_t *)msg + sizeof(header),
					len - sizeof(header), fds, nfds,
					(uint8_t *)reply + sizeof(header), &body, reply_fd);
	}
	for (i = 0; i < nfds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (header.flags & FLAG_NO_REPLY)
		return 0;
	header.flags = FLAG_REPLY | (error ? FLAG_ERROR : 0);
	header.error = error;
	header.size = sizeof(header) + (error ? 0 : body);
	memcpy(reply, &header, sizeof(header));
	return header.size;
}

/* All of len bytes, with the file descriptors that come along. */
static bool
receive(int sock, uint8_t *data, size_t len, int *fds, unsigned int *nfds)
{
	while (len > 0) {
		union {
			struct cmsghdr align;
			char data[CMSG_SPACE(sizeof(int) * VFU_MAX_FDS)];
		} control;
		struct iovec iov = { data, len };
		struct msghdr msg = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control.data,
			.msg_controllen = sizeof(control),
		};
		struct cmsghdr *cmsg;
		ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		for (cmsg = CMSG_FIRSTHDR(&msg); cmsg != NULL; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
			size_t count, i;

			if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
				continue;
			count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			for (i = 0; i < count; i++) {
				int fd;

				memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
				if (*nfds < VFU_MAX_FDS)
					fds[(*nfds)++] = fd;
				else
					close(fd);
			}
		}
		data += n;
		len -= n;
	}
	return true;
}

static bool
answer(int sock, const void *data, size_t len, int fd)
{
	union {
		struct cmsghdr align;
		char data[CMSG_SPACE(sizeof(int))];
	} control = { .data = { 0 } };
	struct iovec iov = { NULL, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	memcpy(&iov.iov_base, &data, sizeof(data));
	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control.data;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	/* The socket blocks, and an answer is far shorter than its buffer. */
	return sendmsg(sock, &msg, MSG_NOSIGNAL) == (ssize_t)len;
}

bool
vfu_serve(struct vfu *vfu, int sock)
{
	uint8_t msg[VFU_MAX_MSG], reply[VFU_MAX_MSG];
	struct header header;
	unsigned int nfds = 0, i;
	int fds[VFU_MAX_FDS], reply_fd;
	size_t len;

	if (!receive(sock, msg, sizeof(header), fds, &nfds))
		goto gone;
	memcpy(&header, msg, sizeof(header));
	if (header.size < sizeof(header) || header.size > sizeof(msg) ||
	    !receive(sock, msg + sizeof(header), header.size - sizeof(header), fds, &nfds))
		goto gone;
	len = vfu_process(vfu, msg, header.size, fds, nfds, reply, &reply_fd);
	return len == 0 || answer(sock, reply, len, reply_fd);
gone:
	for (i = 0; i < nfds; i++)
		close(fds[i]);
	return false;
}
