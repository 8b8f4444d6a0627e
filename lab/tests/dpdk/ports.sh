# SPDX-License-Identifier: BSD-3-Clause
# suites: bookworm
# dpdk: 22.11
# stage: long
# timeout: 300
# Ranges that the user names, under PMDs that declare none: exactly these pages are WC, packets go
# out, a secondary process has the same, and nothing is left.

. /src/lab/tests/dpdk.sh
plan 28

memory_types_are

named_range virtio net0 4 0x3000
named_range vmxnet3 net1 0 0
named_range igbvf net2 0 0x3000

# killed: nobody gets to clean up
virtio=$(bdf virtio)
range=(--vfio-wc=required --vfio-wc-range="$virtio,4,0x3000,0x1000")
testpmd_start -a "$virtio" "${drivers[@]}" "${range[@]}" -- --forward-mode=txonly || exit
is "kill -9: before" "$(wc_entries "$virtio" 4)" "0x3000+0x1000"
testpmd_kill
memory_types_as_before "kill -9"

# goes and comes
before=$(frames net0)
prompt_start -a "$virtio" "${drivers[@]}" "${range[@]}" -- --forward-mode=txonly || exit
prompt port stop 0
prompt port close 0
prompt device detach "$virtio"
memory_types_as_before "detached"
prompt port attach "$virtio"
prompt port start 0
prompt start
await 20 frames_beyond net0 "$before"
is "attached again: it sends" $? 0
is "attached again: the page tables" "$(leaf_types "$virtio" 4 0x3000 0x1000)" "1 WC,others UC-"
prompt stop
prompt_stop
memory_types_as_before "testpmd has ended"

# a secondary process
prompt_start -a "$virtio" "${drivers[@]}" "${range[@]}" --proc-type=primary -- \
	--num-procs=2 --proc-id=0 || exit
primary=$testpmd primary_in=$testpmd_in
va=$(bar_va $primary 4)
testpmd_log=/tmp/secondary.log
prompt_start -a "$virtio" "${drivers[@]}" --proc-type=secondary -- \
	--num-procs=2 --proc-id=1 || exit
is "secondary: at the primary's address" "$(bar_va $testpmd 4)" "$va"
is "secondary: the range is mapped apart" \
	"$(grep -c "^$(printf %x $((va + 0x3000)))-.*vfio-device" /proc/$testpmd/maps)" 1
# A plain mapping would reserve nothing. (testpmd ends when it sees that its primary has.)
kill -STOP $testpmd
kill -9 $primary
wait $primary 2>/dev/null
exec {primary_in}>&-
is "secondary: it holds the type when the primary is gone" "$(wc_entries "$virtio" 4)" \
	"0x3000+0x1000"
testpmd_kill
memory_types_as_before "both"
