# SPDX-License-Identifier: BSD-3-Clause
# timeout: 300
# What else applications do with an ENA, on WC LLQs: secondary processes, Rx interrupts, its
# metrics; and the model's own loopback and recording.

. /src/lab/tests/ena.sh
plan 17

addr=$(lab-bind ena)
wc="-d $plugin --vdev=vfio_wc0,mode=required"
before=$(ena stats)

# Two processes, a queue each: flows come back through both.
processes="--num-procs=2 --rxq=2 --txq=2 --rss-udp"
prompt_start -a "$addr" $wc --proc-type=primary -- $processes --proc-id=0 || exit
prompt set fwd io
prompt start
primary=$testpmd primary_in=$testpmd_in
testpmd_log=/tmp/secondary.log
prompt_start -a "$addr" $wc --proc-type=secondary -- $processes --proc-id=1 || exit
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
testpmd=$primary testpmd_in=$primary_in testpmd_log=/tmp/testpmd.log
prompt_stop

# Rx interrupts: the application sleeps in between. Few frames at a time, so that it does.
vectors() { awk -v of="($addr)" '/vfio-msix/ && index($0, of) { print $2 + $3 }' /proc/interrupts; }
ena-rx-interrupt -l 0 -m 256 -a "$addr" $wc -- 1000 >/tmp/interrupts.log 2>&1 &
program=$!
await 20 grep -qs '^ready' /tmp/interrupts.log
good=0
for round in {1..20}; do
	ena generate 50 60 >/dev/null
	await 5 ena_says verify back 50 || break
	[[ $(ena verify) != *'made=50 back=50 lost=0 duplicate=0 reordered=0 corrupt=0 '* ]] ||
		good=$((good + 1))
	[ $round = 19 ] && fired=$(vectors)
done
[ $good = 20 ] || kill $program
is "Rx interrupts: 20 rounds of 50 frames come back" $good 20
is "Rx interrupts: both queues' vectors fired" "$(awk 'NR > 1 && $1 > 0' <<<"${fired-}" | wc -l)" 2
wait $program
is "Rx interrupts: the program ends well" "$?" 0
matches "Rx interrupts: one for each round at least, none missed" \
	"$(tail -n 1 /tmp/interrupts.log)" "^frames=1000 wakeups=([2-9][0-9]|[0-9]{3,}) missed=0$"

# Loopback: what flowgen sends comes back to the queue that RSS picks.
ena mode loopback >/dev/null
prompt_start -a "$addr" $wc -- --rxq=4 --txq=4 --rxd=256 --txd=256 --rss-udp || exit
prompt set fwd flowgen
start=$(ena stats)
prompt start
await 20 ena_beyond stats tx_frames $(($(value tx_frames <<<"$start") + 1000))
prompt stop
prompt show port xstats 0
after=$(ena stats)
sent=$(increase tx_frames "$start" "$after")
received=$(increase rx_frames "$start" "$after")
dropped=$(increase rx_drops "$start" "$after")
at_least "loopback: testpmd sends" "$sent" 1000
is "loopback: all frames come back, or are counted as dropped" $((received + dropped)) "$sent"
is "loopback: RSS uses all queues" \
	"$(grep -cE '^rx_q[0-3]_?packets: [1-9]' $testpmd_log)" 4
is "loopback: testpmd received them" \
	"$(sed -n '/Forward statistics for port 0/,$ s/.*RX-packets: \([0-9]*\).*/\1/p' \
		$testpmd_log | head -n 1)" "$received"
# The customer metrics of a real ENA: allowances exceeded (its model has packets alone, counted
# since it was started), connections left.
is "metrics: as the device has them" \
	"$(grep -E '^(bw_(in|out)|pps|conntrack|linklocal)_allowance_(exceeded|available): ' \
		$testpmd_log | sort)" \
	"$(printf '%s_allowance_exceeded: 0\n' bw_in bw_out conntrack linklocal pps |
		sed "s/^pps\(.*\) 0/pps\1 $(value shaped <<<"$after")/
			/conntrack/i conntrack_allowance_available: 1000000")"
prompt_stop
ena mode sink >/dev/null

# A recording holds what was sent, byte for byte: what the model made and what came back.
rm -f /results/ena.pcap
is "pcap: a file that cannot be made is refused" "$(ena pcap /nowhere/ena.pcap)" \
	"error pcap /nowhere/ena.pcap: No such file or directory"
ena pcap ena.pcap >/dev/null
prompt_start -a "$addr" $wc -- --rxd=256 --txd=256 || exit
prompt set fwd io
prompt start
circulate "pcap: frames circulate" 200 0
prompt_stop
ena pcap off >/dev/null
is "pcap: 200 frames, each twice: made and sent back" "$($programs/pcap.py /results/ena.pcap)" \
	"200 {2} 60 1492"

is "the driver broke no rule" "$(increase violations "$before" "$(ena stats)")" 0
