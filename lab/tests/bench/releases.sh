# SPDX-License-Identifier: BSD-3-Clause
# stage: long
# suites: bookworm forky
# timeout: 400
# The benchmark drives the testpmd of other DPDK releases as it does the lab's own. (That results
# follow the schema is seen where there is python3-jsonschema: bench/test_bench.py.)

. /src/lab/tests/plugin.sh
plan 2

result=/results/bench.json
rm -f $result
/src/lab/guest/bench.sh --device virtio -- --repeats 1 --json $result
is "exit status" $? 0
is "types" "$($programs/query.py "[
	(a['cases'][0][arm]['memory_type'], *a['cases'][0][arm]['other_leaves'])
	for arm in ('plain', 'uc', 'wc')]" <$result)" \
	"[('UC-', 'UC-'), ('UC-', 'UC-'), ('WC', 'UC-')]"
