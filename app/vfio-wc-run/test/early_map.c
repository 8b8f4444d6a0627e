/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>
#include <sys/mman.h>

int early_mapped(void);

__attribute__((constructor)) static void
map(void)
{
	int fd = memfd_create("early", 0);

	if (mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) != MAP_FAILED)
		fputs("early\n", stderr);
}

int
early_mapped(void)
{
	return 0;
}
