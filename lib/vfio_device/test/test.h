/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef TEST_H
#define TEST_H

/* cmocka.h wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Does text contain part? Says both when it does not. */
#define assert_contains(text, part) do { \
	if (strstr(text, part) == NULL) \
		fail_msg("\"%s\" is not in: %s", part, text); \
} while (0)

#endif /* TEST_H */
