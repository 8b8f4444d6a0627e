/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RECORD_H
#define RECORD_H

/*
 * What a process under vfio-wc-run says of itself, for dpdk-wc-info: a mapping of the file
 * "/memfd:vfio-wc", to be found in /proc/PID/maps and read by process_vm_readv(). It is a copy for
 * each process (a fork has its own), and memory that the program can write to: not to be believed
 * without asking the kernel.
 */

#include <stdbool.h>
#include <stdint.h>

#include "vfio_wc_conf.h"

#define RECORD_NAME "vfio-wc"
#define RECORD_MAGIC "vfio-wc record 1"
#define RECORD_RANGES 64

struct record_range {
	char device[VFIO_WC_BDF_LEN];
	uint8_t bar;
	uint8_t type;		/* enum rte_vfio_wc_type */
	uint8_t mode;		/* enum vfio_wc_mode */
	uint8_t from_table;
	uint8_t on;		/* the last mapping of it has the type */
	uint64_t offset;
	uint64_t length;
	uint64_t fd_offset;	/* of the plain range, as /proc/PID/maps has it */
	uint64_t va;		/* where the last mapping of it begins; 0: not on */
	char reason[160];
};

struct record {
	char magic[24];
	uint32_t nb_ranges;
	struct record_range range[RECORD_RANGES];
};

/*
 * This process's. What became of a range that is wanted of a device: mapped at va, or, with va 0,
 * not, for a reason. The callers have a lock. True: it is the first time that one of this device
 * is not.
 */
bool record_set(const char *device, const struct vfio_wc_wanted *wanted, uint64_t fd_offset,
		uint64_t va, const char *reason);

#endif /* RECORD_H */
