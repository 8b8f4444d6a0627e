/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef MISSING_H
#define MISSING_H

#include <stdbool.h>
#include <stdio.h>

#include <jansson.h>

/*
 * What this machine lacks before VFIO can have a device: an array of {what, mend}, the caller's;
 * mend is what to type or to set. With nothing_bound, the device comes last.
 */
json_t *missing_learn(bool nothing_bound);

void missing_text(const json_t *missing, FILE *f);

#endif /* MISSING_H */
