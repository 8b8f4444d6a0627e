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
matches() { if grep -qE -- "$3" <<<"$2"; then ok "$1"; else not_ok "$1" "nothing like '$3' in: $2"; fi; }
# at_least NAME GOT LEAST
at_least() {
	if [ "${2:-0}" -ge "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', not $3 or more"; fi
}

# tap FILE [PREFIX]: the results of a program that speaks TAP become this script's, without those
# that it skipped. It must have said a plan and have kept to it.
tap() {
	local line verdict number name wanted='' last=0 said=()
	while IFS= read -r line; do
		if [[ $line =~ ^1\.\.([0-9]+)( .*)?$ ]]; then
			wanted=${BASH_REMATCH[1]}
		elif [[ $line =~ ^(ok|not\ ok)\ ([0-9]+)\ +(-\ )?(.*)$ ]]; then
			verdict=${BASH_REMATCH[1]} number=${BASH_REMATCH[2]} name=${BASH_REMATCH[4]}
			[ "$number" = $((++last)) ] || not_ok "${2-}$name" "test $number where $last should be"
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
		if [[ $rest == *'[vfio-device]'* ]] && (( (0x$offset >> 40) == $2 )); then
			printf '0x%s\n' "${range%%-*}"
			return
		fi
	done <"/proc/$1/maps"
	return 1
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

# Wait for a regex in testpmd's log, or for its end.
said() { # REGEX
	await 30 said_or_ended "$1" && grep -qE -- "$1" $testpmd_log
}
said_or_ended() { grep -qE -- "$1" $testpmd_log || ! kill -0 $testpmd 2>/dev/null; }

# Start the stock testpmd on lcores 0 and 1 (1 forwards), wait until it forwards.
# testpmd_start EAL-ARGS... -- TESTPMD-ARGS...; its pid is $testpmd, its output in $testpmd_log.
# Neither this nor testpmd_stop may run in a subshell.
testpmd_log=/tmp/testpmd.log
testpmd_start() {
	rm -f /tmp/testpmd.in $testpmd_log
	mkfifo /tmp/testpmd.in
	# Its output is waited for, and would otherwise stay in a buffer.
	stdbuf -oL dpdk-testpmd -l 0-1 -m 256 --no-telemetry "$@" --total-num-mbufs=4096 </tmp/testpmd.in \
		>$testpmd_log 2>&1 &
	testpmd=$!
	exec {testpmd_in}>/tmp/testpmd.in
	said 'Press enter to exit' && return
	kill -9 $testpmd 2>/dev/null
	wait $testpmd
	exec {testpmd_in}>&-
	tail -n 20 $testpmd_log
	return 1
}

# Stop it; $testpmd_sent is how many packets it says it sent.
testpmd_stop() {
	echo >&$testpmd_in
	exec {testpmd_in}>&-
	wait $testpmd
	testpmd_sent=$(sed -n '/Forward statistics for port/,$ s/.*TX-packets: \([0-9]*\).*/\1/p' \
		$testpmd_log | tail -n 1)
}
