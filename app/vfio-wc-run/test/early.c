/* SPDX-License-Identifier: BSD-3-Clause */

/* A program that needs a library which maps a file before it begins. */
int early_mapped(void);

int
main(void)
{
	return early_mapped();
}
