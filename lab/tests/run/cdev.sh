# SPDX-License-Identifier: BSD-3-Clause
# modules: debug
# kernel: 7.x
# append: no5lvl
# device: nvme,serial=other,cmb_size_mb=2,addr=d.0
# stage: long
# timeout: 900
# Through the character device, which a program opens that finds no node of the group. Of that the
# kernel says which device it is: one of two of a kind has what is asked for by its address.

. /src/lab/tests/run.sh
plan 12

echo "other 0000:00:0d.0 -" >>/run/lab/devices
one=$(lab-bind nvme) other=$(lab-bind other)
rm -f /dev/vfio/[0-9]*
memory_types_are

push() { # NAME DEVICE TYPE
	program_start "^buffer" vfio-wc-run --range "dev=$one,bar=2,mode=required" -- \
		taskset -c 1 nvme-push "$2" || return
	at_least "$1: through the character device" \
		"$(grep -c " /dev/vfio/devices/vfio" /proc/$testpmd/maps)" 2
	pages=$(leaves "$2" 2)
	is "$1: the buffer is $3" "$(in_bar "$2" 2 "$pages")" "$3"
	is "$1: the registers are UC-" "$(in_bar "$2" 0 "$pages")" UC-
	[ "$3" = UC- ] || matches "$1: dpdk-wc-info says who has it" "$(dpdk-wc-info "$2")" \
		"WC is on because vfio-wc-run in nvme-push \(pid $testpmd\) has it from the kernel$"
	program_end "$1"
	matches "$1: it pushed" "$(<$testpmd_log)" "^[1-9][0-9]* entries, the last one arrived"
}
push "asked for" "$one" WC
push "the other one" "$other" UC-
memory_types_as_before "both"
