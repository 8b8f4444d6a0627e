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

#include "../ena_event.h"
#include "../ena_regs.h"
#include "../traffic.h"
#include "guest.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct input {
	const uint8_t *data;
	size_t left;
};

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

/* Is the queue's ring in the guest memory that we write to? */
static bool
placed(const struct ena_sq *q)
{
	return q->used && (q->llq || (q->base >= GUEST_BASE &&
	       q->base + (uint64_t)q->depth * IO_DESC_SIZE <= GUEST_BASE + GUEST_SIZE));
}

static void
action(struct ena *ena, struct traffic *traffic, struct input *in, uint8_t *llq)
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
		guest_message(ena, i % 20, body, n, n & 1);
		break;
	case 1:
		i = take16(in);
		guest_reg_write(ena, i % ENA_REGS_SIZE, take32(in));
		break;
	case 2:
		guest_setup(ena);
		break;
	case 3:
		guest_queues(ena, take8(in));
		break;
	case 4: /* any admin command */
		take(in, &cmd, sizeof(cmd));
		guest_admin(ena, &cmd);
		break;
	case 5: /* a feature with its table where there is memory */
		memset(&cmd, 0, sizeof(cmd));
		cmd.opcode = take8(in) & 1 ? AQ_SET_FEATURE : AQ_GET_FEATURE;
		cmd.feature.id = take8(in) % 32;
		cmd.feature.control_len = take16(in);
		cmd.feature.control.lo = GUEST_BASE + GUEST_CONTROL;
		take(in, cmd.feature.data, sizeof(cmd.feature.data));
		take(in, guest_memory + GUEST_CONTROL, 64);
		guest_admin(ena, &cmd);
		break;
	case 6: /* guest memory */
		i = take16(in) * 16 % GUEST_SIZE;
		n = take8(in) % 64;
		if (i + n <= GUEST_SIZE)
			take(in, guest_memory + i, n);
		break;
	case 7: /* LLQ lines */
		i = (take8(in) % 4 * ENA_LLQ_SLOT + take8(in) * 32) % ENA_LLQ_SIZE;
		n = take8(in) % 160;
		take(in, llq + i, n);
		break;
	case 8: /* doorbells near where they should be */
		sq = take8(in) % ENA_SQS;
		guest_reg_write(ena, ENA_DOORBELL(sq),
				(uint16_t)(ena->sqs[sq].head + take8(in) % 16));
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
			memcpy(guest_memory + q->base - GUEST_BASE + i * 16, &tx, sizeof(tx));
		guest_reg_write(ena, ENA_DOORBELL(sq), (uint16_t)(q->head + 1));
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
			memcpy(guest_memory + q->base - GUEST_BASE + (at & (q->depth - 1)) * 16,
			       &rx, sizeof(rx));
		}
		guest_reg_write(ena, ENA_DOORBELL(sq), (uint16_t)(q->head + n));
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
		traffic_command(traffic, words, i & 1 ? 3 : 2, null);
		fclose(null);
		if (!(i & 1))
			free(words[1]);
		free(words[0]);
		while (traffic_run(traffic))
			;
		break;
	case 12:
		ena_event_keep_alive(ena);
		ena_set_link(ena, take8(in) & 1);
		break;
	case 13: /* the map of guest memory */
		i = take8(in) % 64;
		guest_map(ena, GUEST_BASE + i * 4096, i * 4096, (1 + take8(in) % 64) * 4096,
			  take8(in));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct ena *ena = ena_new(NULL);
	struct traffic *traffic = ena != NULL ? traffic_new(ena) : NULL;
	uint8_t *llq;
	const uint32_t all[4] = { 16, 2, 0, 0 };
	uint8_t unmap[24] = { 0 };

	if (traffic == NULL)
		abort();
	llq = guest_attach(ena);
	guest_setup(ena);
	while (in.left > 0)
		action(ena, traffic, &in, llq);

	/* Whatever happened: after a reset it works. */
	memcpy(unmap, all, sizeof(all));
	guest_message(ena, 3, unmap, sizeof(unmap), false);
	guest_map(ena, GUEST_BASE, 0, GUEST_SIZE, 3);
	ena->link = true;
	memset(guest_memory, 0, GUEST_SIZE);
	guest_setup(ena);
	guest_queues(ena, 0);
	if (ena->fatal || !ena->sqs[ENA_QUEUES + 1].used)
		abort();
	munmap(llq, ENA_LLQ_SIZE);
	traffic_free(traffic);
	ena_free(ena);
	return 0;
}
