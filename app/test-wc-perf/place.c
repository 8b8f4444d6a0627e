/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include <numa.h>

#include "place.h"

#define ISOLATED "/sys/devices/system/cpu/isolated"

/* The first CPU that shares cpu's core, or cpu itself. */
static unsigned int
core_of(unsigned int cpu)
{
	char path[128];
	unsigned int first = cpu;
	FILE *f;

	snprintf(path, sizeof(path),
		"/sys/devices/system/cpu/cpu%u/topology/thread_siblings_list", cpu);
	f = fopen(path, "re");
	if (f != NULL) {
		if (fscanf(f, "%u", &first) != 1)
			first = cpu;
		fclose(f);
	}
	return first;
}

/*
 * Add CPUs that we may use, on node (-1: any), until there are want. own_core: only CPUs on
 * whose core there is no lcore yet.
 */
static void
add_cpus(struct list *lcores, unsigned int want, const struct bitmask *allowed, int node,
	bool own_core)
{
	unsigned int cpu, i;

	for (cpu = 0; cpu < allowed->size && lcores->n < want; cpu++) {
		if (!numa_bitmask_isbitset(allowed, cpu) ||
				(node >= 0 && numa_node_of_cpu(cpu) != node))
			continue;
		for (i = 0; i < lcores->n; i++)
			if (lcores->v[i] == cpu ||
					(own_core && core_of(lcores->v[i]) == core_of(cpu)))
				break;
		if (i == lcores->n)
			lcores->v[lcores->n++] = cpu;
	}
}

/*
 * CPUs that the kernel leaves alone (isolcpus=): no task is put there that does not ask for it, so
 * they are not among those that we run on, and measure best. The next ones in the kernel's list.
 */
static bool
next_isolated(FILE *f, unsigned int *first, unsigned int *last)
{
	/* "1-3,5"; an empty line where there are none */
	if (f == NULL || fscanf(f, "%u", first) != 1)
		return false;
	if (fscanf(f, "-%u", last) != 1)
		*last = *first;
	fgetc(f); /* the comma */
	return true;
}

bool
place_is_isolated(unsigned int cpu)
{
	FILE *f = fopen(ISOLATED, "re");
	unsigned int first, last;
	bool found = false;

	while (!found && next_isolated(f, &first, &last))
		found = first <= cpu && cpu <= last;
	if (f != NULL)
		fclose(f);
	return found;
}

/* Those that we may ask for. */
static struct bitmask *
isolated_cpus(struct bitmask *allowed)
{
	struct bitmask *isolated = numa_allocate_cpumask(), *one = numa_allocate_cpumask();
	FILE *f = fopen(ISOLATED, "re");
	unsigned int first, last;

	while (next_isolated(f, &first, &last))
		for (; first <= last && first < isolated->size; first++) {
			numa_bitmask_setbit(numa_bitmask_clearall(one), first);
			/* a cpuset may keep it from us */
			if (numa_sched_setaffinity(0, one) >= 0)
				numa_bitmask_setbit(isolated, first);
		}
	if (f != NULL)
		fclose(f);
	numa_sched_setaffinity(0, allowed);
	numa_free_cpumask(one);
	return isolated;
}

/*
 * The main lcore, which waits for commands, where other tasks are, too. Those that forward:
 * isolated CPUs of the device's node, then others of it, then any.
 */
static enum wc_status
choose_lcores(const struct args *a, int node, struct list *lcores)
{
	const unsigned int want = a->cores + 1;
	struct bitmask *allowed = numa_allocate_cpumask(), *isolated;
	unsigned int cpu, n, on_node;

	if (numa_sched_getaffinity(0, allowed) < 0) {
		numa_free_cpumask(allowed);
		return fail(WC_ENVIRONMENT, "cannot read the CPUs allowed: %s", strerror(errno));
	}
	isolated = isolated_cpus(allowed);
	for (cpu = 0; cpu < allowed->size; cpu++)
		if (numa_bitmask_isbitset(isolated, cpu))
			numa_bitmask_clearbit(allowed, cpu);
	add_cpus(lcores, 1, allowed, node, true);
	if (numa_bitmask_weight(isolated) > 0)
		add_cpus(lcores, 1, allowed, -1, true);
	n = lcores->n;
	add_cpus(lcores, want, isolated, node, true);
	add_cpus(lcores, want, isolated, node, false);
	n = lcores->n - n;
	add_cpus(lcores, want, allowed, node, true);
	add_cpus(lcores, want, allowed, node, false);
	on_node = lcores->n;
	if (on_node < want && node >= 0) {
		add_cpus(lcores, want, isolated, -1, true);
		add_cpus(lcores, want, isolated, -1, false);
		add_cpus(lcores, want, allowed, -1, false);
		warn("node %d has only %u CPUs for %u lcores: some run on another node", node,
			on_node, want);
	} else if (numa_bitmask_weight(isolated) > 0 && n < a->cores) {
		warn("only %u of %u forwarding lcores are on isolated CPUs", n, a->cores);
	}
	numa_free_cpumask(isolated);
	numa_free_cpumask(allowed);
	if (lcores->n < want)
		return fail(WC_ENVIRONMENT, "%u CPUs needed (main and %u forwarding), %u allowed",
			want, a->cores, lcores->n);
	return WC_OK;
}

/* Before testpmd says so, in the words of its EAL. */
static enum wc_status
check_lcores(const struct list *lcores)
{
	struct bitmask *allowed = numa_allocate_cpumask(), *one = numa_allocate_cpumask();
	enum wc_status st = WC_OK;
	unsigned int i;

	if (numa_sched_getaffinity(0, allowed) < 0)
		st = fail(WC_ENVIRONMENT, "cannot read the CPUs allowed: %s", strerror(errno));
	for (i = 0; st == WC_OK && i < lcores->n; i++) {
		numa_bitmask_setbit(numa_bitmask_clearall(one), lcores->v[i]);
		if (numa_sched_setaffinity(0, one) < 0)
			st = fail(WC_ENVIRONMENT, "lcore %u: no such CPU, or it is offline, or "
				"none that we may run on", lcores->v[i]);
	}
	numa_sched_setaffinity(0, allowed);
	numa_free_cpumask(one);
	numa_free_cpumask(allowed);
	return st;
}

enum wc_status
place_choose(const struct args *a, const struct vfio_wc_sysfs *dev, struct place *p)
{
	enum wc_status st = WC_OK;
	unsigned int i;
	bool have_numa;

	memset(p, 0, sizeof(*p));
	have_numa = numa_available() >= 0;
	if (!have_numa)
		warn("no NUMA support in this kernel: lcores and memory are anywhere");
	p->node = have_numa ? dev->node : -1;
	if (have_numa && p->node < 0 && numa_max_node() > 0)
		warn("the platform does not say which node device %s is on", dev->bdf);

	p->lcores = a->lcores;
	if (p->lcores.n == 0)
		st = choose_lcores(a, p->node, &p->lcores);
	else
		st = check_lcores(&p->lcores);
	if (st != WC_OK)
		return st;
	/* Where the node is not known, memory goes where the forwarding lcores are. */
	if (p->node < 0 && have_numa)
		p->node = numa_node_of_cpu(p->lcores.v[1]);
	if (p->node < 0)
		p->node = 0;
	for (i = 0; have_numa && i < p->lcores.n; i++)
		if (numa_node_of_cpu(p->lcores.v[i]) != p->node)
			warn("lcore %u is not on node %d, where the device and its memory are",
				p->lcores.v[i], p->node);

	return WC_OK;
}

enum wc_status
place_self(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		return fail(WC_ENVIRONMENT, "CPU %u: %s", cpu, strerror(errno));
	return WC_OK;
}
