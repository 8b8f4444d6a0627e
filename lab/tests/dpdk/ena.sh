# SPDX-License-Identifier: BSD-3-Clause
# suites: bookworm
# dpdk: 22.11
# timeout: 300
# The PMD declares the BAR that LLQ pushes into, and EAL maps that write-combined: all of it,
# nothing else, and the PMD works as before (traffic.sh has more of that).

. /src/lab/tests/dpdk.sh
plan 17

addr=$(bdf ena) virtio=$(bdf virtio)
memory_types_are

prompt_start -a "$addr" "${drivers[@]}" -- --forward-mode=txonly --rxd=256 --txd=256 || exit
look
is "BAR2, which takes the descriptors, is WC" "$(in_bar "$addr" 2 "$pages")" WC
is "BAR0, the registers, is UC-" "$(in_bar "$addr" 0 "$pages")" UC-
is "EAL has nothing to say" "$(wc_lines)" ""
is "the PMD does not complain" "$(grep -c 'uncached mapping' $testpmd_log)" 0
prompt show device info "$addr"
matches "testpmd shows it" "$(grep 'Bus information' $testpmd_log)" ', wc=bar2:0x0-0x[0-9a-f]+$'
matches "telemetry shows it" "$(telemetry /bus/pci/wc a)" "^\['$addr bar2:0x0-0x[0-9a-f]+'\]$"

prompt set fwd io
prompt start
circulate "5,000 frames, back as they were" 5000 1514
prompt stop

prompt port stop 0
prompt port close 0
prompt device detach "$addr"
memory_types_as_before "detached"
is "detached: telemetry" "$(telemetry /bus/pci/wc a)" "[]"
prompt_stop

# One that comes later. (Not the same once more: the release's PMD leaves a memzone of each device
# behind, and cannot make it again.)
prompt_start -a "$virtio" "${drivers[@]}" -- --forward-mode=txonly || exit
prompt port attach "$addr"
prompt port start 1
look
is "attached: BAR2 is WC" "$(in_bar "$addr" 2 "$pages")" WC
is "attached: BAR0 is UC-" "$(in_bar "$addr" 0 "$pages")" UC-
prompt_stop
memory_types_as_before "testpmd has ended"

prompt_start -a "$addr" "${drivers[@]}" --vfio-wc=off -- --forward-mode=txonly || exit
look
is "off: the BAR is UC-" "$(in_bar "$addr" 2 "$pages")" UC-
is "off: EAL has nothing to say" "$(wc_lines)" ""
is "off: the PMD says that it is slow, once" "$(grep -c 'uncached mapping' $testpmd_log)" 1
prompt show device info "$addr"
matches "off: testpmd shows it" "$(grep 'Bus information' $testpmd_log)" \
	'vendor_id=1d0f, device_id=[0-9a-f]+$'
prompt_stop

dpdk-testpmd "${drivers[@]}" --vfio-wc=maybe </dev/null >$testpmd_log 2>&1
matches "another word is refused" "$(<$testpmd_log)" 'invalid parameters for --vfio-wc$'
