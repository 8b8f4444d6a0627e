/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "internal.h"

/*
 * What /proc has of this process is what it has of its first thread: one that has descriptors of
 * its own (CLONE_FILES) finds them, and what outlives the first thread finds anything, where it
 * looks for its own.
 */

/*
 * "../../devices/pci0000:00/0000:00:03.0/vfio-dev/vfio3": where sysfs has a character device of
 * VFIO; cut before "/vfio-dev/".
 */
static bool
parent_of_cdev(const struct stat *file, char target[PATH_MAX])
{
	char path[64], *end;
	ssize_t n;

	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u", major(file->st_rdev),
		minor(file->st_rdev));
	n = readlink(path, target, PATH_MAX - 1);
	target[n < 0 ? 0 : n] = '\0';
	end = strstr(target, "/vfio-dev/");
	if (end != NULL)
		*end = '\0';
	return end != NULL;
}

bool
vfio_wc_is_device(int fd)
{
	char path[64], target[PATH_MAX];
	struct vfio_wc_why why;
	struct stat file;
	ssize_t n;

	if (fstat(fd, &file) != 0)
		return false;
	if (S_ISCHR(file.st_mode))
		return parent_of_cdev(&file, target) || (access("/sys/dev/char", F_OK) != 0 &&
			vfio_wc_check_fd(fd, &why) == 0);
	/* an anonymous inode is of no type */
	if ((file.st_mode & S_IFMT) != 0)
		return false;
	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return vfio_wc_check_fd(fd, &why) == 0;
	target[n] = '\0';
	return strcmp(target, "anon_inode:[vfio-device]") == 0;
}

/* Configuration space is little-endian, and so are VFIO's accesses to it. */
static uint32_t
get32(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static void
read_start(struct vfio_wc_sysfs_bar *bar, const uint8_t *at)
{
	const uint32_t low = get32(at);

	bar->memory = (low & PCI_BASE_ADDRESS_SPACE) == PCI_BASE_ADDRESS_SPACE_MEMORY;
	if (!bar->memory) {
		bar->start = low & PCI_BASE_ADDRESS_IO_MASK;
		return;
	}
	bar->prefetchable = (low & PCI_BASE_ADDRESS_MEM_PREFETCH) != 0;
	bar->is_64 = (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) == PCI_BASE_ADDRESS_MEM_TYPE_64;
	bar->start = low & ~(uint32_t)0xf;
	if (bar->is_64)
		bar->start |= (uint64_t)get32(at + 4) << 32;
}

int
vfio_wc_sysfs_from_fd(int fd, struct vfio_wc_sysfs *out, struct vfio_wc_why *why)
{
	/* what follows the last BAR is the upper half of none */
	uint8_t header[PCI_BASE_ADDRESS_5 + 8];
	struct vfio_device_info device = { .argsz = sizeof(device) };
	struct vfio_region_info *info;
	unsigned int bar;
	ssize_t n;

	memset(out, 0, sizeof(*out));
	out->node = -1;
	if (ioctl(fd, VFIO_DEVICE_GET_INFO, &device) != 0)
		return because(why, EIO, "no device information (%s)", strerror(errno));
	if ((device.flags & VFIO_DEVICE_FLAGS_PCI) == 0)
		return because(why, ENODEV, "it is no PCI device");
	info = vfio_wc_region_info(fd, VFIO_PCI_CONFIG_REGION_INDEX);
	n = info != NULL ? pread(fd, header, sizeof(header), info->offset) : -1;
	free(info);
	if (n != sizeof(header))
		return because(why, EIO, "configuration space cannot be read");
	out->vendor = get32(header + PCI_VENDOR_ID) & 0xffff;
	out->device = get32(header + PCI_VENDOR_ID) >> 16;
	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		info = vfio_wc_region_info(fd, VFIO_PCI_BAR0_REGION_INDEX + bar);
		if (info == NULL)
			return because(why, EIO, "no region information of BAR %u (%s)", bar,
				strerror(errno));
		out->bar[bar].size = info->size;
		free(info);
		if (out->bar[bar].size != 0)
			read_start(&out->bar[bar], header + PCI_BASE_ADDRESS_0 + 4 * bar);
	}
	return 0;
}

bool
vfio_wc_address(int fd, char bdf[VFIO_WC_BDF_LEN])
{
	char target[PATH_MAX], name[VFIO_WC_BDF_LEN], path[64];
	const char *last = NULL;
	struct stat file;

	if (fstat(fd, &file) == 0 && S_ISCHR(file.st_mode) && parent_of_cdev(&file, target))
		last = strrchr(target, '/');
	if (last != NULL)
		return vfio_wc_bdf(last + 1, bdf) == 0;
	snprintf(path, sizeof(path), "/proc/thread-self/fdinfo/%d", fd);
	return vfio_wc_syspath(path, name, sizeof(name)) && vfio_wc_bdf(name, bdf) == 0;
}

static bool
looks_like(const struct vfio_wc_sysfs *pci, const struct vfio_wc_sysfs *self)
{
	unsigned int bar;

	if (!vfio_wc_sysfs_is_vfio(pci) || pci->vendor != self->vendor ||
			pci->device != self->device)
		return false;
	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		if (pci->bar[bar].size != self->bar[bar].size)
			return false;
	return true;
}

/*
 * Does it stand where its base address registers say? They do not say so in a virtual function,
 * behind a bridge that translates, or when the user has written to them: a no proves nothing.
 */
static bool
stands_there(const struct vfio_wc_sysfs *pci, const struct vfio_wc_sysfs *self)
{
	unsigned int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		if (self->bar[bar].size != 0 && pci->bar[bar].start != self->bar[bar].start)
			return false;
	return true;
}

unsigned int
vfio_wc_lookalikes(const struct vfio_wc_sysfs *self, char (*out)[VFIO_WC_BDF_LEN],
		unsigned int max)
{
	const struct dirent *entry;
	struct vfio_wc_sysfs pci;
	unsigned int n = 0;
	DIR *dir;

	dir = opendir("/sys/bus/pci/devices");
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (vfio_wc_sysfs_read(entry->d_name, &pci) != 0 || !looks_like(&pci, self))
			continue;
		if (max > 0 && stands_there(&pci, self)) {
			strcpy(out[0], pci.bdf);
			n = 1;
			break;
		}
		if (n < max)
			strcpy(out[n], pci.bdf);
		n++;
	}
	if (dir != NULL)
		closedir(dir);
	return n;
}
