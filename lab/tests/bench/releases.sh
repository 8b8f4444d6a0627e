# SPDX-License-Identifier: BSD-3-Clause
# stage: long
# suites: bookworm forky
# timeout: 400
# The benchmark drives the testpmd of other DPDK releases as it does the lab's own.

. /src/lab/tests/lib.sh

result=/results/bench.json
/src/lab/guest/bench.sh --device virtio -- --repeats 1 --json $result
is "exit status" $? 0
is "types" "$(python3 -c "
import json
c = json.load(open('$result'))['cases'][0]
print(*[(c[arm]['memory_type'], *c[arm]['other_leaves']) for arm in ('plain', 'uc', 'wc')])" 2>&1)" \
	"('UC-', 'UC-') ('UC-', 'UC-') ('WC', 'UC-')"
is "the result follows the schema" \
	"$(/src/app/test-wc-perf/test/check_schema.py /src/app/test-wc-perf/schema.json $result 2>&1)" ""
