/* SPDX-License-Identifier: BSD-3-Clause */

#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test.h"
#include "witness.h"

static void
leaf_lines(void **state)
{
	struct leaves l = { NULL, 0 };
	const char *why;

	(void)state;
	assert_int_equal(witness_parse_leaf("leaf 0x7f0000003000 0xfe003000 0x80000000fe00306f "
		"0x1000 WC", &l, &why), 0);
	assert_int_equal(witness_parse_leaf("leaf 0x1 0x2 0x3 0x200000 UC-", &l, &why), 0);
	assert_int_equal(l.n, 2);
	assert_true(l.v[0].va == 0x7f0000003000 && l.v[0].pa == 0xfe003000);
	assert_true(l.v[0].pte == 0x80000000fe00306f && l.v[0].size == 0x1000);
	assert_string_equal(l.v[0].type, "WC");
	assert_string_equal(l.v[1].type, "UC-");
	assert_int_equal(witness_parse_leaf("end 2", &l, &why), 1);
	leaves_free(&l);
}

static void
damaged_lines(void **state)
{
	static const char *const bad[] = {
		"", "leaf", "leaf 0x1 0x2 0x3 0x1000", "leaf 0x1 0x2 0x3 0x1000 XX",
		"leaf 0x1 0x2 0x3 0x1000 WC extra", "leaf 0x1 0x2 0x3 0x1000 WCC",
		"leaf 0x1 0x2 0x3 0x0 WC", "leaf 1 2 3 4", "end", "end x", "end 0 0", "count 1 2 3",
	};
	struct leaves l = { NULL, 0 };
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		why = NULL;
		assert_int_equal(witness_parse_leaf(bad[i], &l, &why), -1);
		assert_non_null(why);
	}
	/* A line got lost on the way. */
	assert_int_equal(witness_parse_leaf("end 1", &l, &why), -1);
	assert_string_equal(why, "an answer with lines missing");
	assert_int_equal(witness_parse_leaf("error anchor not found", &l, &why), -1);
	assert_string_equal(why, "anchor not found");
	assert_int_equal(l.n, 0);
}

static void
count_lines(void **state)
{
	struct frames f;
	const char *why;

	(void)state;
	assert_int_equal(witness_parse_count("count 18446744073709551615 64 3", &f, &why), 1);
	assert_true(f.frames == UINT64_MAX && f.bytes == 64 && f.other == 3);
	assert_int_equal(witness_parse_count("count 1 2", &f, &why), -1);
	assert_int_equal(witness_parse_count("count 1 2 3 4", &f, &why), -1);
	assert_int_equal(witness_parse_count("error no back end net7", &f, &why), -1);
	assert_string_equal(why, "no back end net7");
}

/* A witness: answers each question with the next of these. */
struct fake {
	int fd;
	const char *answers[4];
	char asked[4][128];
};

static void *
answer(void *arg)
{
	struct fake *fake = arg;
	size_t i, n;

	for (i = 0; i < 4 && fake->answers[i] != NULL; i++) {
		for (n = 0; read(fake->fd, &fake->asked[i][n], 1) == 1; n++)
			if (fake->asked[i][n] == '\n')
				break;
		fake->asked[i][n] = '\0';
		/* In two pieces, as a device may give it. */
		n = strlen(fake->answers[i]);
		if (write(fake->fd, fake->answers[i], n / 2) < 0)
			break;
		usleep(1000);
		if (write(fake->fd, fake->answers[i] + n / 2, n - n / 2) < 0)
			break;
	}
	return NULL;
}

static void
conversation(void **state)
{
	struct fake fake = { .answers = {
		"leaf 0x3000 0xfe003000 0xfe00306f 0x1000 WC\nend 1\n", "count 5 320 1\n",
		"error no process\n", NULL,
	} };
	struct leaves l = { NULL, 0 };
	struct frames f;
	pthread_t thread;
	int fd, pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	fake.fd = pair[0];
	fd = pair[1];
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(pthread_create(&thread, NULL, answer, &fake), 0);

	assert_int_equal(witness_walk(fd, 1, 0x3000, 0x1000, 0xfe003000, &l), WC_OK);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.v[0].type, "WC");
	assert_int_equal(witness_count(fd, "net0", &f), WC_OK);
	assert_int_equal(f.frames, 5);
	assert_int_equal(witness_mmio(fd, 1, 0x3000, 0xfe003000, &l), WC_ENVIRONMENT);
	assert_said("no process");
	assert_int_equal(l.n, 0);

	pthread_join(thread, NULL);
	assert_string_equal(fake.asked[0], "walk 1 0x3000 0x1000 0xfe003000");
	assert_string_equal(fake.asked[1], "count net0");
	assert_string_equal(fake.asked[2], "mmio 1 0x3000 0xfe003000");
	close(fd);
	close(fake.fd);
}

static void
nobody_there(void **state)
{
	struct frames f;
	int fd;

	(void)state;
	assert_int_equal(witness_open("/nonexistent/witness", &fd), WC_ENVIRONMENT);
	assert_said("/nonexistent/witness");
	fail_reset();
	assert_int_equal(witness_open("/dev/null", &fd), WC_OK);
	assert_int_equal(witness_count(fd, "net0", &f), WC_ENVIRONMENT);
	assert_said("nobody");
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaf_lines),
		cmocka_unit_test(damaged_lines),
		cmocka_unit_test(count_lines),
		cmocka_unit_test_setup(conversation, forget_failure),
		cmocka_unit_test_setup(nobody_there, forget_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
