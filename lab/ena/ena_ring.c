/* SPDX-License-Identifier: BSD-3-Clause
 *
 * [admin; com, ena_com_admin_init()]
 */

#include "ena_ring.h"

#include <string.h>

uint16_t
ena_ring_depth(const struct ena *ena, unsigned int caps)
{
	uint32_t value = ena_reg(ena, caps), depth = value & 0xffff;

	return value >> 16 == ENA_RING_ENTRY && ena_power_of_2(depth) && depth <= ENA_ADMIN_DEPTH ?
		depth : 0;
}

uint64_t
ena_ring_entry(const struct ena *ena, unsigned int lo, uint16_t index, uint16_t depth)
{
	uint64_t base = (uint64_t)(ena_reg(ena, lo + 4) & 0xffff) << 32 | ena_reg(ena, lo);

	return base + (uint64_t)(index & (depth - 1)) * ENA_RING_ENTRY;
}

bool
ena_ring_publish(struct ena *ena, uint64_t addr, const void *entry)
{
	uint8_t *to = addr % 8 == 0 ? vfu_dma(ena->vfu, addr, ENA_RING_ENTRY, true) : NULL;
	uint64_t first;

	if (to == NULL)
		return false;
	memcpy(to + 8, (const uint8_t *)entry + 8, ENA_RING_ENTRY - 8);
	memcpy(&first, entry, 8);
	__atomic_store_n((uint64_t *)(void *)to, first, __ATOMIC_RELEASE);
	return true;
}

void
ena_ring_interrupt(struct ena *ena)
{
	if (!(ena_reg(ena, REG_INTR_MASK) & INTR_MASK_ADMIN))
		vfu_irq(ena->vfu, 0);
}
