# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# stage: test
# suites: trixie bookworm forky
# long: bookworm
# timeout: 240
# On a kernel without mmap cookies: one notice and business as usual, or a refusal; never a crash.

. /src/lab/tests/plugin.sh
plan 34

addr=$(bdf virtio) other=$(bdf vmxnet3)
range="dev=$addr,bar=4,offset=0x3000,len=0x1000"

why="this kernel's vfio driver has no mmap cookies"

# auto
before=$(frames net0)
if testpmd_start -a "$addr" -d "$plugin" --vdev="vfio_wc0,$range" -- --forward-mode=txonly; then
	is "auto: the plugin says one line" "$(plugin_lines | wc -l)" 1
	matches "auto: it names device, BAR, range and reason" "$(plugin_lines)" \
		"^vfio_wc: vfio_wc0: stays as it is: $addr BAR 4 \[0x3000, 0x4000\): $why"
	is "auto: all pages are UC-" "$(leaf_types "$addr" 4 0x3000 0x1000)" "1 UC-,others UC-"
	testpmd_sends auto net0 "$before"
fi

# required
if testpmd_start -a "$addr" -d "$plugin" --vdev="vfio_wc0,$range,mode=required" -- \
	--forward-mode=txonly; then
	matches "required: the reason is said" "$(plugin_lines)" \
		"^vfio_wc: vfio_wc0: $addr BAR 4 \[0x3000, 0x4000\): $why"
	matches "required: so is the consequence" "$(plugin_lines)" \
		"$addr: removed, since mode=required cannot be met"
	matches "required: testpmd has no port" "$(<$testpmd_log)" "No probed ethernet devices"
	is "required: nothing of the device is mapped" \
		"$(grep -c 'vfio-device' /proc/$testpmd/maps)" 0
	testpmd_stop
	is "required: nothing is sent" "$testpmd_sent" ""
fi

# the other device of two is not concerned
before=$(frames net1)
if testpmd_start -a "$addr" -a "$other" -d "$plugin" --vdev="vfio_wc0,$range,mode=required" -- \
	--forward-mode=txonly; then
	matches "required: another device lives on" "$(<$testpmd_log)" "Configuring Port [01] "
	testpmd_sends "required: another device" net1 "$before"
fi

# off, and the built-in table: nothing to say
for args in mode=off "$range,mode=off" ""; do
	before=$(frames net0)
	testpmd_start -a "$addr" -d "$plugin" --vdev="vfio_wc0,$args" -- --forward-mode=txonly ||
		continue
	is "'$args': the plugin is silent" "$(plugin_lines)" ""
	testpmd_sends "'$args'" net0 "$before"
done

# the tool says the same
info=$(dpdk-wc-info --open "$addr")
is "dpdk-wc-info learns everything" $? 0
matches "dpdk-wc-info: no cookies" "$info" \
	"the kernel offers mmap cookies: no, this kernel's vfio driver has no mmap cookies"
matches "dpdk-wc-info: why WC is off" "$info" \
	"WC is off because this kernel's vfio driver has no mmap cookies"
if testpmd_start -a "$addr" -d "$plugin" --vdev="vfio_wc0,$range" -- --forward-mode=txonly; then
	info=$(dpdk-wc-info "$addr")
	matches "dpdk-wc-info: who has the device" "$info" "used by dpdk-testpmd \(pid $testpmd\)"
	matches "dpdk-wc-info: no telemetry to ask" "$info" \
		"plugin: not asked, it has no DPDK telemetry socket that answers"
	testpmd_stop
fi
dpdk-wc-info 0000:00:1f.7 2>/tmp/err
is "dpdk-wc-info: no such device: status" $? 1
matches "dpdk-wc-info: no such device" "$(</tmp/err)" "0000:00:1f.7: no such PCI device"
dpdk-wc-info "$(bdf igb)" 2>/tmp/err
is "dpdk-wc-info: not vfio-pci: status" $? 1
matches "dpdk-wc-info: not vfio-pci" "$(</tmp/err)" "is bound to igb, not to vfio-pci"

# any spelling of an address
dpdk-wc-info eth0 2>/tmp/err
is "dpdk-wc-info: no address: status" $? 1
matches "dpdk-wc-info: no address" "$(</tmp/err)" "eth0: is not a PCI address"
matches "dpdk-wc-info: as lspci prints it" "$(dpdk-wc-info "${addr#0000:}")" "^$addr  1af4:"
