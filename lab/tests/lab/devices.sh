# SPDX-License-Identifier: BSD-3-Clause
# stage: fast
# The lab itself: what every other script relies on.

. /src/lab/tests/lib.sh
plan 7

is "the devices by name" "$(cut -d' ' -f1 /run/lab/devices | paste -sd' ')" \
	"virtio vmxnet3 igb igbvf ivshmem ena enb testdev nvme crypto"
driver() { basename "$(readlink "/sys/bus/pci/devices/$1/driver")"; }
group() { basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group")"; }
is "an IOMMU group for each" "$(while read -r _ addr _; do
	group "$addr"
done </run/lab/devices | grep -x '[0-9]*' | sort -u | wc -l)" 10
lab-bind -d none virtio >/dev/null
is "a device is taken from vfio-pci" "$(driver "$(bdf virtio)")" ""
lab-bind virtio >/dev/null
is "and given to it" "$(driver "$(bdf virtio)")" vfio-pci
matches "the witness knows the PAT" "$(witness pat)" "^pat WB "
matches "the witness refuses nonsense" "$(witness frobnicate)" "^error "
matches "no CPU runs a process with that page" "$(witness walk 0 0x1000 0x1000 0x1234000)" \
	"^error anchor"
