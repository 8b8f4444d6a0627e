# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# stage: test
# The same tests on the distribution's own modules: it says that cookies are not supported, and
# what every program did before works there as it does with the series.

. /src/lab/tests/lib.sh
. /src/lab/tests/selftest.sh
plan 42

cookies=no
for device in ivshmem virtio vmxnet3 igbvf; do
	ram=; [ $device != ivshmem ] || ram=2
	selftest $device $ram
	upstream $device $ram
done
selftest_results
for device in ivshmem virtio vmxnet3 igbvf; do
	matches "$device: says not supported" "$(<"/tmp/selftest.$device")" \
		"mmap cookies not supported$"
	is "$device: all tests of cookies are skipped for that" \
		"$(grep -E '^(ok|not ok) [0-9]+ (cookie|wc)' "/tmp/selftest.$device" |
			grep -cv '# SKIP not supported')" 0
done
is "tests that ran on no device" "$(selftest_never_ran | grep '^plain')" ""
