/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_BUS_H
#define WC_PERF_BUS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>

#include "log.h"
#include "pci.h"

/*
 * What the forwarding lcores ask of the bus while they forward: counted by the witness, where it
 * can (in the lab: a plugin of the emulator sees every store; lab/bus).
 */

#define BUS_SITES 16

/*
 * Instructions. A doorbell that waits for longer has lost by being write-combining: at 3 GHz and
 * one instruction a cycle this is 333 ns, more than an uncached store takes.
 */
#define BUS_LINGER 1000

struct bus_site {
	uint64_t address;
	char object[64];	/* file that holds the code; empty: unknown */
	uint64_t offset;	/* in the file */
	uint64_t stores;
	uint64_t writes;
	uint64_t partial;
	uint64_t residency;
};

struct bus {
	bool counted;
	json_t *values;		/* what the witness counted, by name */
	struct bus_site sites[BUS_SITES];
	unsigned int n_sites;
};

/*
 * Start counting what the CPUs of a mask do to the device's BARs. WC_OK and *counting false: this
 * witness does not count.
 */
enum wc_status
bus_start(int witness, uint64_t cpus, const struct vfio_wc_sysfs *dev, bool *counting);

/* Stop, and take what was counted. */
enum wc_status
bus_stop(int witness, struct bus *bus);

/* One line of the answer. 0: more to come; 1: complete; -1: not an answer. */
int
bus_parse(const char *line, struct bus *bus);

/* Which files hold the instructions that stored; the process still lives. */
void
bus_locate(struct bus *bus, pid_t pid);

void
bus_free(struct bus *bus);

/* What was counted under a name, a packet; 0 if nothing was. */
double
bus_per_packet(const struct bus *bus, const char *name, uint64_t packets);

/* Stores wait for so long in a WC buffer that nobody seems to flush it. */
bool
bus_lingers(const struct bus *bus);

/* The CPUs were held for as long as stores cost somewhere (lab/bus). */
bool
bus_emulated(const struct bus *bus);

/* As the result has it. */
json_t *
bus_json(const struct bus *bus, uint64_t packets, unsigned int burst);

#endif
