# SPDX-License-Identifier: BSD-3-Clause
# For the tests on the ENA model.

. /src/lab/tests/plugin.sh

# Ask the model (lab/ena/main.c has its commands).
ena() { witness ena0 "$@"; }

# value KEY < "verb KEY=VALUE ..."
value() { sed -n "s/.* $1=\([^ ]*\).*/\1/p"; }

increase() { echo $(($(value "$1" <<<"$3") - $(value "$1" <<<"$2"))); } # KEY BEFORE AFTER

# Which types the leaves that lie in a BAR have.
in_bar() { # BDF BAR LEAVES
	local start end pa type
	read -r start end _ <<<"$(sed -n "$(($2 + 1))p" "/sys/bus/pci/devices/$1/resource")"
	while read -r pa type; do
		((pa >= start && pa <= end)) && echo "$type"
	done <<<"$3" | sort -u | paste -sd ' '
}

# ... is so, in a report that is asked for: for await
ena_says() { [ "$(ena "$1" | value "$2")" = "$3" ]; } # VERB KEY VALUE
ena_beyond() { (($(ena "$1" | value "$2") > $3)); } # VERB KEY COUNT

# Let the model make frames and wait until testpmd has sent them all back: one result.
circulate() { # NAME COUNT LENGTH [SECONDS]
	ena generate "$2" "$3" >/dev/null
	await "${4-60}" all_back_or_ended "$2"
	matches "$1" "$(ena verify)" \
		"made=$2 back=$2 lost=0 duplicate=0 reordered=0 corrupt=0 stale=0 left=0 "
}
all_back_or_ended() { ena_says verify back "$1" || ! kill -0 $testpmd 2>/dev/null; }

# What the stock PMD must be able to do, whatever the type of BAR2: 39 results.
# ena_traffic NAME PLACEMENT EAL-ARGS...
ena_traffic() {
	local name=$1 placement=$2 other addr start report mode kind queues size before
	other=$([ "$placement" = llq ] && echo host || echo llq)
	addr=$(lab-bind ena)
	shift 2
	start=$(ena stats)

	# What testpmd makes itself; 9000 bytes are six segments.
	for mode in txonly flowgen "txonly --txpkts=1514" \
		"txonly --txpkts=1500,1500,1500,1500,1500,1500" \
		"flowgen --txq=4 --rxq=4 --rxd=256"; do
		kind=${mode%% *}
		before=$(ena verify | value "$kind")
		testpmd_start -a "$addr" "$@" -- --forward-mode=$mode || return
		await 20 ena_beyond verify "$kind" $((before + 1000))
		testpmd_stop
		at_least "$name, $mode: testpmd sends" "$testpmd_sent" 1000
		is "$name, $mode: each frame arrives as it should be" \
			$(($(ena verify | value "$kind") - before)) "$testpmd_sent"
	done

	# What the model makes and gets back.
	for queues in 1 4; do
		prompt_start -a "$addr" "$@" -- \
			--rxq=$queues --txq=$queues --rxd=256 --txd=256 --rss-udp ||
			return
		report=$(ena stats)
		is "$name, $queues queues: the PMD has these" \
			"$(value tx_queues <<<"$report") $(value rx_queues <<<"$report")" \
			"$queues $queues"
		is "$name, $queues queues: the PMD's placement" "$(value llq_queues <<<"$report")" \
			"$([ "$placement" = llq ] && echo $queues || echo 0)"
		# shellcheck disable=SC2034 # lab/tests/ena/no-llq.sh looks at it
		entry_size=$(ena stats | value llq_entry)
		for mode in io macswap 5tswap; do
			prompt set fwd $mode
			prompt start
			for size in 60 1514; do
				circulate "$name, $queues queues, $mode, $size bytes" 5000 $size
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
		is "$name, $queues queues: the device has the MTU" "$(ena stats | value mtu)" 9000
		circulate "$name, $queues queues, io, 9014 bytes" 500 9014
		circulate "$name, $queues queues, io, 60 to 9014 bytes" 2000 0
		prompt stop
		if [ $queues = 1 ]; then
			ena_events
		fi
		prompt_stop
	done

	# Nobody broke a rule, and the placement was what it should be.
	is "$name: the driver broke no rule" "$(increase violations "$start" "$(ena stats)")" 0
	is "$name: no frame by the other placement" \
		"$(increase ${other}_frames "$start" "$(ena stats)")" 0
}

# Link, reset, stop and start, within a testpmd with a prompt: 4 results, of ena_traffic's.
ena_events() {
	local i
	for i in down up; do
		ena link $i >/dev/null
		await 10 link_is $i # an interrupt, and a thread of EAL's
		is "$name: link $i" $? 0
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
link_is() { # down | up
	prompt show port info 0
	grep '^Link status: ' $testpmd_log | tail -n 1 | grep -q " $1$"
}

# Linux's own driver takes both models, each in a network namespace of its own (ena: 192.0.2.1,
# enb: 192.0.2.2), with the cable between them: one result. Exits where that cannot be.
ena_kernel() {
	local device addr net
	modprobe ena || exit
	for device in ena enb; do
		addr=$(lab-bind -d ena $device) || exit
		net=$(basename "/sys/bus/pci/devices/$addr/net/"*)
		ip netns add $device
		ip link set "$net" netns $device name eth0
		# Its own frames would only blur the counts.
		ip -n $device link set eth0 addrgenmode none
		ip -n $device addr add "192.0.2.$([ $device = ena ] && echo 1 || echo 2)/24" \
			dev eth0
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
