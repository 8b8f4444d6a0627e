/* SPDX-License-Identifier: BSD-3-Clause */

/* The admin queue. */

#ifndef ENA_ADMIN_H
#define ENA_ADMIN_H

#include "ena.h"

void ena_admin_doorbell(struct ena *ena, uint32_t tail);

#endif
