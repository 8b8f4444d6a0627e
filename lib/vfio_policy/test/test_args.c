/* SPDX-License-Identifier: BSD-3-Clause */

#include "test.h"

#include <errno.h>
#include <stdio.h>

#include "vfio_wc_args.h"
#include "vfio_wc_policy.h"

static struct vfio_wc_request request;
static struct rte_vfio_wc_error error;

static int
parse(const char *args)
{
	memset(&error, 0, sizeof(error));
	return vfio_wc_args_parse("vfio_wc0", args, &request, &error);
}

static void
no_arguments_mean_the_table(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_string_equal(request.name, "vfio_wc0");
	assert_int_equal(request.nb_ranges, 0);
	assert_int_equal(request.mode, VFIO_WC_AUTO);
	assert_int_equal(request.type, RTE_VFIO_WC_TYPE_WC);
	assert_int_equal(parse("mode=off"), 0);
	assert_int_equal(request.mode, VFIO_WC_OFF);
}

static void
one_range(void **state)
{
	(void)state;
	assert_int_equal(parse("dev=0000:00:03.0,bar=4,offset=0x3000,len=4096,mode=required,"
		"type=uc"), 0);
	assert_int_equal(request.nb_ranges, 1);
	assert_string_equal(request.range[0].device, "0000:00:03.0");
	assert_int_equal(request.range[0].bar, 4);
	assert_int_equal(request.range[0].offset, 0x3000);
	assert_int_equal(request.range[0].length, 0x1000);
	assert_int_equal(request.mode, VFIO_WC_REQUIRED);
	assert_int_equal(request.type, RTE_VFIO_WC_TYPE_UC);
}

static void
several_ranges(void **state)
{
	(void)state;
	assert_int_equal(parse("mode=auto,dev=10000:e1:1f.7,bar=0,len=0x1000,bar=2,dev=3:0.1,bar=4,"
		"offset=0x10"), 0);
	assert_int_equal(request.nb_ranges, 3);
	assert_string_equal(request.range[0].device, "10000:e1:1f.7");
	assert_int_equal(request.range[0].length, 0x1000);
	assert_string_equal(request.range[1].device, "10000:e1:1f.7");
	assert_int_equal(request.range[1].bar, 2);
	assert_int_equal(request.range[1].offset, 0);
	assert_int_equal(request.range[1].length, 0);
	assert_string_equal(request.range[2].device, "0000:03:00.1");
	assert_int_equal(request.range[2].offset, 0x10);
	/* offset= and len= once for each */
	assert_int_equal(parse("dev=0000:00:03.0,bar=4,offset=0,len=4096,bar=1,offset=0,len=4096"),
		0);
}

static void
errors_have_their_words(void **state)
{
	static const struct {
		const char *args, *text;
	} cases[] = {
		{ "frobnicate=1", "unknown key \"frobnicate\" (known: dev, bar, offset, len" },
		{ "dev", "\"dev\" is not key=value" },
		{ "dev=0000:00:03.0,bar=4,", "\"\" is not key=value" },
		{ "dev=eth0,bar=0", "dev=eth0 is not a PCI address" },
		{ "dev=0000:00:20.0,bar=0", "is not a PCI address" },
		{ "dev=0000:00:03.8,bar=0", "is not a PCI address" },
		{ "dev=0000:00:03.0x,bar=0", "is not a PCI address" },
		{ "dev=0000:00:03.0", "dev=0000:00:03.0 has no bar=" },
		{ "dev=0000:00:03.0,dev=0000:00:04.0,bar=0", "dev=0000:00:03.0 has no bar=" },
		{ "bar=0", "bar=0 stands before any dev=" },
		{ "dev=0000:00:03.0,bar=6", "BARs 0 to 5" },
		{ "dev=0000:00:03.0,bar=x", "bar=x is not a number" },
		{ "dev=0000:00:03.0,bar=", "bar= is not a number" },
		{ "dev=0000:00:03.0,bar=4,offset=-4096", "offset=-4096 is not a number" },
		{ "dev=0000:00:03.0,bar=4,offset=1k", "offset=1k is not a number" },
		{ "dev=0000:00:03.0,bar=4,len=99999999999999999999", "is not a number" },
		{ "dev=0000:00:03.0,bar=4,len=0", "len=0 is an empty range" },
		{ "dev=0000:00:03.0,offset=0,bar=4", "offset=0 stands before its bar=" },
		{ "dev=0000:00:03.0,bar=4,len=4096,len=8192", "len= is given twice" },
		{ "dev=0000:00:03.0,bar=4,offset=0,offset=0", "offset= is given twice" },
		{ "mode=maybe", "mode=maybe is none of auto, required, off" },
		{ "type=wt", "type=wt is none of wc, uc" },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (parse(cases[i].args) != -EINVAL)
			fail_msg("\"%s\" was accepted", cases[i].args);
		assert_contains(error.text, "arguments: ");
		assert_contains(error.text, cases[i].text);
	}
	assert_int_equal(vfio_wc_args_parse("vfio_wc0", "x=1", &request, NULL), -EINVAL);
}

/* "required" must not be lost to an error elsewhere in the arguments. */
static void
the_rest_is_read_after_an_error(void **state)
{
	(void)state;
	assert_int_equal(parse("speed=high,dev=0000:00:03.0,bar=9,mode=required,more=1"), -EINVAL);
	assert_contains(error.text, "\"speed\"");
	assert_int_equal(request.mode, VFIO_WC_REQUIRED);
	assert_int_equal(request.nb_ranges, 1);
	assert_string_equal(request.range[0].device, "0000:00:03.0");
}

/* Of which devices are there no ranges, although something was asked of them? */
static void
a_device_that_is_not_among_the_ranges(void **state)
{
	static const struct {
		const char *args;
		bool unread;
	} cases[] = {
		{ "dev=0000:00:03.0,bar=4,dev=eth0,bar=2", true },
		{ "dev=0000:00:03.0,bar=4,dev=0000:00:04.0", true },
		{ "dev=0000:00:04.0,dev=0000:00:03.0,bar=4", true },
		{ "bar=4,dev=0000:00:03.0,bar=4", true },
		{ "dev=0000:00:03.0,bar=4,dve=0000:00:04.0", true },
		{ "dev=0000:00:03.0,bar=4,0000:00:04.0", true },
		{ "dev=0000:00:03.0,bar=9", false },
		{ "dev=0000:00:03.0,bar=4,offset=x,len=y", false },
		{ "dev=0000:00:03.0,bar=4,type=wt", false },
		{ "dev=0000:00:03.0,bar=4,speed=high", false },
		{ "dev=0000:00:03.0,bar=4,speed", false },
	};
	char args[512] = "mode=required";
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].args), -EINVAL);
		if (request.unread != cases[i].unread)
			fail_msg("\"%s\": %d", cases[i].args, request.unread);
		assert_string_equal(request.range[0].device, "0000:00:03.0");
		/* what follows such a one is not taken for the device before it */
		assert_int_equal(request.nb_ranges, 1);
	}
	assert_int_equal(parse("dev=0000:00:03.0,bar=4"), 0);
	assert_false(request.unread);

	/* the seventeenth */
	for (i = 0; i <= VFIO_WC_RANGES; i++)
		sprintf(args + strlen(args), ",dev=%x:0.0,bar=0", i);
	assert_int_equal(parse(args), -EINVAL);
	assert_true(request.unread);
}

/* A word of any length is read, or it is said that it is not. */
static void
long_words(void **state)
{
	char args[1024] = "dev=0000:00:03.0,bar=4,";

	(void)state;
	memset(args + strlen(args), 'x', 900);
	strcat(args, "=1,mode=required");
	assert_int_equal(parse(args), -EINVAL);
	assert_contains(error.text, "is too long");
	assert_int_equal(request.mode, VFIO_WC_REQUIRED);
	assert_true(request.unread);
}

static void
too_many_ranges(void **state)
{
	char args[512] = "dev=0000:00:03.0";
	unsigned int i;

	(void)state;
	for (i = 0; i < VFIO_WC_RANGES; i++)
		strcat(args, ",bar=0");
	assert_int_equal(parse(args), 0);
	strcat(args, ",bar=0");
	assert_int_equal(parse(args), -EINVAL);
	assert_contains(error.text, "more than 16 ranges");
}

/* ---- the built-in table ---- */

static void
expect_bars(uint16_t vendor, uint16_t device, const char *populated, const char *wanted)
{
	struct vfio_wc_sysfs pci = { .vendor = vendor, .device = device };
	unsigned int bars[RTE_VFIO_WC_BARS], i, n;
	char got[RTE_VFIO_WC_BARS + 1] = "";

	/* "m-m-i-": memory, none, memory, none, I/O, none */
	for (i = 0; populated[i] != '\0'; i++) {
		pci.bar[i].size = populated[i] != '-' ? 0x10000 : 0;
		pci.bar[i].memory = populated[i] == 'm';
	}
	n = vfio_wc_policy_bars(&pci, bars);
	for (i = 0; i < n; i++)
		got[i] = '0' + bars[i];
	assert_string_equal(got, wanted);
}

static void
ena_is_bar_2(void **state)
{
	(void)state;
	expect_bars(0x1d0f, 0xec20, "mmm---", "2");
	expect_bars(0x1d0f, 0xec21, "m-m---", "2");
	expect_bars(0x1d0f, 0xec20, "m-----", "");
	expect_bars(0x1d0f, 0xec20, "mmi---", "");
	expect_bars(0x1d0f, 0xec20, "m-m-m-", "2");
}

static void
ionic_is_the_third_populated_bar(void **state)
{
	(void)state;
	expect_bars(0x1dd8, 0x1002, "m-m-m-", "4");
	expect_bars(0x1dd8, 0x1003, "mmm---", "2");
	expect_bars(0x1dd8, 0x1003, "mim-m-", "4");
	expect_bars(0x1dd8, 0x1002, "m-m---", "");
	expect_bars(0x1dd8, 0x1004, "m-m-m-", "4");
	expect_bars(0x1dd8, 0x1001, "m-m-m-", "");
}

static void
ntb_is_its_windows(void **state)
{
	(void)state;
	expect_bars(0x8086, 0x201c, "m-m-m-", "24");
	expect_bars(0x8086, 0x347e, "m-m---", "2");
}

static void
others_are_not_touched(void **state)
{
	(void)state;
	expect_bars(0x1af4, 0x1041, "-m--m-", "");
	expect_bars(0x1d0f, 0x1002, "m-m-m-", "");	/* ionic's device, ena's vendor */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_arguments_mean_the_table),
		cmocka_unit_test(one_range),
		cmocka_unit_test(several_ranges),
		cmocka_unit_test(errors_have_their_words),
		cmocka_unit_test(the_rest_is_read_after_an_error),
		cmocka_unit_test(a_device_that_is_not_among_the_ranges),
		cmocka_unit_test(long_words),
		cmocka_unit_test(too_many_ranges),
		cmocka_unit_test(ena_is_bar_2),
		cmocka_unit_test(ionic_is_the_third_populated_bar),
		cmocka_unit_test(ntb_is_its_windows),
		cmocka_unit_test(others_are_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
