/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "telemetry.h"

static void
say_cookies(struct device *d, enum answer answer, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void
say_cookies(struct device *d, enum answer answer, const char *format, ...)
{
	va_list ap;

	d->cookies = answer;
	va_start(ap, format);
	vsnprintf(d->cookies_reason, sizeof(d->cookies_reason), format, ap);
	va_end(ap);
}

static void
learn_from_fd(struct device *d, int fd)
{
	struct rte_vfio_wc_error error;
	unsigned int bar;

	if (rte_vfio_wc_probe(d->sysfs.bdf, fd, &error) == 0) {
		d->cookies = YES;
	} else {
		const char *reason = strstr(error.text, ": ");

		say_cookies(d, error.err == ENOTTY || error.err == EPROTO ? NO : UNKNOWN, "%s",
			reason != NULL ? reason + 2 : error.text);
	}
	d->opened = true;
	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++)
		if (rte_vfio_wc_bar_info(d->sysfs.bdf, fd, bar, &d->info[bar], &error) != 0)
			d->opened = false;
}

/* Ask the kernel, if nobody has the device; otherwise find out who. */
static void
learn_from_vfio(struct device *d, bool may_open, const char *token)
{
	struct vfio_wc_opened opened;
	struct vfio_wc_why why;

	vfio_wc_find_holder(&d->sysfs, &d->user);
	if (d->user.pid != 0) {
		say_cookies(d, UNKNOWN, "%s (pid %d) has the device open", d->user.name,
			d->user.pid);
		return;
	}
	if (!may_open) {
		say_cookies(d, UNKNOWN, "not opened (--no-open)");
		return;
	}
	if (vfio_wc_open(&d->sysfs, token, &opened, &why) != 0) {
		say_cookies(d, UNKNOWN, "%s", why.text);
		return;
	}
	learn_from_fd(d, opened.fd);
	vfio_wc_close(&opened);
}

/* The ranges of the plugin in a DPDK process, by their IDs; NULL, and why. */
static json_t *
ask_plugin(pid_t pid, const char **reason)
{
	json_t *ranges;
	int fd;

	fd = telemetry_connect(pid, 2);
	if (fd < 0) {
		*reason = "it has no DPDK telemetry socket that answers";
		return NULL;
	}
	ranges = telemetry_ask(fd, "/vfio_wc/ranges", NULL);
	close(fd);
	if (ranges == NULL)
		*reason = "it runs without the vfio_wc plugin";
	return ranges;
}

/* What the user's plugin says of this device. */
static void
learn_from_user(struct device *d)
{
	json_t *all, *range;
	const char *id;

	if (d->user.pid == 0)
		return;
	all = ask_plugin(d->user.pid, &d->ranges_reason);
	if (all == NULL)
		return;
	d->ranges = json_array();
	json_object_foreach(all, id, range) {
		const char *device = json_string_value(json_object_get(range, "device"));
		const char *reason = json_string_value(json_object_get(range, "reason"));
		const char *state = json_string_value(json_object_get(range, "state"));

		if (device == NULL || reason == NULL || state == NULL ||
			strcmp(device, d->sysfs.bdf) != 0)
			continue;
		json_array_append(d->ranges, range);
		if (strcmp(state, "on") == 0)
			d->cookies = YES;
		else if (strstr(reason, "no mmap cookies") != NULL)
			say_cookies(d, NO, "%s", reason);
	}
	json_decref(all);
}

static void
learn_memtypes(struct device *d)
{
	unsigned int bar;

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++) {
		const struct vfio_wc_sysfs_bar *b = &d->sysfs.bar[bar];

		if (b->size == 0 || !b->memory)
			continue;
		d->nb_pat[bar] = rte_vfio_wc_pat_list(b->start, b->size, d->pat[bar], MEMTYPES,
			NULL);
		d->nb_mtrr[bar] = rte_vfio_wc_mtrr_list(b->start, b->size, d->mtrr[bar], MEMTYPES,
			NULL);
		if (d->nb_pat[bar] > MEMTYPES)
			d->nb_pat[bar] = MEMTYPES;
		if (d->nb_mtrr[bar] > MEMTYPES)
			d->nb_mtrr[bar] = MEMTYPES;
	}
}

static bool
any_wc(const int *nb, struct rte_vfio_wc_memtype (*list)[MEMTYPES])
{
	unsigned int bar;
	int i;

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++)
		for (i = 0; i < nb[bar]; i++)
			if (strcmp(list[bar][i].type, "WC") == 0)
				return true;
	return false;
}

static bool
pat_is_readable(const struct device *d)
{
	unsigned int bar;

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++)
		if (d->nb_pat[bar] < 0)
			return false;
	return true;
}

static bool
any_bar_offers_wc(const struct device *d)
{
	unsigned int bar;

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++)
		if ((d->info[bar].types & 1U << RTE_VFIO_WC_TYPE_WC) != 0)
			return true;
	return false;
}

/* A range that the plugin has on, WC, or failing that one that is off. */
static const json_t *
range_of(const struct device *d, const char *wanted)
{
	const json_t *range;
	size_t i;

	json_array_foreach(d->ranges, i, range)
		if (strcmp(json_string_value(json_object_get(range, "state")), wanted) == 0 &&
				strcmp(json_string_value(json_object_get(range, "requested")),
					"WC") == 0)
			return range;
	return NULL;
}

#define BECAUSE(d, answer, ...) do { \
	(d)->wc = (answer); \
	snprintf((d)->because, sizeof((d)->because), __VA_ARGS__); \
} while (0)

/* The one sentence. Strong witnesses first. */
static void
conclude(struct device *d)
{
	const json_t *off;

	if (range_of(d, "on") != NULL)
		BECAUSE(d, YES, "the plugin in %s (pid %d) has it from the kernel", d->user.name,
			d->user.pid);
	else if (any_wc(d->nb_pat, d->pat))
		BECAUSE(d, YES, "the kernel's list of memory types says so");
	else if (any_wc(d->nb_mtrr, d->mtrr))
		BECAUSE(d, YES, "an MTRR makes uncached mappings of it write-combining");
	else if ((off = range_of(d, "off")) != NULL)
		BECAUSE(d, NO, "%s", json_string_value(json_object_get(off, "reason")));
	else if (d->cookies == NO)
		BECAUSE(d, NO, "%.400s", d->cookies_reason);
	else if (d->opened && !any_bar_offers_wc(d))
		BECAUSE(d, NO, "the kernel offers no write-combining here "
			"(nopat, or an architecture without it)");
	else if (d->user.pid == 0 && d->cookies == YES)
		BECAUSE(d, NO, "nobody uses the device; the kernel would offer it");
	else if (d->ranges != NULL)
		BECAUSE(d, NO, "the plugin in %s (pid %d) was asked for no range of this device",
			d->user.name, d->user.pid);
	else if (pat_is_readable(d))
		BECAUSE(d, NO, "the kernel's list of memory types has none of it%s%s",
			d->ranges_reason != NULL ? "; as for its user, " : "",
			d->ranges_reason != NULL ? d->ranges_reason : "");
	else
		BECAUSE(d, UNKNOWN, "%.400s, and the kernel's list of memory types cannot be read",
			d->cookies_reason);
}

int
device_learn(struct device *d, const char *address, bool may_open, const char *token)
{
	int ret;

	memset(d, 0, sizeof(*d));
	ret = vfio_wc_sysfs_read(address, &d->sysfs);
	if (ret != 0 || !vfio_wc_sysfs_is_vfio(&d->sysfs))
		return ret;
	learn_from_vfio(d, may_open, token);
	learn_from_user(d);
	learn_memtypes(d);
	conclude(d);
	return 0;
}

void
device_free(struct device *d)
{
	json_decref(d->ranges);
}
