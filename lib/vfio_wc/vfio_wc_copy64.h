/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_COPY64_H
#define VFIO_WC_COPY64_H

#include <stdbool.h>

/* A way to store a line, for some CPUs. */
struct vfio_wc_copy64_way {
	const char *name;
	unsigned int stores;
	bool (*usable)(void);		/* on this CPU, with this kernel */
	void (*copy)(void *line, const void *from);
};

/* Those of this architecture, fewest stores first; the last one is always usable. */
extern const struct vfio_wc_copy64_way vfio_wc_copy64_ways[];
extern const unsigned int vfio_wc_copy64_nb_ways;

#endif /* VFIO_WC_COPY64_H */
