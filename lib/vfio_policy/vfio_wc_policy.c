/* SPDX-License-Identifier: BSD-3-Clause */

#include "vfio_wc_policy.h"

/*
 * Devices that are mapped write-combining without being asked for, because their PMD pushes
 * (descriptors or packets by CPU stores) into a BAR of its own, and rings doorbells elsewhere.
 * RTE_PCI_DRV_WC_ACTIVATE is not the criterion: it is said of a device, not of a BAR, and these
 * devices have register BARs beside, some of them prefetchable, that must stay uncached.
 * File and function names are those of DPDK's tree (24.11).
 */
enum which {
	/*
	 * ena: the low latency queue. drivers/net/ena/ena_ethdev.c: ENA_MEM_BAR is 2, taken as
	 * PCI BAR 2. Entries of 128 or 256 bytes go there as 8-byte stores after a wmb()
	 * (base/ena_eth_com.c, ena_com_write_bounce_buffer_to_dev()); the doorbell is a register
	 * in BAR 0 (ENA_REGS_BAR), whose uncached store empties x86's WC buffers. A device without
	 * LLQ has no BAR 2.
	 */
	BAR_2,
	/*
	 * ionic: the controller memory buffer. drivers/net/ionic/ionic_lif.c,
	 * ionic_qcq_alloc(): bars.bar[2], and eth_ionic_pci_probe() (ionic_dev_pci.c) counts only
	 * populated memory BARs, so this is the third of those: with 64-bit BARs PCI BAR 4, while
	 * PCI BAR 2 holds the doorbells. Descriptors are copied by ionic_txq_flush(), then rung by
	 * rte_write64(), which orders stores before it, on the doorbell BAR. Unused unless the PMD
	 * is given ionic_cmb=1; WC does no harm then.
	 */
	THIRD_POPULATED,
	/*
	 * ntb: the memory windows to the peer, which packets are copied into.
	 * drivers/raw/ntb/ntb_hw_intel.c: intel_ntb_bar[] = { 2, 4 }, taken as PCI BARs; the
	 * registers and doorbells are in BAR 0 (prefetchable as well). Indexes are stored into the
	 * same windows as what they tell of: ntb.c, ntb_enqueue_bufs() (used_cnt) and
	 * ntb_dequeue_bufs() (avail_cnt), fences with rte_wmb() before, so that the order is kept,
	 * and not after: nothing but what is stored next, or an interrupt, drives an index out of
	 * x86's WC buffers, and the peer, which polls, may see the last of a burst late.
	 */
	BARS_2_AND_4,
};

static const struct {
	uint16_t vendor, device;
	enum which which;
} table[] = {
	{ 0x1d0f, 0xec20, BAR_2 },		/* ena_ethdev.c, pci_id_ena_map */
	{ 0x1d0f, 0xec21, BAR_2 },
	{ 0x1dd8, 0x1002, THIRD_POPULATED },	/* ionic.h, IONIC_DEV_ID_ETH_PF */
	{ 0x1dd8, 0x1003, THIRD_POPULATED },	/* ... VF */
	{ 0x1dd8, 0x1004, THIRD_POPULATED },	/* ... MGMT: same probe, same queues */
	{ 0x8086, 0x201c, BARS_2_AND_4 },	/* ntb.h, NTB_INTEL_DEV_ID_B2B_SKX */
	{ 0x8086, 0x347e, BARS_2_AND_4 },	/* ... ICX and SPR */
};

static unsigned int
resolve(enum which which, const struct vfio_wc_sysfs *pci, unsigned int bars[RTE_VFIO_WC_BARS])
{
	unsigned int bar, populated = 0, n = 0;

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++) {
		/* as EAL fills mem_resource[]: no I/O BARs, no upper halves of 64-bit BARs */
		if (pci->bar[bar].size == 0 || !pci->bar[bar].memory)
			continue;
		populated++;
		if (which == THIRD_POPULATED ? populated == 3 :
				bar == 2 || (bar == 4 && which == BARS_2_AND_4))
			bars[n++] = bar;
	}
	return n;
}

unsigned int
vfio_wc_policy_bars(const struct vfio_wc_sysfs *pci, unsigned int bars[RTE_VFIO_WC_BARS])
{
	unsigned int i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].vendor == pci->vendor && table[i].device == pci->device)
			return resolve(table[i].which, pci, bars);
	return 0;
}
