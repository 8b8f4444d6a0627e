# SPDX-License-Identifier: BSD-3-Clause
# For the scripts that run the two tests of mmap cookies: the kernel's (the last patch of the
# series; vfio_mmap_cookie_test), which needs no lab, and the lab's (lab/guest/programs/cookies;
# vfio-cookies). How many results they have differs between kernels and devices: those that are not
# skipped, and two of each run. Where there are no cookies, say so: cookies=no.
# shellcheck disable=SC2154 # patience is lib.sh's

# The stock kernel has no iommufd: its tests would all be skipped.
variants=$([ -e /dev/iommu ] || echo "-V cdev")
# 6.1 has no huge entries for BARs.
[[ $(uname -r) != 6.1.* ]] || variants+=" -T huge_plain_with_wc_pages -T huge_wc -T huge_wc_slice"

selftests=() # what was run, each: "NAME STATUS"; what it said is in /tmp/selftest.NAME
cookies=yes

# selftest DEVICE [RAM-BAR [ARGS...]]: the lab's
selftest() {
	local device=$1 ram=${2-} addr
	shift $(($# > 2 ? 2 : $#))
	addr=$(lab-bind "$device") || return 1
	VFIO_SELFTESTS_RAM_BAR=$ram timeout $((${selftest_timeout:-300} * patience)) \
		vfio-cookies $variants "$@" "$addr" >"/tmp/selftest.$device" 2>&1
	selftests+=("$device $?")
}

# upstream DEVICE [RAM-BAR]: the kernel's own
upstream() {
	local addr
	addr=$(lab-bind "$1") || return 1
	VFIO_SELFTESTS_RAM_BAR=${2-} timeout $((120 * patience)) \
		vfio_mmap_cookie_test "$addr" >"/tmp/selftest.$1-upstream" 2>&1
	selftests+=("$1-upstream $?")
}

# selftest_on DEVICES...: both. Of two of them BAR 2 is plain memory.
selftest_on() {
	local device ram
	for device in "$@"; do
		case $device in ivshmem | testdev) ram=2 ;; *) ram= ;; esac
		selftest "$device" $ram
		upstream "$device" $ram
	done
}

ran() { grep -E '^(ok|not ok) [0-9]+ ' "$@" | grep -cv '# SKIP'; } # FILES...

# selftest_plan [N]: for scripts whose kernels differ in how many tests they have: those that were
# not skipped, two of each run, and N more.
selftest_plan() {
	local run total=0
	for run in "${selftests[@]}"; do
		total=$((total + $(ran "/tmp/selftest.${run% *}") + 2))
	done
	plan $((total + ${1-0}))
}

# With cookies all must pass, and many of the kernel's own; without any the exit status says
# skipped, and of the kernel's own none passes.
selftest_results() {
	local run name file
	for run in "${selftests[@]}"; do
		name=${run% *} file=/tmp/selftest.$name
		tap "$file" "$name: "
		if [ $cookies = yes ]; then
			is "$name: exit status" "${run##* }" 0
			at_least "$name: tests that ran" "$(ran "$file")" 6
		else
			is "$name: exit status says skipped" "${run##* }" 4
			is "$name: tests of cookies that ran" \
				"$(grep -vE '^[a-z ]+[0-9]+ plain' "$file" | ran)" 0
		fi
	done
}

# Names of the lab's tests that every device skipped.
selftest_never_ran() {
	local run files=()
	for run in "${selftests[@]}"; do
		[[ $run == *-upstream\ * ]] || files+=("/tmp/selftest.${run% *}")
	done
	sed -nE 's/^(ok|not ok) [0-9]+ ([^ ]+)( # SKIP)?.*/\2\3/p' "${files[@]}" |
		awk 'NF == 1 { ran[$1] = 1 } { all[$1] = 1 }
			END { for (t in all) if (!(t in ran)) print t }'
}
