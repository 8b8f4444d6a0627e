/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef CHILD_H
#define CHILD_H

/*
 * Programs that a process executes, in its place or as a child: they have the library from their
 * environment. Where something is required they have it whatever becomes of that (env -i).
 *
 * No memory is allocated and no lock taken: it may be a child of vfork() that executes.
 */

#include <spawn.h>
#include <sys/types.h>

struct child {
	enum { BY_PATH, BY_NAME, BY_FD, SPAWN_PATH, SPAWN_NAME } how;
	const char *file;
	int fd;
	char *const *argv;
	/* of posix_spawn() */
	pid_t *pid;
	const posix_spawn_file_actions_t *actions;
	const posix_spawnattr_t *attributes;
};

/* From now on they are to have it; the launcher's words are kept. No lock: before threads. */
void child_keeps(void);

/* As the call of libc that it stands for. */
int child_execute(const struct child *child, char *const envp[]);

#endif /* CHILD_H */
