/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The other end of the guest's NICs: receives every frame that QEMU's dgram back ends send, and
 * counts them. QEMU's end of each socket pair blocks when the queue is full (see
 * lab/host/guest.py), so nothing is lost between QEMU and here, and a count is exact.
 *
 *	sink NAME FD [NAME FD ...]
 *
 * Commands on stdin, answers on stdout, a line each:
 *	count NAME	-> count FRAMES BYTES OTHER
 *	reflect NAME on|off	-> ok	(frames are sent back as they are)
 *
 * FRAMES and BYTES are what testpmd generates (UDP from 198.18.0.1 to 198.18.0.2, RFC 2544's
 * benchmarking network), OTHER everything else.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_PORTS 16
#define BATCH 64
#define FRAME_ROOM 10240 /* more than the largest jumbo frame of any of our devices */

struct port {
	const char *name;
	int fd;
	bool reflect;
	uint64_t frames, bytes, other;
};

static uint8_t buffers[BATCH][FRAME_ROOM];

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static bool
is_testpmd(const uint8_t *frame, size_t len)
{
	/* Ethernet type, then IPv4 protocol (RFC 791, 3.1) and both addresses. */
	static const uint8_t addresses[8] = { 198, 18, 0, 1, 198, 18, 0, 2 };

	return len >= 14 + 20 && frame[12] == 0x08 && frame[13] == 0x00 && frame[14] >> 4 == 4 &&
	       frame[14 + 9] == 17 && memcmp(frame + 14 + 12, addresses, sizeof(addresses)) == 0;
}

/* Take what is in the socket now. */
static void
drain(struct port *port)
{
	struct mmsghdr msgs[BATCH];
	struct iovec iov[BATCH];
	int n, i;

	do {
		memset(msgs, 0, sizeof(msgs));
		for (i = 0; i < BATCH; i++) {
			iov[i] = (struct iovec){ buffers[i], FRAME_ROOM };
			msgs[i].msg_hdr.msg_iov = &iov[i];
			msgs[i].msg_hdr.msg_iovlen = 1;
		}
		n = recvmmsg(port->fd, msgs, BATCH, MSG_DONTWAIT, NULL);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			die("sink: recvmmsg");
		for (i = 0; i < n; i++) {
			size_t len = msgs[i].msg_len;

			if (is_testpmd(buffers[i], len)) {
				port->frames++;
				port->bytes += len;
			} else {
				port->other++;
			}
			/* A guest that does not receive loses these, as on a wire. */
			if (port->reflect)
				send(port->fd, buffers[i], len, MSG_DONTWAIT);
		}
	} while (n == BATCH);
}

static void
command(struct port *ports, int count)
{
	char verb[16], name[32], how[8] = "", line[64];
	struct port *port = NULL;
	int i;

	if (fgets(line, sizeof(line), stdin) == NULL)
		exit(0);
	if (sscanf(line, "%15s %31s %7s", verb, name, how) >= 2)
		for (i = 0; i < count; i++)
			if (strcmp(ports[i].name, name) == 0)
				port = &ports[i];
	if (port == NULL) {
		printf("error no such back end: %s", line);
	} else if (strcmp(verb, "count") == 0) {
		/* What QEMU has sent so far is in the socket, if not counted already. */
		drain(port);
		printf("count %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", port->frames, port->bytes,
		       port->other);
	} else if (strcmp(verb, "reflect") == 0) {
		port->reflect = strcmp(how, "on") == 0;
		printf("ok\n");
	} else {
		printf("error no such command: %s", line);
	}
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct port ports[MAX_PORTS] = { 0 };
	struct pollfd polls[MAX_PORTS + 1];
	int count = (argc - 1) / 2, i;

	if (count == 0 || count > MAX_PORTS || argc != 1 + 2 * count) {
		fprintf(stderr, "usage: sink NAME FD ...\n");
		return 1;
	}
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() must see every line that is waiting */
	polls[count] = (struct pollfd){ .fd = 0, .events = POLLIN };
	for (i = 0; i < count; i++) {
		ports[i].name = argv[1 + 2 * i];
		ports[i].fd = atoi(argv[2 + 2 * i]);
		polls[i] = (struct pollfd){ .fd = ports[i].fd, .events = POLLIN };
	}
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		if (poll(polls, count + 1, -1) < 0 && errno != EINTR)
			die("sink: poll");
		for (i = 0; i < count; i++)
			if (polls[i].revents & POLLIN)
				drain(&ports[i]);
		if (polls[count].revents)
			command(ports, count);
	}
}
