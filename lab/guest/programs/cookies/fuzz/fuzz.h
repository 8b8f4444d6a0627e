/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the fuzzer tell each other. main.c makes up steps, the
 * processes of worker.c take them, oracle.c knows what must come of each.
 */
#ifndef COOKIES_FUZZ_H
#define COOKIES_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <linux/types.h>

#define PAGE		4096ULL
#define PROCS		4
#define FILES		4	/* descriptors of device files that a process has */
#define EVENTS		2	/* eventfds, which all processes have */
#define DEVICES		4
#define BARS		6
#define WINDOW		512	/* pages of a BAR that take part, but for WHOLE */
#define MAX_ARGS	10
#define MAX_LEAVES	4096
#define MAX_TOUCH	4

/* Where processes map, all at the same addresses: a place is a page of this */
#define ARENA		0x100000000000ULL
#define ARENA_PAGES	(1L << 20)

/* Operations, with the names of their arguments: the first is always the process */
#define OPS(X) \
	X(SPAWN,   "spawn",   "process") \
	X(OPEN,    "open",    "process file device cloexec") \
	X(CLOSE,   "close",   "process file") \
	X(SEND,    "send",    "process to file") \
	X(FORK,    "fork",    "process to") \
	X(EXEC,    "exec",    "process") \
	X(EXIT,    "exit",    "process killed") \
	X(COOKIE,  "cookie",  "process file region attr start size flags reserved argsz") \
	X(MAP,     "map",     "process file bar attr from len page n at how") \
	X(WHOLE,   "whole",   "process file bar at") \
	X(FOREIGN, "foreign", "process file of bar attr page n at") \
	X(UNMAP,   "unmap",   "process at n") \
	X(MOVE,    "move",    "process at n to") \
	X(RESIZE,  "resize",  "process at n size") \
	X(PROTECT, "protect", "process at n prot") \
	X(ADVISE,  "advise",  "process at n advice") \
	X(TOUCH,   "touch",   "process at n") \
	X(STORE,   "store",   "process at value") \
	X(READ,    "read",    "process file bar attr page") \
	X(WRITE,   "write",   "process file bar attr page value") \
	X(IOEVENT, "ioevent", "process file bar page event on") \
	X(SIGNAL,  "signal",  "process event") \
	X(DMA,     "dma",     "process device at n write") \
	X(MEMORY,  "memory",  "process file on") \
	X(RESET,   "reset",   "process file")

enum op {
#define X(op, name, args) op,
	OPS(X)
#undef X
	NR_OPS
};

/* Of MAP, READ, WRITE: enum vfio_mmap_attr, or at the region's own offset */
enum { NONCACHED, WRITECOMBINE, PLAIN };

/* Bits of how, of MAP, above PROT_READ and PROT_WRITE */
#define HOW_PRIVATE	0x10

struct step {
	enum op op;
	long long arg[MAX_ARGS];
};

/* What a process says came of it */
struct result {
	int err;		/* 0 or an errno */
	int ask;		/* the same of asking for a cookie, which comes first */
	__u64 offset;		/* the cookie */
	long done;		/* pages touched before the first that cannot be */
	__u32 value[MAX_TOUCH];	/* what they hold */
};

struct entry {			/* of a page table, as the witness tells it */
	__u64 va, pa, size;
	bool writable;
	char type[8];
};

struct bar_facts {
	__u64 pa, size;
	__u64 offset;		/* in the device file */
	bool cookies;		/* it can have some */
	bool ram;		/* it keeps what is stored into it */
	long msix, msix_end;	/* pages of the MSI-X table */
};

struct device_facts {
	char bdf[16];
	bool resets, virtfn;
	bool spoilt;		/* by an earlier round */
	struct bar_facts bar[BARS];
};

/* Shared by all processes of a run, those that exec, too */
struct machine {
	int devices;
	struct device_facts device[DEVICES];
	struct turn {
		int pid;	/* 0: there is no such process now */
		int device[FILES]; /* what its descriptors are of */
		struct step step;
		struct result result;
		int entries;	/* -1: no answer from the witness */
		struct entry entry[MAX_LEAVES];
	} turn[PROCS];
};

/* The pages of a BAR that take part: no more than that */
static inline long bar_window(const struct machine *m, int device, int bar)
{
	long pages = m->device[device].bar[bar].size / PAGE;

	return pages < WINDOW ? pages : WINDOW;
}

/* What an ioeventfd at the start of a page stores there */
static inline __u32 event_value(const long long *arg)
{
	return 0xe0000000 + (arg[2] << 16) + arg[3];
}

/* worker.c: processes. What returns text says what went wrong, NULL: nothing. */
struct machine *workers_open(int devices, char *bdf[]);
const char *workers_take(struct machine *m, const struct step *step);
const char *workers_look(struct machine *m, int process);
/*
 * How many entries the kernel's list of memory types has for a BAR, -1: it is
 * not to be seen; and which pages of the window, if asked, it has as WC
 */
int workers_memtypes(const struct machine *m, int device, int bar, bool *wc);
void workers_end(struct machine *m);
int worker_main(int process);

/* oracle.c: what must be */
struct oracle;
struct oracle *oracle_new(const struct machine *m);
void oracle_free(struct oracle *o);
bool oracle_can(const struct oracle *o, const struct step *step);
bool oracle_misses(const struct oracle *o, const struct step *step);
const char *oracle_step(struct oracle *o, const struct step *step, const struct result *r);
const char *oracle_compare(const struct oracle *o, int process);
const char *oracle_compare_types(const struct oracle *o);

#endif
