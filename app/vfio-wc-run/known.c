/* SPDX-License-Identifier: BSD-3-Clause */

#include <asm/unistd.h>
#include <dirent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "known.h"
#include "next.h"

#define KCMP_FILE 0	/* <linux/kcmp.h> */

static struct known {
	int fd;
	char bdf[VFIO_WC_BDF_LEN];
} known[256];
static unsigned int nb_known;

/*
 * A child of vfork() has this memory and fds of its own: what it closes is open here. One of fork()
 * has a copy of its own.
 */
static pid_t owner;

static void
take_over(void)
{
	owner = getpid();
}

bool
known_any(void)
{
	return __atomic_load_n(&nb_known, __ATOMIC_RELAXED) != 0;
}

static bool
same_file(int a, int b)
{
	const pid_t self = gettid();

	return a == b || next.syscall(__NR_kcmp, self, self, KCMP_FILE, a, b) == 0;
}

static struct known *
entry_of(int fd)
{
	struct known *k;

	for (k = known; k < known + nb_known; k++)
		if (k->fd == fd)
			return k;
	return NULL;
}

static void
forget(int fd)
{
	struct known *k = entry_of(fd);

	if (k != NULL) {
		*k = known[nb_known - 1];
		__atomic_store_n(&nb_known, nb_known - 1, __ATOMIC_RELAXED);
	}
}

static void
add(int fd, const char *bdf)
{
	forget(fd);
	/* of more than there is room for, the kernel must say what they are */
	if (nb_known == sizeof(known) / sizeof(known[0]))
		return;
	known[nb_known].fd = fd;
	strcpy(known[nb_known].bdf, bdf);
	__atomic_store_n(&nb_known, nb_known + 1, __ATOMIC_RELAXED);
}

void
known_add(int fd, const char *name)
{
	char address[VFIO_WC_BDF_LEN], bdf[VFIO_WC_BDF_LEN];
	const size_t n = strcspn(name, " ");

	if (owner == 0)
		pthread_atfork(NULL, NULL, take_over);
	take_over();
	forget(fd);
	if (n >= sizeof(address))
		return;
	memcpy(address, name, n);
	address[n] = '\0';
	if (vfio_wc_bdf(address, bdf) == 0)
		add(fd, bdf);
}

bool
known_find(int fd, char bdf[VFIO_WC_BDF_LEN])
{
	struct known *k = entry_of(fd);

	if (k == NULL)
		for (k = known; k < known + nb_known && !same_file(k->fd, fd); k++)
			;
	if (k == known + nb_known)
		return false;
	strcpy(bdf, k->bdf);
	return true;
}

/* Another number for it, which stays open. */
static bool
find_duplicate(struct known *k, unsigned int first, unsigned int last)
{
	const struct dirent *entry;
	const int fd = k->fd;
	DIR *fds = opendir("/proc/thread-self/fd");
	unsigned int other;

	while (k->fd == fd && fds != NULL && (entry = readdir(fds)) != NULL) {
		other = atoi(entry->d_name);
		if (entry->d_name[0] != '.' && (other < first || other > last) &&
				entry_of(other) == NULL && same_file(other, fd))
			k->fd = other;
	}
	if (fds != NULL)
		closedir(fds);
	return k->fd != fd;
}

void
known_closes(unsigned int first, unsigned int last)
{
	unsigned int i;

	if (getpid() != owner)
		return;
	for (i = nb_known; i-- > 0;) {
		const unsigned int fd = known[i].fd;

		if (fd >= first && fd <= last && !find_duplicate(&known[i], first, last))
			forget(fd);
	}
}

void
known_copied(int fd, int to)
{
	const struct known *k;

	if (fd == to || getpid() != owner)
		return;
	forget(to);
	k = entry_of(fd);
	if (k != NULL)
		add(to, k->bdf);
}
