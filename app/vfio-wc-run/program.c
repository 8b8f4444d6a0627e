/* SPDX-License-Identifier: BSD-3-Clause */

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "program.h"

static int __attribute__((format(printf, 3, 4)))
refuse(struct vfio_wc_why *why, int err, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
	return -err;
}

static int
try(const char *path)
{
	struct stat file;

	if (stat(path, &file) != 0)
		return -errno;
	if (!S_ISREG(file.st_mode))
		return -EACCES;
	return access(path, X_OK) == 0 ? 0 : -errno;
}

int
program_find(const char *name, char path[PATH_MAX])
{
	const char *list = getenv("PATH"), *end;
	int ret = -ENOENT, one;

	if (strchr(name, '/') != NULL) {
		snprintf(path, PATH_MAX, "%s", name);
		return try(path);
	}
	for (list = list != NULL ? list : "/usr/bin:/bin"; ; list = end + 1) {
		end = list + strcspn(list, ":");
		snprintf(path, PATH_MAX, "%.*s%s%s", (int)(end - list), list,
			end > list ? "/" : "", name);
		one = try(path);
		if (one == 0)
			return 0;
		/* one that may not be run tells more than those that are not there */
		if (one == -EACCES)
			ret = one;
		if (*end == '\0')
			return ret;
	}
}

/* What the kernel and the loader look at. */
struct head {
	Elf64_Ehdr elf;
	char interpreter[PATH_MAX];	/* ""; the program has no loader */
};

/* 0: an ELF file of 64 bits; -ENOEXEC: none. */
static int
read_elf(int fd, struct head *head)
{
	Elf64_Phdr p;
	unsigned int i;

	memset(head, 0, sizeof(*head));
	if (pread(fd, &head->elf, sizeof(head->elf), 0) != sizeof(head->elf) ||
			memcmp(head->elf.e_ident, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	if (head->elf.e_ident[EI_CLASS] != ELFCLASS64)
		return 0;
	for (i = 0; i < head->elf.e_phnum; i++) {
		if (pread(fd, &p, sizeof(p), head->elf.e_phoff +
				(uint64_t)i * head->elf.e_phentsize) != sizeof(p))
			return -ENOEXEC;
		if (p.p_type == PT_INTERP && (p.p_filesz >= sizeof(head->interpreter) ||
				pread(fd, head->interpreter, p.p_filesz, p.p_offset) !=
				(ssize_t)p.p_filesz))
			return -ENOEXEC;
	}
	return 0;
}

/* "#!/usr/bin/python3 -u" */
static bool
script_interpreter(int fd, char path[PATH_MAX])
{
	char line[256] = "";
	size_t start, n;

	if (pread(fd, line, sizeof(line) - 1, 0) < 3 || line[0] != '#' || line[1] != '!')
		return false;
	start = 2 + strspn(line + 2, " \t");
	n = strcspn(line + start, " \t\r\n");
	snprintf(path, PATH_MAX, "%.*s", (int)n, line + start);
	return n > 0;
}

/* Are these programs of one loader, which is ours? */
static int
check_elf(const char *path, const struct head *head, struct vfio_wc_why *why)
{
	struct stat theirs, own;
	struct head self;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int ret = fd >= 0 ? read_elf(fd, &self) : -errno;

	if (fd >= 0)
		close(fd);
	if (ret != 0)
		return refuse(why, EPERM, "/proc/self/exe cannot be read: %s", strerror(-ret));
	if (head->elf.e_ident[EI_CLASS] != self.elf.e_ident[EI_CLASS] ||
			head->elf.e_ident[EI_DATA] != self.elf.e_ident[EI_DATA] ||
			head->elf.e_machine != self.elf.e_machine)
		return refuse(why, EPERM, "%s is for another machine than the library that would "
			"be preloaded", path);
	if (head->interpreter[0] == '\0')
		return refuse(why, EPERM, "%s is linked statically, libc included: there is no "
			"loader to preload anything", path);
	if (stat(head->interpreter, &theirs) != 0)
		return refuse(why, errno, "%s: its loader, %.100s: %s", path, head->interpreter,
			strerror(errno));
	if (stat(self.interpreter, &own) != 0 || own.st_dev != theirs.st_dev ||
			own.st_ino != theirs.st_ino)
		return refuse(why, EPERM, "%s has a loader of its own, %.100s: another C library "
			"than that of the library that would be preloaded", path,
			head->interpreter);
	return 0;
}

/* One file; a script's interpreter to path, which is what it was otherwise. */
static int
check_file(int fd, char path[PATH_MAX], bool *is_script, struct vfio_wc_why *why)
{
	struct stat file;
	struct head head;

	*is_script = false;
	if (fstat(fd, &file) != 0)
		return refuse(why, errno, "%s: %s", path, strerror(errno));
	if ((file.st_mode & S_ISUID) != 0 || (file.st_mode & (S_ISGID | S_IXGRP)) ==
			(S_ISGID | S_IXGRP))
		return refuse(why, EPERM, "%s is set-user-ID or set-group-ID: the loader ignores "
			"what is to be preloaded", path);
	if (fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return refuse(why, EPERM, "%s has file capabilities: the loader ignores what is to "
			"be preloaded", path);
	if (read_elf(fd, &head) == 0)
		return check_elf(path, &head, why);
	*is_script = script_interpreter(fd, path);
	return *is_script ? 0 : refuse(why, ENOEXEC, "%s: %s", path, strerror(ENOEXEC));
}

int
program_check(const char *name, struct vfio_wc_why *why)
{
	char path[PATH_MAX];
	bool is_script = true;
	int depth, fd, ret = 0;

	if (getuid() != geteuid() || getgid() != getegid())
		return refuse(why, EPERM, "%s would have a real user or group that is not the "
			"effective one: the loader ignores what is to be preloaded", name);
	snprintf(path, sizeof(path), "%s", name);
	/* as deep as Linux goes (BINPRM: 5) */
	for (depth = 0; ret == 0 && is_script; depth++) {
		if (depth > 5)
			return refuse(why, ELOOP, "%s: interpreters of interpreters", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return refuse(why, errno == EACCES ? EPERM : errno, "%s: %s%s", path,
				strerror(errno), errno == EACCES ? ", so that it is not known "
				"whether the loader would preload" : "");
		ret = check_file(fd, path, &is_script, why);
		close(fd);
	}
	return ret;
}
