/* SPDX-License-Identifier: BSD-3-Clause
 *
 * I/O queues [io; eth, ena_com_prepare_tx() and ena_com_rx_pkt()]. Ring indices run freely over 16
 * bits; the phase bit of what the driver, or the device, writes is 1 in the first round, then 0,
 * and so on.
 */

#include "ena_io.h"

#include "ena_event.h"
#include "frame.h"

#include <string.h>

static void
nobody_tx(void *arg, const uint8_t *frame, size_t len)
{
	(void)arg;
	(void)frame;
	(void)len;
}

static void
nobody(void *arg)
{
	(void)arg;
}

void
ena_io_plug(struct ena *ena, const struct ena_port *port, void *arg)
{
	static const struct ena_port unplugged = { nobody_tx, nobody, nobody };

	ena->port = port != NULL ? port : &unplugged;
	ena->port_arg = arg;
}

/* The phase that index has in a ring. */
static unsigned int
phase(uint16_t index, uint16_t depth)
{
	return !((index / depth) & 1);
}

static void *
cq_entry(struct ena *ena, struct ena_cq *cq)
{
	uint64_t addr = cq->base + (uint64_t)(cq->tail & (cq->depth - 1)) * cq->entry_size;
	void *entry = vfu_dma(ena->vfu, addr, cq->entry_size, true);

	if (entry == NULL)
		ena_violation(ena, "completion queue: no memory at %#lx", (unsigned long)addr);
	return entry;
}

static void
vector_interrupt(struct ena *ena, unsigned int idx)
{
	struct ena_vector *vector = &ena->vectors[idx];

	if (vector->unmasked)
		vfu_irq(ena->vfu, idx);
	vector->pending = !vector->unmasked;
	vector->unmasked = false;
}

static void
cq_interrupt(struct ena *ena, const struct ena_cq *cq)
{
	if (cq->interrupts && cq->vector < ENA_VECTORS)
		vector_interrupt(ena, cq->vector);
}

void
ena_io_unmask(struct ena *ena, unsigned int idx, uint32_t value)
{
	const struct ena_cq *cq = &ena->cqs[idx];
	struct ena_vector *vector;

	if (!cq->used || cq->vector >= ENA_VECTORS || ena->fatal)
		return;
	vector = &ena->vectors[cq->vector];
	vector->unmasked = value & INTR_UNMASK;
	if (vector->unmasked && vector->pending)
		vector_interrupt(ena, cq->vector);
}

/* --- Tx --------------------------------------------------------------------------------------- */

/* Where the next descriptor comes from: the host's ring, or lines of the LLQ. */
struct tx_source {
	struct ena_sq *sq;
	unsigned int idx;
	uint8_t line[256]; /* LLQ: a private copy */
	unsigned int next, in_line;
	uint16_t index; /* of the next entry of the ring */
};

static bool
tx_desc(struct ena *ena, struct tx_source *src, struct hw_tx_desc *desc, bool first)
{
	struct ena_sq *sq = src->sq;
	uint16_t at = src->index & (sq->depth - 1);

	if (!sq->llq || src->next == src->in_line) {
		if (src->index == sq->tail) {
			ena_violation(ena, "Tx queue %u: the packet does not end at the doorbell",
				      src->idx);
			return false;
		}
		src->index++;
	}
	if (!sq->llq) {
		uint64_t addr = sq->base + (uint64_t)at * IO_DESC_SIZE;

		if (!vfu_dma_read(ena->vfu, addr, desc, sizeof(*desc))) {
			ena_violation(ena, "Tx queue %u: no memory at %#lx", src->idx,
				      (unsigned long)addr);
			return false;
		}
	} else {
		if (src->next == src->in_line) {
			memcpy(src->line, ena->llq + (size_t)src->idx * ENA_LLQ_SLOT +
			       (size_t)at * sq->entry_size, sq->entry_size);
			src->next = 0;
			src->in_line = first ? sq->before_header : sq->entry_size / IO_DESC_SIZE;
		}
		memcpy(desc, src->line + IO_DESC_SIZE * src->next++, sizeof(*desc));
	}
	if (!!(desc->len_ctrl & TX_PHASE) != phase(src->index - 1, sq->depth)) {
		ena_violation(ena, "Tx queue %u: wrong phase in entry %u", src->idx,
			      (uint16_t)(src->index - 1));
		return false;
	}
	if (!!(desc->len_ctrl & TX_FIRST) != first) {
		ena_violation(ena, "Tx queue %u: entry %u %s a packet", src->idx,
			      (uint16_t)(src->index - 1), first ? "does not start" : "starts");
		return false;
	}
	return true;
}

static bool
tx_complete(struct ena *ena, struct ena_sq *sq, uint16_t req_id)
{
	struct ena_cq *cq = &ena->cqs[sq->cq];
	struct hw_tx_cdesc done = { .req_id = req_id, .sq_head = sq->head };
	void *entry = cq_entry(ena, cq);
	uint64_t word;

	if (entry == NULL)
		return false;
	done.flags = phase(cq->tail, cq->depth);
	memcpy(&word, &done, sizeof(word));
	__atomic_store_n((uint64_t *)entry, word, __ATOMIC_RELEASE);
	cq->tail++;
	return true;
}

/* Checksums the driver left to the device. */
static void
tx_offloads(uint8_t *frame, size_t len, uint32_t meta_ctrl)
{
	struct frame_info info;

	if (!(meta_ctrl & (TX_L3_CSUM | TX_L4_CSUM)))
		return;
	frame_parse(frame, len, &info);
	if (meta_ctrl & TX_L3_CSUM)
		frame_fill_l3(frame, &info);
	if (meta_ctrl & TX_L4_CSUM)
		frame_fill_l4(frame, &info, meta_ctrl & TX_L4_PARTIAL);
}

/* Take one packet; false: the device has stopped. */
static bool
tx_packet(struct ena *ena, unsigned int idx)
{
	struct ena_sq *sq = &ena->sqs[idx];
	struct tx_source src = { .sq = sq, .idx = idx, .index = sq->head };
	uint8_t frame[ENA_MAX_FRAME];
	struct hw_tx_desc desc;
	size_t len = 0;
	uint32_t meta_ctrl;
	uint16_t req_id;
	unsigned int descs = 1;
	bool fits = true;

	if (!tx_desc(ena, &src, &desc, true))
		return false;
	/* Of the meta descriptor only segmentation needs anything, and that is not offered. */
	if (desc.len_ctrl & TX_META_DESC) {
		descs++;
		if (!tx_desc(ena, &src, &desc, false))
			return false;
	}
	meta_ctrl = desc.meta_ctrl;
	req_id = TX_REQ_ID(&desc);
	if (desc.len_ctrl & TX_META_DESC || !(desc.len_ctrl & TX_COMP_REQ) || meta_ctrl & TX_TSO) {
		ena_violation(ena, "Tx queue %u: first descriptor %08x %08x", idx, desc.len_ctrl,
			      meta_ctrl);
		return false;
	}
	if (sq->llq) {
		len = TX_HEADER_LENGTH(&desc);
		if (len > (size_t)sq->entry_size - sq->before_header * IO_DESC_SIZE) {
			ena_violation(ena, "Tx queue %u: header of %zu bytes", idx, len);
			return false;
		}
		/* Still of the first line: no more than before_header descriptors came from it. */
		memcpy(frame, src.line + sq->before_header * IO_DESC_SIZE, len);
	}
	for (;;) {
		uint32_t piece = TX_LENGTH(&desc);

		if (piece > 0 && fits) {
			fits = piece <= sizeof(frame) - len;
			if (fits && !vfu_dma_read(ena->vfu, TX_ADDR(&desc), frame + len, piece)) {
				ena_violation(ena, "Tx queue %u: no memory at %#lx, %u bytes", idx,
					      (unsigned long)TX_ADDR(&desc), piece);
				return false;
			}
			len += piece;
		}
		if (desc.len_ctrl & TX_LAST)
			break;
		if (++descs > ENA_MAX_TX_DESCS) {
			ena_violation(ena, "Tx queue %u: more than %u descriptors", idx,
				      ENA_MAX_TX_DESCS);
			return false;
		}
		if (!tx_desc(ena, &src, &desc, false))
			return false;
	}
	sq->head = src.index;
	/* What no wire would carry is dropped, and counted: link down, runts, giants. */
	if (!fits || len < 14 || !ena->link) {
		ena->count.tx_drops++;
		sq->drops++;
	} else {
		tx_offloads(frame, len, meta_ctrl);
		ena->count.tx_frames++;
		ena->count.shaped += ena->shaping;
		ena->count.tx_bytes += len;
		if (sq->llq)
			ena->count.llq_frames++;
		else
			ena->count.host_frames++;
		sq->frames++;
		sq->bytes += len;
		ena->port->tx(ena->port_arg, frame, len);
	}
	return !ena->fatal && tx_complete(ena, sq, req_id);
}

void
ena_io_doorbell(struct ena *ena, unsigned int idx, uint32_t tail)
{
	struct ena_sq *sq = &ena->sqs[idx];

	if (ena->fatal)
		return;
	if (!sq->used) {
		ena_violation(ena, "doorbell of queue %u, which does not exist", idx);
		return;
	}
	if (tail > UINT16_MAX || (uint16_t)((uint16_t)tail - sq->head) > sq->depth) {
		ena_violation(ena, "doorbell of queue %u: %u, head is %u, depth %u", idx, tail,
			      sq->head, sq->depth);
		return;
	}
	if (sq->llq && ena->llq_burst_taken != 0 &&
	    (uint16_t)((uint16_t)tail - sq->tail) > ena->llq_burst_taken) {
		ena_violation(ena, "doorbell of queue %u: %u entries since the last one, %u may be",
			      idx, (uint16_t)((uint16_t)tail - sq->tail), ena->llq_burst_taken);
		return;
	}
	sq->doorbells++;
	sq->tail = tail;
	if (sq->direction == DIRECTION_RX) {
		ena->port->rx_room(ena->port_arg);
		return;
	}
	if (sq->head == sq->tail)
		return;
	while (sq->head != sq->tail && tx_packet(ena, idx))
		;
	cq_interrupt(ena, &ena->cqs[sq->cq]);
	ena->port->tx_done(ena->port_arg);
}

/* --- Rx --------------------------------------------------------------------------------------- */

static bool
rx_desc(struct ena *ena, unsigned int idx, uint16_t index, struct hw_rx_desc *desc)
{
	struct ena_sq *sq = &ena->sqs[idx];
	uint64_t addr = sq->base + (uint64_t)(index & (sq->depth - 1)) * IO_DESC_SIZE;

	if (!vfu_dma_read(ena->vfu, addr, desc, sizeof(*desc))) {
		ena_violation(ena, "Rx queue %u: no memory at %#lx", idx, (unsigned long)addr);
		return false;
	}
	if ((desc->ctrl & RX_PHASE) != phase(index, sq->depth)) {
		ena_violation(ena, "Rx queue %u: wrong phase in entry %u", idx, index);
		return false;
	}
	return true;
}

/* The descriptors for a frame, 0: there are not enough. */
static unsigned int
rx_descs(struct ena *ena, unsigned int idx, size_t len, struct hw_rx_desc *descs)
{
	struct ena_sq *sq = &ena->sqs[idx];
	uint16_t index = sq->head;
	unsigned int n = 0;
	size_t room = 0;

	if (ena->fatal || !sq->used || sq->direction != DIRECTION_RX)
		return 0;
	while (room < len) {
		if (index == sq->tail || n == ENA_MAX_RX_DESCS ||
		    !rx_desc(ena, idx, index, &descs[n]))
			return 0;
		room += descs[n].length ? descs[n].length : 0x10000;
		n++;
		index++;
	}
	return n;
}

bool
ena_rx_room(struct ena *ena, unsigned int idx, size_t len)
{
	struct hw_rx_desc descs[ENA_MAX_RX_DESCS];

	return ena->link && rx_descs(ena, idx, len, descs) != 0;
}

/* What the device found out about the frame, for its last completion. */
static uint32_t
rx_status(const uint8_t *frame, const struct frame_info *info)
{
	bool ipv4 = info->l3 != 0 && frame[info->l3] >> 4 == 4;
	uint32_t status = 0;

	if (info->l3 == 0)
		return 0;
	status |= RXC_L3(ipv4 ? L3_IPV4 : L3_IPV6);
	if (ipv4 && !frame_l3_good(frame, info))
		status |= RXC_L3_CSUM_ERR;
	if (info->proto == PROTO_IP4_FRAG)
		status |= RXC_IPV4_FRAG;
	if (info->l4 != 0 && (info->l4_proto == 6 || info->l4_proto == 17)) {
		status |= RXC_L4(info->l4_proto == 6 ? L4_TCP : L4_UDP) | RXC_L4_CSUM_CHECKED;
		if (!frame_l4_good(frame, info))
			status |= RXC_L4_CSUM_ERR;
	}
	return status;
}

bool
ena_rx(struct ena *ena, unsigned int idx, const uint8_t *frame, size_t len, uint32_t hash)
{
	struct ena_sq *sq = &ena->sqs[idx];
	struct ena_cq *cq = &ena->cqs[sq->cq];
	struct hw_rx_desc descs[ENA_MAX_RX_DESCS];
	struct frame_info info;
	unsigned int count, i;
	uint32_t status;
	size_t at = 0;

	count = ena->link ? rx_descs(ena, idx, len, descs) : 0;
	if (count == 0) {
		ena->count.rx_drops++;
		return false;
	}
	frame_parse(frame, len, &info);
	status = rx_status(frame, &info);
	for (i = 0; i < count; i++) {
		size_t room = descs[i].length ? descs[i].length : 0x10000;
		size_t piece = len - at < room ? len - at : room;
		uint64_t addr = (uint64_t)descs[i].addr_hi << 32 | descs[i].addr_lo;
		struct hw_rx_cdesc *done;
		struct hw_rx_cdesc new = {
			.status = RXC_BUFFER | (phase(cq->tail, cq->depth) ? RXC_PHASE : 0) |
				  (i == 0 ? RXC_FIRST : 0) |
				  (i == count - 1 ? RXC_LAST | status : 0),
			.length = piece,
			.req_id = descs[i].req_id,
			.hash = hash,
		};

		if (!vfu_dma_write(ena->vfu, addr, frame + at, piece)) {
			ena_violation(ena, "Rx queue %u: no memory at %#lx, %zu bytes", idx,
				      (unsigned long)addr, piece);
			return false;
		}
		done = cq_entry(ena, cq);
		if (done == NULL)
			return false;
		memcpy((uint8_t *)done + 4, (uint8_t *)&new + 4, sizeof(new) - 4);
		__atomic_store_n(&done->status, new.status, __ATOMIC_RELEASE);
		cq->tail++;
		sq->head++;
		at += piece;
	}
	ena->count.rx_frames++;
	ena->count.rx_bytes += len;
	sq->frames++;
	sq->bytes += len;
	return true;
}

void
ena_rx_done(struct ena *ena, unsigned int idx)
{
	if (!ena->fatal && ena->sqs[idx].used)
		cq_interrupt(ena, &ena->cqs[ena->sqs[idx].cq]);
}

int
ena_rx_queue(const struct ena *ena, const uint8_t *frame, size_t len, uint32_t *hash)
{
	struct frame_info info;
	unsigned int i;

	frame_parse(frame, len, &info);
	*hash = frame_hash(frame, &info, ena->rss_key, ena->rss_fields[info.proto]);
	if (ena->rss_size != 0) {
		i = ena->rss_table[*hash & (ena->rss_size - 1)];
		if (i < ENA_SQS && ena->sqs[i].used && ena->sqs[i].direction == DIRECTION_RX)
			return i;
	}
	for (i = 0; i < ENA_SQS; i++)
		if (ena->sqs[i].used && ena->sqs[i].direction == DIRECTION_RX)
			return i;
	return -1;
}
