# SPDX-License-Identifier: BSD-3-Clause
# For the tests on the ENA model (5*-ena*.sh).

. /src/lab/tests/plugin.sh

# Ask the model (lab/ena/main.c has its commands).
ena() { witness ena0 "$@"; }

# value KEY < "verb KEY=VALUE ..."
value() { sed -n "s/.* $1=\([^ ]*\).*/\1/p"; }

# Which types the leaves that lie in a BAR have.
in_bar() { # BDF BAR LEAVES
	local start end pa type
	read -r start end _ <<<"$(sed -n "$(($2 + 1))p" "/sys/bus/pci/devices/$1/resource")"
	while read -r pa type; do
		((pa >= start && pa <= end)) && echo "$type"
	done <<<"$3" | sort -u | paste -sd ' '
}

# Let the model make frames and wait until testpmd has sent them all back.
# circulate NAME COUNT LENGTH [SECONDS]: one test
circulate() {
	local i report
	ena generate "$2" "$3" >/dev/null
	for ((i = 0; i < 5 * ${4-60}; i++)); do
		report=$(ena verify)
		[ "$(value back <<<"$report")" = "$2" ] && break
		kill -0 $testpmd 2>/dev/null || break
		sleep 0.2
	done
	matches "$1" "$report" "made=$2 back=$2 lost=0 duplicate=0 reordered=0 corrupt=0 stale=0 left=0 "
}

# What the stock PMD must be able to do, whatever the type of BAR2.
# ena_traffic NAME PLACEMENT EAL-ARGS...
ena_traffic() {
	local name=$1 placement=$2 addr before report mode queues size
	addr=$(lab-bind ena)
	shift 2
	before=$(ena stats)

	# What testpmd makes itself; 9000 bytes are six segments.
	for mode in txonly flowgen "txonly --txpkts=1514" "txonly --txpkts=$(echo 1500{,,,,,} | tr ' ' ,)" \
		"flowgen --txq=4 --rxq=4 --rxd=256"; do
		report=$(ena verify)
		testpmd_start -a "$addr" "$@" -- --forward-mode=$mode ||
			{ not_ok "$name: $mode: testpmd starts" "see above"; return; }
		sleep 1
		testpmd_stop
		is "$name: $mode: each of $testpmd_sent frames arrives as it should be" \
			$(($(ena verify | value ${mode%% *}) - $(value ${mode%% *} <<<"$report"))) "$testpmd_sent"
		[ "${testpmd_sent:-0}" -gt 100 ] || not_ok "$name: $mode: testpmd sends" "'$testpmd_sent'"
	done

	# What the model makes and gets back.
	for queues in 1 4; do
		prompt_start -a "$addr" "$@" -- --rxq=$queues --txq=$queues --rxd=256 --txd=256 --rss-udp ||
			{ not_ok "$name: $queues queues: testpmd starts" "see above"; return; }
		matches "$name: $queues queues: the PMD's placement" "$(ena stats)" \
			"tx_queues=$queues rx_queues=$queues llq_queues=$([ "$placement" = llq ] && echo $queues || echo 0) "
		entry_size=$(ena stats | value llq_entry)
		for mode in io macswap 5tswap; do
			prompt set fwd $mode
			prompt start
			for size in 60 1514; do
				circulate "$name: $queues queues, $mode, $size bytes" 5000 $size
			done
			prompt stop
		done
		if [ $queues = 4 ]; then
			is "$name: RSS uses all queues" \
				"$(ena verify | value queues | tr , '\n' | grep -c :)" 4
		fi
		prompt port stop 0
		prompt port config mtu 0 9000
		prompt port start 0
		prompt set fwd io
		prompt start
		is "$name: $queues queues: the device has the MTU" "$(ena stats | value mtu)" 9000
		circulate "$name: $queues queues, io, 9014 bytes" 500 9014
		circulate "$name: $queues queues, io, 60 to 9014 bytes" 2000 0
		prompt stop
		if [ $queues = 1 ]; then
			ena_events
		fi
		prompt_stop
	done

	# Nobody broke a rule, and the placement was what it should be.
	report=$(ena stats)
	is "$name: the driver broke no rule" "$(value violations <<<"$report")" \
		"$(value violations <<<"$before")"
	mode=$([ "$placement" = llq ] && echo host || echo llq)
	is "$name: no frame by the other placement" "$(value ${mode}_frames <<<"$report")" \
		"$(value ${mode}_frames <<<"$before")"
}

# Link, reset, stop and start, within a testpmd with a prompt.
ena_events() {
	local i
	for i in down up; do
		ena link $i >/dev/null
		sleep 1 # an interrupt, and a thread of EAL's
		prompt show port info 0
		matches "$name: link $i" "$(grep '^Link status: ' $testpmd_log | tail -n 1)" " $i$"
	done
	prompt port stop 0
	prompt port reset 0
	prompt port start 0
	prompt start
	circulate "$name: after a port reset" 2000 60
	prompt stop
	for i in 1 2 3; do
		prompt port stop 0
		prompt port start 0
	done
	prompt start
	circulate "$name: after stop and start" 2000 1514
	prompt stop
}

# Linux's own driver takes both models, each in a network namespace of its own (ena: 192.0.2.1,
# enb: 192.0.2.2), with the cable between them. Exits where that cannot be.
ena_kernel() {
	local device addr net
	modprobe ena || { not_ok "the kernel has its driver" "modprobe: $?"; exit; }
	for device in ena enb; do
		addr=$(lab-bind -d ena $device) || { not_ok "$device: the driver takes it" "see dmesg"; exit; }
		net=$(basename "$(echo "/sys/bus/pci/devices/$addr/net/"*)")
		ip netns add $device
		ip link set "$net" netns $device name eth0
		ip -n $device addr add 192.0.2.$([ $device = ena ] && echo 1 || echo 2)/24 dev eth0
		ip -n $device link set eth0 mtu 9000 up
	done
	is "the cable is plugged in" "$(witness ena0 mode wire; witness ena1 mode wire)" $'ok\nok'
}

ena_kernel_end() {
	local device
	witness ena0 mode sink >/dev/null
	witness ena1 mode sink >/dev/null
	for device in ena enb; do lab-bind $device >/dev/null; ip netns del $device; done
	rmmod ena
}
