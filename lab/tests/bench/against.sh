# SPDX-License-Identifier: BSD-3-Clause
# stage: long
# timeout: 400
# Two builds in one run: here the same one twice, under other names. (Not in /tmp: EAL loads nothing
# from where all may write.)

. /src/lab/tests/plugin.sh
plan 6

ours=/results/ours.json theirs=/results/theirs.json
rm -f $ours $theirs
printf '#!/bin/sh\nexec dpdk-testpmd "$@"\n' >/run/testpmd
chmod +x /run/testpmd
cp "$plugin" /run/other.so
output=$(/src/lab/guest/bench.sh --device virtio -- --repeats 2 --turns 1 --arms uc,wc \
	--against plugin=/run/other.so,testpmd=/run/testpmd --against-json $theirs \
	--json $ours 2>&1)
is "exit status" $? 0
matches "both have a table" "$output" "^The other one: /run/testpmd, /run/other.so"
starts() {
	$programs/query.py "[sample['start'] for metric in a['metrics']
		if metric['arm'] == 'wc' and metric['metric'] == 'tx_rate'
		for sample in metric['samples']]" <"$1"
}
is "ours are the outer starts" "$(starts $ours)" "[1, 4]"
is "theirs are between" "$(starts $theirs)" "[2, 3]"
is "each says what it ran" "$($programs/query.py "[a['environment']['parts']['plugin'][key]
	for key in ('path', 'hash')][0]" <$theirs)" "/run/other.so"
out=$(/src/app/wc-results/dpdk-wc-results compare $theirs $ours)
matches "they can be compared" "$? $out" "^[013] "
