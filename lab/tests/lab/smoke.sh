# SPDX-License-Identifier: BSD-3-Clause
# stage: fast
# One look at everything in a minute: the plugin, and the library in it, make exactly one page of a
# BAR write-combined under a stock testpmd; dpdk-wc-info says so; the bench measures one pair. Each
# has tests of its own that look closer.

. /src/lab/tests/plugin.sh
plan 8

virtio=$(bdf virtio)
memory_types_are
testpmd_start -a "$virtio" -d "$plugin" \
	--vdev="vfio_wc0,dev=$virtio,bar=4,offset=0x3000,len=0x1000,mode=required" -- \
	--forward-mode=txonly || exit
is "the page tables" "$(leaf_types "$virtio" 4 0x3000 0x1000)" "1 WC,others UC-"
is "the kernel's list: WC is" "$(wc_entries "$virtio" 4)" "0x3000+0x1000"
matches "dpdk-wc-info" "$(dpdk-wc-info "$virtio")" "^ *\[0x3000, 0x4000\) is WC"
testpmd_stop
at_least "testpmd sent" "$testpmd_sent" 100
memory_types_as_before "testpmd has ended"

/src/lab/guest/bench.sh --device virtio -- --arms uc,wc --repeats 1 --window 0.2
is "bench: exit status" $? 0
of_case() { $programs/query.py "(lambda case: $1)(a['cases'][0])" </results/bench.json; }
is "bench: types, and what saw them" "$(of_case "[case[arm][key] for arm in ('uc', 'wc')
	for key in ('memory_type', 'memory_type_source', 'counts_equal')]")" \
	"['UC-', 'pte', True, 'WC', 'pte', True]"
at_least "bench: frames sent in the write-combined arm" "$(of_case "min(case['wc']['sent'])")" 1000
