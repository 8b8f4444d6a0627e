# SPDX-License-Identifier: BSD-3-Clause
# append: intel_iommu=off
# stage: long
# A machine without an IOMMU: dpdk-wc-info says what is missing, and what mends it.

. /src/lab/tests/lib.sh
plan 4

lab-bind -d none ena enb virtio vmxnet3 igbvf ivshmem >/dev/null
out=$(dpdk-wc-info)
is "no IOMMU: status" $? 4
matches "no IOMMU: why" "$out" "Missing: the IOMMU is off: .* has intel_iommu=off"
matches "no IOMMU: and the other way" "$out" "no-IOMMU mode"
matches "nothing bound: what mends it" "$out" "dpdk-devbind.py --bind=vfio-pci ADDRESS"
