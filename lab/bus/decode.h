/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef BUS_DECODE_H
#define BUS_DECODE_H

#include <stddef.h>
#include <stdint.h>

/* What an instruction is, as far as write-combining buffers care. */
enum insn_kind {
	INSN_PLAIN,
	INSN_SFENCE,
	INSN_MFENCE,
	INSN_LFENCE,	/* orders loads, drains nothing */
	INSN_LOCKED,	/* LOCK prefix, or XCHG with memory */
	INSN_SERIALISING,
	INSN_IO,	/* IN, OUT, INS, OUTS */
	INSN_VEX,	/* AVX: one store of 32 bytes is emulated as two of 16 */
};

/* Classify an instruction of 64-bit code. */
enum insn_kind
decode(const uint8_t *code, size_t length);

#endif
