# SPDX-License-Identifier: BSD-3-Clause
# stage: long
# append: nopat
# timeout: 180
# Without PAT there is no write-combining: required says so, and nothing runs uncached.

. /src/lab/tests/run.sh
plan 3

ena=$(bdf ena)
under --mode required
testpmd_start -a "$ena" -- --forward-mode=txonly || exit
matches "device, BAR, range and reason" "$(run_lines)" \
	"^vfio-wc-run: $ena BAR 2 \[0x0, 0x100000\): WC: this memory type cannot be .*not mapped"
matches "testpmd has no port" "$(<$testpmd_log)" "No probed ethernet devices"
is "the BAR is not mapped" "$(bar_va $testpmd 2)" ""
testpmd_stop
