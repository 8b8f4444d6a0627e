/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef MMIO_TEST_BUS_H
#define MMIO_TEST_BUS_H

#include <stdint.h>

/* The witness's verb "bus" (lab/host/witness.py), for programs in the guest. */

struct bus {
	int fd;
	char text[8192]; /* the last answer */
};

/* Open the port that WC_WITNESS names. -1: says why on stderr. */
int
bus_open(struct bus *bus);

/* Ask, as printf() would print it; wait for the answer. -1: says why on stderr. */
int
bus_ask(struct bus *bus, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A value of the answer; UINT64_MAX: there is none. */
uint64_t
bus_value(const struct bus *bus, const char *name);

#endif
