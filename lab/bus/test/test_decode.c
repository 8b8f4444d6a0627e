/* SPDX-License-Identifier: BSD-3-Clause */

#include "../decode.h"
#include "test.h"

#define CODE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

/* Encodings as an assembler makes them (checked with objdump). */
static void
kinds(void **state)
{
	(void)state;
	assert_int_equal(decode(CODE(0x0f, 0xae, 0xf8)), INSN_SFENCE);
	assert_int_equal(decode(CODE(0x0f, 0xae, 0xf0)), INSN_MFENCE);
	assert_int_equal(decode(CODE(0x0f, 0xae, 0xe8)), INSN_LFENCE);
	assert_int_equal(decode(CODE(0x0f, 0xae, 0x38)), INSN_PLAIN); /* clflush (%rax) */
	assert_int_equal(decode(CODE(0x66, 0x0f, 0xae, 0x38)), INSN_PLAIN); /* clflushopt */
	assert_int_equal(decode(CODE(0x66, 0x0f, 0xae, 0xf1)), INSN_PLAIN); /* tpause %ecx */
	assert_int_equal(decode(CODE(0xf3, 0x0f, 0xae, 0xf0)), INSN_PLAIN); /* umonitor %rax */
	assert_int_equal(decode(CODE(0xf0, 0x83, 0x04, 0x24, 0x00)), INSN_LOCKED);
	assert_int_equal(decode(CODE(0xf0, 0x48, 0x0f, 0xb1, 0x0f)), INSN_LOCKED);
	assert_int_equal(decode(CODE(0x66, 0xf0, 0xff, 0x00)), INSN_LOCKED);
	assert_int_equal(decode(CODE(0x87, 0x07)), INSN_LOCKED); /* xchg %eax,(%rdi) */
	assert_int_equal(decode(CODE(0x48, 0x86, 0x07)), INSN_LOCKED);
	assert_int_equal(decode(CODE(0x87, 0xc7)), INSN_PLAIN); /* xchg %eax,%edi */
	assert_int_equal(decode(CODE(0x0f, 0xa2)), INSN_SERIALISING); /* cpuid */
	assert_int_equal(decode(CODE(0x0f, 0x01, 0xe8)), INSN_SERIALISING); /* serialize */
	assert_int_equal(decode(CODE(0x0f, 0x01, 0x38)), INSN_SERIALISING); /* invlpg (%rax) */
	assert_int_equal(decode(CODE(0x0f, 0x01, 0xf9)), INSN_PLAIN); /* rdtscp */
	assert_int_equal(decode(CODE(0x66, 0x0f, 0x38, 0x82, 0x00)), INSN_SERIALISING);
	assert_int_equal(decode(CODE(0x0f, 0x22, 0xd8)), INSN_SERIALISING); /* mov %rax,%cr3 */
	assert_int_equal(decode(CODE(0x48, 0xcf)), INSN_SERIALISING); /* iretq */
	assert_int_equal(decode(CODE(0xee)), INSN_IO); /* out %al,(%dx) */
	assert_int_equal(decode(CODE(0xf3, 0x6e)), INSN_IO); /* rep outsb */
	assert_int_equal(decode(CODE(0xc5, 0xfe, 0x7f, 0x07)), INSN_VEX); /* vmovdqu */
	assert_int_equal(decode(CODE(0x48, 0x89, 0x07)), INSN_PLAIN);
	assert_int_equal(decode(CODE(0x41, 0xf0)), INSN_PLAIN); /* no such instruction */
}

/* No end of code is passed, whatever precedes it. */
static void
truncated(void **state)
{
	(void)state;
	assert_int_equal(decode(CODE(0x0f)), INSN_PLAIN);
	assert_int_equal(decode(CODE(0x0f, 0xae)), INSN_PLAIN);
	assert_int_equal(decode(CODE(0x66, 0x48)), INSN_PLAIN);
	assert_int_equal(decode(CODE(0x87)), INSN_PLAIN);
	assert_int_equal(decode((const uint8_t *)"", 0), INSN_PLAIN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds),
		cmocka_unit_test(truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
