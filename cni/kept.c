// SPDX-License-Identifier: BSD-2-Clause
/*
 * The state of a pod as a structure.  It comes out of a map that anybody with
 * the right to open it may have written, so that nothing in it is believed
 * before it is seen to make sense; what it names is looked at once more before
 * it is removed (removing.c).
 *
 * Keys that are not known are passed over: a later version may have written
 * them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cni/kept.h"
#include "include/mac.h"
#include "loader/err.h"

static const char *const hooks[] = {
	[BPFSTAMP_CLSACT] = "clsact", [BPFSTAMP_TCX] = "tcx", [BPFSTAMP_NETKIT] = "netkit", [BPFSTAMP_XDP] = "xdp",
};

static const char *const directions[] = {
	[BPFSTAMP_INGRESS] = "ingress", [BPFSTAMP_EGRESS] = "egress", [BPFSTAMP_PRIMARY] = "primary",
	[BPFSTAMP_PEER] = "peer",
};

const char *kept_hook_name(enum bpfstamp_hook_type type)
{
	return type < sizeof(hooks) / sizeof(*hooks) ? hooks[type] : "auto";
}

/* ------------------------------------------------------------------ read */

static bool read_text(const json_t *object, const char *key, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && (size_t)snprintf(out, size, "%s", text) < size;
}

static bool read_number(const json_t *value, uint64_t most, uint64_t *out)
{
	json_int_t number = json_integer_value(value);

	*out = (uint64_t)number;
	return json_is_integer(value) && number >= 0 && (uint64_t)number <= most;
}

/* 0 where there is none: states of before do not have it. */
static bool read_later(const json_t *object, const char *key, uint64_t most, uint64_t *out)
{
	const json_t *value = json_object_get(object, key);

	*out = 0;
	return !value || read_number(value, most, out);
}

/* The index of a name in a table that may have gaps. */
static bool read_name(const json_t *object, const char *key, const char *const *names, size_t count,
		      unsigned int *out)
{
	const char *text = json_string_value(json_object_get(object, key));

	for (unsigned int i = 0; text && i < count; i++) {
		if (names[i] && !strcmp(names[i], text)) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool read_place(const json_t *json, struct kept_place *out)
{
	uint64_t ifindex, prio, handle, link;
	unsigned int type, direction;
	char dev[8];

	if (!read_text(json, "dev", dev, sizeof(dev)) ||
	    !read_text(json, "program", out->program, sizeof(out->program)) ||
	    !read_name(json, "hook", hooks, sizeof(hooks) / sizeof(*hooks), &type) ||
	    !read_name(json, "direction", directions, sizeof(directions) / sizeof(*directions), &direction) ||
	    !read_number(json_object_get(json, "ifindex"), INT32_MAX, &ifindex) ||
	    !read_number(json_object_get(json, "prio"), UINT16_MAX, &prio) ||
	    !read_number(json_object_get(json, "handle"), UINT32_MAX, &handle) ||
	    !read_number(json_object_get(json, "link"), KEPT_PLACES, &link))
		return false;
	out->pod = !strcmp(dev, "pod");
	out->ifindex = (int)ifindex;
	out->type = type;
	out->direction = direction;
	out->prio = (uint16_t)prio;
	out->handle = (uint32_t)handle;
	out->link = (uint32_t)link;
	out->clsact = json_is_true(json_object_get(json, "clsact"));
	return out->pod || !strcmp(dev, "host");
}

/* As mac_print wrote it, or none. */
static bool read_mac(const json_t *json, uint8_t mac[6])
{
	const char *text = json_string_value(json);
	char again[MAC_TEXT];

	if (!json)
		return true;
	if (!text || sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
			    &mac[5]) != 6)
		return false;
	mac_print(again, mac);
	return !strcmp(text, again);
}

static bool read_pod(const json_t *json, struct kept_pod *out)
{
	const char *address = json_string_value(json_array_get(json, 1));
	uint64_t network, ifindex;

	if (!address || inet_pton(AF_INET6, address, out->address) != 1 ||
	    !read_number(json_array_get(json, 0), UINT32_MAX, &network) ||
	    !read_number(json_array_get(json, 2), UINT32_MAX, &ifindex) || !read_mac(json_array_get(json, 3), out->mac))
		return false;
	out->network = (uint32_t)network;
	out->ifindex = (uint32_t)ifindex;
	return true;
}

static bool read_lists(struct kept *k, const json_t *json)
{
	const json_t *places = json_object_get(json, "attachments"), *pods = json_object_get(json, "pods");

	if (json_array_size(places) > KEPT_PLACES || json_array_size(pods) > KEPT_PODS)
		return false;
	for (; k->place_count < json_array_size(places); k->place_count++)
		if (!read_place(json_array_get(places, k->place_count), &k->places[k->place_count]))
			return false;
	for (; k->pod_count < json_array_size(pods); k->pod_count++)
		if (!read_pod(json_array_get(pods, k->pod_count), &k->pods[k->pod_count]))
			return false;
	return true;
}

int kept_read(struct kept *out, const json_t *json, const char *what, struct bpfstamp_err *err)
{
	uint64_t ifindex, end, inode, cookie;

	memset(out, 0, sizeof(*out));
	if (!read_text(json, "host", out->host, sizeof(out->host)) ||
	    !read_text(json, "netns", out->netns, sizeof(out->netns)) ||
	    !read_number(json_object_get(json, "ifindex"), INT32_MAX, &ifindex) ||
	    !read_later(json, "end", INT32_MAX, &end) ||
	    !read_number(json_object_get(json, "inode"), INT64_MAX, &inode) ||
	    !read_later(json, "cookie", INT64_MAX, &cookie) || !read_lists(out, json))
		return err_set(err, EINVAL, "the state in %s is not as bpfstamp-cni writes it: remove it", what);
	out->ifindex = (int)ifindex;
	out->end = (int)end;
	out->netns_inode = (ino_t)inode;
	out->netns_cookie = cookie;
	out->made = json_is_true(json_object_get(json, "made"));
	out->ipam = json_object_get(json, "ipam");
	return 0;
}

/* ----------------------------------------------------------------- write */

static json_t *place_json(const struct kept_place *p)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:i, s:I, s:i, s:b, s:s}", "dev", p->pod ? "pod" : "host",
			 "ifindex", p->ifindex, "hook", hooks[p->type], "direction", directions[p->direction],
			 "prio", (int)p->prio, "handle", (json_int_t)p->handle, "link", (int)p->link,
			 "clsact", (int)p->clsact, "program", p->program);
}

static json_t *pod_json(const struct kept_pod *p)
{
	char address[INET6_ADDRSTRLEN], mac[MAC_TEXT];

	inet_ntop(AF_INET6, p->address, address, sizeof(address));
	mac_print(mac, p->mac);
	return json_pack("[I, s, I, s]", (json_int_t)p->network, address, (json_int_t)p->ifindex, mac);
}

json_t *kept_json(const struct kept *k)
{
	json_t *places = json_array(), *pods = json_array(), *json;
	bool whole = places && pods;

	for (size_t i = 0; i < k->place_count; i++)
		whole = whole && !json_array_append_new(places, place_json(&k->places[i]));
	for (size_t i = 0; i < k->pod_count; i++)
		whole = whole && !json_array_append_new(pods, pod_json(&k->pods[i]));
	json = json_pack("{s:s, s:i, s:i, s:b, s:s, s:I, s:I, s:o, s:o, s:O*}", "host", k->host, "ifindex", k->ifindex,
			 "end", k->end, "made", (int)k->made, "netns", k->netns, "inode", (json_int_t)k->netns_inode,
			 "cookie", (json_int_t)k->netns_cookie, "pods", pods, "attachments", places, "ipam", k->ipam);
	if (whole)
		return json;
	json_decref(json);
	return NULL;
}
