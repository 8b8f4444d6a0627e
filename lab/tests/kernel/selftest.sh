# SPDX-License-Identifier: BSD-3-Clause
# kernel: 6.12 6.1 7.x 7.x-modules
# long: 7.x-modules
# stage: test
# timeout: 600
# The lab's test of cookies, and the kernel's own, on devices that differ: small and huge BARs,
# with and without MSI-X, an I/O BAR, plain memory, a VF, resets of each kind. What one device
# lacks another has: no test may be skipped on all of them. (Of 7.x here the two that differ most;
# selftest-7.x-more.sh has the others. Files are of the group only: Debian's kernels have no
# iommufd.)

. /src/lab/tests/lib.sh
. /src/lab/tests/selftest.sh

devices="ivshmem testdev virtio igbvf"
case $(uname -r) in
7.*)
	plan 127
	devices="ivshmem virtio"
	;;
6.1.*) plan 243 ;;
*) plan 249 ;;
esac
selftest_on $devices

case $(uname -r) in
7.*)
	selftest_results
	for device in $devices; do
		is "$device: tests of DMABUFs that ran" \
			"$(grep -cE '^ok .*dmabuf$' "/tmp/selftest.$device")" 1
	done
	;;
*)
	selftest_results
	is "tests that ran on no device" "$(selftest_never_ran)" ""
	;;
esac
