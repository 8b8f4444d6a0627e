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
no_leaks
