/* SPDX-License-Identifier: BSD-3-Clause */

/* The other end of the cable of a device: see traffic.c. */

#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <stdbool.h>
#include <stdio.h>

struct ena;
struct traffic;

/* Plugs itself in; to be freed before the device. */
struct traffic *traffic_new(struct ena *ena);
void traffic_free(struct traffic *traffic);
/* Generate a little; true: there is more to do. */
bool traffic_run(struct traffic *traffic);
void traffic_wire(struct traffic *traffic, int fd);
void traffic_wire_readable(struct traffic *traffic);
/* Record all frames in a file from now on; NULL: no more. False: errno says why. */
bool traffic_pcap(struct traffic *traffic, const char *path);
/* A command line (see main.c); the answer, one line, goes to out. False: not one of ours. */
bool traffic_command(struct traffic *traffic, char **words, unsigned int count, FILE *out);

#endif
