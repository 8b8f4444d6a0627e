/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfio_wc_conf.h"
#include "vfio_wc_error.h"
#include "vfio_wc_policy.h"

/* Do two ranges overlap, as far as that can be told of BARs whose size is not known? */
static bool
overlap(const struct vfio_wc_arg_range *a, const struct vfio_wc_arg_range *b)
{
	const uint64_t a_end = a->length != 0 ? a->offset + a->length : UINT64_MAX;
	const uint64_t b_end = b->length != 0 ? b->offset + b->length : UINT64_MAX;

	return strcmp(a->device, b->device) == 0 && a->bar == b->bar && a->offset < b_end &&
		b->offset < a_end;
}

/* What is behind the last request. Where there is none, there is no array to point into. */
static const struct vfio_wc_request *
end_of(const struct vfio_wc_conf *conf)
{
	return conf->nb_requests == 0 ? conf->request : conf->request + conf->nb_requests;
}

/* Does a new request go with those that are there, and its ranges with each other? */
static int
check(const struct vfio_wc_conf *conf, const struct vfio_wc_request *new,
		struct rte_vfio_wc_error *error)
{
	const struct vfio_wc_request *old;
	unsigned int i, j, same;

	for (old = conf->request; old < end_of(conf); old++)
		if (old->nb_ranges == 0 && new->nb_ranges == 0)
			return vfio_wc_fail(error, EEXIST, new->name,
				"%s asks for the built-in table, too", old->name);
	for (i = 0; i < new->nb_ranges; i++) {
		const struct vfio_wc_arg_range *range = &new->range[i];

		if (range->offset + range->length < range->offset)
			return vfio_wc_fail(error, EINVAL, new->name,
				"%s BAR %u: offset + len wraps", range->device, range->bar);
		same = i;
		for (j = 0; j < i; j++)
			if (overlap(range, &new->range[j]))
				return vfio_wc_fail(error, EEXIST, new->name,
					"%s BAR %u: two of its ranges overlap", range->device,
					range->bar);
		for (old = conf->request; old < end_of(conf); old++)
			for (j = 0; j < old->nb_ranges; j++) {
				if (overlap(range, &old->range[j]))
					return vfio_wc_fail(error, EEXIST, new->name,
						"%s BAR %u: the range overlaps one of %s",
						range->device, range->bar, old->name);
				same += strcmp(range->device, old->range[j].device) == 0;
			}
		if (same >= VFIO_WC_WANTED)
			return vfio_wc_fail(error, EINVAL, new->name, "%s: more than %d ranges",
				range->device, VFIO_WC_WANTED);
	}
	return 0;
}

static int
add_line(struct vfio_wc_conf *conf, const char *name, const char *line,
		struct rte_vfio_wc_error *error)
{
	struct vfio_wc_request *bigger, *new;
	struct rte_vfio_wc_error parsed = { 0 };
	const char *reason;
	int ret;

	bigger = realloc(conf->request, (conf->nb_requests + 1) * sizeof(*bigger));
	if (bigger == NULL)
		return vfio_wc_fail(error, ENOMEM, name, "no memory");
	conf->request = bigger;
	new = &bigger[conf->nb_requests];
	ret = vfio_wc_args_parse_ids(name, line, new, &parsed);
	if (ret != 0) {
		reason = strstr(parsed.text, ": ");
		return vfio_wc_fail(error, -ret, name, "%s",
			reason != NULL ? reason + 2 : parsed.text);
	}
	ret = check(conf, new, error);
	if (ret == 0)
		conf->nb_requests++;
	return ret;
}

/* Without a comment, and without blanks at either end. */
static char *
strip(char *line)
{
	size_t n;

	line[strcspn(line, "#")] = '\0';
	line += strspn(line, " \t\r");
	for (n = strlen(line); n > 0 && isspace((unsigned char)line[n - 1]); n--)
		line[n - 1] = '\0';
	return line;
}

int
vfio_wc_conf_add(struct vfio_wc_conf *conf, const char *source, const char *text,
		struct rte_vfio_wc_error *error)
{
	char *copy = strdup(text), *rest = copy, *line, name[VFIO_WC_NAME_LEN];
	unsigned int number = 0;
	int ret = 0;

	if (copy == NULL)
		return vfio_wc_fail(error, ENOMEM, source, "no memory");
	while (ret == 0 && (line = strsep(&rest, "\n")) != NULL) {
		/* the end of a long path tells more than its beginning */
		snprintf(name, sizeof(name), "%s:%u",
			strlen(source) > 48 ? source + strlen(source) - 48 : source, ++number);
		line = strip(line);
		if (line[0] != '\0')
			ret = add_line(conf, name, line, error);
	}
	free(copy);
	return ret;
}

int
vfio_wc_conf_read(struct vfio_wc_conf *conf, const char *path, struct rte_vfio_wc_error *error)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	int ret = 0;

	if (f == NULL)
		return vfio_wc_fail(error, errno, path, "%s", strerror(errno));
	/* there is no zero in a text: all of it */
	errno = 0;
	if (getdelim(&text, &size, '\0', f) < 0)
		ret = errno != 0 ? vfio_wc_fail(error, errno, path, "%s", strerror(errno)) : 0;
	else if (!feof(f))
		ret = vfio_wc_fail(error, EINVAL, path, "is not a text");
	else
		ret = vfio_wc_conf_add(conf, path, text, error);
	free(text);
	fclose(f);
	return ret;
}

void
vfio_wc_conf_free(struct vfio_wc_conf *conf)
{
	free(conf->request);
	*conf = (struct vfio_wc_conf){ 0 };
}

char *
vfio_wc_conf_text(const struct vfio_wc_conf *conf)
{
	const struct vfio_wc_request *request;
	char *text = NULL;
	size_t size;
	unsigned int i;
	FILE *f = open_memstream(&text, &size);

	if (f == NULL)
		return NULL;
	for (request = conf->request; request < end_of(conf); request++) {
		fprintf(f, "mode=%s,type=%s", vfio_wc_mode_name(request->mode),
			request->type == RTE_VFIO_WC_TYPE_WC ? "wc" : "uc");
		for (i = 0; i < request->nb_ranges; i++) {
			const struct vfio_wc_arg_range *range = &request->range[i];

			fprintf(f, ",dev=%s,bar=%u,offset=0x%" PRIx64, range->device, range->bar,
				range->offset);
			if (range->length != 0)
				fprintf(f, ",len=0x%" PRIx64, range->length);
		}
		fputc('\n', f);
	}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int
by_place(const void *x, const void *y)
{
	const struct vfio_wc_wanted *a = x, *b = y;

	if (a->bar != b->bar)
		return a->bar < b->bar ? -1 : 1;
	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

/* The ranges of those lines that name this device so. True: there are such lines. */
static bool
take_named(const struct vfio_wc_conf *conf, const char *device, const struct vfio_wc_sysfs *pci,
		struct vfio_wc_wanted *out, unsigned int *n)
{
	const struct vfio_wc_request *request;
	bool named = false;
	unsigned int i;

	for (request = conf->request; request < end_of(conf); request++)
		for (i = 0; i < request->nb_ranges; i++) {
			const struct vfio_wc_arg_range *range = &request->range[i];
			const uint64_t size = pci->bar[range->bar].size;

			if (strcmp(range->device, device) != 0)
				continue;
			named = true;
			if (request->mode == VFIO_WC_OFF)
				continue;
			out[(*n)++] = (struct vfio_wc_wanted){
				.bar = range->bar,
				.offset = range->offset,
				.length = range->length != 0 || range->offset >= size ?
					range->length : size - range->offset,
				.type = request->type,
				.mode = request->mode,
			};
		}
	return named;
}

static void
take_table(const struct vfio_wc_request *request, const struct vfio_wc_sysfs *pci,
		struct vfio_wc_wanted *out, unsigned int *n)
{
	unsigned int bars[RTE_VFIO_WC_BARS], nb_bars, i;

	if (request->mode == VFIO_WC_OFF)
		return;
	nb_bars = vfio_wc_policy_bars(pci, bars);
	for (i = 0; i < nb_bars; i++)
		out[(*n)++] = (struct vfio_wc_wanted){
			.bar = bars[i],
			.length = pci->bar[bars[i]].size,
			.type = request->type,
			.mode = request->mode,
			.from_table = true,
		};
}

bool
vfio_wc_conf_names(const struct vfio_wc_conf *conf, const char *bdf)
{
	const struct vfio_wc_request *request;
	unsigned int i;

	for (request = conf->request; request < end_of(conf); request++)
		for (i = 0; i < request->nb_ranges; i++)
			if (bdf != NULL ? strcmp(request->range[i].device, bdf) == 0 :
					strchr(request->range[i].device, '.') != NULL)
				return true;
	return false;
}

unsigned int
vfio_wc_conf_wanted(const struct vfio_wc_conf *conf, const struct vfio_wc_sysfs *pci,
		struct vfio_wc_wanted out[VFIO_WC_WANTED])
{
	char id[VFIO_WC_BDF_LEN];
	unsigned int n = 0, i;

	snprintf(id, sizeof(id), "%04x:%04x", pci->vendor, pci->device);
	if ((pci->bdf[0] == '\0' || !take_named(conf, pci->bdf, pci, out, &n)) &&
			!take_named(conf, id, pci, out, &n))
		for (i = 0; i < conf->nb_requests; i++)
			if (conf->request[i].nb_ranges == 0)
				take_table(&conf->request[i], pci, out, &n);
	qsort(out, n, sizeof(*out), by_place);
	return n;
}
