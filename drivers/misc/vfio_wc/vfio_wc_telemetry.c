/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_telemetry.h>
#include <rte_version.h>

#include "vfio_wc_request.h"

/* Renamed in 23.03. */
#if RTE_VERSION < RTE_VERSION_NUM(23, 3, 0, 0)
#define rte_tel_data_add_dict_uint rte_tel_data_add_dict_u64
#endif

static void
add_hex(struct rte_tel_data *d, const char *name, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	rte_tel_data_add_dict_string(d, name, text);
}

static void
add_range(struct rte_tel_data *d, const char *id, const struct vfio_wc_request *request,
		const struct vfio_wc_range *range)
{
	bool on = range->state == VFIO_WC_ON;

	rte_tel_data_add_dict_string(d, "id", id);
	rte_tel_data_add_dict_string(d, "device", range->device);
	rte_tel_data_add_dict_int(d, "bar", range->bar);
	rte_tel_data_add_dict_uint(d, "offset", range->offset);
	rte_tel_data_add_dict_uint(d, "length", range->length);
	/* addresses as strings: many JSON readers keep numbers in doubles */
	add_hex(d, "va", on ? (uintptr_t)range->va : 0);
	add_hex(d, "pa", on ? range->pa : 0);
	rte_tel_data_add_dict_string(d, "source", request->nb_ranges > 0 ? "request" : "table");
	rte_tel_data_add_dict_string(d, "mode", vfio_wc_mode_name(request->mode));
	rte_tel_data_add_dict_string(d, "requested", rte_vfio_wc_type_name(range->type));
	rte_tel_data_add_dict_string(d, "state", on ? "on" : "off");
	/* what is guaranteed: a plain mapping follows whoever maps the page write-combining */
	rte_tel_data_add_dict_string(d, "memory_type",
		on ? rte_vfio_wc_type_name(range->type) : "unknown");
	rte_tel_data_add_dict_string(d, "reason", range->reason);
}

static void
visit_list(const char *id, const struct vfio_wc_request *request __rte_unused,
		const struct vfio_wc_range *range __rte_unused, void *arg)
{
	rte_tel_data_add_array_string(arg, id);
}

static int
cmd_list(const char *cmd __rte_unused, const char *params __rte_unused, struct rte_tel_data *d)
{
	rte_tel_data_start_array(d, RTE_TEL_STRING_VAL);
	vfio_wc_request_foreach(visit_list, d);
	return 0;
}

static void
visit_ranges(const char *id, const struct vfio_wc_request *request,
		const struct vfio_wc_range *range, void *arg)
{
	struct rte_tel_data *object = rte_tel_data_alloc();
	char key[VFIO_WC_ID_LEN];
	unsigned int i;

	if (object == NULL)
		return;
	rte_tel_data_start_dict(object);
	add_range(object, id, request, range);
	/* keys may have letters, digits, '_' and '/' */
	for (i = 0; id[i] != '\0'; i++)
		key[i] = isalnum((unsigned char)id[i]) || id[i] == '/' ? id[i] : '_';
	key[i] = '\0';
	if (rte_tel_data_add_dict_container(arg, key, object, 0) != 0)
		rte_tel_data_free(object);
}

static int
cmd_ranges(const char *cmd __rte_unused, const char *params __rte_unused, struct rte_tel_data *d)
{
	/* objects, by ID: telemetry's arrays cannot hold objects */
	rte_tel_data_start_dict(d);
	vfio_wc_request_foreach(visit_ranges, d);
	return 0;
}

struct info {
	const char *id;
	struct rte_tel_data *d;
	bool found;
};

static void
visit_info(const char *id, const struct vfio_wc_request *request,
		const struct vfio_wc_range *range, void *arg)
{
	struct info *info = arg;

	if (strcmp(id, info->id) == 0) {
		add_range(info->d, id, request, range);
		info->found = true;
	}
}

static int
cmd_info(const char *cmd __rte_unused, const char *params, struct rte_tel_data *d)
{
	struct info info = { .id = params, .d = d };

	if (params == NULL)
		return -EINVAL;
	rte_tel_data_start_dict(d);
	vfio_wc_request_foreach(visit_info, &info);
	return info.found ? 0 : -ENOENT;
}

RTE_INIT(vfio_wc_telemetry)
{
	rte_telemetry_register_cmd("/vfio_wc/list", cmd_list,
		"IDs of the BAR ranges that have a memory type asked for. Takes no parameters");
	rte_telemetry_register_cmd("/vfio_wc/info", cmd_info,
		"What was asked and what is, for a range. Parameters: ID");
	rte_telemetry_register_cmd("/vfio_wc/ranges", cmd_ranges,
		"What was asked and what is, for all ranges, by ID. Takes no parameters");
}
