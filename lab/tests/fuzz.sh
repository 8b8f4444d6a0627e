# SPDX-License-Identifier: BSD-3-Clause
# For the scripts that fuzz mmap cookies (lab/guest/programs/cookies/fuzz; vfio-cookie-fuzz).

# fuzz ROUNDS SEED [ARGS...]: rounds of random steps, one result for each; and one for what they
# did: an operation that never worked was not tried.
fuzz() {
	local rounds=$1 seed=$2 round
	shift 2
	# shellcheck disable=SC2046 # addresses
	set -- --rounds "$rounds" --seed "$seed" "$@" $(fuzz_devices)
	vfio-cookie-fuzz "$@" 2>&1 | tee /tmp/fuzz
	for ((round = 1; round <= rounds; round++)); do
		matches "round $round, seed $((seed + round - 1))" "$(</tmp/fuzz)" \
			"^# round $round of $rounds, .* good"
	done
	is "operations that never worked" \
		"$(sed -nE 's/^# ([a-z]+): 0 worked.*/\1/p' /tmp/fuzz | paste -sd ' ')" ""
}

# What runs failed of before
fuzz_play() {
	# shellcheck disable=SC2046 # addresses
	vfio-cookie-fuzz --play /src/lab/tests/fuzz/* $(fuzz_devices) >/tmp/fuzz.play 2>&1
	tap /tmp/fuzz.play
}

# Devices that differ: a BAR of 64 MB that is plain memory, one of 1 GB, a VF, and a small BAR
fuzz_devices() {
	lab-bind ivshmem testdev igbvf virtio | sed '1,2s/$/=2/'
}
