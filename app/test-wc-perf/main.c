/* SPDX-License-Identifier: BSD-3-Clause */

#include "perf.h"

int
main(int argc, char **argv)
{
	return perf(argc, argv);
}
