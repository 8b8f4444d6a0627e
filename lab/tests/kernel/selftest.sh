# SPDX-License-Identifier: BSD-3-Clause
# device: pcie-pci-bridge,id=pci1,addr=a.0 pci-testdev,bus=pci1,addr=1.0,membar=1G,membar-backed=on
# stage: test
# timeout: 600
# The kernel selftest on devices that differ: small and huge BARs, with and without MSI-X, an I/O
# BAR, plain memory, a VF, resets of each kind. What one device lacks another has: no test may be
# skipped on all of them.

. /src/lab/tests/lib.sh
. /src/lab/tests/selftest.sh

# Memory that is really memory behind 1 GB of BAR2, an I/O BAR, and a bus that can be reset. No
# kernel driver knows it.
echo "testdev $(grep -l 0x0005 /sys/bus/pci/devices/*/device | cut -d/ -f6) -" >>/run/lab/devices

for device in ivshmem testdev virtio igbvf; do
	case $device in ivshmem | testdev) ram=2 ;; *) ram= ;; esac
	selftest $device $ram
	is "$device: exit status" $? 0
	selftest_results $device
done

# On real machines there is no witness: the kernel's own list of memory types must do.
WC_WITNESS= selftest virtio
is "virtio, without the witness: exit status" $? 0
selftest_results virtio | sed 's/virtio:/virtio, without the witness:/'

is "tests that ran on no device" "$(selftest_never_ran)" ""
