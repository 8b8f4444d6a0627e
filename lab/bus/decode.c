/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdbool.h>

#include "decode.h"

#define MOD(modrm) ((modrm) >> 6)
#define REG(modrm) ((modrm) >> 3 & 7)

/*
 * Intel SDM volume 2, appendix A (opcode map, two-byte opcodes 0F xx); volume 3A, "Serializing
 * Instructions". CR8 and the x2APIC's MSRs, whose writes are not serialising, are not told apart.
 */
static enum insn_kind
decode_0f(const uint8_t *op, size_t left, bool prefixed)
{
	const uint8_t modrm = left > 1 ? op[1] : 0;

	switch (op[0]) {
	case 0x00: /* LLDT, LTR */
		return REG(modrm) == 2 || REG(modrm) == 3 ? INSN_SERIALISING : INSN_PLAIN;
	case 0x01: /* SERIALIZE; LGDT, LIDT, INVLPG */
		if (modrm == 0xe8 && !prefixed)
			return INSN_SERIALISING;
		return MOD(modrm) != 3 && (REG(modrm) == 2 || REG(modrm) == 3 || REG(modrm) == 7) ?
			INSN_SERIALISING : INSN_PLAIN;
	case 0x08: /* INVD */
	case 0x09: /* WBINVD */
	case 0x22: /* MOV to CR */
	case 0x23: /* MOV to DR */
	case 0x30: /* WRMSR */
	case 0xa2: /* CPUID */
	case 0xaa: /* RSM */
		return INSN_SERIALISING;
	case 0x38: /* INVPCID, INVEPT, INVVPID */
		return prefixed && modrm >= 0x80 && modrm <= 0x82 ? INSN_SERIALISING : INSN_PLAIN;
	case 0xae:
		if (MOD(modrm) != 3 || prefixed)
			return INSN_PLAIN;
		return REG(modrm) == 5 ? INSN_LFENCE : REG(modrm) == 6 ? INSN_MFENCE :
			REG(modrm) == 7 ? INSN_SFENCE : INSN_PLAIN;
	}
	return INSN_PLAIN;
}

enum insn_kind
decode(const uint8_t *code, size_t length)
{
	const uint8_t *end = code + length, *op = code;
	bool prefixed = false;

	for (; op < end; op++) {
		if (*op == 0xf0)
			return INSN_LOCKED;
		if (*op == 0x66 || *op == 0xf2 || *op == 0xf3)
			prefixed = true;
		else if (*op != 0x67 && *op != 0x64 && *op != 0x65 && (*op & 0xe7) != 0x26)
			break;
	}
	if (op < end && (*op & 0xf0) == 0x40) /* REX */
		op++;
	if (op == end)
		return INSN_PLAIN;
	switch (*op) {
	case 0x0f:
		return op + 1 < end ? decode_0f(op + 1, end - op - 1, prefixed) : INSN_PLAIN;
	case 0x62: /* EVEX */
	case 0xc4: /* VEX */
	case 0xc5:
		return INSN_VEX;
	case 0x86: /* XCHG locks by itself when an operand is memory */
	case 0x87:
		return op + 1 < end && MOD(op[1]) != 3 ? INSN_LOCKED : INSN_PLAIN;
	case 0xcf: /* IRET */
		return INSN_SERIALISING;
	case 0x6c: case 0x6d: case 0x6e: case 0x6f:
	case 0xe4: case 0xe5: case 0xe6: case 0xe7:
	case 0xec: case 0xed: case 0xee: case 0xef:
		return INSN_IO;
	}
	return INSN_PLAIN;
}
