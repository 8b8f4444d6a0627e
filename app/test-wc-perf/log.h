/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_LOG_H
#define WC_PERF_LOG_H

#include <stdbool.h>

/* What the tool ends with. Documented in --help: scripts rely on the numbers. */
enum wc_status {
	WC_OK = 0,
	WC_INTERNAL = 1,	/* out of memory, cannot write the results */
	WC_USAGE = 2,		/* wrong arguments */
	WC_ENVIRONMENT = 3,	/* device, driver, hugepages, plugin, witness: not ready */
	WC_REFUSED = 4,		/* the memory type is not what the run is called */
	WC_COUNTS = 5,		/* testpmd and the back end count different numbers of frames */
	WC_TESTPMD = 6,		/* testpmd did not start, died, or does not answer */
	WC_INTERRUPTED = 7,	/* a signal ended the run */
	WC_IMPRECISE = 8,	/* measured, less precisely than was asked for */
};

/*
 * Say why the run cannot go on, and hand back the status to return with. The text of the
 * first failure is kept: what follows from it is noise. It goes into the JSON too.
 */
enum wc_status
fail(enum wc_status status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The text of the first failure, or NULL. */
const char *
fail_text(void);

/* Forget it (tests). */
void
fail_reset(void);

/* Something the reader of the result must know. Printed once, and kept for the JSON. */
void
warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The n-th warning, or NULL. */
const char *
warn_text(unsigned int n);

/*
 * What others print (a terminal's text, cut anywhere; a name) may be no UTF-8, and nothing else is
 * JSON. Each byte that belongs to no character becomes a '?'; done where such text is taken in.
 * Failures and warnings do it by themselves.
 */
void
text_clean(char *text);

bool
text_is_utf8(const char *text);

/* Set by the handler of SIGINT, SIGTERM, SIGHUP; every wait looks at it. */
extern volatile int interrupted;

#endif
