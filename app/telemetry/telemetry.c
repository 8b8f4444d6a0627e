/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "telemetry.h"

/* The greeting says how long answers can be; DPDK 22.11 to 26.07 say 16384. */
#define ANSWER_MAX 65536

/* Does the process have this socket open? */
static bool
has_socket(pid_t pid, unsigned long inode)
{
	char path[PATH_MAX], target[64], wanted[64];
	const struct dirent *entry;
	bool found = false;
	ssize_t n;
	DIR *fds;

	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	fds = opendir(path);
	while (fds != NULL && !found && (entry = readdir(fds)) != NULL) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%.16s", (int)pid, entry->d_name);
		n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		found = strcmp(target, wanted) == 0;
	}
	if (fds != NULL)
		closedir(fds);
	return found;
}

/*
 * The path that the process has bound its socket to, as the process sees it:
 * "0000000000000000: 00000002 00000000 00010000 0005 01 29321 /run/dpdk/rte/dpdk_telemetry.v2",
 * with ":N" behind it in secondary processes.
 */
static int
find_socket(pid_t pid, char *path, size_t size)
{
	char list[64], *line = NULL;
	const char *name;
	unsigned long inode;
	size_t room = 0;
	int at, ret = -ENOENT;
	FILE *f;

	snprintf(list, sizeof(list), "/proc/%d/net/unix", (int)pid);
	f = fopen(list, "re");
	if (f == NULL)
		return -errno;
	while (ret != 0 && getline(&line, &room, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		at = 0;
		if (sscanf(line, "%*[^:]: %*s %*s %*s %*s %*s %lu %n", &inode, &at) != 1 ||
				line[at] != '/')
			continue;
		name = strrchr(line, '/');
		if (strncmp(name, "/dpdk_telemetry.v2", strlen("/dpdk_telemetry.v2")) == 0 &&
				strlen(line + at) < size && has_socket(pid, inode)) {
			strcpy(path, line + at);
			ret = 0;
		}
	}
	free(line);
	fclose(f);
	return ret;
}

/* Connect to what path names below the root of the process: that may not be ours. */
static int
connect_below(pid_t pid, const char *path, const struct timeval *timeout)
{
	const char *name = strrchr(path, '/') + 1;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char dir[PATH_MAX];
	int at, fd, err;

	/* An address has room for 107 characters only: name the directory by a descriptor. */
	snprintf(dir, sizeof(dir), "/proc/%d/root%.*s", (int)pid, (int)(name - path), path);
	at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return -errno;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%.64s", at, name);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* where others wait for a process that is stopped, connecting waits, too */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, timeout, sizeof(*timeout));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, sizeof(*timeout));
	err = fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 ? 0 : errno;
	close(at);
	if (err != 0 && fd >= 0)
		close(fd);
	return err == 0 ? fd : -err;
}

int
telemetry_connect(pid_t pid, unsigned int patience)
{
	const struct timeval timeout = { .tv_sec = patience };
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)], greeting[1024];
	int fd, ret;

	ret = find_socket(pid, path, sizeof(path));
	if (ret != 0)
		return ret;
	fd = connect_below(pid, path, &timeout);
	if (fd < 0)
		return fd;
	/* EAL greets with its version; /info repeats it to those who want to know. */
	if (recv(fd, greeting, sizeof(greeting), 0) <= 0) {
		close(fd);
		return -EPROTO;
	}
	return fd;
}

json_t *
telemetry_ask(int fd, const char *command, const volatile int *stop)
{
	json_t *all, *answer;
	char *text;
	ssize_t n;

	text = malloc(ANSWER_MAX);
	if (text == NULL)
		return NULL;
	n = send(fd, command, strlen(command), MSG_NOSIGNAL);
	do {
		if (n > 0)
			n = recv(fd, text, ANSWER_MAX, 0);
	} while (n < 0 && errno == EINTR && (stop == NULL || !*stop));
	if (n <= 0) {
		free(text);
		errno = n < 0 ? errno : EPROTO;
		return NULL;
	}
	all = json_loadb(text, n, 0, NULL);
	free(text);
	answer = json_object_getn(all, command, strcspn(command, ","));
	/* Unknown commands are answered with null. */
	errno = answer == NULL ? EPROTO : ENOENT;
	answer = json_is_null(answer) ? NULL : json_incref(answer);
	json_decref(all);
	return answer;
}
