# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# timeout: 300
# What the benchmark says when something is missing: before anything starts, with its own status.

. /src/lab/tests/lib.sh
plan 32

addr=$(bdf virtio)
range=bar=4,offset=0x3000,len=0x1000
try() { # NAME STATUS REGEX ARGS...
	local name=$1 status=$2 regex=$3 out
	shift 3
	out=$(dpdk-test-wc-perf "$@" 2>&1)
	is "$name: status" $? "$status"
	matches "$name: message" "$out" "$regex"
}

try "no such device" 3 "0000:00:1e.7: no such PCI device" --device 0000:00:1e.7 --range $range
try "no address" 2 "eth0: not a PCI address" --device eth0 --range $range
try "no BAR" 3 "$addr BAR 2 .*no such BAR" --device "$addr" --range bar=2
try "outside the BAR" 2 "$addr BAR 4 0x4000.* leaves the BAR" \
	--device "$addr" --range bar=4,offset=0x4000
try "not a page" 2 "multiples of the page size" --device "${addr#0000:}" --range bar=4,offset=0x3800
try "no notify capability" 3 "no virtio notify capability" \
	--device "$(bdf vmxnet3)" --range virtio-notify
try "no testpmd" 3 "/nowhere/testpmd: no such program" \
	--device "$addr" --range $range --testpmd /nowhere/testpmd
try "no plugin" 3 "plugin /nowhere.so: No such file" \
	--device "$addr" --range $range --plugin /nowhere.so
try "too few hugepages" 3 "MB of hugepages free on node 0, 4096 MB needed" \
	--device "$addr" --range $range --mem 4096
try "no witness" 3 "/nowhere/witness: No such file" \
	--device "$addr" --range $range --witness /nowhere/witness
try "too few CPUs" 3 "5 CPUs needed" --device "$addr" --range $range --cores 4
try "no such back end" 3 "count net9" --device "$addr" --range $range --backend net9 \
	--arms plain --mem 64
try "no cookies in this kernel" 6 'testpmd on "port attach vfio_wc0,.*: Failed to attach' \
	--device "$addr" --range $range --arms uc --mem 64

# All at once, and no testpmd
try "check: all that is missing" 3 "missing  $addr: .*no mmap cookies" \
	--check --device "$addr" --range $range
try "check: the plain arm needs no cookies" 0 "ready    device $addr: ours to open" \
	--check --device "$addr" --range $range --arms plain --mem 64

lab-bind -d none virtio >/dev/null
try "not bound" 3 "$addr is not bound to vfio-pci but to no driver" --device "$addr" --range $range
lab-bind virtio >/dev/null
