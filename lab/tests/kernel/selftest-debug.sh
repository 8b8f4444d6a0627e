# SPDX-License-Identifier: BSD-3-Clause
# modules: debug
# append: no5lvl
# kernel: 6.12 7.x
# stage: long
# timeout: 2400
# The tests of cookies under KASAN, lockdep and kmemleak, with files from the group and from the
# cdev: what they find is in the kernel's log, where the runner looks. (With five levels of page
# tables an interrupt in identify_cpu(), which forgets the CPU's features for a moment, is a KASAN
# report of its own on a slow machine, and that turns lockdep off.)

. /src/lab/tests/lib.sh
. /src/lab/tests/selftest.sh

selftest_timeout=1000
# KASAN shadows what the kernel maps, 128 MB for the BAR of 1 GB, which takes seconds whenever WC
# comes or goes: there only the tests that need a BAR of that size.
huge=(-t huge_plain_with_wc_pages -t huge_wc -t huge_wc_slice -t two_types_one_bar)
for device in ivshmem testdev virtio; do
	case $device in
	ivshmem) selftest $device 2 ;;
	testdev) selftest $device 2 "${huge[@]}" ;;
	virtio) selftest $device ;;
	esac
done
upstream ivshmem 2
upstream virtio
selftest_plan 1
selftest_results

no_leaks
