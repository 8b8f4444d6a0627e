/* SPDX-License-Identifier: BSD-3-Clause */

#include "ena_regs.h"

#include "ena_admin.h"
#include "ena_event.h"
#include "ena_io.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/pci_regs.h>

static void
reset(struct ena *ena)
{
	/*
	 * The default Toeplitz key is the one of Microsoft's RSS verification suite; any would do.
	 */
	static const uint8_t key[40] = {
		0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
		0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
		0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
	};
	const uint16_t l3 = FIELD_L3_SA | FIELD_L3_DA, l4 = l3 | FIELD_L4_SP | FIELD_L4_DP;

	memset(ena->regs, 0, sizeof(ena->regs));
	ena->regs[REG_VERSION / 4] = 2 << 8; /* ENA_COMMON_SPEC_VERSION */
	ena->regs[REG_CONTROLLER_VERSION / 4] = 1; /* [com] MIN_ENA_CTRL_VER: 0.0.1 */
	ena->regs[REG_CAPS / 4] = CAPS_RESET_TIMEOUT(31) | CAPS_DMA_WIDTH(48);
	ena->regs[REG_DEV_STS / 4] = DEV_STS_READY;
	ena->fatal = false;
	ena->mtu = 1500;
	ena->llq_configured = false;
	ena->llq_entry_size = 128;
	ena->aq_head = ena->acq_tail = ena->aenq_tail = ena->aenq_head = 0;
	ena->aenq_enabled = false;
	ena->aenq_groups = 0;
	memcpy(ena->rss_key, key, sizeof(key));
	memset(ena->rss_fields, 0, sizeof(ena->rss_fields));
	ena->rss_fields[PROTO_TCP4] = ena->rss_fields[PROTO_UDP4] = l4;
	ena->rss_fields[PROTO_TCP6] = ena->rss_fields[PROTO_UDP6] = l4;
	ena->rss_fields[PROTO_IP4] = ena->rss_fields[PROTO_IP6] = l3;
	ena->rss_fields[PROTO_IP4_FRAG] = l3;
	ena->rss_fields[PROTO_NOT_IP] = FIELD_L2_SA | FIELD_L2_DA;
	ena->rss_size = 0;
	memset(ena->cqs, 0, sizeof(ena->cqs));
	memset(ena->sqs, 0, sizeof(ena->sqs));
	memset(ena->vectors, 0, sizeof(ena->vectors));
	ena->count.resets++;
}

/* Answer a read that came as a write [com, ena_com_reg_bar_read32]: the value first, then what the
 * driver polls. */
static void
readless(struct ena *ena, uint32_t request)
{
	uint64_t addr = (uint64_t)ena_reg(ena, REG_MMIO_RESP_HI) << 32 |
			ena_reg(ena, REG_MMIO_RESP_LO);
	uint16_t offset = request >> 16;
	struct hw_read_resp *resp;

	if (addr % 8 != 0 || (resp = vfu_dma(ena->vfu, addr, sizeof(*resp), true)) == NULL) {
		ena_violation(ena, "register read: no memory at %#lx", (unsigned long)addr);
		return;
	}
	resp->reg_off = offset;
	resp->reg_val = offset % 4 == 0 && offset < REG_END ? ena_reg(ena, offset) : 0xffffffff;
	__atomic_store_n(&resp->req_id, (uint16_t)request, __ATOMIC_RELEASE);
}

static void
dev_ctl(struct ena *ena, uint32_t value)
{
	/* [com, ena_com_dev_reset]: set the bit, wait for RESET_IN_PROGRESS, clear the bit, wait
	 * for that to go. */
	if (value & DEV_CTL_RESET) {
		reset(ena);
		ena->regs[REG_DEV_STS / 4] |= DEV_STS_RESET_IN_PROGRESS;
	} else {
		ena->regs[REG_DEV_STS / 4] &= ~DEV_STS_RESET_IN_PROGRESS;
	}
}

static void
reg_write(struct ena *ena, uint64_t offset, uint32_t value)
{
	if (offset >= ENA_DOORBELL(0) && offset < ENA_DOORBELL(ENA_SQS)) {
		if (offset % 0x10 == 0)
			ena_io_doorbell(ena, (offset - ENA_DOORBELL(0)) / 0x10, value);
		return;
	}
	if (offset >= ENA_UNMASK(0) && offset < ENA_UNMASK(ENA_CQS)) {
		if (offset % 0x10 == 0)
			ena_io_unmask(ena, (offset - ENA_UNMASK(0)) / 0x10, value);
		return;
	}
	switch (offset) {
	case REG_AQ_BASE_LO:
	case REG_AQ_BASE_HI:
	case REG_ACQ_BASE_LO:
	case REG_ACQ_BASE_HI:
	case REG_AENQ_BASE_LO:
	case REG_AENQ_BASE_HI:
	case REG_MMIO_RESP_LO:
	case REG_MMIO_RESP_HI:
	case REG_INTR_MASK:
		ena->regs[offset / 4] = value;
		break;
	case REG_AQ_CAPS:
		ena->regs[offset / 4] = value;
		ena->aq_head = 0;
		break;
	case REG_ACQ_CAPS:
		ena->regs[offset / 4] = value;
		ena->acq_tail = 0;
		break;
	case REG_AENQ_CAPS:
		ena->regs[offset / 4] = value;
		ena->aenq_tail = ena->aenq_head = 0;
		ena->aenq_enabled = false;
		break;
	case REG_AQ_DB:
		ena_admin_doorbell(ena, value);
		break;
	case REG_AENQ_HEAD_DB:
		ena_event_doorbell(ena, value);
		break;
	case REG_DEV_CTL:
		dev_ctl(ena, value);
		break;
	case REG_MMIO_REG_READ:
		readless(ena, value);
		break;
	case REG_RSS_IND_ENTRY_UPDATE:
		if (ena->rss_size != 0 && (value & 0xffff) < ena->rss_size)
			ena->rss_table[value & 0xffff] = value >> 16;
		break;
	default:
		break; /* as on the bus: a write to nowhere is lost */
	}
}

static void
bar_write(void *device, unsigned int bar, uint64_t offset, const void *data, size_t len)
{
	uint32_t value;

	/* BAR4 is the MSI-X table, which QEMU emulates. */
	if (bar != 0 || len != sizeof(value) || offset % 4 != 0)
		return;
	memcpy(&value, data, sizeof(value));
	reg_write(device, offset, value);
}

static void
bar_read(void *device, unsigned int bar, uint64_t offset, void *data, size_t len)
{
	struct ena *ena = device;

	memset(data, 0, len);
	if (bar == 0 && len == 4 && offset % 4 == 0 && offset < REG_END)
		memcpy(data, &ena->regs[offset / 4], 4);
}

static void
bus_reset(void *device)
{
	reset(device);
}

static void
config_space(struct ena *ena)
{
	const struct vfu_bar regs = { ENA_REGS_SIZE, 0, -1 };
	const struct vfu_bar llq = { ENA_LLQ_SIZE,
		PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH, ena->llq_fd };
	const struct vfu_bar msix = { ENA_MSIX_SIZE, 0, -1 };
	enum { EXPRESS = 0x40, MSIX = 0x80 };
	uint8_t *config = vfu_config(ena->vfu);

#define PUT16(at, value) do { \
		uint16_t v_ = (value); \
		memcpy(config + (at), &v_, 2); \
	} while (0)
#define PUT32(at, value) do { \
		uint32_t v_ = (value); \
		memcpy(config + (at), &v_, 4); \
	} while (0)
	PUT16(PCI_VENDOR_ID, ENA_VENDOR_ID);
	PUT16(PCI_DEVICE_ID, ENA_DEVICE_ID);
	PUT16(PCI_SUBSYSTEM_VENDOR_ID, ENA_VENDOR_ID);
	PUT16(PCI_SUBSYSTEM_ID, ENA_DEVICE_ID);
	PUT16(PCI_CLASS_DEVICE, 0x0200); /* Ethernet; revision 0: reads go by message [com] */
	PUT16(PCI_STATUS, PCI_STATUS_CAP_LIST);
	config[PCI_CAPABILITY_LIST] = EXPRESS;
	config[EXPRESS] = PCI_CAP_ID_EXP;
	config[EXPRESS + 1] = MSIX;
	PUT16(EXPRESS + PCI_EXP_FLAGS, 2); /* version 2, endpoint */
	PUT32(EXPRESS + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_FLR | PCI_EXP_DEVCAP_RBER);
	PUT32(EXPRESS + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_SLS_8_0GB | 16 << 4);
	PUT16(EXPRESS + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_CLS_8_0GB | 16 << 4);
	config[MSIX] = PCI_CAP_ID_MSIX;
	PUT16(MSIX + PCI_MSIX_FLAGS, ENA_VECTORS - 1);
	PUT32(MSIX + PCI_MSIX_TABLE, 4);
	PUT32(MSIX + PCI_MSIX_PBA, 0x1000 | 4);
#undef PUT16
#undef PUT32
	vfu_set_bar(ena->vfu, 0, &regs);
	vfu_set_bar(ena->vfu, 2, &llq);
	vfu_set_bar(ena->vfu, 4, &msix);
	vfu_set_vectors(ena->vfu, ENA_VECTORS);
}

struct ena *
ena_new(const char *name)
{
	static const struct vfu_ops ops = { bar_read, bar_write, bus_reset };
	struct ena *ena = calloc(1, sizeof(*ena));
	void *llq;

	if (ena == NULL)
		return NULL;
	ena->name = name;
	ena->llq_fd = memfd_create("llq", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ena->vfu = vfu_new(&ops, ena);
	/* Nobody who gets the file may cut it short under our feet. */
	if (ena->llq_fd < 0 || ena->vfu == NULL || ftruncate(ena->llq_fd, ENA_LLQ_SIZE) != 0 ||
	    fcntl(ena->llq_fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
		goto fail;
	llq = mmap(NULL, ENA_LLQ_SIZE, PROT_READ, MAP_SHARED, ena->llq_fd, 0);
	if (llq == MAP_FAILED)
		goto fail;
	ena->llq = llq;
	ena->llq_offered = true;
	ena->link = true;
	ena_io_plug(ena, NULL, NULL);
	config_space(ena);
	reset(ena);
	ena->count.resets = 0;
	return ena;
fail:
	ena_free(ena);
	return NULL;
}

void
ena_free(struct ena *ena)
{
	if (ena->llq != NULL)
		munmap(ena->llq, ENA_LLQ_SIZE);
	vfu_free(ena->vfu);
	if (ena->llq_fd >= 0)
		close(ena->llq_fd);
	free(ena);
}

void
ena_set_link(struct ena *ena, bool up)
{
	ena->link = up;
	ena_event_link(ena);
	ena->port->rx_room(ena->port_arg);
}
