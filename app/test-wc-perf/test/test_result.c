/* SPDX-License-Identifier: BSD-3-Clause */

/* The file of results: whatever happens, it is this run's, whole, and JSON. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"
#include "fake_root.h"
#include "perf.h"
#include "run.h"

static char dir[64], path[96];
static const char yesterday[] = "{\"status\": \"ok\", \"message\": \"yesterday's\"}\n";

/* ---- what is watched ---- */

static struct {
	bool synced;
	bool renamed_unsynced;
	int sync_err;
	char status[32];	/* in the file, while the run is on */
	const char *failure;	/* of the run; NULL: it is fine */
	bool imprecise;
	bool unwritable;	/* the disk is full when it ends */
} fake;

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
enum wc_status __wrap_run(struct result *r, unsigned int n, int witness);
struct bitmask;
int __wrap_numa_sched_setaffinity(pid_t pid, struct bitmask *mask);

/* Lcores that the machine of the test may not have. */
int
__wrap_numa_sched_setaffinity(pid_t pid, struct bitmask *mask)
{
	(void)pid;
	(void)mask;
	return 0;
}

int
__wrap_fsync(int fd)
{
	struct stat file;

	if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode))
		fake.synced = true;
	errno = fake.sync_err;
	return fake.sync_err != 0 ? -1 : __real_fsync(fd);
}

int
__wrap_rename(const char *from, const char *to)
{
	fake.renamed_unsynced = fake.renamed_unsynced || !fake.synced;
	fake.synced = false;
	return __real_rename(from, to);
}

static void
read_file(char *text, size_t size)
{
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	text[fread(text, 1, size - 1, f)] = '\0';
	fclose(f);
}

static void
expect(const char *status, const char *message)
{
	json_t *json = json_load_file(path, 0, NULL);

	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "status")), status);
	if (strstr(json_string_value(json_object_get(json, "message")), message) == NULL) {
		print_error("\"%s\" is not in: %s\n", message,
			json_string_value(json_object_get(json, "message")));
		assert_true(false);
	}
	assert_string_equal(json_string_value(json_object_get(json, "schema")), REPORT_SCHEMA);
	json_decref(json);
}

enum wc_status
__wrap_run(struct result *r, unsigned int n, int witness)
{
	struct stat file;
	json_t *json;

	(void)r;
	(void)n;
	(void)witness;
	if (stat(path, &file) == 0 && S_ISREG(file.st_mode)) {
		json = json_load_file(path, 0, NULL);
		snprintf(fake.status, sizeof(fake.status), "%s",
			json_string_value(json_object_get(json, "status")));
		json_decref(json);
	}
	if (fake.unwritable)
		setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 16, RLIM_INFINITY });
	if (fake.imprecise)
		return WC_IMPRECISE;
	return fake.failure != NULL ? fail(WC_TESTPMD, "%s", fake.failure) : WC_OK;
}

/* ---- a machine ---- */

static int
setup(void **state)
{
	FILE *f;

	strcpy(dir, "/tmp/test-perf-XXXXXX");
	if (fake_root_make(state) != 0 || mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/result.json", dir);
	f = fopen(path, "w");
	if (f == NULL || fputs(yesterday, f) == EOF || fclose(f) != 0)
		return -1;
	memset(&fake, 0, sizeof(fake));
	fake_virtio();
	fake_file("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "512\n");
	return forget_failure(state);
}

static int
teardown(void **state)
{
	/* a temporary that was left would keep it from going */
	unlink(path);
	return rmdir(dir) != 0 ? -1 : fake_root_remove(state);
}

/* The tool with these words; %s is the file. */
static int
perf_with(const char *words)
{
	char line[512], *argv[32], *rest = line;
	int argc = 0;

	snprintf(line, sizeof(line), words, path);
	while ((argv[argc] = strsep(&rest, " ")) != NULL)
		argc++;
	fail_reset();
	return perf(argc, argv);
}

static char printed[4096];

static void
printed_with(const char *words)
{
	const int out = dup(STDOUT_FILENO);
	FILE *f = tmpfile();

	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	assert_int_equal(perf_with(words), WC_OK);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	rewind(f);
	printed[fread(printed, 1, sizeof(printed) - 1, f)] = '\0';
	fclose(f);
}

#define GOOD "x --device 00:03.0 --range bar=4,offset=0x3000,len=0x1000 --arms plain " \
	"--lcores 0,1 --testpmd /bin/true --json %s"

/* ---- it is this run's ---- */

static void
a_start_that_fails_leaves_no_old_file(void **state)
{
	(void)state;
	assert_int_equal(perf_with("x --device 00:1e.7 --range bar=4 --json %s"), WC_ENVIRONMENT);
	expect("not ready", "00:1e.7: no such PCI device");
	assert_int_equal(perf_with(GOOD " --mem 4096"), WC_ENVIRONMENT);
	expect("not ready", "4096 MB needed");
	assert_string_equal(fake.status, "");
	/* and is no empty table */
	printed_with("x --show %s");
	assert_non_null(strstr(printed, "Nothing was measured. Status: not ready: "));
}

static void
so_do_wrong_arguments(void **state)
{
	(void)state;
	assert_int_equal(perf_with("x --json %s"), WC_USAGE);
	expect("usage", "--device is missing");
	/* before it, too; and none of what is wrong gets in */
	assert_int_equal(perf_with("x --repeats 0 --window nan --nonsense --json %s"), WC_USAGE);
	expect("usage", "--repeats 0: not a number");
	assert_int_equal(perf_with("x --json %s --forward tx\xff"), WC_USAGE);
	expect("usage", "--forward tx?: not UTF-8");
}

static void
while_it_runs_it_says_so(void **state)
{
	(void)state;
	fake.failure = "testpmd died";
	assert_int_equal(perf_with(GOOD), WC_TESTPMD);
	assert_string_equal(fake.status, "running");
	expect("testpmd failed", "testpmd died");

}

/* It is a result all the same; the exit status tells those who asked. */
static void
not_precise_enough_is_a_status_of_its_own(void **state)
{
	json_t *json;

	(void)state;
	fake.imprecise = true;
	assert_int_equal(perf_with(GOOD), 8);
	json = json_load_file(path, 0, NULL);
	assert_string_equal(json_string_value(json_object_get(json, "status")), "ok");
	assert_null(json_object_get(json, "message"));
	json_decref(json);
}

/* Each has its own file, from the beginning on, with its own words. */
static void
another_build_has_its_own_file(void **state)
{
	char other[128], line[512];
	json_t *json;

	(void)state;
	snprintf(other, sizeof(other), "%s/other.json", dir);
	snprintf(line, sizeof(line), GOOD " --against plugin=/nowhere/other.so --against-json %s",
		path, other);
	assert_int_equal(perf_with(line), WC_OK);
	json = json_load_file(other, 0, NULL);
	unlink(other);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "status")), "ok");
	assert_string_equal(json_string_value(json_object_get(json_object_get(json_object_get(
		json_object_get(json, "environment"), "parts"), "plugin"), "path")),
		"/nowhere/other.so");
	json_decref(json);
	/* what it lacks is missing, too */
	snprintf(line, sizeof(line), GOOD " --against testpmd=/nowhere/t --against-json %s", path,
		other);
	assert_int_equal(perf_with(line), WC_ENVIRONMENT);
	expect("not ready", "/nowhere/t: no such program");
	json = json_load_file(other, 0, NULL);
	unlink(other);
	assert_string_equal(json_string_value(json_object_get(json, "status")), "not ready");
	json_decref(json);
}

static void
one_result_goes_where_nothing_is_kept(void **state)
{
	char text[4096];
	json_t *json;
	ssize_t n;
	int fd;

	(void)state;
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDWR | O_NONBLOCK);
	assert_true(fd >= 0);
	assert_int_equal(perf_with(GOOD), WC_OK);
	n = read(fd, text, sizeof(text));
	close(fd);
	assert_true(n > 0);
	json = json_loadb(text, n, 0, NULL);
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "status")), "ok");
	json_decref(json);
}

static void
what_cannot_be_written_is_said_at_the_start(void **state)
{
	(void)state;
	assert_int_equal(perf_with("x --device 00:03.0 --range bar=4 --json %s/nowhere"),
		WC_INTERNAL);
	assert_said("result.json/nowhere: Not a directory");
	assert_string_equal(fake.status, "");
	assert_int_equal(perf_with("x --device 00:1e.7 --range bar=4 --json /tmp"), WC_INTERNAL);
	assert_said("cannot write /tmp: Is a directory");
}

/* Ours says how it ended, though it was the other one's that could not be written. */
static void
so_is_what_cannot_be_written_of_the_other(void **state)
{
	char line[512];

	(void)state;
	snprintf(line, sizeof(line), GOOD " --against testpmd=/bin/true --against-json "
		"%s/nowhere", path, path);
	assert_int_equal(perf_with(line), WC_INTERNAL);
	assert_string_equal(fake.status, "");
	expect("internal", "result.json/nowhere: Not a directory");
}

/* A disk that is full in the end: said, whatever else has failed before. */
static void
a_result_that_is_lost_is_told(void **state)
{
	const struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };
	bool told = false;
	unsigned int i;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	fake.unwritable = true;
	fake.failure = "testpmd died";
	assert_int_equal(perf_with(GOOD), WC_TESTPMD);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &any), 0);
	assert_said("testpmd died");
	for (i = 0; warn_text(i) != NULL; i++)
		told = told || strstr(warn_text(i), "result.json: File too large") != NULL;
	assert_true(told);
	expect("running", "has not ended");
}

/* Where there is no file the table is all there is. */
static void
a_table_that_is_lost_is_no_success(void **state)
{
	const int out = dup(STDOUT_FILENO), full = open("/tmp/../dev/full", O_WRONLY);
	int st;

	(void)state;
	assert_int_equal(perf_with("x --device 00:1e.7 --range bar=4 --json %s"), WC_ENVIRONMENT);
	fflush(stdout);
	dup2(full, STDOUT_FILENO);
	st = perf_with("x --show %s");
	dup2(out, STDOUT_FILENO);
	close(out);
	close(full);
	clearerr(stdout);
	assert_int_equal(st, WC_INTERNAL);
	assert_said("standard output: No space left on device");
}

/* ---- it is whole ---- */

static void
it_is_replaced_when_it_is_on_the_disk(void **state)
{
	char old[sizeof(yesterday)] = "", link[128];
	FILE *reader = fopen(path, "r");
	json_t *json = json_pack("{s:s}", "a", "b");
	struct stat file;

	(void)state;
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(report_write(json, path), WC_OK);
	assert_false(fake.renamed_unsynced);
	/* who reads the old one reads all of it */
	assert_int_equal(fread(old, 1, sizeof(old) - 1, reader), strlen(yesterday));
	assert_string_equal(old, yesterday);
	fclose(reader);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0640);

	/* a link stays one */
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(report_write(json, link), WC_OK);
	assert_int_equal(lstat(link, &file), 0);
	assert_true(S_ISLNK(file.st_mode));
	unlink(link);

	/* a new one is readable as umask says */
	unlink(path);
	umask(027);
	assert_int_equal(report_write(json, path), WC_OK);
	umask(022);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_mode & 07777, 0640);

	/* what is no file is written to */
	assert_int_equal(report_write(json, "/tmp/../dev/null"), WC_OK);
	assert_int_equal(stat("/tmp/../dev/null", &file), 0);
	assert_true(S_ISCHR(file.st_mode));
	json_decref(json);
}

static void
half_of_it_never_is_there(void **state)
{
	const struct rlimit small = { 16, RLIM_INFINITY }, any = { RLIM_INFINITY, RLIM_INFINITY };
	json_t *json = json_pack("{s:s}", "a", "longer than sixteen bytes");
	char text[sizeof(yesterday) + 64];

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(report_write(json, path), WC_INTERNAL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &any), 0);
	assert_said("File too large");
	read_file(text, sizeof(text));
	assert_string_equal(text, yesterday);

	fail_reset();
	fake.sync_err = EIO;
	assert_int_equal(report_write(json, path), WC_INTERNAL);
	assert_said("Input/output error");
	read_file(text, sizeof(text));
	assert_string_equal(text, yesterday);
	json_decref(json);
}

/* ---- it is JSON ---- */

static void
what_is_no_utf8_does_not_end_the_tool(void **state)
{
	(void)state;
	fake.failure = "testpmd ended. Its last words:\n\xe2\x94 \xff\xc3";
	assert_int_equal(perf_with(GOOD), WC_TESTPMD);
	expect("testpmd failed", "Its last words:\n?? ??");
	warn("a warning of %s", "\xc3\xa9 \xe9");
	assert_int_equal(perf_with(GOOD), WC_TESTPMD);
	expect("testpmd failed", "last words");
}

static void
only_what_is_no_character_is_replaced(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "", "" }, { "plain\r\n", "plain\r\n" },
		{ "\xc3\xa9\xe2\x94\x80\xf0\x9f\x99\x82", "\xc3\xa9\xe2\x94\x80\xf0\x9f\x99\x82" },
		{ "\xc3", "?" }, { "a\xe2\x94", "a??" }, { "\xf0\x9f\x99z", "???z" },
		{ "\x80\xbf", "??" }, { "\xfe\xff", "??" },
		/* longer than need be, a surrogate, beyond Unicode; and their neighbours */
		{ "\xc0\x80", "??" }, { "\xe0\x9f\xbf", "???" }, { "\xf0\x8f\xbf\xbf", "????" },
		{ "\xed\xa0\x80", "???" }, { "\xf4\x90\x80\x80", "????" },
		{ "\xc2\x80", "\xc2\x80" }, { "\xe0\xa0\x80", "\xe0\xa0\x80" },
		{ "\xed\x9f\xbf", "\xed\x9f\xbf" }, { "\xee\x80\x80", "\xee\x80\x80" },
		{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
	};
	char text[32];
	json_t *json;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(text, cases[i].from);
		assert_int_equal(text_is_utf8(text), strcmp(cases[i].from, cases[i].to) == 0);
		text_clean(text);
		assert_string_equal(text, cases[i].to);
		assert_true(text_is_utf8(text));
		json = json_string(text);
		assert_non_null(json);
		json_decref(json);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_start_that_fails_leaves_no_old_file),
		T(so_do_wrong_arguments),
		T(while_it_runs_it_says_so),
		T(not_precise_enough_is_a_status_of_its_own),
		T(another_build_has_its_own_file),
		T(one_result_goes_where_nothing_is_kept),
		T(what_cannot_be_written_is_said_at_the_start),
		T(so_is_what_cannot_be_written_of_the_other),
		T(a_result_that_is_lost_is_told),
		T(a_table_that_is_lost_is_no_success),
		T(it_is_replaced_when_it_is_on_the_disk),
		T(half_of_it_never_is_there),
		T(what_is_no_utf8_does_not_end_the_tool),
		cmocka_unit_test_setup(only_what_is_no_character_is_replaced, forget_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
