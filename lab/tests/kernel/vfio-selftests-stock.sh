# SPDX-License-Identifier: BSD-3-Clause
# kernel: 7.x
# modules: stock
# stage: long
# timeout: 600
# The kernel's own, unmodified tests of vfio, on the distribution's own modules: the same results
# on both.

. /src/lab/tests/lib.sh
. /src/lab/tests/vfio-selftests.sh
