# SPDX-License-Identifier: BSD-3-Clause
# kernel: 6.12 6.1 7.x 7.x-modules
# stage: long
# timeout: 3600
# As fuzz.sh, for all series, and more of it, never twice the same.

. /src/lab/tests/lib.sh
. /src/lab/tests/fuzz.sh
plan 44

fuzz 40 "$(date +%s)" --steps 1000 --every 8
fuzz_play
