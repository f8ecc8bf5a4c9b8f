// SPDX-License-Identifier: BSD-2-Clause
/*
 * Delegation to an IPAM plugin.
 *
 * The plugin gets the whole network configuration, as the specification wants
 * it, from a memfd: nobody has to write while somebody reads, and no pipe can
 * break.  Its answer is read to the end before it is waited for.  Of the
 * environment it gets ours, but for what the request says: GC deletes pods that
 * the environment does not name.  No descriptor is inherited but the three
 * standard ones and the pod's lock; those that a runtime may have left open for us are
 * closed, too.  The lock, because a runtime that loses its patience kills us, and knows
 * nothing of the plugin: who comes next waits for that, and does not take back what it
 * is about to give.
 *
 * A plugin that knows no 1.1.0 says that our configuration's version is
 * incompatible.  It is asked again with 1.0.0, which has all that is needed of
 * it; of the commands that are new in 1.1.0, GC and STATUS, it has nothing to
 * do.
 */
#define _GNU_SOURCE	/* memfd_create, pipe2 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cni/ipam.h"
#include "loader/err.h"

#ifndef SYS_close_range
#define SYS_close_range 436		/* Linux 5.9, the same on all machines */
#endif

enum { ANSWER_MAX = 1 << 20, CLOEXEC_RANGE = 4 /* CLOSE_RANGE_CLOEXEC, Linux 5.11 */, VARIABLES = 6 };

extern char **environ;

/* ------------------------------------------------------------ the plugin */

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

/* The file of a plugin: the first of that name in the folders of CNI_PATH. */
static int find_plugin(char path[4096], const char *folders, const char *type, struct bpfstamp_err *err)
{
	const char *from = folders;

	while (*from) {
		size_t len = strcspn(from, ":");
		int n = snprintf(path, 4096, "%.*s/%s", (int)len, from, type);

		if (len && n < 4096 && is_program(path))
			return 0;
		from += len + (from[len] == ':');
	}
	return err_set(err, CNI_ERROR + CNI_CONFIG, "there is no IPAM plugin '%s' in CNI_PATH (%s)", type, folders);
}

/* A file that nobody else sees. */
static int open_text(const char *text, struct bpfstamp_err *err)
{
	int fd = memfd_create("cni-config", MFD_CLOEXEC);
	size_t len = strlen(text);

	if (fd < 0)
		return err_set(err, errno, "cannot make a memfd: %s", strerror(errno));
	if (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET)) {
		err_set(err, errno, "cannot write the configuration of the IPAM plugin: %s", strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

/* What the plugin reads.  jansson itself would write each brace and comma by a call of its own. */
static int open_input(const json_t *config, struct bpfstamp_err *err)
{
	char *text = json_dumps(config, JSON_COMPACT);
	int fd;

	if (!text)
		return err_set(err, ENOMEM, "no memory for the configuration of the IPAM plugin");
	fd = open_text(text, err);
	free(text);
	return fd;
}

struct environment {
	char variables[VARIABLES][4200];	/* those of the request */
	char **all;				/* with what else there is; NULL at the end */
};

static int add_variable(struct environment *e, size_t i, const char *name, const char *value,
			struct bpfstamp_err *err)
{
	size_t size = sizeof(e->variables[i]);

	if ((size_t)snprintf(e->variables[i], size, "%s=%s", name, value) >= size)
		return err_set(err, CNI_ERROR + CNI_ENVIRONMENT, "%s is too long", name);
	return 0;
}

static bool is_ours(const struct environment *e, const char *variable)
{
	for (size_t i = 0; i < VARIABLES; i++)
		if (!strncmp(variable, e->variables[i], strcspn(e->variables[i], "=") + 1))
			return true;
	return false;
}

static int make_environment(struct environment *e, const struct cni_request *r, const char *command,
			    struct bpfstamp_err *err)
{
	size_t count = 0, used = 0;

	if (add_variable(e, 0, "CNI_COMMAND", command, err) ||
	    add_variable(e, 1, "CNI_CONTAINERID", r->container, err) ||
	    add_variable(e, 2, "CNI_NETNS", r->netns, err) || add_variable(e, 3, "CNI_IFNAME", r->ifname, err) ||
	    add_variable(e, 4, "CNI_ARGS", r->args, err) || add_variable(e, 5, "CNI_PATH", r->path, err))
		return -1;
	while (environ[count])
		count++;
	e->all = calloc(count + VARIABLES + 1, sizeof(*e->all));
	if (!e->all)
		return err_set(err, ENOMEM, "no memory for an environment");
	for (size_t i = 0; i < count; i++)
		if (!is_ours(e, environ[i]))
			e->all[used++] = environ[i];
	for (size_t i = 0; i < VARIABLES; i++)
		if (strchr(e->variables[i], '=')[1])
			e->all[used++] = e->variables[i];
	return 0;
}

/* ------------------------------------------------------------------- run */

static int spawn(pid_t *pid, const char *path, int in, int out, char **env, struct bpfstamp_err *err)
{
	char *argv[] = { (char *)path, NULL };
	posix_spawn_file_actions_t actions;
	int code = posix_spawn_file_actions_init(&actions);

	if (code)
		return err_set(err, code, "cannot run %s: %s", path, strerror(code));
	signal(SIGCHLD, SIG_DFL);	/* ignored, it would leave nothing to wait for */
	code = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (!code)
		code = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (!code)
		code = posix_spawn(pid, path, &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	return code ? err_set(err, code, "cannot run %s: %s", path, strerror(code)) : 0;
}

/* All that comes; who says more than ANSWER_MAX finds nobody listening. */
static int read_answer(int fd, char *buf, size_t *size, struct bpfstamp_err *err)
{
	ssize_t n;

	*size = 0;
	do {
		n = read(fd, buf + *size, ANSWER_MAX + 1 - *size);
		if (n > 0)
			*size += (size_t)n;
		if (*size > ANSWER_MAX)
			return err_set(err, CNI_ERROR + CNI_DECODE, "the IPAM plugin answers with more than %d bytes",
				       ANSWER_MAX);
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? err_set(err, CNI_ERROR + CNI_IO, "cannot read from the IPAM plugin: %s", strerror(errno)) : 0;
}

struct answer {
	char *text;
	size_t size;
	int status;		/* as waitpid has it */
};

static int wait_for(pid_t pid, int *status, struct bpfstamp_err *err)
{
	while (waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return err_set(err, errno, "cannot wait for the IPAM plugin: %s", strerror(errno));
	return 0;
}

static int talk(const char *path, int in, char **env, struct answer *a, struct bpfstamp_err *err)
{
	struct bpfstamp_err why;
	int out[2], ret;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC))
		return err_set(err, errno, "cannot make a pipe: %s", strerror(errno));
	ret = spawn(&pid, path, in, out[1], env, err);
	close(out[1]);
	if (ret) {
		close(out[0]);
		return -1;
	}
	ret = read_answer(out[0], a->text, &a->size, &why);
	close(out[0]);
	if (wait_for(pid, &a->status, err))
		return -1;
	if (ret)
		*err = why;
	return ret;
}

static int failed(const char *type, const struct answer *a, const json_t *json, struct bpfstamp_err *err)
{
	const char *msg = json_string_value(json_object_get(json, "msg"));
	const char *details = json_string_value(json_object_get(json, "details"));
	json_int_t code = json_integer_value(json_object_get(json, "code"));

	if (WIFSIGNALED(a->status))
		return err_set(err, EPIPE, "IPAM plugin %s was killed by signal %d", type, WTERMSIG(a->status));
	if (!msg)
		return err_set(err, EPIPE, "IPAM plugin %s ended with status %d and did not say why", type,
			       WEXITSTATUS(a->status));
	err_set(err, CNI_ERROR + (code > 0 && code < 1 << 16 ? (int)code : CNI_FAILED), "%s: %s", type, msg);
	return details && *details ? err_hint(err, "; %s", details) : -1;
}

static int judge(const char *type, const struct answer *a, json_t **out, struct bpfstamp_err *err)
{
	json_error_t where;
	json_t *json = json_loadb(a->text, a->size, 0, &where);

	if (a->status) {
		failed(type, a, json, err);
		json_decref(json);
		return -1;
	}
	if (!json && strspn(a->text, " \t\r\n") != a->size)
		return err_set(err, CNI_ERROR + CNI_DECODE, "IPAM plugin %s answered with what is no JSON: line %d: "
			       "%s", type, where.line, where.text);
	*out = json;
	return 0;
}

static int run_with(const char *path, const char *type, const json_t *config, char **env, json_t **out,
		    struct bpfstamp_err *err)
{
	struct answer a = { .text = calloc(1, ANSWER_MAX + 2) };
	int in, ret;

	if (!a.text)
		return err_set(err, ENOMEM, "no memory for the answer of the IPAM plugin");
	in = open_input(config, err);
	ret = in < 0 || talk(path, in, env, &a, err) ? -1 : judge(type, &a, out, err);
	if (in >= 0)
		close(in);
	free(a.text);
	return ret;
}

/* ------------------------------------------------------------- the request */

static int set_version(json_t *of)
{
	return json_object_set_new(of, "cniVersion", json_string(version_text(CNI_1_0_0)));
}

/* With the version before, for a plugin that has no later one. */
static int run_older(const char *path, const char *type, const struct cni_request *r, const char *command, char **env,
		     json_t **out, struct bpfstamp_err *err)
{
	json_t *config, *prev;
	int ret;

	if (!strcmp(command, "GC") || !strcmp(command, "STATUS")) {
		*out = NULL;
		return 0;
	}
	config = json_copy(r->config);
	prev = json_copy(json_object_get(config, "prevResult"));	/* its version has to be the same */
	if (!config || set_version(config) || (json_is_object(prev) && (set_version(prev) ||
	    json_object_set(config, "prevResult", prev))))
		ret = err_set(err, ENOMEM, "no memory for the configuration of the IPAM plugin");
	else
		ret = run_with(path, type, config, env, out, err);
	json_decref(prev);
	json_decref(config);
	return ret;
}

/* Whether the plugin said that it does not know the version or, which it may look at first, the command. */
static bool has_no_1_1_0(const struct cni_request *r, const char *command, const struct bpfstamp_err *err)
{
	bool is_new = !strcmp(command, "GC") || !strcmp(command, "STATUS");

	if (r->version < CNI_1_1_0)
		return false;
	switch (err->code - CNI_ERROR) {
	case CNI_VERSION_MISMATCH:
		return true;
	case CNI_UNKNOWN_CONTAINER:
	case CNI_ENVIRONMENT:
		return is_new;		/* it misses variables that these commands do not have */
	default:
		return false;
	}
}

static void let_inherit(int lock)
{
	syscall(SYS_close_range, 3, ~0u, CLOEXEC_RANGE);
	if (lock >= 0)
		fcntl(lock, F_SETFD, 0);
}

int ipam_run(const struct cni_request *r, const struct cni_config *c, const char *command, int lock, json_t **out,
	     struct bpfstamp_err *err)
{
	const char *type = json_string_value(json_object_get(c->ipam, "type"));
	struct environment e = { .all = NULL };
	json_t *result = NULL;
	char path[4096];
	int ret;

	if (find_plugin(path, r->path, type, err) || make_environment(&e, r, command, err))
		return -1;
	let_inherit(lock);
	ret = run_with(path, type, r->config, e.all, &result, err);
	if (ret && has_no_1_1_0(r, command, err))
		ret = run_older(path, type, r, command, e.all, &result, err);
	free(e.all);
	if (ret)
		return -1;
	if (!result && !strcmp(command, "ADD"))
		return err_set(err, CNI_ERROR + CNI_DECODE, "IPAM plugin %s answered ADD with nothing", type);
	*out = result;
	return 0;
}
