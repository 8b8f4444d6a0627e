/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_PERF_PERF_H
#define WC_PERF_PERF_H

/* dpdk-test-wc-perf: returns the exit status, see log.h. */
int
perf(int argc, char **argv);

#endif
