/* SPDX-License-Identifier: BSD-3-Clause */

/* The functions below are to have the names that they have: no large-file names for others. */
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "child.h"
#include "door.h"
#include "environment.h"
#include "known.h"
#include "next.h"

_Static_assert(sizeof(long) == 8, "the system calls of 64-bit machines");

#define PUBLIC __attribute__((visibility("default")))

static struct door door;

/* Guards all but what is read by one instruction. malloc() may come back here, hence recursive. */
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

static void
take_lock(void)
{
	pthread_mutex_lock(&lock);
}

static void
give_lock(void)
{
	pthread_mutex_unlock(&lock);
}

/* The thread that forked had it; in the child it has another number. */
static void
new_lock(void)
{
	lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
}

static inline void
ready(void)
{
	if (__builtin_expect(next.mmap == NULL, 0))
		next_resolve();
}

/* Take ourselves out of what this process's children are to load. */
static void
leave_children(void)
{
	const char *list = getenv(ENV_PRELOAD);
	char *copy, *rest, *entry, *others;
	size_t n;

	unsetenv(ENV_WANTED);
	unsetenv(ENV_OPTIONS);
	if (list == NULL)
		return;
	rest = copy = strdup(list);
	others = calloc(1, strlen(list) + 2);
	if (copy == NULL || others == NULL)
		abort();
	while ((entry = strsep(&rest, ": ")) != NULL) {
		const char *slash = strrchr(entry, '/');

		if (*entry == '\0' || strcmp(slash != NULL ? slash + 1 : entry, PRELOAD_NAME) == 0)
			continue;
		n = strlen(others);
		sprintf(others + n, "%s%s", n > 0 ? ":" : "", entry);
	}
	if (others[0] != '\0')
		setenv(ENV_PRELOAD, others, 1);
	else
		unsetenv(ENV_PRELOAD);
	free(others);
	free(copy);
}

/* What the launcher says is wanted. */
static void
learn_wishes(void)
{
	const char *wanted = getenv(ENV_WANTED), *options = getenv(ENV_OPTIONS), *leave;
	struct rte_vfio_wc_error error;

	if (wanted == NULL)
		return;
	leave = options != NULL ? strstr(options, "leave=") : NULL;
	if (leave != NULL && atoi(leave + strlen("leave=")) != getpid()) {
		leave_children();
		return;
	}
	if (vfio_wc_conf_add(&door.conf, ENV_WANTED, wanted, &error) != 0) {
		/* it may have been required */
		fprintf(stderr, "vfio-wc-run: %s\n", error.text);
		_exit(REFUSED);
	}
	door.verbose = options != NULL && strstr(options, "verbose") != NULL;
	if (door_requires(&door))
		child_keeps();
	pthread_atfork(take_lock, give_lock, new_lock);
}

/* The loader calls this after the constructors of what the program needs, which may map, too. */
__attribute__((constructor)) static void
start(void)
{
	static bool started, done;	/* learning may come here itself; a mapping costs a look */

	if (__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		return;
	ready();
	take_lock();
	if (!started) {
		started = true;
		learn_wishes();
		__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	}
	give_lock();
}

static bool
something_is_wanted(void)
{
	start();
	return door.conf.nb_requests != 0;
}

/* A shared mapping of a file. */
static void *
map_file(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	const int err = errno;
	bool device = (flags & MAP_ANONYMOUS) == 0 && something_is_wanted() &&
		vfio_wc_is_device(fd);
	void *at;

	if (!device && (flags & MAP_ANONYMOUS) == 0 && !door_lets_pass(&door, fd, offset, length))
		return MAP_FAILED;
	errno = err;
	if (!device)
		return next.mmap(addr, length, prot, flags, fd, offset);
	take_lock();
	at = door_mmap(&door, addr, length, prot, flags, fd, offset);
	give_lock();
	if (at != MAP_FAILED)
		errno = err;
	return at;
}

PUBLIC void *
mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	ready();
	if (fd < 0 || (flags & MAP_TYPE) == MAP_PRIVATE)
		return next.mmap(addr, length, prot, flags, fd, offset);
	return map_file(addr, length, prot, flags, fd, offset);
}

PUBLIC void *mmap64(void *addr, size_t length, int prot, int flags, int fd, off64_t offset)
	__attribute__((alias("mmap")));

PUBLIC void *
mremap(void *addr, size_t old, size_t length, int flags, ...)
{
	void *to, *at;
	va_list ap;

	ready();
	va_start(ap, flags);
	to = va_arg(ap, void *);
	va_end(ap);
	if (flags != (MREMAP_MAYMOVE | MREMAP_FIXED) || !door_has_pieces())
		return next.mremap(addr, old, length, flags, to);
	take_lock();
	at = door_move(addr, old, length, to);
	give_lock();
	return at;
}

/* Descriptors are about to be closed. Numbers that are none may come, too. */
static void
files_close(unsigned int first, unsigned int last)
{
	const int err = errno;

	ready();
	if (!known_any())
		return;
	take_lock();
	known_closes(first, last);
	give_lock();
	errno = err;
}

PUBLIC int
close(int fd)
{
	files_close(fd, fd);
	return next.close(fd);
}

PUBLIC int
close_range(unsigned int first, unsigned int last, int flags)
{
	if ((flags & CLOSE_RANGE_CLOEXEC) == 0)
		files_close(first, last);
	ready();
	return next.close_range(first, last, flags);
}

PUBLIC void
closefrom(int first)
{
	files_close(first > 0 ? first : 0, INT_MAX);
	next.closefrom(first);
}

PUBLIC int
fclose(FILE *f)
{
	const int err = errno, fd = fileno(f);

	errno = err;
	files_close(fd, fd);
	return next.fclose(f);
}

/* What dup2() and dup3() say: to is another file now. */
static int
file_copied(int fd, int to)
{
	if (to >= 0 && known_any()) {
		take_lock();
		known_copied(fd, to);
		give_lock();
	}
	return to;
}

PUBLIC int
dup2(int fd, int to)
{
	ready();
	return file_copied(fd, next.dup2(fd, to));
}

PUBLIC int
dup3(int fd, int to, int flags)
{
	ready();
	return file_copied(fd, next.dup3(fd, to, flags));
}

PUBLIC int
ioctl(int fd, unsigned long request, ...)
{
	va_list ap;
	void *arg;
	int ret;

	ready();
	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);
	ret = next.ioctl(fd, request, arg);
	if (request == VFIO_GROUP_GET_DEVICE_FD && ret >= 0 && something_is_wanted()) {
		take_lock();
		known_add(ret, arg);
		give_lock();
	}
	return ret;
}

static int
run_program(const struct child *child, char *const envp[])
{
	start();
	return child_execute(child, envp);
}

PUBLIC int
execve(const char *path, char *const argv[], char *const envp[])
{
	return run_program(&(struct child){ .how = BY_PATH, .file = path, .argv = argv }, envp);
}

PUBLIC int
execvpe(const char *file, char *const argv[], char *const envp[])
{
	return run_program(&(struct child){ .how = BY_NAME, .file = file, .argv = argv }, envp);
}

PUBLIC int
fexecve(int fd, char *const argv[], char *const envp[])
{
	return run_program(&(struct child){ .how = BY_FD, .fd = fd, .argv = argv }, envp);
}

PUBLIC int
execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

PUBLIC int
execvp(const char *file, char *const argv[])
{
	return execvpe(file, argv, environ);
}

/* The arguments of execl() and its like, up to their NULL, as argv; what follows is for the call */
#define WITH_LIST(first, argv, call) \
	va_list ap, again; \
	size_t n = 1, i; \
	int ret; \
	\
	va_start(ap, first); \
	va_copy(again, ap); \
	while (va_arg(ap, char *) != NULL) \
		n++; \
	va_end(ap); \
	\
	char *argv[n + 1]; \
	\
	argv[0] = (char *)(uintptr_t)first; \
	for (i = 1; i <= n; i++) \
		argv[i] = va_arg(again, char *); \
	ret = call; \
	va_end(again); \
	return ret

PUBLIC int
execl(const char *path, const char *arg, ...)
{
	WITH_LIST(arg, argv, execve(path, argv, environ));
}

PUBLIC int
execlp(const char *file, const char *arg, ...)
{
	WITH_LIST(arg, argv, execvpe(file, argv, environ));
}

PUBLIC int
execle(const char *path, const char *arg, ...)
{
	WITH_LIST(arg, argv, execve(path, argv, va_arg(again, char **)));
}

PUBLIC int
posix_spawn(pid_t *restrict pid, const char *restrict path,
		const posix_spawn_file_actions_t *restrict actions,
		const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
		char *const envp[restrict])
{
	return run_program(&(struct child){ .how = SPAWN_PATH, .file = path, .argv = argv,
		.pid = pid, .actions = actions, .attributes = attributes }, envp);
}

PUBLIC int
posix_spawnp(pid_t *restrict pid, const char *restrict file,
		const posix_spawn_file_actions_t *restrict actions,
		const posix_spawnattr_t *restrict attributes, char *const argv[restrict],
		char *const envp[restrict])
{
	return run_program(&(struct child){ .how = SPAWN_NAME, .file = file, .argv = argv,
		.pid = pid, .actions = actions, .attributes = attributes }, envp);
}

PUBLIC long
syscall(long number, ...)
{
	long a[6];
	va_list ap;
	int i;

	ready();
	/* as many as a system call can have: those that are not there are not looked at */
	va_start(ap, number);
	for (i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	switch (number) {
	case SYS_mmap:
		return (long)mmap((void *)a[0], a[1], a[2], a[3], a[4], a[5]);
	case SYS_mremap:
		return (long)mremap((void *)a[0], a[1], a[2], a[3], (void *)a[4]);
	case SYS_close:
		return close(a[0]);
	case SYS_close_range:
		return close_range(a[0], a[1], a[2]);
#ifdef SYS_dup2
	case SYS_dup2:
		return dup2(a[0], a[1]);
#endif
	case SYS_dup3:
		return dup3(a[0], a[1], a[2]);
	case SYS_ioctl:
		return ioctl(a[0], a[1], a[2]);
	case SYS_execve:
		return execve((char *)a[0], (char **)a[1], (char **)a[2]);
	default:
		return next.syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
	}
}

/*
 * Who asks a library for one of these by name (Python's ctypes asks libc.so.6) would walk past. Of
 * the special handles the answer depends on who asks: those questions are passed on by a jump, not
 * a call, so that dlsym() sees the one who does.
 */
PUBLIC void *
dlsym(void *restrict handle, const char *restrict name)
{
	void *found;

	ready();
	if (handle == RTLD_NEXT || handle == RTLD_DEFAULT)
		return next.dlsym(handle, name);
	found = next.dlsym(handle, name);
#define INSTEAD(function) \
	if (found == (void *)next.function) \
		found = (void *)function
	INSTEAD(mmap);
	INSTEAD(mremap);
	INSTEAD(close);
	INSTEAD(close_range);
	INSTEAD(closefrom);
	INSTEAD(fclose);
	INSTEAD(dup2);
	INSTEAD(dup3);
	INSTEAD(ioctl);
	INSTEAD(execve);
	INSTEAD(execvpe);
	INSTEAD(fexecve);
	INSTEAD(posix_spawn);
	INSTEAD(posix_spawnp);
	INSTEAD(syscall);
	return found;
}
