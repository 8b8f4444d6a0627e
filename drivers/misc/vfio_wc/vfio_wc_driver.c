/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * An EAL plugin that changes the memory type of BAR ranges under unmodified PMDs.
 *
 *      --vdev=vfio_wc0,...          probe(): after every PCI device, since EAL
 *             |                     probes the vdev bus last
 *             v
 *      request (all or none)  ---->  memzone, for secondary processes
 *             |
 *             v
 *      ranges  WAITING --apply()--> ON      rte_vfio_wc_remap() in place
 *                 ^          \----> FAILED  auto: as before; required: the device goes
 *                 |                    |
 *                 +--- port removed ---+    RTE_ETH_EVENT_DESTROY; RTE_ETH_EVENT_NEW applies again
 *
 * Nothing of EAL is kept: devices are looked up by name each time, and what is trusted is what the
 * kernel says (sysfs, the device fd, /proc/self/maps). On the data path nothing is added.
 */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <rte_alarm.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_memzone.h>
#include <rte_spinlock.h>

#include "dpdk_abi.h"
#include "vfio_wc_args.h"
#include "vfio_wc_driver.h"
#include "vfio_wc_error.h"
#include "vfio_wc_log.h"
#include "vfio_wc_policy.h"
#include "vfio_wc_sysfs.h"

RTE_LOG_REGISTER(vfio_wc_logtype, pmd.misc.vfio_wc, NOTICE);

/* Guards everything below. Never held while EAL is asked to remove a device. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct request {
	TAILQ_ENTRY(request) next;
	struct vfio_wc_request args;
	bool noticed;	/* the one line about falling back was said */
	unsigned int nb_ranges;
	struct vfio_wc_range *range;
};

static TAILQ_HEAD(, request) requests = TAILQ_HEAD_INITIALIZER(requests);

/*
 * The primary's requests, in shared memory: EAL tells a secondary process the names of the
 * primary's vdevs, without their arguments.
 */
#define SHARED_NAME "vfio_wc_requests"
#define SHARED_MAX 64

struct shared {
	rte_spinlock_t lock;
	struct vfio_wc_request request[SHARED_MAX];	/* name "": free */
};

static struct shared *
shared(void)
{
	const struct rte_memzone *zone = rte_memzone_lookup(SHARED_NAME);

	if (zone == NULL && rte_eal_process_type() == RTE_PROC_PRIMARY) {
		zone = rte_memzone_reserve(SHARED_NAME, sizeof(struct shared), SOCKET_ID_ANY, 0);
		if (zone != NULL)
			memset(zone->addr, 0, sizeof(struct shared));
	}
	return zone != NULL ? zone->addr : NULL;
}

static struct vfio_wc_request *
shared_slot(struct shared *s, const char *name)
{
	unsigned int i;

	for (i = 0; i < SHARED_MAX; i++)
		if (strcmp(s->request[i].name, name) == 0)
			return &s->request[i];
	return NULL;
}

/* Primary: publish a request, or withdraw it (args NULL). */
static void
shared_set(const char *name, const struct vfio_wc_request *args)
{
	struct shared *s = shared();
	struct vfio_wc_request *slot = NULL;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return;
	if (s != NULL) {
		rte_spinlock_lock(&s->lock);
		slot = shared_slot(s, args != NULL ? "" : name);
		if (slot != NULL && args != NULL)
			*slot = *args;
		else if (slot != NULL)
			slot->name[0] = '\0';
		rte_spinlock_unlock(&s->lock);
	}
	if (slot == NULL && args != NULL)
		LOG(WARNING, "%s: no shared memory, secondary processes map plainly", name);
}

/* Secondary: what the primary asked for under this name. */
static bool
shared_get(const char *name, struct vfio_wc_request *args)
{
	struct vfio_wc_request *slot = NULL;
	struct shared *s;

	if (rte_eal_process_type() != RTE_PROC_SECONDARY || (s = shared()) == NULL)
		return false;
	rte_spinlock_lock(&s->lock);
	slot = shared_slot(s, name);
	if (slot != NULL)
		*args = *slot;
	rte_spinlock_unlock(&s->lock);
	return slot != NULL;
}

/* ---- devices ---- */

struct find {
	const char *bdf;
	struct rte_device *dev;
	struct dpdk_pci *pci;
};

static bool
find_visit(struct rte_device *dev, const struct dpdk_pci *pci, void *arg)
{
	struct find *find = arg;

	if (strcmp(pci->name, find->bdf) != 0)
		return false;
	find->dev = dev;
	*find->pci = *pci;
	return true;
}

static struct rte_device *
find_device(const char *bdf, struct dpdk_pci *pci)
{
	struct find find = { .bdf = bdf, .pci = pci };

	dpdk_abi_foreach_pci(find_visit, &find);
	return find.dev;
}

/* Has an application configured a port of this device? Then it cannot be taken away any more. */
static bool
in_use(const struct rte_device *dev)
{
	struct rte_eth_dev_info info;
	uint16_t port;

	RTE_ETH_FOREACH_DEV(port)
		if (rte_eth_dev_info_get(port, &info) == 0 && info.device == dev &&
				(info.nb_rx_queues != 0 || info.nb_tx_queues != 0))
			return true;
	return false;
}

/* mode=required could not be had: without the device nobody runs uncached unawares. */
static void
remove_device(const char *bdf)
{
	struct dpdk_pci pci;
	struct rte_device *dev = find_device(bdf, &pci);

	if (dev == NULL || pci.fd < 0)
		return;
	/* from a secondary process this would take the device from all of them */
	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		LOG(ERR, "%s: a secondary process goes on with its plain mapping", bdf);
	else if (in_use(dev))
		LOG(ERR, "%s: is in use already and goes on with its plain mapping", bdf);
	else if (rte_dev_remove(dev) == 0)
		LOG(ERR, "%s: removed, since mode=required cannot be met", bdf);
	else
		LOG(ERR, "%s: mode=required cannot be met, and the device cannot be removed", bdf);
}

/* From an event callback a device cannot be removed: it is still being probed. */
static void
remove_device_alarm(void *bdf)
{
	remove_device(bdf);
	free(bdf);
}

static void
remove_device_later(const char *bdf)
{
	char *copy = strdup(bdf);

	if (copy == NULL || rte_eal_alarm_set(1, remove_device_alarm, copy) != 0) {
		LOG(ERR, "%s: mode=required cannot be met, and the device cannot be removed", bdf);
		free(copy);
	}
}

/* ---- ranges ---- */

static const char waiting[] = "EAL has not probed this device (yet)";

static struct rte_vfio_wc_range
lib_range(const struct vfio_wc_range *range)
{
	return (struct rte_vfio_wc_range){
		.device = range->device, .fd = range->fd, .bar = range->bar,
		.offset = range->offset, .length = range->length,
	};
}

static void
set_state(struct vfio_wc_range *range, enum vfio_wc_state state, const char *reason)
{
	range->state = state;
	snprintf(range->reason, sizeof(range->reason), "%.127s", reason);
}

/*
 * Where is the range mapped, by which fd? EAL's word is checked against the kernel's.
 * Returns -EAGAIN when EAL has no such device mapped (yet).
 */
static int
locate(struct vfio_wc_range *range, struct rte_vfio_wc_error *error)
{
	const struct vfio_wc_sysfs_bar *bar;
	struct vfio_wc_sysfs sysfs;
	struct dpdk_pci pci;
	char subject[128];
	int ret;

	snprintf(subject, sizeof(subject), "%s BAR %u [0x%" PRIx64 ", 0x%" PRIx64 ")",
		range->device, range->bar, range->offset, range->offset + range->length);
	if (find_device(range->device, &pci) == NULL || pci.fd < 0)
		return vfio_wc_fail(error, EAGAIN, subject, "%s", waiting);
	ret = vfio_wc_sysfs_read(range->device, &sysfs);
	if (ret != 0)
		return vfio_wc_fail(error, -ret, subject, "sysfs: %s", strerror(-ret));
	bar = &sysfs.bar[range->bar];
	if (pci.vendor != sysfs.vendor || pci.device != sysfs.device ||
			pci.bar[range->bar].start != bar->start ||
			pci.bar[range->bar].size != bar->size)
		return vfio_wc_fail(error, EPROTO, subject, "EAL says %04x:%04x, 0x%" PRIx64
			" bytes at 0x%" PRIx64 "; sysfs says %04x:%04x, 0x%" PRIx64
			" at 0x%" PRIx64, pci.vendor, pci.device, pci.bar[range->bar].size,
			pci.bar[range->bar].start, sysfs.vendor, sysfs.device, bar->size,
			bar->start);
	ret = vfio_wc_sysfs_match(range->device, &sysfs, pci.fd, error);
	if (ret != 0)
		return ret;
	if (pci.bar[range->bar].addr == NULL)
		return vfio_wc_fail(error, ENXIO, subject, "EAL has not mapped the BAR");

	range->fd = pci.fd;
	range->va = RTE_PTR_ADD(pci.bar[range->bar].addr, range->offset);
	range->pa = bar->start + range->offset;
	return 0;
}

static int
turn_on(struct vfio_wc_range *range, struct rte_vfio_wc_error *error)
{
	struct rte_vfio_wc_range lib;
	int ret;

	ret = locate(range, error);
	if (ret != 0)
		return ret;
	lib = lib_range(range);
	ret = rte_vfio_wc_remap(&lib, range->type, range->va, error);
	if (ret != 0)
		return ret;
	set_state(range, VFIO_WC_ON, "the kernel guarantees it");
	LOG(INFO, "%s BAR %u [0x%" PRIx64 ", 0x%" PRIx64 ") at %p is %s", range->device, range->bar,
		range->offset, range->offset + range->length, range->va,
		rte_vfio_wc_type_name(range->type));
	return 0;
}

/*
 * Back to the plain mapping. EAL is not asked: when it cleans up, its list of PCI devices may be
 * freed already (22.11 to 24.11). The numbers kept in the range are checked instead: the fd must
 * still be this device's, and the address still map this range.
 */
static void
turn_off(struct vfio_wc_range *range, enum vfio_wc_state state, const char *reason)
{
	struct rte_vfio_wc_range lib = lib_range(range);
	struct rte_vfio_wc_error error;
	struct vfio_wc_sysfs sysfs;
	int ret;

	if (range->state == VFIO_WC_ON) {
		ret = vfio_wc_sysfs_read(range->device, &sysfs);
		if (ret == 0)
			ret = vfio_wc_sysfs_match(range->device, &sysfs, range->fd, &error);
		if (ret == 0)
			ret = rte_vfio_wc_restore(&lib, range->va, &error);
		/* device, fd or mapping gone: with them went the memory type */
		if (ret != 0 && ret != -ENODEV && ret != -ENXIO)
			LOG(WARNING, "%s: %s", range->device, error.text);
	}
	set_state(range, state, reason);
}

static bool
overlap(const struct vfio_wc_range *a, const struct vfio_wc_range *b)
{
	return strcmp(a->device, b->device) == 0 && a->bar == b->bar &&
		a->offset < b->offset + b->length && b->offset < a->offset + a->length;
}

static bool
is_explicit(const struct request *request)
{
	return request->args.nb_ranges > 0;
}

/* The range of another request that this one meets. */
static struct vfio_wc_range *
find_overlap(const struct vfio_wc_range *range, const struct request *self, bool with_explicit,
		struct request **owner)
{
	unsigned int i;

	TAILQ_FOREACH(*owner, &requests, next)
		for (i = 0; *owner != self && i < (*owner)->nb_ranges; i++)
			if (is_explicit(*owner) == with_explicit &&
					overlap(range, &(*owner)->range[i]))
				return &(*owner)->range[i];
	return NULL;
}

static struct vfio_wc_range *
add_range(struct request *request, const char *device, unsigned int bar, uint64_t offset,
		uint64_t length)
{
	struct vfio_wc_range *bigger, *range;

	bigger = realloc(request->range, (request->nb_ranges + 1) * sizeof(*bigger));
	if (bigger == NULL)
		return NULL;
	request->range = bigger;
	range = &bigger[request->nb_ranges++];
	memset(range, 0, sizeof(*range));
	snprintf(range->device, sizeof(range->device), "%s", device);
	range->bar = bar;
	range->offset = offset;
	range->length = length;
	range->type = request->args.type;
	range->fd = -1;
	if (request->args.mode == VFIO_WC_OFF)
		set_state(range, VFIO_WC_OFF_BY_MODE, "mode=off");
	else
		set_state(range, VFIO_WC_WAITING, waiting);
	return range;
}

/* Explicit ranges: what can be said of them before EAL has the device. */
static int
resolve(struct request *request, struct rte_vfio_wc_error *error)
{
	unsigned int i, j;
	int ret;

	for (i = 0; i < request->args.nb_ranges; i++) {
		const struct vfio_wc_arg_range *arg = &request->args.range[i];
		const struct vfio_wc_sysfs_bar *bar;
		struct vfio_wc_sysfs sysfs;
		struct vfio_wc_range *range;
		struct request *owner;

		ret = vfio_wc_sysfs_read(arg->device, &sysfs);
		if (ret == -ENODEV)
			return vfio_wc_fail(error, ENODEV, arg->device, "no such PCI device");
		if (ret != 0)
			return vfio_wc_fail(error, -ret, arg->device, "sysfs: %s", strerror(-ret));
		/* vfio-pci or a variant driver: mlx5_vfio_pci, hisi-acc-vfio-pci ... */
		if (strstr(sysfs.driver, "vfio") == NULL)
			return vfio_wc_fail(error, ENOTSUP, arg->device,
				"is bound to %s, not to vfio-pci",
				sysfs.driver[0] != '\0' ? sysfs.driver : "no driver");
		bar = &sysfs.bar[arg->bar];
		if (bar->size == 0)
			return vfio_wc_fail(error, ENODEV, arg->device, "has no BAR %u", arg->bar);
		if (!bar->memory)
			return vfio_wc_fail(error, ENODEV, arg->device,
				"BAR %u is I/O ports, only memory has a memory type", arg->bar);
		if (arg->offset >= bar->size)
			return vfio_wc_fail(error, ERANGE, arg->device, "offset 0x%" PRIx64
				" is outside of BAR %u, which has 0x%" PRIx64 " bytes",
				arg->offset, arg->bar, bar->size);

		range = add_range(request, arg->device, arg->bar, arg->offset,
			arg->length != 0 ? arg->length : bar->size - arg->offset);
		if (range == NULL)
			return vfio_wc_fail(error, ENOMEM, arg->device, "no memory");
		for (j = 0; j < i; j++)
			if (overlap(range, &request->range[j]))
				return vfio_wc_fail(error, EEXIST, arg->device,
					"BAR %u: two ranges of one request overlap", arg->bar);
		if (find_overlap(range, request, true, &owner) != NULL)
			return vfio_wc_fail(error, EEXIST, arg->device,
				"BAR %u: the range overlaps one of %s", arg->bar,
				owner->args.name);
	}
	return 0;
}

/* The built-in table: add what EAL has and the table names. Explicit ranges win. */
static bool
add_builtin(struct rte_device *dev __rte_unused, const struct dpdk_pci *pci, void *arg)
{
	unsigned int bars[RTE_VFIO_WC_BARS], n, i;
	struct request *request = arg, *owner;
	struct vfio_wc_sysfs sysfs;

	if (pci->fd < 0 || vfio_wc_sysfs_read(pci->name, &sysfs) != 0)
		return false;
	n = vfio_wc_policy_bars(&sysfs, bars);
	for (i = 0; i < n; i++) {
		struct vfio_wc_range range = {
			.bar = bars[i],
			.length = sysfs.bar[bars[i]].size,
		};

		memcpy(range.device, pci->name, sizeof(range.device));
		if (find_overlap(&range, NULL, true, &owner) == NULL &&
				find_overlap(&range, NULL, false, &owner) == NULL &&
				add_range(request, range.device, range.bar, 0,
					range.length) == NULL)
			LOG(ERR, "%s: no memory", range.device);
	}
	return false;
}

static void
resolve_builtin(struct request *request)
{
	if (!is_explicit(request) && request->args.mode != VFIO_WC_OFF)
		dpdk_abi_foreach_pci(add_builtin, request);
}

/* An explicit request takes its ranges from the built-in table's. */
static void
displace_builtin(const struct request *request)
{
	unsigned int i;

	for (i = 0; i < request->nb_ranges; i++) {
		struct vfio_wc_range *range;
		struct request *owner;

		while ((range = find_overlap(&request->range[i], request, false, &owner)) != NULL) {
			turn_off(range, VFIO_WC_WAITING, "");
			*range = owner->range[--owner->nb_ranges];
		}
	}
}

/* An explicit request stands or falls as one; of the table, each device by itself. */
static bool
same_group(const struct request *request, const struct vfio_wc_range *a,
		const struct vfio_wc_range *b)
{
	return is_explicit(request) || strcmp(a->device, b->device) == 0;
}

static void
fail_group(struct request *request, const struct vfio_wc_range *failed, const char *why)
{
	/* copied: failed is one of those that get a new reason */
	struct vfio_wc_range key = *failed;
	unsigned int i;

	for (i = 0; i < request->nb_ranges; i++)
		if (same_group(request, &key, &request->range[i]))
			turn_off(&request->range[i], VFIO_WC_FAILED, why);
}

/* The reason alone: telemetry has 128 bytes for a string, and says device and BAR elsewhere. */
static const char *
reason_of(const struct rte_vfio_wc_error *error)
{
	const char *colon = strstr(error->text, ": ");

	return colon != NULL ? colon + 2 : error->text;
}

/* What the user can mend in the request, as opposed to what this machine cannot do. */
static bool
is_bad_request(int err)
{
	return err == EINVAL || err == EOVERFLOW || err == ERANGE || err == ENODEV;
}

/*
 * Turn on what waits and can be. Returns 0, or the negative errno of the first failure that is not
 * mode=auto's to swallow; error describes it.
 */
static int
apply(struct request *request, struct rte_vfio_wc_error *first)
{
	unsigned int i, j;
	int ret = 0;

	for (i = 0; i < request->nb_ranges; i++) {
		struct vfio_wc_range *range = &request->range[i];
		struct rte_vfio_wc_error error = { 0 };

		if (range->state != VFIO_WC_WAITING)
			continue;
		/* one of its group has failed before, on another device */
		for (j = 0; j < request->nb_ranges; j++)
			if (request->range[j].state == VFIO_WC_FAILED &&
					same_group(request, range, &request->range[j]))
				break;
		if (j < request->nb_ranges) {
			set_state(range, VFIO_WC_FAILED, "another range of the request failed");
			continue;
		}
		if (turn_on(range, &error) == 0 || error.err == EAGAIN)
			continue;

		fail_group(request, range, reason_of(&error));
		if (request->args.mode == VFIO_WC_AUTO && !is_bad_request(error.err)) {
			rte_log(request->noticed ? RTE_LOG_INFO : RTE_LOG_NOTICE, vfio_wc_logtype,
				"vfio_wc: %s: stays as it is: %s\n", request->args.name,
				error.text);
			request->noticed = true;
		} else {
			LOG(ERR, "%s: %s", request->args.name, error.text);
			if (ret == 0) {
				ret = -error.err;
				*first = error;
			}
		}
	}
	return ret;
}

/* ---- hot-plug ---- */

/* How to remove the devices of what failed under mode=required. */
static void
remove_failed(const struct request *request, void (*remove)(const char *bdf))
{
	unsigned int i, j;

	for (i = 0; request->args.mode == VFIO_WC_REQUIRED && i < request->nb_ranges; i++) {
		for (j = 0; j < i; j++)
			if (strcmp(request->range[j].device, request->range[i].device) == 0)
				break;
		if (j == i && request->range[i].state == VFIO_WC_FAILED)
			remove(request->range[i].device);
	}
}

/* The BARs are mapped already, the port is not usable yet. */
static int
port_new(uint16_t port __rte_unused, enum rte_eth_event_type event __rte_unused,
		void *arg __rte_unused, void *ret_param __rte_unused)
{
	struct rte_vfio_wc_error error;
	struct request *request;

	pthread_mutex_lock(&lock);
	TAILQ_FOREACH(request, &requests, next) {
		resolve_builtin(request);
		if (apply(request, &error) != 0)
			remove_failed(request, remove_device_later);
	}
	pthread_mutex_unlock(&lock);
	return 0;
}

/*
 * The port goes, and with it, sooner or later (PMDs differ), the mapping: the kernel gives the type
 * back by itself. Its driver must not be asked anything any more; the name is enough.
 */
static int
port_destroy(uint16_t port, enum rte_eth_event_type event __rte_unused, void *arg __rte_unused,
		void *ret_param __rte_unused)
{
	char name[RTE_ETH_NAME_MAX_LEN];
	struct request *request;
	unsigned int i;

	if (rte_eth_dev_get_name_by_port(port, name) != 0)
		return 0;
	pthread_mutex_lock(&lock);
	TAILQ_FOREACH(request, &requests, next)
		for (i = 0; i < request->nb_ranges; i++) {
			struct vfio_wc_range *range = &request->range[i];
			size_t n = strlen(range->device);

			/* several ports of a device are "<device>_port..." */
			if (range->state != VFIO_WC_OFF_BY_MODE &&
					strncmp(name, range->device, n) == 0 &&
					(name[n] == '\0' || name[n] == '_'))
				set_state(range, VFIO_WC_WAITING, "the port was removed");
		}
	pthread_mutex_unlock(&lock);
	return 0;
}

static void
watch_ports(bool on)
{
	if (on) {
		rte_eth_dev_callback_register(RTE_ETH_ALL, RTE_ETH_EVENT_NEW, port_new, NULL);
		rte_eth_dev_callback_register(RTE_ETH_ALL, RTE_ETH_EVENT_DESTROY, port_destroy,
			NULL);
	} else {
		rte_eth_dev_callback_unregister(RTE_ETH_ALL, RTE_ETH_EVENT_NEW, port_new, NULL);
		rte_eth_dev_callback_unregister(RTE_ETH_ALL, RTE_ETH_EVENT_DESTROY, port_destroy,
			NULL);
	}
}

/* ---- the vdev driver ---- */

/* Undo a request, as far as it got. */
static void
drop(struct request *request)
{
	unsigned int i;

	for (i = 0; i < request->nb_ranges; i++)
		turn_off(&request->range[i], VFIO_WC_WAITING, "");
	free(request->range);
	free(request);
}

static int
probe(struct rte_device *dev)
{
	const struct rte_devargs *devargs = rte_dev_devargs(dev);
	const char *name = rte_dev_name(dev);
	struct rte_vfio_wc_error error;
	struct request *request;
	unsigned int i;
	bool first;
	int ret;

	request = calloc(1, sizeof(*request));
	if (request == NULL)
		return -ENOMEM;

	if (shared_get(name, &request->args))
		ret = 0;
	else
		ret = vfio_wc_args_parse(name, devargs != NULL && devargs->args != NULL ?
			devargs->args : "", &request->args, &error);

	pthread_mutex_lock(&lock);
	if (ret == 0)
		ret = resolve(request, &error);
	if (ret != 0) {
		LOG(ERR, "%s: %s", name, error.text);
	} else {
		displace_builtin(request);
		resolve_builtin(request);
		ret = apply(request, &error);
	}
	first = TAILQ_EMPTY(&requests);
	if (ret == 0) {
		TAILQ_INSERT_TAIL(&requests, request, next);
		for (i = 0; i < request->nb_ranges; i++)
			if (is_explicit(request) && request->range[i].state == VFIO_WC_WAITING)
				LOG(NOTICE, "%s: %s BAR %u: waits for EAL to probe the device",
					name, request->range[i].device, request->range[i].bar);
	}
	pthread_mutex_unlock(&lock);

	if (ret == 0) {
		shared_set(name, &request->args);
		if (first)
			watch_ports(true);
		vfio_wc_telemetry_register();
		return 0;
	}

	if (is_explicit(request)) {
		/* whatever was wrong with the request, it said "required" */
		for (i = 0; i < request->args.nb_ranges; i++)
			if (request->args.mode == VFIO_WC_REQUIRED)
				remove_device(request->args.range[i].device);
	} else {
		remove_failed(request, remove_device);
	}
	drop(request);
	return ret;
}

static int
vdev_remove(struct rte_device *dev)
{
	const char *name = rte_dev_name(dev);
	struct request *request;
	bool last;

	shared_set(name, NULL);
	pthread_mutex_lock(&lock);
	TAILQ_FOREACH(request, &requests, next)
		if (strcmp(request->args.name, name) == 0)
			break;
	if (request != NULL) {
		TAILQ_REMOVE(&requests, request, next);
		drop(request);
	}
	last = request != NULL && TAILQ_EMPTY(&requests);
	pthread_mutex_unlock(&lock);

	if (last)
		watch_ports(false);
	return 0;
}

void
vfio_wc_foreach_range(void (*visit)(const char *id, const struct vfio_wc_request *request,
		const struct vfio_wc_range *range, void *arg), void *arg)
{
	char id[VFIO_WC_ID_LEN];
	struct request *request;
	unsigned int i;

	pthread_mutex_lock(&lock);
	TAILQ_FOREACH(request, &requests, next)
		for (i = 0; i < request->nb_ranges; i++) {
			snprintf(id, sizeof(id), "%s/%u", request->args.name, i);
			visit(id, &request->args, &request->range[i], arg);
		}
	pthread_mutex_unlock(&lock);
}

RTE_INIT(vfio_wc_register)
{
	dpdk_abi_register_vdev("vfio_wc", probe, vdev_remove);
}
