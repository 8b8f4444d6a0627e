/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_NEXT_H
#define FAKE_NEXT_H

/* The next functions are the fake kernel's; what is written to stderr is heard. */

/* For cmocka's setup and teardown. */
int hear(void **state);
int hear_no_more(void **state);

/* What was written since then, or since the last call. */
const char *heard(void);

#endif /* FAKE_NEXT_H */
