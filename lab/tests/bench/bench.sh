# SPDX-License-Identifier: BSD-3-Clause
# timeout: 400
# The benchmark's results: every BAR page UC- in the plain and uc arms, exactly the range WC in the
# wc arm, every frame counted, and a result that follows the published schema.

. /src/lab/tests/lib.sh

result=/results/bench.json
query() { python3 -c "import json; r = json.load(open('$result')); print($1)" 2>&1; }

rm -f $result
/src/lab/guest/bench.sh --quick -- --repeats 1
is "bench: exit status" $? 0
is "bench: the result follows the schema" \
	"$(/src/app/test-wc-perf/test/check_schema.py /src/app/test-wc-perf/schema.json $result 2>&1)" ""
is "bench: three devices, each with its PMD" "$(query "*[c['pmd'] for c in r['cases']]")" \
	"net_virtio net_vmxnet3 net_e1000_igb_vf"
is "bench: virtio's notify page was found" \
	"$(query "[(c['bar'], c['offset'], c['length']) for c in r['cases']][0]")" "(4, 12288, 4096)"
for arm in plain uc wc; do
	type=UC-
	[ $arm = wc ] && type=WC
	is "bench: $arm arms are $type" "$(query "*{c['$arm']['memory_type'] for c in r['cases']}")" $type
	is "bench: $arm arms: the page tables say so" \
		"$(query "*{c['$arm']['memory_type_source'] for c in r['cases']}")" pte
	is "bench: $arm arms: raw entries are of that type" \
		"$(query "*{l['type'] for c in r['cases'] for l in c['$arm']['leaves']}")" $type
	is "bench: $arm arms: the entries are exactly the range" \
		"$(query "all(sum(l['size'] for l in c['$arm']['leaves']) == c['length'] for c in r['cases'])")" True
	# PCD is bit 4, PWT bit 3: the entry itself, not what the witness made of it.
	is "bench: $arm arms: PCD and PWT of the entries" \
		"$(query "*{int(l['pte'], 0) >> 3 & 3 for c in r['cases'] for l in c['$arm']['leaves']}")" \
		$([ $arm = wc ] && echo 1 || echo 2)
	is "bench: $arm arms: every other BAR page is UC-" \
		"$(query "*{t for c in r['cases'] for t in c['$arm']['other_leaves']}")" UC-
	is "bench: $arm arms: every frame sent was counted" \
		"$(query "*{(c['$arm']['sent'] == c['$arm']['counted'], c['$arm']['counts_equal']) for c in r['cases']}")" \
		"(True, True)"
	is "bench: $arm arms: something was sent" \
		"$(query "min(s for c in r['cases'] for s in c['$arm']['sent']) > 1000")" True
done
is "bench: no interval from one pair" "$(query "*{c['ratio']['ci95'] for c in r['cases']}")" None
is "bench: nobody else's frames" \
	"$(query "sum(n for c in r['cases'] for a in ('plain', 'uc', 'wc') for n in c[a]['counted_other'])")" 0
if [ "$(query "r['environment']['hypervisor']")" = TCGTCGTCGTCG ]; then
	is "bench: emulation ignores memory types, and the probe finds out" \
		"$(query "r['environment']['memory_types_honoured']")" no
	matches "bench: the table says that the ratio means nothing" \
		"$(dpdk-test-wc-perf --show $result)" "the ratios mean nothing here"
fi

# As on a real machine: nobody outside looks, nobody counts.
virtio=(--device "$(bdf virtio)" --range virtio-notify --mem 64 --warmup 0.1 --window 0.2 --repeats 1)
WC_WITNESS='' dpdk-test-wc-perf "${virtio[@]}" --json $result >/dev/null
is "without witness: exit status" $? 0
is "without witness: the result follows the schema" \
	"$(/src/app/test-wc-perf/test/check_schema.py /src/app/test-wc-perf/schema.json $result 2>&1)" ""
for arm in "plain UC- memtype_list" "uc UC- kernel" "wc WC kernel"; do
	read -r name type source <<<"$arm"
	is "without witness: $name is $type by $source" \
		"$(query "r['cases'][0]['$name']['memory_type'], r['cases'][0]['$name']['memory_type_source']")" \
		"$type $source"
done

# Interrupted: says so, and no testpmd is left.
dpdk-test-wc-perf "${virtio[@]}" --warmup 100 --json $result >/dev/null 2>/tmp/log &
tool=$!
for ((i = 0; i < 300; i++)); do
	child=$(cat /proc/$tool/task/$tool/children)
	[ -n "$child" ] && ls "/var/run/dpdk/wc-perf-$tool-0/dpdk_telemetry.v2" >/dev/null 2>&1 && break
	sleep 0.1
done
sleep 1
kill -TERM $tool
wait $tool
is "interrupted: exit status" $? 7
is "interrupted: the result says so" "$(query "r['status']")" interrupted
is "interrupted: testpmd is gone" "$(ls -d /proc/$child 2>/dev/null)" ""
is "interrupted: its files are gone" "$(ls -d /var/run/dpdk/wc-perf-$tool-* 2>/dev/null)" ""
