/* SPDX-License-Identifier: BSD-3-Clause */

/* What the device has to say unasked. */

#ifndef ENA_EVENT_H
#define ENA_EVENT_H

#include "ena.h"

/* The driver broke a rule: count it, say it, stop until reset. */
void ena_violation(struct ena *ena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ena_event_doorbell(struct ena *ena, uint32_t head);
void ena_event_link(struct ena *ena);
void ena_event_keep_alive(struct ena *ena);

#endif
