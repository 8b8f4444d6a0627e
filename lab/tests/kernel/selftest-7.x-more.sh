# SPDX-License-Identifier: BSD-3-Clause
# kernel: 7.x 7.x-modules
# stage: long
# timeout: 900
# As selftest.sh, for the series for 7.x: devices that differ; no test may be skipped on all of
# them.

. /src/lab/tests/lib.sh
. /src/lab/tests/selftest.sh

selftest_on ivshmem testdev virtio igbvf
selftest_plan 1
selftest_results
is "tests that ran on no device" "$(selftest_never_ran)" ""
