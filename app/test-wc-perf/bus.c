/* SPDX-License-Identifier: BSD-3-Clause */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "witness.h"

void
bus_free(struct bus *bus)
{
	json_decref(bus->values);
	memset(bus, 0, sizeof(*bus));
}

enum wc_status
bus_start(int witness, uint64_t cpus, const struct vfio_wc_sysfs *dev, bool *counting)
{
	char question[512], answer[256];
	enum wc_status st;
	unsigned int i;
	size_t n;

	*counting = false;
	if (witness < 0)
		return WC_OK;
	n = snprintf(question, sizeof(question), "bus start 0x%" PRIx64, cpus);
	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		if (dev->bar[i].memory && dev->bar[i].size > 0)
			n += snprintf(question + n, sizeof(question) - n,
				" 0x%" PRIx64 " 0x%" PRIx64, dev->bar[i].start, dev->bar[i].size);
	snprintf(question + n, sizeof(question) - n, "\n");
	st = witness_ask(witness, question);
	if (st == WC_OK)
		st = witness_read_line(witness, answer, sizeof(answer));
	*counting = st == WC_OK && strncmp(answer, "end ", 4) == 0;
	return st;
}

int
bus_parse(const char *line, struct bus *bus)
{
	struct bus_site s = { .address = 0 };
	unsigned long long value;
	char name[64];
	size_t count;
	int end = -1;

	if (sscanf(line, "end %zu%n", &count, &end) == 1 && line[end] == '\0')
		return count == json_object_size(bus->values) + bus->n_sites ? 1 : -1;
	if (sscanf(line, "bus site %" SCNx64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 "%n",
			&s.address, &s.stores, &s.writes, &s.partial, &s.residency, &end) == 5 &&
			line[end] == '\0' && bus->n_sites < BUS_SITES) {
		bus->sites[bus->n_sites++] = s;
		return 0;
	}
	if (sscanf(line, "bus %63[a-z0-9_] %llu%n", name, &value, &end) == 2 && line[end] == '\0') {
		/* As real numbers: they are divided, and one of them is a hash of 64 bits. */
		json_object_set_new(bus->values, name, json_real((double)value));
		return 0;
	}
	return -1;
}

enum wc_status
bus_stop(int witness, struct bus *bus)
{
	enum wc_status st;
	char line[256];
	int r = 0;

	bus_free(bus);
	bus->values = json_object();
	st = witness_ask(witness, "bus stop\n");
	while (st == WC_OK && r == 0) {
		st = witness_read_line(witness, line, sizeof(line));
		if (st == WC_OK)
			r = bus_parse(line, bus);
	}
	if (st == WC_OK && r < 0)
		st = fail(WC_ENVIRONMENT, "witness: \"bus stop\": %s", line);
	bus->counted = st == WC_OK;
	return st;
}

void
bus_locate(struct bus *bus, pid_t pid)
{
	char path[64], line[4352], object[4096];
	uint64_t start, end, offset;
	unsigned int i;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %4095s", &start,
				&end, &offset, object) != 4)
			continue;
		for (i = 0; i < bus->n_sites; i++) {
			struct bus_site *s = &bus->sites[i];
			const char *name = strrchr(object, '/');

			if (s->address < start || s->address >= end)
				continue;
			snprintf(s->object, sizeof(s->object), "%.*s", (int)sizeof(s->object) - 1,
				name != NULL ? name + 1 : object);
			s->offset = s->address - start + offset;
		}
	}
	if (f != NULL)
		fclose(f);
}

static double
value(const struct bus *bus, const char *name)
{
	return json_number_value(json_object_get(bus->values, name));
}

double
bus_per_packet(const struct bus *bus, const char *name, uint64_t packets)
{
	return packets > 0 ? value(bus, name) / packets : 0;
}

bool
bus_lingers(const struct bus *bus)
{
	return value(bus, "residency_median") > BUS_LINGER;
}

bool
bus_emulated(const struct bus *bus)
{
	return value(bus, "pace_ps") > 0;
}

static json_t *
emulated_json(const struct bus *bus)
{
	if (!bus_emulated(bus))
		return NULL;
	return json_pack("{sf sf sf sf}", "instruction_ns", value(bus, "pace_ps") / 1e3,
		"uc_instructions", value(bus, "pace_uc") / 1e3,
		"wc_instructions", value(bus, "pace_wc") / 1e3,
		"late_s", value(bus, "late_ns") / 1e9);
}

static json_t *
count(const struct bus *bus, const char *name)
{
	return json_integer((json_int_t)value(bus, name));
}

json_t *
bus_json(const struct bus *bus, uint64_t packets, unsigned int burst)
{
	static const char *const causes[] = { "full", "evicted", "sfence", "mfence", "locked",
		"serialising", "io", "uncached", "interrupt", "load", "end" };
	const double n = packets > 0 ? packets : 1;
	const double fences = value(bus, "sfence") + value(bus, "mfence");
	json_t *drained = json_object(), *sites = json_array();
	char name[64];
	unsigned int i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		snprintf(name, sizeof(name), "stores_%s", causes[i]);
		json_object_set_new(drained, causes[i], count(bus, name));
	}
	for (i = 0; i < bus->n_sites; i++) {
		const struct bus_site *s = &bus->sites[i];

		json_array_append_new(sites, json_pack("{ss so sI sI sI sI}",
			"object", s->object[0] != '\0' ? s->object : "unknown",
			"offset", json_sprintf("0x%" PRIx64, s->offset),
			"stores", (json_int_t)s->stores, "pcie_writes", (json_int_t)s->writes,
			"partial_lines", (json_int_t)s->partial,
			"residency_worst", (json_int_t)s->residency));
	}
	return json_pack("{sI sf sf sf sf sf sf sf sf sf sf so so s{so so so so sb} so so so*}",
		"packets", (json_int_t)packets,
		"stores_per_packet",
			(value(bus, "uc_stores") + value(bus, "wc_stores") +
			value(bus, "other_stores")) / n,
		"pcie_writes_per_packet", bus_per_packet(bus, "pcie_writes", packets),
		"wc_writes_per_packet", value(bus, "wc_writes") / n,
		"pcie_writes_per_burst", value(bus, "pcie_writes") / n * burst,
		"payload_bytes_per_packet", value(bus, "payload_bytes") / n,
		"wire_bytes_per_packet", value(bus, "wire_bytes") / n,
		"full_lines_per_packet", value(bus, "full_lines") / n,
		"partial_lines_per_packet", value(bus, "partial_lines") / n,
		"fences_per_packet", fences / n,
		"instructions_per_packet", value(bus, "instructions") / n,
		"loads", count(bus, "loads"),
		"merged_stores", count(bus, "merged_stores"),
		"residency",
			"stores", count(bus, "wc_stores"),
			"median", count(bus, "residency_median"),
			"p99", count(bus, "residency_p99"),
			"worst", count(bus, "residency_worst"),
			"lingers", bus_lingers(bus),
		"drained", drained, "sites", sites, "emulated", emulated_json(bus));
}
