/* SPDX-License-Identifier: BSD-3-Clause */

/* Rings of the admin registers: 64-byte entries in guest memory. */

#ifndef ENA_RING_H
#define ENA_RING_H

#include "ena.h"

#define ENA_RING_ENTRY 64

/* Depth of a ring by its caps register; 0: not usable. */
uint16_t ena_ring_depth(const struct ena *ena, unsigned int caps);
/* Where the entry of that free-running index is, by the register with the base's lower half. */
uint64_t ena_ring_entry(const struct ena *ena, unsigned int lo, uint16_t index, uint16_t depth);
/* Write an entry of which the first 8 bytes hold the phase, last of all. */
bool ena_ring_publish(struct ena *ena, uint64_t addr, const void *entry);
void ena_ring_interrupt(struct ena *ena);

static inline bool
ena_power_of_2(uint32_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static inline void
ena_put64(uint32_t *words, uint64_t value)
{
	words[0] = value;
	words[1] = value >> 32;
}

#endif
