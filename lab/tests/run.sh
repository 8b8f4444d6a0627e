# SPDX-License-Identifier: BSD-3-Clause
# For the tests of vfio-wc-run.
#
# shellcheck disable=SC2034 # launcher: lab/tests/lib.sh uses it

. /src/lab/tests/ena.sh

# Start what follows under the launcher, with these options.
under() { launcher=(vfio-wc-run "$@" --); }

# What the launcher's library said in testpmd's log, where another thread may have left a line open.
run_lines() { grep -o 'vfio-wc-run: .*' $testpmd_log; }

# Put a program that keeps CPU 1 busy where testpmd's would be; it says REGEX when it has mapped,
# and ends with its input.
program_start() { # REGEX COMMAND...
	local up=$1
	shift
	rm -f /tmp/program.in $testpmd_log
	mkfifo /tmp/program.in
	"$@" </tmp/program.in >$testpmd_log 2>&1 &
	testpmd=$!
	exec {testpmd_in}>/tmp/program.in
	said "$up" && return
	not_ok "$2 $3 starts" "$(tail $testpmd_log)"
	return 1
}
program_end() { # NAME
	exec {testpmd_in}>&-
	wait $testpmd
	is "$1: it ends well" $? 0
}
