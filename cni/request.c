// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a runtime asks for: a command and its parameters in the environment,
 * and in the configuration the version that both speak.
 *
 * The parameters become names of files and interfaces, parts of JSON, and lines
 * of errors, so their characters and lengths are checked here, once: a container
 * is a name by the specification's expression, an interface one that the kernel
 * takes as it is, the namespace an absolute path, CNI_ARGS a row of KEY=VALUE.  DEL
 * looks at nothing that it does not use, because it should succeed.
 *
 * What is wrong with the environment is CNI_ENVIRONMENT, with the name of the variable.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "cni/field.h"
#include "loader/err.h"
#include "loader/near.h"

enum { IFNAME_SIZE = 16 };

static const struct {
	const char *name;
	enum cni_command command;
	enum cni_version since;
	bool attachment;	/* is about one: a container and an interface */
} commands[] = {
	{ "ADD", CNI_ADD, CNI_0_3_1, true }, { "DEL", CNI_DEL, CNI_0_3_1, true },
	{ "CHECK", CNI_CHECK, CNI_0_4_0, true }, { "STATUS", CNI_STATUS, CNI_1_1_0, false },
	{ "GC", CNI_GC, CNI_1_1_0, false }, { "VERSION", CNI_VERSION, CNI_0_3_1, false },
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

unsigned int cni_error_code(const struct bpfstamp_err *err)
{
	if (err->code > CNI_ERROR)
		return (unsigned int)err->code - CNI_ERROR;
	return err->code == EAGAIN ? CNI_TRY_AGAIN : CNI_FAILED;
}

json_t *cni_error(enum cni_version version, const struct bpfstamp_err *err)
{
	json_t *text = json_string(err->text);
	char ascii[sizeof(err->text)];

	if (!text) {
		for (size_t i = 0; i < sizeof(ascii); i++)
			ascii[i] = err->text[i] & '\x80' ? '?' : err->text[i];
		text = json_string(ascii);
	}
	return json_pack("{s:s, s:I, s:o}", "cniVersion", version_text(version ? version : CNI_1_1_0),
			 "code", (json_int_t)cni_error_code(err), "msg", text);
}

/* ----------------------------------------------------------- characters */

static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool request_is_name(const char *text)
{
	if (!is_alphanumeric(*text))
		return false;
	while (is_alphanumeric(*text) || *text == '_' || *text == '.' || *text == '-')
		text++;
	return !*text;
}

bool request_is_ifname(const char *text)
{
	size_t len = strlen(text);

	if (!len || len >= IFNAME_SIZE || !strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text > '~' || strchr("/:%", *text))
			return false;
	return true;
}

static bool is_utf8(const char *text)
{
	json_t *string = json_string(text);
	bool ret = string;

	json_decref(string);
	return ret;
}

/* ---------------------------------------------------------- environment */

static int no_variable(const char *variable, const char *why, const char *text, struct bpfstamp_err *err)
{
	char shown[FIELD_SHOWN];

	if (!*text)
		return err_set(err, CNI_ERROR + CNI_ENVIRONMENT, "%s is not set, or empty", variable);
	return err_set(err, CNI_ERROR + CNI_ENVIRONMENT, "%s: '%s' %s", variable, field_shown(shown, text), why);
}

int request_arg(const struct cni_request *r, const char *key, const char **value, size_t *len,
		struct bpfstamp_err *err)
{
	const char *found = NULL;
	size_t found_len = 0;

	for (const char *pair = r->args, *end; *pair; pair = end + !!*end) {
		const char *equals = strchr(pair, '=');

		end = strchrnul(pair, ';');
		if (end == pair)
			continue;
		if (!equals || equals > end || equals == pair)
			return no_variable("CNI_ARGS", "is not KEY=VALUE;KEY=VALUE", pair, err);
		if (strlen(key) != (size_t)(equals - pair) || strncmp(key, pair, strlen(key)))
			continue;
		if (found)
			return no_variable("CNI_ARGS", "has a key twice", pair, err);
		found = equals + 1;
		found_len = (size_t)(end - found);
	}
	*value = found;
	*len = found_len;
	return 0;
}

static int check_args(const struct cni_request *r, struct bpfstamp_err *err)
{
	const char *value;
	size_t len;

	if (!is_utf8(r->args))
		return no_variable("CNI_ARGS", "is not UTF-8", r->args, err);
	return request_arg(r, "", &value, &len, err);
}

static int check_attachment(const struct cni_request *r, struct bpfstamp_err *err)
{
	if (!request_is_name(r->container))
		return no_variable("CNI_CONTAINERID", "has other characters than A-Z a-z 0-9 _ . -, or begins with "
				   "one of the last three", r->container, err);
	if (!request_is_ifname(r->ifname))
		return no_variable("CNI_IFNAME", "is no name of an interface: 1 to 15 printable characters, none of "
				   "them blank, '/', ':' or '%'", r->ifname, err);
	if ((*r->netns && (*r->netns != '/' || !is_utf8(r->netns))) || (!*r->netns && r->command != CNI_DEL))
		return no_variable("CNI_NETNS", "is no absolute path", r->netns, err);
	return r->command == CNI_DEL ? 0 : check_args(r, err);
}

/* *index: of commands. */
static int find_command(size_t *index, const char *text, struct bpfstamp_err *err)
{
	struct near near = near_to(text, strlen(text));

	for (size_t i = 0; i < COMMANDS; i++) {
		if (!strcmp(text, commands[i].name)) {
			*index = i;
			return 0;
		}
		near_consider(&near, commands[i].name);
	}
	no_variable("CNI_COMMAND", "is no command: ADD, DEL, CHECK, STATUS, GC or VERSION", text, err);
	if (*text)
		near_suggest(&near, err);
	return -1;
}

/* -------------------------------------------------------- configuration */

static int read_version(enum cni_version *out, const json_t *config, struct bpfstamp_err *err)
{
	const json_t *value = field_get(config, "cniVersion");
	char shown[FIELD_SHOWN];

	if (value && !json_is_string(value))
		return err_set(err, CNI_ERROR + CNI_DECODE, "cniVersion is no text");
	if (!value)
		return err_set(err, CNI_ERROR + CNI_VERSION_MISMATCH, "the configuration has no cniVersion, which "
			       "means 0.1.0: supported are 0.3.1, 0.4.0, 1.0.0 and 1.1.0");
	if (!version_find(json_string_value(value), out))
		return err_set(err, CNI_ERROR + CNI_VERSION_MISMATCH, "cniVersion %s: supported are 0.3.1, 0.4.0, "
			       "1.0.0 and 1.1.0", field_shown(shown, json_string_value(value)));
	return 0;
}

static const char *variable(char *(*env)(const char *), const char *name)
{
	const char *value = env(name);

	return value ? value : "";
}

int request_read(struct cni_request *out, char *(*env)(const char *), json_t *config, struct bpfstamp_err *err)
{
	struct cni_request r = { .container = "", .netns = "", .ifname = "", .args = "", .config = config };
	size_t i = 0;

	if (find_command(&i, variable(env, "CNI_COMMAND"), err))
		return -1;
	if (!json_is_object(config))
		return err_set(err, CNI_ERROR + CNI_DECODE, "the network configuration is no JSON object");
	r.command = commands[i].command;
	r.path = variable(env, "CNI_PATH");
	if (r.command == CNI_VERSION) {
		*out = r;
		return 0;
	}
	if (read_version(&r.version, config, err))
		return -1;
	out->version = r.version;
	if (r.version < commands[i].since)
		return err_set(err, CNI_ERROR + CNI_VERSION_MISMATCH, "%s came with version %s, and cniVersion is %s",
			       commands[i].name, version_text(commands[i].since), version_text(r.version));
	if (commands[i].attachment) {
		r.container = variable(env, "CNI_CONTAINERID");
		r.netns = variable(env, "CNI_NETNS");
		r.ifname = variable(env, "CNI_IFNAME");
		r.args = variable(env, "CNI_ARGS");
		if (check_attachment(&r, err))
			return -1;
	}
	*out = r;
	return 0;
}
