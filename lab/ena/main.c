/* SPDX-License-Identifier: BSD-3-Clause
 *
 * ena-model [OPTIONS] SOCKET: an ENA for QEMU's vfio-user-pci that connects to SOCKET.
 *
 *	--name NAME	in messages
 *	--mac ADDRESS
 *	--no-llq	the device refuses LLQ (as by the command "llq off", from the next reset)
 *	--wide-llq	recommends 256 byte entries
 *	--wire FD	a datagram socket: the mode "wire"
 *	--pcap FILE	record all frames
 *
 * Prints "ready", then obeys commands on stdin, one line each, with one line for an answer:
 *
 *	count				-> count FRAMES BYTES OTHER, as lab/host/sink.c does
 *	mode sink|loopback|wire
 *	generate COUNT LENGTH		frames for the guest to send back; LENGTH 0: of all lengths
 *	verify				-> verify KEY=VALUE...: what came back
 *	stats				-> stats KEY=VALUE...
 *	pcap FILE|off			record all frames
 *	link up|down
 *	llq on|off|wide
 *	burst COUNT			entries between two doorbells of an LLQ that the device
 *					takes, from the next reset on; 0: any number
 *	shaping on|off			all that is sent is beyond the machine's allowance
 *
 * Ends when QEMU or stdin goes.
 */

#include "ena_event.h"
#include "ena_regs.h"
#include "traffic.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static int
listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	strcpy(addr.sun_path, path);
	unlink(path);
	if (sock < 0 || bind(sock, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    listen(sock, 1) != 0)
		die(path);
	return sock;
}

static void
stats(const struct ena *ena)
{
	uint64_t tx_doorbells = 0;
	unsigned int i, tx = 0, rx = 0, llq = 0;

	for (i = 0; i < ENA_SQS; i++) {
		if (!ena->sqs[i].used)
			continue;
		if (ena->sqs[i].direction == DIRECTION_TX) {
			tx++;
			tx_doorbells += ena->sqs[i].doorbells;
		} else {
			rx++;
		}
		llq += ena->sqs[i].llq;
	}
	printf("stats tx_frames=%" PRIu64 " tx_bytes=%" PRIu64 " tx_drops=%" PRIu64
	       " rx_frames=%" PRIu64 " rx_bytes=%" PRIu64 " rx_drops=%" PRIu64
	       " llq_frames=%" PRIu64 " host_frames=%" PRIu64 " tx_doorbells=%" PRIu64
	       " tx_queues=%u rx_queues=%u llq_queues=%u llq_entry=%u mtu=%u resets=%" PRIu64
	       " refused=%" PRIu64 " violations=%" PRIu64 " fatal=%d burst=%u"
	       " shaped=%" PRIu64 "\n",
	       ena->count.tx_frames, ena->count.tx_bytes, ena->count.tx_drops, ena->count.rx_frames,
	       ena->count.rx_bytes, ena->count.rx_drops, ena->count.llq_frames,
	       ena->count.host_frames, tx_doorbells, tx, rx, llq, ena->llq_entry_size, ena->mtu,
	       ena->count.resets, ena->count.refused, ena->count.violations, ena->fatal,
	       ena->llq_burst_taken, ena->count.shaped);
}

/* False: stdin is closed. */
static bool
command(struct ena *ena, struct traffic *traffic)
{
	char line[256], *words[8], *save;
	unsigned int count = 0;

	if (fgets(line, sizeof(line), stdin) == NULL)
		return false;
	for (words[0] = strtok_r(line, " \n", &save); words[count] != NULL && count < 7;
	     words[count] = strtok_r(NULL, " \n", &save))
		count++;
	if (count == 0) {
		printf("error empty line\n");
	} else if (strcmp(words[0], "stats") == 0) {
		stats(ena);
	} else if (strcmp(words[0], "link") == 0 && count == 2) {
		ena_set_link(ena, strcmp(words[1], "up") == 0);
		printf("ok\n");
	} else if (strcmp(words[0], "llq") == 0 && count == 2) {
		ena->llq_offered = strcmp(words[1], "off") != 0;
		ena->llq_wide = strcmp(words[1], "wide") == 0;
		printf("ok\n");
	} else if (strcmp(words[0], "burst") == 0 && count == 2) {
		ena->llq_burst = atoi(words[1]);
		printf("ok\n");
	} else if (strcmp(words[0], "shaping") == 0 && count == 2) {
		ena->shaping = strcmp(words[1], "on") == 0;
		printf("ok\n");
	} else if (!traffic_command(traffic, words, count, stdout)) {
		printf("error no such command: %s\n", words[0]);
	}
	fflush(stdout);
	return true;
}

int
main(int argc, char **argv)
{
	enum { NAME, MAC, NO_LLQ, WIDE_LLQ, WIRE, PCAP };
	static const struct option options[] = {
		{ "name", required_argument, NULL, NAME },
		{ "mac", required_argument, NULL, MAC },
		{ "no-llq", no_argument, NULL, NO_LLQ },
		{ "wide-llq", no_argument, NULL, WIDE_LLQ },
		{ "wire", required_argument, NULL, WIRE },
		{ "pcap", required_argument, NULL, PCAP },
		{ NULL, 0, NULL, 0 },
	};
	const struct itimerspec second = { { 1, 0 }, { 1, 0 } };
	uint8_t mac[6] = { 0x02, 0x45, 0x4e, 0x41, 0x00, 0x01 };
	enum { QEMU, STDIN, TIMER, CABLE, FDS };
	struct pollfd polls[FDS];
	struct ena *ena = ena_new("ena");
	struct traffic *traffic = ena != NULL ? traffic_new(ena) : NULL;
	int opt, wire = -1, listener;
	bool busy = false, connected = false;

	if (traffic == NULL)
		die("ena-model");
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case NAME:
			ena->name = optarg;
			break;
		case MAC:
			if (sscanf(optarg, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1],
				   &mac[2], &mac[3], &mac[4], &mac[5]) != 6) {
				fprintf(stderr, "ena-model: no MAC address: %s\n", optarg);
				return 2;
			}
			break;
		case NO_LLQ:
			ena->llq_offered = false;
			break;
		case WIDE_LLQ:
			ena->llq_wide = true;
			break;
		case WIRE:
			wire = atoi(optarg);
			traffic_wire(traffic, wire);
			break;
		case PCAP:
			if (!traffic_pcap(traffic, optarg))
				die(optarg);
			break;
		default:
			return 2;
		}
	}
	if (optind + 1 != argc) {
		fprintf(stderr, "usage: ena-model [OPTIONS] SOCKET\n");
		return 2;
	}
	memcpy(ena->mac, mac, sizeof(mac));
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() must see every line that is waiting */
	listener = listen_at(argv[optind]);
	polls[QEMU] = (struct pollfd){ .fd = listener, .events = POLLIN };
	polls[STDIN] = (struct pollfd){ .fd = 0, .events = POLLIN };
	polls[TIMER] = (struct pollfd){ .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC),
					.events = POLLIN };
	polls[CABLE] = (struct pollfd){ .fd = wire, .events = POLLIN };
	if (polls[TIMER].fd < 0 || timerfd_settime(polls[TIMER].fd, 0, &second, NULL) != 0)
		die("timerfd");
	printf("ready\n");
	fflush(stdout);

	for (;;) {
		if (poll(polls, FDS, busy ? 0 : -1) < 0 && errno != EINTR)
			die("poll");
		if (polls[QEMU].revents != 0 && !connected) {
			polls[QEMU].fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
			if (polls[QEMU].fd < 0)
				die("accept");
			close(listener);
			connected = true;
		} else if (polls[QEMU].revents != 0 && !vfu_serve(ena->vfu, polls[QEMU].fd)) {
			break;
		}
		if (polls[TIMER].revents != 0) {
			uint64_t ticks;

			if (read(polls[TIMER].fd, &ticks, sizeof(ticks)) == sizeof(ticks))
				ena_event_keep_alive(ena);
		}
		if (polls[CABLE].revents & POLLIN)
			traffic_wire_readable(traffic);
		if (polls[STDIN].revents != 0 && !command(ena, traffic))
			break;
		busy = traffic_run(traffic);
	}
	traffic_free(traffic);
	ena_free(ena);
	return 0;
}
