/* SPDX-License-Identifier: BSD-3-Clause */

#include "guest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where things are in guest memory. */
#define AQ 0x0
#define ACQ 0x1000
#define AENQ 0x2000
#define RESP 0x3000

uint8_t *guest_memory;
static int guest_fd = -1;

uint8_t *
guest_attach(struct ena *ena)
{
	uint8_t *llq = mmap(NULL, ENA_LLQ_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ena->llq_fd, 0);

	if (guest_fd < 0) {
		guest_fd = memfd_create("guest", 0);
		if (ftruncate(guest_fd, GUEST_SIZE) != 0)
			abort();
		guest_memory = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
				    guest_fd, 0);
	}
	if (llq == MAP_FAILED || guest_memory == MAP_FAILED)
		abort();
	memset(guest_memory, 0, GUEST_SIZE);
	guest_map(ena, GUEST_BASE, 0, GUEST_SIZE, 3);
	return llq;
}

void
guest_message(struct ena *ena, uint16_t command, const void *body, uint32_t len, bool with_fd)
{
	uint8_t msg[VFU_MAX_MSG], reply[VFU_MAX_MSG];
	const uint32_t header[4] = { (uint32_t)command << 16 | 1, 16 + len, 0, 0 };
	int fds[1], reply_fd;

	if (with_fd) {
		fds[0] = command == 2 ? dup(guest_fd) : eventfd(0, EFD_NONBLOCK);
		if (fds[0] < 0)
			abort();
	}
	memcpy(msg, header, sizeof(header));
	memcpy(msg + sizeof(header), body, len);
	if (vfu_process(ena->vfu, msg, sizeof(header) + len, fds, with_fd, reply, &reply_fd) >
	    sizeof(reply))
		abort();
}

void
guest_reg_write(struct ena *ena, uint32_t offset, uint32_t value)
{
	const struct {
		uint64_t offset;
		uint32_t region, count, value;
	} body = { offset, 0, 4, value };

	guest_message(ena, 10, &body, 20, false);
}

void
guest_map(struct ena *ena, uint64_t addr, uint64_t offset, uint64_t size, uint32_t flags)
{
	const struct {
		uint32_t argsz, flags;
		uint64_t offset, addr, size;
	} body = { 32, flags, offset, addr, size };

	guest_message(ena, 2, &body, sizeof(body), true);
}

void
guest_admin(struct ena *ena, struct hw_aq_entry *cmd)
{
	uint16_t at = ena->aq_head;

	cmd->flags = (cmd->flags & ~AQ_PHASE) | !((at / 32) & 1);
	memcpy(guest_memory + AQ + (at % 32) * sizeof(*cmd), cmd, sizeof(*cmd));
	guest_reg_write(ena, REG_AQ_DB, (uint16_t)(at + 1));
}

void
guest_queues(struct ena *ena, uint8_t how)
{
	struct hw_aq_entry cmd;
	struct hw_llq *llq;
	unsigned int i;

	memset(&cmd, 0, sizeof(cmd));
	cmd.opcode = AQ_SET_FEATURE;
	cmd.feature.id = FEAT_LLQ;
	llq = (struct hw_llq *)(void *)cmd.feature.data;
	llq->header_location_enabled = LLQ_INLINE_HEADER;
	llq->entry_size_enabled = how & 1 ? LLQ_ENTRY_256 : LLQ_ENTRY_128;
	llq->descs_before_header_enabled = 2;
	llq->stride_enabled = LLQ_MULTIPLE_DESCS;
	guest_admin(ena, &cmd);
	for (i = 0; i < 4; i++) {
		bool tx = i % 2 == 0;

		memset(&cmd, 0, sizeof(cmd));
		cmd.opcode = AQ_CREATE_CQ;
		cmd.create_cq.caps_1 = CQ_INTERRUPTS;
		cmd.create_cq.caps_2 = tx ? 2 : 4;
		cmd.create_cq.depth = 8;
		cmd.create_cq.vector = 1 + i / 2;
		cmd.create_cq.base.lo = GUEST_BASE + GUEST_RINGS + (8 + i) * 4096;
		guest_admin(ena, &cmd);
		memset(&cmd, 0, sizeof(cmd));
		cmd.opcode = AQ_CREATE_SQ;
		cmd.create_sq.identity = (tx ? DIRECTION_TX : DIRECTION_RX) << 5;
		cmd.create_sq.caps_2 = tx && !(how & 2 && i == 0) ? PLACEMENT_DEV : PLACEMENT_HOST;
		cmd.create_sq.caps_3 = SQ_CONTIGUOUS;
		cmd.create_sq.cq_idx = i;
		cmd.create_sq.depth = 8;
		cmd.create_sq.base.lo = GUEST_BASE + GUEST_RINGS + i * 4096;
		guest_admin(ena, &cmd);
	}
}

void
guest_setup(struct ena *ena)
{
	guest_reg_write(ena, REG_DEV_CTL, DEV_CTL_RESET);
	guest_reg_write(ena, REG_DEV_CTL, 0);
	guest_reg_write(ena, REG_MMIO_RESP_LO, GUEST_BASE + RESP);
	guest_reg_write(ena, REG_AQ_BASE_LO, GUEST_BASE + AQ);
	guest_reg_write(ena, REG_AQ_CAPS, 64 << 16 | 32);
	guest_reg_write(ena, REG_ACQ_BASE_LO, GUEST_BASE + ACQ);
	guest_reg_write(ena, REG_ACQ_CAPS, 64 << 16 | 32);
	guest_reg_write(ena, REG_AENQ_BASE_LO, GUEST_BASE + AENQ);
	guest_reg_write(ena, REG_AENQ_CAPS, 64 << 16 | 16);
	guest_reg_write(ena, REG_AENQ_HEAD_DB, 16);
}
