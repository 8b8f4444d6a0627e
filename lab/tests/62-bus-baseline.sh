# SPDX-License-Identifier: BSD-3-Clause
# bus: yes
# timeout: 400
# The benchmark counts what reaches the bus, and no recorded case has more PCIe writes per packet than
# lab/mmio/baseline.json says. A change that means to: lab/run bench --quick --json FILE, then
# lab/mmio/baseline.py update FILE.

. /src/lab/tests/lib.sh

result=/results/bus.json
/src/lab/guest/bench.sh --quick -- --repeats 1 --json $result >/tmp/log 2>&1
is "bench with bus counts: exit status" $? 0
is "bench with bus counts: the result follows the schema" \
	"$(/src/app/test-wc-perf/test/check_schema.py /src/app/test-wc-perf/schema.json $result 2>&1)" ""
query() { python3 -c "import json; r = json.load(open('$result')); print($1)" 2>&1; }
is "bench with bus counts: the stores are in the drivers' code" "$(query "*[
	s['object'][:15] for c in r['cases'] for s in [c['uc']['bus']['sites'][0]]]")" \
	"librte_net_virt librte_net_vmxn librte_net_e100"
/src/lab/mmio/baseline.py check $result || failures=$((failures + 1))
