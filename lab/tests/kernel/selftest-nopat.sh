# SPDX-License-Identifier: BSD-3-Clause
# append: nopat
# stage: test
# Without PAT there is no write-combining to be had: the kernel says so, instead of something else.

. /src/lab/tests/lib.sh
. /src/lab/tests/selftest.sh
plan 83

for device in ivshmem virtio igbvf; do
	ram=; [ $device != ivshmem ] || ram=2
	selftest $device $ram
	upstream $device $ram
done
selftest_results
for device in ivshmem virtio igbvf; do
	is "$device: tests of write-combining are skipped for that" \
		"$(grep -E '^(ok|not ok) [0-9]+ wc' "/tmp/selftest.$device" |
			grep -cv '# SKIP write-combining is not to be had here')" 0
done
is "tests of the interface that ran on no device" "$(selftest_never_ran | grep '^cookie\.')" \
	"cookie.group.io_bar"
