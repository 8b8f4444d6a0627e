/* SPDX-License-Identifier: BSD-3-Clause */

#include "test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/vfio-wc-run-XXXXXX";
static char printed[8192];

/* Run a command of the shell, in which $RUN is the launcher; what it prints is in printed. */
static int
shell(const char *command)
{
	char line[1024];
	size_t n;
	FILE *f;

	snprintf(line, sizeof(line), "cd %s; exec 2>&1; %s", folder, command);
	f = popen(line, "r");
	assert_non_null(f);
	n = fread(printed, 1, sizeof(printed) - 1, f);
	printed[n] = '\0';
	return WEXITSTATUS(pclose(f));
}

#define says(part) assert_contains(printed, part)

static int
make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) != NULL ? 0 : -1;
}

static int
remove_folder(void **state)
{
	(void)state;
	return shell("rm -rf \"$PWD\"");
}

static void
it_becomes_the_program(void **state)
{
	(void)state;
	assert_int_equal(shell("$RUN -- sh -c 'exit 7'"), 7);
	assert_int_equal(shell("$RUN echo --nonsense"), 0);
	assert_string_equal(printed, "--nonsense\n");
	assert_int_equal(shell("echo $$; exec $RUN -- sh -c 'echo $$'"), 0);
	assert_memory_equal(printed, strchr(printed, '\n') + 1, strcspn(printed, "\n"));
	assert_int_equal(shell("$RUN --help"), 0);
	says("usage: vfio-wc-run [options] [--] PROGRAM");
}

static void
nothing_else_changes_for_it(void **state)
{
	(void)state;
	assert_int_equal(shell("$RUN -- $PROBE"), 0);
	assert_string_equal(printed, "fine\n");
	assert_int_equal(shell("$RUN --mode off -- sh -c 'grep -c vfio_wc /proc/self/maps'"), 1);
	assert_string_equal(printed, "0\n");
	/* what others preload stays */
	assert_int_equal(shell("LD_PRELOAD=libm.so.6 $RUN -- "
		"grep -cE 'r-xp.*(vfio_wc_pre|libm.so)' /proc/self/maps"), 0);
	assert_string_equal(printed, "2\n");
}

static void
errors_in_what_is_asked_for(void **state)
{
	static const struct {
		const char *command, *said;
	} cases[] = {
		{ "$RUN", "there is no program to run" },
		{ "$RUN --nonsense true", "see --help" },
		{ "$RUN --mode maybe true", "--mode maybe: none of auto, required, off" },
		{ "$RUN --children some true", "--children some: neither follow nor leave" },
		{ "$RUN --range bar=2 true", "--range bar=2: bar=2 stands before any dev=" },
		{ "$RUN --range mode=auto true", "--range mode=auto: names no device" },
		/* of a variable that is not set */
		{ "$RUN -r dev=00:03.0,bar=4 --range \"$UNSET\" true",
			"--range : names no device" },
		{ "$RUN -r dev=00:03.0,bar=4 -r dev=0:3.0,bar=4,offset=0x1000 true",
			"0000:00:03.0 BAR 4: the range overlaps one of --range" },
		{ "$RUN --config none true", "none: No such file or directory" },
		{ "printf 'mode=auto\\n\\ndev=1d0f:ec20,bar=6\\n' >c; $RUN -c c true",
			"c:3: bar=6: a PCI device has BARs 0 to 5" },
		{ "$RUN -c c -r dev=00:03.0,bar=4 true", "there is a --range, too" },
		{ "echo '# nothing' >n; $RUN -c n -m required true", "nothing is asked for in n" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(shell(cases[i].command), 125);
		says(cases[i].said);
		says("vfio-wc-run: ");
	}
}

static void
programs_that_nothing_can_be_preloaded_into(void **state)
{
	(void)state;
	assert_int_equal(shell("$RUN -- $STATIC"), 125);
	says("is linked statically, libc included");
	assert_int_equal(shell("cp /bin/true suid; chmod 4755 suid; $RUN -- ./suid"), 125);
	says("./suid is set-user-ID or set-group-ID");
	assert_int_equal(shell("cp /bin/true sgid; chmod 2755 sgid; $RUN -- ./sgid"), 125);
	/* its interpreter's interpreter */
	assert_int_equal(shell("printf '#!'\"$PWD\"'/b -x\\n' >a; printf '#! '\"$PWD\"'/suid' >b; "
		"chmod 755 a b; $RUN -- ./a"), 125);
	says("/suid is set-user-ID");
	assert_int_equal(shell("printf '#!'\"$PWD\"'/a\\n' >a; $RUN -- ./a"), 126);
	says("interpreters of interpreters");
	/* a 32-bit program, one of another machine: the header is all that counts */
	assert_int_equal(shell("head -c 64 /bin/true >e; printf '\\1' | dd of=e bs=1 seek=4 "
		"conv=notrunc status=none; chmod 755 e; $RUN -- ./e"), 125);
	says("is for another machine");
	/* what only root can try: who has become another user by half */
	if (geteuid() == 0) {
		assert_int_equal(shell("setpriv --ruid 1 --clear-groups $RUN -- true"), 125);
		says("a real user or group that is not the effective one");
		assert_int_equal(shell("setpriv --egid 1 --clear-groups $RUN -- true"), 125);
	}
	/* off asks for nothing, and gets it */
	assert_int_equal(shell("$RUN -m off -- $STATIC"), 0);
}

/* The loader says that it ignores such a one, and the program runs without. */
static void
a_library_that_cannot_be_loaded(void **state)
{
	(void)state;
	assert_int_equal(shell("mkdir here; cp $RUN here/run; cp ${RUN%/*}/libvfio_wc_preload.so "
		"here; here/run -- echo fine"), 0);
	assert_string_equal(printed, "fine\n");
	assert_int_equal(shell("echo nonsense >here/libvfio_wc_preload.so; here/run -- echo fine"),
		125);
	says("vfio-wc-run: the library cannot be loaded: ");
	assert_null(strstr(printed, "fine"));
	assert_int_equal(shell("here/run --mode off -- echo fine"), 0);
}

static void
programs_that_cannot_be_run(void **state)
{
	(void)state;
	assert_int_equal(shell("$RUN -- no-such-program"), 127);
	says("vfio-wc-run: no-such-program: No such file or directory");
	assert_int_equal(shell("$RUN -- ./no-such-program"), 127);
	assert_int_equal(shell("$RUN -- /etc"), 126);
	assert_int_equal(shell("echo hello >text; chmod 755 text; $RUN -- ./text"), 126);
	says("Exec format error");
	assert_int_equal(shell("chmod 644 text; PATH=$PWD:$PATH $RUN -- text"), 126);
}

static void
its_children(void **state)
{
	static const char count[] = "grep -c r-xp.*vfio_wc_preload /proc/self/maps; :";
	char command[512];

	(void)state;
	snprintf(command, sizeof(command), "$RUN -- sh -c '%s'", count);
	assert_int_equal(shell(command), 0);
	assert_string_equal(printed, "1\n");
	/* a child has it no more; the program itself, and what takes its place, has */
	snprintf(command, sizeof(command), "$RUN --children leave -- sh -c '%s; env; "
		"exec grep -c r-xp.*vfio_wc_preload /proc/self/maps'", "sh -c \"env\"");
	assert_int_equal(shell(command), 0);
	assert_null(strstr(printed, "VFIO_WC_RUN"));
	assert_null(strstr(printed, "LD_PRELOAD"));
	assert_string_equal(printed + strlen(printed) - 2, "1\n");
	assert_int_equal(shell("LD_PRELOAD=libm.so.6 $RUN --children leave -- "
		"sh -c 'sh -c env; :'"), 0);
	says("LD_PRELOAD=libm.so.6\n");
}

/* What is required is required of a program with another environment, too. */
static void
children_without_an_environment(void **state)
{
	static const char *const ways[] = {
		"execve", "without", "execvpe", "execv", "execvp", "execl", "execlp", "execle",
		"fexecve", "syscall", "vfork", "posix_spawn", "posix_spawnp",
	};
	char command[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		snprintf(command, sizeof(command), "$RUN --mode required -- $PROBE %s", ways[i]);
		assert_int_equal(shell(command), 0);
		if (strcmp(printed, "1\n") != 0)
			fail_msg("%s: %s", ways[i], printed);
		/* optional, it is as it was asked for */
		snprintf(command, sizeof(command), "$RUN -- $PROBE %s || :", ways[i]);
		assert_int_equal(shell(command), 0);
		assert_string_equal(printed, "0\n");
	}
	assert_int_equal(shell("$RUN -m required -v -- env -i A=b env"), 0);
	says("A=b\n");
	says("VFIO_WC_RUN=mode=required,type=wc\n");
	says("VFIO_WC_RUN_OPTIONS=verbose\n");
	/* what others preload stays */
	assert_int_equal(shell("$RUN -m required -- env -i LD_PRELOAD=libm.so.6 "
		"grep -cE 'r-xp.*(vfio_wc_pre|libm.so)' /proc/self/maps"), 0);
	assert_string_equal(printed, "2\n");
	/* those who are to be left are */
	assert_int_equal(shell("$RUN -m required --children leave -- sh -c 'env -i env; :'"), 0);
	assert_string_equal(printed, "");
}

/* Somebody has spoilt it on the way: it may have been required. */
static void
an_environment_that_cannot_be_read(void **state)
{
	(void)state;
	assert_int_equal(shell("$RUN -- env VFIO_WC_RUN=dev=x true"), 125);
	says("vfio-wc-run: VFIO_WC_RUN:1: dev=x is not a PCI address");
	/* at the first mapping, which may be made before the program begins */
	assert_int_equal(shell("$RUN -- env VFIO_WC_RUN=dev=x $EARLY"), 125);
	assert_null(strstr(printed, "early"));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_becomes_the_program),
		cmocka_unit_test(nothing_else_changes_for_it),
		cmocka_unit_test(errors_in_what_is_asked_for),
		cmocka_unit_test(programs_that_nothing_can_be_preloaded_into),
		cmocka_unit_test(a_library_that_cannot_be_loaded),
		cmocka_unit_test(programs_that_cannot_be_run),
		cmocka_unit_test(its_children),
		cmocka_unit_test(children_without_an_environment),
		cmocka_unit_test(an_environment_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
