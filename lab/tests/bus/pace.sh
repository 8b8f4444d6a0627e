# SPDX-License-Identifier: BSD-3-Clause
# bus: yes
# The plugin holds a processor for what its instructions and writes cost: no run is shorter. (That
# it is no longer either, and what becomes of a benchmark then: bench/test_emulate.)

. /src/lab/tests/lib.sh
plan 5

# 16000 packets, of 128 bytes each: two lines; a doorbell for 32 of them.
push() { # PS UC WC: seconds that it takes
	local begin
	is "pace $*" "$(witness bus pace "$@")" "end 0"
	begin=${EPOCHREALTIME/./}
	bus-double "$(bdf ivshmem)" 2 push-128 >/dev/null || not_ok "the double" "exit status $?"
	micros=$((${EPOCHREALTIME/./} - begin))
}

# 2 x 16000 lines of 500 instructions of 100 ns, less what it may make up for
push 100000 0 500000
at_least "so many lines take so long" $micros 1400000
# 500 doorbells of 50000 instructions of 100 ns
push 100000 50000000 0
at_least "so many uncached writes take so long" $micros 2300000
is "and nothing is held any more" "$(witness bus pace 0 0 0)" "end 0"
