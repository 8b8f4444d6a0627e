/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "missing.h"
#include "report.h"
#include "wc_info.h"

static const char usage_text[] =
"usage: dpdk-wc-info [options] [[DDDD:]BB:DD.F...]\n"
"\n"
"Which BARs of the devices bound to vfio-pci can be, and are, write-combining, and\n"
"why not. Without addresses: all such devices. Looks, and touches nothing.\n"
"\n"
"  -j, --json  one JSON object: {schema, devices[], missing[]}. Of a device's ranges[],\n"
"              by is whose it is, plugin or vfio-wc-run, and in_kernel_list if the\n"
"              kernel's list of memory types has it as WC (null: cannot be read)\n"
"      --open  open a device that nobody uses for a moment, to ask the kernel what it\n"
"              offers. vfio-pci resets it then, and a program that starts in this\n"
"              moment finds it busy and may go on without it.\n"
"      --vf-token UUID  what a virtual function wants whose physical function is on\n"
"              vfio-pci, too (DPDK's --vfio-vf-token)\n"
"  -h, --help  this text\n"
"\n"
"Needs root. Devices that a process has open are asked about at the process (DPDK's\n"
"telemetry) and in /sys/kernel/debug/x86/pat_memtype_list.\n"
"\n"
"Exit status: 0 everything that was asked was learnt; 1 a device named does not exist\n"
"or is not bound to vfio-pci; 2 bad usage; 3 something could not be learnt, or those\n"
"who should know disagree, the output says what; 4 no device is bound to vfio-pci, the\n"
"output says what is missing and how to mend it.\n";

/* What was asked for, and the JSON if that is what is to be printed. */
struct task {
	bool may_open;
	const char *token;
	json_t *devices;
};

static void
complain(const char *address, int ret, const struct vfio_wc_sysfs *pci)
{
	if (ret != 0)
		fprintf(stderr, "dpdk-wc-info: %s: %s\n", address,
			ret == -EINVAL ? "is not a PCI address" :
			ret == -ENODEV ? "no such PCI device" : strerror(-ret));
	else
		fprintf(stderr, "dpdk-wc-info: %s: is bound to %s, not to vfio-pci; "
			"dpdk-devbind.py --bind=vfio-pci %s\n", address,
			pci->driver[0] != '\0' ? pci->driver : "no driver", pci->bdf);
}

/* Learn and print one device. Returns the exit status. */
static int
show(const struct task *task, const char *address, bool named)
{
	struct device *d = malloc(sizeof(*d));
	char alone[64];
	int status, ret;

	if (d == NULL)
		abort();
	/* DPDK takes a device's arguments behind it */
	snprintf(alone, sizeof(alone), "%.*s", (int)strcspn(address, ","), address);
	ret = device_learn(d, alone, task->may_open, task->token);
	if (ret != 0 || !vfio_wc_sysfs_is_vfio(&d->sysfs)) {
		if (named)
			complain(address, ret, &d->sysfs);
		status = NOT_A_VFIO_DEVICE;
	} else {
		if (task->devices != NULL)
			json_array_append_new(task->devices, report_json(d));
		else
			report_text(d);
		status = report_is_incomplete(d) ? PARTLY_LEARNT : ALL_LEARNT;
	}
	device_free(d);
	free(d);
	return status;
}

static int
show_named(const struct task *task, int n, char **addresses)
{
	int status = ALL_LEARNT, one, i;

	for (i = 0; i < n; i++) {
		one = show(task, addresses[i], true);
		/* of two complaints the one about the command line wins */
		if (one == NOT_A_VFIO_DEVICE || status == ALL_LEARNT)
			status = one;
	}
	return status;
}

static int
is_address(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int
show_all(const struct task *task)
{
	struct dirent **entries = NULL;
	int status = NO_DEVICE, one, i, n;

	n = scandir("/sys/bus/pci/devices", &entries, is_address, alphasort);
	for (i = 0; i < n; i++) {
		one = show(task, entries[i]->d_name, false);
		if (one == PARTLY_LEARNT || (one == ALL_LEARNT && status == NO_DEVICE))
			status = one;
		free(entries[i]);
	}
	free(entries);
	return status;
}

int
wc_info(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "open", no_argument, NULL, 'o' },
		{ "vf-token", required_argument, NULL, 't' },
		{ 0 },
	};
	struct task task = { false };
	bool as_json = false;
	json_t *missing, *all;
	int status, opt;

	optind = 0;
	while ((opt = getopt_long(argc, argv, "hj", options, NULL)) != -1)
		switch (opt) {
		case 'h':
			fputs(usage_text, stdout);
			return ALL_LEARNT;
		case 'j':
			as_json = true;
			break;
		case 'o':
			task.may_open = true;
			break;
		case 't':
			task.token = optarg;
			break;
		default:
			fputs(usage_text, stderr);
			return BAD_USAGE;
		}

	if (as_json)
		task.devices = json_array();
	status = optind < argc ? show_named(&task, argc - optind, argv + optind) : show_all(&task);
	missing = status == NOT_A_VFIO_DEVICE || status == NO_DEVICE ?
		missing_learn(status == NO_DEVICE) : json_array();
	if (as_json) {
		all = json_pack("{s:s, s:o, s:o}", "schema", "dpdk-wc-info/1", "devices",
			task.devices, "missing", missing);
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(all);
	} else {
		missing_text(missing, status == NO_DEVICE ? stdout : stderr);
		json_decref(missing);
	}
	return status;
}
