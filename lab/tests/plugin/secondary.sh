# SPDX-License-Identifier: BSD-3-Clause
# stage: test
# timeout: 240
# A secondary process maps the primary's ranges with the primary's policy, by its own cookies.

. /src/lab/tests/plugin.sh
plan 8

virtio=$(bdf virtio)
memory_types_are
prompt_start -a "$virtio" --proc-type=primary -d "$plugin" \
	--vdev="vfio_wc0,dev=$virtio,bar=4,offset=0x3000,mode=required" -- \
	--num-procs=2 --proc-id=0 || exit
primary=$testpmd primary_in=$testpmd_in
is "primary: WC" "$(wc_entries "$virtio" 4)" "0x3000+0x1000"
va=$(bar_va $primary 4)
matches "primary: the BAR is mapped" "$va" "^0x[0-9a-f]+$"

testpmd_log=/tmp/secondary.log
prompt_start -a "$virtio" --proc-type=secondary -d "$plugin" --log-level=pmd.misc.vfio_wc:info -- \
	--num-procs=2 --proc-id=1 || exit
matches "secondary: the primary's request is its own" "$(plugin_lines)" \
	"^vfio_wc: $virtio BAR 4 \[0x3000, 0x4000\) at 0x[0-9a-f]+ is WC"
is "secondary: at the primary's address" "$(bar_va $testpmd 4)" "$va"
# mappings of the same range share what the kernel holds for them, whoever made them
is "secondary: shares the reservation" "$(wc_entries "$virtio" 4)" "0x3000+0x1000"

# EAL takes a vdev from all processes: both restore what they have
printf 'device detach vfio_wc0\n' >&$primary_in
nothing_reserved() { [ "$(wc_entries "$virtio" 4)" = none ]; }
await 10 nothing_reserved
is "both: plain again when the request goes" "$(wc_entries "$virtio" 4)" none
is "both: the BAR is still mapped" "$(bar_va $testpmd 4) $(bar_va $primary 4)" "$va $va"
prompt_stop
testpmd=$primary testpmd_in=$primary_in testpmd_log=/tmp/testpmd.log
prompt_stop
memory_types_as_before "both"
