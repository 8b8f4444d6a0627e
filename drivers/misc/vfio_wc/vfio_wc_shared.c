/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_memory.h>
#include <rte_memzone.h>
#include <rte_spinlock.h>

#include "vfio_wc_log.h"
#include "vfio_wc_shared.h"

#define SHARED_NAME "vfio_wc_requests"
#define SHARED_MAX 64

struct shared {
	rte_spinlock_t lock;
	struct vfio_wc_request request[SHARED_MAX];	/* name "": free */
};

static struct shared *
shared(void)
{
	const struct rte_memzone *zone = rte_memzone_lookup(SHARED_NAME);

	if (zone == NULL && rte_eal_process_type() == RTE_PROC_PRIMARY) {
		zone = rte_memzone_reserve(SHARED_NAME, sizeof(struct shared), SOCKET_ID_ANY, 0);
		if (zone != NULL)
			memset(zone->addr, 0, sizeof(struct shared));
	}
	return zone != NULL ? zone->addr : NULL;
}

static struct vfio_wc_request *
shared_slot(struct shared *s, const char *name)
{
	unsigned int i;

	for (i = 0; i < SHARED_MAX; i++)
		if (strcmp(s->request[i].name, name) == 0)
			return &s->request[i];
	return NULL;
}

int
vfio_wc_shared_set(const char *name, const struct vfio_wc_request *args)
{
	struct shared *s = shared();
	struct vfio_wc_request *slot = NULL;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	if (s != NULL) {
		rte_spinlock_lock(&s->lock);
		slot = shared_slot(s, name);
		if (slot == NULL && args != NULL)
			slot = shared_slot(s, "");
		if (slot != NULL && args != NULL)
			*slot = *args;
		else if (slot != NULL)
			slot->name[0] = '\0';
		rte_spinlock_unlock(&s->lock);
	}
	if (slot != NULL || args == NULL)
		return 0;
	LOG(WARNING, "%s: no shared memory, secondary processes map plainly", name);
	return -ENOMEM;
}

bool
vfio_wc_shared_get(const char *name, struct vfio_wc_request *args)
{
	struct vfio_wc_request *slot = NULL;
	struct shared *s;

	if (rte_eal_process_type() != RTE_PROC_SECONDARY || (s = shared()) == NULL)
		return false;
	rte_spinlock_lock(&s->lock);
	slot = shared_slot(s, name);
	if (slot != NULL)
		*args = *slot;
	rte_spinlock_unlock(&s->lock);
	return slot != NULL;
}
