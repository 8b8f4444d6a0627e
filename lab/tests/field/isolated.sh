# SPDX-License-Identifier: BSD-3-Clause
# append: isolcpus=1
# stage: long
# A machine that is set up for it: the forwarding lcore is on the isolated CPU.

. /src/lab/tests/lib.sh
plan 4

is "CPU 1 is isolated" "$(</sys/devices/system/cpu/isolated)" 1
dpdk-test-wc-perf --device "$(bdf virtio)" --range bar=4,offset=0x3000,len=0x1000 --arms plain \
	--repeats 1 --warmup 0.2 --window 0.5 --frames 64 --bursts 32 --queues 1 \
	--json /tmp/isolated.json >/tmp/isolated.log 2>&1
is "the benchmark runs" $? 0
is "it forwards there" "$(/src/lab/guest/programs/query.py "a['cases'][0]['lcores']" \
	</tmp/isolated.json)" "[0, 1]"
is "and has nothing to complain of" "$(grep -c isolated /tmp/isolated.log)" 0
