/* SPDX-License-Identifier: BSD-3-Clause */

#include "test.h"

#include <asm/unistd.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake_next.h"
#include "fake_vfio.h"
#include "next.h"

/* kcmp(2): a device's fds are those of one file, other numbers are files of their own. */
static long
fake_syscall(long number, ...)
{
	va_list ap;
	long a[5];
	int i;

	assert_int_equal(number, __NR_kcmp);
	va_start(ap, number);
	for (i = 0; i < 5; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (a[3] == a[4] || (a[3] >= FAKE_FD && a[4] >= FAKE_FD &&
			(a[3] - FAKE_FD) % (FAKE_DUP - FAKE_FD) ==
			(a[4] - FAKE_FD) % (FAKE_DUP - FAKE_FD)))
		return 0;
	errno = EBADF;
	return a[4] >= FAKE_FD ? 1 : -1;
}

struct next next = {
	.mmap = mmap,
	.munmap = munmap,
	.mremap = mremap,
	.close = close,
	.dup2 = dup2,
	.dup3 = dup3,
	.ioctl = ioctl,
	.syscall = fake_syscall,
};

static int ear, mouth;

int
hear(void **state)
{
	(void)state;
	ear = memfd_create("ear", 0);
	mouth = dup(STDERR_FILENO);
	return ear >= 0 && mouth >= 0 && dup2(ear, STDERR_FILENO) >= 0 ? 0 : -1;
}

int
hear_no_more(void **state)
{
	(void)state;
	dup2(mouth, STDERR_FILENO);
	close(mouth);
	close(ear);
	return 0;
}

const char *
heard(void)
{
	static char text[4096];
	ssize_t n = pread(ear, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	if (ftruncate(ear, 0) != 0 || lseek(ear, 0, SEEK_SET) != 0)
		abort();
	return text;
}
