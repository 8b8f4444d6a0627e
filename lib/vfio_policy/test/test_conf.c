/* SPDX-License-Identifier: BSD-3-Clause */

#include "test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vfio_wc_conf.h"

static struct vfio_wc_conf conf;
static struct vfio_wc_wanted wanted[VFIO_WC_WANTED];
static struct rte_vfio_wc_error error;

/* ENA: 16 KB of registers, 1 MB to push into, the MSI-X table */
static const struct vfio_wc_sysfs ena = {
	.bdf = "0000:00:07.0", .vendor = 0x1d0f, .device = 0xec20,
	.bar[0] = { 0xfe000000, 0x4000, true, false, false },
	.bar[2] = { 0x8000000000, 0x100000, true, true, true },
	.bar[4] = { 0xfe100000, 0x1000, true, false, false },
};

static int
teardown(void **state)
{
	(void)state;
	vfio_wc_conf_free(&conf);
	return 0;
}

static void
refused(const char *text, int err, const char *why)
{
	assert_int_equal(vfio_wc_conf_add(&conf, "file", text, &error), -err);
	assert_contains(error.text, why);
	vfio_wc_conf_free(&conf);
}

static void
lines_and_comments(void **state)
{
	(void)state;
	assert_int_equal(vfio_wc_conf_add(&conf, "file", "\n# a comment\n"
		"  dev=00:03.0,bar=4,offset=0x3000,len=0x1000\t# the doorbells\r\n\n"
		"dev=1D0F:EC20,bar=2,mode=required,type=uc\nmode=off", &error), 0);
	assert_int_equal(conf.nb_requests, 3);
	assert_string_equal(conf.request[0].name, "file:3");
	assert_string_equal(conf.request[0].range[0].device, "0000:00:03.0");
	assert_string_equal(conf.request[1].range[0].device, "1d0f:ec20");
	assert_int_equal(conf.request[1].mode, VFIO_WC_REQUIRED);
	assert_int_equal(conf.request[2].nb_ranges, 0);
}

static void
errors_name_file_and_line(void **state)
{
	(void)state;
	refused("\n\nbar=4", EINVAL, "file:3: bar=4 stands before any dev=");
	refused("dev=eth0,bar=4", EINVAL,
		"file:1: dev=eth0 is not a PCI address (dddd:bb:dd.f) nor an ID (vvvv:dddd)");
	refused("dev=1d0f:ec2,bar=2", EINVAL, "file:1: dev=1d0f:ec2 is not");
	refused("dev=1d0f:ec20x,bar=2", EINVAL, "file:1: dev=1d0f:ec20x is not");
	refused("0000:00:07.0 bar=2", EINVAL, "file:1: unknown key");
	refused("dev=1d0f:ec20,bar=2\ndev=1d0f:ec20,bar=2,offset=0x1000", EEXIST,
		"file:2: 1d0f:ec20 BAR 2: the range overlaps one of file:1");
	refused("dev=1d0f:ec20,bar=2,bar=2,len=0x1000", EEXIST, "file:1: 1d0f:ec20 BAR 2: two of");
	refused("mode=auto\nmode=required", EEXIST, "file:2: file:1 asks for the built-in table");
	refused("dev=1d0f:ec20,bar=2,offset=0x1000,len=0xfffffffffffff000", EINVAL, "wraps");
	assert_int_equal(vfio_wc_conf_add(&conf, "/a/very/long/path/that/has/more/letters/than/a/"
		"name/has/room/for/vfio-wc.conf", "\nx", &error), -EINVAL);
	assert_contains(error.text, "has/room/for/vfio-wc.conf:2: \"x\" is not key=value");
}

static void
no_more_ranges_than_there_is_room_for(void **state)
{
	char line[64];
	int i, ret;

	(void)state;
	for (i = 0; i < VFIO_WC_WANTED; i++) {
		snprintf(line, sizeof(line), "dev=1d0f:ec20,bar=2,offset=0x%x000,len=0x1000", i);
		assert_int_equal(vfio_wc_conf_add(&conf, "file", line, &error), 0);
	}
	ret = vfio_wc_conf_add(&conf, "file", "dev=1d0f:ec20,bar=0", &error);
	assert_int_equal(ret, -EINVAL);
	assert_contains(error.text, "more than 64 ranges");
	assert_int_equal(vfio_wc_conf_wanted(&conf, &ena, wanted), VFIO_WC_WANTED);
}

/* Address before ID before table. */
static void
the_closest_lines_count(void **state)
{
	(void)state;
	assert_int_equal(vfio_wc_conf_wanted(&conf, &ena, wanted), 0);

	assert_int_equal(vfio_wc_conf_add(&conf, "file", "mode=required", &error), 0);
	assert_int_equal(vfio_wc_conf_wanted(&conf, &ena, wanted), 1);
	assert_int_equal(wanted[0].bar, 2);
	assert_int_equal(wanted[0].length, 0x100000);
	assert_int_equal(wanted[0].mode, VFIO_WC_REQUIRED);
	assert_true(wanted[0].from_table);
	assert_false(vfio_wc_conf_names(&conf, NULL));

	assert_int_equal(vfio_wc_conf_add(&conf, "file", "dev=1d0f:ec20,bar=2,offset=0x1000,"
		"bar=0,len=0x1000,type=uc", &error), 0);
	assert_int_equal(vfio_wc_conf_wanted(&conf, &ena, wanted), 2);
	assert_int_equal(wanted[0].bar, 0);
	assert_int_equal(wanted[1].bar, 2);
	assert_int_equal(wanted[1].offset, 0x1000);
	assert_int_equal(wanted[1].length, 0xff000);
	assert_int_equal(wanted[1].type, RTE_VFIO_WC_TYPE_UC);
	assert_false(wanted[1].from_table);
	assert_false(vfio_wc_conf_names(&conf, NULL));

	/* another one's address is nothing to it; its own with mode=off is all that counts */
	assert_int_equal(vfio_wc_conf_add(&conf, "file", "dev=00:08.0,bar=2", &error), 0);
	assert_int_equal(vfio_wc_conf_wanted(&conf, &ena, wanted), 2);
	assert_true(vfio_wc_conf_names(&conf, NULL));
	assert_false(vfio_wc_conf_names(&conf, ena.bdf));
	assert_int_equal(vfio_wc_conf_add(&conf, "file", "dev=00:07.0,bar=2,mode=off", &error), 0);
	assert_int_equal(vfio_wc_conf_wanted(&conf, &ena, wanted), 0);
	assert_true(vfio_wc_conf_names(&conf, ena.bdf));
}

static void
what_the_bar_does_not_have(void **state)
{
	(void)state;
	assert_int_equal(vfio_wc_conf_add(&conf, "file", "dev=00:07.0,bar=2,offset=0x200000,bar=3",
		&error), 0);
	assert_int_equal(vfio_wc_conf_wanted(&conf, &ena, wanted), 2);
	assert_int_equal(wanted[0].length, 0);
	assert_int_equal(wanted[1].length, 0);
}

static void
as_text_and_back(void **state)
{
	static const char text[] = "mode=required,type=uc,dev=0000:00:03.0,bar=4,offset=0x3000,"
		"len=0x1000,dev=1d0f:ec20,bar=2,offset=0x0\nmode=auto,type=wc\n";
	char *again;

	(void)state;
	assert_int_equal(vfio_wc_conf_add(&conf, "file", text, &error), 0);
	again = vfio_wc_conf_text(&conf);
	assert_string_equal(again, text);
	free(again);
}

static void
from_a_file(void **state)
{
	char path[] = "/tmp/vfio-wc-conf-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(vfio_wc_conf_read(&conf, path, &error), 0);
	assert_int_equal(conf.nb_requests, 0);
	assert_int_equal(write(fd, "mode=auto\nmode=maybe\n", 21), 21);
	assert_int_equal(vfio_wc_conf_read(&conf, path, &error), -EINVAL);
	assert_contains(error.text, ":2: mode=maybe is none of auto, required, off");
	assert_contains(error.text, path);
	assert_int_equal(pwrite(fd, "", 1, 3), 1);
	assert_int_equal(vfio_wc_conf_read(&conf, path, &error), -EINVAL);
	assert_contains(error.text, "is not a text");
	close(fd);
	unlink(path);
	assert_int_equal(vfio_wc_conf_read(&conf, path, &error), -ENOENT);
	assert_contains(error.text, path);
	assert_int_equal(vfio_wc_conf_read(&conf, "/", &error), -EISDIR);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(lines_and_comments, teardown),
		cmocka_unit_test_teardown(errors_name_file_and_line, teardown),
		cmocka_unit_test_teardown(no_more_ranges_than_there_is_room_for, teardown),
		cmocka_unit_test_teardown(the_closest_lines_count, teardown),
		cmocka_unit_test_teardown(what_the_bar_does_not_have, teardown),
		cmocka_unit_test_teardown(as_text_and_back, teardown),
		cmocka_unit_test_teardown(from_a_file, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
