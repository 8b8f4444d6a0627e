/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ena-rx-interrupt EAL-ARGS... -- FRAMES: sends that many frames back on the port's two queues, as
 * io forwarding does, but sleeps until an interrupt says that there are some. Prints
 *
 *	frames=N wakeups=N missed=N
 *
 * missed: how often frames were there that no interrupt had told of. Gives up after 20 s without a
 * frame. Exit status 1: something failed, see stderr.
 */

#include <stdio.h>
#include <stdlib.h>

#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <rte_mbuf.h>

#define PORT 0
#define QUEUES 2
#define RING 256
#define BURST 32
#define WAIT_MS 1000
#define PATIENCE 20 /* waits */

static int
check(int rc, const char *what)
{
	if (rc < 0) {
		fprintf(stderr, "%s: %s\n", what, rte_strerror(-rc));
		exit(1);
	}
	return rc;
}

static void
start_port(void)
{
	const struct rte_eth_conf conf = {
		.rxmode = { .mq_mode = RTE_ETH_MQ_RX_RSS },
		.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_NONFRAG_IPV4_UDP,
		.intr_conf.rxq = 1,
	};
	struct rte_mempool *pool =
		rte_pktmbuf_pool_create("frames", 4096, 64, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
			SOCKET_ID_ANY);
	uint16_t queue;

	check(pool == NULL ? -ENOMEM : 0, "mbufs");
	check(rte_eth_dev_configure(PORT, QUEUES, QUEUES, &conf), "configure");
	for (queue = 0; queue < QUEUES; queue++) {
		check(rte_eth_rx_queue_setup(PORT, queue, RING, SOCKET_ID_ANY, NULL, pool),
			"Rx queue");
		check(rte_eth_tx_queue_setup(PORT, queue, RING, SOCKET_ID_ANY, NULL), "Tx queue");
	}
	check(rte_eth_dev_start(PORT), "start");
	for (queue = 0; queue < QUEUES; queue++)
		check(rte_eth_dev_rx_intr_ctl_q(PORT, queue, RTE_EPOLL_PER_THREAD,
			RTE_INTR_EVENT_ADD, NULL), "Rx interrupt");
}

/* All that is there goes back; returns how much it was. */
static unsigned int
forward(uint16_t queue)
{
	struct rte_mbuf *frames[BURST];
	unsigned int n, sent, all = 0;

	while ((n = rte_eth_rx_burst(PORT, queue, frames, BURST)) > 0) {
		for (sent = 0; sent < n;)
			sent += rte_eth_tx_burst(PORT, queue, frames + sent, n - sent);
		all += n;
	}
	return all;
}

int
main(int argc, char **argv)
{
	const int eal = check(rte_eal_init(argc, argv), "EAL");
	unsigned long wanted, frames = 0, wakeups = 0, missed = 0;
	struct rte_epoll_event events[QUEUES];
	unsigned int idle = 0, got;
	uint16_t queue;
	int told;

	if (argc - eal != 2) {
		fprintf(stderr, "usage: ena-rx-interrupt EAL-ARGS... -- FRAMES\n");
		return 1;
	}
	wanted = strtoul(argv[eal + 1], NULL, 0);
	start_port();
	puts("ready");
	fflush(stdout);
	while (frames < wanted && idle < PATIENCE) {
		for (queue = 0; queue < QUEUES; queue++)
			check(rte_eth_dev_rx_intr_enable(PORT, queue), "enable");
		told = check(rte_epoll_wait(RTE_EPOLL_PER_THREAD, events, QUEUES, WAIT_MS), "wait");
		got = 0;
		for (queue = 0; queue < QUEUES; queue++) {
			check(rte_eth_dev_rx_intr_disable(PORT, queue), "disable");
			got += forward(queue);
		}
		wakeups += told > 0;
		missed += told == 0 && got > 0;
		idle = got > 0 ? 0 : idle + 1;
		frames += got;
	}
	printf("frames=%lu wakeups=%lu missed=%lu\n", frames, wakeups, missed);
	check(rte_eth_dev_stop(PORT), "stop");
	check(rte_eth_dev_close(PORT), "close");
	return rte_eal_cleanup() == 0 && frames == wanted ? 0 : 1;
}
