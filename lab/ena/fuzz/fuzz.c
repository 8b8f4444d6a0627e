/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What a hostile guest can send, for libFuzzer: vfio-user messages, and behind them registers,
 * rings, descriptors and the LLQ. It must not crash the model or make it touch memory that is not
 * the guest's (sanitizers see that), and the device must come back after a reset.
 *
 *	fuzz CORPUS...			libFuzzer's options
 *
 * An input is a list of actions; each is a byte that says which, then what it needs. Most of them
 * are shortcuts: pure messages rarely get past the first check.
 */

#include "../ena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUEST_BASE 0x100000
#define GUEST_SIZE (64 * 4096)

/* The layout that the shortcuts set up in guest memory. */
#define AQ 0x0
#define ACQ 0x1000
#define AENQ 0x2000
#define RESP 0x3000
#define CONTROL 0x4000
#define RINGS 0x10000 /* 4 KB each, SQs then CQs */

struct input {
	const uint8_t *data;
	size_t left;
};

static uint8_t *guest;
static int guest_fd = -1;

static void
take(struct input *in, void *to, size_t len)
{
	size_t n = len < in->left ? len : in->left;

	memset(to, 0, len);
	memcpy(to, in->data, n);
	in->data += n;
	in->left -= n;
}

static uint8_t
take8(struct input *in)
{
	uint8_t value;

	take(in, &value, sizeof(value));
	return value;
}

static uint16_t
take16(struct input *in)
{
	uint16_t value;

	take(in, &value, sizeof(value));
	return value;
}

static uint32_t
take32(struct input *in)
{
	uint32_t value;

	take(in, &value, sizeof(value));
	return value;
}

static void
message(struct ena *ena, uint16_t command, const void *body, uint32_t len, bool with_fd)
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
	if (vfu_process(ena->vfu, msg, sizeof(header) + len, fds, with_fd, reply, &reply_fd) > sizeof(reply))
		abort();
}

static void
reg_write(struct ena *ena, uint32_t offset, uint32_t value)
{
	const struct {
		uint64_t offset;
		uint32_t region, count, value;
	} body = { offset, 0, 4, value };

	message(ena, 10, &body, 20, false);
}

static void
map(struct ena *ena, uint64_t addr, uint64_t offset, uint64_t size, uint32_t flags)
{
	const struct {
		uint32_t argsz, flags;
		uint64_t offset, addr, size;
	} body = { 32, flags, offset, addr, size };

	message(ena, 2, &body, sizeof(body), true);
}

/* An admin command as a driver would give it, with the right phase. */
static void
admin(struct ena *ena, struct hw_aq_entry *cmd)
{
	uint16_t at = ena->aq_head;

	cmd->flags = (cmd->flags & ~AQ_PHASE) | !((at / 32) & 1);
	memcpy(guest + AQ + (at % 32) * sizeof(*cmd), cmd, sizeof(*cmd));
	reg_write(ena, REG_AQ_DB, (uint16_t)(at + 1));
}

static void
queues(struct ena *ena, uint8_t how)
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
	admin(ena, &cmd);
	for (i = 0; i < 4; i++) {
		bool tx = i % 2 == 0;

		memset(&cmd, 0, sizeof(cmd));
		cmd.opcode = AQ_CREATE_CQ;
		cmd.create_cq.caps_1 = CQ_INTERRUPTS;
		cmd.create_cq.caps_2 = tx ? 2 : 4;
		cmd.create_cq.depth = 8;
		cmd.create_cq.vector = 1 + i / 2;
		cmd.create_cq.base.lo = GUEST_BASE + RINGS + (8 + i) * 4096;
		admin(ena, &cmd);
		memset(&cmd, 0, sizeof(cmd));
		cmd.opcode = AQ_CREATE_SQ;
		cmd.create_sq.identity = (tx ? DIRECTION_TX : DIRECTION_RX) << 5;
		cmd.create_sq.caps_2 = tx && !(how & 2 && i == 0) ? PLACEMENT_DEV : PLACEMENT_HOST;
		cmd.create_sq.caps_3 = SQ_CONTIGUOUS;
		cmd.create_sq.cq_idx = i;
		cmd.create_sq.depth = 8;
		cmd.create_sq.base.lo = GUEST_BASE + RINGS + i * 4096;
		admin(ena, &cmd);
	}
}

static void
setup(struct ena *ena)
{
	reg_write(ena, REG_DEV_CTL, DEV_CTL_RESET);
	reg_write(ena, REG_DEV_CTL, 0);
	reg_write(ena, REG_MMIO_RESP_LO, GUEST_BASE + RESP);
	reg_write(ena, REG_AQ_BASE_LO, GUEST_BASE + AQ);
	reg_write(ena, REG_AQ_CAPS, 64 << 16 | 32);
	reg_write(ena, REG_ACQ_BASE_LO, GUEST_BASE + ACQ);
	reg_write(ena, REG_ACQ_CAPS, 64 << 16 | 32);
	reg_write(ena, REG_AENQ_BASE_LO, GUEST_BASE + AENQ);
	reg_write(ena, REG_AENQ_CAPS, 64 << 16 | 16);
	reg_write(ena, REG_AENQ_HEAD_DB, 16);
}

/* Is the queue's ring in the guest memory that we write to? */
static bool
placed(const struct ena_sq *q)
{
	return q->used && (q->llq || (q->base >= GUEST_BASE &&
	       q->base + (uint64_t)q->depth * IO_DESC_SIZE <= GUEST_BASE + GUEST_SIZE));
}

static void
action(struct ena *ena, struct input *in, uint8_t *llq)
{
	uint8_t body[256];
	struct hw_aq_entry cmd;
	struct hw_tx_desc tx;
	struct hw_rx_desc rx;
	char *words[3], count[8], length[8];
	unsigned int sq, i, n;
	struct ena_sq *q;
	FILE *null;

	switch (take8(in) % 14) {
	case 0: /* any message */
		i = take8(in);
		n = take8(in);
		take(in, body, n);
		message(ena, i % 20, body, n, n & 1);
		break;
	case 1:
		i = take16(in);
		reg_write(ena, i % ENA_REGS_SIZE, take32(in));
		break;
	case 2:
		setup(ena);
		break;
	case 3:
		queues(ena, take8(in));
		break;
	case 4: /* any admin command */
		take(in, &cmd, sizeof(cmd));
		admin(ena, &cmd);
		break;
	case 5: /* a feature with its table where there is memory */
		memset(&cmd, 0, sizeof(cmd));
		cmd.opcode = take8(in) & 1 ? AQ_SET_FEATURE : AQ_GET_FEATURE;
		cmd.feature.id = take8(in) % 32;
		cmd.feature.control_len = take16(in);
		cmd.feature.control.lo = GUEST_BASE + CONTROL;
		take(in, cmd.feature.data, sizeof(cmd.feature.data));
		take(in, guest + CONTROL, 64);
		admin(ena, &cmd);
		break;
	case 6: /* guest memory */
		i = take16(in) * 16 % GUEST_SIZE;
		n = take8(in) % 64;
		if (i + n <= GUEST_SIZE)
			take(in, guest + i, n);
		break;
	case 7: /* LLQ lines */
		i = (take8(in) % 4 * ENA_LLQ_SLOT + take8(in) * 32) % ENA_LLQ_SIZE;
		n = take8(in) % 160;
		take(in, llq + i, n);
		break;
	case 8: /* doorbells near where they should be */
		sq = take8(in) % ENA_SQS;
		reg_write(ena, ENA_DOORBELL(sq), (uint16_t)(ena->sqs[sq].head + take8(in) % 16));
		break;
	case 9: /* a Tx descriptor with the right phase, where the next one is looked for */
		sq = take8(in) % 2;
		q = &ena->sqs[sq];
		take(in, &tx, sizeof(tx));
		if (!placed(q))
			break;
		tx.len_ctrl = (tx.len_ctrl & ~TX_PHASE) | (q->head / q->depth & 1 ? 0 : TX_PHASE);
		i = q->head & (q->depth - 1);
		if (take8(in) & 1) {
			tx.addr_lo = GUEST_BASE + tx.addr_lo % GUEST_SIZE;
			tx.addr_hi_header &= ~0xffffu;
			tx.len_ctrl |= TX_FIRST | TX_COMP_REQ;
		}
		if (q->llq)
			memcpy(llq + sq * ENA_LLQ_SLOT + i * q->entry_size, &tx, sizeof(tx));
		else
			memcpy(guest + q->base - GUEST_BASE + i * 16, &tx, sizeof(tx));
		reg_write(ena, ENA_DOORBELL(sq), (uint16_t)(q->head + 1));
		break;
	case 10: /* Rx buffers */
		sq = ENA_QUEUES + take8(in) % 2;
		q = &ena->sqs[sq];
		n = take8(in) % 9;
		if (!placed(q))
			break;
		for (i = 0; i < n; i++) {
			uint16_t at = q->head + i;

			memset(&rx, 0, sizeof(rx));
			rx.length = take16(in);
			rx.ctrl = at / q->depth & 1 ? 0 : RX_PHASE;
			rx.req_id = take16(in);
			rx.addr_lo = GUEST_BASE + take16(in) * 4u;
			memcpy(guest + q->base - GUEST_BASE + (at & (q->depth - 1)) * 16, &rx, sizeof(rx));
		}
		reg_write(ena, ENA_DOORBELL(sq), (uint16_t)(q->head + n));
		break;
	case 11: /* the generator, modes */
		i = take8(in);
		words[0] = strdup(i & 1 ? "generate" : "mode");
		snprintf(count, sizeof(count), "%u", i % 50);
		snprintf(length, sizeof(length), "%u", i & 2 ? 0 : 60 + take16(in) % 9000);
		words[1] = i & 1 ? count : i & 4 ? strdup("loopback") : strdup("sink");
		words[2] = length;
		null = fopen("/dev/null", "w");
		if (null == NULL)
			abort();
		traffic_command(ena->traffic, words, i & 1 ? 3 : 2, null);
		fclose(null);
		if (!(i & 1))
			free(words[1]);
		free(words[0]);
		while (traffic_run(ena->traffic))
			;
		break;
	case 12:
		ena_keep_alive(ena);
		ena_set_link(ena, take8(in) & 1);
		break;
	case 13: /* the map of guest memory */
		i = take8(in) % 64;
		map(ena, GUEST_BASE + i * 4096, i * 4096, (1 + take8(in) % 64) * 4096, take8(in));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct ena *ena = ena_new(NULL);
	uint8_t *llq;
	const uint32_t all[4] = { 16, 2, 0, 0 };
	uint8_t unmap[24] = { 0 };

	if (ena == NULL)
		abort();
	if (guest_fd < 0) {
		guest_fd = memfd_create("guest", 0);
		if (ftruncate(guest_fd, GUEST_SIZE) != 0)
			abort();
		guest = mmap(NULL, GUEST_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, guest_fd, 0);
		if (guest == MAP_FAILED)
			abort();
	}
	llq = mmap(NULL, ENA_LLQ_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ena->llq_fd, 0);
	if (llq == MAP_FAILED)
		abort();
	memset(guest, 0, GUEST_SIZE);
	map(ena, GUEST_BASE, 0, GUEST_SIZE, 3);
	setup(ena);
	while (in.left > 0)
		action(ena, &in, llq);

	/* Whatever happened: after a reset it works. */
	memcpy(unmap, all, sizeof(all));
	message(ena, 3, unmap, sizeof(unmap), false);
	map(ena, GUEST_BASE, 0, GUEST_SIZE, 3);
	ena->link = true;
	memset(guest, 0, GUEST_SIZE);
	setup(ena);
	queues(ena, 0);
	if (ena->fatal || !ena->sqs[ENA_QUEUES + 1].used)
		abort();
	munmap(llq, ENA_LLQ_SIZE);
	ena_free(ena);
	return 0;
}
