# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# bus: kernel
# stage: long
# timeout: 400
# Stores of the kernel are counted, too, where they are asked for: Linux's own ena driver maps the LLQ
# write-combining by itself, and a frame takes the two whole lines of its entry.

. /src/lab/tests/ena.sh

frames=2000
ena_kernel
cat >/tmp/send.py <<'END'
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(int(sys.argv[1])):
    s.sendto(b'%018d' % number, ('192.0.2.2', 9))
    time.sleep(0.001) # the queue has room for them all
END
ip netns exec ena python3 /tmp/send.py 1 # asks for the address
sleep 2

addr=$(bdf ena)
read -r start end _ <<<"$(sed -n 3p "/sys/bus/pci/devices/$addr/resource")"
before=$(ena stats | value llq_frames)
witness bus start 3 "$start" $((end - start + 1)) >/dev/null
ip netns exec ena python3 /tmp/send.py $frames
sleep 1
counts=$(witness bus stop)
sent=$(($(ena stats | value llq_frames) - before))
counted() { awk -v name="$1" '$2 == name { print $3 }' <<<"$counts"; }
matches "frames went by way of the LLQ" "$sent" "^2[0-9]{3}$"
is "a frame is 16 stores of 8 bytes, all to WC pages" "$(counted wc_stores) $(counted uc_stores) $(counted store_bytes)" \
	"$((16 * sent)) 0 $((128 * sent))"
cut=$(counted lines_interrupt)
if (($(counted partial_lines) <= 2 * cut && $(counted full_lines) >= 2 * sent - cut)); then
	ok "a frame is 2 lines, but for $cut that an interrupt cut in two"
else
	not_ok "a frame is 2 lines" "$(counted full_lines) full and $(counted partial_lines) partial of $sent frames, $cut interrupts"
fi
is "nothing lingers" "$(($(counted residency_median) < 1000))" 1

ena_kernel_end
