// SPDX-License-Identifier: BSD-2-Clause
/*
 * Results of plugins: read in every version that we speak, written in the one
 * of the configuration.
 *
 * Reading takes from a result what becomes addresses, routes and entries of maps, and
 * checks it: an address with the length of its prefix, a gateway of the same family, an
 * index of an interface that is there.  The family is that of the address; the
 * "version" that older results have beside it adds nothing.  An IPv4 address in IPv6
 * clothes is refused, because it would be another pod's IPv4 address in the maps.
 *
 * Writing never changes what was read, which belongs to the request: copies are made of it.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cni/field.h"
#include "cni/result.h"
#include "include/mac.h"
#include "loader/err.h"

/* -------------------------------------------------------------- reading */

static int wrong(const char *where, const char *key, const char *text, const char *what, struct bpfstamp_err *err)
{
	char shown[FIELD_SHOWN];

	return err_set(err, CNI_ERROR + CNI_DECODE, "%s%s: '%s' is no %s", where, key, field_shown(shown, text),
		       what);
}

static bool parse_address(const char *text, bool *ipv6, uint8_t out[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(out, 0, 16);
	*ipv6 = strchr(text, ':');
	if (inet_pton(*ipv6 ? AF_INET6 : AF_INET, text, out) != 1)
		return false;
	return !*ipv6 || memcmp(out, mapped, sizeof(mapped));
}

/* "10.0.0.2/24" */
static bool parse_prefix(const char *text, bool *ipv6, uint8_t out[16], uint8_t *prefix)
{
	const char *slash = strchr(text, '/'), *digit;
	char address[INET6_ADDRSTRLEN];
	unsigned int n = 0;

	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	if (!parse_address(address, ipv6, out) || !slash[1])
		return false;
	for (digit = slash + 1; *digit >= '0' && *digit <= '9' && n <= 128; digit++)
		n = 10 * n + (unsigned int)(*digit - '0');
	if (*digit || n > (*ipv6 ? 128 : 32))
		return false;
	*prefix = (uint8_t)n;
	return true;
}

/* A prefix that has to be there. */
static int read_prefix(const json_t *json, const char *where, const char *key, bool *ipv6, uint8_t out[16],
		       uint8_t *prefix, struct bpfstamp_err *err)
{
	const char *text = NULL;

	if (field_text(&text, json, where, key, err))
		return -1;
	if (!text)
		return err_set(err, CNI_ERROR + CNI_DECODE, "%s%s is missing", where, key);
	if (!parse_prefix(text, ipv6, out, prefix))
		return wrong(where, key, text, "address with the length of its prefix", err);
	return 0;
}

/* A gateway that may be there; "" is none. */
static int read_gateway(const json_t *json, const char *where, const char *key, bool ipv6, bool *has, uint8_t out[16],
			struct bpfstamp_err *err)
{
	const json_t *value = field_get(json, key);
	const char *text = NULL;
	bool is_ipv6;

	if (value && json_is_string(value) && !json_string_length(value))
		return 0;
	if (field_text(&text, json, where, key, err))
		return -1;
	if (!text)
		return 0;
	if (!parse_address(text, &is_ipv6, out) || is_ipv6 != ipv6)
		return wrong(where, key, text, ipv6 ? "IPv6 address" : "IPv4 address", err);
	*has = true;
	return 0;
}

/* Whether an address is the pod's: of the interface that is meant, or of none by what it says. */
static int is_of_pod(const json_t *ip, const json_t *interfaces, const char *ifname, const char *where, bool *out,
		     struct bpfstamp_err *err)
{
	const json_t *index = field_get(ip, "interface"), *interface;
	const char *name, *sandbox;

	*out = true;
	if (!index)
		return 0;
	if (!json_is_integer(index))
		return err_set(err, CNI_ERROR + CNI_DECODE, "%sinterface is no number", where);
	if (json_integer_value(index) < 0 || json_integer_value(index) >= (json_int_t)json_array_size(interfaces))
		return err_set(err, CNI_ERROR + CNI_DECODE, "%sinterface is %" JSON_INTEGER_FORMAT ", and there are "
			       "%zu interfaces", where, json_integer_value(index), json_array_size(interfaces));
	interface = json_array_get(interfaces, (size_t)json_integer_value(index));
	name = json_string_value(json_object_get(interface, "name"));
	sandbox = json_string_value(json_object_get(interface, "sandbox"));
	*out = name && !strcmp(name, ifname) && sandbox && *sandbox;
	return 0;
}

static int read_ips(struct cni_result *out, const json_t *ips, const json_t *interfaces, const char *ifname,
		    struct bpfstamp_err *err)
{
	char where[32];
	bool wanted;

	for (size_t i = 0; i < json_array_size(ips); i++) {
		const json_t *json = json_array_get(ips, i);
		struct cni_ip ip = { 0 };

		snprintf(where, sizeof(where), "ips[%zu].", i);
		if (read_prefix(json, where, "address", &ip.ipv6, ip.address, &ip.prefix, err) ||
		    read_gateway(json, where, "gateway", ip.ipv6, &ip.has_gateway, ip.gateway, err) ||
		    is_of_pod(json, interfaces, ifname, where, &wanted, err))
			return -1;
		if (!wanted)
			continue;
		if (out->ip_count == CNI_IPS)
			return err_set(err, CNI_ERROR + CNI_CONFIG, "ips: the pod can have at most %d addresses",
				       CNI_IPS);
		out->ips[out->ip_count++] = ip;
	}
	return 0;
}

static const char *find_more(const json_t *route)
{
	static const char *const keys[] = { "mtu", "advmss", "priority", "table", "scope" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (field_get(route, keys[i]))
			return keys[i];
	return NULL;
}

static int read_routes(struct cni_result *out, const json_t *routes, struct bpfstamp_err *err)
{
	char where[32];

	if (json_array_size(routes) > CNI_ROUTES)
		return err_set(err, CNI_ERROR + CNI_CONFIG, "routes has %zu elements: at most %d can be",
			       json_array_size(routes), CNI_ROUTES);
	for (size_t i = 0; i < json_array_size(routes); i++) {
		const json_t *json = json_array_get(routes, i);
		struct cni_route route = { 0 };

		snprintf(where, sizeof(where), "routes[%zu].", i);
		if (read_prefix(json, where, "dst", &route.ipv6, route.dst, &route.prefix, err) ||
		    read_gateway(json, where, "gw", route.ipv6, &route.has_gateway, route.gateway, err))
			return -1;
		route.more = find_more(json);
		out->routes[out->route_count++] = route;
	}
	return 0;
}

int result_read(struct cni_result *out, json_t *json, const char *ifname, struct bpfstamp_err *err)
{
	json_t *interfaces = NULL, *ips = NULL, *routes = NULL;
	struct cni_result result = { .json = json };

	if (!json_is_object(json))
		return err_set(err, CNI_ERROR + CNI_DECODE, "the result is no JSON object");
	if (field_array(&interfaces, json, "", "interfaces", err) || field_array(&ips, json, "", "ips", err) ||
	    field_array(&routes, json, "", "routes", err) || read_ips(&result, ips, interfaces, ifname, err) ||
	    read_routes(&result, routes, err))
		return err_wrap(err, "result");
	*out = result;
	return 0;
}

/* -------------------------------------------------------------- writing */

static json_t *interface_json(enum cni_version version, const char *name, const uint8_t mac[6], const char *sandbox,
			      uint32_t mtu)
{
	char text[MAC_TEXT];
	json_t *json;

	mac_print(text, mac);
	json = json_pack("{s:s, s:s, s:s*}", "name", name, "mac", text, "sandbox", sandbox);
	if (json && mtu && version >= CNI_1_1_0 && json_object_set_new(json, "mtu", json_integer(mtu))) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* IPAM's addresses, all of the second interface, which is the pod's. */
static json_t *ips_json(enum cni_version version, const struct cni_result *ipam)
{
	json_t *from = field_get(ipam->json, "ips"), *ips = from ? json_deep_copy(from) : json_array(), *ip;
	size_t i;

	json_array_foreach(ips, i, ip) {
		const char *address = json_string_value(json_object_get(ip, "address"));

		json_object_del(ip, "version");
		if (json_object_set_new(ip, "interface", json_integer(1)) ||
		    (version < CNI_1_0_0 &&
		     json_object_set_new(ip, "version", json_string(address && strchr(address, ':') ? "6" : "4")))) {
			json_decref(ips);
			return NULL;
		}
	}
	return ips;
}

json_t *result_make(enum cni_version version, const struct cni_made *made, const struct cni_result *ipam)
{
	json_t *routes = field_get(ipam->json, "routes");
	json_t *dns = made->dns ? made->dns : field_get(ipam->json, "dns");

	return json_pack("{s:s, s:[o,o], s:o, s:O*, s:O*}", "cniVersion", version_text(version), "interfaces",
			 interface_json(version, made->host, made->host_mac, NULL, made->mtu),
			 interface_json(version, made->pod, made->pod_mac, made->netns, made->mtu),
			 "ips", ips_json(version, ipam), "routes", routes, "dns", dns);
}

json_t *result_pass(enum cni_version version, json_t *prev)
{
	json_t *result = json_copy(prev);

	if (result && json_object_set_new(result, "cniVersion", json_string(version_text(version)))) {
		json_decref(result);
		return NULL;
	}
	return result;
}
