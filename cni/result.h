/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Results: what a plugin before us, or an IPAM plugin, says of the pod, and
 * what we say.  Of the versions, 0.3.1 and 0.4.0 have "version" ("4", "6") in each of ips;
 * 1.0.0 has not; 1.1.0 has "mtu", "socketPath", "pciID" in interfaces and more in routes.
 */
#ifndef CNI_RESULT_H
#define CNI_RESULT_H

#include "cni/cni.h"

struct cni_ip {
	bool ipv6;
	uint8_t address[16];	/* IPv4: the first four */
	uint8_t prefix;
	bool has_gateway;
	uint8_t gateway[16];
};

struct cni_route {
	bool ipv6;
	uint8_t dst[16];
	uint8_t prefix;
	bool has_gateway;
	uint8_t gateway[16];
	const char *more;	/* one of the keys that 1.1.0 has for it besides; or NULL */
};

enum { CNI_IPS = 16, CNI_ROUTES = 128 };

struct cni_result {
	size_t ip_count, route_count;
	struct cni_ip ips[CNI_IPS];		/* of the interface CNI_IFNAME, or of none by what it says */
	struct cni_route routes[CNI_ROUTES];
	json_t *json;				/* as it came; a borrowed reference */
};

/*
 * Read a result of any version.  ips that belong to another interface (their "interface" is the
 * index of one whose name is not ifname or that has no sandbox) are left out.  Of routes, dst and gw are read,
 * and what else is asked for is noted.
 * CNI_DECODE where the result is none, CNI_CONFIG where it has more than we can hold.
 */
int result_read(struct cni_result *out, json_t *json, const char *ifname, struct bpfstamp_err *err);

/* The interfaces as the result of a standalone ADD lists them. */
struct cni_made {
	const char *host, *pod, *netns;		/* names, and the path of the namespace */
	uint8_t host_mac[6], pod_mac[6];
	uint32_t mtu;				/* 0: not told */
	json_t *dns;				/* of the configuration, goes before IPAM's; or NULL */
};

/*
 * The result of a standalone ADD: the two interfaces, and ips, routes and dns of IPAM's result (ipam: its JSON).
 * A new reference, NULL: no memory.
 */
json_t *result_make(enum cni_version version, const struct cni_made *made, const struct cni_result *ipam);

/* The result of a chained ADD: prevResult as it came, with the version.  A new reference, NULL: no memory. */
json_t *result_pass(enum cni_version version, json_t *prev);

#endif
