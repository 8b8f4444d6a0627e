/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What is in a frame: Ethernet II, one VLAN tag, IPv4 (RFC 791), IPv6 without extension headers
 * (RFC 8200), TCP (RFC 9293), UDP (RFC 768). Whoever passes an offset on has checked it.
 */

#include "frame.h"

#include "ena_hw.h"

#include <string.h>

enum { IP_TCP = 6, IP_UDP = 17 };

static uint16_t
get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

void
frame_parse(const uint8_t *frame, size_t len, struct frame_info *info)
{
	size_t l3 = 14, l4, end;
	uint16_t type;

	memset(info, 0, sizeof(*info));
	info->proto = PROTO_NOT_IP;
	if (len < l3)
		return;
	type = get16(frame + 12);
	if (type == 0x8100 && len >= 18) {
		type = get16(frame + 16);
		l3 = 18;
	}
	if (type == 0x0800 && len >= l3 + 20 && frame[l3] >> 4 == 4) {
		l4 = l3 + 4 * (frame[l3] & 0xf);
		end = l3 + get16(frame + l3 + 2);
		if (l4 < l3 + 20 || l4 > end || end > len)
			return;
		info->l3 = l3;
		info->end = end;
		info->l4_proto = frame[l3 + 9];
		if ((get16(frame + l3 + 6) & 0x3fff) != 0) { /* more fragments, or an offset */
			info->proto = PROTO_IP4_FRAG;
			return;
		}
		info->proto = PROTO_IP4;
	} else if (type == 0x86dd && len >= l3 + 40 && frame[l3] >> 4 == 6) {
		l4 = l3 + 40;
		end = l4 + get16(frame + l3 + 4);
		if (end > len)
			return;
		info->l3 = l3;
		info->end = end;
		info->l4_proto = frame[l3 + 6];
		info->proto = PROTO_IP6;
	} else {
		return;
	}
	if (info->l4_proto == IP_TCP && end >= l4 + 20) {
		info->l4 = l4;
		info->proto = info->proto == PROTO_IP4 ? PROTO_TCP4 : PROTO_TCP6;
	} else if (info->l4_proto == IP_UDP && end >= l4 + 8) {
		info->l4 = l4;
		info->proto = info->proto == PROTO_IP4 ? PROTO_UDP4 : PROTO_UDP6;
	}
}

/* Toeplitz: the key's 32-bit window at each bit of the input that is set, XORed. The definition is
 * in Microsoft's documentation of RSS ("RSS hashing types"). */
static uint32_t
toeplitz(const uint8_t *input, size_t len, const uint8_t key[40])
{
	uint32_t window = (uint32_t)key[0] << 24 | key[1] << 16 | key[2] << 8 | key[3], hash = 0;
	size_t i;
	int bit;

	for (i = 0; i < len; i++) {
		for (bit = 7; bit >= 0; bit--) {
			if (input[i] >> bit & 1)
				hash ^= window;
			window = window << 1 | (key[i + 4] >> bit & 1);
		}
	}
	return hash;
}

uint32_t
frame_hash(const uint8_t *frame, const struct frame_info *info, const uint8_t key[40],
	   uint16_t fields)
{
	uint8_t input[36]; /* two IPv6 addresses and two ports: key bits up to 40 bytes */
	size_t len = 0;

	/* The order of fields is that of the definition: source, destination, ports alike. */
	if (info->l3 != 0) {
		bool v4 = frame[info->l3] >> 4 == 4;
		size_t size = v4 ? 4 : 16;
		const uint8_t *addr = frame + info->l3 + (v4 ? 12 : 8);

		if (fields & FIELD_L3_SA) {
			memcpy(input + len, addr, size);
			len += size;
		}
		if (fields & FIELD_L3_DA) {
			memcpy(input + len, addr + size, size);
			len += size;
		}
		if (info->l4 != 0 && (fields & FIELD_L4_SP)) {
			memcpy(input + len, frame + info->l4, 2);
			len += 2;
		}
		if (info->l4 != 0 && (fields & FIELD_L4_DP)) {
			memcpy(input + len, frame + info->l4 + 2, 2);
			len += 2;
		}
	} else {
		if (fields & FIELD_L2_SA) {
			memcpy(input + len, frame + 6, 6);
			len += 6;
		}
		if (fields & FIELD_L2_DA) {
			memcpy(input + len, frame, 6);
			len += 6;
		}
	}
	return toeplitz(input, len, key);
}

/* --- Checksums: the Internet checksum, RFC 1071 ----------------------------------------------- */

static uint32_t
sum(const uint8_t *data, size_t len, uint32_t total)
{
	for (; len > 1; len -= 2, data += 2)
		total += get16(data);
	if (len)
		total += data[0] << 8;
	return total;
}

static uint16_t
fold(uint32_t total)
{
	total = (total & 0xffff) + (total >> 16);
	return (total & 0xffff) + (total >> 16);
}

static uint32_t
pseudo_header(const uint8_t *frame, const struct frame_info *info)
{
	bool v4 = frame[info->l3] >> 4 == 4;

	return sum(frame + info->l3 + (v4 ? 12 : 8), v4 ? 8 : 32,
		   info->l4_proto + (info->end - info->l4));
}

static size_t
l4_checksum(const struct frame_info *info)
{
	return info->l4 + (info->l4_proto == IP_TCP ? 16 : 6);
}

void
frame_fill_l3(uint8_t *frame, const struct frame_info *info)
{
	uint8_t *ip = frame + info->l3;
	uint16_t value;

	if (info->l3 == 0 || ip[0] >> 4 != 4)
		return;
	ip[10] = ip[11] = 0;
	value = ~fold(sum(ip, 4 * (ip[0] & 0xf), 0));
	ip[10] = value >> 8;
	ip[11] = value;
}

void
frame_fill_l4(uint8_t *frame, const struct frame_info *info, bool partial)
{
	uint32_t total = 0;
	uint8_t *place;
	uint16_t value;

	if (info->l4 == 0)
		return;
	place = frame + l4_checksum(info);
	if (!partial) {
		place[0] = place[1] = 0;
		total = pseudo_header(frame, info);
	}
	value = ~fold(sum(frame + info->l4, info->end - info->l4, total));
	if (value == 0 && info->l4_proto == IP_UDP)
		value = 0xffff; /* RFC 768: 0 would mean none */
	place[0] = value >> 8;
	place[1] = value;
}

bool
frame_l3_good(const uint8_t *frame, const struct frame_info *info)
{
	const uint8_t *ip = frame + info->l3;

	return fold(sum(ip, 4 * (ip[0] & 0xf), 0)) == 0xffff;
}

bool
frame_l4_good(const uint8_t *frame, const struct frame_info *info)
{
	if (info->l4_proto == IP_UDP && get16(frame + l4_checksum(info)) == 0)
		return true;
	return fold(sum(frame + info->l4, info->end - info->l4, pseudo_header(frame, info))) ==
	       0xffff;
}
