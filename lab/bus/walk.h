/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef BUS_WALK_H
#define BUS_WALK_H

#include <stdbool.h>
#include <stdint.h>

/* Memory types as PAT entries name them. */
enum memtype { TYPE_WB, TYPE_WC, TYPE_UC_MINUS, TYPE_UC, TYPE_WT, TYPE_WP, N_MEMTYPES };

extern const char *const memtype_names[N_MEMTYPES];

/* How a virtual CPU translates. */
struct walk_regs {
	uint64_t cr3;
	uint64_t cr4;
	uint64_t efer;
};

struct walk_leaf {
	uint64_t pa;		/* what the virtual address translates to */
	uint64_t size;		/* of the page: 4K, 2M, 1G */
	unsigned int pat;	/* index into the PAT */
};

/* Eight bytes of physical memory; false: there is none. */
typedef bool (*walk_read)(void *ctx, uint64_t pa, uint64_t *value);

/* Walk 4- or 5-level page tables in long mode. False: not mapped, or not in long mode. */
bool
walk(const struct walk_regs *regs, uint64_t va, walk_read read, void *ctx,
	struct walk_leaf *leaf);

/* The type with this name; N_MEMTYPES: none. */
enum memtype
memtype_by_name(const char *name);

#endif
