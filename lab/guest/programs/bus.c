/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"

#define ANSWER_MS 30000

int
bus_open(struct bus *bus)
{
	const char *path = getenv("WC_WITNESS");

	bus->fd = path != NULL ? open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
	if (bus->fd < 0)
		fprintf(stderr, "witness %s: %s\n", path != NULL ? path : "(WC_WITNESS is not set)",
			strerror(errno));
	return bus->fd < 0 ? -1 : 0;
}

int
bus_ask(struct bus *bus, const char *format, ...)
{
	struct pollfd p = { .fd = bus->fd, .events = POLLIN };
	char request[256];
	const char *last;
	size_t n = 0;
	ssize_t r;
	va_list ap;
	int length;

	va_start(ap, format);
	length = vsnprintf(request, sizeof(request), format, ap);
	va_end(ap);
	if (write(bus->fd, request, length) != length)
		goto gone;
	for (;;) {
		if (poll(&p, 1, ANSWER_MS) <= 0)
			goto gone;
		r = read(bus->fd, bus->text + n, sizeof(bus->text) - 1 - n);
		if (r <= 0)
			goto gone;
		n += r;
		bus->text[n] = '\0';
		if (bus->text[n - 1] != '\n')
			continue;
		/* The start of the last line. */
		for (last = &bus->text[n - 1]; last > bus->text && last[-1] != '\n'; last--)
			;
		if (strncmp(last, "end ", 4) == 0)
			return 0;
		if (strncmp(last, "error ", 6) == 0) {
			fprintf(stderr, "witness: %.*s: %s", length - 1, request, last);
			return -1;
		}
	}
gone:
	fprintf(stderr, "witness: no answer to: %s", request);
	return -1;
}

uint64_t
bus_value(const struct bus *bus, const char *name)
{
	char line[64];
	const char *found;

	snprintf(line, sizeof(line), "bus %s ", name);
	found = strstr(bus->text, line);
	return found != NULL ? strtoull(found + strlen(line), NULL, 10) : UINT64_MAX;
}
