# SPDX-License-Identifier: BSD-3-Clause
# append: iomem=relaxed
# timeout: 180
# What the kernel refuses, required: the program cannot map the BAR, and the reason is said.

. /src/lab/tests/run.sh
plan 8

virtio=$(bdf virtio) vf=$(bdf igbvf)
refused() { # NAME DEVICE RANGE REGEX
	under --range "dev=$2,$3,mode=required"
	testpmd_start -a "$2" -- --forward-mode=txonly || return
	matches "$1: device, BAR, range and reason" "$(run_lines)" \
		"^vfio-wc-run: $2 BAR $4; it is not mapped, since mode=required$"
	matches "$1: testpmd has no port" "$(<$testpmd_log)" "No probed ethernet devices"
	testpmd_stop
}
refused "MSI-X table" "$virtio" bar=1 \
	"1 \[0x0, 0x1000\): the MSI-X table is in \[0x0, 0x1000\) and stays uncached"
refused "beyond the BAR" "$vf" bar=0,offset=0x8000 \
	"0 \[0x8000, 0x8000\): the range leaves the BAR, which has 0x4000 bytes"

# Somebody else has the page uncached, through sysfs.
coproc HOLDER { exec python3 -c '
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_SYNC)
page = mmap.mmap(fd, 0x4000)
print("held", page[0x3000] * 0, flush=True)
sys.stdin.read()' "/sys/bus/pci/devices/$virtio/resource4"; }
holder=$HOLDER_PID
read -r -t $((60 * patience)) held <&"${HOLDER[0]}"
is "somebody else has the page uncached" "$held" "held 0"
refused "a page that is held" "$virtio" bar=4,offset=0x3000 \
	"4 \[0x3000, 0x4000\): mmap as WC: a page of it is held with another memory type.*"
# shellcheck disable=SC1083,SC2093 # closes a file
exec {HOLDER[1]}>&-
wait "$holder"
under --range "dev=$virtio,bar=4,offset=0x3000,mode=required"
testpmd_start -a "$virtio" -- --forward-mode=txonly || exit
is "when it is free again it is WC" "$(leaf_types "$virtio" 4 0x3000 0x1000)" "1 WC,others UC-"
testpmd_stop
