/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "vfio_device.h"

/*
 * A device fd got from a VFIO group is the anonymous inode "[vfio-device]", one opened as
 * a character device (iommufd) is /dev/vfio/devices/vfioN.
 */
static bool
is_vfio(const char *path)
{
	return strcmp(path, "anon_inode:[vfio-device]") == 0 ||
		strncmp(path, "/dev/vfio/devices/", strlen("/dev/vfio/devices/")) == 0;
}

/* "1100804000-1100805000 rw-s 40000003000 00:0f 2071     anon_inode:[vfio-device]" */
static bool
parse(char *line, struct vfio_wc_map *map)
{
	unsigned int dev_major, dev_minor;
	uint64_t end, inode;
	int path = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %x:%x %" SCNu64 " %n", &map->va,
			&end, &map->fd_offset, &dev_major, &dev_minor, &inode, &path) != 6 ||
			path == 0 || !is_vfio(line + path))
		return false;
	map->length = end - map->va;
	map->dev = makedev(dev_major, dev_minor);
	map->inode = inode;
	return true;
}

int
vfio_wc_maps_read(pid_t pid, struct vfio_wc_maps *maps)
{
	struct vfio_wc_map map, *bigger;
	char path[64], *line = NULL;
	size_t size = 0;
	FILE *f;
	int ret = 0;

	*maps = (struct vfio_wc_maps){ 0 };
	if (pid == 0)
		strcpy(path, "/proc/thread-self/maps");
	else
		snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return -errno;
	while (ret == 0 && getline(&line, &size, f) > 0) {
		if (!parse(line, &map))
			continue;
		bigger = realloc(maps->v, (maps->n + 1) * sizeof(map));
		if (bigger == NULL) {
			ret = -ENOMEM;
		} else {
			maps->v = bigger;
			maps->v[maps->n++] = map;
		}
	}
	free(line);
	fclose(f);
	return ret;
}

/* Where vfio-pci has regions: VFIO_PCI_OFFSET_SHIFT in include/linux/vfio_pci_core.h of Linux */
#define REGION_SHIFT 40

/* Where the BARs are in a device's file that another process has open */
static bool
ask_process(pid_t pid, const struct vfio_wc_sysfs *pci, uint64_t at[PCI_STD_NUM_BARS])
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	struct vfio_wc_why why;
	struct dirent *entry;
	bool found = false;
	char path[32];
	DIR *fds;

	if (pidfd < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	fds = opendir(path);
	while (!found && fds != NULL && (entry = readdir(fds)) != NULL) {
		int fd = entry->d_name[0] == '.' ? -1 :
			syscall(SYS_pidfd_getfd, pidfd, atoi(entry->d_name), 0);
		unsigned int i;

		found = fd >= 0 && vfio_wc_is_device(fd) && vfio_wc_match(pci, fd, &why) == 0;
		for (i = 0; found && i < PCI_STD_NUM_BARS; i++) {
			struct vfio_region_info *info = vfio_wc_region_info(fd, i);

			found = info != NULL;
			if (found)
				at[i] = info->offset;
			free(info);
		}
		if (fd >= 0)
			close(fd);
	}
	if (fds != NULL)
		closedir(fds);
	close(pidfd);
	return found;
}

void
vfio_wc_maps_find_bars(pid_t pid, const struct vfio_wc_sysfs *pci, struct vfio_wc_maps *maps)
{
	uint64_t at[PCI_STD_NUM_BARS];
	unsigned int bar;
	size_t i;

	if (!ask_process(pid, pci, at))
		for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
			at[bar] = (uint64_t)bar << REGION_SHIFT;
	/* One behind the other: a mapping is of the last that begins before it. */
	for (i = 0; i < maps->n; i++) {
		struct vfio_wc_map *map = &maps->v[i];

		for (bar = PCI_STD_NUM_BARS - 1; bar > 0 && map->fd_offset < at[bar]; )
			bar--;
		map->bar = bar;
		map->bar_offset = map->fd_offset - at[bar];
	}
}

int
vfio_wc_maps_check(int fd, const void *addr, uint64_t length, uint64_t fd_offset)
{
	uint64_t next = (uintptr_t)addr;
	const uint64_t end = next + length;
	struct vfio_wc_maps maps;
	struct stat file;
	size_t i;
	int ret;

	if (end < next)
		return -ENXIO;
	if (fstat(fd, &file) != 0)
		return -errno;
	ret = vfio_wc_maps_read(0, &maps);
	/* They come in ascending order: walk along them until one leaves a gap. */
	for (i = 0; ret == 0 && i < maps.n && next < end; i++) {
		const struct vfio_wc_map *map = &maps.v[i];

		if (map->va + map->length <= next)
			continue;
		if (map->va > next || map->dev != file.st_dev || map->inode != file.st_ino ||
				map->fd_offset + (next - map->va) != fd_offset)
			break;
		fd_offset += map->va + map->length - next;
		next = map->va + map->length;
	}
	free(maps.v);
	if (ret == 0 && next < end)
		ret = -ENXIO;
	return ret;
}

/* Documentation/admin-guide/mm/pagemap.rst of Linux: 64 bits a page, the number in the lower 55. */
int
vfio_wc_physical(const void *addr, uint64_t *pa)
{
	const uint64_t page = sysconf(_SC_PAGESIZE), va = (uintptr_t)addr;
	int fd = open("/proc/thread-self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (pread(fd, &entry, sizeof(entry), va / page * sizeof(entry)) != sizeof(entry))
		ret = -EIO;
	else if ((entry & UINT64_C(1) << 63) == 0)
		ret = -EAGAIN;
	else if ((entry & ((UINT64_C(1) << 55) - 1)) == 0)
		ret = -EPERM;
	else
		*pa = (entry & ((UINT64_C(1) << 55) - 1)) * page + va % page;
	close(fd);
	return ret;
}
