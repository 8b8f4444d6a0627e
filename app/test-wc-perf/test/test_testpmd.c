/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "testpmd.h"

static void
statistics_at_stop(void **state)
{
	/* Of testpmd 24.11: per stream first, then the port, then all. */
	static const char text[] =
		"stop\r\nTelling cores to stop...\r\nWaiting for lcores to finish...\r\n\r\n"
		"  ------- Forward Stats for RX Port= 0/Queue= 0 -> TX Port= 0/Queue= 0 -------\r\n"
		"  RX-packets: 0              TX-packets: 853152         TX-dropped: 7      "
		"       \r\n"
		"  ---------------------- Forward statistics for port 0  ----------------------\r\n"
		"  RX-packets: 0              RX-dropped: 0             RX-total: 0\r\n"
		"  TX-packets: 1706304        TX-dropped: 9             TX-total: 1706313\r\n"
		"  ----------------------------------------------------------------------------\r\n"
		"  +++++++++++++++ Accumulated forward statistics for all ports+++++++++++++++\r\n"
		"  TX-packets: 1706305        TX-dropped: 10            TX-total: 1706315\r\n";
	struct fwd_stats s;

	(void)state;
	assert_int_equal(testpmd_parse_fwd_stats(text, &s), 0);
	assert_int_equal(s.sent, 1706304);
	assert_int_equal(s.dropped, 9);
	assert_int_equal(testpmd_parse_fwd_stats("Done.\r\ntestpmd> ", &s), -1);
	assert_int_equal(testpmd_parse_fwd_stats("Forward statistics for port 0\nTX-packets: x",
				 &s),
		-1);
}

/* Of ENA's PMD; the last one is what could still be had. */
static void
shaped_by_the_cloud(void **state)
{
	json_t *xstats = json_loads("{\"tx_good_packets\": 9, \"bw_in_allowance_exceeded\": 1,"
		"\"bw_out_allowance_exceeded\": 20, \"pps_allowance_exceeded\": 300,"
		"\"conntrack_allowance_exceeded\": 4000, \"linklocal_allowance_exceeded\": 50000,"
		"\"conntrack_allowance_available\": 600000}", 0, NULL);
	uint64_t packets;

	(void)state;
	assert_true(testpmd_sum_shaped(xstats, &packets));
	assert_int_equal(packets, 54321);
	json_decref(xstats);
	xstats = json_loads("{\"tx_good_packets\": 9, \"allowance_exceeded\": 1}", 0, NULL);
	assert_false(testpmd_sum_shaped(xstats, &packets));
	assert_int_equal(packets, 0);
	json_decref(xstats);
}

static const struct testpmd nothing = { .prompt = -1, .telemetry = -1 };

static void
no_such_program(void **state)
{
	char name[] = "/nonexistent/dpdk-testpmd";
	char *argv[] = { name, NULL };
	struct testpmd t = nothing;

	(void)state;
	assert_int_equal(testpmd_start(&t, argv, "x"), WC_TESTPMD);
	assert_said(name);
	assert_int_equal(t.pid, 0);
	assert_int_equal(t.prompt, -1);
}

static void
last_words_are_told(void **state)
{
	char sh[] = "/bin/sh", c[] = "-c", script[] = "echo vfio_wc0: no such kernel; exit 1";
	char *argv[] = { sh, c, script, NULL };
	struct testpmd t = nothing;

	(void)state;
	assert_int_equal(testpmd_start(&t, argv, "x"), WC_TESTPMD);
	assert_said("no such kernel");
}

/* A real testpmd on a device that is none, with two lcores wherever it runs. */
static enum wc_status
start_real(struct testpmd *t)
{
	static char prefix_arg[96];
	static char words[][32] = {
		"dpdk-testpmd", "--lcores", "0@0,1@0", "--no-huge", "-m", "64", "--no-pci",
		"--vdev=net_null0", "--", "-i", "--total-num-mbufs=4096", "--forward-mode=txonly",
	};
	char *argv[sizeof(words) / sizeof(words[0]) + 2];
	char prefix[64];
	size_t i, n = 0;

	testpmd_prefix(prefix, sizeof(prefix));
	snprintf(prefix_arg, sizeof(prefix_arg), "--file-prefix=%s", prefix);
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		argv[n++] = words[i];
		if (i == 0)
			argv[n++] = prefix_arg;
	}
	argv[n] = NULL;
	return testpmd_start(t, argv, prefix);
}

static void
real_testpmd(void **state)
{
	struct testpmd t = nothing;
	char driver[32], dir[PATH_MAX];
	struct fwd_stats stats;
	struct stat sb;
	uint64_t packets[2];
	double when[2];
	json_t *info;
	pid_t pid;

	(void)state;
	assert_int_equal(start_real(&t), WC_OK);
	pid = t.pid;
	strcpy(dir, t.runtime_dir);
	assert_int_equal(stat(dir, &sb), 0);
	assert_int_equal(testpmd_telemetry(&t, "/info", &info), WC_OK);
	assert_int_equal(json_integer_value(json_object_get(info, "pid")), pid);
	json_decref(info);
	assert_int_equal(testpmd_telemetry(&t, "/frobnicate", &info), WC_TESTPMD);
	assert_said("/frobnicate");
	fail_reset();
	assert_int_equal(testpmd_command(&t, "show port info 0"), WC_OK);
	assert_true(testpmd_field(&t, "Driver name", driver, sizeof(driver)));
	assert_string_equal(driver, "net_null");
	assert_int_equal(testpmd_command(&t, "set nonsense 1"), WC_TESTPMD);
	assert_said("Bad arguments");
	fail_reset();

	assert_int_equal(testpmd_command(&t, "start"), WC_OK);
	assert_int_equal(testpmd_opackets(&t, &packets[0], &when[0]), WC_OK);
	assert_int_equal(pause_for(0.1), WC_OK);
	assert_int_equal(testpmd_opackets(&t, &packets[1], &when[1]), WC_OK);
	assert_true(packets[1] > packets[0]);
	assert_true(when[1] - when[0] >= 0.1);
	assert_int_equal(testpmd_stop(&t, &stats), WC_OK);
	assert_true(stats.sent >= packets[1]);

	/* Nothing is left: no process, no file. */
	testpmd_end(&t);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_int_equal(stat(dir, &sb), -1);
}

/* It is killed while it forwards: an error, not a hang, and nothing is left. */
static void
real_testpmd_dies(void **state)
{
	struct testpmd t = nothing;
	struct fwd_stats stats;
	char dir[PATH_MAX];
	struct stat sb;

	(void)state;
	assert_int_equal(start_real(&t), WC_OK);
	strcpy(dir, t.runtime_dir);
	assert_int_equal(testpmd_command(&t, "start"), WC_OK);
	assert_int_equal(kill(t.pid, SIGKILL), 0);
	assert_int_equal(testpmd_stop(&t, &stats), WC_TESTPMD);
	testpmd_end(&t);
	assert_int_equal(stat(dir, &sb), -1);
}

/* The tool itself is killed: testpmd must not outlive it. */
static void
real_testpmd_orphaned(void **state)
{
	struct testpmd t = nothing;
	pid_t parent, child = 0;
	int pipefd[2], i;
	char command[64];

	(void)state;
	assert_int_equal(pipe(pipefd), 0);
	parent = fork();
	if (parent == 0) {
		if (start_real(&t) == WC_OK &&
				write(pipefd[1], &t.pid, sizeof(t.pid)) == sizeof(t.pid))
			pause();
		_exit(1);
	}
	close(pipefd[1]);
	assert_int_equal(read(pipefd[0], &child, sizeof(child)), sizeof(child));
	close(pipefd[0]);
	assert_int_equal(kill(child, 0), 0);
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	/* Gone, or a zombie that nobody has reaped. */
	snprintf(command, sizeof(command), "grep -qv '^[0-9]* ([^)]*) Z' /proc/%d/stat 2>/dev/null",
		(int)child);
	for (i = 0; i < 500 && system(command) == 0; i++)
		usleep(10000);
	assert_int_not_equal(system(command), 0);
	/* What it could not remove itself: it was killed. */
	snprintf(command, sizeof(command), "rm -rf /var/run/dpdk/wc-perf-%d-*", (int)parent);
	assert_int_equal(system(command), 0);
}

static bool signalled;	/* while the telemetry's greeting is awaited */

int __real_telemetry_connect(pid_t pid, unsigned int patience);
int __wrap_telemetry_connect(pid_t pid, unsigned int patience);

int
__wrap_telemetry_connect(pid_t pid, unsigned int patience)
{
	if (!signalled)
		return __real_telemetry_connect(pid, patience);
	interrupted = 1;
	return -EPROTO;
}

static void
signals_end_a_start(void **state)
{
	char sh[] = "/bin/sh", c[] = "-c", script[] = "printf 'testpmd> '; read x";
	char *argv[] = { sh, c, script, NULL };
	struct testpmd t = nothing;

	(void)state;
	signalled = true;
	assert_int_equal(testpmd_start(&t, argv, "x"), WC_INTERRUPTED);
	assert_said("interrupted");
	assert_int_equal(t.pid, 0);
	signalled = false;
	interrupted = 0;
}

static void
signals_end_a_pause(void **state)
{
	(void)state;
	interrupted = 1;
	assert_int_equal(pause_for(30), WC_INTERRUPTED);
	interrupted = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shaped_by_the_cloud),
		cmocka_unit_test(statistics_at_stop),
		cmocka_unit_test_setup(no_such_program, forget_failure),
		cmocka_unit_test_setup(last_words_are_told, forget_failure),
		cmocka_unit_test_setup(real_testpmd, forget_failure),
		cmocka_unit_test_setup(real_testpmd_dies, forget_failure),
		cmocka_unit_test_setup(real_testpmd_orphaned, forget_failure),
		cmocka_unit_test_setup(signals_end_a_start, forget_failure),
		cmocka_unit_test_setup(signals_end_a_pause, forget_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
