# SPDX-License-Identifier: BSD-3-Clause
# kernel: 7.x
# modules: patched
# stage: long
# timeout: 600
# The kernel's own, unmodified tests of vfio, on modules with the series: the same results on both.

. /src/lab/tests/lib.sh
. /src/lab/tests/vfio-selftests.sh
