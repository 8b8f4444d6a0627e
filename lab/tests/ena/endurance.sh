# SPDX-License-Identifier: BSD-3-Clause
# stage: long
# timeout: 7200
# What a release is held to: types that are exchanged again and again under traffic, processes that
# die at any moment, secondary processes. No frame is lost or corrupt, and nothing stays behind.
# Shorter by hand: lab/run exec -- bash -c 'minutes=1 kills=6 rounds=2; . THIS'

. /src/lab/tests/ena.sh
: "${minutes=30}" "${kills=200}" "${rounds=20}"
plan 17

addr=$(lab-bind ena)
memory_types_are
pages_free() { awk '/^HugePages_Free/ { print $2 }' /proc/meminfo; }
kernel_kb() { awk '/^(SUnreclaim|PageTables|VmallocUsed|Percpu):/ { n += $2 } END { print n }' \
	/proc/meminfo; }
# What one of testpmd's own holds: KB of its own memory, and files
holds_kb() { awk '/^RssAnon:/ { print $2 }' /proc/$testpmd/status; }
holds_files() { find /proc/$testpmd/fd -mindepth 1 | wc -l; }
type_is() { [ "$(in_bar "$addr" 2 "$(leaves "$addr" 0)")" = "$1" ]; }
figures() { printf '# %s\n' "$*"; }
free=$(pages_free) start=$(ena stats)

# --- Exchanged under traffic, and with the port restarted
declare -A wrong=()
exchange() { # TYPE
	prompt device detach vfio_wc0
	prompt port attach "vfio_wc0,dev=$addr,bar=2,type=$1,mode=required"
}
came_back() { # COUNT LENGTH
	local report all="lost=0 duplicate=0 reordered=0 corrupt=0 stale=0 left=0"
	ena generate "$1" "$2" >/dev/null
	await 60 all_back_or_ended "$1"
	report=$(ena verify)
	[[ $report == *" made=$1 back=$1 $all "* ]] || wrong[frames]+=" $round:$report"
}
round=0 sent=0 kb=0 files=0 kernel=0
prompt_start -a "$addr" -d "$plugin" --vdev="vfio_wc0,dev=$addr,bar=2,mode=required" -- \
	--rxq=4 --txq=4 --rxd=256 --txd=256 --rss-udp || exit
prompt set fwd io
prompt start
end=$((SECONDS + minutes * 60))
while ((SECONDS < end)) && kill -0 $testpmd; do
	round=$((round + 1))
	if ((round % 4 < 2)); then # every other time
		prompt stop
		prompt port stop 0
	fi
	if ((round % 2)); then type=UC- && exchange uc; else type=WC && exchange wc; fi
	if ((round % 4 < 2)); then
		prompt port start 0
		prompt start
	fi
	came_back 2000 0
	sent=$((sent + 2000))
	type_is $type || wrong[type]+=" $round:$type" # there are entries once it has pushed
	# by then it has all that it needs
	if [ $round = 4 ]; then kb=$(holds_kb) files=$(holds_files) kernel=$(kernel_kb); fi
done
figures "$round exchanges, $sent frames; KB: testpmd $kb, then $(holds_kb); kernel $kernel, then" \
	"$(kernel_kb)"
at_least "exchanged: rounds" $round 8
is "exchanged: the page tables have what was asked for" "${wrong[type]-}" ""
is "exchanged: each frame came back" "${wrong[frames]-}" ""
is "exchanged: testpmd's files" "$(holds_files)" "$files"
at_most "exchanged: testpmd has not grown, KB" $(($(holds_kb) - kb)) 2048
at_most "exchanged: nor has the kernel, KB" $(($(kernel_kb) - kernel)) 4096
prompt_stop
memory_types_as_before "exchanged"

# --- Killed at any moment, from its first second on
wrong=() kernel=$(kernel_kb) up=0
for ((round = 1; round <= kills; round++)); do
	rm -f /tmp/testpmd.in
	mkfifo /tmp/testpmd.in
	stdbuf -oL dpdk-testpmd -l 0-1 -m 256 -a "$addr" -d "$plugin" \
		--vdev=vfio_wc0,mode=required -- --total-num-mbufs=4096 --forward-mode=txonly \
		</tmp/testpmd.in >$testpmd_log 2>&1 &
	testpmd=$!
	exec {testpmd_in}>/tmp/testpmd.in
	# a moment is what is to be random: up to twice what it takes to be up
	sleep $((RANDOM % (10 * patience))).$((RANDOM % 10))
	! grep -q 'Press enter' $testpmd_log || up=$((up + 1))
	testpmd_kill
	[ "$(sort $pat_list)" = "$(</tmp/memory-types)" ] || wrong[types]+=" $round"
	[ "$(wc_entries "$addr" 2)" = none ] || wrong[reserved]+=" $round"
done
figures "$kills killed, $up of them when they forwarded; kernel: $kernel KB, then $(kernel_kb)"
at_least "killed: some had come to forward" $up 1
is "killed: the list of memory types is as before" "${wrong[types]-}" ""
is "killed: nothing stays reserved" "${wrong[reserved]-}" ""
at_most "killed: the kernel has not grown, KB" $(($(kernel_kb) - kernel)) 4096

# --- Secondaries come, work, and are killed
testpmd_log=/tmp/primary.log
prompt_start -a "$addr" --proc-type=primary -d "$plugin" --vdev=vfio_wc0,mode=required -- \
	--rxq=2 --txq=2 --rxd=256 --txd=256 --rss-udp --num-procs=2 --proc-id=0 || exit
prompt set fwd io
prompt start
primary=$testpmd primary_in=$testpmd_in wrong=()
for ((round = 1; round <= rounds; round++)); do
	testpmd_log=/tmp/secondary.log
	prompt_start -a "$addr" --proc-type=secondary -d "$plugin" -- \
		--rxq=2 --txq=2 --num-procs=2 --proc-id=1 || break
	prompt set fwd io
	prompt start
	came_back 2000 60
	type_is WC || wrong[type]+=" $round"
	testpmd_kill
	[ "$(wc_entries "$addr" 2)" = "0x0+0x100000" ] || wrong[reserved]+=" $round"
done
testpmd=$primary testpmd_in=$primary_in testpmd_log=/tmp/primary.log
is "secondary: each frame came back, by both" "$((round - 1)) ${wrong[frames]-}" "$rounds "
is "secondary: WC each time" "${wrong[type]-}" ""
is "secondary: the primary keeps what it has" "${wrong[reserved]-}" ""
prompt_stop

# --- What stays: nothing
testpmd_start -a "$addr" -d "$plugin" --vdev=vfio_wc0,mode=required -- --forward-mode=txonly &&
	testpmd_stop
rm -f /dev/hugepages/rtemap_*
memory_types_as_before "all"
is "all: huge pages" "$(pages_free)" "$free"
is "all: the driver broke no rule" "$(increase violations "$start" "$(ena stats)")" 0
