/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "telemetry.h"
#include "test.h"

/*
 * The EAL of this very process: a socket in some directory, and what is answered to one question.
 */
static struct {
	char dir[64];
	const char *name;
	int listener;
	const char *greeting, *answer;	/* NULL: hangs up instead */
	char question[64];
	pthread_t thread;
} eal;

static void *
serve(void *arg)
{
	int fd = accept(eal.listener, NULL, NULL);
	ssize_t n = 0;

	if (eal.greeting != NULL) {
		send(fd, eal.greeting, strlen(eal.greeting), 0);
		n = recv(fd, eal.question, sizeof(eal.question) - 1, 0);
	}
	eal.question[n > 0 ? n : 0] = '\0';
	if (eal.answer != NULL)
		send(fd, eal.answer, strlen(eal.answer), 0);
	close(fd);
	return arg;
}

static void
start(const char *name, const char *greeting, const char *answer)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	strcpy(eal.dir, "/tmp/test-telemetry-XXXXXX");
	assert_non_null(mkdtemp(eal.dir));
	eal.name = name;
	eal.greeting = greeting;
	eal.answer = answer;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", eal.dir, name);
	eal.listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	assert_int_equal(bind(eal.listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(eal.listener, 1), 0);
	assert_int_equal(pthread_create(&eal.thread, NULL, serve, NULL), 0);
}

static void
end(void)
{
	char path[128];

	pthread_join(eal.thread, NULL);
	close(eal.listener);
	snprintf(path, sizeof(path), "%s/%s", eal.dir, eal.name);
	unlink(path);
	assert_int_equal(rmdir(eal.dir), 0);
}

static const char hello[] = "{\"version\":\"DPDK 24.11\",\"pid\":1,\"max_output_len\":16384}";

static void
the_socket_of_a_process_is_found(void **state)
{
	static const char *const names[] = { "dpdk_telemetry.v2", "dpdk_telemetry.v2:12" };
	json_t *answer;
	int fd;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		start(names[i], hello, "{\"/vfio_wc/ranges\":{\"vfio_wc0/0\":{}}}");
		/* the process that listens has it, no other: its parent, say */
		assert_int_equal(telemetry_connect(getppid(), 1), -ENOENT);
		fd = telemetry_connect(getpid(), 1);
		assert_true(fd >= 0);
		answer = telemetry_ask(fd, "/vfio_wc/ranges", NULL);
		assert_non_null(json_object_get(answer, "vfio_wc0/0"));
		assert_string_equal(eal.question, "/vfio_wc/ranges");
		json_decref(answer);
		close(fd);
		end();
	}
}

static void
no_socket_or_no_greeting(void **state)
{
	(void)state;
	assert_int_equal(telemetry_connect(getpid(), 1), -ENOENT);
	/* beyond the largest pid there is */
	assert_int_equal(telemetry_connect(1 << 23, 1), -ENOENT);
	start("dpdk_telemetry.v2", NULL, NULL);
	assert_int_equal(telemetry_connect(getpid(), 1), -EPROTO);
	end();
}

static json_t *
ask(const char *command, const char *answer, int *err)
{
	json_t *json;
	int fd;

	start("dpdk_telemetry.v2", hello, answer);
	fd = telemetry_connect(getpid(), 1);
	assert_true(fd >= 0);
	errno = 0;
	json = telemetry_ask(fd, command, NULL);
	*err = errno;
	close(fd);
	end();
	return json;
}

static void
answers(void **state)
{
	json_t *json;
	int err;

	(void)state;
	/* arguments are not in the name that is answered under */
	json = ask("/ethdev/stats,0", "{\"/ethdev/stats\":{\"opackets\":7}}", &err);
	assert_int_equal(json_integer_value(json_object_get(json, "opackets")), 7);
	json_decref(json);
	assert_null(ask("/vfio_wc/ranges", "{\"/vfio_wc/ranges\":null}", &err));
	assert_int_equal(err, ENOENT);
	assert_null(ask("/vfio_wc/ranges", "{\"/other\":{}}", &err));
	assert_int_equal(err, EPROTO);
	assert_null(ask("/vfio_wc/ranges", "{\"/vfio_wc/ranges\":{", &err));
	assert_int_equal(err, EPROTO);
	assert_null(ask("/vfio_wc/ranges", NULL, &err));
	assert_int_equal(err, EPROTO);
}

static void
too_long(int signal)
{
	(void)signal;
}

/* A process that is stopped: the kernel takes connections for it, until there are too many. */
static void
a_process_that_does_not_answer(void **state)
{
	const struct sigaction action = { .sa_handler = too_long };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0), fd;
	char dir[] = "/tmp/test-telemetry-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/dpdk_telemetry.v2", dir);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener, 0), 0);
	sigaction(SIGALRM, &action, NULL);
	alarm(10);
	assert_int_equal(telemetry_connect(getpid(), 1), -EPROTO);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	while (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
	assert_int_equal(telemetry_connect(getpid(), 1), -EAGAIN);
	alarm(0);
	close(listener);
	unlink(addr.sun_path);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_socket_of_a_process_is_found),
		cmocka_unit_test(no_socket_or_no_greeting),
		cmocka_unit_test(answers),
		cmocka_unit_test(a_process_that_does_not_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
