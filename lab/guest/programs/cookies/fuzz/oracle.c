// SPDX-License-Identifier: GPL-2.0-only
/*
 * What must be. The oracle knows which process has what open and mapped, and
 * from that alone follows all else: the type of a page is WC exactly while a
 * piece of some mapping is left that was made for it with that type, in any
 * process; a file lives while a descriptor or a mapping of it is left, and so
 * do its cookies; an ioeventfd lives as long as files of its device.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include "fuzz.h"

#define MAX_PIECES	64	/* of a process */
#define MAX_COOKIES	256	/* of a file: VFIO_MMAP_COOKIES_MAX */
#define MAX_FILES	(PROCS * (FILES + MAX_PIECES))
#define MAX_IOEVENTS	64
#define COOKIE_ARGSZ	(8 + 40)

enum { ADVICE_DONTNEED, ADVICE_DONTFORK, ADVICE_DOFORK, ADVICE_HUGEPAGE, ADVICE_NOHUGEPAGE };

/* What the kernel has a VMA for */
struct piece {
	long at, n;		/* pages of the arena */
	int file;
	int bar, attr;
	long page;		/* of the BAR, for the first one of these */
	long first, count;	/* pages of the BAR that the mapping was made for */
	int prot;
	bool dontfork;
	int huge;		/* the advice on that */
	bool touched;		/* there may be page-table entries */
};

struct process {
	bool lives;
	int file[FILES];	/* -1: none */
	bool cloexec[FILES];
	int pieces;
	struct piece piece[MAX_PIECES];
};

struct cookie {
	int bar, attr;
	__u64 start, size, offset;
};

struct file {
	bool used;
	int device;
	int cookies;
	struct cookie cookie[MAX_COOKIES];
};

struct ioevent {
	int device, bar, event;
	long page;
	__u32 value;
};

struct device {
	bool memory_off;
	struct {
		bool known;
		__u32 value;
	} content[BARS][WINDOW];
};

struct oracle {
	const struct machine *m;
	struct process process[PROCS];
	struct file file[MAX_FILES];
	struct device device[DEVICES];
	int ioevents;
	struct ioevent ioevent[MAX_IOEVENTS];
};

/* What went wrong, in a static buffer */
__attribute__((format(printf, 1, 2)))
static const char *wrong(const char *format, ...)
{
	static char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return text;
}

/* Errors that a call may fail with; it succeeds if there is none */
struct errors {
	int n, err[8];
};

static void error_if(struct errors *e, bool condition, int err)
{
	if (condition)
		e->err[e->n++] = err;
}

static const char *judge(const struct errors *e, int err)
{
	for (int i = 0; i < e->n; i++)
		if (e->err[i] == err)
			return NULL;
	if (!e->n && !err)
		return NULL;
	return wrong("it %s%s, and should %s%s", err ? "fails: " : "works",
		     err ? strerror(err) : "", e->n ? "fail: " : "work",
		     e->n ? strerror(e->err[0]) : "");
}

/* Files */

static bool file_lives(const struct oracle *o, int file)
{
	for (int p = 0; p < PROCS; p++) {
		const struct process *proc = &o->process[p];

		for (int i = 0; i < FILES; i++)
			if (proc->file[i] == file)
				return true;
		for (int i = 0; i < proc->pieces; i++)
			if (proc->piece[i].file == file)
				return true;
	}
	return false;
}

/* Files end, and with the last one of a device what it was told */
static void forget(struct oracle *o)
{
	bool open[DEVICES] = {};
	int kept = 0;

	for (int i = 0; i < MAX_FILES; i++) {
		o->file[i].used = o->file[i].used && file_lives(o, i);
		if (o->file[i].used)
			open[o->file[i].device] = true;
	}
	for (int d = 0; d < o->m->devices; d++)
		if (!open[d])
			o->device[d].memory_off = false;
	for (int i = 0; i < o->ioevents; i++)
		if (open[o->ioevent[i].device])
			o->ioevent[kept++] = o->ioevent[i];
	o->ioevents = kept;
}

static int new_file(struct oracle *o, int device)
{
	for (int i = 0; i < MAX_FILES; i++) {
		if (o->file[i].used)
			continue;
		o->file[i].used = true;
		o->file[i].device = device;
		o->file[i].cookies = 0;
		return i;
	}
	abort();
}

static struct file *file_of(struct oracle *o, int process, int slot)
{
	return &o->file[o->process[process].file[slot]];
}

static const struct bar_facts *facts(const struct oracle *o, int device, int bar)
{
	return &o->m->device[device].bar[bar];
}

/* What is held */

static bool meet(long a, long na, long b, long nb)
{
	return a < b + nb && b < a + na;
}

/* Does anything hold one of these pages with this type? Plain mappings hold nothing. */
static bool held(const struct oracle *o, int device, int bar, int attr, long page, long n)
{
	for (int p = 0; p < PROCS; p++) {
		const struct process *proc = &o->process[p];

		for (int i = 0; i < proc->pieces; i++) {
			const struct piece *x = &proc->piece[i];

			if (o->file[x->file].device == device && x->bar == bar &&
			    x->attr == attr && meet(x->first, x->count, page, n))
				return true;
		}
	}
	for (int i = 0; attr == NONCACHED && i < o->ioevents; i++) {
		const struct ioevent *x = &o->ioevent[i];

		if (x->device == device && x->bar == bar && meet(x->page, 1, page, n))
			return true;
	}
	return false;
}

/* Pieces */

static bool full(const struct process *proc)
{
	return proc->pieces + 3 > MAX_PIECES;
}

/* No piece reaches across this place any more */
static void cut(struct process *proc, long at)
{
	for (int i = proc->pieces - 1; i >= 0; i--) {
		struct piece *a = &proc->piece[i], *b = &proc->piece[proc->pieces];
		long left = at - a->at;

		if (left <= 0 || left >= a->n)
			continue;
		*b = *a;
		a->n = left;
		b->at += left;
		b->page += left;
		b->n -= left;
		proc->pieces++;
	}
}

static struct piece *piece_at(const struct process *proc, long at)
{
	for (int i = 0; i < proc->pieces; i++)
		if (meet(proc->piece[i].at, proc->piece[i].n, at, 1))
			return (struct piece *)&proc->piece[i];
	return NULL;
}

/* Those of its places that are among these become a piece of their own */
static struct piece *isolate(struct process *proc, struct piece *x, long at, long n)
{
	long begin = x->at > at ? x->at : at;

	if (x->at < at)
		cut(proc, at);
	x = piece_at(proc, begin);
	if (x->at + x->n > at + n)
		cut(proc, at + n);
	return piece_at(proc, begin);
}

static bool within(const struct piece *x, long at, long n)
{
	return x->at >= at && x->at + x->n <= at + n;
}

static void drop(struct process *proc, long at, long n)
{
	int kept = 0;

	cut(proc, at);
	cut(proc, at + n);
	for (int i = 0; i < proc->pieces; i++)
		if (!within(&proc->piece[i], at, n))
			proc->piece[kept++] = proc->piece[i];
	proc->pieces = kept;
}

/* The one that has all of these places */
static struct piece *piece_over(const struct process *proc, long at, long n)
{
	struct piece *x = piece_at(proc, at);

	return x && at + n <= x->at + x->n ? x : NULL;
}

static bool mapped(const struct process *proc, long at, long n)
{
	for (long i = at; i < at + n;) {
		const struct piece *x = piece_at(proc, i);

		if (!x)
			return false;
		i = x->at + x->n;
	}
	return true;
}

/* The entries of all mappings of a device go */
static void zap(struct oracle *o, int device)
{
	for (int p = 0; p < PROCS; p++)
		for (int i = 0; i < o->process[p].pieces; i++)
			if (o->file[o->process[p].piece[i].file].device == device)
				o->process[p].piece[i].touched = false;
}

/* Content */

static bool *content(struct oracle *o, int device, int bar, long page, __u32 **value)
{
	if (!facts(o, device, bar)->ram || page >= WINDOW)
		return NULL;
	*value = &o->device[device].content[bar][page].value;
	return &o->device[device].content[bar][page].known;
}

static void put(struct oracle *o, int device, int bar, long page, __u32 value)
{
	__u32 *there;
	bool *known = content(o, device, bar, page, &there);

	if (!known)
		return;
	*known = true;
	*there = value;
}

static const char *compare_content(struct oracle *o, int device, int bar, long page, __u32 value)
{
	__u32 *there;
	bool *known = content(o, device, bar, page, &there);

	if (!known)
		return NULL;
	if (*known && *there != value)
		return wrong("page %ld of BAR %d holds %#x, and should %#x", page, bar, value,
			     *there);
	put(o, device, bar, page, value);
	return NULL;
}

/* Operations */

static const char *ask(struct oracle *o, struct file *f, int bar, int attr, __u64 start,
		       __u64 size, const struct errors *bad, const struct result *r)
{
	struct errors errors = *bad;
	const char *why;
	int i = 0;

	while (i < f->cookies && !(f->cookie[i].bar == bar && f->cookie[i].attr == attr &&
				   f->cookie[i].start == start && f->cookie[i].size == size))
		i++;
	error_if(&errors, !errors.n && i == MAX_COOKIES, ENOSPC);
	why = judge(&errors, r->ask);
	if (why || errors.n)
		return why;
	if (i < f->cookies)
		return f->cookie[i].offset == r->offset ? NULL :
		       wrong("the cookie is %#llx, and was %#llx", r->offset, f->cookie[i].offset);
	for (int j = 0; j < f->cookies; j++)
		if (r->offset < f->cookie[j].offset + f->cookie[j].size &&
		    f->cookie[j].offset < r->offset + size)
			return wrong("the cookie %#llx overlaps with another", r->offset);
	f->cookie[f->cookies++] = (struct cookie){ bar, attr, start, size, r->offset };
	return NULL;
}

/* What is wrong with a request that has nothing wrong but its range */
static struct errors range_errors(const struct oracle *o, int device, __u32 bar, __u64 start,
				  __u64 size)
{
	const struct bar_facts *b = bar < BARS ? facts(o, device, bar) : NULL;
	struct errors e = {};

	error_if(&e, !size || start % PAGE || size % PAGE, EINVAL);
	error_if(&e, start + size < start, EOVERFLOW);
	error_if(&e, !b || !b->cookies, ENODEV);
	error_if(&e, b && b->cookies && (start + size < start || start + size > b->size), ERANGE);
	error_if(&e, b && b->msix_end && start < b->msix_end * PAGE &&
		 start + size > b->msix * PAGE, EINVAL);
	return e;
}

static const char *step_cookie(struct oracle *o, const long long *a, const struct result *r)
{
	struct file *f = file_of(o, a[0], a[1]);
	struct errors e = range_errors(o, f->device, a[2], a[4], a[5]);

	error_if(&e, a[2] > 8, EINVAL);
	error_if(&e, a[3] > WRITECOMBINE || a[6] || a[7] || a[8] < COOKIE_ARGSZ, EINVAL);
	return ask(o, f, a[2], a[3], a[4], a[5], &e, r);
}

/* The same for some pages of the window: true if there is a cookie now */
static bool asked(struct oracle *o, int file, int bar, int attr, long page, long n,
		  const struct result *r, const char **why)
{
	int device = o->file[file].device;
	__u64 start = page * PAGE;
	struct errors e = range_errors(o, device, bar, start, n * PAGE);

	*why = ask(o, &o->file[file], bar, attr, start, n * PAGE, &e, r);
	return !*why && !r->ask;
}

/*
 * A mapping of pages of a BAR. Whatever was there is gone, even if it fails:
 * who maps over something has the kernel remove that first.
 */
static const char *step_mmap(struct oracle *o, int process, int file, struct piece new, bool bad,
			     const struct result *r)
{
	struct process *proc = &o->process[process];
	struct errors e = {};
	const char *why;

	drop(proc, new.at, new.n);
	forget(o);
	error_if(&e, bad, EINVAL);
	error_if(&e, !bad && new.attr != PLAIN &&
		 held(o, o->file[file].device, new.bar, !new.attr, new.page, new.n), EBUSY);
	why = judge(&e, r->err);
	if (why || e.n)
		return why;
	new.file = file;
	new.first = new.page;
	new.count = new.n;
	proc->piece[proc->pieces++] = new;
	return NULL;
}

/* At an offset where a cookie of this file may be, whichever it was meant to be */
static const char *map_cookie(struct oracle *o, int process, int file, struct piece new,
			      __u64 offset, bool private, const struct result *r)
{
	const struct file *f = &o->file[file];

	for (int i = 0; i < f->cookies; i++) {
		const struct cookie *c = &f->cookie[i];

		if (offset < c->offset || offset >= c->offset + c->size)
			continue;
		new.bar = c->bar;
		new.attr = c->attr;
		new.page = (c->start + offset - c->offset) / PAGE;
		return step_mmap(o, process, file, new,
				 private || offset + new.n * PAGE > c->offset + c->size, r);
	}
	return step_mmap(o, process, file, new, true, r);
}

static const char *step_map(struct oracle *o, const long long *a, const struct result *r)
{
	int file = o->process[a[0]].file[a[1]], device = o->file[file].device;
	struct piece new = {
		.at = a[8],
		.n = a[7],
		.bar = a[2],
		.attr = a[3],
		.page = a[6],
		.prot = a[9] & (PROT_READ | PROT_WRITE),
	};
	bool private = a[9] & HOW_PRIVATE;
	const char *why;

	if (a[3] == PLAIN)
		return step_mmap(o, a[0], file, new, private ||
				 (a[6] + a[7]) * PAGE >
				 facts(o, device, a[2])->size, r);
	if (!asked(o, file, a[2], a[3], a[4], a[5], r, &why))
		return why;
	return map_cookie(o, a[0], file, new, r->offset + (a[6] - a[4]) * PAGE, private, r);
}

static const char *step_whole(struct oracle *o, const long long *a, const struct result *r)
{
	int file = o->process[a[0]].file[a[1]], device = o->file[file].device;
	struct piece new = {
		.at = a[3],
		.n = facts(o, device, a[2])->size / PAGE,
		.bar = a[2],
		.attr = PLAIN,
		.prot = PROT_READ,
	};

	return step_mmap(o, a[0], file, new, false, r);
}

/* With the cookie of another file */
static const char *step_foreign(struct oracle *o, const long long *a, const struct result *r)
{
	const int *files = o->process[a[0]].file;
	struct piece new = { .at = a[7], .n = a[6], .prot = PROT_READ };
	const char *why;

	if (!asked(o, files[a[2]], a[3], a[4], a[5], a[6], r, &why))
		return why;
	return map_cookie(o, a[0], files[a[1]], new, r->offset, false, r);
}

static const char *step_move(struct oracle *o, const long long *a, const struct result *r)
{
	struct process *proc = &o->process[a[0]];
	struct piece *x = piece_over(proc, a[1], a[2]);
	struct errors e = {};
	const char *why;

	error_if(&e, !x, EFAULT);
	drop(proc, a[3], a[2]);
	why = judge(&e, r->err);
	if (why || e.n) {
		forget(o);
		return why;
	}
	cut(proc, a[1]);
	cut(proc, a[1] + a[2]);
	piece_at(proc, a[1])->at = a[3];
	forget(o);
	return NULL;
}

static const char *step_resize(struct oracle *o, const long long *a, const struct result *r)
{
	struct errors e = {};
	const char *why;

	error_if(&e, a[3] > a[2] || !piece_at(&o->process[a[0]], a[1]), EFAULT);
	why = judge(&e, r->err);
	if (!why && !e.n) {
		drop(&o->process[a[0]], a[1] + a[3], a[2] - a[3]);
		forget(o);
	}
	return why;
}

static const char *step_protect(struct oracle *o, const long long *a, const struct result *r)
{
	struct process *proc = &o->process[a[0]];

	for (long at = a[1]; at < a[1] + a[2];) {
		struct piece *x = piece_at(proc, at);

		if (x->prot != a[3]) {
			x = isolate(proc, x, a[1], a[2]);
			x->prot = a[3];
		}
		at = x->at + x->n;
	}
	return judge(&(struct errors){}, r->err);
}

static const char *step_advise(struct oracle *o, const long long *a, const struct result *r)
{
	struct process *proc = &o->process[a[0]];
	struct errors e = {};

	error_if(&e, a[3] == ADVICE_DONTNEED || a[3] == ADVICE_DOFORK, EINVAL);
	for (long at = a[1]; !e.n && at < a[1] + a[2];) {
		struct piece *x = piece_at(proc, at);

		if (a[3] == ADVICE_DONTFORK ? !x->dontfork : x->huge != a[3]) {
			x = isolate(proc, x, a[1], a[2]);
			if (a[3] == ADVICE_DONTFORK)
				x->dontfork = true;
			else
				x->huge = a[3];
		}
		at = x->at + x->n;
	}
	return judge(&e, r->err);
}

static bool accessible(const struct oracle *o, const struct piece *x, int prot)
{
	return x && x->prot & prot && !o->device[o->file[x->file].device].memory_off;
}

static const char *step_touch(struct oracle *o, const long long *a, const struct result *r)
{
	struct process *proc = &o->process[a[0]];
	const char *why = NULL;
	long i = 0;

	for (; i < a[2]; i++) {
		struct piece *x = piece_at(proc, a[1] + i);

		/* What can be written can be read */
		if (!accessible(o, x, PROT_READ | PROT_WRITE))
			break;
		x->touched = true;
		if (i < r->done && i < MAX_TOUCH)
			why = compare_content(o, o->file[x->file].device, x->bar,
					      x->page + a[1] + i - x->at, r->value[i]);
		if (why)
			return why;
	}
	return i == r->done ? NULL : wrong("%ld pages can be read, and should be %ld", r->done, i);
}

static const char *step_store(struct oracle *o, const long long *a, const struct result *r)
{
	struct piece *x = piece_at(&o->process[a[0]], a[1]);
	bool works = accessible(o, x, PROT_WRITE);

	if (works) {
		x->touched = true;
		put(o, o->file[x->file].device, x->bar, x->page + a[1] - x->at, a[2]);
	}
	return works == r->done ? NULL : wrong("a store %s", works ? "faults" : "does not fault");
}

static const char *step_rw(struct oracle *o, const long long *a, bool write, const struct result *r)
{
	int file = o->process[a[0]].file[a[1]], device = o->file[file].device;
	struct errors e = {};
	const char *why = NULL;

	if (a[3] != PLAIN && !asked(o, file, a[2], a[3], a[4], 1, r, &why))
		return why;
	error_if(&e, a[4] >= bar_window(o->m, device, a[2]), EINVAL);
	error_if(&e, o->device[device].memory_off, EIO);
	why = judge(&e, r->err);
	if (why || e.n)
		return why;
	if (!write)
		return compare_content(o, device, a[2], a[4], r->value[0]);
	put(o, device, a[2], a[4], a[5]);
	return NULL;
}

static const char *step_ioevent(struct oracle *o, const long long *a, const struct result *r)
{
	int device = file_of(o, a[0], a[1])->device, i = 0;
	const struct bar_facts *b = facts(o, device, a[2]);
	struct ioevent *x = o->ioevent;
	struct errors e = {};
	const char *why;

	while (i < o->ioevents && !(x[i].device == device && x[i].bar == a[2] && x[i].page == a[3]))
		i++;
	error_if(&e, a[3] >= b->msix && a[3] < b->msix_end, EINVAL);
	error_if(&e, !e.n && a[5] && i < o->ioevents, EEXIST);
	error_if(&e, !e.n && !a[5] && i == o->ioevents, ENODEV);
	error_if(&e, !e.n && a[5] && held(o, device, a[2], WRITECOMBINE, a[3], 1), EBUSY);
	why = judge(&e, r->err);
	if (why || e.n)
		return why;
	if (a[5])
		x[o->ioevents++] = (struct ioevent){ device, a[2], a[4], a[3], event_value(a) };
	else
		x[i] = x[--o->ioevents];
	return NULL;
}

static const char *step_signal(struct oracle *o, const long long *a, const struct result *r)
{
	for (int i = 0; i < o->ioevents; i++) {
		const struct ioevent *x = &o->ioevent[i];

		if (x->event == a[1] && !o->device[x->device].memory_off)
			put(o, x->device, x->bar, x->page, x->value);
	}
	return judge(&(struct errors){}, r->err);
}

static const char *step_dma(struct oracle *o, const long long *a, const struct result *r)
{
	struct piece *x = piece_over(&o->process[a[0]], a[2], a[3]);
	struct errors e = {};

	error_if(&e, !accessible(o, x, a[4] ? PROT_WRITE : PROT_READ), EFAULT);
	error_if(&e, e.n, EINVAL);
	if (x)
		x->touched = true;
	return judge(&e, r->err);
}

static const char *step_reset(struct oracle *o, const long long *a, const struct result *r)
{
	int device = file_of(o, a[0], a[1])->device;
	struct errors e = {};

	error_if(&e, !o->m->device[device].resets, ENOTTY);
	error_if(&e, e.n, EINVAL);
	if (!e.n)
		zap(o, device);
	return judge(&e, r->err);
}

static void begin(struct process *proc)
{
	*proc = (struct process){ .lives = true };
	for (int i = 0; i < FILES; i++)
		proc->file[i] = -1;
}

static void step_fork(const struct process *parent, struct process *child)
{
	int kept = 0;

	*child = *parent;
	for (int i = 0; i < parent->pieces; i++)
		if (!parent->piece[i].dontfork)
			child->piece[kept++] = parent->piece[i];
	child->pieces = kept;
}

static void step_exec(struct process *proc)
{
	proc->pieces = 0;
	for (int i = 0; i < FILES; i++)
		if (proc->cloexec[i])
			proc->file[i] = -1;
}

const char *oracle_step(struct oracle *o, const struct step *step, const struct result *r)
{
	struct process *proc = &o->process[step->arg[0]];
	const long long *a = step->arg;
	const struct errors none = {};

	switch (step->op) {
	case SPAWN:
		begin(proc);
		break;
	case OPEN:
		proc->file[a[1]] = new_file(o, a[2]);
		proc->cloexec[a[1]] = a[3];
		break;
	case CLOSE:
		proc->file[a[1]] = -1;
		break;
	case SEND:
		o->process[a[1]].file[a[2]] = proc->file[a[2]];
		o->process[a[1]].cloexec[a[2]] = false;
		break;
	case FORK:
		step_fork(proc, &o->process[a[1]]);
		break;
	case EXEC:
		step_exec(proc);
		break;
	case EXIT:
		begin(proc);
		proc->lives = false;
		break;
	case UNMAP:
		drop(proc, a[1], a[2]);
		break;
	case MEMORY:
		if (!a[2])
			zap(o, file_of(o, a[0], a[1])->device);
		o->device[file_of(o, a[0], a[1])->device].memory_off = !a[2];
		break;
	case COOKIE:
		return step_cookie(o, a, r);
	case MAP:
		return step_map(o, a, r);
	case WHOLE:
		return step_whole(o, a, r);
	case FOREIGN:
		return step_foreign(o, a, r);
	case MOVE:
		return step_move(o, a, r);
	case RESIZE:
		return step_resize(o, a, r);
	case PROTECT:
		return step_protect(o, a, r);
	case ADVISE:
		return step_advise(o, a, r);
	case TOUCH:
		return step_touch(o, a, r);
	case STORE:
		return step_store(o, a, r);
	case READ:
	case WRITE:
		return step_rw(o, a, step->op == WRITE, r);
	case IOEVENT:
		return step_ioevent(o, a, r);
	case SIGNAL:
		return step_signal(o, a, r);
	case DMA:
		return step_dma(o, a, r);
	case RESET:
		return step_reset(o, a, r);
	case NR_OPS:
		abort();
	}
	forget(o);
	return judge(&none, r->err);
}

/* Steps that are nothing in this situation, as when what led to it was left out */
bool oracle_can(const struct oracle *o, const struct step *step)
{
	const struct process *proc = &o->process[step->arg[0]];
	const long long *a = step->arg;
	const struct piece *x;
	int device = -1;

	if (proc->lives != (step->op != SPAWN))
		return false;
	switch (step->op) {
	case OPEN:
		return proc->file[a[1]] < 0 && !o->m->device[a[2]].spoilt;
	case CLOSE:
	case COOKIE:
	case MAP:
	case WHOLE:
	case FOREIGN:
	case READ:
	case WRITE:
	case IOEVENT:
	case MEMORY:
	case RESET:
		if (proc->file[a[1]] < 0)
			return false;
		device = o->file[proc->file[a[1]]].device;
		break;
	default:
		break;
	}

	switch (step->op) {
	case SEND:
		return a[0] != a[1] && proc->file[a[2]] >= 0 && o->process[a[1]].lives &&
		       o->process[a[1]].file[a[2]] < 0;
	case FORK:
		return !o->process[a[1]].lives;
	case MAP:
		return !full(proc) && facts(o, device, a[2])->cookies && a[6] >= 0;
	case WHOLE:
		return !full(proc) && facts(o, device, a[2])->cookies;
	case FOREIGN:
		return !full(proc) && proc->file[a[2]] >= 0;
	case UNMAP:
		return !full(proc);
	case MOVE:
		/* Kernels differ in what they do with a move that fails */
		x = piece_over(proc, a[1], a[2]);
		return !full(proc) && x && !meet(a[1], a[2], a[3], a[2]);
	case RESIZE:
		return !full(proc) && a[2] != a[3] && piece_over(proc, a[1], a[2]);
	case PROTECT:
	case ADVISE:
		return !full(proc) && mapped(proc, a[1], a[2]);
	case STORE:
		/* Only plain memory is harmless to store into */
		x = piece_at(proc, a[1]);
		return !x || facts(o, o->file[x->file].device, x->bar)->ram;
	case READ:
		return facts(o, device, a[2])->cookies;
	case WRITE:
		return facts(o, device, a[2])->ram;
	case IOEVENT:
		return facts(o, device, a[2])->ram && o->ioevents < MAX_IOEVENTS;
	case DMA:
		return a[1] < o->m->devices;
	case MEMORY:
		return !o->m->device[device].virtfn;
	default:
		return true;
	}
}

/* Steps at a place where nothing is */
bool oracle_misses(const struct oracle *o, const struct step *step)
{
	const struct process *proc = &o->process[step->arg[0]];

	switch (step->op) {
	case UNMAP:
	case TOUCH:
	case STORE:
		return !piece_at(proc, step->arg[1]);
	case DMA:
		return !piece_over(proc, step->arg[2], step->arg[3]);
	default:
		return false;
	}
}

/* Comparing */

/* The type that a page is mapped with */
static const char *type_of(const struct oracle *o, const struct piece *x, long page)
{
	int device = o->file[x->file].device;

	if (x->attr == WRITECOMBINE)
		return "WC";
	if (x->attr == PLAIN && held(o, device, x->bar, WRITECOMBINE, page, 1))
		return "WC";
	return "UC-";
}

static const char *compare_entry(const struct oracle *o, const struct process *proc,
				 const struct entry *e)
{
	long at = ((long)(e->va - ARENA)) / (long)PAGE, n = e->size / PAGE;

	for (int i = 0; i < proc->pieces; i++) {
		const struct piece *x = &proc->piece[i];
		const struct bar_facts *b = facts(o, o->file[x->file].device, x->bar);
		long end = bar_window(o->m, o->file[x->file].device, x->bar);

		if (!meet(x->at, x->n, at, n))
			continue;
		if (x->at > at || x->at + x->n < at + n)
			return wrong("the entry at %#lx, of %ld pages, is bigger than its mapping",
				     at, n);
		if (!x->touched)
			return wrong("there is an entry at %#lx that should be gone", at);
		if (e->pa != b->pa + (x->page + at - x->at) * PAGE)
			return wrong("the entry at %#lx leads to %#llx, and should to page %#lx of "
				     "BAR %d", at, e->pa, x->page + at - x->at, x->bar);
		if (e->writable && !(x->prot & PROT_WRITE))
			return wrong("the entry at %#lx can be written", at);
		if (!(x->prot & (PROT_READ | PROT_WRITE)))
			return wrong("the entry at %#lx can be read", at);
		for (long j = 0; j < n; j++) {
			long page = x->page + at - x->at + j;

			if (page >= end)
				break;
			if (strcmp(e->type, type_of(o, x, page)))
				return wrong("page %#lx of BAR %d is mapped %s at %#lx, and should "
					     "be %s", page, x->bar, e->type, at + j,
					     type_of(o, x, page));
		}
		return NULL;
	}
	return wrong("there is an entry at %#lx, where nothing is mapped", at);
}

/* VMAs as /proc has them; what a cookie maps is shown at its place in the region */
static const char *compare_maps(const struct oracle *o, int process)
{
	const struct process *proc = &o->process[process];
	unsigned long from, to, offset;
	char path[64], line[512], perms[8];
	const char *why = NULL;
	int found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", o->m->turn[process].pid);
	f = fopen(path, "r");
	if (!f)
		return wrong("no %s", path);
	while (!why && fgets(line, sizeof(line), f)) {
		const struct piece *x;

		if (sscanf(line, "%lx-%lx %7s %lx", &from, &to, perms, &offset) != 4 ||
		    from < ARENA || from >= ARENA + ARENA_PAGES * PAGE)
			continue;
		found++;
		x = piece_at(proc, (from - ARENA) / PAGE);
		if (!x || x->at != (long)((from - ARENA) / PAGE) ||
		    x->n != (long)((to - from) / PAGE))
			why = wrong("process %d has a mapping at %#lx that should not be", process,
				    (long)((from - ARENA) / PAGE));
		else if ((perms[0] == 'r') != !!(x->prot & PROT_READ) ||
			 (perms[1] == 'w') != !!(x->prot & PROT_WRITE) || perms[3] != 's')
			why = wrong("the mapping at %#lx is %s", x->at, perms);
		else if (offset != facts(o, o->file[x->file].device, x->bar)->offset +
			 x->page * PAGE)
			why = wrong("the mapping at %#lx is shown at %#lx", x->at, offset);
	}
	fclose(f);
	if (!why && found != proc->pieces)
		why = wrong("process %d has %d mappings, and should have %d", process, found,
			    proc->pieces);
	return why;
}

const char *oracle_compare(const struct oracle *o, int process)
{
	const struct turn *turn = &o->m->turn[process];
	const char *why = NULL;

	if (!o->process[process].lives)
		return NULL;
	why = compare_maps(o, process);
	for (int i = 0; !why && i < turn->entries; i++)
		if (turn->entry[i].va >= ARENA && turn->entry[i].va < ARENA + ARENA_PAGES * PAGE)
			why = compare_entry(o, &o->process[process], &turn->entry[i]);
	return why;
}

/* Of the kernel's list: exactly what is held is reserved WC */
const char *oracle_compare_types(const struct oracle *o)
{
	for (int d = 0; d < o->m->devices; d++) {
		for (int b = 0; b < BARS; b++) {
			long n = bar_window(o->m, d, b);
			bool wc[WINDOW];

			if (o->m->device[d].spoilt || !facts(o, d, b)->cookies ||
			    workers_memtypes(o->m, d, b, wc) < 0)
				continue;
			for (long i = 0; i < n; i++)
				if (wc[i] != held(o, d, b, WRITECOMBINE, i, 1))
					return wrong("page %#lx of BAR %d of %s is %s WC", i, b,
						     o->m->device[d].bdf,
						     wc[i] ? "reserved" : "not reserved");
		}
	}
	return NULL;
}

struct oracle *oracle_new(const struct machine *m)
{
	struct oracle *o = calloc(1, sizeof(*o));

	if (!o)
		abort();
	o->m = m;
	for (int i = 0; i < PROCS; i++) {
		begin(&o->process[i]);
		o->process[i].lives = false;
	}
	return o;
}

void oracle_free(struct oracle *o)
{
	free(o);
}
