/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "telemetry.h"
#include "testpmd.h"

#define PROMPT "testpmd> "

/* Generous: a link may take 9 s to come up, hugepages have to be cleared. */
#define START_S 120
#define COMMAND_S 60
#define QUIT_S 20

double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

enum wc_status
pause_for(double seconds)
{
	const double end = now() + seconds;
	struct timespec ts;
	double left;

	while (!interrupted && (left = end - now()) > 0) {
		ts.tv_sec = left;
		ts.tv_nsec = (left - ts.tv_sec) * 1e9;
		nanosleep(&ts, NULL);
	}
	return interrupted ? fail(WC_INTERRUPTED, "interrupted") : WC_OK;
}

void
testpmd_prefix(char *prefix, size_t size)
{
	static unsigned int count;

	snprintf(prefix, size, "wc-perf-%d-%u", (int)getpid(), count++);
}

/* Where EAL puts its files (eal_create_runtime_dir()). */
static void
find_runtime_dir(struct testpmd *t, const char *prefix)
{
	const char *base = "/var/run";

	if (getuid() != 0) {
		base = getenv("XDG_RUNTIME_DIR");
		if (base == NULL)
			base = "/tmp";
	}
	snprintf(t->runtime_dir, sizeof(t->runtime_dir), "%s/dpdk/%s", base, prefix);
}

static void
remove_runtime_dir(struct testpmd *t)
{
	struct dirent *entry;
	DIR *dir = opendir(t->runtime_dir);

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(t->runtime_dir);
}

/* The child's side of the fork; returns only if it failed. */
static void
run_child(char *const *argv, const char *tty, pid_t parent)
{
	sigset_t none;
	int fd;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		return;
	setsid();
	fd = open(tty, O_RDWR);
	if (fd < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		return;
	if (fd > 2)
		close(fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* It would move EAL's runtime directory. */
	unsetenv("RUNTIME_DIRECTORY");
	execvp(argv[0], argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
}

/* Take in what testpmd printed. 0: something; 1: nothing in time; -1: it is gone. */
static int
take_output(struct testpmd *t, int timeout_ms)
{
	struct pollfd p = { .fd = t->prompt, .events = POLLIN };
	char *out;
	ssize_t n;

	n = poll(&p, 1, timeout_ms);
	if (n <= 0)
		return 1;
	if (t->out_size - t->out_len < 4096) {
		out = realloc(t->out, t->out_size + 65536);
		if (out == NULL)
			return -1;
		t->out = out;
		t->out_size += 65536;
	}
	n = read(t->prompt, t->out + t->out_len, t->out_size - t->out_len - 1);
	if (n <= 0)
		return -1;
	if (t->verbose)
		fwrite(t->out + t->out_len, 1, n, stderr);
	t->out_len += n;
	t->out[t->out_len] = '\0';
	return 0;
}

/* The last lines testpmd printed, for a message. */
static const char *
tail(const struct testpmd *t)
{
	const char *p;
	unsigned int lines = 0;

	if (t->out == NULL || t->out_len == 0)
		return "(nothing)";
	for (p = t->out + t->out_len; p > t->out; p--)
		if (p[-1] == '\n' && ++lines == 9)
			break;
	return p;
}

static enum wc_status
wait_prompt(struct testpmd *t, double seconds, const char *what)
{
	const double end = now() + seconds;
	int r;

	while (t->out == NULL || strstr(t->out, PROMPT) == NULL) {
		if (interrupted)
			return fail(WC_INTERRUPTED, "interrupted");
		r = now() < end ? take_output(t, 200) : 1;
		if (r < 0)
			return fail(WC_TESTPMD, "testpmd ended at \"%s\". Its last words:\n%s",
				what, tail(t));
		if (r > 0 && now() >= end)
			return fail(WC_TESTPMD,
				"testpmd did not answer \"%s\" in %g s. It said:\n%s", what,
				seconds, tail(t));
	}
	return WC_OK;
}

enum wc_status
testpmd_start(struct testpmd *t, char *const *argv, const char *prefix)
{
	const pid_t parent = getpid();
	const char *tty;
	enum wc_status st;

	t->pid = 0;
	t->telemetry = -1;
	t->out_len = 0;
	if (t->out != NULL)
		t->out[0] = '\0';
	find_runtime_dir(t, prefix);

	t->prompt = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->prompt < 0 || grantpt(t->prompt) < 0 || unlockpt(t->prompt) < 0 ||
			(tty = ptsname(t->prompt)) == NULL) {
		st = fail(WC_INTERNAL, "pseudo-terminal: %s", strerror(errno));
		testpmd_end(t);
		return st;
	}
	fflush(NULL);
	t->pid = fork();
	if (t->pid == 0) {
		run_child(argv, tty, parent);
		_exit(127);
	}
	if (t->pid < 0) {
		t->pid = 0;
		st = fail(WC_INTERNAL, "fork: %s", strerror(errno));
	} else {
		st = wait_prompt(t, START_S, "start");
	}
	if (st == WC_OK) {
		t->telemetry = telemetry_connect(t->pid, COMMAND_S);
		/* A signal may have ended that wait, too. */
		if (t->telemetry < 0 && interrupted)
			st = fail(WC_INTERRUPTED, "interrupted");
		else if (t->telemetry < 0)
			st = fail(WC_TESTPMD, "testpmd's telemetry socket: %s",
				strerror(-t->telemetry));
	}
	if (st != WC_OK)
		testpmd_end(t);
	return st;
}

/* Write a line to the prompt, and forget what was printed before. */
static int
send_line(struct testpmd *t, const char *line)
{
	const size_t len = strlen(line);

	t->out_len = 0;
	if (t->out != NULL)
		t->out[0] = '\0';
	if (write(t->prompt, line, len) != (ssize_t)len || write(t->prompt, "\n", 1) != 1)
		return -1;
	return 0;
}

enum wc_status
testpmd_command(struct testpmd *t, const char *fmt, ...)
{
	/* What testpmd says when it does not take a command, or cannot do it. */
	static const char *const no[] = {
		"Bad arguments", "Command not found", "Ambiguous command", "Failed to attach",
		"Failed to detach"
	};
	char line[256];
	enum wc_status st;
	va_list ap;
	size_t i;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (send_line(t, line) < 0)
		return fail(WC_TESTPMD, "testpmd is gone before \"%s\"", line);
	st = wait_prompt(t, COMMAND_S, line);
	for (i = 0; st == WC_OK && i < sizeof(no) / sizeof(no[0]); i++)
		if (strstr(t->out, no[i]) != NULL)
			st = fail(WC_TESTPMD, "testpmd on \"%s\": %s. It said:\n%s", line, no[i],
				tail(t));
	return st;
}

enum wc_status
testpmd_telemetry(struct testpmd *t, const char *command, json_t **answer)
{
	*answer = telemetry_ask(t->telemetry, command, &interrupted);
	if (*answer == NULL && interrupted)
		return fail(WC_INTERRUPTED, "interrupted");
	if (*answer == NULL)
		return fail(WC_TESTPMD, errno == ENOENT ? "testpmd's telemetry has no %s" :
			"testpmd's telemetry does not answer %s", command);
	return WC_OK;
}

enum wc_status
testpmd_opackets(struct testpmd *t, uint64_t *packets, double *when)
{
	const double before = now();
	json_t *answer, *value;
	enum wc_status st;

	st = testpmd_telemetry(t, "/ethdev/stats,0", &answer);
	if (st != WC_OK)
		return st;
	*when = (before + now()) / 2;
	value = json_object_get(answer, "opackets");
	*packets = json_integer_value(value);
	if (!json_is_integer(value))
		st = fail(WC_TESTPMD, "testpmd's telemetry: no opackets");
	json_decref(answer);
	return st;
}

bool
testpmd_sum_shaped(const json_t *xstats, uint64_t *packets)
{
	static const char suffix[] = "_allowance_exceeded";
	void *at = json_object_iter((json_t *)(uintptr_t)xstats);
	bool counted = false;
	const char *name;
	size_t n;

	*packets = 0;
	for (; at != NULL; at = json_object_iter_next((json_t *)(uintptr_t)xstats, at)) {
		name = json_object_iter_key(at);
		n = strlen(name);
		if (n < strlen(suffix) || strcmp(name + n - strlen(suffix), suffix) != 0)
			continue;
		counted = true;
		*packets += json_integer_value(json_object_iter_value(at));
	}
	return counted;
}

enum wc_status
testpmd_shaped(struct testpmd *t, uint64_t *packets, bool *counted)
{
	json_t *answer;
	enum wc_status st = testpmd_telemetry(t, "/ethdev/xstats,0", &answer);

	if (st != WC_OK)
		return st;
	*counted = testpmd_sum_shaped(answer, packets);
	json_decref(answer);
	return WC_OK;
}

bool
testpmd_field(const struct testpmd *t, const char *label, char *value, size_t size)
{
	const char *p = strstr(t->out, label);

	if (p == NULL)
		return false;
	p += strlen(label);
	p += strspn(p, ": ");
	snprintf(value, size, "%.*s", (int)strcspn(p, "\r\n"), p);
	text_clean(value);
	return true;
}

int
testpmd_parse_fwd_stats(const char *text, struct fwd_stats *stats)
{
	const char *p = strstr(text, "Forward statistics for port 0");

	if (p == NULL)
		return -1;
	p = strstr(p, "TX-packets:");
	if (p == NULL || sscanf(p, "TX-packets: %" SCNu64 " TX-dropped: %" SCNu64,
			&stats->sent, &stats->dropped) != 2)
		return -1;
	return 0;
}

enum wc_status
testpmd_stop(struct testpmd *t, struct fwd_stats *stats)
{
	enum wc_status st = testpmd_command(t, "stop");

	if (st == WC_OK && testpmd_parse_fwd_stats(t->out, stats) < 0)
		st = fail(WC_TESTPMD, "testpmd's stop shows no forwarding statistics:\n%s",
			tail(t));
	return st;
}

/* Wait for the child while draining its output, which it would block on. */
static bool
reap(struct testpmd *t, double seconds)
{
	const double end = now() + seconds;

	do {
		if (waitpid(t->pid, NULL, WNOHANG) == t->pid)
			return true;
		t->out_len = 0;
		if (take_output(t, 20) < 0)
			usleep(5000);
	} while (now() < end);
	return false;
}

void
testpmd_end(struct testpmd *t)
{
	if (t->telemetry >= 0)
		close(t->telemetry);
	if (t->pid > 0) {
		if (interrupted || send_line(t, "quit") < 0 || !reap(t, QUIT_S)) {
			kill(t->pid, SIGTERM);
			if (!reap(t, QUIT_S / 4)) {
				kill(t->pid, SIGKILL);
				waitpid(t->pid, NULL, 0);
			}
		}
		remove_runtime_dir(t);
	}
	if (t->prompt >= 0)
		close(t->prompt);
	free(t->out);
	*t = (struct testpmd){ .prompt = -1, .telemetry = -1, .verbose = t->verbose };
}
