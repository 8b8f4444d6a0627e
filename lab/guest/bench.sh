#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# bench.sh [--quick] [--wc-by-kernel] [--device NAME] [-- ARGS...]: what lab/run bench runs in the
# guest. Results: /results/NAME.json for each device.

set -u
devices='virtio vmxnet3'
args=(--repeats 6 --warmup 0.3 --window 0.5 --arms uc,wc)
while [ $# -gt 0 ]; do
	case $1 in
	--quick) args+=(--repeats 2) ;;
	--wc-by-kernel) args+=(--wc-by kernel --arms wc) ;;
	--device) devices=$2; shift ;;
	--) shift; args+=("$@"); break ;;
	*) echo "bench.sh: what is $1?" >&2; exit 2 ;;
	esac
	shift
done

probe=$(lab-bind ivshmem),bar=2,offset=0,len=0x10000
worst=0
for device in $devices; do
	addr=$(lab-bind "$device") || exit
	case $device in
	virtio) range=virtio-notify ;;
	vmxnet3) range=bar=0 ;; # the doorbells have a BAR of their own
	igbvf) range=bar=0,offset=0x3000,len=0x1000 ;; # the page of the transmit registers
	esac
	netdev=$(awk -v name="$device" '$1 == name { print $3 }' /run/lab/devices)
	dpdk-test-wc-perf --device "$addr" --range "$range" --backend "$netdev" --probe "$probe" \
		--json "/results/$device.json" "${args[@]}"
	status=$?
	[ $status -eq 0 ] || echo "bench: $device: dpdk-test-wc-perf ended with status $status"
	[ $status -le $worst ] || worst=$status
done
exit $worst
