# SPDX-License-Identifier: BSD-3-Clause
# timeout: 240
# The kernel's list of memory types: while testpmd runs with the plugin exactly the range is
# write-combining, and afterwards the list is as before, however testpmd ends.

. /src/lab/tests/plugin.sh
plan 12

start() { # BDF BAR OFFSET
	testpmd_start -d "$plugin" -a "$1" \
		--vdev="vfio_wc0,dev=$1,bar=$2,offset=$3,len=0x1000,mode=required" -- \
		--forward-mode=txonly
}
write_combining() { grep write-combining $pat_list | sort -u; }

# DEVICE BAR OFFSET
while read -r name bar offset; do
	addr=$(bdf "$name")
	pa=$(($(bar_pa "$addr" "$bar") + offset))
	memory_types_are
	is "$name: nothing is write-combining before" "$(write_combining)" ""
	start "$addr" "$bar" "$offset" || continue
	is "$name: exactly the range is while it runs" "$(write_combining)" \
		"$(printf 'PAT: [mem 0x%016x-0x%016x] write-combining' $pa $((pa + 0x1000)))"
	testpmd_stop
	memory_types_as_before "$name"
done <<-END
	virtio 4 0x3000
	vmxnet3 0 0
	igbvf 0 0x3000
END

# Killed as soon as it is up. Its files are closed when it has ended.
addr=$(bdf virtio)
kills=6 started=0 reserved=0 different=""
for ((i = 0; i < kills; i++)); do
	start "$addr" 4 0x3000 || break
	started=$((started + 1))
	[ -z "$(write_combining)" ] || reserved=$((reserved + 1))
	testpmd_kill
	different+=$(sort $pat_list | diff - /tmp/memory-types)
done
is "killed: it was started so many times" $started $kills
is "killed: the range was write-combining each time" $reserved $kills
is "killed: the list is as before each time" "$different" ""
