# SPDX-License-Identifier: BSD-3-Clause
# stage: test
# suites: trixie bookworm forky
# long: bookworm
# timeout: 240
# Ports come and go, and so does the plugin, while testpmd runs.

. /src/lab/tests/plugin.sh
plan 30

state() { telemetry /vfio_wc/info,vfio_wc0/0 'a["state"]'; }
memory_types_are

# DEVICE BAR BACK-END
while read -r name bar netdev; do
	addr=$(bdf "$name")
	range="dev=$addr,bar=$bar,offset=0x3000"
	wc() { is "$name, $1: WC" "$(state) $(wc_entries "$addr" "$bar")" "on 0x3000+0x1000"; }
	tables() {
		is "$name, $1: the page tables" "$(leaf_types "$addr" "$bar" 0x3000 0x1000)" "$2"
	}
	sends() {
		local start
		start=$(frames "$netdev")
		await 20 frames_beyond "$netdev" $((start + 100))
		is "$name, $1: it sends" $? 0
	}

	prompt_start -a "$addr" -d "$plugin" --vdev="vfio_wc0,$range,mode=required" -- \
		--forward-mode=txonly || continue
	wc "from the start"

	# reset: same mapping, zapped and faulted in again
	prompt port stop 0
	prompt port start 0
	wc "stopped and started"

	prompt port stop 0
	prompt port close 0
	prompt device detach "$addr"
	is "$name, detached: state" "$(state)" off
	is "$name, detached: nothing of it is reserved" "$(wc_entries "$addr" "$bar")" none
	is "$name, detached: nothing of it is mapped" "$(grep -c vfio-device /proc/$testpmd/maps)" 0

	prompt port attach "$addr"
	wc "attached again"
	prompt port start 0
	prompt start
	sends "attached again"
	tables "attached again" "1 WC,others UC-"

	# the plugin goes from under a port that forwards
	prompt device detach vfio_wc0
	is "$name, the plugin gone: plain" \
		"$(telemetry /vfio_wc/list a) $(wc_entries "$addr" "$bar")" "[] none"
	tables "the plugin gone" "1 UC-,others UC-"
	sends "the plugin gone"
	prompt port attach "vfio_wc0,$range"
	wc "the plugin back"
	tables "the plugin back" "1 WC,others UC-"
	sends "the plugin back"
	prompt stop
	prompt_stop
	memory_types_as_before "$name"
done <<-END
	virtio 4 net0
	igbvf 0 net2
END
