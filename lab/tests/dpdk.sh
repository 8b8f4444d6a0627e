# SPDX-License-Identifier: BSD-3-Clause
# For the tests of DPDK with the series that has EAL ask for write-combining (dpdk-patch). There is
# no plugin.
#
# shellcheck disable=SC2034 # drivers: who sources this uses it

. /src/lab/tests/ena.sh

debian=$(echo /usr/lib/x86_64-linux-gnu/dpdk/pmds-*)

# The release's testpmd, libraries and drivers on EAL, bus and ENA driver that were built, or with
# "distribution" on its own.
dpdk_is() { # NAME, as in the header's dpdk: | distribution
	local driver
	drivers=()
	unset LD_LIBRARY_PATH
	[ "$1" != distribution ] || return 0
	export LD_LIBRARY_PATH=/opt/dpdk-vfio-wc/dpdk-$1
	for driver in mempool_ring net_virtio net_vmxnet3 net_e1000; do
		drivers+=(-d "$debian/librte_$driver.so")
	done
	ena_driver=$LD_LIBRARY_PATH/librte_net_ena.so
	drivers+=(-d "$ena_driver")
}
dpdk_is 22.11

# What EAL says of write-combining.
wc_lines() { grep -E '^EAL: .*(write-combin|uncached)' $testpmd_log; }

no_port() { grep -q 'No probed ethernet devices' $testpmd_log; }
