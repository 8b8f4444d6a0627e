/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_TESTPMD_H
#define WC_PERF_TESTPMD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "log.h"

/*
 * A dpdk-testpmd as child process: its prompt on a pseudo-terminal (on a pipe, it would
 * buffer what it prints), its counters on EAL's telemetry socket. It dies with this process,
 * however that ends.
 */
struct testpmd {
	pid_t pid;		/* 0: not running */
	int prompt;		/* pseudo-terminal */
	int telemetry;
	char runtime_dir[PATH_MAX];
	char *out;		/* what it printed since the last command */
	size_t out_len;
	size_t out_size;
	bool verbose;
};

/* What testpmd's forwarding statistics say at stop. */
struct fwd_stats {
	uint64_t sent;
	uint64_t dropped;
};

/* A file prefix for EAL that no other process uses. */
void
testpmd_prefix(char *prefix, size_t size);

/* Start argv (its --file-prefix is prefix) and wait for its first prompt. */
enum wc_status
testpmd_start(struct testpmd *t, char *const *argv, const char *prefix);

/* Run a command at the prompt; what it printed is in t->out until the next one. */
enum wc_status
testpmd_command(struct testpmd *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Ask telemetry; *answer (to be json_decref'd) is what stands under the command's name. */
enum wc_status
testpmd_telemetry(struct testpmd *t, const char *command, json_t **answer);

/* Packets that port 0 sent, and when that was (monotonic, s). */
enum wc_status
testpmd_opackets(struct testpmd *t, uint64_t *packets, double *when);

/*
 * Packets of port 0 that its cloud has held back or dropped, since a machine of that kind may send
 * no more: the sum of its counters "*_allowance_exceeded" (ENA). *counted: it has any.
 */
enum wc_status
testpmd_shaped(struct testpmd *t, uint64_t *packets, bool *counted);

/* The same of an answer to /ethdev/xstats. */
bool
testpmd_sum_shaped(const json_t *xstats, uint64_t *packets);

/* The text behind "LABEL: " in what the last command printed, to the line's end. */
bool
testpmd_field(const struct testpmd *t, const char *label, char *value, size_t size);

/* Stop forwarding. */
enum wc_status
testpmd_stop(struct testpmd *t, struct fwd_stats *stats);

/* Forwarding statistics of port 0 in text; -1: there are none. */
int
testpmd_parse_fwd_stats(const char *text, struct fwd_stats *stats);

/* Quit, or kill it if it does not; leaves no process and no file. Any state will do. */
void
testpmd_end(struct testpmd *t);

/* Monotonic clock, s. */
double
now(void);

/* Sleep; WC_INTERRUPTED when a signal came. */
enum wc_status
pause_for(double seconds);

#endif
