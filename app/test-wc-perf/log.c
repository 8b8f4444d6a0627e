/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define MAX_WARNINGS 16

volatile int interrupted;

static char failure[1024];
static char warnings[MAX_WARNINGS][512];
static unsigned int n_warnings;

enum wc_status
fail(enum wc_status status, const char *fmt, ...)
{
	va_list ap;

	if (failure[0] != '\0')
		return status;
	va_start(ap, fmt);
	vsnprintf(failure, sizeof(failure), fmt, ap);
	va_end(ap);
	fprintf(stderr, "dpdk-test-wc-perf: %s\n", failure);
	return status;
}

const char *
fail_text(void)
{
	return failure[0] != '\0' ? failure : NULL;
}

void
fail_reset(void)
{
	failure[0] = '\0';
}

void
warn(const char *fmt, ...)
{
	char text[sizeof(warnings[0])];
	va_list ap;
	unsigned int i;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	for (i = 0; i < n_warnings; i++)
		if (strcmp(warnings[i], text) == 0)
			return;
	fprintf(stderr, "dpdk-test-wc-perf: warning: %s\n", text);
	if (n_warnings < MAX_WARNINGS)
		strcpy(warnings[n_warnings++], text);
}

const char *
warn_text(unsigned int n)
{
	return n < n_warnings ? warnings[n] : NULL;
}
