# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# timeout: 240
# A second, independent driver: Linux's own, as the stock kernel has it. Two models, a cable between
# them, each in a network namespace of its own.

. /src/lab/tests/ena.sh
plan 13
before=("$(witness ena0 stats)" "$(witness ena1 stats)")
ena_kernel
matches "the driver uses LLQ" "$(witness ena0 stats)" " llq_queues=[1-9]"

net() { # NAMESPACE COMMAND...
	local namespace=$1
	shift
	ip netns exec "$namespace" timeout $((120 * patience)) $programs/net.py "$@"
}

is "ping, 8 to 8972 bytes" "$(net ena ping)" 21

# TCP both ways at once, compared by hash.
net enb listen >/tmp/listen &
await 20 grep -q listening /tmp/listen
read -r count sent came <<<"$(net ena connect)"
wait $!
read -r other_count other_sent other_came <<<"$(tail -n 1 /tmp/listen)"
is "TCP: 16 MB each way" "$count $other_count" "$((16 << 20)) $((16 << 20))"
is "TCP: what was sent is what came" "$sent $came" "${other_came:-nothing} ${other_sent:-nothing}"

# Several queues, interrupts, statistics.
queues=$(witness ena0 stats | value rx_queues)
is "a queue for each CPU" "$queues" "$(nproc)"
# A flow keeps to one queue; which, a hash of random salt says: flows until all were used.
vectors() {
	awk '/Tx-Rx/ && /0000:00:0[27]/ { n++; m += $2 + $3 > 0 } END { print n, m }' \
		/proc/interrupts
}
all_vectors() {
	[ "$(vectors)" = "$((2 * queues)) $((2 * queues))" ] || { net ena send 8 && false; }
}
await 60 all_vectors
is "interrupts on every vector of both" "$(vectors)" "$((2 * queues)) $((2 * queues))"
for device in 0 1; do
	after=$(witness ena$device stats)
	is "ena$device: the driver broke no rule" \
		"$(increase violations "${before[device]}" "$after")" 0
	is "ena$device: nothing by way of host memory" \
		"$(increase host_frames "${before[device]}" "$after")" 0
done

# Link, as the kernel sees it.
carrier_is() { [ "$(ip netns exec ena cat /sys/class/net/eth0/carrier)" = "$1" ]; }
witness ena0 link down >/dev/null
await 5 carrier_is 0
is "link down" $? 0
witness ena0 link up >/dev/null
await 5 carrier_is 1
is "link up" $? 0

ena_kernel_end
