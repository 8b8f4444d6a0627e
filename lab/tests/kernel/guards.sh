# SPDX-License-Identifier: BSD-3-Clause
# kernel: 6.12 6.1 7.x 7.x-modules
# stage: long
# timeout: 300
# Of the lab's tests of cookies those that a planted fault in a series must turn red, and no others:
# playing one takes seconds. kernel/selftest runs them all.

. /src/lab/tests/lib.sh
. /src/lab/tests/selftest.sh

reds=$(sed -nE 's/^Red: *([a-z]+: )?//p' /src/lab/mutants/kernel-*.patch | sort -u)
guards=()
# The list has a fixture's name on the line of its first test alone.
for name in $(vfio-cookies -l "$(bdf ivshmem)" 2>&1 |
	awk '/^[a-z]/ { fixture = $1 } !/^[#-]/ { print fixture ".group." $NF }' |
	grep -E "$reds" | sed 's/.*\.//' | sort -u); do
	guards+=(-t "$name")
done
for device in ivshmem testdev virtio; do
	case $device in ivshmem | testdev) ram=2 ;; *) ram='' ;; esac
	selftest $device "$ram" "${guards[@]}"
done
selftest_plan 1
selftest_results
at_least "guards" ${#guards[@]} 32
