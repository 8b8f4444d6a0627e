/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_root.h"

static char root[] = "/tmp/fake-root-XXXXXX";

FILE *__real_fopen(const char *path, const char *mode);
FILE *__wrap_fopen(const char *path, const char *mode);
FILE *__wrap_fopen64(const char *path, const char *mode);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
ssize_t __real_readlink(const char *path, char *buf, size_t size);
ssize_t __wrap_readlink(const char *path, char *buf, size_t size);
typedef int filter(const struct dirent *entry);
typedef int order(const struct dirent **a, const struct dirent **b);
int __real_scandir(const char *path, struct dirent ***list, filter *select, order *compare);
int __wrap_scandir(const char *path, struct dirent ***list, filter *select, order *compare);
int __wrap_scandir64(const char *path, struct dirent ***list, filter *select, order *compare);
int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);

static const char *
here(const char *path, char buf[PATH_MAX])
{
	if (strncmp(path, "/sys/", 5) != 0 && strncmp(path, "/dev/", 5) != 0 &&
			strncmp(path, "/proc", 5) != 0)
		return path;
	snprintf(buf, PATH_MAX, "%s%s", root, path);
	return buf;
}

FILE *
__wrap_fopen(const char *path, const char *mode)
{
	char buf[PATH_MAX];

	return __real_fopen(here(path, buf), mode);
}

FILE *
__wrap_fopen64(const char *path, const char *mode)
{
	return __wrap_fopen(path, mode);
}

/* Nobody makes files there. */
int
__wrap_open(const char *path, int flags, ...)
{
	char buf[PATH_MAX];

	return __real_open(here(path, buf), flags);
}

int
__wrap_open64(const char *path, int flags, ...)
{
	return __wrap_open(path, flags);
}

DIR *
__wrap_opendir(const char *path)
{
	char buf[PATH_MAX];

	return __real_opendir(here(path, buf));
}

ssize_t
__wrap_readlink(const char *path, char *buf, size_t size)
{
	char at[PATH_MAX];

	return __real_readlink(here(path, at), buf, size);
}

int
__wrap_scandir(const char *path, struct dirent ***list, filter *select, order *compare)
{
	char buf[PATH_MAX];

	return __real_scandir(here(path, buf), list, select, compare);
}

int
__wrap_scandir64(const char *path, struct dirent ***list, filter *select, order *compare)
{
	return __wrap_scandir(path, list, select, compare);
}

int
__wrap_access(const char *path, int mode)
{
	char buf[PATH_MAX];

	return __real_access(here(path, buf), mode);
}

int
fake_root_make(void **state)
{
	(void)state;
	strcpy(root + strlen(root) - 6, "XXXXXX");
	return mkdtemp(root) != NULL ? 0 : -1;
}

static int
remove_one(const char *path, const struct stat *file, int type, struct FTW *ftw)
{
	(void)file;
	(void)type;
	(void)ftw;
	return remove(path);
}

int
fake_root_remove(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* The path in the fake, with nothing there and all directories above it. */
static const char *
make_room(const char *path, char buf[PATH_MAX])
{
	char *slash;

	snprintf(buf, PATH_MAX, "%s%s", root, path);
	for (slash = buf + strlen(root); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(buf, 0755);
		*slash = '/';
	}
	unlink(buf);
	return buf;
}

void
fake_bytes(const char *path, const void *data, size_t size)
{
	char buf[PATH_MAX];
	FILE *f = __real_fopen(make_room(path, buf), "w");

	if (f == NULL || fwrite(data, 1, size, f) != size || fclose(f) != 0)
		abort();
}

void
fake_file(const char *path, const char *text)
{
	fake_bytes(path, text, strlen(text));
}

void
fake_link(const char *path, const char *target)
{
	char buf[PATH_MAX];

	if (symlink(target, make_room(path, buf)) != 0)
		abort();
}

void
fake_remove(const char *path)
{
	char buf[PATH_MAX];

	snprintf(buf, sizeof(buf), "%s%s", root, path);
	if (nftw(buf, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
		abort();
}

void
fake_virtio(void)
{
	fake_file(FAKE_SYSFS "/vendor", "0x1af4\n");
	fake_file(FAKE_SYSFS "/device", "0x1041\n");
	fake_file(FAKE_SYSFS "/numa_node", "1\n");
	fake_file(FAKE_SYSFS "/resource",
		"0x0000000000001040 0x000000000000107f 0x0000000000040101\n"
		"0x00000000fea01000 0x00000000fea01fff 0x0000000000040200\n"
		"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		"0x000000fea0000000 0x000000fea0003fff 0x000000000014220c\n"
		"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		"0x00000000feb00000 0x00000000feb3ffff 0x000000000004e200\n");
	fake_link(FAKE_SYSFS "/driver", "../../../bus/pci/drivers/vfio-pci");
	fake_link(FAKE_SYSFS "/iommu_group", "../../../kernel/iommu_groups/12");
	fake_file(FAKE_SYSFS "/vfio-dev/vfio3/dev", "511:3\n");
}

void
fake_virtio_config(unsigned char *config)
{
	static const unsigned char common[] = { 0x09, 0x70, 16, 1, 4, 0, 0, 0, 0, 0, 0, 0,
		0, 0x10, 0, 0 };
	static const unsigned char notify[] = { 0x09, 0x84, 20, 2, 4, 0, 0, 0, 0, 0x30, 0, 0,
		0, 0x10, 0, 0, 4, 0, 0, 0 };
	/* three entries at 0x800 of BAR 1 */
	static const unsigned char msix[] = { 0x11, 0, 2, 0, 1, 8, 0, 0, 1, 12, 0, 0 };

	memset(config, 0, 256);
	config[0x06] = 0x10;
	config[0x34] = 0x50;
	memcpy(&config[0x50], common, sizeof(common));
	memcpy(&config[0x70], notify, sizeof(notify));
	memcpy(&config[0x84], msix, sizeof(msix));
}
