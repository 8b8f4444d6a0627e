/* SPDX-License-Identifier: BSD-3-Clause */

/* Tx and Rx queues. */

#ifndef ENA_IO_H
#define ENA_IO_H

#include "ena.h"

/* Who is at the other end of the cable from now on; NULL: nobody. */
void ena_io_plug(struct ena *ena, const struct ena_port *port, void *arg);
void ena_io_doorbell(struct ena *ena, unsigned int sq, uint32_t tail);
void ena_io_unmask(struct ena *ena, unsigned int cq, uint32_t value);
/* Is there room for a frame of that length now? */
bool ena_rx_room(struct ena *ena, unsigned int sq, size_t len);
/* Give a frame to the driver: false when it did not fit. The interrupt waits for ena_rx_done(). */
bool ena_rx(struct ena *ena, unsigned int sq, const uint8_t *frame, size_t len, uint32_t hash);
void ena_rx_done(struct ena *ena, unsigned int sq);
/* The Rx queue that RSS picks, -1: there is none. */
int ena_rx_queue(const struct ena *ena, const uint8_t *frame, size_t len, uint32_t *hash);

#endif
