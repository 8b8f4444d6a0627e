/* SPDX-License-Identifier: BSD-3-Clause */

/* What the primary publishes and a secondary process finds, in a memzone of ours. */

#include "test.h"

#include <stdbool.h>
#include <stdio.h>

#include <rte_eal.h>
#include <rte_log.h>
#include <rte_memzone.h>

#include "vfio_wc_shared.h"

#define SLOTS 64

static enum rte_proc_type_t process;
static struct rte_memzone zone;
static bool zone_exists;
static FILE *log_file;

enum rte_proc_type_t __wrap_rte_eal_process_type(void);
const struct rte_memzone *__wrap_rte_memzone_lookup(const char *name);
const struct rte_memzone *__wrap_rte_memzone_reserve(const char *name, size_t len, int socket_id,
	unsigned int flags);

enum rte_proc_type_t
__wrap_rte_eal_process_type(void)
{
	return process;
}

const struct rte_memzone *
__wrap_rte_memzone_lookup(const char *name)
{
	(void)name;
	return zone_exists ? &zone : NULL;
}

const struct rte_memzone *
__wrap_rte_memzone_reserve(const char *name, size_t len, int socket_id, unsigned int flags)
{
	(void)name;
	(void)socket_id;
	(void)flags;
	assert_int_equal(process, RTE_PROC_PRIMARY);
	zone.addr = malloc(len);
	assert_non_null(zone.addr);
	memset(zone.addr, 0xa5, len);	/* a memzone need not be empty */
	zone_exists = true;
	return &zone;
}

static int
setup(void **state)
{
	(void)state;
	process = RTE_PROC_PRIMARY;
	zone_exists = false;
	zone.addr = NULL;
	log_file = tmpfile();
	rte_openlog_stream(log_file);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	rte_openlog_stream(NULL);
	fclose(log_file);
	free(zone.addr);
	return 0;
}

static const char *
logged(void)
{
	static char text[256];

	rewind(log_file);
	if (fgets(text, sizeof(text), log_file) == NULL)
		text[0] = '\0';
	return text;
}

static struct vfio_wc_request
a_request(unsigned int number)
{
	struct vfio_wc_request args = { .mode = VFIO_WC_REQUIRED, .nb_ranges = 1 };

	snprintf(args.name, sizeof(args.name), "vfio_wc%u", number);
	args.range[0].bar = number % 6;
	return args;
}

static void
publish(unsigned int number)
{
	struct vfio_wc_request args = a_request(number);

	vfio_wc_shared_set(args.name, &args);
}

static void
a_secondary_finds_what_the_primary_asked_for(void **state)
{
	struct vfio_wc_request args;

	(void)state;
	publish(2);
	publish(3);
	assert_false(vfio_wc_shared_get("vfio_wc3", &args));	/* the primary has its own */
	process = RTE_PROC_SECONDARY;
	assert_true(vfio_wc_shared_get("vfio_wc3", &args));
	assert_string_equal(args.name, "vfio_wc3");
	assert_int_equal(args.mode, VFIO_WC_REQUIRED);
	assert_int_equal(args.nb_ranges, 1);
	assert_int_equal(args.range[0].bar, 3);
	assert_false(vfio_wc_shared_get("vfio_wc1", &args));

	process = RTE_PROC_PRIMARY;
	vfio_wc_shared_set("vfio_wc3", NULL);
	process = RTE_PROC_SECONDARY;
	assert_false(vfio_wc_shared_get("vfio_wc3", &args));
	assert_true(vfio_wc_shared_get("vfio_wc2", &args));
	assert_string_equal(logged(), "");
}

static void
a_secondary_changes_nothing(void **state)
{
	struct vfio_wc_request args;

	(void)state;
	process = RTE_PROC_SECONDARY;
	assert_false(vfio_wc_shared_get("vfio_wc0", &args));	/* no memory, none made */
	publish(0);
	assert_false(zone_exists);
	process = RTE_PROC_PRIMARY;
	publish(0);
	process = RTE_PROC_SECONDARY;
	publish(1);
	vfio_wc_shared_set("vfio_wc0", NULL);
	assert_true(vfio_wc_shared_get("vfio_wc0", &args));
	assert_false(vfio_wc_shared_get("vfio_wc1", &args));
}

static void
slots_are_used_again(void **state)
{
	struct vfio_wc_request args;
	unsigned int i;

	(void)state;
	for (i = 0; i < SLOTS; i++)
		publish(i);
	assert_string_equal(logged(), "");
	vfio_wc_shared_set("vfio_wc7", NULL);
	publish(SLOTS);
	assert_string_equal(logged(), "");
	process = RTE_PROC_SECONDARY;
	assert_true(vfio_wc_shared_get("vfio_wc64", &args));

	process = RTE_PROC_PRIMARY;
	publish(SLOTS);	/* in its place */
	assert_string_equal(logged(), "");
	publish(SLOTS + 1);
	assert_contains(logged(), "vfio_wc65: no shared memory, secondary processes map plainly");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_secondary_finds_what_the_primary_asked_for),
		T(a_secondary_changes_nothing),
		T(slots_are_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
