/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vfio_wc_args.h"
#include "vfio_wc_error.h"

static const char * const modes[] = {
	[VFIO_WC_AUTO] = "auto",
	[VFIO_WC_REQUIRED] = "required",
	[VFIO_WC_OFF] = "off",
};

const char *
vfio_wc_mode_name(enum vfio_wc_mode mode)
{
	return modes[mode];
}

struct parser {
	struct vfio_wc_request *request;
	bool ids;			/* dev= may be vendor:device */
	char device[VFIO_WC_BDF_LEN];	/* of the bar= that may follow; "": none yet */
	bool device_used;		/* by a bar= */
	bool has_offset, has_length;	/* of the range last started */
	struct rte_vfio_wc_error *error;
};

#define FAIL(p, ...) vfio_wc_fail((p)->error, EINVAL, "arguments", __VA_ARGS__)

static int
parse_number(struct parser *p, const char *key, const char *value, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(value, &end, 0);
	/* strtoull() takes "-1" */
	if (*value == '\0' || *end != '\0' || errno != 0 || strchr(value, '-') != NULL)
		return FAIL(p, "%s=%s is not a number", key, value);
	return 0;
}

/* "1d0f:ec20", as lspci -n prints it; in lower case to out */
static bool
is_id(const char *text, char out[VFIO_WC_BDF_LEN])
{
	unsigned int vendor, device;
	int end = 0;

	if (strspn(text, "0123456789abcdefABCDEF") != 4 || text[4] != ':' ||
			strspn(text + 5, "0123456789abcdefABCDEF") != 4 ||
			sscanf(text, "%4x:%4x%n", &vendor, &device, &end) != 2 || text[end] != '\0')
		return false;
	snprintf(out, VFIO_WC_BDF_LEN, "%04x:%04x", vendor, device);
	return true;
}

/* To be asked when all is read of a device. */
static int
check_used(struct parser *p)
{
	if (p->device[0] == '\0' || p->device_used)
		return 0;
	p->request->unread = true;
	return FAIL(p, "dev=%s has no bar=", p->device);
}

static int
parse_dev(struct parser *p, const char *value)
{
	int ret = check_used(p);

	p->device_used = false;
	if (vfio_wc_bdf(value, p->device) == 0 || (p->ids && is_id(value, p->device)))
		return ret;
	p->device[0] = '\0';
	p->request->unread = true;
	return ret != 0 ? ret : FAIL(p, "dev=%s is not a PCI address (dddd:bb:dd.f)%s", value,
		p->ids ? " nor an ID (vvvv:dddd)" : "");
}

/* What nobody understands may have been a device. */
static void
note_device(struct parser *p, const char *text)
{
	char bdf[VFIO_WC_BDF_LEN];

	p->request->unread |= vfio_wc_bdf(text, bdf) == 0;
}

static int
parse_bar(struct parser *p, const char *value)
{
	struct vfio_wc_request *request = p->request;
	struct vfio_wc_arg_range *range;
	uint64_t bar;
	int ret;

	if (p->device[0] == '\0') {
		request->unread = true;
		return FAIL(p, "bar=%s stands before any dev=", value);
	}
	if (request->nb_ranges == VFIO_WC_RANGES)
		return FAIL(p, "more than %d ranges in one request", VFIO_WC_RANGES);
	range = &request->range[request->nb_ranges++];
	memset(range, 0, sizeof(*range));
	strcpy(range->device, p->device);
	p->device_used = true;
	p->has_offset = false;
	p->has_length = false;

	ret = parse_number(p, "bar", value, &bar);
	if (ret != 0)
		return ret;
	if (bar >= RTE_VFIO_WC_BARS)
		return FAIL(p, "bar=%s: a PCI device has BARs 0 to %d", value,
			RTE_VFIO_WC_BARS - 1);
	range->bar = bar;
	return 0;
}

static int
parse_part(struct parser *p, const char *key, const char *value, bool *seen, uint64_t *out)
{
	if (!p->device_used)
		return FAIL(p, "%s=%s stands before its bar=", key, value);
	if (*seen)
		return FAIL(p, "%s= is given twice for one bar=", key);
	*seen = true;
	return parse_number(p, key, value, out);
}

static int
parse_pair(struct parser *p, const char *key, const char *value)
{
	struct vfio_wc_request *request = p->request;
	struct vfio_wc_arg_range *last =
		&request->range[request->nb_ranges > 0 ? request->nb_ranges - 1 : 0];
	unsigned int i;
	int ret;

	if (strcmp(key, "dev") == 0)
		return parse_dev(p, value);
	if (strcmp(key, "bar") == 0)
		return parse_bar(p, value);
	if (strcmp(key, "offset") == 0)
		return parse_part(p, key, value, &p->has_offset, &last->offset);
	if (strcmp(key, "len") == 0) {
		ret = parse_part(p, key, value, &p->has_length, &last->length);
		/* 0 is how "to the end of the BAR" is kept: nobody writes it and means that */
		if (ret == 0 && last->length == 0)
			ret = FAIL(p, "len=%s is an empty range", value);
		return ret;
	}
	if (strcmp(key, "mode") == 0) {
		for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
			if (strcmp(value, modes[i]) == 0) {
				request->mode = i;
				return 0;
			}
		return FAIL(p, "mode=%s is none of auto, required, off", value);
	}
	if (strcmp(key, "type") == 0) {
		if (strcmp(value, "wc") != 0 && strcmp(value, "uc") != 0)
			return FAIL(p, "type=%s is none of wc, uc", value);
		request->type = value[0] == 'w' ? RTE_VFIO_WC_TYPE_WC : RTE_VFIO_WC_TYPE_UC;
		return 0;
	}
	note_device(p, value);
	return FAIL(p, "unknown key \"%s\" (known: dev, bar, offset, len, mode, type)", key);
}

/* "key=value", of n characters */
static int
parse_word(struct parser *p, const char *text, size_t n)
{
	char word[128], *value;

	if (n >= sizeof(word)) {
		p->request->unread = true;
		return FAIL(p, "\"%.32s...\" is too long", text);
	}
	memcpy(word, text, n);
	word[n] = '\0';
	value = strchr(word, '=');
	if (value == NULL) {
		note_device(p, word);
		return FAIL(p, "\"%s\" is not key=value", word);
	}
	*value++ = '\0';
	return parse_pair(p, word, value);
}

/* Of two results the first that is an error, and what there is to be said of that. */
static int
first_of(int before, int now, const struct rte_vfio_wc_error *said,
		struct rte_vfio_wc_error *error)
{
	if (before != 0 || now == 0)
		return before;
	if (error != NULL)
		*error = *said;
	return now;
}

static int
parse(const char *name, const char *args, bool ids, struct vfio_wc_request *request,
		struct rte_vfio_wc_error *error)
{
	struct rte_vfio_wc_error first;
	struct parser p = { .request = request, .ids = ids, .error = &first };
	const char *word = args[0] != '\0' ? args : NULL;
	int ret = 0, one;
	size_t n;

	memset(request, 0, sizeof(*request));
	request->mode = VFIO_WC_AUTO;
	request->type = RTE_VFIO_WC_TYPE_WC;
	snprintf(request->name, sizeof(request->name), "%s", name);

	/* the first error is the one to tell, but mode= and dev= may still follow */
	while (word != NULL) {
		n = strcspn(word, ",");
		one = parse_word(&p, word, n);
		word = word[n] == ',' ? word + n + 1 : NULL;
		ret = first_of(ret, one, &first, error);
	}
	return first_of(ret, check_used(&p), &first, error);
}

int
vfio_wc_args_parse(const char *name, const char *args, struct vfio_wc_request *request,
		struct rte_vfio_wc_error *error)
{
	return parse(name, args, false, request, error);
}

int
vfio_wc_args_parse_ids(const char *name, const char *args, struct vfio_wc_request *request,
		struct rte_vfio_wc_error *error)
{
	return parse(name, args, true, request, error);
}
