/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a program finds that runs under the launcher and has no VFIO device: every call does what it
 * does without, whatever door it takes. Prints "fine", or what is not.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)

#define CHECK(condition) do { \
	if (!(condition)) { \
		printf("line %d: not (%s): %s\n", __LINE__, #condition, strerror(errno)); \
		exit(1); \
	} \
} while (0)

static const char *
whose(void *function)
{
	Dl_info info;
	const char *slash;

	if (dladdr(function, &info) == 0)
		return "nobody's";
	slash = strrchr(info.dli_fname, '/');
	return slash != NULL ? slash + 1 : info.dli_fname;
}

/* Become a program with an empty environment, by one of the ways there are. */
static int
become(const char *way)
{
	char grep[] = "grep", count[] = "-c", what[] = "r-xp.*vfio_wc_preload";
	char where[] = "/proc/self/maps", path[] = "/bin/grep";
	char *argv[] = { grep, count, what, where, NULL }, *none[] = { NULL };
	pid_t child = -1;

	clearenv();
	if (strcmp(way, "execve") == 0)
		execve(path, argv, none);
	else if (strcmp(way, "without") == 0)
		execve(path, argv, NULL);
	else if (strcmp(way, "execvpe") == 0)
		execvpe(grep, argv, none);
	else if (strcmp(way, "execv") == 0)
		execv(path, argv);
	else if (strcmp(way, "execvp") == 0)
		execvp(grep, argv);
	else if (strcmp(way, "execl") == 0)
		execl(path, grep, count, what, where, NULL);
	else if (strcmp(way, "execlp") == 0)
		execlp(grep, grep, count, what, where, NULL);
	else if (strcmp(way, "execle") == 0)
		execle(path, grep, count, what, where, NULL, none);
	else if (strcmp(way, "fexecve") == 0)
		fexecve(open(path, O_RDONLY | O_CLOEXEC), argv, none);
	else if (strcmp(way, "syscall") == 0)
		syscall(SYS_execve, path, argv, none);
	else if (strcmp(way, "vfork") == 0 && (child = vfork()) == 0)
		execve(path, argv, none);
	else if (strcmp(way, "posix_spawn") == 0)
		CHECK(posix_spawn(&child, path, NULL, NULL, argv, none) == 0);
	else if (strcmp(way, "posix_spawnp") == 0)
		CHECK(posix_spawnp(&child, grep, NULL, NULL, argv, none) == 0);
	return child > 0 && waitpid(child, NULL, 0) == child ? 0 : 1;
}

int
main(int argc, char **argv)
{
	static const char *const names[] = {
		"mmap", "mmap64", "mremap", "close", "close_range", "closefrom", "fclose", "dup2",
		"dup3", "ioctl", "syscall", "execve", "execvpe", "fexecve", "posix_spawn",
		"posix_spawnp",
	};
	void *(*by_name)(void *addr, size_t length, int prot, int flags, int fd, off_t offset);
	void *libc = dlopen("libc.so.6", RTLD_LAZY);
	char *at, *other, *room;
	int fd, copy, status;
	unsigned int i;
	pid_t child;

	if (argc > 1)
		return become(argv[1]);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK(strcmp(whose(dlsym(libc, names[i])), "libvfio_wc_preload.so") == 0);
		CHECK(strcmp(whose(dlsym(RTLD_DEFAULT, names[i])), "libvfio_wc_preload.so") == 0);
		/* the next one after this program, as it asks: not after the library */
		CHECK(strcmp(whose(dlsym(RTLD_NEXT, names[i])), "libvfio_wc_preload.so") == 0);
	}
	CHECK(strcmp(whose(dlsym(libc, "munmap")), "libc.so.6") == 0);
	CHECK(dlsym(libc, "no_such_function") == NULL && dlerror() != NULL);

	fd = memfd_create("probe", 0);
	CHECK(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0);
	errno = 77;
	at = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(at != MAP_FAILED && errno == 77);
	at[PAGE] = 'x';
	other = (char *)syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	CHECK(other != MAP_FAILED && *other == 'x');
	*(void **)&by_name = dlsym(libc, "mmap");
	other = by_name(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	CHECK(other != MAP_FAILED && *other == 'x');
	room = mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(room != MAP_FAILED);
	CHECK(mremap(at, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room) == room);
	CHECK(room[PAGE] == 'x');
	CHECK(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 1) == MAP_FAILED && errno == EINVAL);
	CHECK(mmap(NULL, PAGE, RW, MAP_SHARED, 12345, 0) == MAP_FAILED && errno == EBADF);

	/* VFIO_GROUP_GET_DEVICE_FD, of no group */
	CHECK(ioctl(fd, 0x3b6a, "0000:00:03.0") == -1 && errno == ENOTTY);
	copy = dup2(fd, 50);
	CHECK(copy == 50 && dup3(fd, 51, O_CLOEXEC) == 51);
	CHECK(close(50) == 0 && close(51) == 0 && close(51) == -1 && errno == EBADF);
	CHECK(dup2(fd, 52) == 52 && syscall(SYS_close, 52) == 0 && fcntl(52, F_GETFD) == -1);
	CHECK(syscall(SYS_dup3, fd, 53, 0) == 53 && dup2(fd, 54) == 54);
	CHECK(close_range(53, 54, CLOSE_RANGE_CLOEXEC) == 0 && fcntl(53, F_GETFD) == FD_CLOEXEC);
	CHECK(syscall(SYS_close_range, 54, 54, 0) == 0 && fcntl(54, F_GETFD) == -1);
	CHECK(fcntl(53, F_GETFD) == FD_CLOEXEC);
	closefrom(53);
	CHECK(fcntl(53, F_GETFD) == -1);
	CHECK(syscall(SYS_ioctl, fd, 0x3b6a, "0000:00:03.0") == -1 && errno == ENOTTY);
	CHECK(fclose(fdopen(dup2(fd, 50), "r")) == 0 && fcntl(50, F_GETFD) == -1);
	CHECK(fclose(fmemopen(room, 1, "r")) == 0);

	child = fork();
	if (child == 0)
		_exit(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0) != MAP_FAILED ? 3 : 1);
	CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 3);
	puts("fine");
	return 0;
}
