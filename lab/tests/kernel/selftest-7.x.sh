# SPDX-License-Identifier: BSD-3-Clause
# kernel: 7.x
# stage: test
# timeout: 300
# The kernel selftest of the series for mainline, with libvfio: plain memory, and a NIC with MSI-X. Files are of the
# group only: Debian's kernel has no iommufd.

. /src/lab/tests/lib.sh
. /src/lab/tests/selftest.sh

for device in ivshmem virtio; do
	case $device in ivshmem) ram=2 ;; *) ram= ;; esac
	selftest $device $ram
	is "$device: exit status" $? 0
	selftest_results $device
	is "$device: tests of DMABUFs that ran" "$(grep -cE '^ok .*dmabuf$' "/tmp/selftest.$device")" 1
done
