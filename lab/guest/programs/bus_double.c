/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * bus-double BDF BAR fence|no-fence|push-128|push-256
 *
 * The double of a PMD, on a BAR that is RAM: bursts of packets of which each costs some work.
 *   fence, no-fence   a descriptor to memory for each packet, a doorbell in WC memory for the
 *                     burst, and a fence after it, or none
 *   push-N            an entry of N bytes into WC memory for each packet, a fence, and a doorbell
 *                     in UC memory for the burst: ENA's LLQ
 * Prints what was counted, by the packet; lines and residency as they are.
 */

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_vfio_wc.h>

#include "bus.h"
#include "device.h"

#define CPU 1
#define PAGE 4096u
#define BURST 32
#define BURSTS 500
#define WORK 50

static volatile uint64_t ring[BURST * 2];

/* What a driver does for a packet besides storing. */
static void
work(unsigned int packet)
{
	unsigned int i;

	for (i = 0; i < WORK; i++)
		ring[packet % BURST * 2] += i;
}

static void
doorbells(volatile uint32_t *doorbell, int fence)
{
	unsigned int i, j;

	for (i = 0; i < BURSTS; i++) {
		for (j = 0; j < BURST; j++)
			work(j);
		*doorbell = i;
		if (fence)
			rte_vfio_wc_flush();
	}
}

static void
push(uint8_t *window, volatile uint32_t *doorbell, unsigned int size)
{
	volatile uint64_t *entry = (void *)window;
	unsigned int i, j, k;

	for (i = 0; i < BURSTS; i++) {
		for (j = 0; j < BURST; j++) {
			work(j);
			for (k = 0; k < size / 8; k++)
				*entry++ = j;
			if ((uint8_t *)(uintptr_t)entry == window + PAGE)
				entry = (void *)window;
		}
		rte_vfio_wc_flush();
		*doorbell = i;
	}
}

int
main(int argc, char **argv)
{
	static const char *const shown[] = { "pcie_writes", "wc_writes", "sfence" };
	static const char *const whole[] = { "full_lines", "partial_lines", "lines_interrupt",
		"residency_median" };
	struct rte_vfio_wc_range range = { .length = PAGE };
	struct rte_vfio_wc_error error;
	struct vfio_wc_opened vfio;
	struct vfio_wc_sysfs dev;
	void *wc, *uc;
	struct bus bus;
	cpu_set_t cpus;
	size_t i;

	if (argc != 4)
		return 2;
	range.device = argv[1];
	range.bar = atoi(argv[2]);
	CPU_ZERO(&cpus);
	CPU_SET(CPU, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0 || bus_open(&bus) < 0 ||
			range.bar >= PCI_STD_NUM_BARS || device_open(argv[1], &dev, &vfio) < 0)
		return 2;
	range.fd = vfio.fd;
	if (rte_vfio_wc_map(&range, RTE_VFIO_WC_TYPE_WC, &wc, &error) < 0)
		goto fail;
	range.offset = PAGE;
	if (rte_vfio_wc_map(&range, RTE_VFIO_WC_TYPE_UC, &uc, &error) < 0)
		goto fail;
	*(volatile uint8_t *)wc = 0;
	*(volatile uint8_t *)uc = 0;
	if (bus_ask(&bus, "bus start %#x %#" PRIx64 " %#x\n", 1 << CPU, dev.bar[range.bar].start,
			2 * PAGE) < 0)
		return 2;
	if (strncmp(argv[3], "push-", 5) == 0)
		push(wc, uc, atoi(argv[3] + 5));
	else
		doorbells(wc, strcmp(argv[3], "fence") == 0);
	if (bus_ask(&bus, "bus stop\n") < 0)
		return 2;
	for (i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		printf("%s %.4f\n", shown[i],
			(double)bus_value(&bus, shown[i]) / (BURSTS * BURST));
	for (i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		printf("%s %" PRIu64 "\n", whole[i], bus_value(&bus, whole[i]));
	return 0;
fail:
	fprintf(stderr, "%s\n", error.text);
	return 2;
}
