# SPDX-License-Identifier: BSD-3-Clause
# timeout: 600
# The kernel's list of memory types: while testpmd runs with the plugin exactly the range is
# write-combining, and afterwards the list is as before, however testpmd ends.

. /src/lab/tests/lib.sh

plugin=$(echo /opt/dpdk-vfio-wc/lib/dpdk/pmds-*/librte_misc_vfio_wc.so)
list() { sort /sys/kernel/debug/x86/pat_memtype_list; }
start() { # BDF BAR OFFSET
	testpmd_start -m 64 -d "$plugin" -a "$1" \
		--vdev="vfio_wc0,dev=$1,bar=$2,offset=$3,len=0x1000,mode=required" -- --forward-mode=txonly
}

# DEVICE BAR OFFSET
while read -r name bar offset; do
	addr=$(bdf "$name")
	pa=$(($(bar_pa "$addr" "$bar") + offset))
	range=$(printf 'PAT: [mem 0x%016x-0x%016x] write-combining' $pa $((pa + 0x1000)))
	before=$(list)
	is "$name: nothing is write-combining before" "$(grep -c write-combining <<<"$before")" 0
	start "$addr" "$bar" "$offset" || { not_ok "$name: testpmd starts" "see above"; continue; }
	is "$name: exactly the range is while it runs" "$(list | grep write-combining | sort -u)" "$range"
	testpmd_stop
	is "$name: the list is as before after quit" "$(list)" "$before"
done <<-END
	virtio 4 0x3000
	vmxnet3 0 0
	igbvf 0 0x3000
END

addr=$(bdf virtio)
before=$(list)
different=0
missing=0
for ((i = 1; i <= 20; i++)); do
	start "$addr" 4 0x3000 || { not_ok "kill $i: testpmd starts" "see above"; break; }
	list | grep -q write-combining || missing=$((missing + 1))
	kill -9 $testpmd
	wait $testpmd
	exec {testpmd_in}>&-
	# It has ended when wait returns; its files are closed by then.
	[ "$(list)" = "$before" ] || { different=$((different + 1)); diff <(list) <(echo "$before"); }
done 2>/dev/null
is "killed 20 times: it was started 20 times" $i 21
is "killed 20 times: the range was write-combining each time" $missing 0
is "killed 20 times: the list is as before each time" $different 0
