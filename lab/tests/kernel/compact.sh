# SPDX-License-Identifier: BSD-3-Clause
# modules: compact
# kernel: 7.x
# stage: long
# timeout: 1200
# Regions one behind the other in the device file, instead of 1 << 40 bytes apart: cookies work as
# ever, and nobody computes offsets: not the kernel's own selftests, not DPDK on the
# lab's NICs, not this project's plugin and tools.

. /src/lab/tests/run.sh
. /src/lab/tests/selftest.sh

export COMPACT_OFFSETS=1
selftest_on ivshmem testdev virtio igbvf
selftest_plan 11
selftest_results
is "tests that ran on no device" "$(selftest_never_ran)" ""

# Stock DPDK, the plugin and the benchmark, which asks where BARs are; types from the page tables.
result=/results/bench.json
for device in virtio vmxnet3 igbvf ena; do
	rm -f $result
	/src/lab/guest/bench.sh --device $device -- --repeats 1 --turns 1 --json $result
	is "$device: the benchmark's exit status" $? 0
	is "$device: types, and what saw them" "$($programs/query.py "[
		(a['cases'][0][arm]['memory_type'], a['cases'][0][arm]['memory_type_source'])
		for arm in ('plain', 'uc', 'wc')]" <$result)" \
		"[('UC-', 'pte'), ('UC-', 'pte'), ('WC', 'pte')]"
done

# The launcher, and what others see of its record.
addr=$(lab-bind ena)
under --mode required
testpmd_start -a "$addr" -- --forward-mode=txonly || exit
is "ena, the launcher: it is WC" "$(wc_entries "$addr" 2)" 0x0+0x100000
matches "ena, the launcher: dpdk-wc-info knows why" "$(dpdk-wc-info "$addr")" "vfio-wc-run"
testpmd_stop
