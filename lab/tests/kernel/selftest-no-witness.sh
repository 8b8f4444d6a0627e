# SPDX-License-Identifier: BSD-3-Clause
# stage: test
# timeout: 300
# On real machines there is no witness: the kernel's own list of memory types must do.

. /src/lab/tests/lib.sh
. /src/lab/tests/selftest.sh
plan 44

WC_WITNESS='' selftest virtio
selftest_results
matches "who told of types" "$(</tmp/selftest.virtio)" "^# types as told by: pat_memtype_list"
