# SPDX-License-Identifier: BSD-3-Clause
# stage: long
# timeout: 300
# What secondary.sh tells by the kernel's list, by page tables, each process sending: a secondary
# that knows nothing has the type that its primary has, one under the launcher as well.

. /src/lab/tests/run.sh
plan 10

addr=$(bdf ena)
memory_types_are

start() { # NUMBER TYPE
	prompt_start -a "$addr" --proc-type="$2" -- --num-procs=2 --proc-id="$1" \
		--rxq=2 --txq=2 --forward-mode=txonly
}

# The types of the pages that a process touches when it sends: a secondary rings the doorbells, and
# no other register. Not in a subshell, for prompt counts.
look() { # NAME
	local before
	before=$(ena verify | value txonly)
	prompt start
	await 20 ena_beyond verify txonly "$before"
	is "$1: it sends" $? 0
	pages=$(leaves "$addr" 0 0x1000)
	is "$1: BAR2, which takes the descriptors, is WC" "$(in_bar "$addr" 2 "$pages")" WC
	is "$1: BAR0, the registers, is UC-" "$(in_bar "$addr" 0 "$pages")" UC-
	prompt stop
}

under --mode required
start 0 primary || exit
primary=$testpmd primary_in=$testpmd_in
look "primary"

testpmd_log=/tmp/secondary.log
launcher=()
start 1 secondary || exit
look "a secondary that knows nothing"
prompt_stop
under --mode required
start 1 secondary || exit
look "a secondary under the launcher"
prompt_stop

testpmd=$primary testpmd_in=$primary_in testpmd_log=/tmp/testpmd.log
prompt_stop
memory_types_as_before "all"
