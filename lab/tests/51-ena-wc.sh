# SPDX-License-Identifier: BSD-3-Clause
# suites: trixie bookworm forky
# timeout: 600
# The plugin's own table knows ENA's BAR2: it becomes WC, the registers stay UC-, and nothing else
# changes for the PMD.

. /src/lab/tests/ena.sh

addr=$(bdf ena)
cp $pat_list /tmp/before
testpmd_start -a "$addr" -d "$plugin" --vdev=vfio_wc0 -- --forward-mode=txonly ||
	{ not_ok "testpmd starts" "see above"; exit; }
pages=$(leaves "$addr" 0)
in_bar() { # BAR: how many bytes' worth of leaves of each type lie in it
	local start end
	read -r start end _ <<<"$(sed -n "$(($1 + 1))p" "/sys/bus/pci/devices/$addr/resource")"
	while read -r pa type; do
		((pa >= start && pa <= end)) && echo "$type"
	done <<<"$pages" | sort -u | tr '\n' ' '
}
is "BAR2, which takes the descriptors, is WC" "$(in_bar 2)" "WC "
is "BAR0, the registers, is UC-" "$(in_bar 0)" "UC- "
is "BAR4, the MSI-X table, is not WC" "$(in_bar 4 | grep -c WC)" 0
is "the plugin is silent" "$(plugin_lines)" ""
testpmd_stop
is "and all is as before when testpmd has ended" "$(diff /tmp/before $pat_list)" ""

ena_traffic "WC" llq -d "$plugin" --vdev=vfio_wc0,mode=required
