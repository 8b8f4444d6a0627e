# SPDX-License-Identifier: BSD-3-Clause
# append: intremap=off
# stage: long
# An IOMMU without interrupt remapping: the first error counts, and where the reason is.

. /src/lab/tests/lib.sh
plan 1

matches "no interrupt remapping" "$(dpdk-wc-info --open "$(bdf ena)" 2>&1)" \
	"no IOMMU for the group: Operation not permitted, the kernel's log says why"
