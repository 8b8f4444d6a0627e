/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"

/* "vfio-device-syspath: /sys/devices/pci0000:00/0000:00:03.0" */
bool
vfio_wc_syspath(const char *path, char *name, size_t size)
{
	static const char key[] = "vfio-device-syspath:";
	const char *last = NULL;
	char *line = NULL;
	size_t room = 0;
	FILE *f;

	f = fopen(path, "re");
	if (f == NULL)
		return false;
	while (last == NULL && getline(&line, &room, f) > 0) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		line[strcspn(line, "\n")] = '\0';
		last = strrchr(line, '/');
		last = last != NULL ? last + 1 : "";
		snprintf(name, size, "%s", last);
	}
	free(line);
	fclose(f);
	return last != NULL;
}

enum syspath
vfio_wc_fdinfo(const char *path, const char *bdf)
{
	char name[VFIO_WC_BDF_LEN];

	if (!vfio_wc_syspath(path, name, sizeof(name)))
		return SAYS_NOTHING;
	return strcmp(name, bdf) == 0 ? THIS_DEVICE : ANOTHER_DEVICE;
}

/* What a process may have open of a device. */
struct nodes {
	const char *bdf;
	struct node group;
	char noiommu[64];	/* of a group that is not here; "" */
	char cdev[64];
};

/* The target may be below a root directory of the process. */
static bool
is_node(const char *target, const char *path)
{
	const size_t n = strlen(path), length = strlen(target);

	return n > 0 && length >= n && strcmp(target + length - n, path) == 0;
}

static bool
is_of_device(const struct nodes *nodes, const char *pid, const char *fd)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%.16s/fd/%.16s", pid, fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return false;
	target[n] = '\0';
	if (is_node(target, nodes->group.path) || is_node(target, nodes->noiommu) ||
			is_node(target, nodes->cdev))
		return true;
	if (strcmp(target, "anon_inode:[vfio-device]") != 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%.16s/fdinfo/%.16s", pid, fd);
	return vfio_wc_fdinfo(path, nodes->bdf) == THIS_DEVICE;
}

static bool
holds(const struct nodes *nodes, const char *pid)
{
	const struct dirent *entry;
	char path[PATH_MAX];
	bool found = false;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	fds = opendir(path);
	while (fds != NULL && !found && (entry = readdir(fds)) != NULL)
		found = is_of_device(nodes, pid, entry->d_name);
	if (fds != NULL)
		closedir(fds);
	return found;
}

static void
read_name(const char *pid, char *name, size_t size)
{
	char path[PATH_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	f = fopen(path, "re");
	if (f != NULL && fgets(name, size, f) != NULL)
		name[strcspn(name, "\n")] = '\0';
	/* whatever a process calls itself, a terminal and a JSON have to bear it */
	for (; *name != '\0'; name++)
		if (*name < ' ' || *name > '~')
			*name = '?';
	if (f != NULL)
		fclose(f);
}

static struct vfio_wc_holder
process(const char *pid)
{
	struct vfio_wc_holder holder = { .pid = atoi(pid) };

	read_name(pid, holder.name, sizeof(holder.name));
	return holder;
}

void
vfio_wc_find_holder(const struct vfio_wc_sysfs *pci, pid_t after, struct vfio_wc_holder *out)
{
	struct nodes nodes = { .bdf = pci->bdf, .group = vfio_wc_group_node(pci) };
	const struct dirent *entry;
	pid_t pid;
	DIR *proc;

	*out = (struct vfio_wc_holder){ 0 };
	if (pci->cdev[0] != '\0')
		snprintf(nodes.cdev, sizeof(nodes.cdev), "/dev/vfio/devices/%s", pci->cdev);
	if (pci->group[0] != '\0' && !nodes.group.here)
		snprintf(nodes.noiommu, sizeof(nodes.noiommu), "/dev/vfio/noiommu-%s", pci->group);
	proc = opendir("/proc");
	while (proc != NULL && (entry = readdir(proc)) != NULL) {
		pid = atoi(entry->d_name);
		if (pid > after && (out->pid == 0 || pid < out->pid) &&
				holds(&nodes, entry->d_name))
			*out = process(entry->d_name);
	}
	if (proc != NULL)
		closedir(proc);
}

/* "7f3a9c000-7f3a9d000 rw-s 0 00:16 72 /sys/devices/pci0000:00/0000:00:03.0/resource4_wc" */
static int
sysfs_bar(const char *line, const char *file)
{
	const char *at = strstr(line, file);

	if (at == NULL)
		return -1;
	at += strlen(file);
	if (*at < '0' || *at >= '0' + PCI_STD_NUM_BARS)
		return -1;
	return strcmp(at + 1, "\n") == 0 || strcmp(at + 1, "_wc\n") == 0 ? *at - '0' : -1;
}

static void
find_mapped(const char *pid, const char *file, struct vfio_wc_holder out[PCI_STD_NUM_BARS])
{
	char path[PATH_MAX], *line = NULL;
	size_t size = 0;
	FILE *f;
	int bar;

	snprintf(path, sizeof(path), "/proc/%.16s/maps", pid);
	f = fopen(path, "re");
	while (f != NULL && getline(&line, &size, f) > 0) {
		bar = sysfs_bar(line, file);
		if (bar >= 0 && out[bar].pid == 0)
			out[bar] = process(pid);
	}
	free(line);
	if (f != NULL)
		fclose(f);
}

void
vfio_wc_find_mappers(const struct vfio_wc_sysfs *pci, struct vfio_wc_holder out[PCI_STD_NUM_BARS])
{
	const struct dirent *entry;
	char file[VFIO_WC_BDF_LEN + 16];
	DIR *proc = opendir("/proc");

	memset(out, 0, PCI_STD_NUM_BARS * sizeof(*out));
	snprintf(file, sizeof(file), "/%s/resource", pci->bdf);
	while (proc != NULL && (entry = readdir(proc)) != NULL)
		if (atoi(entry->d_name) > 0)
			find_mapped(entry->d_name, file, out);
	if (proc != NULL)
		closedir(proc);
}
