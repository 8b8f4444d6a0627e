# SPDX-License-Identifier: BSD-3-Clause
# For lab/tests/*.sh, which run in the guest; see lab/README.md.

set -u
failures=0

ok() { echo "ok $*"; }
skip() { echo "skip $1 - $2"; }
not_ok() { # NAME REASON
	echo "not ok $1 - $2"
	failures=$((failures + 1))
}

# is NAME GOT WANTED
is() { if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got '$2', not '$3'"; fi; }
# matches NAME TEXT REGEX
matches() { if grep -qE -- "$3" <<<"$2"; then ok "$1"; else not_ok "$1" "nothing like '$3' in: $2"; fi; }

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

# Ask the witness, print its answer. Fails when it says "error".
witness() {
	local line i
	for ((i = 0; i < 100; i++)); do # one client at a time
		{ exec {port}<>"$WC_WITNESS"; } 2>/dev/null && break
		sleep 0.1
	done
	echo "$*" >&$port
	while read -r -t 30 line <&$port; do
		echo "$line"
		case $line in leaf*|bus*) ;; *) break ;; esac
	done
	exec {port}>&-
	[[ $line != error* ]]
}

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
	local i
	for ((i = 0; i < 300; i++)); do
		grep -q 'Press enter to exit' $testpmd_log && return
		kill -0 $testpmd 2>/dev/null || break
		sleep 0.1
	done
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
