/* SPDX-License-Identifier: BSD-3-Clause */

#include <dlfcn.h>
#include <stdlib.h>

#include "next.h"

struct next next;

/* dlsym() itself cannot be asked for by dlsym(): libc has it under its version of the time. */
static void *
find_dlsym(void)
{
	static const char *const versions[] = { "GLIBC_2.34", "GLIBC_2.2.5", "GLIBC_2.17" };
	void *found = NULL;
	size_t i;

	for (i = 0; found == NULL && i < sizeof(versions) / sizeof(versions[0]); i++)
		found = dlvsym(RTLD_NEXT, "dlsym", versions[i]);
	return found;
}

void
next_resolve(void)
{
	struct next found;

	found.dlsym = (void *(*)(void *, const char *))find_dlsym();
	if (found.dlsym == NULL)
		abort();
#define FIND(function, name) \
	do { \
		function = (__typeof__(function))found.dlsym(RTLD_NEXT, name); \
		if (function == NULL) \
			abort(); \
	} while (0)
	FIND(found.munmap, "munmap");
	FIND(found.mremap, "mremap");
	FIND(found.close, "close");
	FIND(found.close_range, "close_range");
	FIND(found.closefrom, "closefrom");
	FIND(found.fclose, "fclose");
	FIND(found.dup2, "dup2");
	FIND(found.dup3, "dup3");
	FIND(found.ioctl, "ioctl");
	FIND(found.syscall, "syscall");
	FIND(found.execve, "execve");
	FIND(found.execvpe, "execvpe");
	FIND(found.fexecve, "fexecve");
	FIND(found.posix_spawn, "posix_spawn");
	FIND(found.posix_spawnp, "posix_spawnp");
	FIND(found.mmap, "mmap");
	next = found;
}
