# SPDX-License-Identifier: BSD-3-Clause
# stage: test
# suites: trixie bookworm forky
# long: bookworm
# timeout: 300
# A program with DPDK linked statically, as DPDK builds its own by default, loads the plugin by -d;
# so does its secondary process.

. /src/lab/tests/ena.sh
plan 10

cat >/tmp/static.c <<'END'
#include <stdio.h>

#include <rte_eal.h>
#include <rte_ethdev.h>

/* Says what it has, and ends at the end of its input. */
int
main(int argc, char **argv)
{
	if (rte_eal_init(argc, argv) < 0)
		return 1;
	printf("ports: %u\n", rte_eth_dev_count_avail());
	fflush(stdout);
	while (getchar() != EOF)
		;
	return rte_eal_cleanup() != 0;
}
END
libs=/usr/lib/$(gcc -print-multiarch) archives=''
# log, argparse and pmu are EAL's, where they are
for lib in net_ena bus_vdev bus_pci pci ethdev meter net mbuf mempool mempool_ring ring rcu timer \
	eal telemetry kvargs log argparse pmu; do
	[ ! -e "$libs/librte_$lib.a" ] || archives+=" -l:librte_$lib.a"
done
# shellcheck disable=SC2046,SC2086 # words
gcc -O1 /tmp/static.c $(pkg-config --cflags libdpdk) -o /tmp/static \
	-Wl,--whole-archive $archives -Wl,--no-whole-archive -Wl,--export-dynamic \
	-lm -lnuma -latomic -lbsd
is "it is linked" $? 0
is "it is linked statically" "$(ldd /tmp/static | grep -c librte_)" 0

static_start() { # LOG EAL-ARGS...: its pid is $program, its input $program_in
	local log=$1
	shift
	rm -f /tmp/static.in
	mkfifo /tmp/static.in
	/tmp/static -m 64 "$@" </tmp/static.in >"$log" 2>&1 &
	program=$!
	exec {program_in}>/tmp/static.in
	await 30 static_started "$log"
}
static_started() { grep -q '^ports: ' "$1" || ! kill -0 $program 2>/dev/null; } # LOG
static_stop() { # NAME
	exec {program_in}>&-
	wait $program
	is "$1: it ends well" $? 0
}

addr=$(lab-bind ena)
memory_types_are
wc="-d $plugin --vdev=vfio_wc0,mode=required"
# shellcheck disable=SC2086 # words
static_start /tmp/static.log -l 0 -a "$addr" $wc --proc-type=primary
matches "primary: it has the port" "$(tail -n 20 /tmp/static.log)" '^ports: 1$'
is "primary: the LLQ is WC" "$(wc_entries "$addr" 2)" "0x0+0x100000"
primary=$program primary_in=$program_in

# shellcheck disable=SC2086 # words
static_start /tmp/secondary.log --lcores 1@1 -a "$addr" $wc --proc-type=secondary \
	--log-level=pmd.misc.vfio_wc:info
matches "secondary: it has the port" "$(tail -n 20 /tmp/secondary.log)" '^ports: 1$'
matches "secondary: the primary's request is its own" "$(</tmp/secondary.log)" \
	"^vfio_wc: $addr BAR 2 \[0x0, 0x100000\) at 0x[0-9a-f]+ is WC"
static_stop secondary
is "primary: the LLQ stays WC" "$(wc_entries "$addr" 2)" "0x0+0x100000"
program=$primary program_in=$primary_in
static_stop primary
memory_types_as_before "both"
