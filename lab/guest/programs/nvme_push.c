/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * nvme-push BDF: a program that uses VFIO and knows nothing of memory types. It maps an NVMe
 * controller's memory buffer, wherever the controller says that it is, and pushes 64-byte entries
 * into it, as a driver with its submission queue there does, until its input ends. Then it says how
 * many, and if the last one is what was pushed.
 */

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "device.h"

#define CMBLOC 0x38	/* NVMe 1.4, 3.1.11: BAR, and offset in units of CMBSZ's */
#define CMBMSC 0x50	/* 3.1.20: its registers are zero until this is 1 */

static char *
map_bar(int fd, unsigned int bar, uint64_t *size)
{
	struct vfio_region_info *info = vfio_wc_region_info(fd, VFIO_PCI_BAR0_REGION_INDEX + bar);
	char *at = MAP_FAILED;

	if (info != NULL)
		at = mmap(NULL, *size = info->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			info->offset);
	free(info);
	if (at == MAP_FAILED)
		perror("mmap of a BAR");
	return at;
}

int
main(int argc, char **argv)
{
	struct vfio_wc_opened opened;
	struct vfio_wc_sysfs pci;
	struct pollfd input = { .fd = 0, .events = POLLIN };
	volatile uint64_t *buffer;
	volatile char *registers;
	uint64_t size, entries = 0;
	unsigned int i;

	if (argc != 2 || device_open(argv[1], &pci, &opened) != 0)
		return 1;
	registers = map_bar(opened.fd, 0, &size);
	if (registers == MAP_FAILED)
		return 2;
	*(volatile uint64_t *)(registers + CMBMSC) = 1;
	buffer = (volatile uint64_t *)map_bar(opened.fd,
		*(volatile uint32_t *)(registers + CMBLOC) & 7, &size);
	if (buffer == MAP_FAILED)
		return 2;
	printf("buffer of 0x%" PRIx64 " bytes\n", size);
	fflush(stdout);
	while (poll(&input, 1, 0) == 0)
		for (entries++, i = 0; i < 8; i++)
			buffer[entries * 8 % (size / 8) + i] = entries + i;
	__sync_synchronize();
	for (i = 0; i < 8 && buffer[entries * 8 % (size / 8) + i] == entries + i; i++)
		;
	printf("%" PRIu64 " entries, the last one %s\n", entries, i == 8 ? "arrived" : "did not");
	vfio_wc_close(&opened);
	return i == 8 ? 0 : 3;
}
