/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The other end of the guest's NICs: receives every frame that QEMU's dgram back ends send, and
 * counts them. Unix datagram sockets push back when their queue is full (QEMU then holds the
 * frame until there is room), so nothing is lost between QEMU and here, and a count is exact.
 *
 *	sink NAME PATH PEER [NAME PATH PEER ...]
 *
 * Commands on stdin, answers on stdout, a line each:
 *	count NAME	-> count FRAMES BYTES OTHER
 *	reflect NAME	-> ok	(from now on frames are sent back as they are)
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
#include <sys/un.h>
#include <unistd.h>

#define MAX_PORTS 16
#define BATCH 64
#define FRAME_ROOM 10240 /* more than the largest jumbo frame of any of our devices */

struct port {
	const char *name;
	int fd;
	bool reflect;
	struct sockaddr_un peer;
	uint64_t frames, bytes, other;
};

static uint8_t buffers[BATCH][FRAME_ROOM];

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
set_path(struct sockaddr_un *sun, const char *path)
{
	memset(sun, 0, sizeof(*sun));
	sun->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(sun->sun_path)) {
		fprintf(stderr, "sink: path too long: %s\n", path);
		exit(1);
	}
	strcpy(sun->sun_path, path);
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
				sendto(port->fd, buffers[i], len, MSG_DONTWAIT,
				       (struct sockaddr *)&port->peer, sizeof(port->peer));
		}
	} while (n == BATCH);
}

static void
command(struct port *ports, int count)
{
	char verb[16], name[32], line[64];
	struct port *port = NULL;
	int i;

	if (fgets(line, sizeof(line), stdin) == NULL)
		exit(0);
	if (sscanf(line, "%15s %31s", verb, name) == 2)
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
		port->reflect = true;
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
	int count = (argc - 1) / 3, size = 4 << 20, i;

	if (count == 0 || count > MAX_PORTS || argc != 1 + 3 * count) {
		fprintf(stderr, "usage: sink NAME PATH PEER ...\n");
		return 1;
	}
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() must see every line that is waiting */
	polls[count] = (struct pollfd){ .fd = 0, .events = POLLIN };
	for (i = 0; i < count; i++) {
		struct sockaddr_un self;

		ports[i].name = argv[1 + 3 * i];
		set_path(&self, argv[2 + 3 * i]);
		set_path(&ports[i].peer, argv[3 + 3 * i]);
		ports[i].fd = socket(AF_UNIX, SOCK_DGRAM, 0);
		if (ports[i].fd < 0)
			die("sink: socket");
		setsockopt(ports[i].fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
		if (bind(ports[i].fd, (struct sockaddr *)&self, sizeof(self)) != 0)
			die(self.sun_path);
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
