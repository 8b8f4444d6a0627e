/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "device.h"
#include "telemetry.h"

bool
device_is_vfio(const struct vfio_wc_sysfs *sysfs)
{
	return strstr(sysfs->driver, "vfio") != NULL;
}

static const char *
base_of_link(const char *path, char *buf, size_t size)
{
	ssize_t n = readlink(path, buf, size - 1);
	char *slash;

	if (n < 0)
		return NULL;
	buf[n] = '\0';
	slash = strrchr(buf, '/');
	return slash != NULL ? slash + 1 : buf;
}

/* The path of a device's VFIO group, in size bytes; false when it has none. */
static bool
group_path(const char *bdf, char *path, size_t size)
{
	char link[PATH_MAX], target[PATH_MAX];
	const char *group;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", bdf);
	group = base_of_link(link, target, sizeof(target));
	if (group == NULL)
		return false;
	snprintf(path, size, "/dev/vfio/%.16s", group);
	if (access(path, F_OK) == 0)
		return true;
	snprintf(path, size, "/dev/vfio/noiommu-%.16s", group);
	return access(path, F_OK) == 0;
}

/* Which process has path open? */
static pid_t
find_user(const char *path, char *name, size_t size)
{
	struct dirent *process, *entry;
	DIR *proc = opendir("/proc");
	pid_t found = 0;

	while (proc != NULL && found == 0 && (process = readdir(proc)) != NULL) {
		char dir[PATH_MAX], link[PATH_MAX], target[PATH_MAX];
		pid_t pid = atoi(process->d_name);
		DIR *fds;
		FILE *f;

		if (pid <= 0)
			continue;
		snprintf(dir, sizeof(dir), "/proc/%d/fd", pid);
		fds = opendir(dir);
		while (fds != NULL && found == 0 && (entry = readdir(fds)) != NULL) {
			ssize_t n;

			snprintf(link, sizeof(link), "/proc/%d/fd/%.16s", pid, entry->d_name);
			n = readlink(link, target, sizeof(target) - 1);
			if (n <= 0)
				continue;
			target[n] = '\0';
			if (strcmp(target, path) == 0)
				found = pid;
		}
		if (fds != NULL)
			closedir(fds);
		if (found == 0)
			continue;
		snprintf(link, sizeof(link), "/proc/%d/comm", pid);
		f = fopen(link, "re");
		if (f != NULL && fgets(name, size, f) != NULL)
			name[strcspn(name, "\n")] = '\0';
		if (f != NULL)
			fclose(f);
	}
	if (proc != NULL)
		closedir(proc);
	return found;
}

static void
say_cookies(struct device *d, enum answer answer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
say_cookies(struct device *d, enum answer answer, const char *format, ...)
{
	va_list ap;

	d->cookies = answer;
	va_start(ap, format);
	vsnprintf(d->cookies_reason, sizeof(d->cookies_reason), format, ap);
	va_end(ap);
}

/* The device fd of a group that was opened, or -1 with the reason said. */
static int
open_device(struct device *d, int group, int container)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int fd;

	if (ioctl(group, VFIO_GROUP_GET_STATUS, &status) != 0 ||
			(status.flags & VFIO_GROUP_FLAGS_VIABLE) == 0) {
		say_cookies(d, UNKNOWN, "the IOMMU group is not viable: "
			"not all of its devices are bound to vfio");
		return -1;
	}
	if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) != 0 ||
			(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) != 0 &&
			ioctl(container, VFIO_SET_IOMMU, VFIO_NOIOMMU_IOMMU) != 0)) {
		say_cookies(d, UNKNOWN, "no IOMMU for the group: %s", strerror(errno));
		return -1;
	}
	fd = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, d->bdf);
	if (fd < 0)
		say_cookies(d, UNKNOWN, "cannot open the device: %s", strerror(errno));
	return fd;
}

static void
learn_from_fd(struct device *d, int fd)
{
	struct rte_vfio_wc_error error;
	unsigned int bar;

	if (rte_vfio_wc_probe(d->bdf, fd, &error) == 0) {
		d->cookies = YES;
	} else {
		const char *reason = strstr(error.text, ": ");

		say_cookies(d, error.err == ENOTTY || error.err == EPROTO ? NO : UNKNOWN, "%s",
			reason != NULL ? reason + 2 : error.text);
	}
	d->opened = true;
	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++)
		if (rte_vfio_wc_bar_info(d->bdf, fd, bar, &d->info[bar], &error) != 0)
			d->opened = false;
}

/* Ask the kernel, if nobody has the device; otherwise find out who. */
static void
learn_from_vfio(struct device *d, bool may_open)
{
	int group, container, fd = -1;
	char path[PATH_MAX];

	if (!group_path(d->bdf, path, sizeof(path))) {
		say_cookies(d, UNKNOWN, "the device has no VFIO group");
		return;
	}
	d->user = find_user(path, d->user_name, sizeof(d->user_name));
	if (d->user != 0) {
		say_cookies(d, UNKNOWN, "%s (pid %d) has the device open", d->user_name, d->user);
		return;
	}
	if (!may_open) {
		say_cookies(d, UNKNOWN, "not opened (--no-open)");
		return;
	}
	group = open(path, O_RDWR | O_CLOEXEC);
	if (group < 0) {
		say_cookies(d, UNKNOWN, "cannot open %s: %s%s", path, strerror(errno),
			errno == EBUSY ? ", a process that cannot be seen from here has it" : "");
		return;
	}
	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (container >= 0)
		fd = open_device(d, group, container);
	else
		say_cookies(d, UNKNOWN, "cannot open /dev/vfio/vfio: %s", strerror(errno));
	if (fd >= 0) {
		learn_from_fd(d, fd);
		close(fd);
	}
	close(group);
	if (container >= 0)
		close(container);
}

/* What the user's plugin says of this device. */
static void
learn_from_user(struct device *d)
{
	json_t *all, *range;
	const char *id;

	if (d->user == 0)
		return;
	all = telemetry_ranges(d->user, &d->ranges_reason);
	if (all == NULL)
		return;
	d->ranges = json_array();
	json_object_foreach(all, id, range) {
		const char *device = json_string_value(json_object_get(range, "device"));
		const char *reason = json_string_value(json_object_get(range, "reason"));
		const char *state = json_string_value(json_object_get(range, "state"));

		if (device == NULL || reason == NULL || state == NULL || strcmp(device, d->bdf) != 0)
			continue;
		json_array_append(d->ranges, range);
		if (strcmp(state, "on") == 0)
			d->cookies = YES;
		else if (strstr(reason, "no mmap cookies") != NULL)
			say_cookies(d, NO, "%s", reason);
	}
	json_decref(all);
}

static void
learn_memtypes(struct device *d)
{
	unsigned int bar;

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++) {
		const struct vfio_wc_sysfs_bar *b = &d->sysfs.bar[bar];

		if (b->size == 0 || !b->memory)
			continue;
		d->nb_pat[bar] = rte_vfio_wc_pat_list(b->start, b->size, d->pat[bar], MEMTYPES,
			NULL);
		d->nb_mtrr[bar] = rte_vfio_wc_mtrr_list(b->start, b->size, d->mtrr[bar], MEMTYPES,
			NULL);
		if (d->nb_pat[bar] > MEMTYPES)
			d->nb_pat[bar] = MEMTYPES;
		if (d->nb_mtrr[bar] > MEMTYPES)
			d->nb_mtrr[bar] = MEMTYPES;
	}
}

static bool
any_wc(const int *nb, struct rte_vfio_wc_memtype (*list)[MEMTYPES])
{
	unsigned int bar;
	int i;

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++)
		for (i = 0; i < nb[bar]; i++)
			if (strcmp(list[bar][i].type, "WC") == 0)
				return true;
	return false;
}

static bool
pat_is_readable(const struct device *d)
{
	unsigned int bar;

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++)
		if (d->nb_pat[bar] < 0)
			return false;
	return true;
}

static bool
any_bar_offers_wc(const struct device *d)
{
	unsigned int bar;

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++)
		if ((d->info[bar].types & 1U << RTE_VFIO_WC_TYPE_WC) != 0)
			return true;
	return false;
}

/* A range that the plugin has on, WC, or failing that one that is off. */
static const json_t *
range_of(const struct device *d, const char *wanted)
{
	const json_t *range;
	size_t i;

	json_array_foreach(d->ranges, i, range)
		if (strcmp(json_string_value(json_object_get(range, "state")), wanted) == 0 &&
				strcmp(json_string_value(json_object_get(range, "requested")),
					"WC") == 0)
			return range;
	return NULL;
}

#define BECAUSE(d, answer, ...) do { \
	(d)->wc = (answer); \
	snprintf((d)->because, sizeof((d)->because), __VA_ARGS__); \
} while (0)

/* The one sentence. Strong witnesses first. */
static void
conclude(struct device *d)
{
	const json_t *off;

	if (range_of(d, "on") != NULL)
		BECAUSE(d, YES, "the plugin in %s (pid %d) has it from the kernel", d->user_name,
			d->user);
	else if (any_wc(d->nb_pat, d->pat))
		BECAUSE(d, YES, "the kernel's list of memory types says so");
	else if (any_wc(d->nb_mtrr, d->mtrr))
		BECAUSE(d, YES, "an MTRR makes uncached mappings of it write-combining");
	else if ((off = range_of(d, "off")) != NULL)
		BECAUSE(d, NO, "%s", json_string_value(json_object_get(off, "reason")));
	else if (d->cookies == NO)
		BECAUSE(d, NO, "%.400s", d->cookies_reason);
	else if (d->opened && !any_bar_offers_wc(d))
		BECAUSE(d, NO, "the kernel offers no write-combining here "
			"(nopat, or an architecture without it)");
	else if (d->user == 0 && d->cookies == YES)
		BECAUSE(d, NO, "nobody uses the device; the kernel would offer it");
	else if (d->ranges != NULL)
		BECAUSE(d, NO, "the plugin in %s (pid %d) was asked for no range of this device",
			d->user_name, d->user);
	else if (pat_is_readable(d))
		BECAUSE(d, NO, "the kernel's list of memory types has none of it%s%s",
			d->ranges_reason != NULL ? "; as for its user, " : "",
			d->ranges_reason != NULL ? d->ranges_reason : "");
	else
		BECAUSE(d, UNKNOWN, "%.400s, and the kernel's list of memory types cannot be read",
			d->cookies_reason);
}

int
device_learn(struct device *d, const char *bdf, bool may_open)
{
	int ret;

	memset(d, 0, sizeof(*d));
	snprintf(d->bdf, sizeof(d->bdf), "%s", bdf);
	ret = vfio_wc_sysfs_read(bdf, &d->sysfs);
	if (ret != 0 || !device_is_vfio(&d->sysfs))
		return ret;
	learn_from_vfio(d, may_open);
	learn_from_user(d);
	learn_memtypes(d);
	conclude(d);
	return 0;
}

void
device_free(struct device *d)
{
	json_decref(d->ranges);
}
