/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "door.h"
#include "known.h"
#include "next.h"
#include "record.h"
#include "vfio_device.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static bool has_pieces;

bool
door_has_pieces(void)
{
	return __atomic_load_n(&has_pieces, __ATOMIC_RELAXED);
}

/* One write, so that the lines of threads do not mix. */
static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
say(const char *format, ...)
{
	char line[640] = "vfio-wc-run: ";
	size_t n = strlen(line);
	va_list ap;

	va_start(ap, format);
	vsnprintf(line + n, sizeof(line) - n - 1, format, ap);
	va_end(ap);
	n = strlen(line);
	line[n++] = '\n';
	if (write(STDERR_FILENO, line, n) < 0)
		return;	/* nobody listens */
}

/* A device, by one of its fds. */
struct device {
	struct vfio_wc_sysfs pci;	/* as the fd has it; address "": not known */
	const char *name;
	char id[VFIO_WC_BDF_LEN];
	struct vfio_wc_wanted wanted[VFIO_WC_WANTED];
	unsigned int nb_wanted;
	bool refused[VFIO_WC_WANTED];	/* of wanted: cannot be had, and need not */
};

bool
door_requires(const struct door *door)
{
	unsigned int i;

	for (i = 0; i < door->conf.nb_requests; i++)
		if (door->conf.request[i].mode == VFIO_WC_REQUIRED)
			return true;
	return false;
}

#define MANY 16	/* devices that look alike */

static bool
same_wanted(const struct vfio_wc_wanted *a, const struct vfio_wc_wanted *b)
{
	return a->bar == b->bar && a->offset == b->offset && a->length == b->length &&
		a->type == b->type && a->mode == b->mode;
}

/* What is wanted of a device that may be any of these? False: that depends on which one it is. */
static bool
agree(const struct vfio_wc_conf *conf, struct device *d, char (*address)[VFIO_WC_BDF_LEN],
		unsigned int n)
{
	static struct vfio_wc_wanted other[VFIO_WC_WANTED];	/* the lock's */
	struct vfio_wc_sysfs pci = d->pci;
	unsigned int i, j, nb_other;

	d->nb_wanted = vfio_wc_conf_wanted(conf, &d->pci, d->wanted);
	if (!vfio_wc_conf_names(conf, NULL))
		return true;
	if (n == 0 || n > MANY)
		return false;
	for (i = 0; i < n; i++) {
		strcpy(pci.bdf, address[i]);
		if (i == 0) {
			d->nb_wanted = vfio_wc_conf_wanted(conf, &pci, d->wanted);
			continue;
		}
		nb_other = vfio_wc_conf_wanted(conf, &pci, other);
		if (nb_other != d->nb_wanted)
			return false;
		for (j = 0; j < nb_other; j++)
			if (!same_wanted(&other[j], &d->wanted[j]))
				return false;
	}
	return true;
}

/*
 * Which device is it, and what is wanted of it? 0, or a negative errno: that cannot be known, and
 * error says why.
 */
static int
learn(const struct vfio_wc_conf *conf, int fd, struct device *d, struct rte_vfio_wc_error *error)
{
	char address[MANY][VFIO_WC_BDF_LEN];
	struct vfio_wc_sysfs pci;
	struct vfio_wc_why why;
	unsigned int n;
	int ret;

	memset(d, 0, sizeof(*d));
	ret = vfio_wc_sysfs_from_fd(fd, &d->pci, &why);
	if (ret == -ENODEV)
		return 0;	/* no PCI device: nothing is wanted of it */
	if (ret != 0) {
		snprintf(error->text, sizeof(error->text), "fd %d: %s", fd, why.text);
		return ret;
	}
	snprintf(d->id, sizeof(d->id), "%04x:%04x", d->pci.vendor, d->pci.device);
	d->name = d->id;
	/* the kernel's word; ours, of what may have become of the number; or what it looks like */
	n = vfio_wc_address(fd, address[0]) || (known_find(fd, address[0]) &&
		vfio_wc_sysfs_read(address[0], &pci) == 0 &&
		vfio_wc_match(&pci, fd, &why) == 0) ? 1 :
		vfio_wc_lookalikes(&d->pci, address, MANY);
	if (n == 1) {
		strcpy(d->pci.bdf, address[0]);
		d->name = d->pci.bdf;
		d->nb_wanted = vfio_wc_conf_wanted(conf, &d->pci, d->wanted);
	} else if (!agree(conf, d, address, n)) {
		snprintf(error->text, sizeof(error->text), n == 0 ?
			"%s (fd %d): which device this is cannot be told, and the ranges are asked "
			"for by addresses" :
			"%s (fd %d): which of %u devices this is cannot be told, and not the same "
			"is wanted of all", d->id, fd, n);
		return -ENODEV;
	}
	return 0;
}

/* A piece of what is asked for: [start, end) in it. */
struct piece {
	uint64_t start;
	uint64_t end;
	uint64_t fd_offset;
	int wanted;	/* -1: plain */
};

struct plan {
	struct piece piece[2 * VFIO_WC_WANTED + 1];
	unsigned int n;
	/* of each that is wanted: where it would be plainly, if it is met */
	uint64_t fd_offset[VFIO_WC_WANTED];
};

static void
add_piece(struct plan *plan, uint64_t start, uint64_t end, uint64_t fd_offset, int wanted)
{
	if (start < end)
		plan->piece[plan->n++] = (struct piece){ start, end, fd_offset, wanted };
}

/* A range that no BAR can have: whoever asked for it is mistaken about the device. */
static bool
cannot_exist(int err)
{
	return err == ENODEV || err == ERANGE;
}

/*
 * The pieces of [offset, offset + length) of the fd, which get their cookies. -1, or the index of
 * what is wanted and cannot be had; error says why.
 */
static int
make_plan(const struct device *d, int fd, uint64_t offset, uint64_t length, struct plan *plan,
		struct rte_vfio_wc_error *error)
{
	struct rte_vfio_wc_bar_info info = { 0 };
	uint64_t done = 0, start, end, from, to, cookie;
	struct vfio_wc_why why;
	unsigned int i;
	int ret;

	plan->n = 0;
	for (i = 0; i < d->nb_wanted; i++) {
		const struct vfio_wc_wanted *w = &d->wanted[i];
		const struct rte_vfio_wc_range range = {
			.device = d->name, .fd = fd, .bar = w->bar, .offset = w->offset,
			.length = w->length,
		};

		if (d->refused[i])
			continue;
		if (i == 0 || d->wanted[i - 1].bar != w->bar || d->refused[i - 1]) {
			ret = rte_vfio_wc_bar_info(d->name, fd, w->bar, &info, error);
			if (ret != 0)
				return i;
		}
		start = info.fd_offset + w->offset;
		end = start + w->length;
		from = start > offset ? start : offset;
		to = end < offset + length ? end : offset + length;
		if (from >= to) {
			const struct vfio_wc_limits limits = {
				.size = info.size, .memory = !info.io, .mappable = info.mappable,
			};

			ret = vfio_wc_check_range(&limits, w->offset, w->length, &why);
			if (!cannot_exist(-ret))
				continue;
			error->err = -ret;
			snprintf(error->text, sizeof(error->text), "%s BAR %u [0x%" PRIx64 ", 0x%"
				PRIx64 "): %s", d->name, w->bar, w->offset, w->offset + w->length,
				why.text);
			return i;
		}
		ret = rte_vfio_wc_cookie(&range, w->type, &cookie, error);
		if (ret != 0)
			return i;
		plan->fd_offset[i] = start;
		add_piece(plan, done, from - offset, offset + done, -1);
		add_piece(plan, from - offset, to - offset, cookie + (from - start), i);
		done = to - offset;
	}
	add_piece(plan, done, length, offset + done, -1);
	return -1;
}

/* What mmap() is asked for beside the place. */
struct how {
	size_t length;
	int prot;
	int flags;	/* without those on the address */
	int fd;
};

static void *
map_piece(const struct how *how, const struct piece *piece, void *addr, int fixed)
{
	return next.mmap(addr, piece->end - piece->start, how->prot, how->flags | fixed, how->fd,
		piece->fd_offset);
}

static void *
move(void *from, size_t length, void *to)
{
	return next.mremap(from, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, to);
}

/* Move the cookies' pieces over the plain mapping at base. -1, or the index that failed. */
static int
overlay(const struct how *how, const struct plan *plan, char *base, const char **what)
{
	const struct piece *p;
	void *at;
	int err;

	for (p = plan->piece; p < plan->piece + plan->n; p++) {
		if (p->wanted < 0)
			continue;
		*what = "mmap";
		at = map_piece(how, p, NULL, 0);
		if (at == MAP_FAILED)
			return p->wanted;
		*what = "mremap";
		if (move(at, p->end - p->start, base + p->start) == MAP_FAILED) {
			err = errno;
			next.munmap(at, p->end - p->start);
			errno = err;
			return p->wanted;
		}
	}
	return -1;
}

/*
 * Move all pieces from base over what the caller has at addr. Nothing is refused here, but memory
 * may run out; then the kernel is asked for the piece itself, as the caller would have it done.
 */
static void *
put_in_place(const struct how *how, const struct plan *plan, char *base, char *addr)
{
	const struct piece *p;
	int err;

	for (p = plan->piece; p < plan->piece + plan->n; p++) {
		if (move(base + p->start, p->end - p->start, addr + p->start) != MAP_FAILED)
			continue;
		if (map_piece(how, p, addr + p->start, MAP_FIXED) == MAP_FAILED) {
			err = errno;
			next.munmap(base + p->start, how->length - p->start);
			if (p->start > 0)
				next.munmap(addr, p->start);
			errno = err;
			return MAP_FAILED;
		}
		next.munmap(base + p->start, p->end - p->start);
	}
	return addr;
}

/* As planned: -1 and what mmap() returns, or the index of what is wanted and cannot be had. */
static int
carry_out(const struct how *how, const struct plan *plan, uint64_t offset, void *addr, int place,
		void **result, const char **what)
{
	const bool replaces = (place & (MAP_FIXED | MAP_FIXED_NOREPLACE)) == MAP_FIXED;
	const bool one_piece = plan->n == 1;
	const struct piece whole = {
		0, how->length, one_piece ? plan->piece[0].fd_offset : offset, -1,
	};
	int failed, err;
	char *base;

	base = map_piece(how, &whole, replaces ? NULL : addr, replaces ? 0 : place);
	if (base == MAP_FAILED) {
		*what = "mmap";
		*result = base;
		return one_piece ? plan->piece[0].wanted : -1;
	}
	failed = one_piece ? -1 : overlay(how, plan, base, what);
	if (failed >= 0) {
		err = errno;
		next.munmap(base, how->length);
		errno = err;
		return failed;
	}
	*result = replaces ? put_in_place(how, plan, base, addr) : base;
	if (*result != MAP_FAILED && !one_piece)
		__atomic_store_n(&has_pieces, true, __ATOMIC_RELAXED);
	return -1;
}

static void
say_why_not(const struct device *d, int i, const char *what, int err,
		struct rte_vfio_wc_error *error)
{
	const struct vfio_wc_wanted *w = &d->wanted[i];

	error->err = err;
	snprintf(error->text, sizeof(error->text), "%s BAR %u [0x%" PRIx64 ", 0x%" PRIx64
		"): %s as %s: %s", d->name, w->bar, w->offset, w->offset + w->length, what,
		rte_vfio_wc_type_name(w->type), err == EBUSY ?
		"a page of it is held with another memory type, through somebody's cookie, "
		"through sysfs or by another driver" : strerror(err));
}

/* True: the caller goes on without it. */
static bool
go_without(struct device *d, int i, const struct rte_vfio_wc_error *error)
{
	const struct vfio_wc_wanted *w = &d->wanted[i];
	const char *reason = strstr(error->text, ": ");
	bool first;

	first = record_set(d->name, w, 0, 0, reason != NULL ? reason + 2 : error->text);
	if (w->mode == VFIO_WC_REQUIRED) {
		say("%s; it is not mapped, since mode=required", error->text);
		return false;
	}
	if (first)
		say("%s; it stays uncached", error->text);
	d->refused[i] = true;
	return true;
}

static void
note(const struct door *door, const struct device *d, const struct plan *plan, const char *base)
{
	const struct piece *p;

	for (p = plan->piece; p < plan->piece + plan->n; p++) {
		const struct vfio_wc_wanted *w = &d->wanted[p->wanted < 0 ? 0 : p->wanted];

		if (p->wanted < 0)
			continue;
		record_set(d->name, w, plan->fd_offset[p->wanted], (uintptr_t)base + p->start, "");
		if (door->verbose)
			say("%s BAR %u [0x%" PRIx64 ", 0x%" PRIx64 "): 0x%" PRIx64 " bytes at %p "
				"are %s", d->name, w->bar, w->offset, w->offset + w->length,
				p->end - p->start, base + p->start, rte_vfio_wc_type_name(w->type));
	}
}

/* Of a device that nobody can tell. */
static void *
map_unknown(const struct door *door, const char *reason, int err, void *addr, size_t length,
		int prot, int flags, int fd, off_t offset)
{
	static bool said;

	if (door_requires(door)) {
		say("%s; it is not mapped, since mode=required", reason);
		errno = err;
		return MAP_FAILED;
	}
	if (!said)
		say("%s; it stays uncached", reason);
	said = true;
	return next.mmap(addr, length, prot, flags, fd, offset);
}

void *
door_mmap(const struct door *door, void *addr, size_t length, int prot, int flags, int fd,
		off_t offset)
{
	static const int place = MAP_FIXED | MAP_FIXED_NOREPLACE;
	static struct device d;		/* large; the lock's */
	static struct plan plan;
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct how how = { length, prot, flags & ~place, fd };
	struct rte_vfio_wc_error error = { 0 };
	const char *what = "";
	void *result = MAP_FAILED;
	int failed, ret;

	/* what no kernel takes is the kernel's to refuse, with nothing touched */
	how.length = (length + page - 1) & ~(page - 1);
	if (how.length == 0 || offset < 0 || offset % page != 0 ||
			(uint64_t)offset + how.length < how.length ||
			((flags & place) != 0 && ((uintptr_t)addr % page != 0 ||
			(uintptr_t)addr + how.length < how.length)))
		return next.mmap(addr, length, prot, flags, fd, offset);
	ret = learn(&door->conf, fd, &d, &error);
	if (ret != 0)
		return map_unknown(door, error.text, -ret, addr, length, prot, flags, fd, offset);
	if (door->verbose && d.nb_wanted == 0 && d.name != NULL)
		say("%s: nothing is wanted of this device, it stays uncached", d.name);
	do {
		failed = make_plan(&d, fd, offset, how.length, &plan, &error);
		if (failed >= 0)
			continue;
		if (plan.n == 1 && plan.piece[0].wanted < 0)
			return next.mmap(addr, length, prot, flags, fd, offset);
		failed = carry_out(&how, &plan, offset, addr, flags & place, &result,
			&what);
		if (failed >= 0)
			say_why_not(&d, failed, what, errno, &error);
	} while (failed >= 0 && go_without(&d, failed, &error));
	if (failed >= 0) {
		errno = error.err;
		return MAP_FAILED;
	}
	if (result != MAP_FAILED)
		note(door, &d, &plan, result);
	return result;
}

/* "/sys/devices/pci0000:00/0000:00:03.0/resource4"; resource4_wc is another matter */
static bool
is_sysfs_bar(int fd, char bdf[VFIO_WC_BDF_LEN], unsigned int *bar)
{
	char path[64], target[PATH_MAX], *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/thread-self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	target[n < 0 ? 0 : n] = '\0';
	slash = strrchr(target, '/');
	if (slash == NULL || strncmp(slash, "/resource", strlen("/resource")) != 0)
		return false;
	*bar = slash[strlen("/resource")] - '0';
	if (*bar >= RTE_VFIO_WC_BARS || slash[strlen("/resource") + 1] != '\0')
		return false;
	*slash = '\0';
	slash = strrchr(target, '/');
	return slash != NULL && vfio_wc_bdf(slash + 1, bdf) == 0;
}

bool
door_lets_pass(const struct door *door, int fd, uint64_t offset, uint64_t length)
{
	struct vfio_wc_wanted wanted[VFIO_WC_WANTED];
	char bdf[VFIO_WC_BDF_LEN];
	struct vfio_wc_sysfs pci;
	unsigned int bar, n, i;

	if (!door_requires(door) || !is_sysfs_bar(fd, bdf, &bar))
		return true;
	vfio_wc_sysfs_read(bdf, &pci);
	n = vfio_wc_conf_wanted(&door->conf, &pci, wanted);
	for (i = 0; i < n; i++) {
		const struct vfio_wc_wanted *w = &wanted[i];
		/* of a BAR whose size is not known, up to its end */
		const uint64_t end = w->length != 0 ? w->offset + w->length : UINT64_MAX;

		if (w->bar != bar || w->mode != VFIO_WC_REQUIRED ||
				w->type != RTE_VFIO_WC_TYPE_WC || offset >= end ||
				w->offset >= offset + length)
			continue;
		say("%s BAR %u [0x%" PRIx64 ", 0x%" PRIx64 "): is mapped through sysfs, not "
			"through VFIO; it is not mapped, since mode=required", bdf, bar, w->offset,
			end);
		errno = ENOTSUP;
		return false;
	}
	return true;
}

/* The mappings that [from, from + length) consists of, without a gap; 0: it does not. */
static size_t
find_parts(const struct vfio_wc_maps *maps, uint64_t from, uint64_t length, size_t *first)
{
	uint64_t next_va = from;
	size_t i, n = 0;

	for (i = 0; i < maps->n && next_va < from + length; i++) {
		if (maps->v[i].va + maps->v[i].length <= from)
			continue;
		if (maps->v[i].va > next_va)
			return 0;
		if (n++ == 0)
			*first = i;
		next_va = maps->v[i].va + maps->v[i].length;
	}
	return next_va >= from + length ? n : 0;
}

/* Put what was moved back, unless somebody has taken its place meanwhile. */
static void
move_back(char *from, char *to, size_t length)
{
	char *room = next.mmap(from, length, PROT_NONE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (room == from)
		move(to, length, from);
	else if (room != MAP_FAILED)
		next.munmap(room, length);
}

void *
door_move(void *from, size_t old, size_t length, void *to)
{
	const uint64_t page = sysconf(_SC_PAGESIZE), start = (uintptr_t)from;
	const uint64_t size = (length + page - 1) & ~(page - 1);
	const uint64_t had = (old + page - 1) & ~(page - 1);
	struct vfio_wc_maps maps = { 0 };
	size_t first = 0, n = 0, i;
	uint64_t done, end;
	void *result = to;
	int err = 0;

	/* one mapping, or what is no business of ours, or an error: the kernel's */
	if (size <= had && size != 0 && start % page == 0 && (uintptr_t)to % page == 0 &&
			((uintptr_t)to + size <= start || start + had <= (uintptr_t)to) &&
			vfio_wc_maps_read(0, &maps) == 0)
		n = find_parts(&maps, start, size, &first);
	if (n < 2) {
		free(maps.v);
		return next.mremap(from, old, length, MREMAP_MAYMOVE | MREMAP_FIXED, to);
	}
	for (done = 0, i = first; i < first + n && err == 0; i++) {
		end = maps.v[i].va + maps.v[i].length - start;
		if (end > size)
			end = size;
		if (move((char *)from + done, end - done, (char *)to + done) == MAP_FAILED)
			err = errno;
		else
			done = end;
	}
	if (err == 0 && had > size)
		next.munmap((char *)from + size, had - size);
	if (err != 0) {
		/* the pieces that were moved, back, last first */
		for (end = done; i-- > first && end > 0;) {
			const uint64_t begin = maps.v[i].va > start ? maps.v[i].va - start : 0;

			if (begin >= end)
				continue;
			move_back((char *)from + begin, (char *)to + begin, end - begin);
			end = begin;
		}
		errno = err;
		result = MAP_FAILED;
	}
	free(maps.v);
	return result;
}
