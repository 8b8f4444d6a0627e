# SPDX-License-Identifier: BSD-3-Clause
# stage: long
# timeout: 1800
# 5 million frames through the stock PMD, uncached and write-combined: none is lost or corrupt.

. /src/lab/tests/ena.sh
plan 8

addr=$(lab-bind ena)
for type in UC WC; do
	wc=()
	[ $type = UC ] || wc=(-d "$plugin" "--vdev=vfio_wc0,mode=required")
	for queues in 1 4; do
		prompt_start -a "$addr" "${wc[@]}" -- \
			--rxq=$queues --txq=$queues --rxd=512 --txd=512 --rss-udp || exit
		prompt set fwd io
		prompt start
		circulate "$type, $queues queues: 5 million frames" 5000000 60 400
		is "$type, $queues queues: BAR2" "$(in_bar "$addr" 2 "$(leaves "$addr" 0)")" \
			"$([ $type = UC ] && echo UC- || echo WC)"
		prompt stop
		prompt_stop
	done
done
