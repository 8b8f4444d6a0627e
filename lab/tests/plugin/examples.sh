# SPDX-License-Identifier: BSD-3-Clause
# stage: long
# suites: bookworm
# timeout: 420
# DPDK's examples, of the source that bookworm's packages are made from, with DPDK linked
# statically: l2fwd, and two processes of multi_process/symmetric_mp, which gives a port up that has
# no promiscuous mode, as ENA's: without that call.

. /src/lab/tests/ena.sh
plan 10

source=/tmp/dpdk libs=/usr/lib/$(gcc -print-multiarch) archives=''
mkdir $source
tar -xf /usr/src/dpdk_*.orig.tar.xz -C $source --strip-components=1 --wildcards '*/examples/l2fwd' \
	'*/examples/multi_process/symmetric_mp' || exit
for lib in net_ena bus_vdev bus_pci pci ethdev meter net mbuf mempool mempool_ring ring rcu timer \
	eal telemetry kvargs log; do
	[ ! -e "$libs/librte_$lib.a" ] || archives+=" -l:librte_$lib.a"
done
sed -i '/rte_eth_promiscuous_enable/,/return/d' $source/examples/multi_process/symmetric_mp/main.c
for example in l2fwd multi_process/symmetric_mp; do
	# shellcheck disable=SC2046,SC2086 # words
	gcc -O1 -w $source/examples/$example/main.c -DALLOW_EXPERIMENTAL_API \
		$(pkg-config --cflags libdpdk) -o /tmp/${example##*/} \
		-Wl,--whole-archive $archives -Wl,--no-whole-archive -Wl,--export-dynamic \
		-lm -lnuma -latomic -lbsd || exit
done

addr=$(lab-bind ena)
memory_types_are
wc="-m 256 -a $addr -d $plugin --vdev=vfio_wc0,mode=required"
ready() { grep -q "$1" "$2" || ! kill -0 $program 2>/dev/null; } # WORDS LOG
end() { # NAME
	kill -INT "$program"
	wait "$program"
	is "$1: it ends well" $? 0
}

# It forwards to the port that frames came from, with another MAC address.
# shellcheck disable=SC2086 # words
/tmp/l2fwd -l 0-1 $wc -- -p 1 --no-mac-updating -T 0 >/tmp/l2fwd.log 2>&1 &
program=$! testpmd=$!
await 60 ready 'entering main loop on lcore' /tmp/l2fwd.log
is "l2fwd: the LLQ is WC" "$(wc_entries "$addr" 2)" "0x0+0x100000"
circulate "l2fwd: it forwards" 2000 60
end l2fwd
memory_types_as_before l2fwd

# It wants two ports, and sends what comes to one out of the other.
other=$(lab-bind enb)
wc="-m 256 -a $addr -a $other -d $plugin --vdev=vfio_wc0,mode=required"
# shellcheck disable=SC2086 # words
stdbuf -oL /tmp/symmetric_mp -l 0 $wc --proc-type=primary -- -p 3 --num-procs=2 --proc-id=0 \
	>/tmp/primary.log 2>&1 &
program=$! primary=$!
await 60 ready 'Lcore 0 using ports' /tmp/primary.log
is "symmetric_mp, primary: the LLQs are WC" "$(wc_entries "$addr" 2) $(wc_entries "$other" 2)" \
	"0x0+0x100000 0x0+0x100000"
# shellcheck disable=SC2086 # words
stdbuf -oL /tmp/symmetric_mp --lcores 1@1 $wc --proc-type=secondary \
	--log-level=pmd.misc.vfio_wc:info -- -p 3 --num-procs=2 --proc-id=1 \
	>/tmp/secondary.log 2>&1 &
program=$!
await 60 ready 'Lcore 1 using ports' /tmp/secondary.log
is "symmetric_mp, secondary: WC on both" "$(grep -cE \
	"^vfio_wc: ($addr|$other) BAR 2 \[0x0, 0x100000\) at 0x[0-9a-f]+ is WC" \
	/tmp/secondary.log)" 2
before=$(witness ena1 stats | value llq_frames)
ena generate 2000 60 >/dev/null
sent() { (($(witness ena1 stats | value llq_frames) - before >= 2000)); }
await 60 sent
is "symmetric_mp: what comes to one port is pushed into the other" \
	$(($(witness ena1 stats | value llq_frames) - before)) 2000
end "symmetric_mp, secondary"
program=$primary
end "symmetric_mp, primary"
memory_types_as_before symmetric_mp
