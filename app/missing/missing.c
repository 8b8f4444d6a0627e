/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "missing.h"
#include "vfio_device.h"

#define NOIOMMU "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

static int
is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Calls see() for each entry of a directory, in order, until it returns true: was there one? */
static bool
any_entry(const char *path, bool (*see)(const char *name, void *arg), void *arg)
{
	struct dirent **entries = NULL;
	bool found = false;
	int i, n = scandir(path, &entries, is_visible, alphasort);

	for (i = 0; i < n; i++) {
		found = found || see(entries[i]->d_name, arg);
		free(entries[i]);
	}
	free(entries);
	return found;
}

/* The first line of a file; "" when there is none. */
static void
read_line(const char *path, char *line, size_t size)
{
	FILE *f = fopen(path, "re");

	if (f == NULL || fgets(line, size, f) == NULL)
		line[0] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (f != NULL)
		fclose(f);
}

static bool
is_vfio_driver(const char *name, void *arg)
{
	(void)arg;
	return strstr(name, "vfio") != NULL;
}

/* A group that vfio makes in no-IOMMU mode has a name, and no IOMMU. */
static bool
is_iommu_group(const char *number, void *arg)
{
	char path[PATH_MAX], name[64];

	(void)arg;
	snprintf(path, sizeof(path), "/sys/kernel/iommu_groups/%s/name", number);
	read_line(path, name, sizeof(name));
	return strcmp(name, "vfio-noiommu") != 0;
}

/* A word of the kernel's command line that switches an IOMMU off, or NULL. */
static const char *
switched_off(void)
{
	static const char *const words[] = { "iommu=off", "intel_iommu=off", "amd_iommu=off" };
	char line[4096], *rest = line, *word;
	const char *found = NULL;
	size_t i;

	read_line("/proc/cmdline", line, sizeof(line));
	while ((word = strsep(&rest, " ")) != NULL)
		for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strcmp(word, words[i]) == 0)
				found = words[i];
	return found;
}

static void
add(json_t *all, const char *mend, json_t *what)
{
	json_array_append_new(all, json_pack("{s:o, s:s}", "what", what, "mend", mend));
}

static void
add_iommu(json_t *all)
{
	const char *off = switched_off();
	const bool loaded = access("/sys/module/vfio", F_OK) == 0;
	char noiommu[8];

	if (off != NULL)
		add(all, "take it out of GRUB_CMDLINE_LINUX in /etc/default/grub; update-grub; "
			"reboot",
			json_sprintf("the IOMMU is off: the kernel's command line has %s", off));
	else
		add(all, "switch it on in the firmware (VT-d, AMD-Vi, SMMU) or in the virtual "
			"machine's definition; if it is Intel's, add intel_iommu=on to "
			"GRUB_CMDLINE_LINUX in /etc/default/grub; update-grub; reboot",
			json_string("there is no IOMMU, or it is off"));
	read_line(NOIOMMU, noiommu, sizeof(noiommu));
	if (noiommu[0] == 'Y')
		return;
	if (loaded && noiommu[0] == '\0')
		add(all, "a kernel with CONFIG_VFIO_NOIOMMU",
			json_string("this kernel has no no-IOMMU mode, which does without one"));
	else
		add(all, loaded ? "echo 1 > " NOIOMMU :
			"modprobe vfio enable_unsafe_noiommu_mode=1",
			json_string("no-IOMMU mode, which does without one and protects nothing, "
				"is off"));
}

/* " 0000:00:03.0 (virtio-pci)" behind the names of the network devices so far. */
static bool
name_nic(const char *bdf, void *arg)
{
	char path[PATH_MAX], class[16], *nics = arg;
	struct vfio_wc_sysfs pci;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class", bdf);
	read_line(path, class, sizeof(class));
	if (strncmp(class, "0x02", 4) == 0 && vfio_wc_sysfs_read(bdf, &pci) == 0)
		snprintf(nics + strlen(nics), 1024 - strlen(nics), "%s %s (%s)",
			nics[0] != '\0' ? "," : "", bdf,
			pci.driver[0] != '\0' ? pci.driver : "no driver");
	return false;
}

json_t *
missing_learn(bool nothing_bound)
{
	json_t *all = json_array();
	char nics[1024] = "";

	if (access("/sys/bus/pci/devices", F_OK) != 0) {
		add(all, "mount -t sysfs sysfs /sys",
			json_string("/sys/bus/pci/devices is not here: no sysfs, or no PCI bus"));
		return all;
	}
	if (!any_entry("/sys/kernel/iommu_groups", is_iommu_group, NULL))
		add_iommu(all);
	if (!any_entry("/sys/bus/pci/drivers", is_vfio_driver, NULL))
		add(all, "modprobe vfio-pci", json_string("the module vfio-pci is not loaded"));
	if (nothing_bound) {
		any_entry("/sys/bus/pci/devices", name_nic, nics);
		add(all, "dpdk-devbind.py --bind=vfio-pci ADDRESS",
			json_sprintf("no device is bound to vfio-pci; network devices:%s",
				nics[0] != '\0' ? nics : " none"));
	}
	return all;
}

void
missing_text(const json_t *missing, FILE *f)
{
	const json_t *one;
	size_t i;

	json_array_foreach(missing, i, one)
		fprintf(f, "Missing: %s.\n    %s\n",
			json_string_value(json_object_get(one, "what")),
			json_string_value(json_object_get(one, "mend")));
}
