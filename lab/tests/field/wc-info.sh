# SPDX-License-Identifier: BSD-3-Clause
# append: iomem=relaxed
# timeout: 300
# What dpdk-wc-info and the plugin say in situations that people report: why not, and who.

. /src/lab/tests/plugin.sh
plan 15

addr=$(bdf virtio) ena=$(bdf ena)
group=$(basename "$(readlink "/sys/bus/pci/devices/$addr/iommu_group")")

# any spelling; what is not asked for is not opened
for spelling in "${addr#0000:}" "pci:$addr" "${addr^^}"; do
	matches "spelling $spelling" "$(dpdk-wc-info "$spelling" 2>&1)" "^$addr  1af4:"
done
matches "not opened unless asked" "$(dpdk-wc-info "$addr")" "not asked; --open asks the kernel"

# a container that was not given the group's node
out=$(unshare -m bash -c "mount -t tmpfs none /dev/vfio; dpdk-wc-info --open $addr" 2>&1)
matches "without the group's node: it has a group" "$out" \
	"its IOMMU group is $group, but /dev/vfio/$group is not here"

# somebody dumps registers through sysfs
cat >/tmp/holder.py <<END
import mmap, os, sys
fd = os.open('/sys/bus/pci/devices/$addr/resource4', os.O_RDWR | os.O_SYNC)
bar = mmap.mmap(fd, os.fstat(fd).st_size, mmap.MAP_SHARED)
bar[0]
print('held', flush=True)
sys.stdin.read()
END
mkfifo /tmp/holder.in
python3 /tmp/holder.py </tmp/holder.in >/tmp/holder.log 2>&1 &
holder=$!
exec {holder_in}>/tmp/holder.in
await 20 grep -q held /tmp/holder.log
matches "a BAR mapped through sysfs: who" "$(dpdk-wc-info "$addr")" \
	"mapped through sysfs by python3 \(pid $holder\)"
if prompt_start -a "$addr" -d "$plugin" --vdev="vfio_wc0,dev=$addr,bar=4,offset=0x3000" --; then
	matches "a BAR mapped through sysfs: the plugin" "$(plugin_lines)" \
		"stays as it is: $addr BAR 4 \[0x3000, 0x4000\): .*held with another memory type"
	info=$(dpdk-wc-info "$addr")
	matches "a BAR mapped through sysfs: WC is off because of it" "$info" \
		"WC is off because .*python3 \(pid $holder\) has BAR 4 mapped through sysfs"
	prompt_stop
fi
exec {holder_in}>&-
wait $holder
if prompt_start -a "$addr" -d "$plugin" \
	--vdev="vfio_wc0,dev=$addr,bar=4,offset=0x3000,mode=required" --; then
	is "and when it has gone: WC" "$(wc_entries "$addr" 4)" "0x3000+0x1000"
	prompt_stop
fi

# telemetry where systemd says; a PMD that was told not to push
export RUNTIME_DIRECTORY=/run/field
mkdir -p $RUNTIME_DIRECTORY
if prompt_start -a "$ena,llq_policy=0" -d "$plugin" --vdev=vfio_wc0 --; then
	unset RUNTIME_DIRECTORY
	info=$(dpdk-wc-info "$ena")
	matches "RUNTIME_DIRECTORY: the socket is found" "$info" \
		"WC is on because the plugin in dpdk-testpmd \(pid $testpmd\) has it from"
	matches "llq_policy=0: nobody pushes" "$info" \
		"but nobody pushes there: dpdk-testpmd .* was started with llq_policy=0"
	is "llq_policy=0: so says the device" \
		"$(witness ena0 stats | grep -o 'llq_queues=[0-9]*')" llq_queues=0
	prompt_stop
fi

# required, with a device that has not such a BAR: it goes, the other has what it wants
if prompt_start -a "$addr" -a "$ena" -d "$plugin" \
	--vdev="vfio_wc0,dev=$addr,bar=3,dev=$ena,bar=2,mode=required" --; then
	matches "required: the device that cannot goes" "$(plugin_lines)" \
		"$addr: removed, since mode=required cannot be met"
	is "required: the other is WC" "$(wc_entries "$ena" 2)" "0x0+0x100000"
	prompt_stop
fi

# a virtual function whose physical function is on vfio-pci, too
pf=$(bdf igb)
echo 0 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
echo Y >/sys/module/vfio_pci/parameters/enable_sriov
lab-bind igb >/dev/null
echo 1 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
await 10 test -e "/sys/bus/pci/devices/$(bdf igbvf)"
vf=$(lab-bind igbvf)
matches "a VF that wants a token: it is said" "$(dpdk-wc-info --open "$vf" 2>&1)" \
	"cannot open the device: .*wants the VF token"
echo 0 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
echo N >/sys/module/vfio_pci/parameters/enable_sriov
lab-bind -d igb igb >/dev/null
echo 1 >"/sys/bus/pci/devices/$pf/sriov_numvfs"
await 10 test -e "/sys/bus/pci/devices/$vf"
