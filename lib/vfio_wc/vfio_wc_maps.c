/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfio_wc_maps.h"

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

int
vfio_wc_maps_check(const void *addr, uint64_t length, uint64_t fd_offset)
{
	uint64_t next = (uintptr_t)addr;
	uint64_t end = next + length;
	char *line = NULL;
	size_t size = 0;
	FILE *maps;
	int ret;

	maps = fopen("/proc/self/maps", "re");
	if (maps == NULL)
		return -errno;

	/* Lines come in ascending order: walk along them until one leaves a gap. */
	ret = -ENXIO;
	while (getline(&line, &size, maps) > 0) {
		uint64_t vma_start, vma_end, vma_offset;
		int path = 0;

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*4s %" SCNx64 " %*s %*u %n",
				&vma_start, &vma_end, &vma_offset, &path) != 3 ||
				vma_end <= next)
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (vma_start > next || path == 0 || !is_vfio(line + path) ||
				vma_offset + (next - vma_start) != fd_offset)
			break;
		fd_offset += vma_end - next;
		next = vma_end;
		if (next >= end) {
			ret = 0;
			break;
		}
	}
	free(line);
	fclose(maps);
	return ret;
}
