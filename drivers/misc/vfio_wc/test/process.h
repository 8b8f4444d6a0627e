/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PROCESS_H
#define PROCESS_H

#include "test.h"

#include <sys/wait.h>
#include <unistd.h>

/* What the last process said, on both its outputs. */
static char output[16384];

/* A process for a case, since an EAL starts once: what child(args) returns is its exit status. */
static int
process(int (*child)(char **args), char **args)
{
	int ends[2], status = -1;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		_exit(child(args));
	}
	close(ends[1]);
	while (n < sizeof(output) - 1 &&
			(got = read(ends[0], output + n, sizeof(output) - 1 - n)) > 0)
		n += got;
	output[n] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFEXITED(status))
		fail_msg("\"%s\": status 0x%x: %s", args[0], status, output);
	return WEXITSTATUS(status);
}

#endif /* PROCESS_H */
