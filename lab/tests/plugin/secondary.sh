# SPDX-License-Identifier: BSD-3-Clause
# stage: test
# timeout: 240
# A secondary process maps the primary's ranges with the primary's policy, by its own cookies.

. /src/lab/tests/plugin.sh

virtio=$(bdf virtio)
cp $pat_list /tmp/before
prompt_start -a "$virtio" --proc-type=primary -d "$plugin" \
	--vdev="vfio_wc0,dev=$virtio,bar=4,offset=0x3000,mode=required" -- --num-procs=2 --proc-id=0 ||
	not_ok "primary starts" "see above"
primary=$testpmd primary_in=$testpmd_in
mv $testpmd_log /tmp/primary.log
is "primary: WC" "$(wc_entries "$virtio" 4)" "0x3000+0x1000"

prompt_start -a "$virtio" --proc-type=secondary -d "$plugin" --log-level=pmd.misc.vfio_wc:info -- \
	--num-procs=2 --proc-id=1 || not_ok "secondary starts" "see above"
matches "secondary: the primary's request is its own" "$(plugin_lines)" \
	"^vfio_wc: $virtio BAR 4 \[0x3000, 0x4000\) at 0x[0-9a-f]+ is WC"
is "secondary: at the primary's address" "$(bar_va $testpmd 4)" "$(bar_va $primary 4)"
# mappings of the same range share what the kernel holds for them, whoever made them
is "secondary: shares the reservation" "$(wc_entries "$virtio" 4)" "0x3000+0x1000"

# EAL takes a vdev from all processes: both restore what they have
printf 'device detach vfio_wc0\n' >&$primary_in
for ((i = 0; i < 100; i++)); do
	[ -z "$(wc_entries "$virtio" 4)" ] && break
	sleep 0.1
done
is "both: plain again when the request goes" "$(wc_entries "$virtio" 4)" ""
is "both: the BAR is still mapped" "$(bar_va $testpmd 4)" "$(bar_va $primary 4)"
prompt_stop
echo quit >&$primary_in
exec {primary_in}>&-
wait $primary
is "the list of memory types is as before" "$(<$pat_list)" "$(</tmp/before)"
