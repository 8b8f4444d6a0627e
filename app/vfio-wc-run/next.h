/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NEXT_H
#define NEXT_H

#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/*
 * The functions that the preloaded library stands before: libc's, or those of whatever else is
 * preloaded. What is in here calls the next one of each, never itself.
 */
extern struct next {
	void *(*mmap)(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
	int (*munmap)(void *addr, size_t length);
	void *(*mremap)(void *addr, size_t old, size_t length, int flags, ...);
	int (*close)(int fd);
	int (*close_range)(unsigned int first, unsigned int last, int flags);
	void (*closefrom)(int first);
	int (*fclose)(FILE *f);
	int (*dup2)(int fd, int to);
	int (*dup3)(int fd, int to, int flags);
	int (*ioctl)(int fd, unsigned long request, ...);
	long (*syscall)(long number, ...);
	int (*execve)(const char *path, char *const argv[], char *const envp[]);
	int (*execvpe)(const char *file, char *const argv[], char *const envp[]);
	int (*fexecve)(int fd, char *const argv[], char *const envp[]);
	int (*posix_spawn)(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);
	int (*posix_spawnp)(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const argv[], char *const envp[]);
	void *(*dlsym)(void *handle, const char *name);
} next;

/* Find them; they are NULL before. Allocates nothing: malloc() may be what calls mmap(). */
void next_resolve(void);

#endif /* NEXT_H */
