# SPDX-License-Identifier: BSD-3-Clause
# timeout: 300
# What else applications do with an ENA, on WC LLQs: secondary processes, Rx interrupts, its metrics;
# and the model's own loopback and recording.

. /src/lab/tests/ena.sh

addr=$(lab-bind ena)
wc="-d $plugin --vdev=vfio_wc0,mode=required"
before=$(ena stats)

# Two processes, a queue each: flows come back through both.
prompt_start -a "$addr" $wc --proc-type=primary -- --num-procs=2 --proc-id=0 --rxq=2 --txq=2 --rss-udp ||
	{ not_ok "primary starts" "see above"; exit; }
prompt set fwd io
prompt start
primary=$testpmd primary_in=$testpmd_in
mv $testpmd_log /tmp/primary.log
prompt_start -a "$addr" $wc --proc-type=secondary -- --num-procs=2 --proc-id=1 --rxq=2 --txq=2 --rss-udp ||
	{ not_ok "secondary starts" "see above"; tail -n 20 /tmp/primary.log; exit; }
is "primary and secondary: the same LLQ, WC" "$(wc_entries "$addr" 2)" "0x0+0x100000"
prompt set fwd io
prompt start
for size in 60 1514; do
	circulate "primary and secondary, io, $size bytes" 5000 $size
done
is "primary and secondary: each has a queue's worth" \
	"$(ena verify | value queues | tr , '\n' | awk -F '[:/]' '$2 > 1000 && $2 == $3' | wc -l)" 2
prompt stop
prompt_stop
echo quit >&$primary_in
exec {primary_in}>&-
wait $primary

# Rx interrupts: the application sleeps in between. Few frames at a time, so that it does.
vectors() { awk -v of="($addr)" '/vfio-msix/ && index($0, of) { print $2 + $3 }' /proc/interrupts; }
ena-rx-interrupt -l 0 -m 256 -a "$addr" $wc -- 1000 >/tmp/interrupts.log 2>&1 &
program=$!
for i in {1..100}; do grep -q '^ready' /tmp/interrupts.log && break; sleep 0.1; done
good=0
for round in {1..20}; do
	ena generate 50 60 >/dev/null
	for i in {1..100}; do
		report=$(ena verify)
		[ "$(value back <<<"$report")" = 50 ] && break
		sleep 0.05
	done
	grep -q 'made=50 back=50 lost=0 duplicate=0 reordered=0 corrupt=0 ' <<<"$report" &&
		good=$((good + 1))
	[ $round = 19 ] && fired=$(vectors)
done
is "Rx interrupts: 20 rounds of 50 frames come back" $good 20
is "Rx interrupts: both queues' vectors fired" "$(awk 'NR > 1 && $1 > 0' <<<"$fired" | wc -l)" 2
wait $program
is "Rx interrupts: the program ends well" "$?" 0
matches "Rx interrupts: one for each round at least, none missed" "$(tail -n 1 /tmp/interrupts.log)" \
	"^frames=1000 wakeups=([2-9][0-9]|[0-9]{3,}) missed=0$"

# Loopback: what flowgen sends comes back to the queue that RSS picks.
ena mode loopback >/dev/null
prompt_start -a "$addr" $wc -- --rxq=4 --txq=4 --rxd=256 --txd=256 --rss-udp
prompt set fwd flowgen
sent=$(ena stats | value tx_frames) received=$(ena stats | value rx_frames) dropped=$(ena stats | value rx_drops)
prompt start
sleep 1
prompt stop
prompt show port xstats 0
report=$(ena stats)
sent=$(($(value tx_frames <<<"$report") - sent))
received=$(($(value rx_frames <<<"$report") - received))
dropped=$(($(value rx_drops <<<"$report") - dropped))
matches "loopback: testpmd sends" "$sent" '[0-9]{3}'
is "loopback: all of $sent frames come back, or are counted as dropped" $((received + dropped)) "$sent"
is "loopback: RSS uses all queues" \
	"$(grep -cE '^rx_q[0-3]_?packets: [1-9]' $testpmd_log)" 4
is "loopback: testpmd received them" \
	"$(sed -n '/Forward statistics for port 0/,$ s/.*RX-packets: \([0-9]*\).*/\1/p' $testpmd_log | head -n 1)" \
	"$received"
# The customer metrics of a real ENA: allowances nobody exceeded, connections left.
is "metrics: as the device has them" \
	"$(grep -E '^(bw_(in|out)|pps|conntrack|linklocal)_allowance_(exceeded|available): ' $testpmd_log | sort)" \
	"$(printf '%s_allowance_exceeded: 0\n' bw_in bw_out conntrack linklocal pps |
		sed '/conntrack/i conntrack_allowance_available: 1000000')"
prompt_stop
ena mode sink >/dev/null

# A recording holds what was sent, byte for byte: what the model made and what came back.
rm -f /results/ena.pcap
is "pcap: a file that cannot be made is refused" "$(ena pcap /nowhere/ena.pcap)" \
	"error pcap /nowhere/ena.pcap: No such file or directory"
ena pcap /results/ena.pcap >/dev/null
prompt_start -a "$addr" $wc -- --rxd=256 --txd=256
prompt set fwd io
prompt start
circulate "pcap: frames circulate" 200 0
prompt_stop
ena pcap off >/dev/null
cat >/tmp/pcap.py <<'END'
import collections, struct
data = open('/results/ena.pcap', 'rb').read()
magic, major, minor, _, _, snap, link = struct.unpack('=IHHIIII', data[:24])
assert (magic, major, minor, link) == (0xa1b23c4d, 2, 4, 1)
at, frames = 24, collections.Counter()
while at < len(data):
    _, _, have, length = struct.unpack('=IIII', data[at:at + 16])
    assert have == length
    frames[data[at + 16:at + 16 + have]] += 1
    at += 16 + have
print(len(frames), set(frames.values()), min(map(len, frames)), max(map(len, frames)))
END
is "pcap: 200 frames, each twice: made and sent back" "$(python3 /tmp/pcap.py)" "200 {2} 60 1492"

report=$(ena stats)
is "the driver broke no rule" "$(value violations <<<"$report")" "$(value violations <<<"$before")"
