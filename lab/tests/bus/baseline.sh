# SPDX-License-Identifier: BSD-3-Clause
# bus: yes
# timeout: 600
# The benchmark counts what reaches the bus, and no recorded case has more PCIe writes per packet than
# lab/bus/baseline.json says. A change that means to: lab/run bench --quick --json FILE, the
# same with --device ena, then lab/bus/baseline.py update FILE...

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

# The stock ENA PMD pushes each descriptor and header into BAR2: an entry's 8-byte stores are as many
# writes uncached, and its 64-byte lines write-combined, which is the floor. A doorbell a burst comes on
# top, and a line that an interrupt cuts in two now and then.
for entry in 128 256; do
	witness ena0 llq $([ $entry = 256 ] && echo wide || echo on) >/dev/null
	ena=/results/bus-ena-$entry.json
	/src/lab/guest/bench.sh --quick --device ena -- --repeats 1 --json $ena >/tmp/log 2>&1
	is "ENA, entries of $entry bytes: exit status" $? 0
	for arm in uc:$((entry / 8)) wc:$((entry / 64)); do
		is "ENA, entries of $entry bytes, ${arm%:*}: ${arm#*:} writes a packet and a doorbell a burst" "$(python3 -c "
import json
writes = json.load(open('$ena'))['cases'][0]['${arm%:*}']['bus']['pcie_writes_per_packet']
floor = ${arm#*:} + 1 / 32
print('yes' if floor <= writes + 1e-9 and writes <= floor * 1.03 else writes)" 2>&1)" yes
	done
done
witness ena0 llq on >/dev/null
/src/lab/bus/baseline.py check $result /results/bus-ena-128.json || failures=$((failures + 1))
