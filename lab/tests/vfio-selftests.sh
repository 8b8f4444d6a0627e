# SPDX-License-Identifier: BSD-3-Clause
# For the scripts that run the kernel's own tests, tools/testing/selftests/vfio as it is in 7.x,
# on kernels with and without the series, which have iommufd: both must get what
# vfio-selftests.results says, which is what they get without. All pass but those that are skipped:
# for hugepages of 1 GB, for MSI and MSI-X where a device has none, and, of a driver of libvfio's
# own, for all devices here.
# shellcheck disable=SC2154 # patience is lib.sh's

vfio_selftests="vfio_dma_mapping_test vfio_dma_mapping_mmio_test vfio_iommufd_setup_test
	vfio_pci_device_test vfio_pci_device_init_perf_test vfio_pci_driver_test
	vfio_pci_sriov_uapi_test"

# Each as the kernel's harness reports it, and the exit status; not why one was skipped.
vfio_selftests_run() { # DEVICE TEST...
	local name=$1 test addr
	addr=$(lab-bind "$name") || return 1
	shift
	for test; do
		timeout $((60 * patience)) "$test" "$addr" >"/tmp/$test.$name.log" 2>&1
		echo "$name $test exits with $?"
		sed -nE "s/(# SKIP).*/\1/; s/^(ok|not ok) [0-9]+ /$name \1 /p" \
			"/tmp/$test.$name.log"
	done
}

plan 4
for device in virtio igbvf igb; do
	tests=$vfio_selftests
	# The physical function, for what none of the others has: it makes VFs itself.
	if [ $device = igb ]; then
		tests=vfio_pci_sriov_uapi_test
		echo 0 >"/sys/bus/pci/devices/$(bdf igb)/sriov_numvfs"
		echo Y >/sys/module/vfio_pci/parameters/enable_sriov
	fi
	# shellcheck disable=SC2086 # words
	vfio_selftests_run $device $tests >"/tmp/results.$device"
	is "$device: results of $(grep -c ' ok \| not ok ' "/tmp/results.$device") tests" \
		"$(grep "^$device " /src/lab/tests/kernel/vfio-selftests.results |
			diff - "/tmp/results.$device" 2>&1)" ""
done
echo N >/sys/module/vfio_pci/parameters/enable_sriov
lab-bind -d igb igb >/dev/null
echo 1 >"/sys/bus/pci/devices/$(bdf igb)/sriov_numvfs"
at_least "tests that passed, of all" "$(cat /tmp/results.* | grep ' ok ' | grep -vc '# SKIP')" 140
