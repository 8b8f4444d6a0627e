# SPDX-License-Identifier: BSD-3-Clause
# For lab/tests/*.sh, which run in the guest; see lab/README.md.

set -u
failures=0
# The runner gives this shell two words. What begins with $results is the script's own word on a
# test: no program knows it, so nothing that one prints can be taken for a result. $patience says
# how many times slower than a quiet machine this guest may be.
: "${results=}" "${patience=1}"
export -n results
exec {results_fd}>&1

# plan N: how many results there will be, said first. The runner holds the script to it.
plan() { result plan "$1"; }
result() { # VERDICT NAME [REASON]: one line, whatever is in them
	local line
	printf -v line '%s\t' "$@"
	printf '\n%s%s\n' "${results:+$results	}" "${line//$'\n'/ | }" >&$results_fd
}
ok() { result ok "$*"; }
skip() { result skip "$1" "$2"; }
not_ok() { # NAME REASON
	result "not ok" "$1" "$2"
	failures=$((failures + 1))
}

# is NAME GOT WANTED
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', not '$3'"; fi; }
# matches NAME TEXT REGEX
matches() {
	if grep -qE -- "$3" <<<"$2"; then ok "$1"; else not_ok "$1" "nothing like '$3' in: $2"; fi
}
# at_least NAME GOT LEAST
at_least() {
	if [ "${2:-0}" -ge "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', not $3 or more"; fi
}
# at_most NAME GOT MOST
at_most() {
	if [ -n "$2" ] && [ "$2" -le "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got '$2', not $3 or less"
	fi
}
# A script that calls something of its own by such a name would judge itself.
readonly -f plan result ok skip not_ok is matches at_least at_most

# tap FILE [PREFIX]: the results of a program that speaks TAP become this script's, without those
# that it skipped. It must have said a plan and have kept to it.
tap() {
	local line verdict number name wanted='' last=0 said=()
	while IFS= read -r line; do
		if [[ $line =~ ^1\.\.([0-9]+)( .*)?$ ]]; then
			wanted=${BASH_REMATCH[1]}
		elif [[ $line =~ ^(ok|not\ ok)\ ([0-9]+)\ +(-\ )?(.*)$ ]]; then
			verdict=${BASH_REMATCH[1]} number=${BASH_REMATCH[2]} name=${BASH_REMATCH[4]}
			[ "$number" = $((++last)) ] ||
				not_ok "${2-}$name" "test $number where $last should be"
			case $verdict,${name^^} in
			*'# SKIP'*) ;;
			ok,*) ok "${2-}$name" ;;
			*) not_ok "${2-}$name" "${said[*]: -8}" ;;
			esac
			said=()
		else
			said+=("$line |")
		fi
	done <"$1"
	[ "$wanted" = "$last" ] || not_ok "${2-}its plan" "$last tests of ${wanted:-no plan}"
}

# await SECONDS COMMAND...: until it succeeds. The limit is for a quiet machine.
await() {
	local end=$((SECONDS + $1 * patience))
	shift
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep 0.1
	done
}

trap 'exit $((failures > 0))' EXIT

bdf() { lab-bind -n "$1"; }

# Physical address of a BAR.
bar_pa() { # BDF BAR
	awk -v bar="$2" 'NR == bar + 1 { print $1 }' "/sys/bus/pci/devices/$1/resource"
}

# Virtual address of the vfio mapping of a BAR, of a process with one device.
bar_va() { # PID BAR
	local range offset rest
	while read -r range _ offset rest; do
		if [[ $rest == *'[vfio-device]'* || $rest == */dev/vfio/devices/* ]] &&
			(( (0x$offset >> 40) == $2 )); then
			printf '0x%s\n' "${range%%-*}"
			return
		fi
	done <"/proc/$1/maps"
	return 1
}

# On a debug kernel: what kmemleak says of vfio, one result. (An object must be seen without a
# reference twice, some seconds apart, to be called a leak.)
no_leaks() {
	for _ in 1 2; do
		echo scan >/sys/kernel/debug/kmemleak
		sleep 6
	done
	is "leaks" "$(grep -A12 -i vfio /sys/kernel/debug/kmemleak 2>&1)" ""
}

witness_open() { { exec {port}<>"$WC_WITNESS"; } 2>/dev/null; } # one client at a time

# Ask the witness, print its answer. Fails when it says "error".
witness() {
	local line=error
	await 10 witness_open || { echo "error $WC_WITNESS cannot be opened"; return 1; }
	echo "$*" >&$port
	while read -r -t $((30 * patience)) line <&$port; do
		echo "$line"
		case $line in leaf*|bus*) ;; *) break ;; esac
	done
	exec {port}>&-
	[[ $line != error* ]]
}

# The frames of testpmd's that a back end counted.
frames() { # NETDEV
	local count
	read -r _ count _ <<<"$(witness count "$1")"
	echo "$count"
}

# Whether it has counted more than so many: for await.
frames_beyond() { (($(frames "$1") > $2)); } # NETDEV COUNT

# Wait for a regex in testpmd's log, or for its end.
said() { # REGEX
	await 30 said_or_ended "$1" && grep -qE -- "$1" $testpmd_log
}
said_or_ended() { grep -qE -- "$1" $testpmd_log || ! kill -0 $testpmd 2>/dev/null; }

# Writing to a testpmd that has ended is an error like others.
trap : PIPE

# Start the stock testpmd on lcores 0 and 1 (1 forwards) and wait until it says that it is up.
# Neither this nor testpmd_end may run in a subshell: testpmd's pid is $testpmd, its output goes to
# $testpmd_log, its input is $testpmd_in. One that does not start, or does not end as it should, is
# a failure of the test, which is said right here.
# What stands in $launcher starts it: launcher=(vfio-wc-run --mode required).
testpmd_log=/tmp/testpmd.log
launcher=()
testpmd_begin() { # REGEX EAL-ARGS... -- TESTPMD-ARGS...
	local up=$1 lcores=(-l 0-1)
	shift
	# What a pool keeps for an lcore is in memory that the processes share: two of them must not
	# have lcores of one number, or they hand each other's buffers out.
	[[ " $* " != *' --proc-type=secondary '* ]] || lcores=(--lcores '2@0,3@1')
	rm -f /tmp/testpmd.in $testpmd_log
	mkfifo /tmp/testpmd.in
	# Its output is waited for, and would otherwise stay in a buffer.
	stdbuf -oL "${launcher[@]}" dpdk-testpmd "${lcores[@]}" -m 256 "$@" \
		--total-num-mbufs=4096 </tmp/testpmd.in >$testpmd_log 2>&1 &
	testpmd=$!
	exec {testpmd_in}>/tmp/testpmd.in
	said "$up" && return
	kill -9 $testpmd 2>/dev/null
	wait $testpmd
	exec {testpmd_in}>&-
	not_ok "testpmd starts" "$(tail -n 20 $testpmd_log)"
	return 1
}

testpmd_end() { # WORD: what makes it end
	local status
	echo "$1" >&$testpmd_in
	exec {testpmd_in}>&-
	wait $testpmd
	status=$?
	[ $status = 0 ] ||
		not_ok "testpmd ends well" "exit status $status: $(tail -n 20 $testpmd_log)"
}

# A testpmd that forwards at once.
testpmd_start() { # EAL-ARGS... -- TESTPMD-ARGS...
	testpmd_begin 'Press enter to exit' --no-telemetry "$@"
}

# Stop it; $testpmd_sent is how many packets it says it sent.
testpmd_stop() {
	testpmd_end ""
	testpmd_sent=$(sed -n '/Forward statistics for port/,$ s/.*TX-packets: \([0-9]*\).*/\1/p' \
		$testpmd_log | tail -n 1)
}

# Let it send for a while and stop it: what it sent is what arrived since BEFORE. Two results.
testpmd_sends() { # NAME BACK-END BEFORE
	await 20 frames_beyond "$2" $(($3 + 1000))
	testpmd_stop
	at_least "$1: it sends" "$testpmd_sent" 1000
	is "$1: what it sent is what arrived" $(($(frames "$2") - $3)) "$testpmd_sent"
}

# End it as the kernel does: nobody gets to clean up.
testpmd_kill() {
	kill -9 $testpmd
	wait $testpmd 2>/dev/null
	exec {testpmd_in}>&-
}
