/* SPDX-License-Identifier: BSD-3-Clause */

/* The device as a whole. */

#ifndef ENA_REGS_H
#define ENA_REGS_H

#include "ena.h"

struct ena *ena_new(const char *name);
void ena_free(struct ena *ena);
void ena_set_link(struct ena *ena, bool up);

#endif
