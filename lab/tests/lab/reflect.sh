# SPDX-License-Identifier: BSD-3-Clause
# modules: stock
# A back end that sends frames back: io forwarding then goes round and round from one burst on.

. /src/lab/tests/lib.sh

is "reflect is on" "$(witness reflect net0 on)" ok
testpmd_start -a "$(bdf virtio)" -- --forward-mode=io --tx-first ||
	{ not_ok "testpmd starts" "see above"; exit; }
sleep 2
testpmd_stop
received=$(sed -n 's/.*RX-total: \([0-9]*\).*/\1/p' $testpmd_log | tail -n 1)
[ "${received:-0}" -gt 1000 ] && ok "testpmd's frames come back" ||
	not_ok "testpmd's frames come back" "received ${received:-nothing}"
is "reflect is off" "$(witness reflect net0 off)" ok
matches "no such back end" "$(witness reflect net9 on)" "^error "
