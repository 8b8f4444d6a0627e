# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# suites: trixie bookworm
# long: bookworm
# The witness tells the truth: with the distribution's modules every BAR page that a stock testpmd
# uses is UC-, QEMU's own page walker agrees, and each frame is counted.

. /src/lab/tests/lib.sh
plan 21

witness_of() { # DEVICE BAR OFFSET: the page that is the anchor
	local device=$1 bar=$2 offset=$3 addr netdev before va pa answer leaf_va leaf_pa pte
	addr=$(bdf "$device")
	netdev=$(awk -v name="$device" '$1 == name { print $3 }' /run/lab/devices)
	before=$(frames "$netdev")

	testpmd_start -a "$addr" -- --forward-mode=txonly || return
	va=$(printf '%#x' $(($(bar_va $testpmd "$bar") + offset)))
	pa=$(printf '%#x' $(($(bar_pa "$addr" "$bar") + offset)))
	answer=$(witness walk 1 "$va" 0x1000 "$pa")
	read -r _ leaf_va leaf_pa pte _ <<<"$answer"
	is "$device: the page that has the doorbell" "$leaf_va $leaf_pa" "$va $pa"
	is "$device: its raw entry says PCD and not PWT" $((pte >> 3 & 3)) 2
	# C is PCD, T is PWT.
	matches "$device: QEMU's walker agrees" "$(witness tlb 1 "$va" "$pa")" " [-XGPDA]*C-UW$"
	answer=$(witness mmio 1 "$va" "$pa")
	matches "$device: the page is among all that are not RAM" "$answer" "^leaf $va $pa "
	is "$device: all of those are UC-" \
		"$(awk '/^leaf/ { print $6 }' <<<"$answer" | sort -u)" "UC-"

	testpmd_sends "$device" "$netdev" "$before"
}

witness_of virtio 4 0x3000 # the notify page
witness_of vmxnet3 0 0
witness_of igbvf 0 0x3000 # a VF's transmit registers (82576, E1000_TDT)
