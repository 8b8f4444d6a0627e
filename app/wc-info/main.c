/* SPDX-License-Identifier: BSD-3-Clause */

#include "wc_info.h"

int
main(int argc, char **argv)
{
	return wc_info(argc, argv);
}
