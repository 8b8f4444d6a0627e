/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_RUN_H
#define WC_PERF_RUN_H

#include "report.h"

/*
 * The measurement: of n builds (1; 2: ours and another) that are otherwise alike, whose starts
 * alternate. Each of r holds what was asked (args, device, place, range) and receives what came of
 * it, also when it ends early.
 */
enum wc_status
run(struct result *r, unsigned int n, int witness);

/*
 * The order of the arms in a round, of turns or of starts: two rounds make a block, a random order
 * and then its mirror image (ABBA, CABBAC, ...), in which whatever drifts steadily cancels out.
 */
void
run_order(uint64_t seed, unsigned int round, enum arm order[N_ARMS]);

#endif
