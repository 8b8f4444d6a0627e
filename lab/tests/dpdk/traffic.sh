# SPDX-License-Identifier: BSD-3-Clause
# stage: long
# suites: bookworm
# dpdk: 22.11
# timeout: 600
# All that the stock PMD can do, with the BAR that LLQ pushes into write-combined by EAL: 69,000
# frames of all sizes come back as they were.

. /src/lab/tests/dpdk.sh
plan 39

ena_traffic "WC" llq "${drivers[@]}" --vfio-wc=required
