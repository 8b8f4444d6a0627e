# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# stage: long
# suites: bookworm
# dpdk: 22.11 static-22.11
# timeout: 300
# On a kernel without mmap cookies: what EAL asks of the kernel for a device is what it asked before
# the series; one notice, or no port.

. /src/lab/tests/dpdk.sh
plan 19

addr=$(bdf ena) virtio=$(bdf virtio)

# auto
testpmd_start -a "$addr" "${drivers[@]}" -- --forward-mode=txonly || exit
is "auto: EAL says one line" "$(wc_lines | wc -l)" 1
matches "auto: it names device, BAR, range and reason" "$(wc_lines)" "^EAL: $addr \
bar2:0x0-0x[0-9a-f]+ is mapped uncached: the kernel's VFIO offers no write-combining$"
is "auto: the PMD says what follows, once" "$(grep -c 'uncached mapping' $testpmd_log)" 1
is "auto: all is UC-" "$(leaves "$addr" 0 | cut -d' ' -f2 | sort -u)" UC-
before=$(ena verify | value txonly)
await 20 ena_beyond verify txonly $((before + 1000))
testpmd_stop
at_least "auto: it sends" "$testpmd_sent" 1000

# required: no device that declares; others live on
before=$(frames net0)
testpmd_start -a "$addr" -a "$virtio" "${drivers[@]}" --vfio-wc=required -- \
	--forward-mode=txonly || exit
matches "required: the reason is said" "$(wc_lines)" "^EAL: $addr bar2:0x0-0x[0-9a-f]+ .*no write-"
matches "required: so is the consequence" "$(<$testpmd_log)" "device $addr cannot be used"
is "required: nothing of the device is mapped" \
	"$(grep -c ' 2[0-9a-f]*0000000000 .*vfio-device' /proc/$testpmd/maps)" 0
testpmd_sends "required: another device" net0 "$before"
testpmd_start -a "$addr" "${drivers[@]}" --vfio-wc=required -- --forward-mode=txonly || exit
is "required: testpmd has no port" "$(no_port; echo $?)" 0
testpmd_stop

# What is asked of the kernel about devices: all that an fd of VFIO is named in, with addresses and
# numbers of fds left out; thread by thread, for calls of several come in any order.
asked() { # DPDK OUT
	dpdk_is "$1"
	echo quit | strace -ff -y -s 0 -o "$2" \
		-e trace=ioctl,mmap,munmap,mremap,pread64,pwrite64,close,openat \
		dpdk-testpmd -l 0-1 -m 256 -a "$addr" -a "$virtio" "${drivers[@]}" --no-telemetry \
		-- --total-num-mbufs=4096 -i >/tmp/strace.log 2>&1
	# shellcheck disable=SC2046 # names of numbers
	grep -hE 'vfio-device|/dev/vfio' $(printf '%s\n' "$2".[0-9]* | sort -V) |
		sed -E 's/0x[0-9a-f]{6,}/ADDR/g; s/\b[0-9]+</</g' >"$2.vfio"
}
asked distribution /tmp/before
asked 22.11 /tmp/after
at_least "traces: there is something to compare" "$(wc -l </tmp/before.vfio)" 50
at_least "traces: BARs are mapped" "$(grep -c '^mmap.*vfio-device' /tmp/before.vfio)" 4
is "traces: the series asks nothing more" "$(diff /tmp/before.vfio /tmp/after.vfio | head)" ""

# Debian's own ENA driver on this bus
dpdk_is 22.11
testpmd_start -a "$addr" "${drivers[@]/$ena_driver/$debian/librte_net_ena.so}" -- \
	--forward-mode=txonly || exit
is "Debian's PMD on this bus: nothing is declared, nothing said" \
	"$(wc_lines)$(grep 'uncached mapping' $testpmd_log)" ""
before=$(ena verify | value txonly)
await 20 ena_beyond verify txonly $((before + 1000))
testpmd_stop
at_least "Debian's PMD on this bus: it sends" "$testpmd_sent" 1000

# A testpmd with EAL, bus and driver in itself
dpdk_is static-22.11
testpmd_start -a "$addr" --vfio-wc=required -- --forward-mode=txonly || exit
is "static: it is the program that was built" "$(readlink /proc/$testpmd/exe)" \
	/opt/dpdk-vfio-wc/dpdk-static-22.11/dpdk-testpmd
matches "static, required: the reason is said" "$(wc_lines)" \
	"^EAL: $addr bar2:0x0-0x[0-9a-f]+ .*no write-"
is "static, required: testpmd has no port" "$(no_port; echo $?)" 0
testpmd_stop
