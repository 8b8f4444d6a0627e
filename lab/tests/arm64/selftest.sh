# SPDX-License-Identifier: BSD-3-Clause
# timeout: 900
# The tests of cookies on arm64, on small and huge BARs, with and without MSI-X. What "WC" and "UC-"
# mean here is in lab/host/arm64.py; which attributes these were is shown at the end.

. /src/lab/tests/lib.sh
. /src/lab/tests/selftest.sh
plan 196

witness attributes >/dev/null
for device in ivshmem testdev virtio; do
	case $device in virtio) ram= ;; *) ram=2 ;; esac
	selftest $device $ram
	upstream $device $ram
done
selftest_results
is "tests that ran on no device" "$(selftest_never_ran)" ""

attributes=$(witness attributes)
matches "Normal, non-cacheable, and Device-nGnRnE are all that the witness saw: $attributes" \
	"$attributes" '^attributes UC-=[0-7]:0x00 WC=[0-7]:0x44$'
