# SPDX-License-Identifier: BSD-3-Clause
# bus: yes
# A driver that does not fence its write-combining doorbell is found by how long its stores wait;
# the same with the fence is not. One that pushes whole lines reaches the floor: entry / 64 writes.

. /src/lab/tests/lib.sh
plan 16

double() { # HOW: what is counted, in $counts
	counts=$(bus-double "$(bdf ivshmem)" 2 "$1")
	is "$1: exit status" $? 0
}
value() { awk -v name="$1" '$1 == name { print $2 }' <<<"$counts"; }

double no-fence
# The limit is test-wc-perf's (BUS_LINGER).
at_least "without a fence doorbells wait too long" "$(value residency_median)" 1001
double fence
at_most "with a fence they wait for the fence" "$(value residency_median)" 9
is "with a fence there is one for each burst" "$(value sfence)" 0.0312
is "with a fence each doorbell is a write" "$(value pcie_writes)" 0.0312

for size in 128 256; do
	double push-$size
	# 16000 packets. An interrupt cuts a line in two now and then, nothing else does.
	lines=$((16000 * size / 64))
	cut=$(value lines_interrupt)
	at_most "entries of $size bytes: few lines are cut" "$cut" $((lines / 100))
	at_most "entries of $size bytes: no other line is partial" "$(value partial_lines)" \
		$((2 * ${cut:-0}))
	at_least "entries of $size bytes: $((size / 64)) lines" "$(value full_lines)" \
		$((lines - ${cut:-0}))
	at_most "entries of $size bytes: no more lines" "$(value full_lines)" "$lines"
done
