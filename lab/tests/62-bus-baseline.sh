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
/src/lab/mmio/baseline.py check $result || failures=$((failures + 1))
