# SPDX-License-Identifier: BSD-3-Clause
# suites: bookworm
# dpdk: static-22.11
# stage: long
# timeout: 300
# A testpmd with EAL, bus and drivers in itself maps what one of shared libraries does, of the
# devices whose drivers declare and of those of which the user names ranges.

. /src/lab/tests/dpdk.sh
dpdk_is static-22.11
plan 26

addr=$(bdf ena)
memory_types_are

prompt_start -a "$addr" --vfio-wc=required -- --forward-mode=txonly --rxd=256 --txd=256 || exit
is "it is the program that was built" "$(readlink /proc/$testpmd/exe)" \
	/opt/dpdk-vfio-wc/dpdk-static-22.11/dpdk-testpmd
is "it has no library of DPDK's" "$(grep -o 'librte_.*' /proc/$testpmd/maps)" ""
look
is "BAR2, which takes the descriptors, is WC" "$(in_bar "$addr" 2 "$pages")" WC
is "BAR0, the registers, is UC-" "$(in_bar "$addr" 0 "$pages")" UC-
is "EAL has nothing to say" "$(wc_lines)" ""
prompt set fwd io
prompt start
circulate "5,000 frames, back as they were" 5000 1514
prompt stop
prompt_stop
memory_types_as_before "ena"

named_range virtio net0 4 0x3000
named_range vmxnet3 net1 0 0
named_range igbvf net2 0 0x3000

dpdk-testpmd --vfio-wc=maybe </dev/null >$testpmd_log 2>&1
matches "another word is refused" "$(<$testpmd_log)" 'invalid parameters for --vfio-wc$'
