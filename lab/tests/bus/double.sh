# SPDX-License-Identifier: BSD-3-Clause
# bus: yes
# A driver that does not fence its write-combining doorbell is found by how long its stores wait; the
# same with the fence is not. One that pushes whole lines reaches the floor: entry / 64 writes.

. /src/lab/tests/lib.sh

double() { bus-double "$(bdf ivshmem)" 2 "$1"; }
value() { awk -v name="$1" '$1 == name { print $2 }'; }

unfenced=$(double no-fence)
fenced=$(double fence)
median=$(value residency_median <<<"$unfenced")
# The limit is test-wc-perf's (BUS_LINGER).
if [ "${median:-0}" -gt 1000 ]; then ok "without a fence doorbells wait too long"; else
	not_ok "without a fence doorbells wait too long" "median of $median instructions"; fi
median=$(value residency_median <<<"$fenced")
if [ "${median:-1000}" -lt 10 ]; then ok "with a fence they wait for the fence"; else
	not_ok "with a fence they wait for the fence" "median of $median instructions"; fi
is "with a fence there is one for each burst" "$(value sfence <<<"$fenced")" 0.0312
is "with a fence each doorbell is a write" "$(value pcie_writes <<<"$fenced")" 0.0312

for size in 128 256; do
	pushed=$(double push-$size)
	# 16000 packets. An interrupt cuts a line in two now and then, nothing else does.
	cut=$(value lines_interrupt <<<"$pushed")
	full=$(value full_lines <<<"$pushed")
	partial=$(value partial_lines <<<"$pushed")
	if ((partial <= 2 * cut)); then ok "entries of $size bytes: no line is partial"; else
		not_ok "entries of $size bytes: no line is partial" "$partial are, $cut interrupts"; fi
	if ((full >= 16000 * size / 64 - cut)); then ok "entries of $size bytes: $((size / 64)) lines"; else
		not_ok "entries of $size bytes: $((size / 64)) lines" "$full in all, $cut interrupts"; fi
done
