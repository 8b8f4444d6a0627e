/* SPDX-License-Identifier: BSD-3-Clause */

#include <glob.h>
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

static json_t *
receive(int fd)
{
	char *buf = malloc(ANSWER_MAX);
	json_t *answer = NULL;
	ssize_t n;

	n = buf != NULL ? recv(fd, buf, ANSWER_MAX, 0) : -1;
	if (n > 0)
		answer = json_loadb(buf, n, 0, NULL);
	free(buf);
	return answer;
}

/* Connect, and check by the greeting whose socket it is. Returns -1 when it is not pid's. */
static int
connect_to(const char *path, pid_t pid)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = 2 };
	json_t *greeting = NULL;
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -1;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		greeting = receive(fd);
	if (json_integer_value(json_object_get(greeting, "pid")) != pid) {
		close(fd);
		fd = -1;
	}
	json_decref(greeting);
	return fd;
}

json_t *
telemetry_ranges(pid_t pid, const char **reason)
{
	static const char command[] = "/vfio_wc/ranges";
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	json_t *answer = NULL, *ranges = NULL;
	char pattern[4096];
	glob_t sockets;
	size_t i;
	int fd = -1;

	/* root's, then a user's: lib/eal/common/eal_common_config.c */
	glob("/var/run/dpdk/*/dpdk_telemetry.v2*", 0, NULL, &sockets);
	if (runtime != NULL) {
		snprintf(pattern, sizeof(pattern), "%s/dpdk/*/dpdk_telemetry.v2*", runtime);
		glob(pattern, GLOB_APPEND, NULL, &sockets);
	}
	for (i = 0; fd < 0 && i < sockets.gl_pathc; i++)
		fd = connect_to(sockets.gl_pathv[i], pid);
	globfree(&sockets);
	if (fd < 0) {
		*reason = "it has no DPDK telemetry socket that answers";
		return NULL;
	}

	if (send(fd, command, strlen(command), 0) > 0)
		answer = receive(fd);
	close(fd);
	ranges = json_object_get(answer, command);
	if (json_is_object(ranges))
		json_incref(ranges);
	else
		ranges = NULL;
	json_decref(answer);
	*reason = ranges != NULL ? NULL : "it runs without the vfio_wc plugin";
	return ranges;
}
