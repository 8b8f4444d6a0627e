# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# A back end that sends frames back: io forwarding then goes round and round from one burst on.

. /src/lab/tests/lib.sh
plan 4

is "reflect is on" "$(witness reflect net0 on)" ok
before=$(frames net0)
testpmd_start -a "$(bdf virtio)" -- --forward-mode=io --tx-first || exit
await 20 frames_beyond net0 $((before + 1000))
testpmd_stop
at_least "testpmd's frames come back" \
	"$(sed -n 's/.*RX-total: \([0-9]*\).*/\1/p' $testpmd_log | tail -n 1)" 900
is "reflect is off" "$(witness reflect net0 off)" ok
matches "no such back end" "$(witness reflect net9 on)" "^error "
