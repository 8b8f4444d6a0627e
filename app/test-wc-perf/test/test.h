/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_TEST_H
#define WC_PERF_TEST_H

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
/* cmocka's name for something else. */
#undef fail

#include <stdio.h>
#include <string.h>

#include "log.h"

/* A stream that reads text. */
static inline FILE *
text_file(const char *text)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	rewind(f);
	return f;
}

/* The first failure is what a message was about: says all of these words. */
static inline void
assert_said(const char *word)
{
	assert_non_null(fail_text());
	if (strstr(fail_text(), word) == NULL)
		print_error("\"%s\" is not in: %s\n", word, fail_text());
	assert_non_null(strstr(fail_text(), word));
}

static inline int
forget_failure(void **state)
{
	(void)state;
	fail_reset();
	return 0;
}

#endif
