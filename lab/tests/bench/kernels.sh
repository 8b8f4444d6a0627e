# SPDX-License-Identifier: BSD-3-Clause
# kernel: 6.1 7.x
# stage: long
# timeout: 400
# The benchmark under the other kernels, the ENA's LLQ write-combined: types are those of the page
# tables.

. /src/lab/tests/plugin.sh
plan 2

result=/results/bench.json
rm -f $result
/src/lab/guest/bench.sh --device ena -- --repeats 1 --json $result
is "exit status" $? 0
is "types, and what saw them" "$($programs/query.py "[
	(a['cases'][0][arm]['memory_type'], a['cases'][0][arm]['memory_type_source'])
	for arm in ('plain', 'uc', 'wc')]" <$result)" \
	"[('UC-', 'pte'), ('UC-', 'pte'), ('WC', 'pte')]"
