// SPDX-License-Identifier: BSD-2-Clause
/*
 * What ${NAME} stands for: the word before the first dot chooses a function, which gets
 * what is behind the dot.  It finds a text, or says what is missing and who could
 * have given it, so that a default can stand in.  A word that does not exist, or whose
 * source is malformed (CNI_ARGS), is an error whatever the default.
 *
 * Keys of JSON come with dots between them, so a key with a dot in it cannot be reached;
 * an interface or a key of CNI_ARGS is all that stands behind the first dot.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cni/field.h"
#include "cni/values.h"
#include "include/mac.h"
#include "loader/err.h"
#include "loader/near.h"

/* One ${NAME}: rest is what stands behind the first dot, or NULL; the text goes to buf (VALUE_SIZE bytes). */
struct lookup {
	const struct values *v;
	char *rest;
	char *buf;
};

static enum value_found put(struct lookup *l, const char *text, size_t len, struct bpfstamp_err *err)
{
	if (len >= VALUE_SIZE)
		return (enum value_found)err_set(err, CNI_ERROR + CNI_CONFIG, "has more than %d bytes",
						 VALUE_SIZE - 1);
	memcpy(l->buf, text, len);
	l->buf[len] = '\0';
	return VALUE_FOUND;
}

static enum value_found put_text(struct lookup *l, const char *text, struct bpfstamp_err *err)
{
	return put(l, text, strlen(text), err);
}

static enum value_found put_scalar(struct lookup *l, const json_t *value, struct bpfstamp_err *err)
{
	return values_scalar(value, l->buf, err) ? VALUE_FAILED : VALUE_FOUND;
}

/* ---------------------------------------------------------------- words */

/* Of the environment; variable is empty where the runtime did not set it. */
static enum value_found put_variable(struct lookup *l, const char *text, const char *variable,
				     struct bpfstamp_err *err)
{
	if (*text)
		return put_text(l, text, err);
	err_set(err, CNI_ERROR + CNI_ENVIRONMENT, "the runtime gave no %s", variable);
	return VALUE_MISSING;
}

static enum value_found word_container(struct lookup *l, struct bpfstamp_err *err)
{
	return put_variable(l, l->v->request->container, "CNI_CONTAINERID", err);
}

static enum value_found word_ifname(struct lookup *l, struct bpfstamp_err *err)
{
	return put_variable(l, l->v->request->ifname, "CNI_IFNAME", err);
}

static enum value_found word_netns(struct lookup *l, struct bpfstamp_err *err)
{
	return put_variable(l, l->v->request->netns, "CNI_NETNS", err);
}

static enum value_found word_network(struct lookup *l, struct bpfstamp_err *err)
{
	return put_text(l, l->v->config->name, err);
}

static enum value_found word_ifindex(struct lookup *l, struct bpfstamp_err *err)
{
	char number[16], shown[FIELD_SHOWN];
	int ifindex;

	if (!strcmp(l->rest, "host"))
		ifindex = l->v->host_ifindex;
	else if (!strcmp(l->rest, "pod"))
		ifindex = l->v->pod_ifindex;
	else
		ifindex = l->v->ifindex ? l->v->ifindex(l->v->arg, l->rest) : 0;
	if (ifindex <= 0) {
		err_set(err, CNI_ERROR + CNI_CONFIG, "there is no interface %s", field_shown(shown, l->rest));
		return VALUE_MISSING;
	}
	snprintf(number, sizeof(number), "%d", ifindex);
	return put_text(l, number, err);
}

static enum value_found word_mac(struct lookup *l, struct bpfstamp_err *err)
{
	static const uint8_t none[6];
	const uint8_t *mac = l->rest ? l->v->host_mac : l->v->pod_mac;
	char text[MAC_TEXT];

	if (l->rest && strcmp(l->rest, "host"))
		return (enum value_found)err_set(err, CNI_ERROR + CNI_CONFIG, "can only be mac or mac.host");
	if (!memcmp(mac, none, sizeof(none))) {
		err_set(err, CNI_ERROR + CNI_CONFIG, "the interface has no MAC address");
		return VALUE_MISSING;
	}
	mac_print(text, mac);
	return put_text(l, text, err);
}

static enum value_found put_ip(struct lookup *l, const struct cni_ip *ip, struct bpfstamp_err *err)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(ip->ipv6 ? AF_INET6 : AF_INET, ip->address, text, sizeof(text));
	return put_text(l, text, err);
}

static enum value_found word_ip(struct lookup *l, struct bpfstamp_err *err)
{
	size_t count = l->v->result ? l->v->result->ip_count : 0;
	unsigned long n;
	char *end;

	n = strtoul(l->rest, &end, 10);
	if (*l->rest < '0' || *l->rest > '9' || *end || strlen(l->rest) > 3)
		return (enum value_found)err_set(err, CNI_ERROR + CNI_CONFIG, "wants a number behind ip: 0 for the "
						 "first");
	if (n < count)
		return put_ip(l, &l->v->result->ips[n], err);
	err_set(err, CNI_ERROR + CNI_CONFIG, "the pod has %zu address%s", count, count == 1 ? "" : "es");
	return VALUE_MISSING;
}

static enum value_found first_ip(struct lookup *l, bool ipv6, struct bpfstamp_err *err)
{
	for (size_t i = 0; l->v->result && i < l->v->result->ip_count; i++)
		if (l->v->result->ips[i].ipv6 == ipv6)
			return put_ip(l, &l->v->result->ips[i], err);
	err_set(err, CNI_ERROR + CNI_CONFIG, "the pod has no IPv%c address", ipv6 ? '6' : '4');
	return VALUE_MISSING;
}

static enum value_found word_ip4(struct lookup *l, struct bpfstamp_err *err)
{
	return first_ip(l, false, err);
}

static enum value_found word_ip6(struct lookup *l, struct bpfstamp_err *err)
{
	return first_ip(l, true, err);
}

static enum value_found word_args(struct lookup *l, struct bpfstamp_err *err)
{
	char shown[FIELD_SHOWN];
	const char *value;
	size_t len;

	if (request_arg(l->v->request, l->rest, &value, &len, err))
		return VALUE_FAILED;
	if (value)
		return put(l, value, len, err);
	err_set(err, CNI_ERROR + CNI_ENVIRONMENT, "the runtime gave no CNI_ARGS %s", field_shown(shown, l->rest));
	return VALUE_MISSING;
}

static enum value_found follow(struct lookup *l, json_t *object, struct bpfstamp_err *err)
{
	for (char *key = l->rest, *dot;; key = dot + 1) {
		json_t *value;

		dot = strchr(key, '.');
		if (dot)
			*dot = '\0';
		value = field_get(object, key);
		if (!value) {
			field_absent(object, key, err);
			return VALUE_MISSING;
		}
		if (!dot)
			return put_scalar(l, value, err);
		object = value;
	}
}

/* Follow a path of keys from an object (NULL: an empty one); of: how errors call it. */
static enum value_found walk(struct lookup *l, json_t *object, const char *of, struct bpfstamp_err *err)
{
	enum value_found found = follow(l, object, err);

	if (found != VALUE_FOUND)
		err_wrap(err, "%s", of);
	return found;
}

static enum value_found word_cni(struct lookup *l, struct bpfstamp_err *err)
{
	return walk(l, field_get(field_get(l->v->request->config, "args"), "cni"),
		    "args.cni, of the runtime or the configuration", err);
}

static enum value_found word_runtime(struct lookup *l, struct bpfstamp_err *err)
{
	json_t *given = field_get(field_get(l->v->request->config, "runtimeConfig"), "bpfstamp");

	if (given)
		return walk(l, given, "runtimeConfig.bpfstamp", err);
	err_set(err, CNI_ERROR + CNI_CONFIG, "the runtime gave no runtimeConfig.bpfstamp, which it does where "
		"capabilities has \"bpfstamp\": true");
	return VALUE_MISSING;
}

static enum value_found word_vpc(struct lookup *l, struct bpfstamp_err *err)
{
	char shown[FIELD_SHOWN], of[FIELD_SHOWN + 32];

	if (!l->v->row) {
		err_set(err, CNI_ERROR + CNI_CONFIG, l->v->config->vpc ? "the VPC is not known before vpc is" :
			"the configuration has no vpc and vpcs");
		return VALUE_MISSING;
	}
	snprintf(of, sizeof(of), "the row of the VPC in %s", field_shown(shown, l->v->config->vpcs));
	return walk(l, l->v->row, of, err);
}

static const struct word {
	const char *name, *rest;	/* what has to stand behind a dot, NULL: nothing may; "": something may */
	enum value_found (*find)(struct lookup *l, struct bpfstamp_err *err);
} words[] = {
	{ "ifindex", "host, pod or an interface", word_ifindex }, { "mac", "", word_mac },
	{ "ip", "a number", word_ip }, { "ip4", NULL, word_ip4 }, { "ip6", NULL, word_ip6 },
	{ "containerID", NULL, word_container }, { "ifname", NULL, word_ifname }, { "netns", NULL, word_netns },
	{ "network", NULL, word_network }, { "args", "a key of CNI_ARGS", word_args },
	{ "cni", "a key of args.cni", word_cni }, { "runtime", "a key of runtimeConfig.bpfstamp", word_runtime },
	{ "vpc", "a key of the table's rows", word_vpc },
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

static enum value_found no_word(const char *name, struct bpfstamp_err *err)
{
	struct near near = near_to(name, strlen(name));

	err_set(err, CNI_ERROR + CNI_CONFIG, "there is no such value");
	for (size_t i = 0; i < WORDS; i++)
		near_consider(&near, words[i].name);
	near_suggest(&near, err);
	return VALUE_FAILED;
}

enum value_found values_find(const struct values *v, char *name, char *buf, struct bpfstamp_err *err)
{
	char *dot = strchr(name, '.');
	struct lookup l = { v, dot ? dot + 1 : NULL, buf };

	if (dot)
		*dot = '\0';
	for (size_t i = 0; i < WORDS; i++) {
		if (strcmp(name, words[i].name))
			continue;
		if (dot && !words[i].rest)
			return (enum value_found)err_set(err, CNI_ERROR + CNI_CONFIG, "nothing can stand behind %s",
							 name);
		if ((dot && !*l.rest) || (!dot && words[i].rest && *words[i].rest))
			return (enum value_found)err_set(err, CNI_ERROR + CNI_CONFIG, "has to be %s. and %s", name,
						   words[i].rest);
		return words[i].find(&l, err);
	}
	return no_word(name, err);
}
