# SPDX-License-Identifier: BSD-3-Clause
# For the tests of the EAL plugin (2*-plugin-*.sh).

. /src/lab/tests/lib.sh

plugin=$(find /opt/dpdk-vfio-wc -name librte_misc_vfio_wc.so | head -n 1)
pat_list=/sys/kernel/debug/x86/pat_memtype_list

# "[start, end) is TYPE" of the BARs of a device in the kernel's list of memory types, other than
# what the kernel itself has there
wc_entries() { # BDF BAR
	local start
	start=$(bar_pa "$1" "$2")
	dpdk-wc-info --json --no-open "$1" | python3 -c '
import json, sys
bar = next(b for b in json.load(sys.stdin)["devices"][0]["bars"] if b["bar"] == int(sys.argv[1]))
print(" ".join("%#x+%#x" % (e["offset"], e["length"]) for e in bar["pat"] if e["type"] == "WC"))
' "$2"
}

# What the page tables of testpmd (on CPU 1) hold for its BARs: "PA TYPE" a line, all BARs.
leaves() { # BDF BAR, for the anchor
	witness mmio 1 "$(bar_va $testpmd "$2")" "$(bar_pa "$1" "$2")" | awk '/^leaf/ { print $3, $6 }'
}

# Lines of the plugin in testpmd's log.
plugin_lines() { grep '^vfio_wc: ' $testpmd_log; }

# Ask testpmd's telemetry; the answer goes through the Python expression (a is the answer).
telemetry() { # COMMAND EXPRESSION
	python3 - "$1" "$2" <<-'END'
	import glob, json, socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	s.settimeout(10)
	s.connect(glob.glob('/var/run/dpdk/rte/dpdk_telemetry.v2')[0])
	s.recv(65536)
	s.send(sys.argv[1].encode())
	a = json.loads(s.recv(65536))[sys.argv[1].split(',')[0]]
	print(eval(sys.argv[2]))
	END
}

# A testpmd with a prompt, for commands and with telemetry.
# prompt_start EAL-ARGS... -- TESTPMD-ARGS...; then: prompt COMMAND, prompt_stop
prompt_start() {
	rm -f /tmp/testpmd.in $testpmd_log
	mkfifo /tmp/testpmd.in
	stdbuf -oL dpdk-testpmd -l 0-1 -m 256 "$@" -i --total-num-mbufs=4096 </tmp/testpmd.in \
		>$testpmd_log 2>&1 &
	testpmd=$!
	exec {testpmd_in}>/tmp/testpmd.in
	said 'testpmd> ' || { tail -n 30 $testpmd_log; return 1; }
}

# Give a command and wait until it is done: the next one's echo is what can be waited for.
prompt() { # COMMAND
	marks=$((${marks-0} + 1))
	printf '%s\nshow port info %d\n' "$*" $((60000 + marks)) >&$testpmd_in
	said "Invalid port $((60000 + marks))"
}

prompt_stop() {
	echo quit >&$testpmd_in
	exec {testpmd_in}>&-
	wait $testpmd
}
