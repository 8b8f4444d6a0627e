# SPDX-License-Identifier: BSD-3-Clause
# stage: test
# timeout: 240
# Bad arguments: a message each, no crash, no half-done state; the port keeps working.

. /src/lab/tests/plugin.sh
plan 30

virtio=$(bdf virtio) vf=$(bdf igbvf) vmxnet3=$(bdf vmxnet3) igb=$(bdf igb)
testdev=$(lab-bind testdev) # its BAR 1 is I/O ports
memory_types_are

# One testpmd is given all of them; each must say its line, and the ports must not mind.
names=() patterns=() vdevs=()
bad() { # NAME ARGS REGEX
	vdevs+=("--vdev=vfio_wc${#names[@]},$2")
	patterns+=("^vfio_wc: vfio_wc${#names[@]}: .*$3")
	names+=("$1")
}

page="dev=$virtio,bar=4,offset=0x3000,len=0x1000"
bad "no such device" "dev=0000:7f:00.0,bar=0" "0000:7f:00.0: no such PCI device"
bad "not bound to vfio-pci" "dev=$igb,bar=0" "$igb: is bound to igb, not to vfio-pci"
bad "BAR of I/O ports" "dev=$testdev,bar=1" \
	"$testdev: BAR 1 is I/O ports, only memory has a memory type"
bad "no such BAR" "dev=$virtio,bar=3" "$virtio: has no BAR 3"
bad "offset outside" "dev=$virtio,bar=4,offset=0x4000" \
	"offset 0x4000 is outside of BAR 4, which has 0x4000 bytes"
bad "length outside" "dev=$virtio,bar=4,offset=0x3000,len=0x2000" \
	"BAR 4 \[0x3000, 0x5000\): the range leaves the BAR"
bad "offset not page-aligned" "dev=$virtio,bar=4,offset=0x3004,len=0x1000" \
	"multiples of the page size, 0x1000"
bad "length not page-aligned" "dev=$virtio,bar=4,offset=0x3000,len=64" \
	"multiples of the page size, 0x1000"
bad "MSI-X table" "dev=$virtio,bar=1" \
	"BAR 1 \[0x0, 0x1000\): the MSI-X table is in \[0x0, 0x1000\) and stays uncached"
bad "unknown key" "$page,colour=blue" \
	'unknown key "colour" \(known: dev, bar, offset, len, mode, type\)'
bad "bad mode" "$page,mode=maybe" "mode=maybe is none of auto, required, off"
bad "bad type" "$page,type=wb" "type=wb is none of wc, uc"
bad "not a number" "dev=$virtio,bar=4,offset=page3" "offset=page3 is not a number"
bad "not an address" "dev=eth0,bar=0" "dev=eth0 is not a PCI address"
bad "bar before dev" "bar=4" "bar=4 stands before any dev="
bad "ranges that overlap" "$page,bar=4,offset=0x2000,len=0x2000" "two ranges of one request overlap"
bad "one good range, one bad" "dev=$vf,bar=0,dev=$virtio,bar=1" "MSI-X table"

prompt_start -a "$virtio" -a "$vf" -d "$plugin" "${vdevs[@]}" -- || exit
for i in "${!names[@]}"; do
	matches "${names[i]}" "$(plugin_lines)" "${patterns[i]}"
done
is "bad arguments: a line each" "$(plugin_lines | wc -l)" ${#names[@]}
is "bad arguments: both ports are there" "$(telemetry /ethdev/list 'len(a)')" 2
is "bad arguments: no telemetry of them" "$(telemetry /vfio_wc/list a)" "[]"
is "bad arguments: no half-done state" "$(wc_entries "$virtio" 4) $(wc_entries "$vf" 0)" \
	"none none"
prompt_stop

# two requests that collide: the first stays
prompt_start -a "$virtio" -d "$plugin" --vdev="vfio_wc0,$page" \
	--vdev="vfio_wc1,dev=$virtio,bar=4" -- || exit
matches "requests that overlap" "$(plugin_lines)" \
	"vfio_wc1: $virtio: BAR 4: the range overlaps one of vfio_wc0"
is "requests that overlap: the first stays" "$(wc_entries "$virtio" 4)" "0x3000+0x1000"
prompt_stop

# waiting for a device that EAL does not have is no error, and said
prompt_start -a "$virtio" -d "$plugin" --vdev="vfio_wc0,dev=$vmxnet3,bar=0,mode=required" -- || exit
matches "a device that EAL does not have" "$(plugin_lines)" \
	"$vmxnet3 BAR 0: waits for EAL to probe the device"
is "a device that EAL does not have: state" \
	"$(telemetry /vfio_wc/info,vfio_wc0/0 'a["state"], a["reason"]')" \
	"('off', 'EAL has not probed this device (yet)')"
prompt_stop

# required, whatever else is wrong
prompt_start -a "$virtio" -a "$vf" -d "$plugin" --vdev="vfio_wc0,$page,mode=required,colour=blue" \
	-- || exit
matches "required with an unknown key: the device goes" "$(plugin_lines)" \
	"$virtio: removed, since mode=required"
is "required with an unknown key: one port is left" "$(telemetry /ethdev/list 'len(a)')" 1
prompt_stop

# the plugin's directory must not be writable by everybody: EAL's rule, checked so that it is known
cp "$plugin" /tmp/
out=$(dpdk-testpmd -a "$virtio" -d /tmp/librte_misc_vfio_wc.so -- 2>&1 </dev/null)
is "EAL refuses a plugin from /tmp: it ends" $(($? != 0)) 1
matches "EAL refuses a plugin from /tmp: its reason" "$out" "world-writable"

memory_types_as_before "in the end"
