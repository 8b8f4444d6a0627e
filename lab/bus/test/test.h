/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef BUS_TEST_H
#define BUS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
