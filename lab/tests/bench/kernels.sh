# SPDX-License-Identifier: BSD-3-Clause
# kernel: 6.1 7.x
# stage: long
# timeout: 400
# The benchmark under the other kernels, the ENA's LLQ write-combined: types are those of the page tables.

. /src/lab/tests/lib.sh

result=/results/bench.json
/src/lab/guest/bench.sh --device ena -- --repeats 1 --json $result
is "exit status" $? 0
is "types, and what saw them" "$(python3 -c "
import json
c = json.load(open('$result'))['cases'][0]
print(*[(c[arm]['memory_type'], c[arm]['memory_type_source']) for arm in ('plain', 'uc', 'wc')])" 2>&1)" \
	"('UC-', 'pte') ('UC-', 'pte') ('WC', 'pte')"
