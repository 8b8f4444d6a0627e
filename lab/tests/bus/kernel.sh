# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# bus: kernel
# stage: long
# timeout: 400
# Stores of the kernel are counted, too, where they are asked for: Linux's own ena driver maps the
# LLQ write-combining by itself, and a frame takes the two whole lines of its entry.

. /src/lab/tests/ena.sh
plan 7

frames=2000
send() { ip netns exec ena $programs/net.py send "$1"; }
ena_kernel
send 1 # asks for the address
knows_address() { ip -n ena neigh show 192.0.2.2 | grep -q lladdr; }
await 10 knows_address

addr=$(bdf ena)
read -r start end _ <<<"$(sed -n 3p "/sys/bus/pci/devices/$addr/resource")"
before=$(ena stats)
witness bus start 3 "$start" $((end - start + 1)) >/dev/null
send $frames
await 10 ena_beyond stats llq_frames $(($(value llq_frames <<<"$before") + frames - 1))
counts=$(witness bus stop)
sent=$(increase llq_frames "$before" "$(ena stats)")
counted() { awk -v name="$1" '$2 == name { print $3 }' <<<"$counts"; }
matches "frames went by way of the LLQ" "$sent" "^20[0-9]{2}$"
is "a frame is 16 stores of 8 bytes, all to WC pages" \
	"$(counted wc_stores) $(counted uc_stores) $(counted store_bytes)" \
		"$((16 * sent)) 0 $((128 * sent))"
cut=$(counted lines_interrupt)
full=$(counted full_lines) partial=$(counted partial_lines)
at_most "few lines are cut by interrupts" "$cut" $((sent / 50))
at_least "a frame is 2 lines, but for those" "$full" $((2 * sent - cut))
at_most "no other line is partial" "$partial" $((2 * cut))
at_most "nothing lingers" "$(counted residency_median)" 999

ena_kernel_end
