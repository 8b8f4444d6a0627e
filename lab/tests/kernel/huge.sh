# SPDX-License-Identifier: BSD-3-Clause
# timeout: 300
# A big BAR is mapped write-combined through huge leaves, and a huge leaf never spans two types:
# what the page tables hold, read from outside, for a program that is not the kernel's selftest.

. /src/lab/tests/lib.sh
plan 12

PAGE=0x1000 HUGE=0x200000 GIGA=0x40000000
bar_start() { # DEVICE BAR
	addr=$(lab-bind "$1")
	pa=$(bar_pa "$addr" "$2")
	coproc BAR { exec python3 /src/lab/guest/programs/bar_map.py "$addr" "$2"; }
}
bar() { # COMMAND...: its answer in $answer
	echo "$*" >&"${BAR[1]}"
	read -r -t $((60 * patience)) answer <&"${BAR[0]}" || answer="error no answer"
	[[ $answer != error* ]] || not_ok "bar $*" "$answer"
}
# One cookie of a page before others, which must not be aligned by luck
bar_small() {
	bar wc 0 $PAGE
	bar unmap "$answer" $PAGE
}
bar_stop() {
	local pid=$BAR_PID
	# shellcheck disable=SC1083,SC2093 # it closes a file
	exec {BAR[1]}>&-
	wait "$pid" || not_ok "bar_map.py ends well" "exit status $?"
}
# leaves NAME VA LENGTH WANTED: how many of each size and type, for a mapping of the BAR from its
# beginning
leaves() {
	is "$1" "$(witness walk 1 "$2" "$3" "$pa" |
		awk '
			/^leaf/ { n[$5 " " $6]++ }
			/^error/ { print }
			END { for (k in n) print n[k], k }' |
		sort -k 2 | paste -sd ,)" "$4"
}

# 64 MB: leaves of 2 MB
bar_start ivshmem 2
size=0x4000000 name="BAR of 64 MB"
bar_small
bar plain; plain=$answer
bar touch $plain $size $HUGE
leaves "$name, plain" $plain $size "32 $HUGE UC-"
bar wc 0 $size; wc=$answer
bar touch $wc $size $HUGE
leaves "$name, write-combined" $wc $size "32 $HUGE WC"
bar memory off
bar memory on
bar touch $wc $size $HUGE
leaves "$name, write-combined, memory off and on" $wc $size "32 $HUGE WC"
bar unmap $wc $size
bar touch $plain $size $HUGE
leaves "$name, the plain mapping after that" $plain $size "32 $HUGE UC-"

# The first, a middle and the last page write-combined
middle=$((size / 2 + HUGE / 2)) last=$((size - PAGE)) wcs=
for start in 0 $middle $last; do
	bar wc $start $PAGE
	wcs+=" $answer"
done
bar touch $plain $size $PAGE
leaves "$name, plain with three WC pages" $plain $size "1533 $PAGE UC-,3 $PAGE WC,29 $HUGE UC-"
is "$name, plain with three WC pages: these" \
	"$(witness walk 1 $plain $size "$pa" | awk '$6 == "WC" { print $3 }' | paste -sd ' ')" \
	"$(printf '%#x %#x %#x' $((pa)) $((pa + middle)) $((pa + last)))"
for wc in $wcs; do bar unmap "$wc" $PAGE; done
bar touch $plain $size $PAGE
is "$name, plain after that: types" \
	"$(witness walk 1 $plain $size "$pa" | awk '/^leaf/ { print $6 }' | sort -u)" UC-
bar unmap $plain $size
bar plain; plain=$answer
bar touch $plain $size $HUGE
leaves "$name, a new plain mapping" $plain $size "32 $HUGE UC-"
bar_stop

# 1 GB: one leaf
bar_start testdev 2
size=$GIGA name="BAR of 1 GB"
bar_small
bar plain; plain=$answer
bar touch $plain $PAGE $PAGE
leaves "$name, plain" $plain $size "1 $GIGA UC-"
bar wc 0 $size; wc=$answer
bar touch $wc $PAGE $PAGE
leaves "$name, write-combined" $wc $size "1 $GIGA WC"
bar unmap $wc $size
bar wc $((size / 2)) $PAGE; wc=$answer
bar touch $plain $size $HUGE
bar touch $((plain + size / 2)) $HUGE $PAGE
leaves "$name, plain with a WC page" $plain $size "511 $PAGE UC-,1 $PAGE WC,511 $HUGE UC-"
bar unmap "$wc" $PAGE
bar unmap $plain $size
bar plain; plain=$answer
bar touch $plain $PAGE $PAGE
leaves "$name, a new plain mapping" $plain $size "1 $GIGA UC-"
bar_stop
