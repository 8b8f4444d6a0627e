# SPDX-License-Identifier: BSD-3-Clause
# suites: trixie bookworm forky
# long: bookworm
# timeout: 600
# The plugin's own table knows ENA's BAR2: it becomes WC, the registers stay UC-, and nothing else
# changes for the PMD.

. /src/lab/tests/ena.sh
plan 44

addr=$(bdf ena)
memory_types_are
testpmd_start -a "$addr" -d "$plugin" --vdev=vfio_wc0 -- --forward-mode=txonly || exit
pages=$(leaves "$addr" 0)
is "BAR2, which takes the descriptors, is WC" "$(in_bar "$addr" 2 "$pages")" WC
is "BAR0, the registers, is UC-" "$(in_bar "$addr" 0 "$pages")" UC-
is "BAR4, the MSI-X table, is not mapped" "$(in_bar "$addr" 4 "$pages")" ""
is "the plugin is silent" "$(plugin_lines)" ""
testpmd_stop
memory_types_as_before "testpmd has ended"

ena_traffic "WC" llq -d "$plugin" --vdev=vfio_wc0,mode=required
