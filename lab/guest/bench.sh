#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# bench.sh [--quick] [--wc-by-kernel] [--emulated] [--device NAME] [-- ARGS...]: what lab/run bench
# runs in the guest. Result: /results/bench.json. ARGS go to dpdk-test-wc-perf; of repeated ones the
# last counts.

set -u
# The NIC that needs WC. Under emulation a start of testpmd takes 5 s, a turn 1.2 s.
devices=ena
args=(--mem 64 --repeats 3 --warmup 0.2 --window 0.5)
while [ $# -gt 0 ]; do
	case $1 in
	--quick) args+=(--repeats 2 --turns 1 --window 0.4); devices='virtio vmxnet3 igbvf' ;;
	# The emulated machine is slow, and regular. Small bursts: the rate ends with one.
	--emulated) args+=(--window 1.5 --bursts 8 --arms 'uc,wc') ;;
	--wc-by-kernel) args+=(--wc-by kernel) ;;
	--device) only=$2; shift ;;
	--) shift; args+=("$@"); break ;;
	*) echo "bench.sh: what is $1?" >&2; exit 2 ;;
	esac
	shift
done

targets=()
[ "${only-}" != all ] || only='ena virtio vmxnet3 igbvf'
for device in ${only:-$devices}; do
	case $device in
	ena) range= ;; # the plugin's own table knows it
	virtio) range=virtio-notify ;;
	vmxnet3) range=bar=0 ;; # the doorbells have a BAR of their own
	igbvf) range=bar=0,offset=0x3000,len=0x1000 ;; # the page of the transmit registers
	*) echo "bench.sh: no device $device" >&2; exit 2 ;;
	esac
	addr=$(lab-bind "$device") || exit
	netdev=$(awk -v name="$device" '$1 == name { print $3 }' /run/lab/devices)
	targets+=(--device "$addr" ${range:+--range "$range"} --backend "$netdev")
done

# ivshmem's BAR2 is memory that nobody looks at.
probe=$(lab-bind ivshmem),bar=2,offset=0,len=0x100000
exec dpdk-test-wc-perf "${targets[@]}" --probe "$probe" --json /results/bench.json "${args[@]}"
