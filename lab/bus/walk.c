/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include "walk.h"

/*
 * Intel SDM volume 3A, chapter "Paging", "4-Level Paging and 5-Level Paging" (formats of the
 * entries), and "Paging and Memory Typing" (PAT index: bit 2 PAT, bit 1 PCD, bit 0 PWT).
 */
#define EFER_LMA (1 << 10)
#define CR4_LA57 (1 << 12)
#define PTE_P (1 << 0)
#define PTE_PWT (1 << 3)
#define PTE_PCD (1 << 4)
#define PTE_PS (1 << 7)		/* in a directory: this is the leaf */
#define PTE_PAT_4K (1 << 7)
#define PTE_PAT_LARGE (1 << 12)
#define PTE_ADDRESS 0x000ffffffffff000ULL

const char *const memtype_names[N_MEMTYPES] = { "WB", "WC", "UC-", "UC", "WT", "WP" };

enum memtype
memtype_by_name(const char *name)
{
	enum memtype type;

	for (type = 0; type < N_MEMTYPES; type++)
		if (strcmp(name, memtype_names[type]) == 0)
			break;
	return type;
}

bool
walk(const struct walk_regs *regs, uint64_t va, walk_read read, void *ctx,
	struct walk_leaf *leaf)
{
	uint64_t entry, table = regs->cr3 & PTE_ADDRESS;
	uint64_t pat = PTE_PAT_4K;
	int level = regs->cr4 & CR4_LA57 ? 5 : 4;
	int shift;

	if ((regs->efer & EFER_LMA) == 0)
		return false;
	for (;; level--) {
		shift = 12 + 9 * (level - 1);
		if (!read(ctx, table + 8 * (va >> shift & 511), &entry) || (entry & PTE_P) == 0)
			return false;
		if (level == 1)
			break;
		if (level <= 3 && (entry & PTE_PS) != 0) {
			pat = PTE_PAT_LARGE;
			break;
		}
		table = entry & PTE_ADDRESS;
	}
	leaf->size = 1ULL << shift;
	/* Below the address of a large page lie its PAT bit and reserved ones. */
	leaf->pa = (entry & PTE_ADDRESS & -leaf->size) | (va & (leaf->size - 1));
	leaf->pat = ((entry & pat) != 0) << 2 | ((entry & PTE_PCD) != 0) << 1 |
		((entry & PTE_PWT) != 0);
	return true;
}
