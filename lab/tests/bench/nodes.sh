# SPDX-License-Identifier: BSD-3-Clause
# nodes: 2
# append: isolcpus=1,3
# stage: long
# timeout: 300
# Two nodes with a NIC each: the benchmark runs where its NIC is. Lcores and memory are what the
# kernel says of the running testpmd, not what was asked for.

. /src/lab/tests/plugin.sh
plan 18

result=/results/nodes.json
worker() { # CPU: testpmd forwards there
	local task
	for task in /proc/"$1"/task/*; do
		[[ $(cat "$task/comm") =~ (worker|slave)-?$2$ ]] && return
	done
	return 1
}
allowed() { sed -n 's/^Cpus_allowed_list:\t//p' "/proc/$1/status"; }

for node in 0 1; do
	addr=$(lab-bind node$node)
	is "node $node: the kernel knows where its NIC is" \
		"$(cat "/sys/bus/pci/devices/$addr/numa_node")" $node
	rm -f $result
	dpdk-test-wc-perf --device "$addr" --range virtio-notify --backend net$((3 + node)) \
		--mem 64 --arms uc,wc --repeats 1 --turns 1 --warmup 0.2 --window 2 --json $result \
		>/tmp/said 2>&1 &
	tool=$!
	forwarding() {
		pmd=$(tr -d ' ' <"/proc/$tool/task/$tool/children") && [ -n "$pmd" ] &&
			worker "$pmd" $((2 * node + 1))
	}
	await 120 forwarding
	is "node $node: it forwards on the isolated CPU of the node" $? 0
	# Of the process's threads the first is the main lcore.
	is "node $node: its main lcore is on the other CPU there" "$(allowed "$pmd")" $((2 * node))
	pages=$(grep huge "/proc/$pmd/numa_maps")
	matches "node $node: it has memory there" "$pages" "N$node="
	grep -q "N$((1 - node))=" <<<"$pages"
	is "node $node: and none on the other node" $? 1
	wait $tool
	is "node $node: exit status" $? 0
	where="[a['cases'][0][key] for key in ('lcores', 'numa_node')]"
	is "node $node: which is what the result says" "$($programs/query.py "$where" <$result)" \
		"[[$((2 * node)), $((2 * node + 1))], $node]"
	is "node $node: there is nothing to warn of" "$(grep -c warning /tmp/said)" 0
done

# A list is obeyed, and if it is not what one should do, it is said.
dpdk-test-wc-perf --device "$(lab-bind node1)" --range virtio-notify --mem 64 --arms uc,wc \
	--repeats 1 --turns 1 --warmup 0.1 --window 0.2 --lcores 0,1 --json $result >/tmp/said 2>&1
is "a list is obeyed" "$? $($programs/query.py "$where" <$result)" "0 [[0, 1], 1]"
matches "and what is wrong with it is said" "$(cat /tmp/said)" \
	"lcore 1 is not on node 1, where the device and its memory are"
