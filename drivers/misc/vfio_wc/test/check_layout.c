/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * dpdk_layout.h against the private headers of one DPDK, which check_layout puts into the include
 * path; its version is the argument. A result a line.
 */

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define ALLOW_INTERNAL_API
#define ALLOW_EXPERIMENTAL_API
#include <bus_pci_driver.h>
#include <bus_vdev_driver.h>

#include "dpdk_layout.h"

static const char *version;

static void
result(const char *what, bool good)
{
	printf("%sok - %s: %s\n", good ? "" : "not ", version, what);
}

int
main(int argc, char **argv)
{
	const struct dpdk_release *release;
	const struct dpdk_layout *layout;
	char what[256];
	bool checked;

	if (argc != 2)
		return 2;
	version = argv[1];
	release = dpdk_release_of(version, &checked);
	result("is one of the releases of dpdk_layout.h", checked);
	/* of one that is not: how it compares with the last one that is */
	layout = (release != NULL ? release : &dpdk_releases[DPDK_RELEASES - 1])->layout;

#define MEMBER(name, type, structure, member, in_2211, in_2607) \
	snprintf(what, sizeof(what), "%s: %s is at %zu, expected at %u", #structure, #member, \
		offsetof(structure, member), layout->name); \
	result(what, offsetof(structure, member) == layout->name); \
	snprintf(what, sizeof(what), "%s: %s is of type %s", #structure, #member, #type); \
	result(what, __builtin_types_compatible_p(__typeof__(((structure *)NULL)->member), \
		__typeof__(type)));
#define SIZE(name, structure, in_2211, in_2607) \
	snprintf(what, sizeof(what), "%s: has %zu bytes, expected %u", #structure, \
		sizeof(structure), layout->name); \
	result(what, sizeof(structure) == layout->name);
#define FUNCTION(name, type) \
	snprintf(what, sizeof(what), "%s: is %s", #name, #type); \
	result(what, __builtin_types_compatible_p(__typeof__(name), __typeof__(type)));
	DPDK_LAYOUT(MEMBER, SIZE, FUNCTION)
	return 0;
}
