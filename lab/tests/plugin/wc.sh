# SPDX-License-Identifier: BSD-3-Clause
# stage: test
# suites: trixie bookworm forky
# timeout: 300
# The plugin under stock PMDs: exactly the pages asked for are WC, in the page tables as QEMU's host
# sees them, packets go out, and everything is as before when testpmd has ended.

. /src/lab/tests/plugin.sh
plan 36

virtio=$(bdf virtio) vmxnet3=$(bdf vmxnet3)
memory_types_are

run() { # DEVICE NETDEV BAR OFFSET TYPE
	local name="$1 $5" addr args before type=${5,,}
	addr=$(bdf "$1")
	before=$(frames "$2")
	args="dev=$addr,bar=$3,offset=$4,len=0x1000,mode=required,type=${type%-}"
	testpmd_start -a "$addr" -d "$plugin" --vdev="vfio_wc0,$args" -- --forward-mode=txonly ||
		return
	is "$name: the page tables" "$(leaf_types "$addr" "$3" "$4" 0x1000)" "1 $5,others UC-"
	is "$name: the kernel's list has the range if it is WC" "$(wc_entries "$addr" "$3")" \
		"$([ "$5" = WC ] && printf '0x%x+0x1000' "$4" || echo none)"
	is "$name: the plugin is silent" "$(plugin_lines)" ""
	testpmd_sends "$name" "$2" "$before"
	memory_types_as_before "$name"
}

run virtio net0 4 0x3000 WC
run virtio net0 4 0x3000 UC-
run vmxnet3 net1 0 0 WC
run igbvf net2 0 0x3000 WC

# several devices and ranges in one process, and what the dashboard sees
prompt_start -a "$virtio" -a "$vmxnet3" -d "$plugin" \
	--vdev="vfio_wc0,dev=$virtio,bar=4,offset=0x3000,dev=$vmxnet3,bar=0,mode=required" \
	--vdev="vfio_wc1,dev=$virtio,bar=4,len=0x1000,type=uc" -- || exit
is "telemetry: list" "$(telemetry /vfio_wc/list 'a')" "['vfio_wc0/0', 'vfio_wc0/1', 'vfio_wc1/0']"
is "telemetry: info" "$(telemetry /vfio_wc/info,vfio_wc0/0 \
	'[a[k] for k in ("device", "bar", "offset", "length", "mode", "requested", "state",
		"memory_type", "pa")]')" \
	"['$virtio', 4, 12288, 4096, 'required', 'WC', 'on', \
'WC', '$(printf '%#x' $(($(bar_pa "$virtio" 4) + 0x3000)))']"
is "telemetry: va" \
	"$(telemetry /vfio_wc/info,vfio_wc0/0 'int(a["va"], 0)')" $(($(bar_va $testpmd 4) + 0x3000))
is "telemetry: ranges" \
	"$(telemetry /vfio_wc/ranges 'sorted((k, r["memory_type"]) for k, r in a.items())')" \
	"[('vfio_wc0/0', 'WC'), ('vfio_wc0/1', 'WC'), ('vfio_wc1/0', 'UC-')]"
is "telemetry: the exporter's endpoint" \
	"$($programs/endpoint.py /opt/dpdk-vfio-wc/share/dpdk/telemetry-endpoints/vfio_wc.py)" \
	"range_on $virtio 4 12288 1
range_on $vmxnet3 0 0 1
range_on $virtio 4 0 1
range_bytes $virtio 4 12288 4096
range_bytes $vmxnet3 0 0 4096
range_bytes $virtio 4 0 4096"
is "telemetry: no such range" "$(telemetry /vfio_wc/info,vfio_wc9/0 'a')" None
info=$(dpdk-wc-info "$virtio")
is "dpdk-wc-info learns everything from the process" $? 0
matches "dpdk-wc-info: on, because" "$info" \
	"WC is on because the plugin in dpdk-testpmd \(pid $testpmd\) has it from the kernel"
matches "dpdk-wc-info: the range" "$info" "^ *\[0x3000, 0x4000\) is WC"
is "dpdk-wc-info --json: the same" "$(dpdk-wc-info --json "$virtio" "$vmxnet3" |
	$programs/query.py '[(d["device"], d["wc"], d["cookies"]) for d in a["devices"]]')" \
	"[('$virtio', 'on', 'yes'), ('$vmxnet3', 'on', 'yes')]"
prompt_stop

# killed: nobody gets to clean up
testpmd_start -a "$virtio" -d "$plugin" --vdev="vfio_wc0,dev=$virtio,bar=4,offset=0x3000" -- \
	--forward-mode=txonly || exit
is "kill -9: before" "$(wc_entries "$virtio" 4)" "0x3000+0x1000"
testpmd_kill
memory_types_as_before "kill -9"
