# SPDX-License-Identifier: BSD-3-Clause
# bus: yes
# A driver that does not fence its write-combining doorbell is found by how long its stores wait; the
# same with the fence is not. One that pushes whole lines reaches the floor: entry / 64 writes.

. /src/lab/tests/lib.sh

double() { mmio-double "$(bdf ivshmem)" 2 "$1"; }
value() { awk -v name="$1" '$1 == name { print $2 }'; }

unfenced=$(double no-fence)
fenced=$(double fence)
median=$(value residency_median <<<"$unfenced")
# The limit is test-wc-perf's (BUS_LINGER).
if [ "${median:-0}" -gt 1000 ]; then ok "without a fence doorbells wait too long"; else
	not_ok "without a fence doorbells wait too long" "median of $median instructions"; fi
is "with a fence they wait for the fence" "$(value residency_median <<<"$fenced")" 1
is "with a fence there is one for each burst" "$(value sfence <<<"$fenced")" 0.0312
is "with a fence each doorbell is a write" "$(value pcie_writes <<<"$fenced")" 0.0312

for size in 128 256; do
	pushed=$(double push-$size)
	is "entries of $size bytes: writes a packet, without the doorbell" \
		"$(value wc_writes <<<"$pushed")" "$((size / 64)).0000"
	is "entries of $size bytes: with it" "$(value pcie_writes <<<"$pushed")" "$((size / 64)).0312"
	is "entries of $size bytes: partial lines" "$(value partial_lines <<<"$pushed")" 0.0000
done
