/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frame_info {
	uint16_t l3, l4; /* offsets, 0: none or unknown */
	uint16_t end;	 /* of the IP packet; what follows is padding */
	uint8_t proto;	 /* enum ena_admin_flow_hash_proto */
	uint8_t l4_proto; /* IP protocol number, of l4 */
};
void frame_parse(const uint8_t *frame, size_t len, struct frame_info *info);
uint32_t frame_hash(const uint8_t *frame, const struct frame_info *info, const uint8_t key[40],
		    uint16_t fields);
/* Fill in checksums; partial: the pseudo header's sum is in its place already. */
void frame_fill_l3(uint8_t *frame, const struct frame_info *info);
void frame_fill_l4(uint8_t *frame, const struct frame_info *info, bool partial);
bool frame_l3_good(const uint8_t *frame, const struct frame_info *info);
bool frame_l4_good(const uint8_t *frame, const struct frame_info *info);

#endif
