/* SPDX-License-Identifier: BSD-3-Clause
 *
 * The other end of the cable. Modes:
 *
 *	sink		what is sent is counted and checked
 *	loopback	what is sent comes back, to the queue that RSS picks
 *	wire		what is sent goes into a datagram socket, what comes from there is received
 *
 * In all of them a generator can run. It stamps every frame: flow, number in the flow, length, and
 * a pattern that depends on them over the whole rest. The flows differ in their UDP source port, so
 * RSS spreads them over the queues. It never overruns a queue: a frame is made when the driver has
 * given room for it. What comes back (testpmd's io, mac, macswap, 5tswap) is compared with what was
 * made. A flow stays in order as long as one lcore forwards it, so that lost, duplicated and
 * reordered frames can be told apart.
 */

#include "traffic.h"

#include "ena_io.h"
#include "frame.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define FLOWS 64
#define WINDOW 16384 /* numbers of a flow for which it is known whether they came back */
#define MIN_FRAME 60 /* without the frame check sequence, as everywhere here */
#define HEADERS 42   /* Ethernet, IPv4, UDP */
#define BURST 32     /* frames before the event loop looks at other things */

struct stamp {
	uint32_t magic;
	uint16_t flow;
	uint16_t len;
	uint64_t number;
};
static_assert(HEADERS + sizeof(struct stamp) <= MIN_FRAME, "a stamp fits into every frame");

struct flow {
	uint64_t made;	   /* the next number to send */
	uint64_t expected; /* the next number to come back */
	int queue;	   /* Rx SQ, -1: none */
	uint32_t hash;
	uint8_t seen[WINDOW / 8];
};

struct verdict {
	uint64_t made, back, lost, duplicate, reordered;
};

struct traffic {
	struct ena *ena;
	enum { SINK, LOOPBACK, WIRE } mode;
	int wire;
	FILE *pcap;

	/* The generator: this run's magic number, frames still to make, length (0: all of them). */
	uint32_t run;
	uint64_t left;
	uint16_t len, next_len;
	unsigned int next_flow;
	bool routed; /* the flows' queues are known */
	struct flow flows[FLOWS];
	struct verdict queues[ENA_SQS];
	uint64_t corrupt, stale;

	/* What testpmd makes by itself. */
	uint64_t txonly, txonly_bytes, flowgen, wrong, other;
	bool touched[ENA_SQS]; /* Rx queues that have got frames since the last interrupt */
};

/* --- Recording: draft-ietf-opsawg-pcap, with nanoseconds -------------------------------------- */

bool
traffic_pcap(struct traffic *traffic, const char *path)
{
	static const uint32_t header[6] = { 0xa1b23c4d, 4 << 16 | 2, 0, 0, 65535, 1 };
	bool good = true;

	if (traffic->pcap != NULL)
		good = fclose(traffic->pcap) == 0;
	traffic->pcap = NULL;
	if (path == NULL)
		return good;
	traffic->pcap = fopen(path, "w");
	return traffic->pcap != NULL &&
	       fwrite(header, sizeof(header), 1, traffic->pcap) == 1 &&
	       fflush(traffic->pcap) == 0;
}

static void
record(struct traffic *traffic, const uint8_t *frame, size_t len)
{
	struct timespec now;
	uint32_t header[4];

	if (traffic->pcap == NULL)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	header[0] = now.tv_sec;
	header[1] = now.tv_nsec;
	header[2] = header[3] = len;
	fwrite(header, sizeof(header), 1, traffic->pcap);
	fwrite(frame, len, 1, traffic->pcap);
}

/* --- The generator ---------------------------------------------------------------------------- */

static void
put16(uint8_t *p, uint16_t value)
{
	p[0] = value >> 8;
	p[1] = value;
}

static uint16_t
get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

/* Byte at of the pattern comes from word at / 8 of a sequence that starts at the stamp: Weyl's,
 * scrambled by a multiplication. */
static uint64_t
pattern(const struct stamp *stamp, size_t word)
{
	uint64_t x = (stamp->number * 64 + stamp->flow + 1) * 0x9e3779b97f4a7c15 +
		     word * 0xd1b54a32d192ed03;

	return (x ^ x >> 29) * 0xbf58476d1ce4e5b9;
}

static void
fill(uint8_t *p, size_t len, const struct stamp *stamp)
{
	size_t word;

	for (word = 0; len > 0; word++) {
		uint64_t value = pattern(stamp, word);
		size_t n = len < 8 ? len : 8;

		memcpy(p, &value, n);
		p += n;
		len -= n;
	}
}

static bool
filled(const uint8_t *p, size_t len, const struct stamp *stamp)
{
	size_t word;

	for (word = 0; len > 0; word++) {
		uint64_t value = pattern(stamp, word);
		size_t n = len < 8 ? len : 8;

		if (memcmp(p, &value, n) != 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

/* Peer and addresses of the generated frames: 198.18.0.0/15 is for benchmarks (RFC 2544). */
static const uint8_t peer_mac[6] = { 0x02, 0x45, 0x4e, 0x41, 0x00, 0xfe };
static const uint8_t peer_ip[4] = { 198, 19, 0, 1 }, our_ip[4] = { 198, 19, 0, 2 };
#define PEER_PORT(flow) (49152 + (flow))
#define OUR_PORT 9

static void
make(const struct traffic *traffic, uint8_t *frame, size_t len, unsigned int flow)
{
	const struct stamp stamp = { traffic->run, flow, len, traffic->flows[flow].made };
	struct frame_info info;

	memcpy(frame, traffic->ena->mac, 6);
	memcpy(frame + 6, peer_mac, 6);
	put16(frame + 12, 0x0800);
	memset(frame + 14, 0, HEADERS - 14);
	frame[14] = 0x45;
	put16(frame + 16, len - 14);
	frame[22] = 64;
	frame[23] = 17;
	memcpy(frame + 26, peer_ip, 4);
	memcpy(frame + 30, our_ip, 4);
	put16(frame + 34, PEER_PORT(flow));
	put16(frame + 36, OUR_PORT);
	put16(frame + 38, len - 34);
	memcpy(frame + HEADERS, &stamp, sizeof(stamp));
	fill(frame + HEADERS + sizeof(stamp), len - HEADERS - sizeof(stamp), &stamp);
	frame_parse(frame, len, &info);
	frame_fill_l3(frame, &info);
	frame_fill_l4(frame, &info, false);
}

static void
route(struct traffic *traffic)
{
	uint8_t frame[MIN_FRAME];
	unsigned int i;

	for (i = 0; i < FLOWS; i++) {
		make(traffic, frame, sizeof(frame), i);
		traffic->flows[i].queue = ena_rx_queue(traffic->ena, frame, sizeof(frame),
						       &traffic->flows[i].hash);
	}
	traffic->routed = true;
}

static size_t
next_len(const struct traffic *traffic)
{
	return traffic->len ? traffic->len : traffic->next_len;
}

static void
interrupts(struct traffic *traffic)
{
	unsigned int i;

	for (i = 0; i < ENA_SQS; i++) {
		if (traffic->touched[i])
			ena_rx_done(traffic->ena, i);
		traffic->touched[i] = false;
	}
}

bool
traffic_run(struct traffic *traffic)
{
	struct ena *ena = traffic->ena;
	uint8_t frame[ENA_MAX_FRAME];
	unsigned int burst, tried;

	if (traffic->left == 0 || ena->fatal)
		return false;
	if (!traffic->routed)
		route(traffic);
	for (burst = 0; burst < BURST && traffic->left > 0; burst++) {
		size_t len = next_len(traffic);
		struct flow *flow = NULL;

		/* The next flow whose queue has room. */
		for (tried = 0; tried < FLOWS; tried++) {
			flow = &traffic->flows[traffic->next_flow++ % FLOWS];
			if (flow->queue >= 0 && ena_rx_room(ena, flow->queue, len))
				break;
		}
		if (tried == FLOWS || flow == NULL)
			break;
		make(traffic, frame, len, flow - traffic->flows);
		if (!ena_rx(ena, flow->queue, frame, len, flow->hash))
			break;
		record(traffic, frame, len);
		/* This number has not come back yet. */
		flow->seen[flow->made % WINDOW / 8] &= ~BIT(flow->made % 8);
		flow->made++;
		traffic->queues[flow->queue].made++;
		traffic->touched[flow->queue] = true;
		traffic->left--;
		if (traffic->len == 0) {
			traffic->next_len += 1 + traffic->next_len / 64;
			if (traffic->next_len > ena->mtu + 14)
				traffic->next_len = MIN_FRAME;
		}
	}
	interrupts(traffic);
	return burst == BURST && traffic->left > 0;
}

static void
room(void *arg)
{
	struct traffic *traffic = arg;

	traffic->routed = false;
}

/* --- What comes back -------------------------------------------------------------------------- */

/* Headers as they were made, or turned round by macswap and 5tswap. mac and 5tswap write other
 * Ethernet addresses, so those are not compared; testpmd's io leaves all of it alone. */
static bool
headers_good(const uint8_t *frame, size_t len, const struct stamp *stamp)
{
	struct frame_info info;
	uint16_t port = PEER_PORT(stamp->flow), from, to;
	bool same, turned;

	frame_parse(frame, len, &info);
	if (info.proto != PROTO_UDP4 || info.l3 != 14 || info.end != len ||
	    !frame_l3_good(frame, &info) || !frame_l4_good(frame, &info))
		return false;
	from = get16(frame + 34);
	to = get16(frame + 36);
	same = memcmp(frame + 26, peer_ip, 4) == 0 && memcmp(frame + 30, our_ip, 4) == 0 &&
	       from == port && to == OUR_PORT;
	turned = memcmp(frame + 26, our_ip, 4) == 0 && memcmp(frame + 30, peer_ip, 4) == 0 &&
		 from == OUR_PORT && to == port;
	return same || turned;
}

static void
check_stamped(struct traffic *traffic, const uint8_t *frame, size_t len, const struct stamp *stamp)
{
	struct verdict *verdict;
	struct flow *flow;
	uint8_t bit = BIT(stamp->number % 8);
	uint8_t *seen;

	if (stamp->flow >= FLOWS || stamp->len != len ||
	    !filled(frame + HEADERS + sizeof(*stamp), len - HEADERS - sizeof(*stamp), stamp) ||
	    !headers_good(frame, len, stamp)) {
		traffic->corrupt++;
		return;
	}
	flow = &traffic->flows[stamp->flow];
	if (flow->queue < 0 || stamp->number >= flow->made || stamp->number + WINDOW < flow->made) {
		traffic->corrupt++; /* never made, or ages ago */
		return;
	}
	verdict = &traffic->queues[flow->queue];
	verdict->back++;
	seen = &flow->seen[stamp->number % WINDOW / 8];
	if (*seen & bit) {
		verdict->duplicate++;
		return;
	}
	*seen |= bit;
	if (stamp->number >= flow->expected) {
		verdict->lost += stamp->number - flow->expected; /* until they turn up */
		flow->expected = stamp->number + 1;
	} else {
		verdict->lost--;
		verdict->reordered++;
	}
}

/* Frames that testpmd makes, as its sources say (app/test-pmd/txonly.c, flowgen.c): addresses and
 * ports, lengths that agree with the frame's, a good IPv4 checksum. The payload is whatever the
 * buffer held. txonly may vary the source address (--txonly-multi-flow), flowgen the
 * destination. */
static void
check_made(struct traffic *traffic, const uint8_t *frame, size_t len)
{
	static const uint8_t txonly[4] = { 198, 18, 0, 2 };
	static const uint8_t flowgen[4] = { 10, 254, 0, 0 };
	static const uint8_t flowgen_macs[12] = { 0, 1, 2, 3, 4, 1, 0, 1, 2, 3, 4, 0 };
	struct frame_info info;
	bool is_txonly, good;

	frame_parse(frame, len, &info);
	is_txonly = len >= HEADERS && memcmp(frame + 30, txonly, 4) == 0;
	if (!is_txonly && (len < HEADERS || memcmp(frame + 26, flowgen, 4) != 0)) {
		traffic->other++;
		return;
	}
	good = info.proto == PROTO_UDP4 && info.l3 == 14 && info.l4 == 34 && info.end == len &&
	       frame_l3_good(frame, &info) && get16(frame + 38) == len - 34;
	if (is_txonly && good && memcmp(frame + 6, traffic->ena->mac, 6) == 0 && frame[26] == 198 &&
	    frame[27] == 18 && get16(frame + 34) == 9 && get16(frame + 36) == 9) {
		traffic->txonly++;
		traffic->txonly_bytes += len;
	} else if (!is_txonly && good && memcmp(frame, flowgen_macs, 12) == 0 && frame[30] == 10 &&
		   frame[31] == 253 && get16(frame + 34) == 1000 && get16(frame + 36) == 1001) {
		traffic->flowgen++;
	} else {
		traffic->wrong++;
	}
}

/* --- Coming and going ------------------------------------------------------------------------- */

static void
deliver(struct traffic *traffic, const uint8_t *frame, size_t len)
{
	uint32_t hash;
	int queue = ena_rx_queue(traffic->ena, frame, len, &hash);

	if (queue < 0) {
		traffic->ena->count.rx_drops++;
		return;
	}
	if (ena_rx(traffic->ena, queue, frame, len, hash))
		traffic->touched[queue] = true;
}

static void
sent(void *arg, const uint8_t *frame, size_t len)
{
	struct traffic *traffic = arg;
	struct stamp stamp;

	record(traffic, frame, len);
	if (len >= MIN_FRAME)
		memcpy(&stamp, frame + HEADERS, sizeof(stamp));
	if (len >= MIN_FRAME && traffic->run != 0 && stamp.magic == traffic->run)
		check_stamped(traffic, frame, len, &stamp);
	else if (len >= MIN_FRAME && stamp.magic >> 8 == traffic->run >> 8 && traffic->run != 0)
		traffic->stale++; /* of an earlier run */
	else
		check_made(traffic, frame, len);

	if (traffic->mode == LOOPBACK)
		deliver(traffic, frame, len);
	else if (traffic->mode == WIRE && send(traffic->wire, frame, len, MSG_DONTWAIT) < 0)
		traffic->ena->count.tx_drops++;
}

static void
all_sent(void *arg)
{
	interrupts(arg);
}

void
traffic_wire(struct traffic *traffic, int fd)
{
	traffic->wire = fd;
	traffic->mode = WIRE;
}

void
traffic_wire_readable(struct traffic *traffic)
{
	uint8_t frame[ENA_MAX_FRAME];
	unsigned int i;

	for (i = 0; i < BURST; i++) {
		ssize_t len = recv(traffic->wire, frame, sizeof(frame), MSG_DONTWAIT | MSG_TRUNC);

		if (len < 0)
			break;
		/* In other modes the cable is not plugged in. */
		if (traffic->mode == WIRE && len >= 14 && (size_t)len <= sizeof(frame)) {
			record(traffic, frame, len);
			deliver(traffic, frame, len);
		}
	}
	interrupts(traffic);
}

struct traffic *
traffic_new(struct ena *ena)
{
	static const struct ena_port port = { sent, all_sent, room };
	struct traffic *traffic = calloc(1, sizeof(*traffic));

	if (traffic == NULL)
		return NULL;
	traffic->ena = ena;
	traffic->wire = -1;
	ena_io_plug(ena, &port, traffic);
	return traffic;
}

void
traffic_free(struct traffic *traffic)
{
	ena_io_plug(traffic->ena, NULL, NULL);
	traffic_pcap(traffic, NULL);
	free(traffic);
}

/* --- Commands --------------------------------------------------------------------------------- */

static void
start(struct traffic *traffic, uint64_t count, uint16_t len)
{
	uint32_t run = traffic->run;

	memset(traffic->flows, 0, sizeof(traffic->flows));
	memset(traffic->queues, 0, sizeof(traffic->queues));
	traffic->corrupt = traffic->stale = 0;
	traffic->run = 0x454e4100 | (run & 0xff) % 255; /* "ENA", and which run */
	traffic->run++;
	traffic->left = count;
	traffic->len = len;
	traffic->next_len = MIN_FRAME;
	traffic->routed = false;
}

static void
report(const struct traffic *traffic, FILE *out)
{
	struct verdict all = { 0 };
	unsigned int i;

	for (i = 0; i < ENA_SQS; i++) {
		all.made += traffic->queues[i].made;
		all.back += traffic->queues[i].back;
		all.lost += traffic->queues[i].lost;
		all.duplicate += traffic->queues[i].duplicate;
		all.reordered += traffic->queues[i].reordered;
	}
	fprintf(out, "verify made=%" PRIu64 " back=%" PRIu64 " lost=%" PRIu64 " duplicate=%" PRIu64
		" reordered=%" PRIu64 " corrupt=%" PRIu64 " stale=%" PRIu64 " left=%" PRIu64
		" txonly=%" PRIu64 " flowgen=%" PRIu64 " wrong=%" PRIu64 " other=%" PRIu64
		" queues=",
		all.made, all.back, all.lost, all.duplicate, all.reordered, traffic->corrupt,
		traffic->stale, traffic->left, traffic->txonly, traffic->flowgen, traffic->wrong,
		traffic->other);
	for (i = 0; i < ENA_SQS; i++)
		if (traffic->queues[i].made != 0)
			fprintf(out, "%u:%" PRIu64 "/%" PRIu64 ",", i, traffic->queues[i].made,
				traffic->queues[i].back);
	fputc('\n', out);
}

bool
traffic_command(struct traffic *traffic, char **words, unsigned int count, FILE *out)
{
	static const char *const modes[] = { "sink", "loopback", "wire" };
	unsigned int i;

	if (strcmp(words[0], "count") == 0) {
		fprintf(out, "count %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", traffic->txonly,
			traffic->txonly_bytes, traffic->ena->count.tx_frames - traffic->txonly);
	} else if (strcmp(words[0], "verify") == 0) {
		report(traffic, out);
	} else if (strcmp(words[0], "mode") == 0 && count == 2) {
		for (i = 0; i < 3 && strcmp(words[1], modes[i]) != 0; i++)
			;
		if (i == 3 || (i == WIRE && traffic->wire < 0)) {
			fprintf(out, "error no such mode: %s\n", words[1]);
			return true;
		}
		traffic->mode = i;
		fprintf(out, "ok\n");
	} else if (strcmp(words[0], "pcap") == 0 && count == 2) {
		if (traffic_pcap(traffic, strcmp(words[1], "off") == 0 ? NULL : words[1]))
			fprintf(out, "ok\n");
		else
			fprintf(out, "error pcap %s: %s\n", words[1], strerror(errno));
	} else if (strcmp(words[0], "generate") == 0 && count == 3) {
		unsigned long len = strtoul(words[2], NULL, 0);

		if (len != 0 && (len < MIN_FRAME || len > ENA_MAX_FRAME)) {
			fprintf(out, "error length: 0 (all), %u to %u\n", MIN_FRAME, ENA_MAX_FRAME);
			return true;
		}
		start(traffic, strtoull(words[1], NULL, 0), len);
		fprintf(out, "ok\n");
	} else {
		return false;
	}
	return true;
}
