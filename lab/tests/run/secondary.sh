# SPDX-License-Identifier: BSD-3-Clause
# timeout: 240
# A secondary process that knows nothing maps plainly, and finds what the primary has: a page is of
# one type for all. One under the launcher has cookies of its own.

. /src/lab/tests/run.sh
plan 9

virtio=$(bdf virtio)
memory_types_are
under --range "dev=$virtio,bar=4,offset=0x3000,mode=required"
prompt_start -a "$virtio" --proc-type=primary -- --num-procs=2 --proc-id=0 || exit
primary=$testpmd primary_in=$testpmd_in
is "primary: WC" "$(wc_entries "$virtio" 4)" "0x3000+0x1000"
va=$(bar_va $primary 4)
matches "primary: the BAR is mapped" "$va" "^0x[0-9a-f]+$"

testpmd_log=/tmp/secondary.log
secondary() { # NAME PIECES
	prompt_start -a "$virtio" --proc-type=secondary -- --num-procs=2 --proc-id=1 || exit
	is "$1: at the primary's address" "$(bar_va $testpmd 4)" "$va"
	is "$1: in so many mappings" "$(grep -c '400000.* anon_inode:.vfio-device.' \
		/proc/$testpmd/maps)" "$2"
	is "$1: the range is WC as before" "$(wc_entries "$virtio" 4)" "0x3000+0x1000"
	prompt_stop
}
launcher=()
secondary "a secondary that knows nothing" 1
under --range "dev=$virtio,bar=4,offset=0x3000,mode=required"
secondary "a secondary under the launcher" 2
testpmd=$primary testpmd_in=$primary_in testpmd_log=/tmp/testpmd.log
prompt_stop
memory_types_as_before "both"
