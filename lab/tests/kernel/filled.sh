# SPDX-License-Identifier: BSD-3-Clause
# kernel: 6.1
# A kernel that has no huge entries for BARs fills all of a plain mapping on its first fault, as it
# does without the series, and later what was taken out of it.

. /src/lab/tests/lib.sh
plan 4

PAGE=0x1000 SIZE=0x4000000
addr=$(lab-bind ivshmem)
pa=$(bar_pa "$addr" 2)
coproc BAR { exec python3 /src/lab/guest/programs/bar_map.py "$addr" 2; }
bar() { # COMMAND...: its answer in $answer
	echo "$*" >&"${BAR[1]}"
	read -r -t $((60 * patience)) answer <&"${BAR[0]}" || answer="error no answer"
	[[ $answer != error* ]] || not_ok "bar $*" "$answer"
}
# What some pages from the first to the last one are mapped with, without having been accessed
types() {
	local page
	for page in 0 511 4096 4097 8191 16383; do
		witness walk 1 $((plain + page * PAGE)) $PAGE $((pa + page * PAGE)) |
			awk '/^leaf/ { print $5, $6 } /^error/ { print }'
	done | uniq -c | sed 's/^ *//' | paste -sd ,
}
bar plain; plain=$answer
bar touch $((plain + SIZE / 2)) $PAGE $PAGE
is "one access fills it" "$(types)" "6 $PAGE UC-"
bar wc $((SIZE / 4)) $PAGE; wc=$answer
bar touch $((plain + SIZE / 4)) $PAGE $PAGE
is "beside a write-combined page" "$(types)" "2 $PAGE UC-,1 $PAGE WC,3 $PAGE UC-"
bar unmap "$wc" $PAGE
bar touch $((plain + SIZE / 4)) $PAGE $PAGE
is "after that" "$(types)" "6 $PAGE UC-"
bar memory off
bar memory on
bar touch $((plain + SIZE - PAGE)) $PAGE $PAGE
is "memory off and on" "$(types)" "6 $PAGE UC-"

pid=$BAR_PID
# shellcheck disable=SC1083,SC2093 # closes a file
exec {BAR[1]}>&-
wait "$pid"
