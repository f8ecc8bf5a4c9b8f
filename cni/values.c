// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values of a pod.  A text is copied; each ${NAME} in it is looked up: the word
 * before the first dot chooses a function, which gets what is behind the dot. It
 * finds a text, or says what is missing and who could have given it; then the text
 * behind ":-" stands in, which may have ${…} in it again.  What is malformed is
 * an error with or without one, and so is a word that does not exist.
 *
 * What is put in is never looked at again: much of it comes from whoever starts
 * the pod, and a ${…} in that is just text.  The result, and everything on the way,
 * fits VALUE_SIZE bytes or is refused.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cni/field.h"
#include "cni/values.h"
#include "loader/err.h"
#include "loader/near.h"

enum { NAME_SIZE = 256, DEPTH_MAX = 8, TABLE_SIZE_MAX = 1 << 24 };

enum found { FAILED = -1, FOUND, MISSING };

/* One ${NAME}: rest is what stands behind the first dot, or NULL; the text goes to buf (VALUE_SIZE bytes). */
struct lookup {
	const struct values *v;
	char *rest;
	char *buf;
};

/* ---------------------------------------------------------------- texts */

static enum found put(struct lookup *l, const char *text, size_t len, struct bpfstamp_err *err)
{
	if (len >= VALUE_SIZE)
		return (enum found)err_set(err, CNI_ERROR + CNI_CONFIG, "has more than %d bytes", VALUE_SIZE - 1);
	memcpy(l->buf, text, len);
	l->buf[len] = '\0';
	return FOUND;
}

static enum found put_text(struct lookup *l, const char *text, struct bpfstamp_err *err)
{
	return put(l, text, strlen(text), err);
}

/* A string, an integer or a boolean, as text. */
static enum found put_scalar(struct lookup *l, const json_t *value, struct bpfstamp_err *err)
{
	char number[24];

	if (json_is_string(value))
		return put(l, json_string_value(value), json_string_length(value), err);
	if (json_is_boolean(value))
		return put_text(l, json_is_true(value) ? "true" : "false", err);
	if (!json_is_integer(value))
		return (enum found)err_set(err, CNI_ERROR + CNI_CONFIG, "is no text, whole number or boolean");
	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	return put_text(l, number, err);
}

/* ---------------------------------------------------------------- words */

/* Of the environment; variable is empty where the runtime did not set it. */
static enum found put_variable(struct lookup *l, const char *text, const char *variable, struct bpfstamp_err *err)
{
	if (*text)
		return put_text(l, text, err);
	err_set(err, CNI_ERROR + CNI_ENVIRONMENT, "the runtime gave no %s", variable);
	return MISSING;
}

static enum found word_container(struct lookup *l, struct bpfstamp_err *err)
{
	return put_variable(l, l->v->request->container, "CNI_CONTAINERID", err);
}

static enum found word_ifname(struct lookup *l, struct bpfstamp_err *err)
{
	return put_variable(l, l->v->request->ifname, "CNI_IFNAME", err);
}

static enum found word_netns(struct lookup *l, struct bpfstamp_err *err)
{
	return put_variable(l, l->v->request->netns, "CNI_NETNS", err);
}

static enum found word_network(struct lookup *l, struct bpfstamp_err *err)
{
	return put_text(l, l->v->config->name, err);
}

static enum found word_ifindex(struct lookup *l, struct bpfstamp_err *err)
{
	char number[16], shown[FIELD_SHOWN];
	int ifindex;

	if (!strcmp(l->rest, "host"))
		ifindex = l->v->host_ifindex;
	else if (!strcmp(l->rest, "pod"))
		ifindex = l->v->pod_ifindex;
	else
		ifindex = l->v->ifindex ? l->v->ifindex(l->rest) : 0;
	if (ifindex <= 0) {
		err_set(err, CNI_ERROR + CNI_CONFIG, "there is no interface %s", field_shown(shown, l->rest));
		return MISSING;
	}
	snprintf(number, sizeof(number), "%d", ifindex);
	return put_text(l, number, err);
}

static enum found word_mac(struct lookup *l, struct bpfstamp_err *err)
{
	static const uint8_t none[6];
	const uint8_t *mac = l->rest ? l->v->host_mac : l->v->pod_mac;
	char text[18];

	if (l->rest && strcmp(l->rest, "host"))
		return (enum found)err_set(err, CNI_ERROR + CNI_CONFIG, "can only be mac or mac.host");
	if (!memcmp(mac, none, sizeof(none))) {
		err_set(err, CNI_ERROR + CNI_CONFIG, "the interface has no MAC address");
		return MISSING;
	}
	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
	return put_text(l, text, err);
}

static enum found put_ip(struct lookup *l, const struct cni_ip *ip, struct bpfstamp_err *err)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(ip->ipv6 ? AF_INET6 : AF_INET, ip->address, text, sizeof(text));
	return put_text(l, text, err);
}

static enum found word_ip(struct lookup *l, struct bpfstamp_err *err)
{
	size_t count = l->v->result ? l->v->result->ip_count : 0;
	unsigned long n;
	char *end;

	n = strtoul(l->rest, &end, 10);
	if (*l->rest < '0' || *l->rest > '9' || *end || strlen(l->rest) > 3)
		return (enum found)err_set(err, CNI_ERROR + CNI_CONFIG, "wants a number behind ip: 0 for the first");
	if (n < count)
		return put_ip(l, &l->v->result->ips[n], err);
	err_set(err, CNI_ERROR + CNI_CONFIG, "the pod has %zu address%s", count, count == 1 ? "" : "es");
	return MISSING;
}

static enum found first_ip(struct lookup *l, bool ipv6, struct bpfstamp_err *err)
{
	for (size_t i = 0; l->v->result && i < l->v->result->ip_count; i++)
		if (l->v->result->ips[i].ipv6 == ipv6)
			return put_ip(l, &l->v->result->ips[i], err);
	err_set(err, CNI_ERROR + CNI_CONFIG, "the pod has no IPv%c address", ipv6 ? '6' : '4');
	return MISSING;
}

static enum found word_ip4(struct lookup *l, struct bpfstamp_err *err)
{
	return first_ip(l, false, err);
}

static enum found word_ip6(struct lookup *l, struct bpfstamp_err *err)
{
	return first_ip(l, true, err);
}

static enum found word_args(struct lookup *l, struct bpfstamp_err *err)
{
	char shown[FIELD_SHOWN];
	const char *value;
	size_t len;

	if (request_arg(l->v->request, l->rest, &value, &len, err))
		return FAILED;
	if (value)
		return put(l, value, len, err);
	err_set(err, CNI_ERROR + CNI_ENVIRONMENT, "the runtime gave no CNI_ARGS %s", field_shown(shown, l->rest));
	return MISSING;
}

/* The keys that are there may tell what was meant. */
static enum found no_key(json_t *object, const char *key, struct bpfstamp_err *err)
{
	struct near near = near_to(key, strlen(key));
	char shown[FIELD_SHOWN];
	const json_t *value;
	const char *other;

	err_set(err, CNI_ERROR + CNI_CONFIG, "has no '%s'", field_shown(shown, key));
	json_object_foreach(object, other, value)
		near_consider(&near, other);
	near_suggest(&near, err);
	return MISSING;
}

static enum found follow(struct lookup *l, json_t *object, struct bpfstamp_err *err)
{
	for (char *key = l->rest, *dot;; key = dot + 1) {
		json_t *value;

		dot = strchr(key, '.');
		if (dot)
			*dot = '\0';
		value = field_get(object, key);
		if (!value)
			return no_key(object, key, err);
		if (!dot)
			return put_scalar(l, value, err);
		object = value;
	}
}

/* Follow a path of keys from an object (NULL: an empty one); of: how errors call it. */
static enum found walk(struct lookup *l, json_t *object, const char *of, struct bpfstamp_err *err)
{
	enum found found = follow(l, object, err);

	if (found != FOUND)
		err_wrap(err, "%s", of);
	return found;
}

static enum found word_cni(struct lookup *l, struct bpfstamp_err *err)
{
	return walk(l, field_get(field_get(l->v->request->config, "args"), "cni"),
		    "args.cni, of the runtime or the configuration", err);
}

static enum found word_runtime(struct lookup *l, struct bpfstamp_err *err)
{
	json_t *given = field_get(field_get(l->v->request->config, "runtimeConfig"), "bpfstamp");

	if (given)
		return walk(l, given, "runtimeConfig.bpfstamp", err);
	err_set(err, CNI_ERROR + CNI_CONFIG, "the runtime gave no runtimeConfig.bpfstamp, which it does where "
		"capabilities has \"bpfstamp\": true");
	return MISSING;
}

static enum found word_vpc(struct lookup *l, struct bpfstamp_err *err)
{
	char shown[FIELD_SHOWN], of[FIELD_SHOWN + 32];

	if (!l->v->row) {
		err_set(err, CNI_ERROR + CNI_CONFIG, l->v->config->vpc ? "the VPC is not known before vpc is" :
			"the configuration has no vpc and vpcs");
		return MISSING;
	}
	snprintf(of, sizeof(of), "the row of the VPC in %s", field_shown(shown, l->v->config->vpcs));
	return walk(l, l->v->row, of, err);
}

static const struct word {
	const char *name, *rest;	/* what has to stand behind a dot, NULL: nothing may; "": something may */
	enum found (*find)(struct lookup *l, struct bpfstamp_err *err);
} words[] = {
	{ "ifindex", "host, pod or an interface", word_ifindex }, { "mac", "", word_mac },
	{ "ip", "a number", word_ip }, { "ip4", NULL, word_ip4 }, { "ip6", NULL, word_ip6 },
	{ "containerID", NULL, word_container }, { "ifname", NULL, word_ifname }, { "netns", NULL, word_netns },
	{ "network", NULL, word_network }, { "args", "a key of CNI_ARGS", word_args },
	{ "cni", "a key of args.cni", word_cni }, { "runtime", "a key of runtimeConfig.bpfstamp", word_runtime },
	{ "vpc", "a key of the table's rows", word_vpc },
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

static enum found no_word(const char *name, struct bpfstamp_err *err)
{
	struct near near = near_to(name, strlen(name));

	err_set(err, CNI_ERROR + CNI_CONFIG, "there is no such value");
	for (size_t i = 0; i < WORDS; i++)
		near_consider(&near, words[i].name);
	near_suggest(&near, err);
	return FAILED;
}

/* Look a name up; it is taken apart. */
static enum found find(const struct values *v, char *name, char *buf, struct bpfstamp_err *err)
{
	char *dot = strchr(name, '.');
	struct lookup l = { v, dot ? dot + 1 : NULL, buf };

	if (dot)
		*dot = '\0';
	for (size_t i = 0; i < WORDS; i++) {
		if (strcmp(name, words[i].name))
			continue;
		if (dot && !words[i].rest)
			return (enum found)err_set(err, CNI_ERROR + CNI_CONFIG, "nothing can stand behind %s", name);
		if ((dot && !*l.rest) || (!dot && words[i].rest && *words[i].rest))
			return (enum found)err_set(err, CNI_ERROR + CNI_CONFIG, "has to be %s. and %s", name,
						   words[i].rest);
		return words[i].find(&l, err);
	}
	return no_word(name, err);
}

/* ---------------------------------------------------------------- text */

struct output {
	char *buf;	/* VALUE_SIZE bytes */
	size_t used;
};

static int append(struct output *out, const char *text, size_t len, struct bpfstamp_err *err)
{
	if (len >= VALUE_SIZE - out->used)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "the value has more than %d bytes", VALUE_SIZE - 1);
	memcpy(out->buf + out->used, text, len);
	out->used += len;
	out->buf[out->used] = '\0';
	return 0;
}

/* The brace that closes the one before text, or NULL. */
static const char *closing(const char *text, const char *end)
{
	for (unsigned int depth = 1; text < end; text++) {
		if (*text == '$' && text + 1 < end && (text[1] == '$' || text[1] == '{')) {
			depth += text[1] == '{';
			text++;
		} else if (*text == '}' && !--depth) {
			return text;
		}
	}
	return NULL;
}

/* Where ":-" stands, or end. */
static const char *fallback(const char *text, const char *end)
{
	while (text < end && !(*text == ':' && text + 1 < end && text[1] == '-'))
		text++;
	return text;
}

static int expand(struct output *out, const struct values *v, const char *text, const char *end, unsigned int depth,
		  struct bpfstamp_err *err);

/* What stands between the braces. */
static int expand_name(struct output *out, const struct values *v, const char *text, const char *end,
		       unsigned int depth, struct bpfstamp_err *err)
{
	const char *otherwise = fallback(text, end);
	char name[NAME_SIZE], shown[FIELD_SHOWN], value[VALUE_SIZE] = "";
	size_t len = (size_t)(otherwise - text);
	enum found found;

	if (len >= sizeof(name) || memchr(text, '$', len) || memchr(text, '{', len))
		return err_set(err, CNI_ERROR + CNI_CONFIG, "a name between braces is too long, or has '$' or '{' in it");
	memcpy(name, text, len);
	name[len] = '\0';
	field_shown(shown, name);
	found = find(v, name, value, err);
	if (otherwise < end && (found == MISSING || (found == FOUND && !*value)))
		return expand(out, v, otherwise + 2, end, depth + 1, err);
	if (found != FOUND)
		return err_wrap(err, "${%s}", shown);
	return append(out, value, strlen(value), err);
}

static int expand(struct output *out, const struct values *v, const char *text, const char *end, unsigned int depth,
		  struct bpfstamp_err *err)
{
	if (depth > DEPTH_MAX)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "${NAME} stands in more than %d others", DEPTH_MAX);
	for (const char *dollar; (dollar = memchr(text, '$', (size_t)(end - text))); text++) {
		if (append(out, text, (size_t)(dollar - text), err))
			return -1;
		text = dollar + 1;
		if (text < end && *text == '$') {
			if (append(out, "$", 1, err))
				return -1;
			continue;
		}
		if (text == end || *text != '{' || !(dollar = closing(text + 1, end)))
			return err_set(err, CNI_ERROR + CNI_CONFIG, "a '$' begins ${NAME} or is written $$");
		if (expand_name(out, v, text + 1, dollar, depth, err))
			return -1;
		text = dollar;
	}
	return append(out, text, (size_t)(end - text), err);
}

int values_expand(const struct values *v, const json_t *from, const char *what, char *buf, struct bpfstamp_err *err)
{
	char value[VALUE_SIZE] = "";
	struct output out = { .buf = value };
	struct lookup l = { v, NULL, value };
	const char *text = json_string_value(from);
	int ret;

	if (text)
		ret = expand(&out, v, text, text + strlen(text), 0, err);
	else
		ret = put_scalar(&l, from, err);
	if (ret)
		return err_wrap(err, "%s", what);
	memcpy(buf, value, strlen(value) + 1);
	return 0;
}

int values_number(const struct values *v, const json_t *from, const char *what, uint32_t low, uint32_t high,
		  uint32_t *out, struct bpfstamp_err *err)
{
	char text[VALUE_SIZE], shown[FIELD_SHOWN], *end;
	unsigned long long n;

	if (values_expand(v, from, what, text, err))
		return -1;
	errno = 0;
	n = strtoull(text, &end, !strncmp(text, "0x", 2) ? 16 : 10);
	if (*text < '0' || *text > '9' || *end || errno || n < low || n > high)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "%s: '%s' is no number from %u to %u", what,
			       field_shown(shown, text), low, high);
	*out = (uint32_t)n;
	return 0;
}

int values_network(const struct values *v, uint32_t *out, struct bpfstamp_err *err)
{
	const struct cni_config *c = v->config;
	uint32_t id;

	if (values_number(v, c->vlan ? c->vlan : c->vni, c->vlan ? "pods.vlan" : "pods.vni", 0, UINT32_MAX, &id, err))
		return -1;
	return config_network(c, id, out, err);
}

/* ----------------------------------------------------------------- VPCs */

/* A table is a plain file: anything else might never end, or never begin. */
static FILE *open_table(const char *path, struct bpfstamp_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *file = NULL;
	struct stat st;

	if (fd < 0) {
		err_set(err, CNI_ERROR + CNI_IO, "vpcs: cannot open %s: %s", path, strerror(errno));
		return NULL;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > TABLE_SIZE_MAX)
		err_set(err, CNI_ERROR + CNI_IO, "vpcs: %s is no plain file of at most %d MiB", path, TABLE_SIZE_MAX >> 20);
	else if (!(file = fdopen(fd, "r")))
		err_set(err, CNI_ERROR + CNI_IO, "vpcs: cannot read %s: %s", path, strerror(errno));
	if (!file)
		close(fd);
	return file;
}

static int load_table(const char *path, json_t **out, struct bpfstamp_err *err)
{
	FILE *file = open_table(path, err);
	json_error_t where;

	if (!file)
		return -1;
	*out = json_loadf(file, JSON_REJECT_DUPLICATES, &where);
	fclose(file);
	if (!*out)
		return err_set(err, CNI_ERROR + CNI_DECODE, "vpcs: %s: line %d: %s", path, where.line, where.text);
	if (json_is_object(*out))
		return 0;
	json_decref(*out);
	return err_set(err, CNI_ERROR + CNI_DECODE, "vpcs: %s is no JSON object of rows", path);
}

static int find_row(json_t *table, const char *path, const char *name, json_t **out, struct bpfstamp_err *err)
{
	json_t *row = json_object_get(table, name);
	char shown[FIELD_SHOWN];

	if (!row) {
		no_key(table, name, err);
		return err_wrap(err, "vpcs: %s", path);
	}
	if (!json_is_object(row))
		return err_set(err, CNI_ERROR + CNI_DECODE, "vpcs: %s: %s is no object", path, field_shown(shown, name));
	*out = json_incref(row);
	return 0;
}

int values_row(const struct values *v, json_t **out, struct bpfstamp_err *err)
{
	char name[VALUE_SIZE];
	json_t *table;
	int ret;

	if (!v->config->vpc) {
		*out = NULL;
		return 0;
	}
	if (values_expand(v, v->config->vpc, "vpc", name, err) || load_table(v->config->vpcs, &table, err))
		return -1;
	ret = find_row(table, v->config->vpcs, name, out, err);
	json_decref(table);
	return ret;
}
