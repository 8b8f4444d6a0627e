/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The model with a driver of a few lines, no QEMU: what is sent arrives, what arrives is compared,
 * what breaks a rule is counted.
 */

/* cmocka.h wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

#include "../ena_io.h"
#include "../ena_regs.h"
#include "../frame.h"
#include "../fuzz/guest.h"
#include "../traffic.h"

#define DEPTH 8 /* of all rings */
#define TX 0
#define RX ENA_QUEUES
#define HEADER 96 /* of a frame, inline in an LLQ entry of 128 bytes */
#define BUFFER 2048
/* In guest memory: Tx buffers, Rx buffers, by the slot of the ring; and one that nobody uses. */
#define TX_BUFFER(slot) (GUEST_FREE + (slot) * BUFFER)
#define RX_BUFFER(slot) (GUEST_FREE + (DEPTH + (slot)) * BUFFER)
#define DECOY (GUEST_FREE + 2 * DEPTH * BUFFER)

static struct driver {
	struct ena *ena;
	struct traffic *traffic;
	uint8_t *llq;
	/* free-running, as the rings' indices */
	uint16_t tx, rx_posted, rx;
} drv;

/* What the wire has got. */
static struct wire {
	unsigned int frames, bursts;
	uint8_t frame[BUFFER];
	size_t len;
} wire;

static void
wire_tx(void *arg, const uint8_t *frame, size_t len)
{
	struct wire *to = arg;

	to->frames++;
	assert_true(len >= 1 && len <= sizeof(to->frame));
	memcpy(to->frame, frame, len);
	to->len = len;
}

static void
wire_tx_done(void *arg)
{
	((struct wire *)arg)->bursts++;
}

static void
wire_rx_room(void *arg)
{
	(void)arg;
}

static const struct ena_port wire_port = { wire_tx, wire_tx_done, wire_rx_room };

/* --- The driver ------------------------------------------------------------------------------- */

static uint8_t *
ring(unsigned int made)
{
	return guest_memory + GUEST_RINGS + made * 4096;
}

/* The phase that the driver, or the device, gives an entry. */
static unsigned int
phase(uint16_t index)
{
	return !(index / DEPTH & 1);
}

static void
start(uint8_t how)
{
	guest_setup(drv.ena);
	guest_queues(drv.ena, how);
	drv.tx = drv.rx_posted = drv.rx = 0;
	assert_true(drv.ena->sqs[TX].used && drv.ena->sqs[RX].used);
	assert_int_equal(drv.ena->sqs[TX].llq, !(how & 2));
}

static struct hw_tx_desc
tx_desc(uint64_t addr, size_t len, size_t header)
{
	uint16_t id = drv.tx;

	return (struct hw_tx_desc){
		.len_ctrl = len | (id >> 10) << 16 | (phase(drv.tx) ? TX_PHASE : 0) | TX_FIRST |
			    TX_LAST | TX_COMP_REQ,
		.meta_ctrl = (uint32_t)id << 22,
		.addr_lo = addr,
		.addr_hi_header = addr >> 32 | header << 24,
	};
}

/* Words of the LLQ entry that is written next. */
static uint32_t *
llq_entry(void)
{
	return (uint32_t *)(void *)(drv.llq + TX * ENA_LLQ_SLOT + drv.tx % DEPTH * 128);
}

/* An entry for the frame, by the queue's placement; no doorbell yet. */
static void
tx_entry(const uint8_t *frame, size_t len)
{
	unsigned int slot = drv.tx % DEPTH;
	struct hw_tx_desc desc;
	size_t header = 0;
	uint8_t *line;

	if (drv.ena->sqs[TX].llq) {
		/* Where the host's ring would be is another frame. */
		desc = tx_desc(GUEST_BASE + DECOY, 60, 0);
		memcpy(ring(TX) + slot * IO_DESC_SIZE, &desc, sizeof(desc));
		header = len < HEADER ? len : HEADER;
		desc = tx_desc(GUEST_BASE + TX_BUFFER(slot), len - header, header);
		line = (uint8_t *)llq_entry();
		memcpy(line, &desc, sizeof(desc));
		memcpy(line + 2 * IO_DESC_SIZE, frame, header);
	} else {
		desc = tx_desc(GUEST_BASE + TX_BUFFER(slot), len, 0);
		memcpy(ring(TX) + slot * IO_DESC_SIZE, &desc, sizeof(desc));
	}
	memcpy(guest_memory + TX_BUFFER(slot), frame + header, len - header);
	drv.tx++;
}

static void
doorbell(unsigned int sq, uint16_t tail)
{
	guest_reg_write(drv.ena, ENA_DOORBELL(sq), tail);
}

/* The completion of an entry: there is one, and it is that entry's. */
static void
tx_completed(uint16_t index)
{
	struct hw_tx_cdesc done;

	memcpy(&done, ring(8) + index % DEPTH * sizeof(done), sizeof(done));
	assert_int_equal(done.flags & 1, phase(index));
	assert_int_equal(done.req_id, index);
	assert_int_equal(done.sq_head, (uint16_t)(index + 1));
}

static void
send_frame(const uint8_t *frame, size_t len)
{
	tx_entry(frame, len);
	doorbell(TX, drv.tx);
	tx_completed(drv.tx - 1);
}

static void
post_buffers(void)
{
	struct hw_rx_desc desc;
	unsigned int slot;

	for (; (uint16_t)(drv.rx_posted - drv.rx) < DEPTH; drv.rx_posted++) {
		slot = drv.rx_posted % DEPTH;
		desc = (struct hw_rx_desc){
			.length = BUFFER,
			.ctrl = phase(drv.rx_posted) ? RX_PHASE : 0,
			.req_id = drv.rx_posted,
			.addr_lo = GUEST_BASE + RX_BUFFER(slot),
		};
		memcpy(ring(1) + slot * IO_DESC_SIZE, &desc, sizeof(desc));
	}
	doorbell(RX, drv.rx_posted);
}

/* The next frame that was received, as long as its buffer is not posted again; 0: none. */
static size_t
received(const uint8_t **frame, uint32_t *status)
{
	struct hw_rx_cdesc done;

	memcpy(&done, ring(9) + drv.rx % DEPTH * sizeof(done), sizeof(done));
	if (!!(done.status & RXC_PHASE) != phase(drv.rx))
		return 0;
	assert_int_equal(done.status & (RXC_FIRST | RXC_LAST | RXC_BUFFER),
			 RXC_FIRST | RXC_LAST | RXC_BUFFER);
	assert_int_equal(done.req_id, drv.rx);
	*frame = guest_memory + RX_BUFFER(drv.rx % DEPTH);
	if (status != NULL)
		*status = done.status;
	drv.rx++;
	return done.length;
}

static int
setup(void **state)
{
	(void)state;
	drv.ena = ena_new(NULL);
	assert_non_null(drv.ena);
	drv.traffic = NULL;
	drv.llq = guest_attach(drv.ena);
	memset(&wire, 0, sizeof(wire));
	ena_io_plug(drv.ena, &wire_port, &wire);
	return 0;
}

static int
setup_traffic(void **state)
{
	setup(state);
	drv.traffic = traffic_new(drv.ena);
	return drv.traffic == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	if (drv.traffic != NULL)
		traffic_free(drv.traffic);
	munmap(drv.llq, ENA_LLQ_SIZE);
	ena_free(drv.ena);
	return 0;
}

/* --- What is sent ----------------------------------------------------------------------------- */

/* Many rounds of the ring, all lengths, nothing lost or changed. */
static void
arrive(uint8_t how)
{
	enum { FRAMES = 12000 };
	uint8_t frame[1514];
	unsigned int i;
	size_t len = 60, at;
	uint64_t bytes = 0;

	start(how);
	for (i = 0; i < FRAMES; i++) {
		for (at = 0; at < len; at++)
			frame[at] = (i * 31 + at * 7) >> (at % 3);
		send_frame(frame, len);
		assert_int_equal(wire.frames, i + 1);
		assert_int_equal(wire.len, len);
		assert_memory_equal(wire.frame, frame, len);
		bytes += len;
		len = len == sizeof(frame) ? 60 : len + 1;
	}
	assert_int_equal(wire.bursts, FRAMES);
	assert_int_equal(drv.ena->count.tx_frames, FRAMES);
	assert_int_equal(drv.ena->count.tx_bytes, bytes);
	assert_int_equal(drv.ena->count.tx_drops, 0);
	assert_int_equal(drv.ena->count.violations, 0);
	assert_int_equal(drv.ena->count.llq_frames, how & 2 ? 0 : FRAMES);
	assert_int_equal(drv.ena->count.host_frames, how & 2 ? FRAMES : 0);
}

static void
frames_of_the_llq_arrive(void **state)
{
	(void)state;
	arrive(0);
}

static void
frames_of_the_hosts_ring_arrive(void **state)
{
	(void)state;
	arrive(2);
}

static void
without_a_link_frames_are_dropped_and_counted(void **state)
{
	uint8_t frame[60] = { 0 };

	(void)state;
	start(0);
	ena_set_link(drv.ena, false);
	send_frame(frame, sizeof(frame));
	assert_int_equal(wire.frames, 0);
	assert_int_equal(drv.ena->count.tx_drops, 1);
	ena_set_link(drv.ena, true);
	send_frame(frame, sizeof(frame));
	assert_int_equal(wire.frames, 1);
}

/* --- Rules ------------------------------------------------------------------------------------ */

static void
ring_too_far(void)
{
	doorbell(TX, drv.tx + DEPTH + 1);
}

static void
ring_nowhere(void)
{
	doorbell(ENA_QUEUES - 1, 1);
}

static void
change(uint32_t clear, uint32_t set)
{
	const uint8_t frame[60] = { 0 };
	uint32_t *len_ctrl = llq_entry();

	tx_entry(frame, sizeof(frame));
	*len_ctrl = (*len_ctrl & ~clear) | set;
	doorbell(TX, drv.tx);
}

static void
entry_of_another_round(void)
{
	change(TX_PHASE, 0);
}

static void
entry_starts_no_packet(void)
{
	change(TX_FIRST, 0);
}

static void
packet_does_not_end(void)
{
	change(TX_LAST, 0);
}

static void
nobody_wants_the_completion(void)
{
	change(TX_COMP_REQ, 0);
}

static void
header_longer_than_the_entry(void)
{
	const uint8_t frame[60] = { 0 };
	uint32_t *addr_hi_header = llq_entry() + 3;

	tx_entry(frame, sizeof(frame));
	*addr_hi_header = (HEADER + 1u) << 24;
	doorbell(TX, drv.tx);
}

static void
buffer_outside_of_memory(void)
{
	uint8_t frame[HEADER + 1] = { 0 };
	uint32_t *addr_lo = llq_entry() + 2;

	tx_entry(frame, sizeof(frame));
	*addr_lo = GUEST_BASE + GUEST_SIZE;
	doorbell(TX, drv.tx);
}

/* One more than the device takes; as many are good. */
static void
too_many_entries_for_a_doorbell(void)
{
	const uint8_t frame[60] = { 0 };
	unsigned int i;

	drv.ena->llq_burst_taken = 4;
	for (i = 0; i < 9; i++) {
		tx_entry(frame, sizeof(frame));
		if (i == 3)
			doorbell(TX, drv.tx);
	}
	assert_false(drv.ena->fatal);
	doorbell(TX, drv.tx);
	drv.ena->llq_burst_taken = 0;
}

static void
a_broken_rule_is_counted_and_stops_the_device(void **state)
{
	static void (*const breaks[])(void) = {
		ring_too_far, ring_nowhere, entry_of_another_round, entry_starts_no_packet,
		packet_does_not_end, nobody_wants_the_completion, header_longer_than_the_entry,
		buffer_outside_of_memory, too_many_entries_for_a_doorbell,
	};
	uint8_t frame[60] = { 0 };
	unsigned int i, before;

	(void)state;
	for (i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
		start(0);
		assert_false(drv.ena->fatal);
		send_frame(frame, sizeof(frame));
		before = wire.frames;
		breaks[i]();
		if (breaks[i] == too_many_entries_for_a_doorbell)
			before += 4;
		if (drv.ena->count.violations != i + 1)
			fail_msg("violation %u: %" PRIu64 " are counted", i,
				 drv.ena->count.violations);
		assert_true(ena_reg(drv.ena, REG_DEV_STS) & DEV_STS_FATAL_ERROR);
		/* and nothing more happens until it is reset */
		tx_entry(frame, sizeof(frame));
		doorbell(TX, drv.tx);
		assert_int_equal(wire.frames, before);
		assert_int_equal(drv.ena->count.violations, i + 1);
	}
	start(0);
	send_frame(frame, sizeof(frame));
	assert_int_equal(wire.frames, before + 1);
}

/* --- What is received ------------------------------------------------------------------------- */

/* IPv4 and UDP with good checksums. */
static size_t
make_udp(uint8_t frame[80])
{
	struct frame_info info;
	const size_t len = 80;
	size_t i;

	for (i = 0; i < len; i++)
		frame[i] = 3 * i;
	memcpy(frame + 12, "\x08\x00\x45\x00\x00\x42", 6); /* 66 bytes of IP */
	memcpy(frame + 20, "\x00\x00\x40\x11", 4);
	memcpy(frame + 38, "\x00\x2e", 2); /* 46 of UDP */
	frame_parse(frame, len, &info);
	assert_int_equal(info.l3, 14);
	assert_int_equal(info.l4, 34);
	frame_fill_l3(frame, &info);
	frame_fill_l4(frame, &info, false);
	return len;
}

static void
checksums_of_what_is_received(void **state)
{
	static const struct {
		unsigned int byte;
		uint32_t errors;
	} cases[] = {
		{ 0, 0 }, /* of the Ethernet address: nobody's sum */
		{ 22, RXC_L3_CSUM_ERR },
		{ 79, RXC_L4_CSUM_ERR },
		{ 30, RXC_L3_CSUM_ERR | RXC_L4_CSUM_ERR }, /* an address is in both */
	};
	const uint8_t *got;
	uint8_t frame[80];
	uint32_t status = 0;
	unsigned int i;

	(void)state;
	start(0);
	post_buffers();
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = make_udp(frame);

		frame[cases[i].byte] ^= 0x40;
		assert_true(ena_rx(drv.ena, RX, frame, len, 0));
		assert_int_equal(received(&got, &status), len);
		assert_memory_equal(got, frame, len);
		assert_true(status & RXC_L4_CSUM_CHECKED);
		assert_int_equal(status & (RXC_L3_CSUM_ERR | RXC_L4_CSUM_ERR), cases[i].errors);
	}
	assert_int_equal(received(&got, NULL), 0);
}

static void
without_buffers_frames_are_dropped_and_counted(void **state)
{
	const uint8_t *got;
	uint8_t frame[80];
	size_t len = make_udp(frame);
	unsigned int i;

	(void)state;
	start(0);
	post_buffers();
	for (i = 0; i < DEPTH + 2; i++)
		assert_int_equal(ena_rx(drv.ena, RX, frame, len, 0), i < DEPTH);
	assert_int_equal(drv.ena->count.rx_frames, DEPTH);
	assert_int_equal(drv.ena->count.rx_drops, 2);
	for (i = 0; i < DEPTH; i++)
		assert_int_equal(received(&got, NULL), len);
	assert_int_equal(received(&got, NULL), 0);
}

/* --- The generator, and what it says of what comes back --------------------------------------- */

static const char *
command(const char *a, const char *b, const char *c)
{
	static char answer[512];
	char words[3][32], *list[3] = { words[0], words[1], words[2] };
	FILE *out = fmemopen(answer, sizeof(answer), "w");

	assert_non_null(out);
	snprintf(words[0], sizeof(words[0]), "%s", a);
	snprintf(words[1], sizeof(words[1]), "%s", b != NULL ? b : "");
	snprintf(words[2], sizeof(words[2]), "%s", c != NULL ? c : "");
	assert_true(traffic_command(drv.traffic, list, 1 + (b != NULL) + (c != NULL), out));
	fclose(out);
	return answer;
}

static void
verdict_is(const char *expected)
{
	const char *answer = command("verify", NULL, NULL);

	if (strncmp(answer, expected, strlen(expected)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", answer, expected);
}

/* Send back all that is generated; spoil() does what it wants with one frame of them. */
static void
forward(const char *count, void (*spoil)(uint8_t *frame, size_t len))
{
	enum { WHICH = 20 };
	uint8_t frame[BUFFER];
	const uint8_t *got;
	unsigned int n = 0;
	size_t len;

	start(0);
	assert_string_equal(command("generate", count, "0"), "ok\n");
	for (;;) {
		post_buffers();
		while (traffic_run(drv.traffic))
			;
		len = received(&got, NULL);
		if (len == 0)
			break;
		memcpy(frame, got, len);
		if (++n == WHICH && spoil != NULL)
			spoil(frame, len);
		else
			send_frame(frame, len);
	}
	assert_int_equal(n, atoi(count));
}

static void
spoil_lose(uint8_t *frame, size_t len)
{
	(void)frame;
	(void)len;
}

static void
spoil_double(uint8_t *frame, size_t len)
{
	send_frame(frame, len);
	send_frame(frame, len);
}

/* Two words change places: all checksums remain good. */
static void
spoil_payload(uint8_t *frame, size_t len)
{
	uint8_t word[2];

	assert_true(len >= 64);
	memcpy(word, frame + 60, 2);
	memcpy(frame + 60, frame + 62, 2);
	memcpy(frame + 62, word, 2);
	send_frame(frame, len);
}

static void
spoil_address(uint8_t *frame, size_t len)
{
	frame[33] ^= 1;
	send_frame(frame, len);
}

static void
spoil_length(uint8_t *frame, size_t len)
{
	send_frame(frame, len - 1);
}

static void
what_comes_back_is_compared(void **state)
{
	(void)state;
	forward("12000", NULL);
	verdict_is("verify made=12000 back=12000 lost=0 duplicate=0 reordered=0 corrupt=0 stale=0 "
		   "left=0 ");
	forward("300", spoil_lose);
	verdict_is("verify made=300 back=299 lost=1 duplicate=0 reordered=0 corrupt=0 ");
	forward("300", spoil_double);
	verdict_is("verify made=300 back=301 lost=0 duplicate=1 reordered=0 corrupt=0 ");
	forward("300", spoil_payload);
	verdict_is("verify made=300 back=299 lost=1 duplicate=0 reordered=0 corrupt=1 ");
	forward("300", spoil_address);
	verdict_is("verify made=300 back=299 lost=1 duplicate=0 reordered=0 corrupt=1 ");
	forward("300", spoil_length);
	verdict_is("verify made=300 back=299 lost=1 duplicate=0 reordered=0 corrupt=1 ");
}

static struct {
	uint8_t frame[BUFFER];
	size_t len;
} kept;

static void
keep(uint8_t *frame, size_t len)
{
	memcpy(kept.frame, frame, len);
	kept.len = len;
}

/* One frame late is reordered and not lost; one of an earlier run is neither. */
static void
late_frames_are_told_apart(void **state)
{
	(void)state;
	forward("300", keep);
	send_frame(kept.frame, kept.len);
	verdict_is("verify made=300 back=300 lost=0 duplicate=0 reordered=1 corrupt=0 stale=0 ");
	forward("300", NULL);
	send_frame(kept.frame, kept.len);
	verdict_is("verify made=300 back=300 lost=0 duplicate=0 reordered=0 corrupt=0 stale=1 ");
}

/* What testpmd's txonly makes: app/test-pmd/txonly.c. */
static void
frames_of_testpmd_are_counted(void **state)
{
	struct frame_info info;
	uint8_t frame[64] = { 0 };
	unsigned int i;

	(void)state;
	start(0);
	memcpy(frame + 6, drv.ena->mac, 6);
	memcpy(frame + 12, "\x08\x00\x45\x00\x00\x32", 6); /* 50 bytes of IP */
	memcpy(frame + 22, "\x40\x11", 2);
	memcpy(frame + 26, "\xc6\x12\x00\x01\xc6\x12\x00\x02", 8);
	memcpy(frame + 34, "\x00\x09\x00\x09\x00\x1e", 6); /* 30 of UDP */
	frame_parse(frame, sizeof(frame), &info);
	frame_fill_l3(frame, &info);
	for (i = 0; i < 5; i++)
		send_frame(frame, sizeof(frame));
	assert_string_equal(command("count", NULL, NULL), "count 5 320 0\n");
	frame[25] ^= 1; /* of the IPv4 checksum */
	send_frame(frame, sizeof(frame));
	assert_string_equal(command("count", NULL, NULL), "count 5 320 1\n");
	assert_non_null(strstr(command("verify", NULL, NULL),
		" txonly=5 flowgen=0 wrong=1 other=0"));
	memset(frame, 0xff, sizeof(frame));
	send_frame(frame, sizeof(frame));
	assert_string_equal(command("count", NULL, NULL), "count 5 320 2\n");
	assert_non_null(strstr(command("verify", NULL, NULL),
		" txonly=5 flowgen=0 wrong=1 other=1"));
}

static void
in_loopback_what_is_sent_comes_back(void **state)
{
	const uint8_t *got;
	uint8_t frame[80];
	size_t len = make_udp(frame);
	unsigned int i;

	(void)state;
	start(0);
	assert_string_equal(command("mode", "loopback", NULL), "ok\n");
	for (i = 0; i < 10 * DEPTH; i++) {
		post_buffers();
		frame[0] = i;
		send_frame(frame, len);
		assert_int_equal(received(&got, NULL), len);
		assert_memory_equal(got, frame, len);
	}
	assert_string_equal(command("mode", "sink", NULL), "ok\n");
	post_buffers();
	send_frame(frame, len);
	assert_int_equal(received(&got, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TRAFFIC(f) cmocka_unit_test_setup_teardown(f, setup_traffic, teardown)
		T(frames_of_the_llq_arrive),
		T(frames_of_the_hosts_ring_arrive),
		T(without_a_link_frames_are_dropped_and_counted),
		T(a_broken_rule_is_counted_and_stops_the_device),
		T(checksums_of_what_is_received),
		T(without_buffers_frames_are_dropped_and_counted),
		TRAFFIC(what_comes_back_is_compared),
		TRAFFIC(late_frames_are_told_apart),
		TRAFFIC(frames_of_testpmd_are_counted),
		TRAFFIC(in_loopback_what_is_sent_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
