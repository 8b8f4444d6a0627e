# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# suites: trixie forky
# timeout: 300
# On a kernel without mmap cookies: one notice and business as usual, or a program that cannot map
# the BAR, and the reason.

. /src/lab/tests/run.sh
plan 15

virtio=$(bdf virtio) ena=$(bdf ena)
why="this kernel's vfio driver has no mmap cookies, all its mappings are uncached"

before=$(frames net0)
under --range "dev=$virtio,bar=4,offset=0x3000"
testpmd_start -a "$virtio" -- --forward-mode=txonly || exit
is "auto: one line" "$(run_lines)" \
	"vfio-wc-run: $virtio BAR 4 [0x3000, 0x4000): $why; it stays uncached"
is "auto: all pages are UC-" "$(leaf_types "$virtio" 4 0x3000 0x1000)" "1 UC-,others UC-"
testpmd_sends auto net0 "$before"

# The device cannot be had: the program says so itself. The other one of two is not concerned.
under --range "dev=$virtio,bar=4,offset=0x3000,mode=required"
testpmd_start -a "$virtio" -- --forward-mode=txonly || exit
matches "required: device, BAR, range and reason" "$(run_lines)" \
	"^vfio-wc-run: $virtio BAR 4 \[0x3000, 0x4000\): $why; it is not mapped, since mode=req"
matches "required: testpmd has no port" "$(<$testpmd_log)" "No probed ethernet devices"
is "required: the BAR is not mapped" "$(bar_va $testpmd 4)" ""
testpmd_stop

under --mode required
before=$(frames net0)
testpmd_start -a "$virtio" -a "$ena" -- --forward-mode=txonly || exit
matches "required, the table: it is the ENA that is not mapped" "$(run_lines | sort -u)" \
	"^vfio-wc-run: $ena BAR 2 .*: $why; it is not mapped"
matches "required: another device lives on" "$(<$testpmd_log)" "Configuring Port [01] "
testpmd_sends "required: another device" net0 "$before"

# What the launcher refuses to run, and how it says so.
refuses() { # NAME STATUS REGEX COMMAND...
	local name=$1 status=$2 regex=$3
	shift 3
	out=$("$@" 2>&1)
	matches "$name" "$?: $out" "^$status: vfio-wc-run: $regex"
}
printf '\nmode=auto\ndev=1d0f:ec20,baz=2\n' >/tmp/bad.conf
refuses "an error in a file" 125 '/tmp/bad.conf:3: unknown key "baz"' \
	vfio-wc-run --config /tmp/bad.conf -- true
cp /bin/true /tmp/capable && setcap cap_net_admin+ep /tmp/capable
refuses "file capabilities" 125 "/tmp/capable has file capabilities" vfio-wc-run -- /tmp/capable
cp /bin/true /tmp/suid && chmod u+s /tmp/suid
refuses "set-user-ID" 125 "/tmp/suid is set-user-ID" vfio-wc-run -- /tmp/suid
printf '#!/tmp/suid\n' >/tmp/script && chmod +x /tmp/script
refuses "an interpreter that is" 125 "/tmp/suid is set-user-ID" vfio-wc-run -- /tmp/script
