/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef WC_INFO_H
#define WC_INFO_H

/* Exit statuses, as in the help. */
enum { ALL_LEARNT, NOT_A_VFIO_DEVICE, BAD_USAGE, PARTLY_LEARNT, NO_DEVICE };

/* dpdk-wc-info: prints, and returns the exit status. */
int wc_info(int argc, char **argv);

#endif /* WC_INFO_H */
