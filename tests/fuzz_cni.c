// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a runtime hands to the plugin: the first byte is the command, then come
 * container, interface, namespace and CNI_ARGS, each ended by NUL, and the
 * configuration up to the end.  It is refused with a code of the specification and a text that
 * makes JSON; or what comes out keeps to the headers, and prevResult, every
 * value, and the results that are made of them do likewise.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cni/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PARTS = 4 };

static const char *const variables[PARTS] = { "CNI_CONTAINERID", "CNI_IFNAME", "CNI_NETNS", "CNI_ARGS" };
static const char *const commands[] = { "ADD", "DEL", "CHECK", "STATUS", "GC", "VERSION" };
static const char *command;
static char *parts[PARTS];

static void require(bool condition)
{
	if (!condition)
		abort();
}

static char *environment(const char *name)
{
	for (int i = 0; i < PARTS; i++)
		if (!strcmp(name, variables[i]))
			return parts[i];
	return strcmp(name, "CNI_COMMAND") ? NULL : (char *)(uintptr_t)command;
}

/* Each failure goes out to the runtime. */
static void check_error(enum cni_version version, const struct bpfstamp_err *err)
{
	json_t *json = cni_error(version, err);
	char *text = json_dumps(json, JSON_COMPACT);
	unsigned int code = cni_error_code(err);

	require(json && text && *err->text && memchr(err->text, '\0', sizeof(err->text)) && !strchr(err->text, '\n'));
	require(code && (code <= CNI_CONFIG || code == CNI_TAKEN));
	free(text);
	json_decref(json);
}

static void check_result(const struct cni_result *r)
{
	require(r->ip_count <= CNI_IPS && r->route_count <= CNI_ROUTES);
	for (size_t i = 0; i < r->ip_count; i++)
		require(r->ips[i].prefix <= (r->ips[i].ipv6 ? 128 : 32));
	for (size_t i = 0; i < r->route_count; i++)
		require(r->routes[i].prefix <= (r->routes[i].ipv6 ? 128 : 32));
}

/* Results that are made of IPAM's, which has no interfaces, read back with the same addresses of the pod. */
static void remake(const struct cni_request *r, const struct cni_result *from)
{
	struct cni_made made = { .host = "bs0", .pod = r->ifname, .netns = r->netns, .mtu = 1500 };
	json_t *json = result_make(r->version, &made, from), *passed = result_pass(r->version, from->json);
	struct cni_result again;
	struct bpfstamp_err err;

	require(json && passed && !result_read(&again, json, r->ifname, &err));
	require(again.ip_count == from->ip_count && again.route_count == from->route_count);
	require(!strcmp(json_string_value(json_object_get(passed, "cniVersion")), version_text(r->version)));
	json_decref(json);
	json_decref(passed);
}

static void try_value(const struct values *v, const json_t *from)
{
	struct bpfstamp_err err;
	char buf[VALUE_SIZE];
	uint32_t number;

	memset(buf, 0xaa, sizeof(buf));
	if (values_expand(v, from, "value", buf, &err))
		check_error(v->request->version, &err);
	else
		require(memchr(buf, '\0', sizeof(buf)));
	if (values_number(v, from, "value", 10, 20, &number, &err))
		check_error(v->request->version, &err);
	else
		require(number >= 10 && number <= 20);
}

static int no_interface(void *arg, const char *dev)
{
	(void)arg;
	return (int)strlen(dev) - 4;
}

static void try_values(const struct cni_request *r, const struct cni_config *c, const struct cni_result *result)
{
	struct values v = { .request = r, .config = c, .result = result, .host_ifindex = 7, .host_mac = { 2 },
			    .ifindex = no_interface, .row = c->vpcs ? r->config : NULL };
	struct bpfstamp_err err;
	const json_t *value;
	const char *key;
	uint32_t network;

	for (size_t i = 0; i < c->attach_count; i++)
		json_object_foreach(c->attach[i].set, key, value)
			try_value(&v, value);
	if (c->vpc)
		try_value(&v, c->vpc);
	if ((c->vni || c->vlan) && values_network(&v, &network, &err))
		check_error(r->version, &err);
	else if (c->vni || c->vlan)
		require((network & 0xffffff) && (c->vni || (network & 0xffffff) <= 4094));
}

static void check_attachment(const struct cni_attachment *a, bool node)
{
	require(a->object && *a->object == '/' && a->hook.pin_path && a->hook.direction && a->hook.prio &&
		a->hook.handle);
	require(node ? request_is_ifname(a->dev) : !strcmp(a->dev, "host") || !strcmp(a->dev, "pod"));
	require(!a->set || json_is_object(a->set));
}

static void check_config(const struct cni_request *r, const struct cni_config *c)
{
	require(request_is_name(c->name) && strlen(c->name) + strlen(r->container) + strlen(r->ifname) <= 200);
	require(c->attach_count <= CNI_ATTACHMENTS && c->node_count <= CNI_ATTACHMENTS && *c->pin_path == '/');
	require(!c->vpc == !c->vpcs && !(c->vni && c->vlan));
	require(!c->vxlan || (c->vxlan_port && request_is_ifname(c->vxlan)));
	require(r->command != CNI_GC || c->valid);
	require(r->command != CNI_ADD || !c->ipam == !!c->prev_result);
	for (size_t i = 0; i < c->attach_count; i++)
		check_attachment(&c->attach[i], false);
	for (size_t i = 0; i < c->node_count; i++)
		check_attachment(&c->node[i], true);
}

/* What VERSION answers to any object, in the version that it names. */
static void check_versions(const json_t *json)
{
	const json_t *asked = json_object_get(json, "cniVersion"), *said;
	json_t *answer = version_answer(json);

	said = json_object_get(answer, "cniVersion");
	require(json_is_string(asked) ? json_equal(said, asked) : json_is_string(said));
	require(json_array_size(json_object_get(answer, "supportedVersions")) == 4);
	json_decref(answer);
}

static void run(json_t *json)
{
	struct cni_request r = { 0 };
	struct cni_result result = { 0 };
	struct cni_config c;
	struct bpfstamp_err err;

	if (request_read(&r, environment, json, &err) || (r.command != CNI_VERSION && config_read(&c, &r, &err))) {
		check_error(r.version, &err);
		return;
	}
	require(r.command && r.config == json);
	if (r.command == CNI_VERSION) {
		check_versions(json);
		return;
	}
	require(r.version);
	check_config(&r, &c);
	if (c.prev_result && result_read(&result, c.prev_result, r.ifname, &err)) {
		check_error(r.version, &err);
	} else if (c.prev_result) {
		check_result(&result);
		if (*r.netns && !json_object_get(c.prev_result, "interfaces"))
			remake(&r, &result);
	}
	try_values(&r, &c, &result);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), *at = copy;
	json_t *json;

	require(copy);
	memcpy(copy, data, size);
	copy[size] = '\0';
	command = commands[size ? data[0] % 6 : 0];
	at += !!size;
	for (int i = 0; i < PARTS; i++) {
		parts[i] = at;
		at += strlen(at);
		at += at < copy + size;
	}
	json = json_loadb(at, (size_t)(copy + size - at), JSON_REJECT_DUPLICATES, NULL);
	if (json)
		run(json);
	json_decref(json);
	free(copy);
	return 0;
}
