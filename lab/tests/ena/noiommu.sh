# SPDX-License-Identifier: BSD-3-Clause
# modules: noiommu
# append: intel_iommu=off vfio.enable_unsafe_noiommu_mode=1
# timeout: 600
# As most cloud instances run it: no IOMMU for VFIO, physical addresses, and BAR2 WC all the same.

. /src/lab/tests/ena.sh
plan 43

addr=$(lab-bind ena)
testpmd_start -a "$addr" -d "$plugin" --vdev=vfio_wc0,mode=required -- --forward-mode=txonly || exit
matches "DPDK uses physical addresses" "$(<$testpmd_log)" "Selected IOVA mode 'PA'"
matches "VFIO has a group without an IOMMU" "$(ls /dev/vfio)" "^noiommu-"
is "BAR2 is WC" "$(witness walk 1 "$(bar_va $testpmd 2)" 0x1000 "$(bar_pa "$addr" 2)" |
	awk '/^leaf/ { print $6 }')" WC
is "BAR0 is UC-" "$(witness walk 1 "$(bar_va $testpmd 0)" 0x1000 "$(bar_pa "$addr" 0)" |
	awk '/^leaf/ { print $6 }')" UC-
testpmd_stop

ena_traffic "no IOMMU, WC" llq -d "$plugin" --vdev=vfio_wc0,mode=required
