# SPDX-License-Identifier: BSD-3-Clause
# stage: test
# suites: trixie bookworm forky
# timeout: 300
# The plugin under stock PMDs: exactly the pages asked for are WC, in the page tables as QEMU's host
# sees them, packets go out, and everything is as before when testpmd has ended.

. /src/lab/tests/plugin.sh

# wanted BDF BAR OFFSET LENGTH TYPE < leaves: every leaf of the range is TYPE, every other is UC-
wanted() {
	python3 -c '
import sys
start, offset, length, wanted = (int(sys.argv[1], 0), int(sys.argv[2], 0), int(sys.argv[3], 0), sys.argv[4])
bad, n, hit = [], 0, 0
for line in sys.stdin:
	pa, kind = line.split()
	inside = start + offset <= int(pa, 0) < start + offset + length
	n, hit = n + 1, hit + inside
	if kind != (wanted if inside else "UC-"):
		bad.append(line.strip())
print("all as wanted" if not bad and hit == length // 4096 and n > hit else
	"%d leaves, %d in the range, wrong: %s" % (n, hit, bad))
' "$(bar_pa "$1" "$2")" "$3" "$4" "$5"
}

run() { # NAME BDF NETDEV BAR OFFSET LENGTH TYPE
	local name="$1 $7" args="dev=$2,bar=$4,offset=$5,len=$6,mode=required,type=${7,,}" before after
	[ "$7" = UC- ] && args=${args/uc-/uc}
	cp $pat_list /tmp/before
	read -r _ before _ <<<"$(witness count "$3")"
	testpmd_start -a "$2" -d "$plugin" --vdev="vfio_wc0,$args" -- --forward-mode=txonly ||
		{ not_ok "$name: testpmd starts" "see above"; return; }
	is "$name: the page tables" "$(leaves "$2" "$4" | wanted "$2" "$4" "$5" "$6" "$7")" "all as wanted"
	if [ "$7" = WC ]; then
		is "$name: the kernel's list has the range, no more" "$(wc_entries "$2" "$4")" \
			"$(printf '0x%x+0x%x' "$5" "$6")"
	fi
	is "$name: the plugin is silent" "$(plugin_lines)" ""
	testpmd_stop
	read -r _ after _ <<<"$(witness count "$3")"
	is "$name: what was sent arrives" $((after - before)) "$testpmd_sent"
	[ "${testpmd_sent:-0}" -gt 100 ] && ok "$name: testpmd sends" ||
		not_ok "$name: testpmd sends" "'$testpmd_sent' packets"
	is "$name: the list of memory types is as before" "$(<$pat_list)" "$(</tmp/before)"
}

run virtio "$(bdf virtio)" net0 4 0x3000 0x1000 WC
run virtio "$(bdf virtio)" net0 4 0x3000 0x1000 UC-
run vmxnet3 "$(bdf vmxnet3)" net1 0 0 0x1000 WC
run igbvf "$(bdf igbvf)" net2 0 0x3000 0x1000 WC

# several devices and ranges in one process, and what the dashboard sees
virtio=$(bdf virtio) vmxnet3=$(bdf vmxnet3)
prompt_start -a "$virtio" -a "$vmxnet3" -d "$plugin" \
	--vdev="vfio_wc0,dev=$virtio,bar=4,offset=0x3000,dev=$vmxnet3,bar=0,mode=required" \
	--vdev="vfio_wc1,dev=$virtio,bar=4,len=0x1000,type=uc" -- || not_ok "testpmd starts" "see above"
is "telemetry: list" "$(telemetry /vfio_wc/list 'a')" "['vfio_wc0/0', 'vfio_wc0/1', 'vfio_wc1/0']"
is "telemetry: info" "$(telemetry /vfio_wc/info,vfio_wc0/0 \
	'[a[k] for k in ("device", "bar", "offset", "length", "mode", "requested", "state", "memory_type", "pa")]')" \
	"['$virtio', 4, 12288, 4096, 'required', 'WC', 'on', 'WC', '$(printf '%#x' $(($(bar_pa "$virtio" 4) + 0x3000)))']"
is "telemetry: va" "$(telemetry /vfio_wc/info,vfio_wc0/0 'int(a["va"], 0)')" $(($(bar_va $testpmd 4) + 0x3000))
is "telemetry: ranges" "$(telemetry /vfio_wc/ranges 'sorted((k, r["memory_type"]) for k, r in a.items())')" \
	"[('vfio_wc0/0', 'WC'), ('vfio_wc0/1', 'WC'), ('vfio_wc1/0', 'UC-')]"
is "telemetry: no such range" "$(telemetry /vfio_wc/info,vfio_wc9/0 'a')" None
info=$(dpdk-wc-info "$virtio")
is "dpdk-wc-info learns everything from the process" $? 0
matches "dpdk-wc-info: on, because" "$info" "WC is on because the plugin in dpdk-testpmd \(pid $testpmd\) has it from the kernel"
matches "dpdk-wc-info: the range" "$info" "^ *\[0x3000, 0x4000\) is WC"
is "dpdk-wc-info --json: the same" "$(dpdk-wc-info --json "$virtio" "$vmxnet3" | python3 -c '
import json, sys
print([(d["device"], d["wc"], d["cookies"]) for d in json.load(sys.stdin)["devices"]])')" \
	"[('$virtio', 'on', 'yes'), ('$vmxnet3', 'on', 'yes')]"
prompt_stop

# killed: nobody gets to clean up
cp $pat_list /tmp/before
testpmd_start -a "$virtio" -d "$plugin" --vdev="vfio_wc0,dev=$virtio,bar=4,offset=0x3000" -- --forward-mode=txonly
is "kill -9: before" "$(wc_entries "$virtio" 4)" "0x3000+0x1000"
kill -9 $testpmd
wait $testpmd 2>/dev/null
exec {testpmd_in}>&-
is "kill -9: the list of memory types is as before" "$(<$pat_list)" "$(</tmp/before)"
