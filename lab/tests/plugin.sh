# SPDX-License-Identifier: BSD-3-Clause
# For the tests of the EAL plugin.
#
# shellcheck disable=SC2034 # plugin: who sources this uses it

. /src/lab/tests/lib.sh

plugin=$(echo /opt/dpdk-vfio-wc/lib/dpdk/pmds-*/librte_misc_vfio_wc.so)
pat_list=/sys/kernel/debug/x86/pat_memtype_list
programs=/src/lab/guest/programs

# What the kernel's list of memory types has as WC in a BAR: "OFFSET+LENGTH ...", or "none"
wc_entries() { # BDF BAR
	dpdk-wc-info --json "$1" | $programs/query.py "' '.join(
		'%#x+%#x' % (entry['offset'], entry['length'])
		for bar in a['devices'][0]['bars'] if bar['bar'] == $2
		for entry in bar['pat'] if entry['type'] == 'WC') or 'none'"
}

# What the page tables of testpmd (on CPU 1) hold for its BARs: "PA TYPE" a line, all BARs.
leaves() { # BDF BAR [OFFSET], for the anchor: a page that it has touched
	witness mmio 1 $(($(bar_va $testpmd "$2") + ${3-0})) $(($(bar_pa "$1" "$2") + ${3-0})) |
		awk '/^leaf/ { print $3, $6 }'
}

# The same in short: the types of a range's pages and of all others, "1 WC,others UC-".
leaf_types() { # BDF BAR OFFSET LENGTH
	local start=$(($(bar_pa "$1" "$2") + $3)) pa type
	leaves "$1" "$2" | while read -r pa type; do
		((pa >= start && pa < start + $4)) || type="others $type"
		echo "$type"
	done | sort | uniq -c | sed 's/^ *//; s/^[0-9]* others/others/' | paste -sd ,
}

# The kernel's list must be the same before and after.
memory_types_are() { sort $pat_list >/tmp/memory-types || exit; } # now
memory_types_as_before() { # NAME
	is "$1: the list of memory types is as before" "$(sort $pat_list)" "$(</tmp/memory-types)"
}

# Lines of the plugin in testpmd's log.
plugin_lines() { grep '^vfio_wc: ' $testpmd_log; }

# Ask testpmd's telemetry; a Python expression of a, the answer.
telemetry() { $programs/query.py "$2" "$1"; } # COMMAND EXPRESSION

# A testpmd with a prompt, for commands and with telemetry; then: prompt COMMAND, prompt_stop
prompt_start() { # EAL-ARGS... -- TESTPMD-ARGS...
	testpmd_begin 'testpmd> ' "$@" -i
}

# Give a command and wait until it is done: the next one's echo is what can be waited for.
prompt() { # COMMAND
	marks=$((${marks-0} + 1))
	printf '%s\nshow port info %d\n' "$*" $((60000 + marks)) >&$testpmd_in
	if ! said "Invalid port $((60000 + marks))" ||
		grep -qE '^(Bad arguments|Command not found|Ambiguous command)' $testpmd_log; then
		not_ok "testpmd obeys: $*" "$(tail $testpmd_log)"
	fi
}

prompt_stop() { testpmd_end quit; }
