/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The admin queue: commands come in a ring in guest memory (AQ), answers go to another (ACQ)
 * [admin; com, ena_com_admin_init()].
 */

#include "ena_admin.h"
#include "ena_event.h"
#include "ena_ring.h"

#include <stdlib.h>
#include <string.h>

static uint64_t
hw_addr(const struct hw_addr *addr)
{
	return (uint64_t)addr->hi << 32 | addr->lo;
}

/* --- Queues ----------------------------------------------------------------------------------- */

static uint8_t
create_cq(struct ena *ena, const struct hw_aq_entry *cmd, struct hw_acq_entry *resp)
{
	uint64_t base = hw_addr(&cmd->create_cq.base);
	unsigned int words = CQ_WORDS(cmd->create_cq.caps_2), i;
	uint16_t depth = cmd->create_cq.depth;

	/* 2 words: Tx completions [io]; 4 and 8: what [admin] names as valid. */
	if (!ena_power_of_2(depth) || depth > ENA_MAX_DEPTH ||
	    (words != 2 && words != 4 && words != 8) || base % (4 * words) != 0 ||
	    vfu_dma(ena->vfu, base, 4 * words, true) == NULL)
		return STATUS_ILLEGAL_PARAMETER;
	for (i = 0; i < ENA_CQS && ena->cqs[i].used; i++)
		;
	if (i == ENA_CQS)
		return STATUS_NO_RESOURCES;
	ena->cqs[i] = (struct ena_cq){
		.used = true,
		.interrupts = cmd->create_cq.caps_1 & CQ_INTERRUPTS,
		.depth = depth,
		.entry_size = 4 * words,
		.vector = cmd->create_cq.vector,
		.base = base,
	};
	resp->create_cq.cq_idx = i;
	resp->create_cq.depth = depth;
	resp->create_cq.unmask = ENA_UNMASK(i);
	return STATUS_SUCCESS;
}

static uint8_t
destroy_cq(struct ena *ena, const struct hw_aq_entry *cmd)
{
	unsigned int idx = cmd->destroy_cq.cq_idx, i;

	if (idx >= ENA_CQS || !ena->cqs[idx].used)
		return STATUS_ILLEGAL_PARAMETER;
	for (i = 0; i < ENA_SQS; i++)
		if (ena->sqs[i].used && ena->sqs[i].cq == idx)
			return STATUS_BUSY;
	ena->cqs[idx].used = false;
	return STATUS_SUCCESS;
}

static uint8_t
create_sq(struct ena *ena, const struct hw_aq_entry *cmd, struct hw_acq_entry *resp)
{
	uint8_t direction = SQ_DIRECTION(cmd->create_sq.identity);
	uint8_t placement = SQ_PLACEMENT(cmd->create_sq.caps_2);
	uint64_t base = hw_addr(&cmd->create_sq.base);
	uint16_t depth = cmd->create_sq.depth, cq = cmd->create_sq.cq_idx;
	unsigned int i, end, min;

	if (!ena_power_of_2(depth) || depth > ENA_MAX_DEPTH || cq >= ENA_CQS ||
	    !ena->cqs[cq].used ||
	    SQ_COMPLETION_POLICY(cmd->create_sq.caps_2) != POLICY_DESC ||
	    (direction != DIRECTION_TX && direction != DIRECTION_RX))
		return STATUS_ILLEGAL_PARAMETER;
	min = direction == DIRECTION_TX ? sizeof(struct hw_tx_cdesc) : sizeof(struct hw_rx_cdesc);
	if (ena->cqs[cq].entry_size < min)
		return STATUS_ILLEGAL_PARAMETER;
	if (placement == PLACEMENT_DEV) {
		if (direction != DIRECTION_TX || !ena->llq_configured ||
		    depth * ena->llq_entry_size > ENA_LLQ_SLOT)
			return STATUS_ILLEGAL_PARAMETER;
	} else if (placement != PLACEMENT_HOST || !(cmd->create_sq.caps_3 & SQ_CONTIGUOUS) ||
		   base % IO_DESC_SIZE != 0 ||
		   vfu_dma(ena->vfu, base, IO_DESC_SIZE, false) == NULL) {
		return STATUS_ILLEGAL_PARAMETER;
	}
	/* The first half is for Tx: their LLQs start where BAR2 starts. */
	i = direction == DIRECTION_TX ? 0 : ENA_QUEUES;
	for (end = i + ENA_QUEUES; i < end && ena->sqs[i].used; i++)
		;
	if (i == end)
		return STATUS_NO_RESOURCES;
	ena->sqs[i] = (struct ena_sq){
		.used = true,
		.llq = placement == PLACEMENT_DEV,
		.direction = direction,
		.cq = cq,
		.depth = depth,
		.entry_size = ena->llq_entry_size,
		.before_header = 2,
		.base = base,
	};
	resp->create_sq.sq_idx = i;
	resp->create_sq.doorbell = ENA_DOORBELL(i);
	if (ena->sqs[i].llq)
		resp->create_sq.llq = i * ENA_LLQ_SLOT;
	ena->port->rx_room(ena->port_arg);
	return STATUS_SUCCESS;
}

static uint8_t
destroy_sq(struct ena *ena, const struct hw_aq_entry *cmd)
{
	unsigned int idx = cmd->destroy_sq.sq_idx;

	if (idx >= ENA_SQS || !ena->sqs[idx].used ||
	    SQ_DIRECTION(cmd->destroy_sq.identity) != ena->sqs[idx].direction)
		return STATUS_ILLEGAL_PARAMETER;
	ena->sqs[idx].used = false;
	ena->port->rx_room(ena->port_arg);
	return STATUS_SUCCESS;
}

/* --- Features --------------------------------------------------------------------------------- */

static uint32_t
features(const struct ena *ena)
{
	return BIT(FEAT_MAX_QUEUES_NUM) | BIT(FEAT_HW_HINTS) | BIT(FEAT_MAX_QUEUES_EXT) |
	       BIT(FEAT_RSS_HASH_FUNCTION) | BIT(FEAT_OFFLOAD) | BIT(FEAT_RSS_TABLE) |
	       BIT(FEAT_MTU) | BIT(FEAT_RSS_HASH_INPUT) | BIT(FEAT_AENQ) | BIT(FEAT_LINK) |
	       BIT(FEAT_HOST_ATTR) | (ena->llq_offered ? BIT(FEAT_LLQ) : 0);
}

/* Tables go through a control buffer in guest memory, which the address points to directly. */
static bool
control_write(struct ena *ena, const struct hw_aq_entry *cmd, const void *data, uint32_t len)
{
	if (cmd->feature.control_len == 0)
		return true;
	return cmd->feature.control_len >= len &&
	       vfu_dma_write(ena->vfu, hw_addr(&cmd->feature.control), data, len);
}

static bool
control_read(struct ena *ena, const struct hw_aq_entry *cmd, void *data, uint32_t len)
{
	return cmd->feature.control_len >= len &&
	       vfu_dma_read(ena->vfu, hw_addr(&cmd->feature.control), data, len);
}

static void
reverse(uint8_t *to, const uint8_t *from, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < len; i++)
		to[i] = from[len - 1 - i];
}

static uint8_t
get_feature(struct ena *ena, const struct hw_aq_entry *cmd, struct hw_acq_entry *resp)
{
	union {
		struct hw_device_attr attr;
		struct hw_max_queues queues;
		struct hw_max_queues_ext ext;
		struct hw_llq llq;
		struct hw_offload offload;
		struct hw_hash_function function;
		struct hw_rss_table table;
		struct hw_aenq_config aenq;
		struct hw_link link;
		struct hw_hints hints;
		uint32_t data[14];
	} out;
	struct hw_hash_input input;
	struct hw_hash_key key;
	unsigned int i;

	static_assert(sizeof(out) == sizeof(resp->data), "a feature fits into an answer");
	memset(&out, 0, sizeof(out));
	if (cmd->feature.id != FEAT_DEVICE_ATTRIBUTES &&
	    (cmd->feature.id >= 32 || !(features(ena) & BIT(cmd->feature.id))))
		return STATUS_UNSUPPORTED;

	switch (cmd->feature.id) {
	case FEAT_DEVICE_ATTRIBUTES:
		out.attr.device_version = 1;
		out.attr.features = features(ena);
		out.attr.capabilities = BIT(CAP_ENI_STATS) | BIT(CAP_CUSTOMER_METRICS);
		out.attr.phys_addr_width = out.attr.virt_addr_width = 48;
		memcpy(out.attr.mac, ena->mac, sizeof(out.attr.mac));
		out.attr.max_mtu = ENA_MAX_MTU;
		break;
	case FEAT_MAX_QUEUES_NUM:
		out.queues.max_sq_num = out.queues.max_cq_num = ENA_QUEUES;
		out.queues.max_sq_depth = out.queues.max_cq_depth = ENA_MAX_DEPTH;
		out.queues.max_llq_num = ENA_QUEUES;
		out.queues.max_llq_depth = ENA_MAX_DEPTH;
		out.queues.max_header_size = ENA_MAX_HEADER;
		out.queues.max_tx_descs = ENA_MAX_TX_DESCS;
		out.queues.max_rx_descs = ENA_MAX_RX_DESCS;
		break;
	case FEAT_MAX_QUEUES_EXT:
		out.ext.version = 1;
		out.ext.tx_sq_num = out.ext.tx_cq_num = ENA_QUEUES;
		out.ext.rx_sq_num = out.ext.rx_cq_num = ENA_QUEUES;
		out.ext.tx_sq_depth = out.ext.tx_cq_depth = ENA_MAX_DEPTH;
		out.ext.rx_sq_depth = out.ext.rx_cq_depth = ENA_MAX_DEPTH;
		out.ext.max_header_size = ENA_MAX_HEADER;
		out.ext.max_tx_descs = ENA_MAX_TX_DESCS;
		out.ext.max_rx_descs = ENA_MAX_RX_DESCS;
		break;
	case FEAT_LLQ:
		out.llq.max_num = ENA_QUEUES;
		out.llq.max_depth = ENA_LLQ_SLOT / 128;
		out.llq.header_location_supported = LLQ_INLINE_HEADER;
		out.llq.entry_size_supported = LLQ_ENTRY_128 | LLQ_ENTRY_256;
		out.llq.descs_before_header_supported = 2;
		out.llq.stride_supported = LLQ_MULTIPLE_DESCS;
		out.llq.version = LLQ_VERSION_1;
		out.llq.entry_size_recommended = ena->llq_wide ? LLQ_ENTRY_256 : LLQ_ENTRY_128;
		out.llq.max_wide_depth = ENA_LLQ_SLOT / 256;
		if (ena->llq_burst != 0) {
			out.llq.accel_flags = LLQ_LIMIT_BURST;
			out.llq.accel_max_burst = ena->llq_burst * (ena->llq_wide ? 256 : 128);
		}
		break;
	case FEAT_OFFLOAD:
		out.offload.tx = OFFLOAD_TX_L3_IPV4 | OFFLOAD_TX_L4_IPV4_PARTIAL |
				 OFFLOAD_TX_L4_IPV6_PARTIAL;
		out.offload.rx_supported = out.offload.rx_enabled =
			OFFLOAD_RX_L3_IPV4 | OFFLOAD_RX_L4_IPV4 | OFFLOAD_RX_L4_IPV6 |
			OFFLOAD_RX_HASH;
		break;
	case FEAT_RSS_HASH_FUNCTION:
		out.function.supported = out.function.selected = HASH_TOEPLITZ;
		memset(&key, 0, sizeof(key));
		key.parts = sizeof(key.key) / 4;
		reverse(key.key, ena->rss_key, sizeof(key.key));
		if (!control_write(ena, cmd, &key, sizeof(key)))
			return STATUS_ILLEGAL_PARAMETER;
		break;
	case FEAT_RSS_HASH_INPUT:
		memset(&input, 0, sizeof(input));
		for (i = 0; i < 16; i++) {
			input.supported[i].fields =
				i == PROTO_NOT_IP ? FIELD_L2_DA | FIELD_L2_SA :
				i <= PROTO_UDP6 ? FIELD_L3_DA | FIELD_L3_SA |
						  FIELD_L4_DP | FIELD_L4_SP :
				i <= PROTO_IP4_FRAG ? FIELD_L3_DA | FIELD_L3_SA : 0;
			input.selected[i].fields = ena->rss_fields[i];
		}
		if (!control_write(ena, cmd, &input, sizeof(input)))
			return STATUS_ILLEGAL_PARAMETER;
		break;
	case FEAT_RSS_TABLE:
		out.table.max_size = ENA_RSS_LOG;
		if (cmd->feature.control_len != 0) {
			struct hw_rss_entry table[1 << ENA_RSS_LOG] = { 0 };

			for (i = 0; i < ena->rss_size; i++)
				table[i].queue = ena->rss_table[i];
			if (!control_write(ena, cmd, table, sizeof(table)))
				return STATUS_ILLEGAL_PARAMETER;
		}
		break;
	case FEAT_AENQ:
		out.aenq.supported = BIT(AENQ_LINK_CHANGE) | BIT(AENQ_FATAL_ERROR) |
				     BIT(AENQ_KEEP_ALIVE);
		out.aenq.enabled = ena->aenq_groups;
		break;
	case FEAT_LINK:
		out.link.speed = 100000;
		out.link.supported = 0x80; /* ENA_ADMIN_LINK_SPEED_100G */
		out.link.flags = 3;
		break;
	case FEAT_HW_HINTS:
		/*
		 * Emulation is slow, and its host may be busy: 30 s until a driver loses patience.
		 */
		out.hints.driver_watchdog_timeout = 30000;
		out.hints.missing_tx_timeout = 30000;
		out.hints.admin_timeout = 30000;
		out.hints.netdev_wd_timeout = 30000;
		break;
	default:
		return STATUS_UNSUPPORTED; /* it can be set only */
	}
	memcpy(resp->data, out.data, sizeof(out.data));
	return STATUS_SUCCESS;
}

static uint8_t
set_llq(struct ena *ena, const struct hw_llq *llq)
{
	if (llq->header_location_enabled != LLQ_INLINE_HEADER ||
	    llq->stride_enabled != LLQ_MULTIPLE_DESCS || llq->descs_before_header_enabled != 2 ||
	    (llq->entry_size_enabled != LLQ_ENTRY_128 && llq->entry_size_enabled != LLQ_ENTRY_256))
		return STATUS_ILLEGAL_PARAMETER;
	ena->llq_configured = true;
	ena->llq_burst_taken = ena->llq_burst;
	ena->llq_entry_size = llq->entry_size_enabled == LLQ_ENTRY_128 ? 128 : 256;
	return STATUS_SUCCESS;
}

static uint8_t
set_rss_table(struct ena *ena, const struct hw_aq_entry *cmd, const struct hw_rss_table *table)
{
	struct hw_rss_entry entries[1 << ENA_RSS_LOG];
	unsigned int i;

	if (table->inline_index != 0xffffffff) {
		if (table->inline_index >= ena->rss_size)
			return STATUS_ILLEGAL_PARAMETER;
		ena->rss_table[table->inline_index] = table->inline_queue;
	} else {
		if (table->size > ENA_RSS_LOG ||
		    !control_read(ena, cmd, entries, sizeof(entries[0]) << table->size))
			return STATUS_ILLEGAL_PARAMETER;
		ena->rss_size = 1 << table->size;
		for (i = 0; i < ena->rss_size; i++)
			ena->rss_table[i] = entries[i].queue;
	}
	ena->port->rx_room(ena->port_arg);
	return STATUS_SUCCESS;
}

static uint8_t
set_feature(struct ena *ena, const struct hw_aq_entry *cmd)
{
	union {
		struct hw_llq llq;
		struct hw_rss_table table;
		struct hw_hash_function function;
		struct hw_aenq_config aenq;
		struct hw_host_attr host;
		uint32_t mtu;
		uint32_t data[11];
	} in;
	struct hw_hash_input input;
	struct hw_hash_key key;
	unsigned int i;

	static_assert(sizeof(in) == sizeof(cmd->feature.data), "a feature fits into a command");
	memcpy(&in, cmd->feature.data, sizeof(in));
	if (cmd->feature.id >= 32 || !(features(ena) & BIT(cmd->feature.id)))
		return STATUS_UNSUPPORTED;

	switch (cmd->feature.id) {
	case FEAT_LLQ:
		return set_llq(ena, &in.llq);
	case FEAT_MTU:
		if (in.mtu < 64 || in.mtu > ENA_MAX_MTU)
			return STATUS_ILLEGAL_PARAMETER;
		ena->mtu = in.mtu;
		return STATUS_SUCCESS;
	case FEAT_HOST_ATTR:
		/* Memory in which the driver describes its host, 4 KB: nothing in it is needed. */
		return vfu_dma(ena->vfu, hw_addr(&in.host.info), 4096, false) != NULL ?
			STATUS_SUCCESS : STATUS_ILLEGAL_PARAMETER;
	case FEAT_RSS_HASH_FUNCTION:
		if (in.function.selected != HASH_TOEPLITZ ||
		    !control_read(ena, cmd, &key, sizeof(key)) || key.parts != sizeof(key.key) / 4)
			return STATUS_ILLEGAL_PARAMETER;
		reverse(ena->rss_key, key.key, sizeof(key.key));
		ena->port->rx_room(ena->port_arg);
		return STATUS_SUCCESS;
	case FEAT_RSS_HASH_INPUT:
		if (!control_read(ena, cmd, &input, sizeof(input)))
			return STATUS_ILLEGAL_PARAMETER;
		for (i = 0; i < 16; i++)
			ena->rss_fields[i] = input.selected[i].fields & 0x3f;
		ena->port->rx_room(ena->port_arg);
		return STATUS_SUCCESS;
	case FEAT_RSS_TABLE:
		return set_rss_table(ena, cmd, &in.table);
	case FEAT_AENQ:
		if (in.aenq.enabled & ~(BIT(AENQ_LINK_CHANGE) | BIT(AENQ_FATAL_ERROR) |
					BIT(AENQ_KEEP_ALIVE)))
			return STATUS_ILLEGAL_PARAMETER;
		ena->aenq_groups = in.aenq.enabled;
		/* That is how a driver learns that the link is up. */
		ena_event_link(ena);
		return STATUS_SUCCESS;
	default:
		return STATUS_UNSUPPORTED;
	}
}

/* --- Statistics ------------------------------------------------------------------------------- */

static uint8_t
get_stats(struct ena *ena, const struct hw_aq_entry *cmd, struct hw_acq_entry *resp)
{
	/* Bandwidth in and out, packets, connections, link-local: "allowance exceeded"; the last is
	 * the number of connections that could still be tracked. */
	const uint64_t metrics[6] = { 0, 0, ena->count.shaped, 0, 0, 1000000 };
	struct hw_addr control = cmd->stats.control;
	uint64_t out[6];
	unsigned int i, n = 0;

	switch (cmd->stats.type) {
	case STATS_BASIC:
		ena_put64(&resp->data[BASIC_TX_BYTES], ena->count.tx_bytes);
		ena_put64(&resp->data[BASIC_TX_PKTS], ena->count.tx_frames);
		ena_put64(&resp->data[BASIC_RX_BYTES], ena->count.rx_bytes);
		ena_put64(&resp->data[BASIC_RX_PKTS], ena->count.rx_frames);
		ena_put64(&resp->data[BASIC_RX_DROPS], ena->count.rx_drops);
		ena_put64(&resp->data[BASIC_TX_DROPS], ena->count.tx_drops);
		return STATUS_SUCCESS;
	case STATS_ENI:
		for (i = 0; i < 5; i++)
			ena_put64(&resp->data[2 * i], metrics[i]);
		return STATUS_SUCCESS;
	case STATS_CUSTOMER_METRICS:
		for (i = 0; i < 6; i++)
			if (cmd->stats.requested & BIT(i))
				out[n++] = metrics[i];
		if (cmd->stats.control_len != 0 &&
		    (cmd->stats.control_len < n * sizeof(out[0]) ||
		     !vfu_dma_write(ena->vfu, hw_addr(&control), out, n * sizeof(out[0]))))
			return STATUS_ILLEGAL_PARAMETER;
		ena_put64(resp->data, cmd->stats.requested & METRICS_ALL);
		return STATUS_SUCCESS;
	default:
		return STATUS_UNSUPPORTED;
	}
}

/* --- The rings -------------------------------------------------------------------------------- */

static uint8_t
execute(struct ena *ena, const struct hw_aq_entry *cmd, struct hw_acq_entry *resp)
{
	switch (cmd->opcode) {
	case AQ_CREATE_SQ: return create_sq(ena, cmd, resp);
	case AQ_DESTROY_SQ: return destroy_sq(ena, cmd);
	case AQ_CREATE_CQ: return create_cq(ena, cmd, resp);
	case AQ_DESTROY_CQ: return destroy_cq(ena, cmd);
	case AQ_GET_FEATURE: return get_feature(ena, cmd, resp);
	case AQ_SET_FEATURE: return set_feature(ena, cmd);
	case AQ_GET_STATS: return get_stats(ena, cmd, resp);
	default: return STATUS_BAD_OPCODE;
	}
}

void
ena_admin_doorbell(struct ena *ena, uint32_t tail)
{
	uint16_t depth = ena_ring_depth(ena, REG_AQ_CAPS);
	uint16_t acq_depth = ena_ring_depth(ena, REG_ACQ_CAPS);
	uint16_t left = (uint16_t)tail - ena->aq_head;

	if (ena_reg(ena, REG_DEV_STS) & DEV_STS_RESET_IN_PROGRESS)
		return;
	if (depth == 0 || acq_depth == 0 || left > depth) {
		ena_violation(ena, "admin doorbell %u: head %u, depths %u and %u", tail,
			      ena->aq_head, depth, acq_depth);
		return;
	}
	/* Also in the fatal state: the driver may still ask what happened. */
	for (; left > 0; left--) {
		uint64_t from = ena_ring_entry(ena, REG_AQ_BASE_LO, ena->aq_head, depth);
		uint64_t to = ena_ring_entry(ena, REG_ACQ_BASE_LO, ena->acq_tail, acq_depth);
		struct hw_acq_entry resp;
		struct hw_aq_entry cmd;

		if (!vfu_dma_read(ena->vfu, from, &cmd, sizeof(cmd))) {
			ena_violation(ena, "admin queue: no memory at %#lx", (unsigned long)from);
			return;
		}
		if ((cmd.flags & AQ_PHASE) == ((ena->aq_head / depth) & 1)) {
			ena_violation(ena, "admin queue: wrong phase in entry %u", ena->aq_head);
			return;
		}
		ena->aq_head++;
		memset(&resp, 0, sizeof(resp));
		resp.status = execute(ena, &cmd, &resp);
		if (resp.status != STATUS_SUCCESS) {
			ena->count.refused++;
			memset(resp.data, 0, sizeof(resp.data));
		}
		resp.command_id = cmd.command_id & AQ_COMMAND_ID;
		resp.sq_head = ena->aq_head;
		resp.flags = !((ena->acq_tail / acq_depth) & 1);
		if (!ena_ring_publish(ena, to, &resp)) {
			ena_violation(ena, "admin completion: no memory at %#lx",
				(unsigned long)to);
			return;
		}
		ena->acq_tail++;
	}
	ena_ring_interrupt(ena);
}
