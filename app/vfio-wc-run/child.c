/* SPDX-License-Identifier: BSD-3-Clause */

#include <dlfcn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "environment.h"
#include "next.h"

/* "NAME=value" of the launcher's words, and the library's path; NULL: nothing is to be kept. */
static char *wanted, *options;
static const char *library;

static char *
keep(const char *name)
{
	const char *value = getenv(name);
	char *pair = NULL;

	if (asprintf(&pair, "%s=%s", name, value != NULL ? value : "") < 0)
		abort();
	return pair;
}

void
child_keeps(void)
{
	Dl_info self;

	if (dladdr(child_keeps, &self) == 0)
		abort();
	wanted = keep(ENV_WANTED);
	options = keep(ENV_OPTIONS);
	library = self.dli_fname;
}

static bool
is_named(const char *pair, const char *name)
{
	const size_t n = strlen(name);

	return strncmp(pair, name, n) == 0 && pair[n] == '=';
}

static const char *
value_of(char *const envp[], const char *name)
{
	for (; envp != NULL && *envp != NULL; envp++)
		if (is_named(*envp, name))
			return *envp + strlen(name) + 1;
	return NULL;
}

static int
execute(const struct child *c, char *const envp[])
{
	switch (c->how) {
	case BY_PATH:
		return next.execve(c->file, c->argv, envp);
	case BY_NAME:
		return next.execvpe(c->file, c->argv, envp);
	case BY_FD:
		return next.fexecve(c->fd, c->argv, envp);
	case SPAWN_PATH:
		return next.posix_spawn(c->pid, c->file, c->actions, c->attributes, c->argv, envp);
	case SPAWN_NAME:
		return next.posix_spawnp(c->pid, c->file, c->actions, c->attributes, c->argv,
			envp);
	}
	return -1;
}

int
child_execute(const struct child *child, char *const envp[])
{
	const char *preload = value_of(envp, ENV_PRELOAD);
	size_t n = 0, i;

	if (library == NULL || (value_of(envp, ENV_WANTED) != NULL && preload != NULL &&
			strstr(preload, PRELOAD_NAME) != NULL))
		return execute(child, envp);
	while (envp != NULL && envp[n] != NULL)
		n++;

	char *with[n + 4];
	char list[strlen(ENV_PRELOAD) + strlen(library) + (preload != NULL ? strlen(preload) : 0)
		+ 3];

	snprintf(list, sizeof(list), "%s=%s%s%s", ENV_PRELOAD, library, preload != NULL ? ":" : "",
		preload != NULL ? preload : "");
	with[0] = wanted;
	with[1] = options;
	with[2] = list;
	for (i = 0, n = 3; envp != NULL && envp[i] != NULL; i++)
		if (!is_named(envp[i], ENV_WANTED) && !is_named(envp[i], ENV_OPTIONS) &&
				!is_named(envp[i], ENV_PRELOAD))
			with[n++] = envp[i];
	with[n] = NULL;
	return execute(child, with);
}
