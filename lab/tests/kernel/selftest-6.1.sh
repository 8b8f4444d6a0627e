# SPDX-License-Identifier: BSD-3-Clause
# kernel: 6.1
# device: pcie-pci-bridge,id=pci1,addr=a.0 pci-testdev,bus=pci1,addr=1.0,membar=1G,membar-backed=on
# stage: test
# timeout: 600
# The kernel selftest on bookworm's kernel with its series: same interface, same program.

. /src/lab/tests/lib.sh
. /src/lab/tests/selftest.sh

is "the kernel" "$(uname -r | cut -d. -f1,2)" 6.1
echo "testdev $(grep -l 0x0005 /sys/bus/pci/devices/*/device | cut -d/ -f6) -" >>/run/lab/devices

for device in ivshmem testdev virtio igbvf; do
	case $device in ivshmem | testdev) ram=2 ;; *) ram= ;; esac
	selftest $device "$ram"
	is "$device: exit status" $? 0
	selftest_results $device
done

is "tests that ran on no device" "$(selftest_never_ran)" ""
