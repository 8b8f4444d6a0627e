# SPDX-License-Identifier: BSD-3-Clause
# modules: debug
# append: no5lvl
# kernel: 6.12 7.x
# stage: long
# timeout: 3600
# As fuzz.sh under KASAN, lockdep and kmemleak: what they find is in the kernel's log, where the
# runner looks.

. /src/lab/tests/lib.sh
. /src/lab/tests/fuzz.sh
plan 25

fuzz 20 "$(date +%s)" --steps 500 --every 16
fuzz_play
# An object must be seen without a reference twice, some seconds apart, to be called a leak
for _ in 1 2; do
	echo scan >/sys/kernel/debug/kmemleak
	sleep 6
done
is "leaks" "$(grep -A12 -i vfio /sys/kernel/debug/kmemleak 2>&1)" ""
