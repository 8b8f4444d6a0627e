/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vfio_device.h"

/* Flags of a line of sysfs' "resource": include/linux/ioport.h */
#define IORESOURCE_MEM		0x00000200
#define IORESOURCE_PREFETCH	0x00002000
#define IORESOURCE_MEM_64	0x00100000

/* A number of 1 to digits hexadecimal digits, and the character behind it. */
static bool
take(const char **text, unsigned int digits, char behind, unsigned int *value)
{
	unsigned int n;

	*value = 0;
	for (n = 0; isxdigit((unsigned char)**text); n++, (*text)++)
		*value = *value << 4 | (isdigit((unsigned char)**text) ? **text - '0' :
			tolower((unsigned char)**text) - 'a' + 10);
	return n >= 1 && n <= digits && *(*text)++ == behind;
}

int
vfio_wc_bdf(const char *text, char bdf[VFIO_WC_BDF_LEN])
{
	unsigned int domain = 0, bus, device, function;
	const char *colon;

	if (strncmp(text, "pci:", 4) == 0)
		text += 4;
	colon = strchr(text, ':');
	if (colon != NULL && strchr(colon + 1, ':') != NULL && !take(&text, 8, ':', &domain))
		return -EINVAL;
	if (!take(&text, 2, ':', &bus) || !take(&text, 2, '.', &device) || device > 0x1f ||
			!take(&text, 1, '\0', &function) || function > 7)
		return -EINVAL;
	snprintf(bdf, VFIO_WC_BDF_LEN, "%04x:%02x:%02x.%u", domain, bus, device, function);
	return 0;
}

static const char *
attribute(const char *bdf, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "/sys/bus/pci/devices/%s/%s", bdf, name);
	return path;
}

static FILE *
open_attribute(const char *bdf, const char *name)
{
	char path[PATH_MAX];

	return fopen(attribute(bdf, name, path), "re");
}

static int
read_id(const char *bdf, const char *name, uint16_t *id)
{
	FILE *f = open_attribute(bdf, name);
	int n;

	if (f == NULL)
		return errno == ENOENT ? -ENODEV : -errno;
	n = fscanf(f, "%" SCNx16, id);
	fclose(f);
	return n == 1 ? 0 : -EIO;
}

/* Where an attribute that is a link points to: the last name; "" when it is not there. */
static void
read_link(const char *bdf, const char *name, char *out, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	const char *last;
	ssize_t n;

	n = readlink(attribute(bdf, name, path), target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	last = strrchr(target, '/');
	snprintf(out, size, "%.*s", (int)size - 1, last != NULL ? last + 1 : target);
}

/* The one entry of the folder vfio-dev, from Linux 6.1 on. */
static void
read_cdev(const char *bdf, char *out, size_t size)
{
	char path[PATH_MAX];
	const struct dirent *entry;
	DIR *dir = opendir(attribute(bdf, "vfio-dev", path));

	out[0] = '\0';
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			snprintf(out, size, "%.*s", (int)size - 1, entry->d_name);
	if (dir != NULL)
		closedir(dir);
}

static int
read_node(const char *bdf)
{
	FILE *f = open_attribute(bdf, "numa_node");
	int node;

	if (f == NULL)
		return -1;
	if (fscanf(f, "%d", &node) != 1)
		node = -1;
	fclose(f);
	return node;
}

/* One line for each BAR: first byte, last byte, flags; all zero where there is none. */
static int
read_bars(struct vfio_wc_sysfs *out)
{
	FILE *f = open_attribute(out->bdf, "resource");
	unsigned int i;

	if (f == NULL)
		return -errno;
	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		struct vfio_wc_sysfs_bar *bar = &out->bar[i];
		uint64_t start, last, flags;

		if (fscanf(f, "%" SCNx64 "%" SCNx64 "%" SCNx64, &start, &last, &flags) != 3)
			break;
		if (flags == 0)
			continue;
		bar->start = start;
		bar->size = last - start + 1;
		bar->memory = (flags & IORESOURCE_MEM) != 0;
		bar->prefetchable = (flags & IORESOURCE_PREFETCH) != 0;
		bar->is_64 = (flags & IORESOURCE_MEM_64) != 0;
	}
	fclose(f);
	return i == PCI_STD_NUM_BARS ? 0 : -EIO;
}

int
vfio_wc_sysfs_read(const char *address, struct vfio_wc_sysfs *out)
{
	int ret;

	memset(out, 0, sizeof(*out));
	ret = vfio_wc_bdf(address, out->bdf);
	if (ret == 0)
		ret = read_id(out->bdf, "vendor", &out->vendor);
	if (ret == 0)
		ret = read_id(out->bdf, "device", &out->device);
	if (ret != 0)
		return ret;
	out->node = read_node(out->bdf);
	read_link(out->bdf, "driver", out->driver, sizeof(out->driver));
	read_link(out->bdf, "iommu_group", out->group, sizeof(out->group));
	read_cdev(out->bdf, out->cdev, sizeof(out->cdev));
	return read_bars(out);
}

bool
vfio_wc_sysfs_is_vfio(const struct vfio_wc_sysfs *pci)
{
	return strstr(pci->driver, "vfio") != NULL;
}

int
vfio_wc_sysfs_config(const struct vfio_wc_sysfs *pci)
{
	char path[PATH_MAX];
	int fd = open(attribute(pci->bdf, "config", path), O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
