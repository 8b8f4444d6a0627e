/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef BUS_COUNT_H
#define BUS_COUNT_H

/*
 * What one virtual CPU asks of the bus: its accesses to the device under test go in, PCIe memory
 * writes come out, by way of the write-combining buffers where the page is WC.
 *
 * PCIe memory writes. An uncached store is one write, or two if it crosses a line. A full line from
 * a WC buffer is one; of a partial line each aligned 8-byte chunk that holds something is one
 * ("Buffering of Write Combining Memory Locations" in the Intel SDM, volume 3A: a buffer evicted
 * partially filled goes out chunk by chunk; some processors do better).
 *
 * Bytes on the wire, per the PCI Express base specification (4.0): data in whole DWs (2.2.2, byte
 * enables 2.2.5), a header of 3 DWs below 4 GB and 4 above (2.2.4.1), sequence number and LCRC
 * (3.6.2) and framing (4.2.1.2 and 4.2.2.3): together 8 bytes at any speed from 2.5 to 32 GT/s.
 * No ECRC, no DLLPs.
 */

#include <stdio.h>

#include "decode.h"
#include "walk.h"
#include "wcbuf.h"

#define PAYLOAD_DEFAULT 128	/* Max_Payload_Size: the least that a device supports (7.5.3.3) */

#define COUNTERS \
	C(uc_stores)		/* store instructions by type of the page */ \
	C(wc_stores) \
	C(other_stores)		/* the page was neither: counted as uncached */ \
	C(loads) \
	C(store_bytes) \
	C(pcie_writes) \
	C(wc_writes)		/* of those, from WC buffers */ \
	C(payload_bytes)	/* bytes stored that reach the device */ \
	C(wire_bytes) \
	C(full_lines) \
	C(partial_lines) \
	C(merged_stores)	/* that overwrote bytes before they had left */ \
	C(sfence)		/* in user mode, also below */ \
	C(mfence) \
	C(lfence) \
	C(locked) \
	C(serialising) \
	C(interrupts)		/* and exceptions */ \
	C(late_ns)		/* behind its pace, beyond what it may make up for */ \
	C(instructions)

struct counters {
#define C(name) uint64_t name;
	COUNTERS
#undef C
};

/* An instruction that stores to the device. */
struct site {
	uint64_t address;
	uint64_t stores;
	uint64_t writes;	/* PCIe writes of lines that this one was the last to store to */
	uint64_t partial;	/* of those lines, partial ones */
	uint64_t residency;	/* instructions, worst */
};

#define N_SITES 1024	/* a power of two; what finds no place goes into the last */
/* Instructions that stores waited: exact below 1024, then 64 steps an octave. */
#define N_RESIDENCY (1024 + 54 * 64)

#define NO_WRITE UINT64_MAX

/*
 * An emulated CPU that has all its time from here: each instruction takes so long, and each PCIe
 * write as long as so many instructions. Emulation must be faster by itself; then a packet takes
 * what its counts and these costs make, whatever else the host does meanwhile.
 */
struct pace {
	uint64_t ps;		/* an instruction; 0: everything takes as long as it does */
	uint64_t uc, wc;	/* of a write, uncached and from a WC buffer: thousandths of one */
};

/* What a CPU that was held up (the host had no time for it) may make up for, by being faster. */
#define PACE_CREDIT_NS 200000000

struct core {
	struct wcbuf wc;
	unsigned int payload;
	struct counters c;
	uint64_t lines[N_WC_CAUSES];		/* that left, by what drained them */
	uint64_t left[N_WC_CAUSES];		/* stores in them */
	uint64_t residency[N_RESIDENCY];
	uint64_t residency_worst;
	uint64_t hash;				/* of the stored bytes, in order (FNV-1a) */
	struct site sites[N_SITES];
	/* The store before, of which the next may be the rest. */
	struct {
		uint64_t now, site, end;
		uint64_t open;	/* where its uncached write began; NO_WRITE: it made none */
	} last;
	struct {
		bool begun;
		int64_t origin;	/* ns: when it would have begun, on time */
	} pace;
};

void
core_init(struct core *core, unsigned int buffers, unsigned int payload);

/* Forget everything. */
void
core_reset(struct core *core);

/*
 * A store to [pa, pa + length), all in one page. rest: the second part of one that began in another
 * page.
 */
void
core_store(struct core *core, enum memtype type, uint64_t pa, const uint8_t *value,
	unsigned int length, enum insn_kind kind, uint64_t now, uint64_t site, bool rest);

void
core_load(struct core *core, enum memtype type, uint64_t pa, unsigned int length, uint64_t now);

/* Before an instruction that is not INSN_PLAIN. */
void
core_insn(struct core *core, enum insn_kind kind, uint64_t now, uint64_t site);

void
core_interrupt(struct core *core, uint64_t now);

/* An access, not to the device, that empties the buffers. */
void
core_uncached(struct core *core, uint64_t now);

/* ns that so many instructions and all writes until now take at that pace. */
uint64_t
core_takes(const struct core *core, const struct pace *pace, uint64_t instructions);

/*
 * After a store, at now_ns: when the CPU may go on, in ns. Time begins with the first store, so
 * that a CPU which has slept before has none to make up for.
 */
int64_t
core_goes_on(struct core *core, const struct pace *pace, uint64_t instructions, int64_t now_ns);

/* Add from's counts, not its buffers, to into. */
void
core_add(struct core *into, const struct core *from);

/* Lines "NAME VALUE", and "site ADDRESS STORES WRITES PARTIAL RESIDENCY", busiest first. */
void
core_report(const struct core *core, FILE *f);

/* Smallest value that at least this share of the stores did not exceed. */
uint64_t
core_residency(const struct core *core, double share);

#endif
