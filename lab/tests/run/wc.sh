# SPDX-License-Identifier: BSD-3-Clause
# suites: trixie bookworm forky
# timeout: 600
# Stock testpmd, without the plugin, under vfio-wc-run: exactly what is wanted is WC, in the page
# tables as QEMU's host sees them; the device goes and comes. more.sh has what one release shows.

. /src/lab/tests/run.sh
plan 12

ena=$(bdf ena) virtio=$(bdf virtio)
memory_types_are

# The built-in table.
under --mode required
prompt_start -a "$ena" -- --rxd=256 --txd=256 || exit
prompt set fwd io
prompt start
circulate "ENA: 100,000 frames" 100000 60 300
pages=$(leaves "$ena" 0)
is "ENA: BAR2, which takes the descriptors, is WC" "$(in_bar "$ena" 2 "$pages")" WC
is "ENA: BAR0, the registers, is UC-" "$(in_bar "$ena" 0 "$pages")" UC-
is "ENA: the kernel's list has it" "$(wc_entries "$ena" 2)" 0x0+0x100000
is "ENA: all by the LLQ" "$(ena stats | value llq_queues)" 1
is "ENA: nothing is said" "$(run_lines)" ""
prompt stop
prompt_stop
memory_types_as_before "ENA"

# A range, asked for; the device goes and comes.
tables() {
	is "virtio, $1: the page tables" "$(leaf_types "$virtio" 4 0x3000 0x1000)" "1 WC,others UC-"
}
under --range "dev=$virtio,bar=4,offset=0x3000,len=0x1000,mode=required"
prompt_start -a "$virtio" -- --forward-mode=txonly || exit
prompt start
tables "from the start"
prompt stop
prompt port stop 0
prompt port close 0
prompt device detach "$virtio"
is "virtio, detached: nothing of it is mapped" "$(grep -c vfio-device /proc/$testpmd/maps)" 0
is "virtio, detached: nothing of it is reserved" "$(wc_entries "$virtio" 4)" none
prompt port attach "$virtio"
prompt port start 0
prompt start
tables "attached again"
prompt stop
prompt_stop
memory_types_as_before virtio
