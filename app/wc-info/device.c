/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdarg.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "run.h"
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

/* A group that vfio makes in no-IOMMU mode has this name. */
static bool
is_noiommu(const struct device *d)
{
	char path[96], name[32] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%s/name", d->sysfs.group);
	f = fopen(path, "re");
	if (f != NULL && fgets(name, sizeof(name), f) == NULL)
		name[0] = '\0';
	if (f != NULL)
		fclose(f);
	return strncmp(name, "vfio-noiommu", strlen("vfio-noiommu")) == 0;
}

/* Ask the kernel of a device that nobody has, if that is wanted. */
static void
learn_from_vfio(struct device *d, bool may_open, const char *token)
{
	struct vfio_wc_opened opened;
	struct vfio_wc_why why;

	d->not_asked = !may_open;
	if (d->not_asked) {
		say_cookies(d, UNKNOWN, "not asked; --open asks the kernel");
		return;
	}
	if (vfio_wc_open(&d->sysfs, token, &opened, &why) != 0) {
		say_cookies(d, UNKNOWN, "%s", why.text);
		return;
	}
	learn_from_fd(d, opened.fd);
	vfio_wc_close(&opened);
}

/* "llq_policy=0", "enable_llq=0" (DPDK 22.11 to 23.11): ENA's word for "do not push". */
static bool
is_no_push(const char *devarg)
{
	const char *value = strchr(devarg, '=');
	char *end;

	if (value == NULL || (strncmp(devarg, "llq_policy=", 11) != 0 &&
			strncmp(devarg, "enable_llq=", 11) != 0))
		return false;
	return strtoul(value + 1, &end, 0) == 0 && end != value + 1;
}

/* In EAL's parameters: "-a", "0000:00:07.0,llq_policy=0"; "--allow=00:07.0,llq_policy=0" */
static void
learn_no_push(struct device *d, const json_t *params)
{
	char copy[256], bdf[VFIO_WC_BDF_LEN], *rest, *word;
	const json_t *param;
	size_t i;

	json_array_foreach(params, i, param) {
		snprintf(copy, sizeof(copy), "%s", json_is_string(param) ?
			json_string_value(param) : "");
		rest = copy;
		if (strncmp(rest, "--allow=", 8) == 0)
			rest += 8;
		else if (strncmp(rest, "-a", 2) == 0)
			rest += 2;
		word = strsep(&rest, ",");
		if (vfio_wc_bdf(word, bdf) != 0 || strcmp(bdf, d->sysfs.bdf) != 0)
			continue;
		while ((word = strsep(&rest, ",")) != NULL)
			if (is_no_push(word))
				snprintf(d->no_push, sizeof(d->no_push), "%.*s",
					(int)sizeof(d->no_push) - 1, word);
	}
}

/*
 * An answer of DPDK's has 16384 bytes, and silently lacks what does not fit: who has more is asked
 * for one after the other.
 */
static void
ask_for_each(int fd, json_t *ranges)
{
	json_t *ids = telemetry_ask(fd, "/vfio_wc/list", NULL), *range;
	char command[128];
	const json_t *id;
	size_t i;

	if (json_array_size(ids) > json_object_size(ranges)) {
		json_object_clear(ranges);
		json_array_foreach(ids, i, id) {
			snprintf(command, sizeof(command), "/vfio_wc/info,%.100s",
				json_is_string(id) ? json_string_value(id) : "");
			range = telemetry_ask(fd, command, NULL);
			if (range != NULL)
				json_object_set_new(ranges, json_string_value(id), range);
		}
	}
	json_decref(ids);
}

/* The ranges of the plugin in a DPDK process, by their IDs; NULL, and why. */
static json_t *
ask_plugin(struct device *d)
{
	json_t *ranges, *params;
	int fd;

	fd = telemetry_connect(d->user.pid, 2);
	if (fd < 0) {
		d->ranges_reason = "it has no DPDK telemetry socket that answers";
		return NULL;
	}
	ranges = telemetry_ask(fd, "/vfio_wc/ranges", NULL);
	if (ranges == NULL && errno == ENOENT) {
		d->ranges_reason = "it runs without the vfio_wc plugin";
	} else if (!json_is_object(ranges)) {
		d->ranges_reason = "its DPDK telemetry does not answer, or nothing that makes "
			"sense";
		json_decref(ranges);
		ranges = NULL;
	} else {
		ask_for_each(fd, ranges);
	}
	params = telemetry_ask(fd, "/eal/params", NULL);
	learn_no_push(d, params);
	json_decref(params);
	close(fd);
	return ranges;
}

static bool
is_range(const json_t *range, const char *state)
{
	return strcmp(json_string_value(json_object_get(range, "state")), state) == 0 &&
		strcmp(json_string_value(json_object_get(range, "requested")), "WC") == 0;
}

/* Does the kernel's list of memory types have all of the range as WC? */
static enum answer
kernel_has(const struct device *d, const json_t *range)
{
	const uint64_t bar = json_integer_value(json_object_get(range, "bar"));
	const uint64_t offset = json_integer_value(json_object_get(range, "offset"));
	const uint64_t length = json_integer_value(json_object_get(range, "length"));
	struct rte_vfio_wc_memtype list[MEMTYPES];
	uint64_t next, end;
	int i, n;

	/* a range that there is not */
	if (bar >= RTE_VFIO_WC_BARS || offset >= d->sysfs.bar[bar].size || length == 0 ||
			length > d->sysfs.bar[bar].size - offset)
		return NO;
	next = d->sysfs.bar[bar].start + offset;
	end = next + length;
	n = rte_vfio_wc_pat_list(next, end - next, list, MEMTYPES, NULL);
	if (n < 0 || n > MEMTYPES)
		return UNKNOWN;
	/* sorted by start */
	for (i = 0; i < n && list[i].start <= next && strcmp(list[i].type, "WC") == 0; i++)
		if (list[i].start + list[i].length > next)
			next = list[i].start + list[i].length;
	return i == n && next >= end ? YES : NO;
}

/* What the user says is what it remembers: the kernel's list is how it is. */
static void
compare_with_kernel(struct device *d, json_t *range)
{
	const enum answer has = kernel_has(d, range);

	json_object_set_new(range, "in_kernel_list",
		has == UNKNOWN ? json_null() : json_boolean(has == YES));
	d->disagree = d->disagree || has == NO;
}

static void
learn_range(struct device *d, json_t *range, const char *by)
{
	const char *device = json_string_value(json_object_get(range, "device"));
	const char *reason = json_string_value(json_object_get(range, "reason"));

	if (device == NULL || reason == NULL || strcmp(device, d->sysfs.bdf) != 0 ||
			!json_is_string(json_object_get(range, "state")) ||
			!json_is_string(json_object_get(range, "requested")))
		return;
	json_object_set_new(range, "by", json_string(by));
	json_array_append(d->ranges, range);
	if (is_range(range, "on"))
		compare_with_kernel(d, range);
	if (strcmp(json_string_value(json_object_get(range, "state")), "on") == 0)
		d->cookies = YES;
	else if (strstr(reason, "no mmap cookies") != NULL)
		say_cookies(d, NO, "%s", reason);
}

/* What the user's plugin, or the vfio-wc-run that it was started by, says of this device. */
static void
learn_from_user(struct device *d)
{
	json_t *plugins, *runs, *range;
	const char *id;
	size_t i;

	say_cookies(d, UNKNOWN, "%s (pid %d) has the device open", d->user.name, d->user.pid);
	d->no_push[0] = '\0';
	json_decref(d->ranges);
	d->ranges = NULL;
	plugins = ask_plugin(d);
	runs = run_ranges(d->user.pid, &d->sysfs);
	if (plugins == NULL && runs == NULL)
		return;
	d->asked = runs != NULL ? "vfio-wc-run" : "the plugin";
	d->ranges_reason = NULL;
	d->ranges = json_array();
	json_object_foreach(plugins, id, range)
		learn_range(d, range, "plugin");
	json_array_foreach(runs, i, range)
		learn_range(d, range, "vfio-wc-run");
	json_decref(plugins);
	json_decref(runs);
}

/*
 * Processes can have the device together: primary and secondary ones, those that hand it over. Of
 * these the first that knows of ranges is taken, otherwise the first.
 */
static void
learn_from_users(struct device *d)
{
	const struct vfio_wc_holder first = d->user;
	unsigned int n;

	for (n = 0; d->user.pid != 0; n++) {
		learn_from_user(d);
		if (json_array_size(d->ranges) > 0)
			return;
		vfio_wc_find_holder(&d->sysfs, d->user.pid, &d->user);
	}
	d->user = first;
	if (n > 1)
		learn_from_user(d);
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
any_wc_in(int nb, const struct rte_vfio_wc_memtype *list)
{
	int i;

	for (i = 0; i < nb; i++)
		if (strcmp(list[i].type, "WC") == 0)
			return true;
	return false;
}

static bool
any_wc(const int *nb, struct rte_vfio_wc_memtype (*list)[MEMTYPES])
{
	unsigned int bar;

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++)
		if (any_wc_in(nb[bar], list[bar]))
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

/* A WC range of the plugin that is on or off; of several that are on, one not in the list first. */
static const json_t *
range_of(const struct device *d, const char *state)
{
	const json_t *range, *found = NULL;
	size_t i;

	json_array_foreach(d->ranges, i, range)
		if (is_range(range, state) && (found == NULL ||
				json_is_false(json_object_get(range, "in_kernel_list"))))
			found = range;
	return found;
}

#define BECAUSE(d, answer, ...) do { \
	(d)->wc = (answer); \
	snprintf((d)->because, sizeof((d)->because), __VA_ARGS__); \
} while (0)

static void
conclude_on(struct device *d, const json_t *range)
{
	const char *by = json_string_value(json_object_get(range, "by"));
	const char *the = strcmp(by, "plugin") == 0 ? "the " : "";
	const uint64_t offset = json_integer_value(json_object_get(range, "offset"));

	if (d->disagree)
		BECAUSE(d, NO, "the kernel's list of memory types does not have BAR %d [0x%" PRIx64
			", 0x%" PRIx64 ") as WC; %s%s in %s (pid %d) says that it is on: "
			"they disagree", (int)json_integer_value(json_object_get(range, "bar")),
			offset, offset + (uint64_t)json_integer_value(
			json_object_get(range, "length")), the, by, d->user.name, d->user.pid);
	else
		BECAUSE(d, YES, "%s%s in %s (pid %d) has it from the kernel%s", the, by,
			d->user.name, d->user.pid,
			json_is_null(json_object_get(range, "in_kernel_list")) ?
			", it says; the kernel's list of memory types cannot be read" : "");
}

static void
conclude_off(struct device *d, const json_t *range)
{
	const uint64_t bar = json_integer_value(json_object_get(range, "bar"));
	const struct vfio_wc_holder *mapper = &d->mapper[bar % RTE_VFIO_WC_BARS];
	const char *reason = json_string_value(json_object_get(range, "reason"));

	/* EBUSY, as the library says it */
	if (mapper->pid != 0 && strstr(reason, "held with another memory type") != NULL)
		BECAUSE(d, NO, "%.400s: %s (pid %d) has BAR %d mapped through sysfs", reason,
			mapper->name, mapper->pid, (int)bar);
	else
		BECAUSE(d, NO, "%s", reason);
}

/* Not the user's: it may be that of one who has it mapped through sysfs (resourceN_wc). */
static void
conclude_listed(struct device *d)
{
	const struct vfio_wc_holder *mapper = NULL;
	unsigned int bar;

	for (bar = 0; bar < RTE_VFIO_WC_BARS; bar++)
		if (d->mapper[bar].pid != 0 && any_wc_in(d->nb_pat[bar], d->pat[bar]))
			mapper = &d->mapper[bar];
	if (mapper != NULL)
		BECAUSE(d, YES, "the kernel's list of memory types says so, for %s (pid %d), which "
			"has it mapped through sysfs", mapper->name, mapper->pid);
	else
		BECAUSE(d, YES, "the kernel's list of memory types says so");
}

/* The one sentence. Strong witnesses first. */
static void
conclude(struct device *d)
{
	const json_t *range;

	if ((range = range_of(d, "on")) != NULL)
		conclude_on(d, range);
	else if ((range = range_of(d, "off")) != NULL && kernel_has(d, range) == NO &&
			!any_wc(d->nb_mtrr, d->mtrr))
		conclude_off(d, range);
	else if (any_wc(d->nb_pat, d->pat))
		conclude_listed(d);
	else if (any_wc(d->nb_mtrr, d->mtrr))
		BECAUSE(d, YES, "an MTRR makes uncached mappings of it write-combining");
	else if ((range = range_of(d, "off")) != NULL)
		conclude_off(d, range);
	else if (d->cookies == NO)
		BECAUSE(d, NO, "%.400s", d->cookies_reason);
	else if (d->opened && !any_bar_offers_wc(d))
		BECAUSE(d, NO, "the kernel offers no write-combining here "
			"(nopat, or an architecture without it)");
	else if (d->user.pid == 0 && d->cookies == YES)
		BECAUSE(d, NO, "nobody uses the device; the kernel would offer it");
	else if (d->ranges != NULL)
		BECAUSE(d, NO, "%s in %s (pid %d) was asked for no range of this device",
			d->asked, d->user.name, d->user.pid);
	else if (pat_is_readable(d))
		BECAUSE(d, NO, "%sthe kernel's list of memory types has none of it%s%s",
			d->user.pid == 0 ? "nobody is seen to use the device, and " : "",
			d->ranges_reason != NULL ? "; as for its user, " : "",
			d->ranges_reason != NULL ? d->ranges_reason : "");
	else
		BECAUSE(d, UNKNOWN, "%.400s, and the kernel's list of memory types cannot be read",
			d->not_asked ? "nobody is seen to use the device" : d->cookies_reason);
}

/* Others' words, perhaps cut within a character: JSON takes UTF-8 only, a terminal everything. */
static void
make_plain(char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

int
device_learn(struct device *d, const char *address, bool may_open, const char *token)
{
	int ret;

	memset(d, 0, sizeof(*d));
	ret = vfio_wc_sysfs_read(address, &d->sysfs);
	if (ret != 0 || !vfio_wc_sysfs_is_vfio(&d->sysfs))
		return ret;
	d->noiommu = is_noiommu(d);
	vfio_wc_find_mappers(&d->sysfs, d->mapper);
	vfio_wc_find_holder(&d->sysfs, 0, &d->user);
	if (d->user.pid != 0)
		learn_from_users(d);
	else
		learn_from_vfio(d, may_open, token);
	learn_memtypes(d);
	conclude(d);
	make_plain(d->cookies_reason);
	make_plain(d->no_push);
	make_plain(d->because);
	return 0;
}

void
device_free(struct device *d)
{
	json_decref(d->ranges);
}
