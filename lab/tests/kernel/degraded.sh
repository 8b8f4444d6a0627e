# SPDX-License-Identifier: BSD-3-Clause
# append: iomem=relaxed
# Where somebody else has a page of a BAR mapped uncached, here root through sysfs, x86 lets the
# kernel ask for write-combining and gives it uncached without a word. A cookie's mapping is
# refused then, and no other page's is. The other way round, what vfio has mapped uncached does not
# become write-combined because somebody asks for that, and what somebody else has write-combined is
# no reason for the rest of the BAR to become so.

. /src/lab/tests/lib.sh

plan 12
PAGE=0x1000
addr=$(lab-bind ivshmem)
pa=$(bar_pa "$addr" 2)

# The first page, until release
hold() { # FILE
	coproc HOLDER { exec python3 -c '
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_SYNC)
page = mmap.mmap(fd, 4096)
print("held", page[0] * 0, flush=True)
sys.stdin.read()' "/sys/bus/pci/devices/$addr/$1"; }
	holder=$HOLDER_PID
	read -r -t $((60 * patience)) held <&"${HOLDER[0]}"
}
release() {
	# shellcheck disable=SC1083,SC2093 # closes a file
	exec {HOLDER[1]}>&-
	wait "$holder"
}
hold resource2
is "somebody else has the page uncached" "$held" "held 0"

# What a cookie's mapping of a page gets: ok, or the reason why not
ask() { # START
	echo "wc $1 $PAGE" | timeout $((60 * patience)) \
		python3 /src/lab/guest/programs/bar_map.py "$addr" 2 | sed -E 's/^0x[0-9a-f]+$/ok/'
}
matches "a page that somebody else has uncached is refused" "$(ask 0)" "^error .*busy"
is "the page beside it is not" "$(ask $PAGE)" ok

release
is "when it is free again it is to be had" "$(ask 0)" ok

coproc BAR { exec python3 /src/lab/guest/programs/bar_map.py "$addr" 2; }
program=$BAR_PID
bar() { # COMMAND...: its answer in $answer
	echo "$*" >&"${BAR[1]}"
	read -r -t $((60 * patience)) answer <&"${BAR[0]}" || answer="error no answer"
}
# The types that pages of the BAR are mapped with, in the order of the addresses
types() { # PAGE COUNT
	witness walk 1 $((plain + $1 * PAGE)) $(($2 * PAGE)) $((pa + $1 * PAGE)) |
		awk '/^leaf/ { print $6 }' | uniq | paste -sd ' '
}
# As the kernel has reserved the first page
reserved() {
	awk -v pa="${pa#0x}" '/\[mem/ { split($3, range, "-"); sub(/^0x0*/, "", range[1]) }
		range[1] == substr(pa, match(pa, /[^0]/)) { print $NF }' \
		/sys/kernel/debug/x86/pat_memtype_list | sort -u
}
bar plain; plain=$answer
bar touch $plain $PAGE $PAGE
is "a plain mapping" "$(types 0 1)" UC-
hold resource2_wc
is "somebody else asks for its page write-combined" "$held" "held 0"
is "it stays what it is" "$(reserved)" uncached-minus
release
bar unmap $plain 0x4000000

# Who has it first has it so. vfio must not take that over for all of the BAR.
# shellcheck disable=SC1083,SC2093 # closes a file
exec {BAR[1]}>&-
wait "$program"
hold resource2_wc
is "somebody else has a page write-combined" "$held $(reserved)" "held 0 write-combining"
coproc BAR { exec python3 /src/lab/guest/programs/bar_map.py "$addr" 2; }
program=$BAR_PID
bar read $PAGE
is "a read of the page beside it" "$answer" ok
bar plain; plain=$answer
bar touch $((plain + 512 * PAGE)) $PAGE $PAGE
is "a mapping that does not meet it" "$(types 512 1)" UC-
bar read 0
matches "a read of that page is refused" "$answer" "^error .*busy"
release
# shellcheck disable=SC1083,SC2093 # closes a file
exec {BAR[1]}>&-
wait "$program"
is "when it is free again it is to be had" "$(ask 0)" ok
