# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# stage: test
# The witness tells the truth: with the distribution's modules every BAR page that a stock testpmd
# has is UC-, QEMU's own page walker agrees, and each frame is counted.

. /src/lab/tests/lib.sh

vfio_pages() { # PID
	local start end total=0
	while IFS='- ' read -r start end _; do
		total=$((total + (0x$end - 0x$start) / 4096))
	done < <(grep -F '[vfio-device]' "/proc/$1/maps")
	echo $total
}

for device in virtio vmxnet3 igbvf; do
	addr=$(bdf $device)
	netdev=$(awk -v name=$device '$1 == name { print $3 }' /run/lab/devices)
	case $device in virtio) bar=4 ;; vmxnet3) bar=0 ;; igbvf) bar=0 ;; esac
	read -r _ before _ <<<"$(witness count "$netdev")"

	testpmd_start -a "$addr" -- --forward-mode=txonly || { not_ok "$device: testpmd starts" "see above"; continue; }
	va=$(bar_va $testpmd $bar) pa=$(bar_pa "$addr" $bar)
	answer=$(witness mmio 1 "$va" "$pa")
	pages=$(grep -c ^leaf <<<"$answer")
	is "$device: as many pages as vfio mappings" "$pages" "$(vfio_pages $testpmd)"
	is "$device: all $pages pages are UC-" "$(awk '/^leaf/ { print $6 }' <<<"$answer" | sort -u)" "UC-"
	first=$(awk '/^leaf/ { print $2, $3, $4; exit }' <<<"$answer")
	read -r leaf_va leaf_pa pte <<<"$first"
	# C is PCD, T is PWT
	matches "$device: QEMU's walker agrees" "$(witness tlb 1 "$leaf_va" "$leaf_pa")" " [-XGPDA]*C-UW$"
	is "$device: the raw entry says PCD and not PWT" $((pte >> 3 & 3)) 2
	sent=$(testpmd_stop)
	read -r _ after _ other <<<"$(witness count "$netdev")"
	is "$device: the back end counted what testpmd sent ($sent)" $((after - before)) "$sent"
	[ "$sent" -gt 1000 ] || not_ok "$device: testpmd sends" "only $sent packets"
done
