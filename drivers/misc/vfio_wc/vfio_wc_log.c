/* SPDX-License-Identifier: BSD-3-Clause */

#include "vfio_wc_log.h"

RTE_LOG_REGISTER(vfio_wc_logtype, pmd.misc.vfio_wc, NOTICE);
