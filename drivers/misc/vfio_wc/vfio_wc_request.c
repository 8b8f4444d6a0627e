/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <rte_common.h>
#include <rte_log.h>

#include "vfio_wc_error.h"
#include "vfio_wc_log.h"
#include "vfio_wc_pci.h"
#include "vfio_wc_policy.h"
#include "vfio_wc_request.h"
#include "vfio_wc_sysfs.h"

/* Guards everything below. Never held while EAL is asked to remove a device. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct request {
	TAILQ_ENTRY(request) next;
	struct vfio_wc_request args;
	unsigned int nb_ranges;
	struct vfio_wc_range *range;
	unsigned int looks;	/* since it waits for a device that has never been there */
};

static TAILQ_HEAD(, request) requests = TAILQ_HEAD_INITIALIZER(requests);

#define LOOKS_TO_SAY 5

/* What of VFIO devices this process had mapped at the last look. */
static struct vfio_wc_maps seen;

/*
 * Looks until all counts as new: for what a request that is withdrawn took from the table, and what
 * is not as it was left.
 */
static unsigned int looks_to_forget;

/* Is all of a mapping among others, whatever pieces they are in? */
static bool
has(const struct vfio_wc_maps *maps, const struct vfio_wc_map *map)
{
	uint64_t done = 0;
	size_t i;

	/* they are by address */
	for (i = 0; i < maps->n && done < map->length; i++) {
		const struct vfio_wc_map *m = &maps->v[i];
		const uint64_t at = map->va + done - m->va;

		if (at < m->length && m->dev == map->dev && m->inode == map->inode &&
				m->fd_offset + at == map->fd_offset + done)
			done += m->length - at;
	}
	return done >= map->length;
}

static bool
has_all(const struct vfio_wc_maps *maps, const struct vfio_wc_maps *others)
{
	size_t i;

	for (i = 0; i < others->n; i++)
		if (!has(maps, &others->v[i]))
			return false;
	return true;
}

/* Has this process mapped, and unmapped, anything since the last look? */
static void
look_at_maps(bool *more, bool *less)
{
	struct vfio_wc_maps now;

	*more = *less = false;
	if (vfio_wc_maps_read(0, &now) != 0) {
		free(now.v);
		return;		/* nobody knows: no change */
	}
	*more = !has_all(&seen, &now);
	*less = !has_all(&now, &seen);
	free(seen.v);
	seen = now;
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
					vfio_wc_range_overlap(range, &(*owner)->range[i]))
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
		vfio_wc_range_set(range, VFIO_WC_OFF_BY_MODE, "mode=off");
	else
		vfio_wc_range_set(range, VFIO_WC_WAITING, VFIO_WC_NOT_PROBED);
	return range;
}

/* The reason alone: telemetry has 128 bytes for a string, and says device and BAR elsewhere. */
static const char *
reason_of(const struct rte_vfio_wc_error *error)
{
	const char *colon = strstr(error->text, ": ");

	return colon != NULL ? colon + 2 : error->text;
}

/* A range that was asked for, of a device that can have it as far as sysfs tells. */
static int
check_asked(const struct vfio_wc_arg_range *arg, uint64_t *size, struct rte_vfio_wc_error *error)
{
	const struct vfio_wc_sysfs_bar *bar;
	struct vfio_wc_sysfs sysfs;
	int ret;

	ret = vfio_wc_sysfs_read(arg->device, &sysfs);
	if (ret == -ENODEV)
		return vfio_wc_fail(error, ENODEV, arg->device, "no such PCI device");
	if (ret != 0)
		return vfio_wc_fail(error, -ret, arg->device, "sysfs: %s", strerror(-ret));
	if (!vfio_wc_sysfs_is_vfio(&sysfs))
		return vfio_wc_fail(error, ENOTSUP, arg->device, VFIO_WC_BOUND_TO,
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
	*size = bar->size;
	return 0;
}

/*
 * Explicit ranges: what can be said of them before EAL has the device. Under mode=required one that
 * cannot be is a range that failed, and a matter of its device alone.
 */
static int
resolve(struct request *request, struct rte_vfio_wc_error *error)
{
	unsigned int i, j;
	int ret;

	for (i = 0; i < request->args.nb_ranges; i++) {
		const struct vfio_wc_arg_range *arg = &request->args.range[i];
		uint64_t size = arg->offset;
		struct vfio_wc_range *range;
		struct request *owner;

		ret = check_asked(arg, &size, error);
		if (ret != 0 && request->args.mode != VFIO_WC_REQUIRED)
			return ret;
		range = add_range(request, arg->device, arg->bar, arg->offset,
			arg->length != 0 ? arg->length : size - arg->offset);
		if (range == NULL)
			return vfio_wc_fail(error, ENOMEM, arg->device, "no memory");
		if (ret != 0) {
			LOG(ERR, "%s: %s", request->args.name, error->text);
			vfio_wc_range_set(range, VFIO_WC_FAILED, reason_of(error));
			continue;
		}
		for (j = 0; j < i; j++)
			if (vfio_wc_range_overlap(range, &request->range[j]))
				return vfio_wc_fail(error, EEXIST, arg->device,
					"BAR %u: two ranges of one request overlap", arg->bar);
		if (find_overlap(range, request, true, &owner) != NULL)
			return vfio_wc_fail(error, EEXIST, arg->device,
				"BAR %u: the range overlaps one of %s", arg->bar,
				owner->args.name);
	}
	return 0;
}

/* Take a range from a request. */
static void
take_away(struct request *owner, struct vfio_wc_range *range)
{
	vfio_wc_range_off(range, VFIO_WC_WAITING, "");
	*range = owner->range[--owner->nb_ranges];
}

/*
 * The built-in table: add what EAL has and the table names. Explicit ranges win, and of two who ask
 * for the table the one that requires it.
 */
static bool
add_builtin(struct rte_device *dev __rte_unused, const struct dpdk_pci *pci, void *arg)
{
	unsigned int bars[RTE_VFIO_WC_BARS], n, i;
	struct vfio_wc_sysfs as_eal_says = { .vendor = pci->vendor, .device = pci->device };
	struct request *request = arg, *owner;
	const bool required = request->args.mode == VFIO_WC_REQUIRED;
	struct vfio_wc_range *other;

	if (pci->fd < 0)
		return false;
	/* it knows of BARs that are memory, and of no others */
	for (i = 0; i < RTE_VFIO_WC_BARS; i++) {
		as_eal_says.bar[i].size = pci->bar[i].size;
		as_eal_says.bar[i].memory = pci->bar[i].size != 0;
	}
	n = vfio_wc_policy_bars(&as_eal_says, bars);
	for (i = 0; i < n; i++) {
		struct vfio_wc_range range = {
			.bar = bars[i],
			.length = pci->bar[bars[i]].size,
		};

		memcpy(range.device, pci->name, sizeof(range.device));
		if (find_overlap(&range, NULL, true, &owner) != NULL)
			continue;
		other = find_overlap(&range, NULL, false, &owner);
		if (other != NULL && required && owner->args.mode != VFIO_WC_REQUIRED) {
			take_away(owner, other);
			other = NULL;
		}
		if (other != NULL || add_range(request, range.device, range.bar, 0,
				range.length) != NULL)
			continue;
		LOG(ERR, "%s: %s BAR %u: no memory", request->args.name, range.device, range.bar);
		if (required)
			vfio_wc_pci_remove_later(range.device);
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

		while ((range = find_overlap(&request->range[i], request, false, &owner)) != NULL)
			take_away(owner, range);
	}
}

/*
 * What stands or falls as one: an explicit request; of the table, each device by itself. So it is
 * under mode=required: the device that fails is removed, the others have all of their ranges.
 */
static bool
same_group(const struct request *request, const struct vfio_wc_range *a,
		const struct vfio_wc_range *b)
{
	return (is_explicit(request) && request->args.mode != VFIO_WC_REQUIRED) ||
		strcmp(a->device, b->device) == 0;
}

static void
fail_group(struct request *request, const struct vfio_wc_range *failed, const char *why)
{
	/* copied: failed is one of those that get a new reason */
	struct vfio_wc_range key = *failed;
	unsigned int i;

	for (i = 0; i < request->nb_ranges; i++)
		if (same_group(request, &key, &request->range[i])) {
			vfio_wc_range_off(&request->range[i], VFIO_WC_FAILED, why);
			request->range[i].noticed = true;
		}
}

/* What the user can mend in the request, as opposed to what this machine cannot do. */
static bool
is_bad_request(const struct request *request, int err)
{
	return is_explicit(request) &&
		(err == EINVAL || err == EOVERFLOW || err == ERANGE || err == ENODEV);
}

/*
 * Turn on what waits and can be, and what is on already, should it not be so any more. Returns 0,
 * or the negative errno of the first failure that is not mode=auto's to swallow; error describes
 * it.
 */
static int
apply(struct request *request, struct rte_vfio_wc_error *first)
{
	unsigned int i, j;
	int ret = 0;

	for (i = 0; i < request->nb_ranges; i++) {
		struct vfio_wc_range *range = &request->range[i];
		struct rte_vfio_wc_error error = { 0 };
		bool noticed = range->noticed;

		if (range->state != VFIO_WC_WAITING && range->state != VFIO_WC_ON)
			continue;
		/* one of its group has failed before, on another device */
		for (j = 0; j < request->nb_ranges; j++)
			if (request->range[j].state == VFIO_WC_FAILED &&
					same_group(request, range, &request->range[j]))
				break;
		if (j < request->nb_ranges) {
			vfio_wc_range_set(range, VFIO_WC_FAILED,
				"another range of the request failed");
			continue;
		}
		if (vfio_wc_range_on(range, &error) == 0)
			continue;
		if (error.err == EAGAIN) {
			if (range->state == VFIO_WC_ON)
				vfio_wc_range_set(range, VFIO_WC_WAITING, VFIO_WC_UNMAPPED);
			continue;
		}

		fail_group(request, range, reason_of(&error));
		if (request->args.mode == VFIO_WC_AUTO && !is_bad_request(request, error.err)) {
			rte_log(noticed ? RTE_LOG_INFO : RTE_LOG_NOTICE, vfio_wc_logtype,
				"vfio_wc: %s: stays as it is: %s\n", request->args.name,
				error.text);
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

/* The first range of a device that failed under mode=required? */
static bool
is_to_go(const struct request *request, unsigned int i)
{
	unsigned int j;

	for (j = 0; j < i; j++)
		if (strcmp(request->range[j].device, request->range[i].device) == 0)
			return false;
	return request->args.mode == VFIO_WC_REQUIRED && request->range[i].state == VFIO_WC_FAILED;
}

/* Undo a request, as far as it got. */
static void
drop(struct request *request)
{
	unsigned int i;

	for (i = 0; i < request->nb_ranges; i++)
		vfio_wc_range_off(&request->range[i], VFIO_WC_WAITING, "");
	free(request->range);
	free(request);
}

void
vfio_wc_request_refuse(const struct vfio_wc_request *args, bool starting)
{
	unsigned int i;

	if (args->mode != VFIO_WC_REQUIRED)
		return;
	for (i = 0; i < args->nb_ranges; i++)
		vfio_wc_pci_remove(args->range[i].device,
			starting ? VFIO_WC_PCI_ENDS : VFIO_WC_PCI_STAYS);
	if (starting && args->nb_ranges == 0) {
		LOG(ERR, "%s: mode=required cannot be met, of which devices is not known: "
			"the program ends", args->name);
		exit(EXIT_FAILURE);
	}
}

/*
 * Devices that cannot have what is required go; those that have it, or wait, keep the request
 * alive, in which the others wait to be attached again. False: there are none.
 */
static bool
goes_on_without(struct request *request, bool starting)
{
	bool alive = false;
	unsigned int i;

	for (i = 0; i < request->nb_ranges; i++)
		alive |= request->range[i].state != VFIO_WC_FAILED;
	for (i = 0; i < request->nb_ranges; i++)
		if (is_to_go(request, i))
			vfio_wc_pci_remove(request->range[i].device,
				starting ? VFIO_WC_PCI_ENDS :
				alive ? VFIO_WC_PCI_CLOSES : VFIO_WC_PCI_STAYS);
	for (i = 0; i < request->nb_ranges; i++)
		if (request->range[i].state == VFIO_WC_FAILED)
			request->range[i].state = VFIO_WC_WAITING;
	return alive;
}

/* Under mode=required: a device cannot have what was asked for. */
static bool
has_failed(const struct request *request)
{
	unsigned int i;

	for (i = 0; request->args.mode == VFIO_WC_REQUIRED && i < request->nb_ranges; i++)
		if (request->range[i].state == VFIO_WC_FAILED)
			return true;
	return false;
}

static void
keep(struct request *request)
{
	unsigned int i;

	TAILQ_INSERT_TAIL(&requests, request, next);
	for (i = 0; i < request->nb_ranges; i++)
		if (is_explicit(request) && request->range[i].state == VFIO_WC_WAITING)
			LOG(NOTICE, "%s: %s BAR %u: waits for EAL to probe the device",
				request->args.name, request->range[i].device,
				request->range[i].bar);
}

int
vfio_wc_request_add(const struct vfio_wc_request *args, bool starting)
{
	struct rte_vfio_wc_error error;
	struct request *request;
	bool readable, more, less;
	int ret;

	request = calloc(1, sizeof(*request));
	if (request == NULL) {
		LOG(ERR, "%s: no memory", args->name);
		vfio_wc_request_refuse(args, starting);
		return -ENOMEM;
	}
	request->args = *args;
	pthread_mutex_lock(&lock);
	/* what is mapped now is what apply() finds; the rest is for looks */
	if (TAILQ_EMPTY(&requests))
		look_at_maps(&more, &less);
	ret = resolve(request, &error);
	readable = ret == 0;
	if (readable) {
		displace_builtin(request);
		resolve_builtin(request);
		ret = apply(request, &error);
		if (ret == 0 && has_failed(request))
			ret = -error.err;	/* resolve()'s */
		if (ret == 0)
			keep(request);
	} else {
		LOG(ERR, "%s: %s", args->name, error.text);
	}
	pthread_mutex_unlock(&lock);
	if (ret == 0)
		return 0;

	/* without the lock, and not in the list, so that nobody else has the request */
	if (!readable) {
		vfio_wc_request_refuse(args, starting);
	} else if (args->mode == VFIO_WC_REQUIRED && goes_on_without(request, starting)) {
		pthread_mutex_lock(&lock);
		keep(request);
		pthread_mutex_unlock(&lock);
		return 0;
	}
	drop(request);
	/* and what it took from the table */
	if (readable)
		vfio_wc_request_apply_all();
	return ret;
}

bool
vfio_wc_request_remove(const char *name)
{
	struct request *request, *other;
	bool last;

	pthread_mutex_lock(&lock);
	TAILQ_FOREACH(request, &requests, next)
		if (strcmp(request->args.name, name) == 0)
			break;
	if (request != NULL) {
		TAILQ_REMOVE(&requests, request, next);
		drop(request);
	}
	last = TAILQ_EMPTY(&requests);
	/* for the table, not at once and not at the next look: it may be EAL that cleans up */
	looks_to_forget = 0;
	TAILQ_FOREACH(other, &requests, next)
		if (!is_explicit(other))
			looks_to_forget = 2;
	pthread_mutex_unlock(&lock);
	return last;
}

/*
 * Under the lock: meet all requests; refuse is for the devices that cannot have what they must.
 * NULL: those that came late are looked at again.
 */
static void
apply_all(void (*refuse)(const char *bdf))
{
	struct rte_vfio_wc_error error;
	struct request *request;
	unsigned int i;

	TAILQ_FOREACH(request, &requests, next) {
		resolve_builtin(request);
		if (apply(request, &error) == 0)
			continue;
		for (i = 0; refuse != NULL && i < request->nb_ranges; i++)
			if (is_to_go(request, i))
				refuse(request->range[i].device);
		for (i = 0; i < request->nb_ranges; i++)
			if (request->args.mode == VFIO_WC_REQUIRED &&
					request->range[i].state == VFIO_WC_FAILED) {
				request->range[i].state = VFIO_WC_WAITING;
				if (request->range[i].late == 0)
					request->range[i].late = 1;
			}
	}
}

void
vfio_wc_request_apply_all(void)
{
	bool more, less;

	pthread_mutex_lock(&lock);
	look_at_maps(&more, &less);
	apply_all(vfio_wc_pci_remove_later);
	pthread_mutex_unlock(&lock);
}

/* What is required and has never been met, after some seconds: whom does it wait for? */
static void
say_what_waits(struct request *request)
{
	bool waits = request->nb_ranges == 0;
	unsigned int i;

	request->looks++;
	if (waits && request->looks == LOOKS_TO_SAY && request->args.mode == VFIO_WC_REQUIRED)
		LOG(WARNING, "%s: mode=required is of no device: EAL has none that is in the table",
			request->args.name);
	for (i = 0; i < request->nb_ranges; i++) {
		const struct vfio_wc_range *range = &request->range[i];

		if (range->state != VFIO_WC_WAITING || range->fd >= 0)
			continue;
		waits = true;
		if (request->looks == LOOKS_TO_SAY && request->args.mode == VFIO_WC_REQUIRED)
			LOG(WARNING, "%s: %s BAR %u: still waits, mode=required is not met: %s",
				request->args.name, range->device, range->bar, range->reason);
	}
	if (!waits)
		request->looks = 0;
}

/* What is required, and failed, and was neither removed nor met since: nobody shall use it. */
static void
close_late(struct request *request)
{
	struct rte_vfio_wc_error error;
	unsigned int i, j;

	for (i = 0; i < request->nb_ranges; i++) {
		struct vfio_wc_range *range = &request->range[i];

		if (range->late == 0 || ++range->late <= LOOKS_TO_SAY)
			continue;
		range->late = 0;
		if (range->state != VFIO_WC_WAITING || vfio_wc_range_on(range, &error) == 0 ||
				error.err == EAGAIN)
			continue;
		LOG(ERR, "%s: %s", request->args.name, error.text);
		vfio_wc_pci_close(range->device);
		for (j = 0; j < request->nb_ranges; j++)
			if (strcmp(request->range[j].device, range->device) == 0)
				request->range[j].late = 0;
	}
}

void
vfio_wc_request_look(void)
{
	struct request *request;
	bool more, less;
	unsigned int i;

	pthread_mutex_lock(&lock);
	if (looks_to_forget > 0 && --looks_to_forget == 0)
		seen.n = 0;
	look_at_maps(&more, &less);
	if (more)
		apply_all(NULL);
	TAILQ_FOREACH(request, &requests, next) {
		for (i = 0; less && i < request->nb_ranges; i++)
			vfio_wc_range_verify(&request->range[i]);
		close_late(request);
		say_what_waits(request);
	}
	pthread_mutex_unlock(&lock);
}

/*
 * The device of a port, by its name: "<address>", with the address as the user typed it in DPDK
 * before 22.11.8, 23.11.4 and 24.11.2, or "<address>_port..." where there are several. What a
 * representor shows is elsewhere: it comes and goes without the device. False: not a PCI device.
 */
static bool
device_of(const char *port, char bdf[VFIO_WC_BDF_LEN])
{
	char address[VFIO_WC_NAME_LEN];
	size_t n = strcspn(port, "_");

	snprintf(address, sizeof(address), "%.*s", (int)n, port);
	return vfio_wc_bdf(address, bdf) == 0 && strstr(port + n, "representor") == NULL;
}

void
vfio_wc_request_port_gone(const char *port)
{
	char bdf[VFIO_WC_BDF_LEN];
	struct request *request;
	bool is_pci = device_of(port, bdf);
	unsigned int i;

	pthread_mutex_lock(&lock);
	TAILQ_FOREACH(request, &requests, next)
		for (i = 0; i < request->nb_ranges; i++) {
			struct vfio_wc_range *range = &request->range[i];

			if (range->state != VFIO_WC_OFF_BY_MODE && is_pci &&
					strcmp(range->device, bdf) == 0)
				vfio_wc_range_set(range, VFIO_WC_WAITING, "the port was removed");
			else
				vfio_wc_range_verify(range);
		}
	pthread_mutex_unlock(&lock);
}

void
vfio_wc_request_foreach(void (*visit)(const char *id, const struct vfio_wc_request *request,
		const struct vfio_wc_range *range, void *arg), void *arg)
{
	char id[VFIO_WC_ID_LEN];
	struct request *request;
	unsigned int i;

	pthread_mutex_lock(&lock);
	TAILQ_FOREACH(request, &requests, next)
		for (i = 0; i < request->nb_ranges; i++) {
			snprintf(id, sizeof(id), "%s/%u", request->args.name, i);
			/* what is mapped, and not as it should be, is for a look */
			if (!vfio_wc_range_verify(&request->range[i]))
				looks_to_forget = 2;
			visit(id, &request->args, &request->range[i], arg);
		}
	pthread_mutex_unlock(&lock);
}

