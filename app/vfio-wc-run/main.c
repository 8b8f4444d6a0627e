/* SPDX-License-Identifier: BSD-3-Clause */

#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "environment.h"
#include "program.h"
#include "vfio_wc_conf.h"

static const char usage[] =
"usage: vfio-wc-run [options] [--] PROGRAM [ARGUMENT...]\n"
"\n"
"Runs a program that maps BARs of PCI devices over VFIO so that some ranges of them are\n"
"write-combining, which the kernel's vfio modules must know (dpdk-wc-info says if they do).\n"
"The program is not changed: a library stands between it and mmap().\n"
"\n"
"  -r, --range dev=WHICH,bar=N[,offset=X][,len=Y][,type=wc|uc][,mode=M]\n"
"                      what is wanted, WHICH being an address (0000:00:07.0) or the IDs of\n"
"                      a kind of device (1d0f:ec20); may repeat. Without offset from the\n"
"                      beginning of the BAR, without len to its end\n"
"  -c, --config FILE   such lines (default " VFIO_WC_CONF ", if it is there and there is\n"
"                      no --range); without lines, a built-in table of devices whose\n"
"                      drivers push into a BAR\n"
"  -m, --mode M        of all ranges, whatever their lines say (but off stays off):\n"
"                      auto      map plainly what cannot be had, with a notice a device;\n"
"                                the default\n"
"                      required  mmap() of what cannot be had fails\n"
"                      off       run the program, no more\n"
"      --children C    of the programs that it starts: follow (default) or leave\n"
"  -v, --verbose       say what is mapped how\n"
"  -h, --help          this text\n"
"\n"
"Exit status: the program's; or 125 vfio-wc-run refuses: wrong options, an error in a file,\n"
"or a program that nothing can be preloaded into (set-user-ID, file capabilities, libc\n"
"linked statically); 126 it cannot be run; 127 there is no such program.\n";

struct task {
	struct vfio_wc_conf conf;
	const char *file;
	bool ranges;		/* from options */
	bool have_mode;
	enum vfio_wc_mode mode;
	bool leave;
	bool verbose;
};

static int __attribute__((format(printf, 1, 2)))
complain(const char *format, ...)
{
	va_list ap;

	fputs("vfio-wc-run: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return REFUSED;
}

static int
parse_mode(struct task *task, const char *text)
{
	enum vfio_wc_mode mode;

	for (mode = VFIO_WC_AUTO; mode <= VFIO_WC_OFF; mode++)
		if (strcmp(text, vfio_wc_mode_name(mode)) == 0) {
			task->mode = mode;
			task->have_mode = true;
			return 0;
		}
	return complain("--mode %s: none of auto, required, off", text);
}

static int
parse_range(struct task *task, const char *text)
{
	const unsigned int before = task->conf.nb_requests;
	struct rte_vfio_wc_error error;
	const char *reason;

	if (strchr(text, '\n') != NULL || strchr(text, '#') != NULL)
		return complain("--range %s: is not one range", text);
	if (vfio_wc_conf_add(&task->conf, "--range", text, &error) != 0) {
		reason = strstr(error.text, ": ");
		return complain("--range %s: %s", text, reason != NULL ? reason + 2 : error.text);
	}
	if (task->conf.nb_requests == before || task->conf.request[before].nb_ranges == 0)
		return complain("--range %s: names no device", text);
	task->ranges = true;
	return 0;
}

static int
parse_option(struct task *task, int option)
{
	switch (option) {
	case 'c':
		task->file = optarg;
		return 0;
	case 'C':
		task->leave = strcmp(optarg, "leave") == 0;
		return task->leave || strcmp(optarg, "follow") == 0 ? 0 :
			complain("--children %s: neither follow nor leave", optarg);
	case 'm':
		return parse_mode(task, optarg);
	case 'r':
		return parse_range(task, optarg);
	case 'v':
		task->verbose = true;
		return 0;
	default:
		return complain("see --help");
	}
}

/* What is wanted: the options, or a file, or the table. */
static int
gather(struct task *task)
{
	struct rte_vfio_wc_error error;
	unsigned int i;
	int ret = 0;

	if (task->ranges && task->file != NULL)
		return complain("--config %s: there is a --range, too", task->file);
	if (task->file != NULL)
		ret = vfio_wc_conf_read(&task->conf, task->file, &error);
	else if (!task->ranges && access(VFIO_WC_CONF, F_OK) == 0)
		ret = vfio_wc_conf_read(&task->conf, VFIO_WC_CONF, &error);
	else if (!task->ranges)
		ret = vfio_wc_conf_add(&task->conf, "table", "mode=auto", &error);
	if (ret != 0)
		return complain("%s", error.text);
	for (i = 0; task->have_mode && i < task->conf.nb_requests; i++)
		if (task->conf.request[i].mode != VFIO_WC_OFF)
			task->conf.request[i].mode = task->mode;
	if (task->have_mode && task->mode == VFIO_WC_REQUIRED && task->conf.nb_requests == 0)
		return complain("--mode required: nothing is asked for in %s",
			task->file != NULL ? task->file : VFIO_WC_CONF);
	return 0;
}

/* The library: beside us as it was built, or where both were installed. */
static int
find_library(char path[PATH_MAX])
{
	static const char *const places[] = { ".", BIN_TO_LIB };
	char self[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	size_t i;

	self[n < 0 ? 0 : n] = '\0';
	slash = strrchr(self, '/');
	if (slash == NULL)
		return complain("/proc/self/exe: %s", strerror(errno));
	*slash = '\0';
	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (snprintf(path, PATH_MAX, "%s/%s/%s", self, places[i], PRELOAD_NAME) < PATH_MAX
				&& access(path, R_OK) == 0)
			/* that is how the loader tells one from the next */
			return strpbrk(path, " :") == NULL ? 0 : complain(
				"%s: the loader takes no path with a blank or a colon", path);
	return complain("%s is neither in %s nor in %s/%s", PRELOAD_NAME, self, self, BIN_TO_LIB);
}

static int
set_environment(const struct task *task, const char *library)
{
	const char *old = getenv(ENV_PRELOAD);
	char *wanted = vfio_wc_conf_text(&task->conf), *preload = NULL, options[64];
	int ret = -1;

	snprintf(options, sizeof(options), "%s", task->verbose ? "verbose" : "");
	if (task->leave)
		snprintf(options, sizeof(options), "%sleave=%d", task->verbose ? "verbose," : "",
			(int)getpid());
	if (wanted != NULL && asprintf(&preload, "%s%s%s", library, old != NULL && *old != '\0' ?
			":" : "", old != NULL ? old : "") >= 0)
		ret = setenv(ENV_WANTED, wanted, 1) != 0 || setenv(ENV_OPTIONS, options, 1) != 0 ||
			setenv(ENV_PRELOAD, preload, 1) != 0 ? -1 : 0;
	free(wanted);
	free(preload);
	return ret == 0 ? 0 : complain("out of memory");
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "children", required_argument, NULL, 'C' },
		{ "config", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "mode", required_argument, NULL, 'm' },
		{ "range", required_argument, NULL, 'r' },
		{ "verbose", no_argument, NULL, 'v' },
		{ 0 },
	};
	char program[PATH_MAX], library[PATH_MAX];
	struct task task = { .file = NULL };
	struct vfio_wc_why why;
	int option, ret;

	while ((option = getopt_long(argc, argv, "+c:hm:r:v", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		ret = parse_option(&task, option);
		if (ret != 0)
			return ret;
	}
	if (optind == argc)
		return complain("there is no program to run; see --help");
	ret = gather(&task);
	if (ret != 0)
		return ret;
	ret = program_find(argv[optind], program);
	if (ret != 0) {
		complain("%s: %s", argv[optind], strerror(-ret));
		return ret == -ENOENT ? NOT_FOUND : CANNOT_RUN;
	}
	if (!task.have_mode || task.mode != VFIO_WC_OFF) {
		ret = program_check(program, &why);
		if (ret != 0) {
			complain("%s", why.text);
			return ret == -EPERM ? REFUSED : CANNOT_RUN;
		}
		ret = find_library(library);
		/* the program's loader would ignore it, and go on */
		if (ret == 0 && dlopen(library, RTLD_NOW) == NULL)
			ret = complain("the library cannot be loaded: %s", dlerror());
		if (ret == 0)
			ret = set_environment(&task, library);
		if (ret != 0)
			return ret;
	}
	execv(program, argv + optind);
	complain("%s: %s", program, strerror(errno));
	return CANNOT_RUN;
}
