/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef REPORT_H
#define REPORT_H

#include "device.h"

void report_text(const struct device *device);

/* The same as an object, the caller's. */
json_t *report_json(const struct device *device);

/* Is something of it unknown that was asked, or in dispute? */
bool report_is_incomplete(const struct device *device);

#endif /* REPORT_H */
