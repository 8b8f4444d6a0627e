# SPDX-License-Identifier: BSD-3-Clause
# modules: trap
# timeout: 300
# The control: vfio modules in which only the page protection says write-combining. The bench,
# told to believe the kernel, must find out, and name what it saw.

. /src/lab/tests/lib.sh

result=/results/bench.json
query() { python3 -c "import json; r = json.load(open('$result')); print($1)" 2>&1; }

for name in virtio vmxnet3; do
	rm -f $result
	out=$(/src/lab/guest/bench.sh --wc-by-kernel --device $name 2>&1)
	is "$name: refused" $? 4
	matches "$name: the message names device, BAR, range and types" "$out" \
		"refused: device $(bdf $name) BAR [04] 0x(3000|0)\\+0x1000: arm wc needs WC here, observed UC-"
	is "$name: the result says refused" "$(query "r['status']")" refused
	is "$name: expected, observed, by whom" \
		"$(query "*[r['refused'][k] for k in ('device', 'arm', 'expected', 'observed', 'source')]")" \
		"$(bdf $name) wc WC UC- pte"
	is "$name: the run is not called WC" "$(query "r['cases'][0]['wc']['memory_type']")" UC-
	is "$name: and has no rate" "$(query "r['cases'][0]['wc']['mpps']")" "[]"
	is "$name: the result follows the schema" \
		"$(/src/app/test-wc-perf/test/check_schema.py /src/app/test-wc-perf/schema.json $result 2>&1)" ""
done

# The kernel's own list would have told, too.
WC_WITNESS='' dpdk-test-wc-perf --device "$(bdf virtio)" --range virtio-notify --wc-by kernel \
	--mem 64 --warmup 0.1 --window 0.2 --repeats 1 --json $result >/dev/null 2>&1
is "without witness: refused" $? 4
is "without witness: by the kernel's list" "$(query "r['refused']['source']")" memtype_list

# No cookies here, so with the plugin there is no run at all.
out=$(/src/lab/guest/bench.sh --device virtio -- --arms uc,wc --repeats 1 2>&1)
is "with the plugin: testpmd does not start" $? 6
matches "with the plugin: its reason is passed on" "$out" "[Cc]ookie"
