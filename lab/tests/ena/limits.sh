# SPDX-License-Identifier: BSD-3-Clause
# timeout: 240
# Limits: of the device, how many entries of an LLQ it takes between two doorbells; of its cloud,
# how much a machine may send, which the benchmark tells from what memory types are worth.

. /src/lab/tests/ena.sh
plan 9

addr=$(lab-bind ena)
ena burst 4 >/dev/null
before=$(ena stats)
if testpmd_start -a "$addr" -d "$plugin" --vdev=vfio_wc0,mode=required -- \
	--forward-mode=txonly --burst=32; then
	await 20 ena_beyond stats llq_frames $(($(value llq_frames <<<"$before") + 1000))
	first=$(ena stats)
	await 20 ena_beyond stats llq_frames $(($(value llq_frames <<<"$first") + 1000))
	last=$(ena stats)
	is "a limit of 4 entries: the PMD has taken it" "$(value burst <<<"$last")" 4
	at_least "a limit of 4 entries: as many doorbells" \
		$(($(increase tx_doorbells "$first" "$last") * 4 + 4)) \
		"$(increase llq_frames "$first" "$last")"
	is "a limit of 4 entries: nobody is beyond" "$(increase violations "$before" "$last")" 0
	testpmd_stop
	at_least "a limit of 4 entries: testpmd sends" "$testpmd_sent" 2000
fi
ena burst 0 >/dev/null

ena shaping on >/dev/null
table=$(dpdk-test-wc-perf --device "$addr" --arms uc --repeats 1 --turns 1 --warmup 0.2 \
	--window 0.5 --frames 64 --bursts 32 --queues 1 --json /tmp/limits.json 2>/tmp/limits.err)
is "shaped by the cloud: the benchmark runs" $? 0
matches "shaped by the cloud: the table says so" "$table" \
	"the cloud held back [0-9]+ packets \(\*_allowance_exceeded\): this rate is its limit"
matches "shaped by the cloud: it warns" "$(</tmp/limits.err)" \
	"device $addr: the cloud held back [0-9]+ of [0-9]+ packets"
is "shaped by the cloud: all that was sent, in JSON" "$($programs/query.py \
	"a['cases'][0]['uc']['shaped'] == a['cases'][0]['uc']['sent']" </tmp/limits.json)" True
ena shaping off >/dev/null
dpdk-test-wc-perf --device "$addr" --arms uc --repeats 1 --turns 1 --warmup 0.2 --window 0.5 \
	--frames 64 --bursts 32 --queues 1 --json /tmp/limits.json >/dev/null 2>&1
is "not shaped: none" \
	"$($programs/query.py "a['cases'][0]['uc']['shaped']" </tmp/limits.json)" "[0]"
