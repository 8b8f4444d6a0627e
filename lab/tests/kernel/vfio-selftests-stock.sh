# SPDX-License-Identifier: BSD-3-Clause
# kernel: 7.x
# modules: debug-stock
# append: no5lvl
# stage: long
# timeout: 1800
# The kernel's own, unmodified tests of vfio, on the same kernel without the series: the
# same results on both.

. /src/lab/tests/lib.sh
. /src/lab/tests/vfio-selftests.sh
