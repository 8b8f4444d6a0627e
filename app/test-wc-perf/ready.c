/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_vfio_wc.h>

#include "missing.h"
#include "ready.h"

#define PAT_LIST "/sys/kernel/debug/x86/pat_memtype_list"

/* What is missing (doc/errors.rst has them all); words: what is looked at, and what mends it. */
static json_t *sentence(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define words(...) sentence(__VA_ARGS__)

static json_t *
sentence(const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_clean(text);
	return json_string(text);
}

/* what: NULL where all is well. Takes the references. */
static void
item(json_t *all, json_t *check, const char *state, json_t *what, json_t *mend)
{
	json_array_append_new(all, json_pack("{so ss so* so*}", "check", check, "state", state,
		"what", what, "mend", mend));
}

static void
ready(json_t *all, json_t *check)
{
	item(all, check, "ready", NULL, NULL);
}

/* A folder may be entered: that is the same bit. */
static bool
may_run(const char *path)
{
	struct stat file;

	return access(path, X_OK) == 0 && stat(path, &file) == 0 && S_ISREG(file.st_mode);
}

/* Is there such a program, by path or in PATH? */
static bool
program_exists(const char *name)
{
	const char *path = getenv("PATH");
	char *copy, *rest, *dir, file[PATH_MAX];
	bool found = false;

	if (strchr(name, '/') != NULL || path == NULL)
		return may_run(name);
	copy = strdup(path);
	rest = copy;
	while (copy != NULL && !found && (dir = strsep(&rest, ":")) != NULL) {
		snprintf(file, sizeof(file), "%s/%s", dir, name);
		found = may_run(file);
	}
	free(copy);
	return found;
}

static void
program(json_t *all, const char *name, const char *option)
{
	if (program_exists(name))
		ready(all, words("program %s", name));
	else
		item(all, words("program %s", name), "missing",
			sentence("%s: no such program", name), words("see %s", option));
}

/* Free hugepage memory on a node, MB; of pages of any size. */
static unsigned long
free_hugepages(int node)
{
	static const struct {
		const char *name;
		unsigned long mb;
	} sizes[] = { { "2048kB", 2 }, { "32768kB", 32 }, { "524288kB", 512 },
		{ "1048576kB", 1024 } };
	unsigned long pages, mb = 0;
	char path[128];
	size_t i;
	FILE *f;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(path, sizeof(path), "/sys/devices/system/node/node%d/hugepages/"
			"hugepages-%s/free_hugepages", node, sizes[i].name);
		f = fopen(path, "re");
		if (f == NULL) {
			snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%s/"
				"free_hugepages", sizes[i].name);
			f = fopen(path, "re");
		}
		if (f == NULL)
			continue;
		if (fscanf(f, "%lu", &pages) == 1)
			mb += pages * sizes[i].mb;
		fclose(f);
	}
	return mb;
}

void
ready_driver(json_t *all, const struct vfio_wc_sysfs *dev)
{
	if (vfio_wc_sysfs_is_vfio(dev))
		ready(all, words("device %s: driver", dev->bdf));
	else
		item(all, words("device %s: driver", dev->bdf), "missing",
			sentence("device %s is not bound to vfio-pci but to %s", dev->bdf,
				dev->driver[0] != '\0' ? dev->driver : "no driver"),
			words("dpdk-devbind.py --bind=vfio-pci %s", dev->bdf));
}

void
ready_device(json_t *all, const struct args *a, const struct target *t)
{
	const struct vfio_wc_sysfs *dev = &t->dev;
	const int node = t->place.node;
	const unsigned long mb = free_hugepages(node);

	ready_driver(all, dev);
	if (mb >= a->mem_mb)
		ready(all, words("hugepages on node %d", node));
	else
		item(all, words("hugepages on node %d", node), "missing",
			sentence("%lu MB of hugepages free on node %d, %u MB needed", mb, node,
				a->mem_mb),
			words("see --mem, or: echo N > /sys/devices/system/node/node%d/"
				"hugepages/hugepages-2048kB/nr_hugepages", node));
}

void
ready_programs(json_t *all, const struct args *a)
{
	const bool maps = args_maps_any(a);

	program(all, a->testpmd, "--testpmd");
	if (maps && a->wc_by == WC_BY_RUN)
		program(all, a->run, "--run");
	if (maps && a->wc_by == WC_BY_PLUGIN) {
		if (access(a->plugin, R_OK) == 0)
			ready(all, words("plugin %s", a->plugin));
		else
			item(all, words("plugin %s", a->plugin), "missing",
				sentence("plugin %s: %s", a->plugin, strerror(errno)),
				words("see --plugin"));
	}
}

/* May we have the device, and does anybody else? */
static bool
ask_device(json_t *all, const struct vfio_wc_sysfs *dev)
{
	struct vfio_wc_holder holder;
	json_t *check = words("device %s: ours to open", dev->bdf);
	char group[64], noiommu[64], cdev[64];
	const char *node = group;

	snprintf(group, sizeof(group), "/dev/vfio/%s", dev->group);
	snprintf(noiommu, sizeof(noiommu), "/dev/vfio/noiommu-%s", dev->group);
	snprintf(cdev, sizeof(cdev), "/dev/vfio/devices/%s", dev->cdev);
	if (access(node, F_OK) != 0 && access(noiommu, F_OK) == 0)
		node = noiommu;
	if (access(node, F_OK) != 0 && dev->cdev[0] != '\0')
		node = cdev;
	vfio_wc_find_holder(dev, 0, &holder);
	if (holder.pid != 0)
		item(all, check, "missing",
			sentence("device %s: %s (pid %d) has it open", dev->bdf, holder.name,
				holder.pid),
			words("end that program"));
	else if (access(node, R_OK | W_OK) != 0)
		item(all, check, "missing",
			sentence("device %s: %s: %s", dev->bdf, node, strerror(errno)),
			words("be root, or: chown USER %s", node));
	else
		ready(all, check);
	return holder.pid == 0 && access(node, R_OK | W_OK) == 0;
}

/* What the kernel says that has the device: opened for a moment, which resets it. */
static void
ask_kernel(json_t *all, const struct vfio_wc_sysfs *dev)
{
	json_t *check = words("device %s: its kernel maps write-combined", dev->bdf);
	struct rte_vfio_wc_error error;
	struct vfio_wc_opened opened;
	struct vfio_wc_why why;

	if (vfio_wc_open(dev, NULL, &opened, &why) != 0) {
		item(all, check, "missing", sentence("device %s: %s", dev->bdf, why.text), NULL);
		return;
	}
	if (rte_vfio_wc_probe(dev->bdf, opened.fd, &error) == 0)
		ready(all, check);
	else
		item(all, check, "missing", sentence("%s", error.text),
			words("kernel-patch/vfio-wc-modules install"));
	vfio_wc_close(&opened);
}

static void
advise_cpu(json_t *all, unsigned int cpu)
{
	char path[128], governor[32] = "performance";
	FILE *f;

	if (place_is_isolated(cpu))
		ready(all, words("lcore %u: isolated", cpu));
	else
		item(all, words("lcore %u: isolated", cpu), "advice",
			sentence("lcore %u is not isolated: other tasks run there, too", cpu),
			words("isolcpus=%u nohz_full=%u rcu_nocbs=%u for the kernel (GRUB_"
				"CMDLINE_LINUX in /etc/default/grub; update-grub; reboot)", cpu,
				cpu, cpu));
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor",
		cpu);
	f = fopen(path, "re");
	if (f == NULL)
		return; /* its frequency is nobody's business here */
	if (fscanf(f, "%31s", governor) == 1 && strcmp(governor, "performance") != 0)
		item(all, words("lcore %u: governor", cpu), "advice",
			sentence("lcore %u changes its frequency (governor %s)", cpu, governor),
			words("echo performance > %s", path));
	else
		ready(all, words("lcore %u: governor", cpu));
	fclose(f);
}

void
ready_ask(json_t *all, const struct args *a, const struct target *t)
{
	unsigned int i;

	if (vfio_wc_sysfs_is_vfio(&t->dev) && ask_device(all, &t->dev) && args_maps_any(a))
		ask_kernel(all, &t->dev);
	for (i = 1; i < t->place.lcores.n; i++)
		advise_cpu(all, t->place.lcores.v[i]);
	if (a->witness == NULL && access(PAT_LIST, R_OK) != 0)
		item(all, words("list of memory types"), "advice",
			sentence(PAT_LIST ": %s: what is mapped by nobody but the PMD has no "
				"witness", strerror(errno)),
			words("be root; mount -t debugfs debugfs /sys/kernel/debug"));
}

void
ready_machine(json_t *all, bool all_bound)
{
	json_t *missing, *one;
	size_t i;

	if (all_bound)
		return;
	missing = missing_learn(false);
	json_array_foreach(missing, i, one)
		item(all, words("VFIO"), "missing", json_incref(json_object_get(one, "what")),
			json_incref(json_object_get(one, "mend")));
	json_decref(missing);
}

void
ready_wrong(json_t *all, const char *check)
{
	item(all, json_string(check), "missing", json_string(fail_text()), NULL);
}

void
ready_failed(json_t *all, const char *check)
{
	ready_wrong(all, check);
	fail_reset();
}

void
ready_warnings(json_t *all)
{
	unsigned int i;

	for (i = 0; warn_text(i) != NULL; i++)
		item(all, words("placement"), "advice", json_string(warn_text(i)), NULL);
}

static const char *
text_of(const json_t *one, const char *name)
{
	return json_string_value(json_object_get(one, name));
}

static bool
is_missing(const json_t *one)
{
	return strcmp(text_of(one, "state"), "missing") == 0;
}

enum wc_status
ready_or_fail(const json_t *all)
{
	const json_t *one;
	size_t i;

	json_array_foreach(all, i, one)
		if (is_missing(one))
			return fail(WC_ENVIRONMENT, "%s; %s", text_of(one, "what"),
				text_of(one, "mend"));
	return WC_OK;
}

bool
ready_text(const json_t *all, FILE *f)
{
	const json_t *one;
	bool is_ready = true;
	size_t i;

	json_array_foreach(all, i, one) {
		const char *what = text_of(one, "what"), *mend = text_of(one, "mend");

		is_ready = is_ready && !is_missing(one);
		fprintf(f, "%-8s %s\n", text_of(one, "state"),
			what != NULL ? what : text_of(one, "check"));
		if (mend != NULL)
			fprintf(f, "             %s\n", mend);
	}
	return is_ready;
}
