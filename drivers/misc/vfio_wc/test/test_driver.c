/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The plugin in a real EAL (rte_vdev_init() probes it), on fake PCI devices: the kernel is
 * fake_vfio.c, and what EAL says of its PCI bus comes from here.
 */

#include "test.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_bus_vdev.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_log.h>

#include "dpdk_abi.h"
#include "fake_vfio.h"
#include "vfio_wc_pci.h"
#include "vfio_wc_request.h"

/* What EAL says; taken from the fake kernel by eal_sees(), for tests to falsify. */
static struct dpdk_pci eal_pci[FAKE_DEVICES];
static bool eal_has[FAKE_DEVICES];
static char *va[FAKE_DEVICES][6];

static char removed[128];	/* devices that the plugin had EAL remove */
static rte_eth_dev_cb_fn on_new, on_destroy;
static rte_eal_alarm_callback on_look;	/* each second, if it was time that passed */
static const char *destroyed_port;
static enum rte_proc_type_t process;
static bool eal_keeps;		/* the PMD does not let its device be removed */
static bool is_configured;	/* port 0 is of device 0, and in use */
static char closed[64];		/* BARs that were made inaccessible */
static bool bars_stay_open;
static bool no_memory;		/* for the plugin */
static FILE *log_file;

void __wrap_dpdk_abi_foreach_pci(bool (*visit)(struct rte_device *dev, const struct dpdk_pci *pci,
	void *arg), void *arg);
int __wrap_rte_dev_remove(struct rte_device *dev);
int __wrap_rte_eth_dev_callback_register(uint16_t port, enum rte_eth_event_type event,
	rte_eth_dev_cb_fn cb, void *arg);
int __wrap_rte_eth_dev_callback_unregister(uint16_t port, enum rte_eth_event_type event,
	rte_eth_dev_cb_fn cb, void *arg);
int __wrap_rte_eth_dev_get_name_by_port(uint16_t port, char *name);
int __wrap_rte_eal_alarm_set(uint64_t us, rte_eal_alarm_callback cb, void *arg);
int __wrap_rte_eal_alarm_cancel(rte_eal_alarm_callback cb, void *arg);
enum rte_proc_type_t __wrap_rte_eal_process_type(void);
uint64_t __wrap_rte_eth_find_next_owned_by(uint16_t port, const uint64_t owner);
int __wrap_rte_eth_dev_info_get(uint16_t port, struct rte_eth_dev_info *info);
void *__wrap_calloc(size_t n, size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_realloc(void *old, size_t size);
int __wrap_mprotect(void *addr, size_t length, int prot);
int __real_mprotect(void *addr, size_t length, int prot);

/* Never looked into: the plugin only hands it back to EAL. */
static struct rte_device *
handle(unsigned int n)
{
	return (void *)(uintptr_t)(0x1000 * (n + 1));
}

void
__wrap_dpdk_abi_foreach_pci(bool (*visit)(struct rte_device *dev, const struct dpdk_pci *pci,
	void *arg), void *arg)
{
	unsigned int i;

	for (i = 0; i < FAKE_DEVICES; i++)
		if (eal_has[i] && visit(handle(i), &eal_pci[i], arg))
			break;
}

int
__wrap_rte_dev_remove(struct rte_device *dev)
{
	unsigned int i;

	for (i = 0; i < FAKE_DEVICES; i++)
		if (dev == handle(i))
			break;
	if (eal_keeps)
		return -EBUSY;
	strcat(strcat(removed, fake.device[i].bdf), " ");
	eal_has[i] = false;
	return 0;
}

int
__wrap_rte_eth_dev_callback_register(uint16_t port, enum rte_eth_event_type event,
	rte_eth_dev_cb_fn cb, void *arg)
{
	(void)arg;
	assert_int_equal(port, RTE_ETH_ALL);
	*(event == RTE_ETH_EVENT_NEW ? &on_new : &on_destroy) = cb;
	return 0;
}

int
__wrap_rte_eth_dev_callback_unregister(uint16_t port, enum rte_eth_event_type event,
	rte_eth_dev_cb_fn cb, void *arg)
{
	(void)port;
	(void)arg;
	assert_ptr_equal(cb, event == RTE_ETH_EVENT_NEW ? on_new : on_destroy);
	*(event == RTE_ETH_EVENT_NEW ? &on_new : &on_destroy) = NULL;
	return 0;
}

int
__wrap_rte_eth_dev_get_name_by_port(uint16_t port, char *name)
{
	(void)port;
	strcpy(name, destroyed_port);
	return 0;
}

int
__wrap_rte_eal_alarm_set(uint64_t us, rte_eal_alarm_callback cb, void *arg)
{
	if (us == 1)
		cb(arg);
	else
		on_look = cb;
	return 0;
}

int
__wrap_rte_eal_alarm_cancel(rte_eal_alarm_callback cb, void *arg)
{
	(void)arg;
	if (on_look == cb)
		on_look = NULL;
	return 0;
}

static void
seconds_pass(unsigned int n)
{
	rte_eal_alarm_callback look;

	while (n-- > 0) {
		look = on_look;
		assert_non_null(look);
		on_look = NULL;
		look(NULL);
	}
}

/* What the plugin takes itself for; EAL knows better. */
enum rte_proc_type_t
__wrap_rte_eal_process_type(void)
{
	return process;
}

uint64_t
__wrap_rte_eth_find_next_owned_by(uint16_t port, const uint64_t owner)
{
	(void)owner;
	return is_configured && port == 0 ? 0 : RTE_MAX_ETHPORTS;
}

int
__wrap_rte_eth_dev_info_get(uint16_t port, struct rte_eth_dev_info *info)
{
	(void)port;
	*info = (struct rte_eth_dev_info){ .device = handle(0), .nb_tx_queues = 1 };
	return 0;
}

/* Of the BARs that EAL has, each page is a mapping of its own. */
int
__wrap_mprotect(void *addr, size_t length, int prot)
{
	unsigned int n, bar;
	char name[16];

	for (n = 0; n < FAKE_DEVICES; n++)
		for (bar = 0; bar < 6; bar++) {
			if (va[n][bar] == NULL || (char *)addr < va[n][bar] ||
					(char *)addr >= va[n][bar] + eal_pci[n].bar[bar].size)
				continue;
			assert_int_equal(prot, PROT_NONE);
			if (bars_stay_open) {
				errno = EACCES;
				return -1;
			}
			snprintf(name, sizeof(name), "%u:%u ", n, bar);
			if (strstr(closed, name) == NULL)
				strcat(closed, name);
			return 0;
		}
	return __real_mprotect(addr, length, prot);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return no_memory ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return no_memory ? NULL : __real_realloc(old, size);
}

/* EAL maps the BARs of a device and knows what the kernel knows. */
static void
eal_sees(unsigned int n)
{
	const struct fake_device *d = &fake.device[n];
	unsigned int bar;

	eal_pci[n] = (struct dpdk_pci){
		.vendor = d->vendor, .device = d->device, .fd = FAKE_FD + n,
	};
	strcpy(eal_pci[n].name, d->bdf);
	for (bar = 0; bar < 6; bar++) {
		if (d->bar[bar].size == 0 || d->bar[bar].io)
			continue;
		va[n][bar] = d->bar[bar].mappable ? fake_map_bar(n, bar) : NULL;
		eal_pci[n].bar[bar].start = d->bar[bar].start;
		eal_pci[n].bar[bar].size = d->bar[bar].size;
		eal_pci[n].bar[bar].addr = va[n][bar];
	}
	eal_has[n] = true;
}

static int
setup(void **state)
{
	(void)state;
	fake_reset();
	memset(eal_pci, 0, sizeof(eal_pci));
	memset(eal_has, 0, sizeof(eal_has));
	removed[0] = closed[0] = '\0';
	eal_keeps = is_configured = bars_stay_open = no_memory = false;
	process = RTE_PROC_PRIMARY;
	log_file = tmpfile();
	rte_openlog_stream(log_file);
	eal_sees(0);
	eal_sees(1);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	/* whatever a test left */
	no_memory = false;
	process = RTE_PROC_PRIMARY;
	rte_vdev_uninit("vfio_wc0");
	rte_vdev_uninit("vfio_wc1");
	rte_openlog_stream(NULL);
	fclose(log_file);
	return 0;
}

static const char *
pages(unsigned int n, unsigned int bar)
{
	static char text[17];
	unsigned int i;

	for (i = 0; i < fake.device[n].bar[bar].size / FAKE_PAGE && i < 16; i++)
		text[i] = ".PUW"[fake_at(va[n][bar] + i * FAKE_PAGE)];
	text[i] = '\0';
	return text;
}

/* The plugin's lines so far. */
static const char *
logged(void)
{
	static char text[4096];
	char line[512];

	fflush(log_file);
	rewind(log_file);
	text[0] = '\0';
	while (fgets(line, sizeof(line), log_file) != NULL)
		if (strncmp(line, "vfio_wc: ", strlen("vfio_wc: ")) == 0)
			strcat(text, line);
	return text;
}

static unsigned int
lines(const char *text)
{
	unsigned int n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

static void
visit_states(const char *id, const struct vfio_wc_request *request,
	const struct vfio_wc_range *range, void *arg)
{
	static const char * const names[] = {
		[VFIO_WC_WAITING] = "waiting", [VFIO_WC_ON] = "on", [VFIO_WC_FAILED] = "failed",
		[VFIO_WC_OFF_BY_MODE] = "off",
	};

	(void)request;
	sprintf((char *)arg + strlen(arg), "%s:%s ", id, names[range->state]);
}

static const char *
states(void)
{
	static char text[512];

	text[0] = '\0';
	vfio_wc_request_foreach(visit_states, text);
	return text;
}

static void
visit_reason(const char *id, const struct vfio_wc_request *request,
	const struct vfio_wc_range *range, void *arg)
{
	(void)id;
	(void)request;
	strcpy(arg, range->reason);
}

#define NOTIFY "dev=0000:00:03.0,bar=4,offset=0x3000,len=0x1000"

static void
a_request_is_met_and_undone(void **state)
{
	(void)state;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	assert_string_equal(pages(0, 4), "PPPW");
	assert_string_equal(states(), "vfio_wc0/0:on ");
	assert_string_equal(logged(), "");
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	assert_string_equal(pages(0, 4), "PPPP");
	assert_string_equal(states(), "");
	assert_null(on_new);

	/* and once more */
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",type=uc"), 0);
	assert_string_equal(pages(0, 4), "PPPU");
}

static void
several_devices_and_requests(void **state)
{
	(void)state;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",bar=1,dev=0000:00:04.0,bar=0"), 0);
	assert_int_equal(rte_vdev_init("vfio_wc1", "dev=0000:00:04.0,bar=3,len=0x1000,type=uc"), 0);
	assert_string_equal(pages(0, 4), "PPPW");
	assert_string_equal(pages(0, 1), "W");
	assert_string_equal(pages(1, 0), "WWWW");
	assert_string_equal(pages(1, 3), "UPPPPPPP");
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	assert_string_equal(pages(0, 4), "PPPP");
	assert_string_equal(pages(1, 3), "UPPPPPPP");
	assert_non_null(on_new);
}

static void
auto_falls_back_with_one_notice(void **state)
{
	char reason[128];

	(void)state;
	fake.device[0].bar[1].types = 0;
	fake.device[0].bar[4].types = 0;
	fake.device[0].probe_errno = ENOTTY;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",bar=1"), 0);
	assert_string_equal(pages(0, 4), "PPPP");
	assert_string_equal(states(), "vfio_wc0/0:failed vfio_wc0/1:failed ");
	assert_int_equal(lines(logged()), 1);
	assert_contains(logged(), "vfio_wc0: stays as it is: 0000:00:03.0 BAR 4 [0x3000, 0x4000): "
		"this kernel's vfio driver has no mmap cookies");
	assert_string_equal(removed, "");
	vfio_wc_request_foreach(visit_reason, reason);
	assert_contains(reason, "no mmap cookies");

	/* ports come and go, nothing more is said */
	destroyed_port = "0000:00:03.0";
	on_destroy(0, RTE_ETH_EVENT_DESTROY, NULL, NULL);
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_int_equal(lines(logged()), 1);
}

static void
required_removes_the_device(void **state)
{
	(void)state;
	fake.device[0].probe_errno = ENOTTY;
	fake.device[0].bar[1].types = 0;
	fake.device[0].bar[4].types = 0;
	assert_int_not_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	assert_string_equal(removed, "0000:00:03.0 ");
	assert_contains(logged(), "0000:00:03.0 BAR 4 [0x3000, 0x4000): this kernel's");
	assert_contains(logged(), "removed, since mode=required cannot be met");
	assert_string_equal(states(), "");
	assert_null(on_new);

	/* even when it is the arguments that are wrong; the other device is not concerned */
	removed[0] = '\0';
	eal_has[0] = true;
	assert_int_not_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required,speed=high"), 0);
	assert_string_equal(removed, "0000:00:03.0 ");
}

static void
a_request_is_all_or_none(void **state)
{
	(void)state;
	/* the second cookie fails: the first range goes back */
	fake.device[0].get_errno = ENOSPC;
	fake.device[0].get_skip = 1;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",bar=1"), 0);
	assert_string_equal(pages(0, 4), "PPPP");
	assert_string_equal(pages(0, 1), "P");
	assert_string_equal(states(), "vfio_wc0/0:failed vfio_wc0/1:failed ");
	assert_int_equal(lines(logged()), 1);
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);

	/* a device of the request that was not there is not turned on alone later */
	eal_has[1] = false;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",dev=0000:00:04.0,bar=0"), 0);
	assert_string_equal(states(), "vfio_wc0/0:failed vfio_wc0/1:failed ");
	eal_has[1] = true;
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(pages(1, 0), "PPPP");
	destroyed_port = "0000:00:04.0";
	on_destroy(0, RTE_ETH_EVENT_DESTROY, NULL, NULL);
	assert_string_equal(states(), "vfio_wc0/0:failed vfio_wc0/1:waiting ");
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(pages(1, 0), "PPPP");
	assert_string_equal(states(), "vfio_wc0/0:failed vfio_wc0/1:failed ");
}

/* Each with its message, nothing mapped, nothing left, no device removed. */
static void
bad_requests(void **state)
{
	static const struct {
		const char *args, *text;
	} cases[] = {
		{ "dev=0000:00:07.0,bar=0", "0000:00:07.0: no such PCI device" },
		{ "dev=0000:00:03.0,bar=2", "0000:00:03.0: has no BAR 2" },
		{ "dev=0000:00:04.0,bar=2", "0000:00:04.0: BAR 2 is I/O ports" },
		{ "dev=0000:00:03.0,bar=4,offset=0x4000", "outside of BAR 4, which has 0x4000" },
		{ "dev=0000:00:03.0,bar=4,offset=0x3000,len=0x2000",
			"BAR 4 [0x3000, 0x5000): the range leaves the BAR" },
		{ "dev=0000:00:03.0,bar=4,offset=0x10", "BAR 4 [0x10, 0x4000): offset and length" },
		{ "dev=0000:00:03.0,bar=4,len=100", "BAR 4 [0x0, 0x64): offset and length" },
		{ "dev=0000:00:04.0,bar=3", "BAR 3 [0x0, 0x8000): the MSI-X table" },
		{ "dev=0000:00:03.0,bar=4,color=red", "unknown key" },
		{ NOTIFY ",bar=4,len=0x4000", "two ranges of one request overlap" },
		{ NOTIFY ",dev=0000:00:04.0,bar=3", "MSI-X" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (rte_vdev_init("vfio_wc0", cases[i].args) == 0)
			fail_msg("\"%s\" was accepted", cases[i].args);
		assert_contains(logged(), cases[i].text);
		assert_int_equal(lines(logged()), i + 1);
	}
	fake.device[0].driver = "uio_pci_generic";
	assert_int_not_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_contains(logged(), "0000:00:03.0: is bound to uio_pci_generic, not to vfio-pci");
	fake.device[0].driver = NULL;
	assert_int_not_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_contains(logged(), "is bound to no driver");

	assert_string_equal(pages(0, 4), "PPPP");
	assert_string_equal(states(), "");
	assert_string_equal(removed, "");
}

static void
requests_do_not_overlap(void **state)
{
	(void)state;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_int_not_equal(rte_vdev_init("vfio_wc1", "dev=0000:00:03.0,bar=4"), 0);
	assert_contains(logged(), "BAR 4: the range overlaps one of vfio_wc0");
	assert_string_equal(pages(0, 4), "PPPW");
	assert_int_equal(rte_vdev_init("vfio_wc1", "dev=0000:00:03.0,bar=4,len=0x3000"), 0);
	assert_string_equal(pages(0, 4), "WWWW");
}

/* Nothing is done on EAL's word alone. */
static void
eal_is_not_believed(void **state)
{
	(void)state;
	eal_pci[0].bar[4].start += 0x1000;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_contains(logged(), "sysfs says 1af4:1041, 0x4000 at 0x8000000000");
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);

	eal_sees(0);
	eal_pci[0].fd = FAKE_FD + 1;	/* the other device's */
	assert_int_not_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_contains(logged(), "BAR 0 has 0x4000 bytes there, 0x0 in sysfs");

	/* BARs alike, IDs not */
	fake.device[1] = fake.device[0];
	fake.device[1].bdf = "0000:00:04.0";
	fake.device[1].device++;
	assert_int_not_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_contains(logged(), "is another device's: 1af4:1042, 1af4:1041 in sysfs");

	/* two of a kind */
	eal_sees(0);
	fake.device[1].device--;
	fake.device[0].syspath = "/sys/devices/pci0000:00/0000:00:04.0";
	assert_int_not_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_contains(logged(), "by its fdinfo");
	assert_string_equal(pages(0, 4), "PPPP");
	fake.device[0].syspath = "/sys/devices/pci0000:00/0000:00:03.0";
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_string_equal(pages(0, 4), "PPPW");
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);

	eal_pci[0].bar[4].addr = va[0][4] + 0x1000;	/* stale, or of another BAR */
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_contains(logged(), "is not a mapping of this range");
	assert_string_equal(pages(0, 4), "PPPP");
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);

	eal_pci[0].bar[4].addr = NULL;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_contains(logged(), "EAL has not mapped the BAR");
}

static void
removal_leaves_what_is_not_ours(void **state)
{
	(void)state;
	/* the PMD has unmapped the BAR */
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	fake_unmap(va[0][4], 0x4000);
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	assert_string_equal(pages(0, 4), "....");

	/* EAL has closed the fd, too */
	eal_sees(0);
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	fake.device[0].present = false;
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	assert_string_equal(logged(), "");
}

static void
hot_plug(void **state)
{
	(void)state;
	eal_has[0] = false;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	assert_contains(logged(), "0000:00:03.0 BAR 4: waits for EAL to probe the device");
	assert_string_equal(states(), "vfio_wc0/0:waiting ");

	eal_has[0] = true;
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(pages(0, 4), "PPPW");
	assert_string_equal(states(), "vfio_wc0/0:on ");

	/* another port goes: nothing to us */
	destroyed_port = "0000:00:03.01";
	on_destroy(0, RTE_ETH_EVENT_DESTROY, NULL, NULL);
	assert_string_equal(states(), "vfio_wc0/0:on ");
	destroyed_port = "0000:00:03.0";
	on_destroy(0, RTE_ETH_EVENT_DESTROY, NULL, NULL);
	assert_string_equal(states(), "vfio_wc0/0:waiting ");

	/* it comes back elsewhere */
	fake_unmap(va[0][4], 0x4000);
	fake_unmap(va[0][1], 0x1000);
	eal_sees(0);
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(pages(0, 4), "PPPW");

	/* and once more, when it cannot be met */
	on_destroy(0, RTE_ETH_EVENT_DESTROY, NULL, NULL);
	fake.cookie_mmap_errno = EBUSY;
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(removed, "0000:00:03.0 ");
}

/* EAL maps the BAR of a device anew, at the address where it was, with an fd of the same number. */
static void
eal_maps_again(unsigned int n, unsigned int bar)
{
	char *was = va[n][bar];

	fake_unmap(was, fake.device[n].bar[bar].size);
	fake_map_bar_at(was, n, bar);
	assert_string_equal(pages(n, bar), "PPPP");
}

/* The name of a port is the address as typed, in many DPDKs. */
static void
a_port_is_known_by_its_address(void **state)
{
	static const char * const names[] = {
		"00:03.0", "0000:00:03.0", "00:03.0_port1", "0000:00:03.0_1",
	};
	unsigned int i;

	(void)state;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		destroyed_port = names[i];
		on_destroy(0, RTE_ETH_EVENT_DESTROY, NULL, NULL);
		assert_string_equal(states(), "vfio_wc0/0:waiting ");
		eal_maps_again(0, 4);
		on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
		assert_string_equal(states(), "vfio_wc0/0:on ");
		assert_string_equal(pages(0, 4), "PPPW");
	}

	/* these are not this device */
	static const char * const others[] = {
		"00:03.1", "0001:00:03.0", "0000:00:03.0_representor_0", "00:03.0_representor_vf1",
		"net_null0", "net_0000:00:03.0_representor_0",
	};

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		destroyed_port = others[i];
		on_destroy(0, RTE_ETH_EVENT_DESTROY, NULL, NULL);
		assert_string_equal(states(), "vfio_wc0/0:on ");
		assert_string_equal(pages(0, 4), "PPPW");
	}
	assert_string_equal(logged(), "");
}

/* Whatever was, or was not, said of a device: what counts is how it is mapped. */
static void
a_state_is_not_believed(void **state)
{
	(void)state;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);

	/* unmapped, and nobody told; then there again */
	fake_unmap(va[0][4], 0x4000);
	assert_string_equal(states(), "vfio_wc0/0:waiting ");
	fake_map_bar_at(va[0][4], 0, 4);
	assert_string_equal(states(), "vfio_wc0/0:waiting ");
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(states(), "vfio_wc0/0:on ");
	assert_string_equal(pages(0, 4), "PPPW");

	/* removed and attached, and nobody told */
	eal_maps_again(0, 4);
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(pages(0, 4), "PPPW");
	assert_string_equal(states(), "vfio_wc0/0:on ");

	/* elsewhere */
	fake_unmap(va[0][4], 0x4000);
	eal_sees(0);
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(pages(0, 4), "PPPW");

	/* EAL does not have it any more, another port goes; or the fd is another device's */
	eal_has[0] = false;
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(states(), "vfio_wc0/0:waiting ");
	eal_has[0] = true;
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(states(), "vfio_wc0/0:on ");
	fake.device[0].present = false;
	destroyed_port = "0000:00:04.0";
	on_destroy(0, RTE_ETH_EVENT_DESTROY, NULL, NULL);
	fake.device[0].present = true;
	assert_string_equal(states(), "vfio_wc0/0:waiting ");
	assert_string_equal(logged(), "");

	/* and it may have become impossible */
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	eal_maps_again(0, 4);
	fake.cookie_mmap_errno = EBUSY;
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(removed, "0000:00:03.0 ");
}

static void
make_ena(unsigned int n)
{
	fake.device[n].vendor = 0x1d0f;
	fake.device[n].device = 0xec20;
	memset(fake.device[n].bar, 0, sizeof(fake.device[n].bar));
	fake.device[n].bar[0].start = 0xfd000000 + 0x100000 * n;
	fake.device[n].bar[0].size = 0x4000;
	fake.device[n].bar[0].mappable = true;
	fake.device[n].bar[0].types = 3;
	fake.device[n].bar[2] = fake.device[n].bar[0];
	fake.device[n].bar[2].start += 0x10000;
	fake.device[n].msix_entries = 0;
	eal_sees(n);
}

/* Devices that are no ports: no event tells of them. */
static void
devices_without_events(void **state)
{
	unsigned int before;

	(void)state;
	eal_has[0] = false;
	fake_unmap(va[0][4], 0x4000);
	fake_unmap(va[0][1], 0x1000);
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	seconds_pass(2);
	assert_string_equal(states(), "vfio_wc0/0:waiting ");
	eal_sees(0);
	seconds_pass(1);
	assert_string_equal(pages(0, 4), "PPPW");
	assert_string_equal(states(), "vfio_wc0/0:on ");

	/* nothing comes or goes: nothing is done */
	before = fake.nb_mmaps;
	seconds_pass(3);
	assert_int_equal(fake.nb_mmaps, before);

	/* it goes, and comes back at the same place */
	fake_unmap(va[0][4], 0x4000);
	seconds_pass(1);
	fake_map_bar_at(va[0][4], 0, 4);
	assert_string_equal(states(), "vfio_wc0/0:waiting ");
	seconds_pass(1);
	assert_string_equal(pages(0, 4), "PPPW");
	assert_string_equal(states(), "vfio_wc0/0:on ");

	/* of the table, too: its devices need not have been there */
	eal_has[1] = false;
	assert_int_equal(rte_vdev_init("vfio_wc1", ""), 0);
	make_ena(1);
	seconds_pass(1);
	assert_string_equal(pages(1, 2), "WWWW");

	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	assert_non_null(on_look);
	assert_int_equal(rte_vdev_uninit("vfio_wc1"), 0);
	assert_null(on_look);
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	before = fake.nb_mmaps;
	seconds_pass(2);
	assert_int_equal(fake.nb_mmaps, before);
}

/* Somebody may use it by now: removed it is not, and this is not kept quiet. */
static void
required_says_what_it_waits_for(void **state)
{
	(void)state;
	eal_has[0] = false;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	assert_int_equal(rte_vdev_init("vfio_wc1", ""), 0);	/* is of no device, need not be */
	seconds_pass(4);
	assert_int_equal(lines(logged()), 1);
	seconds_pass(20);
	assert_int_equal(lines(logged()), 2);
	assert_contains(logged(), "vfio_wc0: 0000:00:03.0 BAR 4: still waits, mode=required is not "
		"met: EAL has not probed this device");

	/* it comes, and cannot; then its port does */
	fake.device[0].get_errno = ENOSPC;
	eal_sees(0);
	seconds_pass(3);
	assert_int_equal(lines(logged()), 3);
	assert_contains(logged(), "vfio_wc0: 0000:00:03.0 BAR 4 [0x3000, 0x4000): WC: the device "
		"fd has its 256 cookies already");
	assert_string_equal(removed, "");
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(removed, "0000:00:03.0 ");
	seconds_pass(20);
	assert_string_equal(closed, "");

	/* nothing is in the table */
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	assert_int_equal(rte_vdev_init("vfio_wc0", "mode=required"), 0);
	seconds_pass(20);
	assert_int_equal(lines(logged()), 6);
	assert_contains(logged(), "vfio_wc0: mode=required is of no device: EAL has none");
}

/* What ends the program, in a process of its own: its wait status. */
static int
ends(void (*call)(const void *arg), const void *arg)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		call(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* The request as EAL's start makes it. */
static void
request_at_start(const void *text)
{
	struct vfio_wc_request args;

	if (vfio_wc_args_parse("vfio_wc0", text, &args, NULL) == 0)
		vfio_wc_request_add(&args, true);
}

static void
close_bars(const void *bdf)
{
	vfio_wc_pci_close(bdf);
}

/* Where EAL cannot remove the device, nobody uses it all the same. */
static void
required_holds_where_nothing_can_be_removed(void **state)
{
	(void)state;
	fake.device[0].get_errno = ENOSPC;
	eal_keeps = true;
	assert_int_equal(ends(request_at_start, NOTIFY ",mode=required"),
		W_EXITCODE(EXIT_FAILURE, 0));
	assert_contains(logged(), "0000:00:03.0: mode=required cannot be met, and the device "
		"cannot be removed, as EAL says: the program ends");

	/* a program that runs asks, and is refused: what it had is no worse than before */
	assert_int_not_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	assert_contains(logged(), "the request is refused, all stays as it was");
	assert_string_equal(closed, "");

	/* it is not refused, for another device has what it wants; and the port is configured */
	eal_keeps = false;
	is_configured = true;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",dev=0000:00:04.0,bar=0,mode=required"),
		0);
	assert_string_equal(pages(1, 0), "WWWW");
	assert_contains(logged(), "since it is in use already: it is closed");
	assert_contains(closed, "0:1 ");
	assert_contains(closed, "0:4 ");
	assert_string_equal(removed, "");
}

/* Before EAL is asked anything: the device that cannot goes, the other has what it wants. */
static void
required_refuses_the_device_that_cannot(void **state)
{
	static const char * const cannot[] = {
		"dev=0000:00:03.0,bar=2", "dev=0000:00:03.0,bar=4,offset=0x4000",
		"dev=0000:00:03.0,bar=4,offset=0x3000,len=0x1000,bar=1,offset=0x10000",
	};
	char args[256];
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cannot) / sizeof(cannot[0]); i++) {
		snprintf(args, sizeof(args), "%s,dev=0000:00:04.0,bar=0,mode=required", cannot[i]);
		assert_int_equal(rte_vdev_init("vfio_wc0", args), 0);
		assert_string_equal(removed, "0000:00:03.0 ");
		assert_string_equal(pages(0, 4), "PPPP");
		assert_string_equal(pages(1, 0), "WWWW");
		/* nor does it come back */
		removed[0] = '\0';
		eal_sees(0);
		on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
		assert_string_equal(removed, "0000:00:03.0 ");
		assert_string_equal(pages(1, 0), "WWWW");
		assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
		removed[0] = '\0';
		eal_sees(0);
	}
	/* optional, it is all or none */
	snprintf(args, sizeof(args), "%s,dev=0000:00:04.0,bar=0", cannot[0]);
	assert_int_not_equal(rte_vdev_init("vfio_wc0", args), 0);
	assert_string_equal(pages(1, 0), "PPPP");
	assert_string_equal(removed, "");
}

/* A port, and a device that is none, that come while the program runs. */
static void
required_closes_what_came_late(void **state)
{
	(void)state;
	eal_has[0] = eal_has[1] = false;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",dev=0000:00:04.0,bar=0,mode=required"),
		0);
	fake.device[0].get_errno = ENOSPC;
	eal_sees(0);
	eal_keeps = true;
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_contains(closed, "0:1 ");
	assert_contains(closed, "0:4 ");
	assert_contains(logged(), "its BARs are closed, whoever uses them ends with SIGSEGV");

	/* no port: not at once, its port may be still to come */
	closed[0] = '\0';
	fake.device[1].get_errno = ENOSPC;
	eal_sees(1);
	seconds_pass(4);
	assert_string_equal(closed, "");
	seconds_pass(3);
	assert_contains(closed, "1:0 ");
	closed[0] = '\0';
	seconds_pass(20);
	assert_string_equal(closed, "");

	/* and where the kernel does not let them be closed */
	bars_stay_open = true;
	assert_int_equal(ends(close_bars, "0000:00:04.0") & 0x7f, SIGABRT);
	assert_contains(logged(), "its BARs cannot be closed, the program ends");
}

/* EAL gives a secondary process the names of the primary's vdevs, no arguments. */
static void
a_secondary_does_what_the_primary_asked_for(void **state)
{
	(void)state;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	process = RTE_PROC_SECONDARY;
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	assert_string_equal(pages(0, 4), "PPPP");
	assert_int_equal(rte_vdev_init("vfio_wc0", ""), 0);
	assert_string_equal(pages(0, 4), "PPPW");
	assert_string_equal(states(), "vfio_wc0/0:on ");

	/* what it cannot have is no reason to take the device from all */
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	fake.device[0].get_errno = ENOSPC;
	assert_int_equal(ends(request_at_start, NOTIFY ",mode=required"),
		W_EXITCODE(EXIT_FAILURE, 0));
	assert_contains(logged(), "0000:00:03.0: mode=required cannot be met, and the device "
		"cannot be removed, by a secondary process: the program ends");
	assert_string_equal(removed, "");

	/* what the primary has withdrawn is not met any more */
	process = RTE_PROC_PRIMARY;
	fake.device[0].get_errno = 0;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	process = RTE_PROC_SECONDARY;
	assert_int_equal(rte_vdev_init("vfio_wc0", ""), 0);
	assert_string_equal(states(), "");
}

static void
mode_off_maps_nothing(void **state)
{
	(void)state;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=off"), 0);
	assert_string_equal(pages(0, 4), "PPPP");
	assert_string_equal(states(), "vfio_wc0/0:off ");
	destroyed_port = "0000:00:03.0";
	on_destroy(0, RTE_ETH_EVENT_DESTROY, NULL, NULL);
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(states(), "vfio_wc0/0:off ");
	assert_string_equal(pages(0, 4), "PPPP");
}

static void
the_table_names_ena_and_nothing_else(void **state)
{
	(void)state;
	make_ena(1);
	assert_int_equal(rte_vdev_init("vfio_wc0", ""), 0);
	assert_string_equal(pages(1, 2), "WWWW");
	assert_string_equal(pages(1, 0), "PPPP");
	assert_string_equal(pages(0, 4), "PPPP");
	assert_string_equal(states(), "vfio_wc0/0:on ");
	assert_string_equal(logged(), "");

	/* ports come: no range is added twice, a new device is */
	make_ena(0);
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(pages(0, 2), "WWWW");
	assert_string_equal(states(), "vfio_wc0/0:on vfio_wc0/1:on ");
}

static void
a_request_takes_precedence_over_the_table(void **state)
{
	(void)state;
	make_ena(0);
	make_ena(1);
	assert_int_equal(rte_vdev_init("vfio_wc0", "mode=required"), 0);
	assert_string_equal(pages(1, 2), "WWWW");
	assert_int_equal(rte_vdev_init("vfio_wc1", "dev=0000:00:04.0,bar=2,mode=off"), 0);
	assert_string_equal(pages(1, 2), "PPPP");
	assert_string_equal(pages(0, 2), "WWWW");
	assert_string_equal(states(), "vfio_wc0/0:on vfio_wc1/0:off ");
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(pages(1, 2), "PPPP");
}

static void
the_table_takes_each_device_by_itself(void **state)
{
	(void)state;
	make_ena(0);
	make_ena(1);
	fake.device[0].get_errno = ENOSPC;
	assert_int_equal(rte_vdev_init("vfio_wc0", ""), 0);
	assert_string_equal(pages(0, 2), "PPPP");
	assert_string_equal(pages(1, 2), "WWWW");
	assert_int_equal(lines(logged()), 1);
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);

	assert_int_equal(rte_vdev_init("vfio_wc0", "mode=required"), 0);
	assert_string_equal(removed, "0000:00:03.0 ");
	assert_string_equal(pages(1, 2), "WWWW");
	assert_string_equal(states(), "vfio_wc0/0:waiting vfio_wc0/1:on ");

	/* none is left */
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	eal_sees(0);
	fake.device[1].get_errno = ENOSPC;
	assert_int_not_equal(rte_vdev_init("vfio_wc0", "mode=required"), 0);
	assert_string_equal(removed, "0000:00:03.0 0000:00:03.0 0000:00:04.0 ");
	assert_string_equal(states(), "");
}

/* Of what is required, and named, too: a device that cannot goes, the others keep all of theirs. */
static void
required_takes_each_device_by_itself(void **state)
{
	(void)state;
	fake.device[1].get_errno = ENOSPC;
	fake.device[1].get_skip = 1;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",bar=1,dev=0000:00:04.0,bar=0,"
		"bar=3,len=0x1000,mode=required"), 0);
	assert_string_equal(removed, "0000:00:04.0 ");
	assert_string_equal(pages(0, 4), "PPPW");
	assert_string_equal(pages(0, 1), "W");
	assert_string_equal(pages(1, 0), "PPPP");
	assert_contains(logged(), "0000:00:04.0 BAR 3 [0x0, 0x1000): WC: the device fd has its");

	/* attached again, it is the same; the healthy one is not touched */
	eal_sees(1);
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(removed, "0000:00:04.0 0000:00:04.0 ");
	assert_string_equal(pages(0, 4), "PPPW");
}

/* A device that cannot have what the table names fails alone, whatever the reason, with a line. */
static void
of_the_table_nothing_harms_others(void **state)
{
	char reason[128];

	(void)state;
	make_ena(0);
	make_ena(1);
	fake.device[0].driver = "igb_uio";
	assert_int_equal(rte_vdev_init("vfio_wc0", ""), 0);
	assert_string_equal(pages(0, 2), "PPPP");
	assert_string_equal(pages(1, 2), "WWWW");
	assert_string_equal(states(), "vfio_wc0/0:failed vfio_wc0/1:on ");
	assert_int_equal(lines(logged()), 1);
	assert_contains(logged(), "vfio_wc0: stays as it is: 0000:00:03.0: is bound to igb_uio, "
		"not to vfio-pci");
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);

	/* not the device's fd; and one more that fails, in its own way, has its own line */
	fake.device[0].driver = "vfio-pci";
	fake.device[0].device = 0xec21;
	eal_sees(0);
	eal_pci[0].fd = FAKE_FD + 1;
	fake.device[1].get_errno = ENOSPC;
	assert_int_equal(rte_vdev_init("vfio_wc0", ""), 0);
	assert_string_equal(states(), "vfio_wc0/0:failed vfio_wc0/1:failed ");
	assert_int_equal(lines(logged()), 3);
	assert_contains(logged(), "0000:00:03.0: fd 1001 is another device's: ");
	assert_contains(logged(), "0000:00:04.0 BAR 2 [0x0, 0x4000): WC: the device fd has its");
	vfio_wc_request_foreach(visit_reason, reason);
	assert_contains(reason, "the device fd has its");
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_int_equal(lines(logged()), 3);

	/* required: it goes, alone */
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	fake.device[1].get_errno = 0;
	fake.device[0].driver = "igb_uio";
	assert_int_equal(rte_vdev_init("vfio_wc0", "mode=required"), 0);
	assert_string_equal(removed, "0000:00:03.0 ");
	assert_string_equal(pages(1, 2), "WWWW");
}

/* What goes and what comes between two looks may be of any size. */
static void
a_small_device_takes_the_place_of_a_large_one(void **state)
{
	char *was;

	(void)state;
	eal_has[0] = false;
	fake_unmap(va[0][4], 0x4000);
	fake_unmap(va[0][1], 0x1000);
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	eal_has[1] = false;
	fake_unmap(va[1][0], 0x4000);
	fake_unmap(va[1][3], 0x8000);
	eal_sees(0);
	seconds_pass(1);
	assert_string_equal(pages(0, 4), "PPPW");

	/* the same device, elsewhere: as many bytes as before */
	was = va[0][4];
	eal_sees(0);
	fake_unmap(was, 0x4000);
	seconds_pass(1);
	assert_string_equal(pages(0, 4), "PPPW");
	assert_string_equal(states(), "vfio_wc0/0:on ");
}

/* A secondary process would map plainly what it does not know of. */
static void
required_is_required_of_secondaries(void **state)
{
	char name[16];
	unsigned int i;

	(void)state;
	for (i = 1; i <= 64; i++) {
		snprintf(name, sizeof(name), "vfio_wc%u", i);
		assert_int_equal(rte_vdev_init(name, "mode=off"), 0);
	}
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_contains(logged(), "vfio_wc0: no shared memory, secondary processes map plainly");
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	assert_int_not_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	assert_string_equal(removed, "0000:00:03.0 ");
	assert_string_equal(states(), "");
	/* one that has its place keeps it */
	eal_sees(0);
	assert_int_equal(rte_vdev_uninit("vfio_wc64"), 0);
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	for (i = 1; i < 64; i++) {
		snprintf(name, sizeof(name), "vfio_wc%u", i);
		assert_int_equal(rte_vdev_uninit(name), 0);
	}
}

/* What else comes is no respite for it. */
static void
required_closes_what_came_late_among_others(void **state)
{
	unsigned int i;

	(void)state;
	eal_has[0] = false;
	fake_unmap(va[0][4], 0x4000);
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	fake.device[0].get_errno = ENOSPC;
	eal_sees(0);
	for (i = 0; i < 7; i++) {
		fake_map_bar(1, 0);
		seconds_pass(1);
	}
	assert_contains(closed, "0:4 ");
}

/* What the kernel says of the pages counts, where it says something. */
static void
the_kernel_is_asked_what_type_it_is(void **state)
{
	char reason[128];

	(void)state;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	fake.pat_list = "PAT memtype list:\n"
		"PAT: [mem 0x8000003000-0x8000004000] write-combining\n";
	assert_string_equal(states(), "vfio_wc0/0:on ");
	/* plain again, at the same address, and nobody told: the type went with the mapping */
	fake.pages_unused = true;
	fake.pat_list = "PAT memtype list:\n";
	assert_string_equal(states(), "vfio_wc0/0:on ");	/* nobody knows */
	fake.pages_unused = false;
	assert_string_equal(states(), "vfio_wc0/0:waiting ");
	vfio_wc_request_foreach(visit_reason, reason);
	assert_string_equal(reason, "the kernel has it as WC no more");
	fake.pat_list = NULL;
	seconds_pass(2);
	assert_string_equal(states(), "vfio_wc0/0:on ");

	/* of a range that is not to be WC there is nothing to be said */
	assert_int_equal(rte_vdev_init("vfio_wc1", "dev=0000:00:03.0,bar=1,type=uc"), 0);
	fake.pat_list = "PAT memtype list:\n";
	assert_string_equal(states(), "vfio_wc0/0:waiting vfio_wc1/0:on ");
}

/* EAGAIN is not only what a device says that EAL has not probed yet. */
static void
a_process_that_may_lock_no_more_memory(void **state)
{
	(void)state;
	fake.cookie_mmap_errno = EAGAIN;
	assert_int_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_string_equal(states(), "vfio_wc0/0:failed ");
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	assert_int_not_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	assert_string_equal(removed, "0000:00:03.0 ");
}

static void
required_holds_without_memory(void **state)
{
	(void)state;
	no_memory = true;
	assert_int_not_equal(rte_vdev_init("vfio_wc0", NOTIFY), 0);
	assert_string_equal(removed, "");
	assert_int_not_equal(rte_vdev_init("vfio_wc0", NOTIFY ",mode=required"), 0);
	assert_string_equal(removed, "0000:00:03.0 ");

	/* of the table, what becomes of it is not known; nor is there an other end at the start */
	assert_int_equal(ends(request_at_start, "mode=required"), W_EXITCODE(EXIT_FAILURE, 0));
	assert_int_equal(ends(request_at_start, ""), 0);

	/* one that comes later */
	no_memory = false;
	eal_has[0] = eal_has[1] = false;
	assert_int_equal(rte_vdev_init("vfio_wc0", "mode=required"), 0);
	make_ena(1);
	removed[0] = '\0';
	no_memory = true;
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(removed, "0000:00:04.0 ");
}

/* EAL has a device of the table, and of that sysfs cannot be read. */
static void
required_holds_without_sysfs(void **state)
{
	(void)state;
	make_ena(0);
	make_ena(1);
	fake.device[0].bdf = "0000:00:05.0";
	assert_int_equal(rte_vdev_init("vfio_wc0", ""), 0);
	assert_contains(logged(), "vfio_wc0: stays as it is: 0000:00:03.0 BAR 2 [0x0, 0x4000): "
		"sysfs: No such device");
	assert_int_equal(rte_vdev_uninit("vfio_wc0"), 0);
	assert_int_equal(rte_vdev_init("vfio_wc0", "mode=required"), 0);
	assert_contains(logged(), "0000:00:03.0: removed, since mode=required");
	assert_false(eal_has[0]);
	assert_string_equal(pages(1, 2), "WWWW");
}

/* What is refused, or withdrawn, takes nothing from the table for good. */
static void
the_table_gets_back_what_a_request_took(void **state)
{
	(void)state;
	make_ena(0);
	assert_int_equal(rte_vdev_init("vfio_wc0", "mode=required"), 0);
	assert_int_not_equal(rte_vdev_init("vfio_wc1", "dev=0000:00:03.0,bar=2,len=100"), 0);
	assert_contains(logged(), "offset and length must be multiples");
	assert_string_equal(pages(0, 2), "WWWW");
	assert_string_equal(states(), "vfio_wc0/0:on ");

	assert_int_equal(rte_vdev_init("vfio_wc1", "dev=0000:00:03.0,bar=2,len=0x1000,type=uc"),
		0);
	assert_string_equal(pages(0, 2), "UPPP");
	assert_int_equal(rte_vdev_uninit("vfio_wc1"), 0);
	seconds_pass(1);
	assert_string_equal(pages(0, 2), "PPPP");	/* EAL might be about to clean up */
	seconds_pass(1);
	assert_string_equal(pages(0, 2), "WWWW");
	assert_string_equal(states(), "vfio_wc0/0:on ");

	/* and when it cannot be had again */
	fake.device[0].get_errno = ENOSPC;
	fake.device[0].get_skip = 0;
	assert_int_not_equal(rte_vdev_init("vfio_wc1", "dev=0000:00:03.0,bar=2,len=100"), 0);
	assert_string_equal(removed, "0000:00:03.0 ");
}

/* Who asks for the table twice, and once requires it, requires it. */
static void
a_table_that_is_required_takes_from_one_that_is_not(void **state)
{
	(void)state;
	make_ena(0);
	fake.device[0].get_errno = ENOSPC;
	assert_int_equal(rte_vdev_init("vfio_wc0", ""), 0);
	assert_string_equal(states(), "vfio_wc0/0:failed ");
	assert_int_not_equal(rte_vdev_init("vfio_wc1", "mode=required"), 0);
	assert_string_equal(removed, "0000:00:03.0 ");

	fake.device[0].get_errno = 0;
	eal_sees(0);
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_int_equal(rte_vdev_init("vfio_wc1", "mode=required"), 0);
	assert_string_equal(states(), "vfio_wc1/0:on ");
	assert_string_equal(pages(0, 2), "WWWW");
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(states(), "vfio_wc1/0:on ");
}

/* Where the BAR of a device ends is known when there is one. */
static void
a_range_to_the_end_of_a_bar_that_comes_late(void **state)
{
	(void)state;
	fake.device[0].driver = "uio_pci_generic";
	assert_int_equal(rte_vdev_init("vfio_wc0", "dev=0000:00:03.0,bar=4,offset=0x1000,"
		"dev=0000:00:04.0,bar=0,mode=required"), 0);
	assert_string_equal(removed, "0000:00:03.0 ");
	removed[0] = '\0';
	fake.device[0].driver = "vfio-pci";
	eal_sees(0);
	on_new(0, RTE_ETH_EVENT_NEW, NULL, NULL);
	assert_string_equal(removed, "");
	assert_string_equal(pages(0, 4), "PWWW");
	assert_string_equal(states(), "vfio_wc0/0:on vfio_wc0/1:on ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_request_is_met_and_undone),
		T(several_devices_and_requests),
		T(auto_falls_back_with_one_notice),
		T(required_removes_the_device),
		T(a_request_is_all_or_none),
		T(bad_requests),
		T(requests_do_not_overlap),
		T(eal_is_not_believed),
		T(removal_leaves_what_is_not_ours),
		T(hot_plug),
		T(a_port_is_known_by_its_address),
		T(a_state_is_not_believed),
		T(devices_without_events),
		T(required_says_what_it_waits_for),
		T(required_holds_where_nothing_can_be_removed),
		T(required_refuses_the_device_that_cannot),
		T(required_closes_what_came_late),
		T(a_secondary_does_what_the_primary_asked_for),
		T(mode_off_maps_nothing),
		T(the_table_names_ena_and_nothing_else),
		T(a_request_takes_precedence_over_the_table),
		T(the_table_takes_each_device_by_itself),
		T(required_takes_each_device_by_itself),
		T(of_the_table_nothing_harms_others),
		T(a_small_device_takes_the_place_of_a_large_one),
		T(required_is_required_of_secondaries),
		T(required_closes_what_came_late_among_others),
		T(the_kernel_is_asked_what_type_it_is),
		T(a_process_that_may_lock_no_more_memory),
		T(required_holds_without_memory),
		T(required_holds_without_sysfs),
		T(the_table_gets_back_what_a_request_took),
		T(a_table_that_is_required_takes_from_one_that_is_not),
		T(a_range_to_the_end_of_a_bar_that_comes_late),
	};
	char *argv[] = {
		(char[]){ "test_driver" }, (char[]){ "--no-huge" }, (char[]){ "--no-pci" },
		(char[]){ "--no-shconf" }, (char[]){ "--no-telemetry" }, (char[]){ "-m64" },
		(char[]){ "--log-level=lib.eal:error" },
	};
	int failed;

	if (rte_eal_init(sizeof(argv) / sizeof(argv[0]), argv) < 0)
		return 99;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	rte_eal_cleanup();
	return failed;
}
