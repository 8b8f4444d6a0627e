/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_WC_CONF_H
#define VFIO_WC_CONF_H

/*
 * What is wanted of all devices of a machine: requests, a line each, as vfio_wc_args.h has them
 * (dev= may be an address or an ID). A line that names no device asks for the built-in table.
 *
 *	# the doorbells of one, the push memory of all of a kind, the table for the rest
 *	dev=0000:00:03.0,bar=4,offset=0x3000,len=0x1000,mode=required
 *	dev=1d0f:ec20,bar=2
 *	mode=auto
 *
 * Of a device, the lines count that name its address; where there are none, those that name its
 * ID; where there are none, the table.
 */

#include "vfio_wc_args.h"

#define VFIO_WC_CONF "/etc/vfio-wc.conf"

struct vfio_wc_conf {
	struct vfio_wc_request *request;	/* [nb_requests]; vfio_wc_conf_free() */
	unsigned int nb_requests;
};

/*
 * Add the lines of a text; source is its name in messages. -EINVAL: a line cannot be read; -EEXIST:
 * it collides with another one; error->text begins with "source:line: ". 0, or a negative errno.
 */
int vfio_wc_conf_add(struct vfio_wc_conf *conf, const char *source, const char *text,
		struct rte_vfio_wc_error *error);

/* Add those of a file. */
int vfio_wc_conf_read(struct vfio_wc_conf *conf, const char *path,
		struct rte_vfio_wc_error *error);

void vfio_wc_conf_free(struct vfio_wc_conf *conf);

/* All of it as a text, the caller's to free(); NULL: no memory. */
char *vfio_wc_conf_text(const struct vfio_wc_conf *conf);

/* Does a line name this address; with NULL, an address at all? */
bool vfio_wc_conf_names(const struct vfio_wc_conf *conf, const char *bdf);

/* A range of a BAR that is wanted of a device. */
struct vfio_wc_wanted {
	unsigned int bar;
	uint64_t offset;
	uint64_t length;	/* 0: the BAR ends before offset */
	enum rte_vfio_wc_type type;
	enum vfio_wc_mode mode;	/* not VFIO_WC_OFF */
	bool from_table;
};

#define VFIO_WC_WANTED 64	/* of one device */

/*
 * What is wanted of a device, by BAR and offset, without overlap. Of pci only the address ("":
 * unknown), the IDs and the BARs need be filled in. Returns how many.
 */
unsigned int vfio_wc_conf_wanted(const struct vfio_wc_conf *conf, const struct vfio_wc_sysfs *pci,
		struct vfio_wc_wanted out[VFIO_WC_WANTED]);

#endif /* VFIO_WC_CONF_H */
