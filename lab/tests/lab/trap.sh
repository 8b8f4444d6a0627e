# SPDX-License-Identifier: BSD-3-Clause
# modules: trap
# The control. With only pgprot_writecombine() in vfio-pci's mmap (lab/kernel/trap.patch) every page
# is still UC-: a checker that does not see that proves nothing, and a bench that calls it WC lies.

. /src/lab/tests/lib.sh
plan 5

addr=$(bdf virtio)
testpmd_start -a "$addr" -- --forward-mode=txonly || exit
va=$(bar_va $testpmd 4) pa=0x$(printf %x $(($(bar_pa "$addr" 4))))
answer=$(witness mmio 1 "$va" "$pa")
is "the witness sees UC- on every page" "$(awk '/^leaf/ { print $6 }' <<<"$answer" | sort -u)" "UC-"
testpmd_stop

for name in virtio vmxnet3; do
	out=$(/src/lab/guest/bench.sh --quick --wc-by-kernel --device $name 2>&1)
	is "$name: the bench refuses to call it WC" $? 4
	matches "$name: and says what it saw" "$out" "needs WC here, observed UC-"
done
