# SPDX-License-Identifier: BSD-3-Clause
# For the tests of DPDK with the series that has EAL ask for write-combining (dpdk-patch). There is
# no plugin.
#
# shellcheck disable=SC2034 # drivers: who sources this uses it

. /src/lab/tests/ena.sh

debian=$(echo /usr/lib/x86_64-linux-gnu/dpdk/pmds-*) path=$PATH

# The release's testpmd, libraries and drivers on EAL, bus and ENA driver that were built, or with
# "distribution" on its own. One that is static has all in itself.
dpdk_is() { # NAME, as in the header's dpdk: | distribution
	local driver
	drivers=() PATH=$path
	unset LD_LIBRARY_PATH
	case $1 in
	distribution) return ;;
	static-*) PATH=/opt/dpdk-vfio-wc/dpdk-$1:$path; return ;;
	esac
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

# Whose pages are what, of a testpmd with a prompt that drives ena: $pages, those that it touches,
# for which it has to send. Not in a subshell, for prompt counts.
look() {
	local before
	before=$(ena verify | value txonly)
	prompt start
	await 20 ena_beyond verify txonly "$before"
	pages=$(leaves "$(bdf ena)" 0)
	prompt stop
}

# A range that the user names, under a PMD that declares none: exactly this page is WC, packets go
# out, nothing is left. 6 results.
named_range() { # DEVICE NETDEV BAR OFFSET
	local addr before
	addr=$(bdf "$1")
	before=$(frames "$2")
	testpmd_start -a "$addr" "${drivers[@]}" --vfio-wc=required \
		--vfio-wc-range="$addr,$3,$4,0x1000" -- --forward-mode=txonly || return
	is "$1: the page tables" "$(leaf_types "$addr" "$3" "$4" 0x1000)" "1 WC,others UC-"
	is "$1: the kernel's list" "$(wc_entries "$addr" "$3")" "$(printf '0x%x+0x1000' "$4")"
	is "$1: EAL has nothing to say" "$(wc_lines)" ""
	testpmd_sends "$1" "$2" "$before"
	memory_types_as_before "$1"
}

no_port() { grep -q 'No probed ethernet devices' $testpmd_log; }
