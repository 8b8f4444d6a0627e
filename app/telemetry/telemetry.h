/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TELEMETRY_H
#define TELEMETRY_H

/* A client of DPDK's telemetry socket, for the tools. */

#include <sys/types.h>

#include <jansson.h>

/*
 * Connect to the socket of a DPDK process, wherever its EAL has put it (RUNTIME_DIRECTORY,
 * XDG_RUNTIME_DIR, --file-prefix, a container): the kernel is asked which one it is. Answers may
 * take patience seconds. Returns a file descriptor; -ENOENT when the process has none, or another
 * negative errno.
 */
int telemetry_connect(pid_t pid, unsigned int patience);

/*
 * Ask "/command,arguments". Returns what stands under the command's name, the caller's; NULL and
 * errno when there is no answer, with ENOENT when the command is not known. A signal ends the
 * waiting when *stop is set then (NULL: never).
 */
json_t *telemetry_ask(int fd, const char *command, const volatile int *stop);

#endif /* TELEMETRY_H */
