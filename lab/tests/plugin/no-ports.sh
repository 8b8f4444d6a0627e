# SPDX-License-Identifier: BSD-3-Clause
# timeout: 240
# Devices that are no ports: from the start, attached later, gone, and attached again.

. /src/lab/tests/plugin.sh
plan 9

addr=$(lab-bind crypto)
memory_types_are
range="dev=$addr,bar=4,offset=0x3000,len=0x1000"
wc() { [ "$(wc_entries $addr 4)" = "$1" ]; }
becomes() { # NAME TYPES: within some looks, of one a second
	await 15 wc "$2"
	is "$1" "$(wc_entries $addr 4)" "$2"
}
state() { telemetry /vfio_wc/info,vfio_wc0/0 'a["state"]'; }

prompt_start -a $addr -d "$plugin" --vdev="vfio_wc0,$range,mode=required" -- || exit
is "from the start: WC" "$(wc_entries $addr 4)" 0x3000+0x1000
prompt_stop

prompt_start -a 0000:ff:1f.7 -d "$plugin" --vdev="vfio_wc0,$range,mode=required" -- || exit
becomes "not there: nothing" none
await 20 said "still waits"
matches "not there: it is said" "$(<$testpmd_log)" \
	"vfio_wc: vfio_wc0: $addr BAR 4: still waits, mode=required is not met"
# testpmd looks for a port of it, and finds none
echo "port attach $addr" >&$testpmd_in
becomes "attached: WC" 0x3000+0x1000
is "attached: on" "$(state)" on
prompt device detach $addr
# its driver does not unmap: what is still there is said
is "detached, and left mapped: on" "$(wc_entries "$addr" 4) $(state)" "0x3000+0x1000 on"
echo "port attach $addr" >&$testpmd_in
becomes "attached again: WC" 0x3000+0x1000
is "attached again: on" "$(state)" on
prompt_stop
memory_types_as_before "all"
