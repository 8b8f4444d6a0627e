/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Events that nobody asked for go to a ring of their own (AENQ). A violation is one, and an event
 * that cannot be delivered is a violation, so both are here.
 */

#include "ena_event.h"
#include "ena_ring.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void
post(struct ena *ena, uint16_t group, const uint32_t *data, unsigned int words)
{
	uint16_t depth = ena_ring_depth(ena, REG_AENQ_CAPS);
	struct hw_aenq_entry event;
	struct timespec now;
	uint64_t addr, ns;

	/* An event that finds no place is lost; keep-alives come again. */
	if (!ena->aenq_enabled || depth == 0 || !(ena->aenq_groups & BIT(group)) ||
	    ena->aenq_head == ena->aenq_tail)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	ns = (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	memset(&event, 0, sizeof(event));
	event.group = group;
	event.flags = !((ena->aenq_tail / depth) & 1);
	event.timestamp_lo = ns;
	event.timestamp_hi = ns >> 32;
	memcpy(event.data, data, words * sizeof(*data));
	addr = ena_ring_entry(ena, REG_AENQ_BASE_LO, ena->aenq_tail, depth);
	if (!ena_ring_publish(ena, addr, &event)) {
		ena->aenq_enabled = false; /* the violation would be an event, too */
		ena_violation(ena, "event: no memory at %#lx", (unsigned long)addr);
		return;
	}
	ena->aenq_tail++;
	ena_ring_interrupt(ena);
}

void
ena_violation(struct ena *ena, const char *format, ...)
{
	const uint32_t none = 0;
	va_list args;

	/* One line each for the first few: a broken driver can be very fast. */
	if (ena->count.violations++ < 20 && ena->name != NULL) {
		va_start(args, format);
		fprintf(stderr, "%s: violation: ", ena->name);
		vfprintf(stderr, format, args);
		fputc('\n', stderr);
		va_end(args);
	}
	if (ena->fatal)
		return;
	ena->fatal = true;
	ena->regs[REG_DEV_STS / 4] |= DEV_STS_FATAL_ERROR;
	post(ena, AENQ_FATAL_ERROR, &none, 1);
}

void
ena_event_doorbell(struct ena *ena, uint32_t head)
{
	uint16_t depth = ena_ring_depth(ena, REG_AENQ_CAPS);

	/* The driver's head runs ahead by the depth [com, ena_com_admin_aenq_enable()]. */
	if (depth == 0 || (uint16_t)((uint16_t)head - ena->aenq_tail) > depth) {
		ena_violation(ena, "event doorbell %u: tail %u, depth %u", head, ena->aenq_tail,
			      depth);
		return;
	}
	ena->aenq_head = head;
	if (!ena->aenq_enabled) {
		ena->aenq_enabled = true;
		ena_event_link(ena);
	}
}

void
ena_event_link(struct ena *ena)
{
	const uint32_t up = ena->link;

	post(ena, AENQ_LINK_CHANGE, &up, 1);
}

void
ena_event_keep_alive(struct ena *ena)
{
	uint32_t data[6];

	if (ena->fatal)
		return;
	ena_put64(data, ena->count.rx_drops);
	ena_put64(data + 2, ena->count.tx_drops);
	ena_put64(data + 4, 0);
	post(ena, AENQ_KEEP_ALIVE, data, 6);
}
