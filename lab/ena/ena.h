/* SPDX-License-Identifier: BSD-3-Clause
 *
 * A model of Amazon's Elastic Network Adapter, as its drivers see it.
 *
 *	main.c		the process: options, the event loop, commands on stdin
 *	traffic.c	where frames go and come from; the generator, the check of what comes back
 *	ena_regs.c	the device: BAR0, reset
 *	ena_admin.c	admin queue, its commands
 *	ena_io.c	Tx and Rx queues, LLQ
 *	ena_event.c	asynchronous events; what happens when the driver breaks a rule
 *	ena_ring.c	rings of the admin queue and of events
 *	frame.c		what is in a frame: parsing, checksums, RSS hash
 *	vfu.c		BARs, config space, interrupts, guest memory: the way to QEMU
 *
 * Each calls those below it only; what the device has for whoever is plugged in goes through
 * struct ena_port.
 *
 * The guest is not trusted. Whatever is in guest memory or in the LLQ is copied once and then
 * checked. A driver that breaks the rules finds the device in its fatal-error state (DEV_STS) and
 * has to reset it, as it has to with real hardware; the reason goes to stderr.
 */

#ifndef ENA_H
#define ENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "ena_hw.h"
#include "vfu.h"

/* Dimensions. An LLQ slot is as large as the largest ring that fits: 1024 entries of 128 bytes or
 * 512 of 256. */
#define ENA_QUEUES 8
#define ENA_SQS (2 * ENA_QUEUES) /* Tx, then Rx */
#define ENA_CQS (2 * ENA_QUEUES)
#define ENA_VECTORS (1 + ENA_QUEUES)
#define ENA_MAX_DEPTH 1024
#define ENA_LLQ_SLOT (128 * 1024)
#define ENA_MAX_TX_DESCS 18 /* a packet; with the meta descriptor */
#define ENA_MAX_RX_DESCS 16
#define ENA_MAX_HEADER 96  /* 128-byte entry less two descriptors */
#define ENA_MAX_MTU 9216
#define ENA_MAX_FRAME (ENA_MAX_MTU + 14 + 4) /* Ethernet header, one VLAN tag */
#define ENA_ADMIN_DEPTH 1024		     /* largest admin ring accepted */
#define ENA_RSS_LOG 7

#define ENA_REGS_SIZE 0x4000
#define ENA_LLQ_SIZE (ENA_QUEUES * ENA_LLQ_SLOT)
#define ENA_MSIX_SIZE 0x2000 /* table at 0, PBA at 0x1000 */
#define ENA_DOORBELL(sq) (0x1000 + 0x10 * (sq))
#define ENA_UNMASK(cq) (0x2000 + 0x10 * (cq))

struct ena_cq {
	bool used;
	bool interrupts;
	uint16_t depth;
	uint16_t tail; /* free-running */
	uint8_t entry_size;
	uint32_t vector;
	uint64_t base;
};

/* An interrupt vector. All completion queues that share one share its mask, whichever of them has
 * it unmasked: Linux writes to the Tx queue's register for both [ena_netdev.c,
 * ena_unmask_interrupt()]. */
struct ena_vector {
	bool unmasked; /* the next completion interrupts; then the driver must unmask again */
	bool pending;  /* completions that nobody was told of */
};

struct ena_sq {
	bool used;
	bool llq;
	uint8_t direction;
	uint16_t cq;
	uint16_t depth;
	uint16_t head; /* free-running: what the device has taken */
	uint16_t tail; /* free-running: where the driver's doorbell is */
	uint16_t entry_size, before_header; /* LLQ */
	uint64_t base;
	uint64_t frames, bytes, doorbells, drops;
};

struct ena_counters {
	uint64_t tx_frames, tx_bytes, tx_drops;
	uint64_t rx_frames, rx_bytes, rx_drops;
	uint64_t violations; /* the driver broke a rule */
	uint64_t refused;    /* admin commands with an error for an answer */
	uint64_t resets;
	uint64_t llq_frames, host_frames; /* transmitted, by placement */
	uint64_t shaped;     /* held back, says the cloud: they go out all the same */
};

/* The other end of the cable, as the device calls it. */
struct ena_port {
	/* A frame that the driver sent. */
	void (*tx)(void *arg, const uint8_t *frame, size_t len);
	/* The driver rang a Tx doorbell, and all before it has been seen. */
	void (*tx_done)(void *arg);
	/* Rx queues have got buffers, or are new, or RSS or the link has changed. */
	void (*rx_room)(void *arg);
};

struct ena {
	struct vfu *vfu;
	const struct ena_port *port;
	void *port_arg;
	int llq_fd;
	uint8_t *llq;
	bool llq_offered;    /* what the device advertises */
	bool llq_wide;	     /* ... and recommends 256 byte entries */
	uint16_t llq_burst;  /* offered: entries between two doorbells; 0: any number */
	uint16_t llq_burst_taken;
	bool llq_configured; /* the driver has chosen */
	uint16_t llq_entry_size;

	uint32_t regs[REG_END / 4];
	bool fatal;
	bool link;
	bool shaping;	     /* each frame is beyond what the machine may send */
	uint8_t mac[6];
	uint32_t mtu;

	uint16_t aq_head, acq_tail, aenq_tail, aenq_head;
	bool aenq_enabled; /* the driver has given entries */
	uint32_t aenq_groups;

	uint8_t rss_key[40]; /* in the order of the Toeplitz definition */
	uint16_t rss_fields[16];
	uint16_t rss_table[1 << ENA_RSS_LOG];
	uint16_t rss_size; /* 0: all frames go to the first Rx queue */

	struct ena_cq cqs[ENA_CQS];
	struct ena_sq sqs[ENA_SQS];
	struct ena_vector vectors[ENA_VECTORS];
	struct ena_counters count;
	const char *name; /* in messages; NULL: say nothing */
};

static inline uint32_t
ena_reg(const struct ena *ena, unsigned int offset)
{
	return ena->regs[offset / 4];
}

#endif
