# SPDX-License-Identifier: BSD-3-Clause
# stage: test
# suites: trixie bookworm forky
# timeout: 240
# Ports come and go, and so does the plugin, while testpmd runs.

. /src/lab/tests/plugin.sh

virtio=$(bdf virtio) vf=$(bdf igbvf)
cp $pat_list /tmp/before
state() { telemetry /vfio_wc/info,vfio_wc0/0 'a["state"]'; }

for addr in "$virtio" "$vf"; do
	[ "$addr" = "$virtio" ] && { name=virtio bar=4 netdev=net0; } || { name=igbvf bar=0 netdev=net2; }
	prompt_start -a "$addr" -d "$plugin" --vdev="vfio_wc0,dev=$addr,bar=$bar,offset=0x3000,mode=required" -- \
		--forward-mode=txonly || not_ok "$name: testpmd starts" "see above"
	is "$name: WC from the start" "$(state) $(wc_entries "$addr" $bar)" "on 0x3000+0x1000"

	# reset: same mapping, zapped and faulted in again
	prompt port stop 0
	prompt port start 0
	is "$name: WC after stop and start" "$(state) $(wc_entries "$addr" $bar)" "on 0x3000+0x1000"

	prompt port stop 0
	prompt port close 0
	prompt device detach "$addr"
	is "$name: detached" "$(state)" off
	is "$name: nothing of it is reserved" "$(wc_entries "$addr" $bar)" ""
	is "$name: nothing of it is mapped" "$(grep -c vfio-device /proc/$testpmd/maps)" 0

	prompt port attach "$addr"
	is "$name: attached again, WC again" "$(state) $(wc_entries "$addr" $bar)" "on 0x3000+0x1000"
	prompt port start 0
	read -r _ before _ <<<"$(witness count $netdev)"
	prompt start
	sleep 1
	is "$name: the page tables" "$(leaves "$addr" $bar | awk -v pa="$(printf '%#x' $(($(bar_pa "$addr" $bar) + 0x3000)))" \
		'{ print $1 == pa ? "asked:" $2 : "other:" $2 }' | sort -u | xargs)" "asked:WC other:UC-"

	# the plugin goes from under a port that forwards
	prompt device detach vfio_wc0
	is "$name: the plugin gone, plain again" "$(telemetry /vfio_wc/list a) $(wc_entries "$addr" $bar)" "[] "
	is "$name: in the page tables, too" "$(leaves "$addr" $bar | awk '{ print $2 }' | sort -u | xargs)" "UC-"
	prompt port attach "vfio_wc0,dev=$addr,bar=$bar,offset=0x3000"
	is "$name: the plugin back, WC again" "$(state) $(wc_entries "$addr" $bar)" "on 0x3000+0x1000"
	is "$name: in the page tables, too" "$(leaves "$addr" $bar | awk '$2 == "WC"' | wc -l)" 1
	prompt stop
	read -r _ after _ <<<"$(witness count $netdev)"
	[ $((after - before)) -gt 100 ] && ok "$name: it sent all the while" ||
		not_ok "$name: it sent all the while" "$((after - before)) packets"
	prompt_stop
	is "$name: the list of memory types is as before" "$(<$pat_list)" "$(</tmp/before)"
done
