/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What draining a write-combining buffer costs on the processor at hand: non-temporal stores to
 * ordinary memory, with a fence after every 8 bytes and after every line. A proxy: the buffers
 * are the same, what is behind them is memory and not PCIe. Prints "STORE_NS LINE_NS", the best of
 * several passes (anything else that runs only makes them longer).
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <immintrin.h>

#define LINE 64
#define LINES 4096
#define PASSES 40

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Nanoseconds a fence, with so many stores before each. */
static double
time_fences(long long *memory, unsigned int stores)
{
	const unsigned int n = LINES * LINE / sizeof(*memory);
	double start = now_ns();
	unsigned int i;

	for (i = 0; i < n; i++) {
		_mm_stream_si64(&memory[i], i);
		if ((i + 1) % stores == 0)
			_mm_sfence();
	}
	return (now_ns() - start) * stores / n;
}

int
main(void)
{
	long long *memory = aligned_alloc(LINE, LINES * LINE);
	double store = 1e9, line = 1e9, t;
	unsigned int i;

	if (memory == NULL)
		return 1;
	for (i = 0; i < PASSES; i++) {
		t = time_fences(memory, 1);
		store = t < store ? t : store;
		t = time_fences(memory, LINE / sizeof(*memory));
		line = t < line ? t : line;
	}
	printf("%.1f %.1f\n", store, line);
	free(memory);
	return 0;
}
