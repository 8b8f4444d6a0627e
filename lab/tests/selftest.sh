# SPDX-License-Identifier: BSD-3-Clause
# For the scripts that run the kernel selftest (the last patch of the series).

# The stock kernel has no iommufd: its tests would all be skipped.
variants=$([ -e /dev/iommu ] || echo "-V cdev")
# 6.1 has no huge entries for BARs.
[[ $(uname -r) != 6.1.* ]] || variants+=" -T huge_plain_with_wc_pages -T huge_wc -T huge_wc_slice"

# selftest DEVICE [RAM-BAR [ARGS...]]: run it; the output is in /tmp/selftest.DEVICE
selftest() {
	local device=$1 ram=${2-} addr
	shift $(($# > 2 ? 2 : $#))
	addr=$(lab-bind "$device") || return 1
	VFIO_SELFTESTS_PTE=$WC_WITNESS VFIO_SELFTESTS_RAM_BAR=$ram \
		timeout "${selftest_timeout:-300}" vfio_mmap_cookie_test $variants "$@" "$addr" >"/tmp/selftest.$device" 2>&1
}

# Its tests as the lab's, without the skipped ones; before each what was said of it, which the runner shows if it failed.
selftest_results() { # DEVICE
	sed -E -e "/# SKIP|^# +(RUN|OK) |^TAP |^1\.\./d" -e "s/^(ok|not ok) [0-9]+ /\1 $1: /" -e t -e "s/^/    /" "/tmp/selftest.$1"
}

# Names of the tests that every device skipped.
selftest_never_ran() {
	sed -nE 's/^(ok|not ok) [0-9]+ ([^ ]+)( # SKIP)?.*/\2\3/p' /tmp/selftest.* |
		awk 'NF == 1 { ran[$1] = 1 } { all[$1] = 1 } END { for (t in all) if (!(t in ran)) print t }'
}
