# SPDX-License-Identifier: BSD-3-Clause
# kernel: 6.1 7.x
# stage: long
# timeout: 600
# What wc.sh shows, on the other kernels.

. /src/lab/tests/run/wc.sh
