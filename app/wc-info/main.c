/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* Exit statuses, as in the help. */
enum { ALL_LEARNT, NOT_A_VFIO_DEVICE, BAD_USAGE, PARTLY_LEARNT };

static const char usage_text[] =
"usage: dpdk-wc-info [--json] [--no-open] [--vf-token UUID] [[DDDD:]BB:DD.F...]\n"
"\n"
"Which BARs of the devices bound to vfio-pci can be, and are, write-combining, and\n"
"why not. Without addresses: all such devices.\n"
"\n"
"  --json     one JSON object: {schema, devices[]}\n"
"  --no-open  open no device. Otherwise one that nobody uses is opened for a moment\n"
"             to ask the kernel what it offers, and vfio-pci resets a device then.\n"
"  --vf-token UUID  what a virtual function wants whose physical function is on\n"
"             vfio-pci, too (DPDK's --vfio-vf-token)\n"
"\n"
"Needs root. Devices that a process has open are asked about at the process (DPDK's\n"
"telemetry) and in /sys/kernel/debug/x86/pat_memtype_list.\n"
"\n"
"Exit status: 0 everything was learnt; 1 a device named does not exist or is not bound\n"
"to vfio-pci; 2 bad usage; 3 something could not be learnt, the output says what.\n";

static void
usage(FILE *f)
{
	fputs(usage_text, f);
}

static int
is_address(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Learn and print one device; with json, append it there. Returns the exit status. */
static int
show(const char *address, bool named, bool may_open, const char *token, json_t *json)
{
	struct device *d = malloc(sizeof(*d));
	int status = ALL_LEARNT;
	int ret;

	if (d == NULL)
		abort();
	ret = device_learn(d, address, may_open, token);
	if (ret != 0 || !vfio_wc_sysfs_is_vfio(&d->sysfs)) {
		if (named) {
			if (ret != 0)
				fprintf(stderr, "dpdk-wc-info: %s: %s\n", address,
					ret == -EINVAL ? "is not a PCI address" :
					ret == -ENODEV ? "no such PCI device" : strerror(-ret));
			else
				fprintf(stderr,
					"dpdk-wc-info: %s: is bound to %s, not to vfio-pci\n",
					address,
					d->sysfs.driver[0] != '\0' ? d->sysfs.driver : "no driver");
			status = NOT_A_VFIO_DEVICE;
		}
	} else {
		if (json != NULL)
			json_array_append_new(json, report_json(d));
		else
			report_text(d);
		if (report_is_incomplete(d))
			status = PARTLY_LEARNT;
	}
	device_free(d);
	free(d);
	return status;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "no-open", no_argument, NULL, 'n' },
		{ "vf-token", required_argument, NULL, 't' },
		{ 0 },
	};
	struct dirent **entries = NULL;
	bool may_open = true, as_json = false;
	int status = ALL_LEARNT, one, i, n, opt;
	const char *token = NULL;
	json_t *devices = NULL;

	while ((opt = getopt_long(argc, argv, "hj", options, NULL)) != -1)
		switch (opt) {
		case 'h':
			usage(stdout);
			return 0;
		case 'j':
			as_json = true;
			break;
		case 'n':
			may_open = false;
			break;
		case 't':
			token = optarg;
			break;
		default:
			usage(stderr);
			return BAD_USAGE;
		}

	if (as_json)
		devices = json_array();
	for (i = optind; i < argc; i++) {
		one = show(argv[i], true, may_open, token, devices);
		/* of two complaints the one about the command line wins */
		if (one == NOT_A_VFIO_DEVICE || status == ALL_LEARNT)
			status = one;
	}
	if (optind == argc) {
		n = scandir("/sys/bus/pci/devices", &entries, is_address, alphasort);
		for (i = 0; i < n; i++) {
			one = show(entries[i]->d_name, false, may_open, token, devices);
			if (status == ALL_LEARNT)
				status = one;
			free(entries[i]);
		}
		free(entries);
	}
	if (as_json) {
		json_t *all = json_pack("{s:s, s:o}", "schema", "dpdk-wc-info/1", "devices",
			devices);

		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(all);
	}
	return status;
}
