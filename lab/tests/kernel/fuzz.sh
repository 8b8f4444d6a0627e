# SPDX-License-Identifier: BSD-3-Clause
# timeout: 600
# Random steps on several devices by several processes: what comes of each is what the oracle says
# (lab/guest/programs/cookies/fuzz). Always the same ones; fuzz-more.sh has others.

. /src/lab/tests/lib.sh
. /src/lab/tests/fuzz.sh
plan 8

fuzz 4 1 --steps 500 --every 4
fuzz_play
