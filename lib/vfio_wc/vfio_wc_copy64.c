/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One line of 64 bytes in as few stores as the CPU has, chosen once at start, as DPDK chooses its
 * vector code. Each store is written out as one instruction: a compiler may take memcpy() or an
 * assignment apart. Their order is that of their addresses; what is read is never read twice.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rte_vfio_wc.h"
#include "vfio_wc_copy64.h"

#define LINE 64

static bool
always(void)
{
	return true;
}

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

/* Intel SDM volume 2, CPUID: leaf 7, ECX bit 28. Compilers know its name only since lately. */
static bool
has_movdir64b(void)
{
	unsigned int eax, ebx, ecx, edx;

	return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ecx & 1u << 28) != 0;
}

/* These include that the kernel keeps the registers. */
static bool
has_avx512(void)
{
	return __builtin_cpu_supports("avx512f");
}

static bool
has_avx(void)
{
	return __builtin_cpu_supports("avx");
}

/* One write of 64 bytes, whatever the memory's type (SDM volume 2, MOVDIR64B). */
__attribute__((target("movdir64b"))) static void
copy_movdir64b(void *line, const void *from)
{
	_movdir64b(line, from);
}

__attribute__((target("avx512f"))) static void
copy_avx512(void *line, const void *from)
{
	const __m512i all = _mm512_loadu_si512(from);

	__asm__ volatile("vmovdqa64 %1, %0" : "=m"(*(__m512i *)line) : "v"(all));
}

__attribute__((target("avx"))) static void
copy_avx(void *line, const void *from)
{
	const __m256i_u *in = from;
	const __m256i first = _mm256_loadu_si256(in), second = _mm256_loadu_si256(in + 1);
	__m256i *out = line;

	__asm__ volatile("vmovdqa %2, %0\n\tvmovdqa %3, %1"
		: "=m"(out[0]), "=m"(out[1]) : "x"(first), "x"(second));
}

static void
copy_sse2(void *line, const void *from)
{
	const __m128i_u *in = from;
	__m128i *out = line;

	__asm__ volatile("movdqa %4, %0\n\tmovdqa %5, %1\n\tmovdqa %6, %2\n\tmovdqa %7, %3"
		: "=m"(out[0]), "=m"(out[1]), "=m"(out[2]), "=m"(out[3])
		: "x"(_mm_loadu_si128(in)), "x"(_mm_loadu_si128(in + 1)),
		"x"(_mm_loadu_si128(in + 2)), "x"(_mm_loadu_si128(in + 3)));
}

const struct vfio_wc_copy64_way vfio_wc_copy64_ways[] = {
	{ "movdir64b", 1, has_movdir64b, copy_movdir64b },
	{ "avx512", 1, has_avx512, copy_avx512 },
	{ "avx", 2, has_avx, copy_avx },
	{ "sse2", 4, always, copy_sse2 },
};

#elif defined(__aarch64__)

/*
 * A pair of 16-byte registers is the widest store that every CPU has. ST64B (FEAT_LS64) would be a
 * single one; there was no machine to try it on.
 */
static void
copy_neon(void *line, const void *from)
{
	__asm__ volatile("ldp q0, q1, [%2]\n\tldp q2, q3, [%2, #32]\n\t"
		"stp q0, q1, [%1]\n\tstp q2, q3, [%1, #32]"
		: "=m"(*(char (*)[LINE])line)
		: "r"(line), "r"(from), "m"(*(const char (*)[LINE])from)
		: "v0", "v1", "v2", "v3");
}

const struct vfio_wc_copy64_way vfio_wc_copy64_ways[] = {
	{ "neon", 2, always, copy_neon },
};

#else

static void
copy_words(void *line, const void *from)
{
	volatile uint64_t *out = line;
	uint64_t in[LINE / sizeof(uint64_t)];
	unsigned int i;

	memcpy(in, from, sizeof(in));
	for (i = 0; i < LINE / sizeof(in[0]); i++)
		out[i] = in[i];
}

const struct vfio_wc_copy64_way vfio_wc_copy64_ways[] = {
	{ "words", 8, always, copy_words },
};

#endif

const unsigned int vfio_wc_copy64_nb_ways =
	sizeof(vfio_wc_copy64_ways) / sizeof(vfio_wc_copy64_ways[0]);

static const struct vfio_wc_copy64_way *way;

__attribute__((constructor)) static void
choose(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
#endif
	for (way = vfio_wc_copy64_ways; !way->usable(); way++)
		;
}

unsigned int
rte_vfio_wc_copy64_stores(void)
{
	return way->stores;
}

void
rte_vfio_wc_copy64(void *line, const void *from)
{
	way->copy(line, from);
}
