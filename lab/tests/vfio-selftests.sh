# SPDX-License-Identifier: BSD-3-Clause
# For the scripts that run the kernel's own tests, tools/testing/selftests/vfio as it is in 7.x,
# on kernels with and without the series, which have iommufd: both must get what
# vfio-selftests.results says, which is what they get without. All pass but those that are skipped:
# for hugepages of 1 GB, for MSI and MSI-X where a device has none, for a driver of libvfio's own,
# and for VFs, which none of these devices has.
# shellcheck disable=SC2154 # patience is lib.sh's

vfio_selftests="vfio_dma_mapping_test vfio_dma_mapping_mmio_test vfio_iommufd_setup_test
	vfio_pci_device_test vfio_pci_device_init_perf_test vfio_pci_driver_test
	vfio_pci_sriov_uapi_test"

# Each as the kernel's harness reports it, and the exit status; not why one was skipped.
vfio_selftests_run() { # DEVICE
	local test addr
	addr=$(lab-bind "$1") || return 1
	for test in $vfio_selftests; do
		timeout $((60 * patience)) "$test" "$addr" >"/tmp/$test.$1.log" 2>&1
		echo "$1 $test exits with $?"
		sed -nE "s/(# SKIP).*/\1/; s/^(ok|not ok) [0-9]+ /$1 \1 /p" "/tmp/$test.$1.log"
	done
}

plan 3
for device in virtio igbvf; do
	vfio_selftests_run $device >"/tmp/results.$device"
	is "$device: results of $(grep -c ' ok \| not ok ' "/tmp/results.$device") tests" \
		"$(grep "^$device " /src/lab/tests/kernel/vfio-selftests.results |
			diff - "/tmp/results.$device" 2>&1)" ""
done
at_least "tests that passed, of all" "$(cat /tmp/results.* | grep ' ok ' | grep -vc '# SKIP')" 90
