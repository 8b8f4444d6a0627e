# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# kernel: 6.12 7.x
# long: 7.x
# accel: icount
# timeout: 300
# What the series costs where programs went before it: instructions with the distribution's modules
# and with the patched ones, in the same guest, one after the other. And what a cookie costs does
# not depend on how many there are.

. /src/lab/tests/lib.sh
case $(uname -r) in
6.*) plan 36 ;;
*) plan 34 ;;
esac

modules=/lib/modules/$(uname -r)/kernel/drivers/vfio
reload() { modprobe -r vfio-pci vfio_iommu_type1 && "$@" && modprobe vfio-pci; }
# Twice each: it is the code that is counted, and not the weather. (Capabilities are allocated, in
# slabs that are fuller or emptier.)
count() { # VARIANT
	local device bar
	for device in ivshmem:2 virtio:1; do
		bar=${device#*:} device=${device%:*}
		vfio-cost "$(lab-bind $device)" "$bar" >"/results/cost-$1-$device" &&
			vfio-cost "$(lab-bind $device)" "$bar" >/tmp/again
		is "$device, $1 modules: exit status" $? 0
		is "$device, $1 modules: counts are exact" \
			"$(grep -v capabilities /tmp/again || echo nothing)" \
			"$(grep -v capabilities "/results/cost-$1-$device")"
	done
}

count stock
reload mount --bind /opt/dpdk-vfio-wc/modules "$modules" || exit
count patched
vfio-cost --cookies "$(lab-bind ivshmem)" 2 >/results/cost-cookies
is "cookies: exit status" $? 0
reload umount "$modules" || exit

# The virtio BAR has the MSI-X table, a capability in itself; the other has none but the series'.
for device in ivshmem virtio; do
	while read -r before what; do
		read -r after _ < <(grep -E "^[0-9]+ $what\$" /results/cost-patched-$device)
		case $what in
		# The answer is longer: who leaves room gets the list of attributes, on 7.x in a
		# chain that is allocated.
		*'room for capabilities') [[ $(uname -r) = 6.* ]] || continue; percent=10 ;;
		REGION_INFO* | first*) percent=2 ;;
		# Each offset is looked up, there is no way around
		mmap*) percent=5 ;;
		*nothing*) percent=40 ;; # the lookup, and little else
		*) percent=30 ;;
		esac
		name="$device, $what: at most $percent% more"
		if ((${after:-0} > 0 && after * 100 <= before * (100 + percent))); then
			echo "$device, $what: $before, $after"
			ok "$name"
		else
			not_ok "$name" "$before instructions became ${after:-nothing}"
		fi
	done </results/cost-stock-$device
done

# Reading nothing is the system call and the lookup.
call=$(sed -n 's/ read of nothing of the BAR$//p' /results/cost-stock-ivshmem)
flat() { # WHAT INSTRUCTIONS-BESIDES
	local counts least most
	counts=$(sed -n "s/^\([0-9]*\) $1 at a cookie, .*/\1/p" /results/cost-cookies | sort -n)
	least=$(($(head -n 1 <<<"$counts") - $2)) most=$(($(tail -n 1 <<<"$counts") - $2))
	if [ "$(wc -l <<<"$counts")" = 3 ] && ((least > 0 && most <= 2 * least)); then
		ok "cookies (1, 25, 256), $3: flat"
	else
		not_ok "cookies (1, 25, 256), $3: flat" "$least..$most instructions"
	fi
}
flat "read of nothing" "$call" "the lookup alone"
flat "read of 4 bytes" 0 "read of 4 bytes"
flat "mmap of a page" 0 "mmap of a page"
flat "first fault" 0 "first fault"
# Asking again looks at all that there are.
again=$(sed -n 's/^\([0-9]*\) the same request at a cookie, .*/\1/p' /results/cost-cookies |
	sort -n | tail -n 1)
if ((${again:-0} > 0 && again < 5000 + 256 * 150)); then
	ok "256 cookies, asking again: at most 150 instructions for each"
else
	not_ok "256 cookies, asking again: at most 150 instructions for each" "${again:-nothing}"
fi
