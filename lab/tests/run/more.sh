# SPDX-License-Identifier: BSD-3-Clause
# stage: long
# timeout: 480
# More of what wc.sh shows: UC- cookies, other PMDs, a file, all kinds of memory, a device that is
# attached at run time, the plugin as well, and the end of it all.

. /src/lab/tests/run.sh
plan 34

ena=$(bdf ena) virtio=$(bdf virtio) vf=$(bdf igbvf)
memory_types_are

# The ENA goes and comes.
under --mode required
prompt_start -a "$ena" -- --rxd=256 --txd=256 || exit
prompt port stop 0
prompt port close 0
prompt device detach "$ena"
is "ENA, detached: nothing of it is mapped" "$(grep -c vfio-device /proc/$testpmd/maps)" 0
is "ENA, detached: nothing of it is reserved" "$(wc_entries "$ena" 2)" none
prompt port attach "$ena"
prompt port start 0
prompt set fwd io
prompt start
circulate "ENA, attached again: 1,000 frames" 1000 60
pages=$(leaves "$ena" 0)
is "ENA, attached again: BAR2" "$(in_bar "$ena" 2 "$pages")" WC
is "ENA, attached again: BAR0" "$(in_bar "$ena" 0 "$pages")" UC-
prompt stop
prompt_stop

# A range, asked for: WC or a UC- cookie.
run() { # DEVICE NETDEV BAR OFFSET TYPE
	local name="$1 $5" addr before type=${5,,}
	addr=$(bdf "$1")
	before=$(frames "$2")
	under --verbose --range "dev=$addr,bar=$3,offset=$4,len=0x1000,mode=required,type=${type%-}"
	testpmd_start -a "$addr" -- --forward-mode=txonly || return
	is "$name: the page tables" "$(leaf_types "$addr" "$3" "$4" 0x1000)" "1 $5,others UC-"
	is "$name: the kernel's list has the range if it is WC" "$(wc_entries "$addr" "$3")" \
		"$([ "$5" = WC ] && printf '0x%x+0x1000' "$4" || echo none)"
	matches "$name: said when asked" "$(run_lines)" "^vfio-wc-run: $addr BAR $3 .* are $5\$"
	testpmd_sends "$name" "$2" "$before"
	memory_types_as_before "$name"
}
run virtio net0 4 0x3000 UC-
run igbvf net2 0 0x3000 WC

# All devices of a kind, from a file; and what memory EAL uses is nothing to it.
printf '# doorbells\ndev=1af4:1041,bar=4,offset=0x3000,len=0x1000,mode=required\n' >/tmp/wc.conf
under --config /tmp/wc.conf
# (Without huge pages each page is a mapping of the IOMMU's, of which vfio allows 65535.)
for memory in --in-memory --legacy-mem "--no-huge --iova-mode=va -m 128"; do
	before=$(frames net0)
	# shellcheck disable=SC2086 # words
	testpmd_start -a "$virtio" $memory -- --forward-mode=txonly || continue
	is "$memory: the page tables" "$(leaf_types "$virtio" 4 0x3000 0x1000)" "1 WC,others UC-"
	testpmd_sends "$memory" net0 "$before"
done

# Attached when it runs.
under --config /tmp/wc.conf
prompt_start -a "$vf" -- --forward-mode=txonly || exit
prompt port attach "$virtio"
prompt port start all
prompt start
is "attached at run time" "$(leaf_types "$virtio" 4 0x3000 0x1000)" "1 WC,others UC-"
prompt stop
prompt_stop

# With the plugin as well: the kernel, asked again, gives the same cookie.
under --mode required
testpmd_start -a "$ena" -d "$plugin" --vdev=vfio_wc0,mode=required -- --forward-mode=txonly || exit
is "with the plugin: BAR2 is WC" "$(in_bar "$ena" 2 "$(leaves "$ena" 0)")" WC
is "with the plugin: nothing is said" "$(run_lines; plugin_lines)" ""
testpmd_stop

# off is as if it were not there.
under --mode off
testpmd_start -a "$ena" -- --forward-mode=txonly || exit
is "off: all is UC-" "$(in_bar "$ena" 2 "$(leaves "$ena" 0)")" UC-
is "off: no library is in it" "$(grep -c vfio_wc /proc/$testpmd/maps)" 0
testpmd_stop

# killed: nobody gets to clean up
under --mode required
testpmd_start -a "$ena" -- --forward-mode=txonly || exit
is "kill -9: before" "$(wc_entries "$ena" 2)" 0x0+0x100000
matches "kill -9: dpdk-wc-info says who has it" "$(dpdk-wc-info "$ena")" \
	"WC is on because vfio-wc-run in dpdk-testpmd \(pid $testpmd\) has it from the kernel$"
testpmd_kill
memory_types_as_before "kill -9"
