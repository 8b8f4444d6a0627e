# SPDX-License-Identifier: BSD-3-Clause
# stage: fast
# The lab itself: what every other script relies on.

. /src/lab/tests/lib.sh

plan 5

is "the devices by name" "$(cut -d' ' -f1 /run/lab/devices | paste -sd' ')" \
	"virtio vmxnet3 igb igbvf ivshmem ena enb"
matches "an IOMMU group for each" "$(ls /sys/kernel/iommu_groups)" "^[5-9]$"
matches "the witness knows the PAT" "$(witness pat)" "^pat WB "
matches "the witness refuses nonsense" "$(witness frobnicate)" "^error "
matches "no CPU runs a process with that page" "$(witness walk 0 0x1000 0x1000 0x1234000)" "^error anchor"
