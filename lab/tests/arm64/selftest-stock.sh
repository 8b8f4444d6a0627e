# SPDX-License-Identifier: BSD-3-Clause
# stage: long
# modules: stock
# As lab/tests/kernel/selftest-stock.sh: the distribution's modules have no cookies, the test says
# so.

. /src/lab/tests/lib.sh
. /src/lab/tests/selftest.sh
plan 31

cookies=no
for device in ivshmem testdev virtio; do
	case $device in virtio) ram= ;; *) ram=2 ;; esac
	selftest $device $ram
	upstream $device $ram
done
selftest_results
for device in ivshmem testdev virtio; do
	matches "$device: says not supported" "$(<"/tmp/selftest.$device")" \
		"mmap cookies not supported$"
	is "$device: all tests of cookies are skipped for that" \
		"$(grep -E '^(ok|not ok) [0-9]+ (cookie|wc)' "/tmp/selftest.$device" |
			grep -cv '# SKIP not supported')" 0
done
is "tests that ran on no device" "$(selftest_never_ran | grep '^plain')" ""
is "attributes of what was mapped" "$(witness attributes | sed 's/=.:/ /')" "attributes UC- 0x00"
