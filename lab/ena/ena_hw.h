/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What an ENA device and its driver agree on. Every value here is a fact of the public driver
 * sources; where it stands is said per group:
 *
 *	[admin]	ena_admin_defs.h	[regs]	ena_regs_defs.h		[io]	ena_eth_io_defs.h
 *	[com]	ena_com.c		[eth]	ena_eth_com.c		[rss]	ena_rss.c (DPDK)
 *
 * The first five stand in DPDK, drivers/net/ena/base/ (definitions in ena_defs/), and in Linux,
 * drivers/net/ethernet/amazon/ena/. Names in comments are the definitions' own. The device is
 * little-endian, and so must be the machine that runs this model.
 */

#ifndef ENA_HW_H
#define ENA_HW_H

#include <assert.h>
#include <stdint.h>

#define BIT(n) (1u << (n))

/* [DPDK ena_ethdev.c, PCI_DEVICE_ID_ENA_VF] */
#define ENA_VENDOR_ID 0x1d0f
#define ENA_DEVICE_ID 0xec20

/* --- BAR0: registers [regs] ------------------------------------------------------------------- */

enum {
	REG_VERSION = 0x0,	      /* major << 8 | minor */
	REG_CONTROLLER_VERSION = 0x4, /* impl << 24 | major << 16 | minor << 8 | subminor */
	REG_CAPS = 0x8,
	REG_CAPS_EXT = 0xc,
	REG_AQ_BASE_LO = 0x10,
	REG_AQ_BASE_HI = 0x14,
	REG_AQ_CAPS = 0x18, /* depth | entry size << 16; so are the other two */
	REG_ACQ_BASE_LO = 0x20,
	REG_ACQ_BASE_HI = 0x24,
	REG_ACQ_CAPS = 0x28,
	REG_AQ_DB = 0x2c,
	REG_ACQ_TAIL = 0x30,
	REG_AENQ_CAPS = 0x34,
	REG_AENQ_BASE_LO = 0x38,
	REG_AENQ_BASE_HI = 0x3c,
	REG_AENQ_HEAD_DB = 0x40,
	REG_AENQ_TAIL = 0x44,
	REG_INTR_MASK = 0x4c,
	REG_DEV_CTL = 0x54,
	REG_DEV_STS = 0x58,
	REG_MMIO_REG_READ = 0x5c, /* request id | register << 16 */
	REG_MMIO_RESP_LO = 0x60,
	REG_MMIO_RESP_HI = 0x64,
	REG_RSS_IND_ENTRY_UPDATE = 0x68, /* index | queue << 16 */
	REG_END = 0x6c,
};

#define CAPS_RESET_TIMEOUT(hundred_ms) ((hundred_ms) << 1)
#define CAPS_DMA_WIDTH(bits) ((bits) << 8)

#define DEV_CTL_RESET BIT(0)
#define DEV_STS_READY BIT(0)
#define DEV_STS_RESET_IN_PROGRESS BIT(3)
#define DEV_STS_FATAL_ERROR BIT(5)

#define INTR_MASK_ADMIN BIT(0) /* [com] ENA_REGS_ADMIN_INTR_MASK */

/* The answer to a register read by message: ena_admin_ena_mmio_req_read_less_resp [admin]. */
struct hw_read_resp {
	uint16_t req_id;
	uint16_t reg_off;
	uint32_t reg_val;
};

/* --- Admin queue [admin] ---------------------------------------------------------------------- */

enum {
	AQ_CREATE_SQ = 1,
	AQ_DESTROY_SQ = 2,
	AQ_CREATE_CQ = 3,
	AQ_DESTROY_CQ = 4,
	AQ_GET_FEATURE = 8,
	AQ_SET_FEATURE = 9,
	AQ_GET_STATS = 11,
};

enum {
	STATUS_SUCCESS = 0,
	STATUS_NO_RESOURCES = 1,
	STATUS_BAD_OPCODE = 2,
	STATUS_UNSUPPORTED = 3,
	STATUS_MALFORMED = 4,
	STATUS_ILLEGAL_PARAMETER = 5,
	STATUS_UNKNOWN_ERROR = 6,
	STATUS_BUSY = 7,
};

enum {
	FEAT_DEVICE_ATTRIBUTES = 1,
	FEAT_MAX_QUEUES_NUM = 2,
	FEAT_HW_HINTS = 3,
	FEAT_LLQ = 4,
	FEAT_MAX_QUEUES_EXT = 7,
	FEAT_RSS_HASH_FUNCTION = 10,
	FEAT_OFFLOAD = 11, /* ENA_ADMIN_STATELESS_OFFLOAD_CONFIG */
	FEAT_RSS_TABLE = 12, /* ENA_ADMIN_RSS_INDIRECTION_TABLE_CONFIG */
	FEAT_MTU = 14,
	FEAT_RSS_HASH_INPUT = 18,
	FEAT_AENQ = 26,
	FEAT_LINK = 27,
	FEAT_HOST_ATTR = 28,
};

enum { CAP_ENI_STATS = 0, CAP_CUSTOMER_METRICS = 2 };

/* 48-bit DMA address, as ena_common_mem_addr. */
struct hw_addr {
	uint32_t lo;
	uint16_t hi;
	uint16_t mbz;
};

struct hw_aq_entry { /* ena_admin_aq_entry and the commands laid over it */
	uint16_t command_id; /* 11:0 */
	uint8_t opcode;
	uint8_t flags; /* 0: phase */
	union {
		struct {
			uint8_t identity; /* 7:5 direction */
			uint8_t reserved;
			uint8_t caps_2; /* 3:0 placement, 6:4 completion policy */
			uint8_t caps_3; /* 0: physically contiguous */
			uint16_t cq_idx;
			uint16_t depth;
			struct hw_addr base;
			struct hw_addr head_writeback;
		} create_sq;
		struct {
			uint16_t sq_idx;
			uint8_t identity;
			uint8_t reserved;
		} destroy_sq;
		struct {
			uint8_t caps_1; /* 5: interrupts */
			uint8_t caps_2; /* 4:0 entry size in words */
			uint16_t depth;
			uint32_t vector;
			struct hw_addr base;
		} create_cq;
		struct {
			uint16_t cq_idx;
		} destroy_cq;
		struct { /* get and set */
			uint32_t control_len;
			struct hw_addr control;
			uint8_t flags;
			uint8_t id;
			uint8_t version;
			uint8_t reserved;
			uint32_t data[11];
		} feature;
		struct __attribute__((packed)) {
			uint32_t control_len;
			struct hw_addr control;
			uint8_t type;
			uint8_t scope;
			uint16_t reserved;
			uint16_t queue;
			uint16_t device;
			uint64_t requested; /* customer metrics */
		} stats;
		uint32_t words[15];
	};
};
static_assert(sizeof(struct hw_aq_entry) == 64, "ena_admin_aq_entry");

#define AQ_PHASE BIT(0)
#define AQ_COMMAND_ID 0xfff

#define SQ_DIRECTION(identity) ((identity) >> 5)
enum { DIRECTION_TX = 1, DIRECTION_RX = 2 };
#define SQ_PLACEMENT(caps_2) ((caps_2) & 0xf)
enum { PLACEMENT_HOST = 1, PLACEMENT_DEV = 3 };
#define SQ_COMPLETION_POLICY(caps_2) (((caps_2) >> 4) & 7)
enum { POLICY_DESC = 0, POLICY_DESC_ON_DEMAND = 1 };
#define SQ_CONTIGUOUS BIT(0)
#define CQ_INTERRUPTS BIT(5)
#define CQ_WORDS(caps_2) ((caps_2) & 0x1f)

struct hw_acq_entry { /* ena_admin_acq_entry */
	uint16_t command_id;
	uint8_t status;
	uint8_t flags; /* 0: phase */
	uint16_t extended_status;
	uint16_t sq_head;
	union {
		struct {
			uint16_t sq_idx;
			uint16_t reserved;
			uint32_t doorbell; /* in BAR0 */
			uint32_t llq;	   /* in BAR2 */
			uint32_t llq_headers;
		} create_sq;
		struct {
			uint16_t cq_idx;
			uint16_t depth;
			uint32_t numa_node; /* registers in BAR0, 0: none */
			uint32_t head_db;
			uint32_t unmask;
		} create_cq;
		uint32_t data[14];
	};
};
static_assert(sizeof(struct hw_acq_entry) == 64, "ena_admin_acq_entry");

/* Features, as they stand in data[] of commands and answers. */
struct hw_device_attr { /* ena_admin_device_attr_feature_desc */
	uint32_t impl_id;
	uint32_t device_version;
	uint32_t features;
	uint32_t capabilities;
	uint32_t phys_addr_width;
	uint32_t virt_addr_width;
	uint8_t mac[6];
	uint8_t reserved[2];
	uint32_t max_mtu;
};

struct hw_max_queues { /* ena_admin_queue_feature_desc */
	uint32_t max_sq_num;
	uint32_t max_sq_depth;
	uint32_t max_cq_num;
	uint32_t max_cq_depth;
	uint32_t max_llq_num;
	uint32_t max_llq_depth;
	uint32_t max_header_size;
	uint16_t max_tx_descs;
	uint16_t max_rx_descs;
};

struct hw_max_queues_ext { /* ena_admin_queue_ext_feature_desc */
	uint8_t version; /* 1 [com] */
	uint8_t reserved[3];
	uint32_t tx_sq_num, tx_cq_num, rx_sq_num, rx_cq_num;
	uint32_t tx_sq_depth, tx_cq_depth, rx_sq_depth, rx_cq_depth;
	uint32_t max_header_size;
	uint16_t max_tx_descs;
	uint16_t max_rx_descs;
};

struct hw_llq { /* ena_admin_feature_llq_desc */
	uint32_t max_num;
	uint32_t max_depth;
	uint16_t header_location_supported, header_location_enabled;
	uint16_t entry_size_supported, entry_size_enabled;
	uint16_t descs_before_header_supported, descs_before_header_enabled;
	uint16_t stride_supported, stride_enabled;
	uint8_t version;
	uint8_t entry_size_recommended;
	uint16_t max_wide_depth;
	uint16_t accel_flags;
	uint16_t accel_max_burst;
	uint32_t accel_reserved;
};
#define LLQ_INLINE_HEADER 1
#define LLQ_ENTRY_128 1
#define LLQ_ENTRY_256 4
#define LLQ_MULTIPLE_DESCS 2
#define LLQ_VERSION_1 1
#define LLQ_LIMIT_BURST BIT(1) /* ENA_ADMIN_LIMIT_TX_BURST; accel_max_burst is in bytes */

struct hw_offload { /* ena_admin_feature_offload_desc */
	uint32_t tx;
	uint32_t rx_supported;
	uint32_t rx_enabled;
};
#define OFFLOAD_TX_L3_IPV4 BIT(0)
#define OFFLOAD_TX_L4_IPV4_PARTIAL BIT(1)
#define OFFLOAD_TX_L4_IPV6_PARTIAL BIT(3)
#define OFFLOAD_RX_L3_IPV4 BIT(0)
#define OFFLOAD_RX_L4_IPV4 BIT(1)
#define OFFLOAD_RX_L4_IPV6 BIT(2)
#define OFFLOAD_RX_HASH BIT(3)

struct hw_hash_function { /* ena_admin_feature_rss_flow_hash_function */
	uint32_t supported;
	uint32_t selected;
	uint32_t init_val;
};
#define HASH_TOEPLITZ BIT(1)

struct hw_hash_key { /* ena_admin_feature_rss_flow_hash_control */
	uint32_t parts;
	uint32_t reserved;
	uint8_t key[40]; /* last byte first: [rss] ena_reorder_rss_hash_key */
};

/* ena_admin_feature_rss_hash_control: fields per protocol, supported, selected, reserved twice. */
struct hw_hash_input {
	struct {
		uint16_t fields;
		uint16_t reserved;
	} supported[16], selected[16], reserved[32];
};
enum { /* ena_admin_flow_hash_proto */
	PROTO_TCP4 = 0,
	PROTO_UDP4 = 1,
	PROTO_TCP6 = 2,
	PROTO_UDP6 = 3,
	PROTO_IP4 = 4,
	PROTO_IP6 = 5,
	PROTO_IP4_FRAG = 6,
	PROTO_NOT_IP = 7,
	PROTO_TCP6_EX = 8,
	PROTO_IP6_EX = 9,
};
#define FIELD_L2_DA BIT(0)
#define FIELD_L2_SA BIT(1)
#define FIELD_L3_DA BIT(2)
#define FIELD_L3_SA BIT(3)
#define FIELD_L4_DP BIT(4)
#define FIELD_L4_SP BIT(5)

struct hw_rss_table { /* ena_admin_feature_rss_ind_table */
	uint16_t min_size, max_size, size; /* logarithms */
	uint8_t flags;			   /* 0: one entry can be updated */
	uint8_t reserved;
	uint32_t inline_index;
	uint16_t inline_queue;
	uint16_t inline_reserved;
};

struct hw_rss_entry { /* ena_admin_rss_ind_table_entry: names an Rx SQ */
	uint16_t queue;
	uint16_t reserved;
};

struct hw_aenq_config { /* ena_admin_feature_aenq_desc */
	uint32_t supported;
	uint32_t enabled;
};
enum { AENQ_LINK_CHANGE = 0, AENQ_FATAL_ERROR = 1, AENQ_KEEP_ALIVE = 4 };

struct hw_link { /* ena_admin_get_feature_link_desc */
	uint32_t speed;
	uint32_t supported;
	uint32_t flags; /* 0: autoneg, 1: full duplex */
};

struct hw_host_attr { /* ena_admin_set_feature_host_attr_desc */
	struct hw_addr info;
	struct hw_addr debug;
	uint32_t debug_len;
};

struct hw_hints { /* ena_admin_ena_hw_hints: 0 leaves the driver's own value */
	uint16_t mmio_read_timeout;
	uint16_t driver_watchdog_timeout;
	uint16_t missing_tx_timeout;
	uint16_t missing_tx_threshold;
	uint16_t admin_timeout;
	uint16_t netdev_wd_timeout;
	uint16_t max_tx_sgl, max_rx_sgl;
	uint16_t reserved[8];
};

enum { STATS_BASIC = 0, STATS_ENI = 2, STATS_CUSTOMER_METRICS = 4 };
#define METRICS_ALL 0x3f /* ENA_ADMIN_CUSTOMER_METRICS_SUPPORT_MASK */

struct hw_basic_stats { /* ena_admin_basic_stats: each value low word, high word */
	uint32_t words[14];
};
enum { /* indices of the low words */
	BASIC_TX_BYTES = 0,
	BASIC_TX_PKTS = 2,
	BASIC_RX_BYTES = 4,
	BASIC_RX_PKTS = 6,
	BASIC_RX_DROPS = 8,
	BASIC_TX_DROPS = 10,
	BASIC_RX_OVERRUNS = 12,
};

struct hw_aenq_entry { /* ena_admin_aenq_entry */
	uint16_t group;
	uint16_t syndrome;
	uint8_t flags; /* 0: phase */
	uint8_t reserved[3];
	uint32_t timestamp_lo, timestamp_hi;
	uint32_t data[12];
};
static_assert(sizeof(struct hw_aenq_entry) == 64, "ena_admin_aenq_entry");

/* --- I/O queues [io] -------------------------------------------------------------------------- */

struct hw_tx_desc { /* ena_eth_io_tx_desc, ena_eth_io_tx_meta_desc */
	uint32_t len_ctrl;
	uint32_t meta_ctrl;
	uint32_t addr_lo;
	uint32_t addr_hi_header;
};
#define TX_LENGTH(d) ((d)->len_ctrl & 0xffff)
#define TX_META_DESC BIT(23)
#define TX_PHASE BIT(24)
#define TX_FIRST BIT(26)
#define TX_LAST BIT(27)
#define TX_COMP_REQ BIT(28)
#define TX_REQ_ID(d) ((uint16_t)((((d)->len_ctrl >> 16 & 0x3f) << 10) | (d)->meta_ctrl >> 22))
#define TX_HEADER_LENGTH(d) ((d)->addr_hi_header >> 24)
#define TX_ADDR(d) ((uint64_t)((d)->addr_hi_header & 0xffff) << 32 | (d)->addr_lo)
#define TX_TSO BIT(7)
#define TX_L3_CSUM BIT(13)
#define TX_L4_CSUM BIT(14)
#define TX_L4_PARTIAL BIT(17)

struct hw_tx_cdesc { /* ena_eth_io_tx_cdesc */
	uint16_t req_id;
	uint8_t status;
	uint8_t flags; /* 0: phase */
	uint16_t sub_qid;
	uint16_t sq_head;
};

struct hw_rx_desc { /* ena_eth_io_rx_desc */
	uint16_t length; /* 0: 64K */
	uint8_t mbz;
	uint8_t ctrl;
	uint16_t req_id;
	uint16_t mbz2;
	uint32_t addr_lo;
	uint16_t addr_hi;
	uint16_t mbz3;
};
#define RX_PHASE BIT(0)

struct hw_rx_cdesc { /* ena_eth_io_rx_cdesc_base */
	uint32_t status;
	uint16_t length;
	uint16_t req_id;
	uint32_t hash;
	uint16_t sub_qid;
	uint8_t offset;
	uint8_t reserved;
};
#define RXC_L3(proto) (proto)
#define RXC_L4(proto) ((proto) << 8)
#define RXC_L3_CSUM_ERR BIT(13)
#define RXC_L4_CSUM_ERR BIT(14)
#define RXC_IPV4_FRAG BIT(15)
#define RXC_L4_CSUM_CHECKED BIT(16)
#define RXC_PHASE BIT(24)
#define RXC_FIRST BIT(26)
#define RXC_LAST BIT(27)
#define RXC_BUFFER BIT(30)
enum { L3_IPV4 = 8, L3_IPV6 = 11, L4_TCP = 12, L4_UDP = 13 };

#define INTR_UNMASK BIT(30) /* in the unmask register: ena_eth_io_intr_reg */

#define IO_DESC_SIZE 16 /* of Tx and Rx descriptors */
static_assert(sizeof(struct hw_tx_desc) == IO_DESC_SIZE, "ena_eth_io_tx_desc");
static_assert(sizeof(struct hw_rx_desc) == IO_DESC_SIZE, "ena_eth_io_rx_desc");
static_assert(sizeof(struct hw_tx_cdesc) == 8, "ena_eth_io_tx_cdesc");
static_assert(sizeof(struct hw_rx_cdesc) == 16, "ena_eth_io_rx_cdesc_base");

#endif
