/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A guest for the model: memory, and what a driver does with the device, as vfio-user messages. For
 * the fuzzer and for the tests.
 */

#ifndef GUEST_H
#define GUEST_H

#include "../ena.h"

#define GUEST_BASE 0x100000
#define GUEST_SIZE (64 * 4096)

/* Guest memory that is the caller's to use; what is before it is the admin queue's. */
#define GUEST_CONTROL 0x4000
#define GUEST_RINGS 0x10000 /* 4 KB each: 8 SQs, then 8 CQs */
#define GUEST_FREE 0x20000

extern uint8_t *guest_memory; /* what the device finds at GUEST_BASE */

/* Map guest memory, all of it 0. Returns the LLQ, writable, to be unmapped by the caller. */
uint8_t *guest_attach(struct ena *ena);
void guest_message(struct ena *ena, uint16_t command, const void *body, uint32_t len, bool with_fd);
void guest_reg_write(struct ena *ena, uint32_t offset, uint32_t value);
void guest_map(struct ena *ena, uint64_t addr, uint64_t offset, uint64_t size, uint32_t flags);
/* Reset the device, give it an admin queue. */
void guest_setup(struct ena *ena);
/* An admin command as a driver would give it, with the right phase. */
void guest_admin(struct ena *ena, struct hw_aq_entry *cmd);
/*
 * Tx 0 and 1, Rx 0 and 1 (SQ ENA_QUEUES and the next) of 8 entries each. Their rings, in the order
 * in which they are made: Tx 0, Rx 0, Tx 1, Rx 1.
 * how: 1: LLQ entries of 256 bytes; 2: Tx 0 is no LLQ.
 */
void guest_queues(struct ena *ena, uint8_t how);

#endif
