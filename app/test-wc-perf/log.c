/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define MAX_WARNINGS 16

volatile int interrupted;

static char failure[1024];
static char warnings[MAX_WARNINGS][512];
static unsigned int n_warnings;

/*
 * Bytes of the character that text starts with, RFC 3629 section 4; 0: it is none (a rest of one,
 * one that is cut, longer than it need be, a surrogate, beyond Unicode).
 */
static unsigned int
character(const char *text)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char first = text[0];
	unsigned int i, n;
	uint32_t c;

	n = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 :
		first < 0xf8 ? 4 : 0;
	if (n <= 1)
		return n;
	c = first & 0x7f >> n;
	for (i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (text[i] & 0x3f);
	}
	return c < least[n] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff ? 0 : n;
}

void
text_clean(char *text)
{
	unsigned int n;

	for (; *text != '\0'; text += n) {
		n = character(text);
		if (n == 0) {
			*text = '?';
			n = 1;
		}
	}
}

bool
text_is_utf8(const char *text)
{
	unsigned int n = 1;

	for (; *text != '\0' && n > 0; text += n)
		n = character(text);
	return n > 0;
}

enum wc_status
fail(enum wc_status status, const char *fmt, ...)
{
	va_list ap;

	if (failure[0] != '\0')
		return status;
	va_start(ap, fmt);
	vsnprintf(failure, sizeof(failure), fmt, ap);
	va_end(ap);
	text_clean(failure);
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
	text_clean(text);
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
