/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "commit.h"
#include "environment.h"

/* FNV-1a of 64 bits (Fowler, Noll, Vo): tells builds apart, and keeps what it is of to itself. */
#define FNV_BASIS 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

static json_t *
text_json(const char *text)
{
	char *copy = strdup(text);
	json_t *j;

	if (copy == NULL)
		abort();
	text_clean(copy);
	j = json_string(copy);
	free(copy);
	return j;
}

json_t *
environment_words(const char *const *words)
{
	json_t *all = json_array();

	for (; words != NULL && *words != NULL; words++)
		json_array_append_new(all, text_json(*words));
	return all;
}

/* The first line of a file; null: there is none. */
static json_t *
line_of(const char *path)
{
	char line[2048] = "";
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return json_null();
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	fclose(f);
	line[strcspn(line, "\n")] = '\0';
	return text_json(line);
}

static json_t *
hash_of(const char *path)
{
	FILE *f = fopen(path, "re");
	uint64_t hash = FNV_BASIS;
	int c;

	if (f == NULL)
		return json_null();
	while ((c = getc(f)) != EOF)
		hash = (hash ^ (uint64_t)c) * FNV_PRIME;
	fclose(f);
	return json_sprintf("fnv1a64:%016" PRIx64, hash);
}

/* What /proc/cpuinfo says of the first CPU; null: nothing under such a name. */
static json_t *
cpuinfo(const char *name)
{
	json_t *found = json_null();
	char line[256];
	FILE *f = fopen("/proc/cpuinfo", "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		const size_t n = strlen(name);

		if (strncmp(line, name, n) != 0 || strchr("\t :", line[n]) == NULL ||
				strchr(line, ':') == NULL)
			continue;
		line[strcspn(line, "\n")] = '\0';
		found = text_json(line + strcspn(line, ":") + 1 +
			strspn(line + strcspn(line, ":") + 1, " "));
		break;
	}
	if (f != NULL)
		fclose(f);
	return found;
}

/* x86 has a name there; arm64 two numbers. */
static json_t *
cpu_name(void)
{
	json_t *name = cpuinfo("model name"), *part;

	if (!json_is_null(name))
		return name;
	name = cpuinfo("CPU implementer");
	part = cpuinfo("CPU part");
	if (json_is_null(name) || json_is_null(part))
		return json_string("unknown");
	return json_sprintf("implementer %s, part %s", json_string_value(name),
		json_string_value(part));
}

/* The name that the hypervisor gives itself; says nothing about what it does with types. */
static json_t *
hypervisor_name(void)
{
#if defined(__x86_64__) || defined(__i386__)
	uint32_t eax, signature[3];
	uint32_t ecx = 0, ebx, edx;
	char name[16];

	__asm__ volatile("cpuid" : "=a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx) : "0"(1));
	if ((ecx & 1u << 31) == 0)
		return json_string("none");
	ecx = 0;
	__asm__ volatile("cpuid" : "=a"(eax), "=b"(signature[0]), "+c"(ecx), "=d"(signature[2])
		: "0"(0x40000000));
	signature[1] = ecx;
	snprintf(name, sizeof(name), "%.12s", (const char *)signature);
	return text_json(name);
#else
	return json_string("unknown");
#endif
}

static json_t *
hugepages(void)
{
	static const char *const sizes[] = { "64kB", "2048kB", "32768kB", "524288kB", "1048576kB" };
	json_t *all = json_object(), *n;
	char path[96];
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%s/nr_hugepages",
			sizes[i]);
		n = line_of(path);
		if (json_is_string(n))
			json_object_set_new(all, sizes[i],
				json_integer(strtoll(json_string_value(n), NULL, 10)));
		json_decref(n);
	}
	return all;
}

json_t *
environment_iommu(const struct vfio_wc_sysfs *dev)
{
	char path[64];

	if (dev->group[0] == '\0')
		return json_null();
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%s/type", dev->group);
	return line_of(path);
}

json_t *
environment_machine(unsigned int cpu)
{
	static const struct {
		const char *key;
		const char *path;
	} files[] = {
		{ "host_id", "/etc/machine-id" },
		{ "command_line", "/proc/cmdline" },
		{ "smt", "/sys/devices/system/cpu/smt/control" },
		{ "isolated", "/sys/devices/system/cpu/isolated" },
		{ "nohz_full", "/sys/devices/system/cpu/nohz_full" },
		{ "online", "/sys/devices/system/cpu/online" },
		{ "numa_nodes", "/sys/devices/system/node/online" },
		{ "no_turbo", "/sys/devices/system/cpu/intel_pstate/no_turbo" },
		{ "boost", "/sys/devices/system/cpu/cpufreq/boost" },
	};
	json_t *j, *id;
	struct utsname uts;
	char path[96];
	uint64_t hash = FNV_BASIS;
	const char *s;
	size_t i;

	uname(&uts);
	j = json_pack("{ss ss so so so so}", "kernel", uts.release, "kernel_build", uts.version,
		"cpu", cpu_name(), "microcode", cpuinfo("microcode"),
		"hypervisor", hypervisor_name(), "hugepages", hugepages());
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		json_object_set_new(j, files[i].key, line_of(files[i].path));
	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/cpufreq/scaling_governor", cpu);
	json_object_set_new(j, "governor", line_of(path));
	/* The id itself is a secret of the machine's (machine-id(5)). */
	id = json_object_get(j, "host_id");
	if (json_is_string(id)) {
		for (s = json_string_value(id); *s != '\0'; s++)
			hash = (hash ^ (unsigned char)*s) * FNV_PRIME;
		json_object_set_new(j, "host_id", json_sprintf("%016" PRIx64, hash));
	}
	return j;
}

json_t *
environment_parts(const struct args *a)
{
	static const char *const modules[] = { "vfio", "vfio_pci_core", "vfio_pci" };
	json_t *all = json_object();
	char path[2][64];
	size_t i;

	for (i = 0; i < sizeof(modules) / sizeof(modules[0]); i++) {
		snprintf(path[0], sizeof(path[0]), "/sys/module/%s/version", modules[i]);
		snprintf(path[1], sizeof(path[1]), "/sys/module/%s/srcversion", modules[i]);
		json_object_set_new(all, modules[i], json_pack("{so so}",
			"version", line_of(path[0]), "srcversion", line_of(path[1])));
	}
	return json_pack("{ss ss so so}", "version", WC_PERF_VERSION, "commit", WC_PERF_COMMIT,
		"modules", all, "plugin", a->plugin == NULL ? json_null() :
		json_pack("{so so}", "path", text_json(a->plugin), "hash", hash_of(a->plugin)));
}
