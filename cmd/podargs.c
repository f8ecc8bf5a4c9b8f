// SPDX-License-Identifier: BSD-2-Clause
/*
 * The arguments of `bpfstamp pods`: networks, and addresses of pods, nodes and
 * interfaces.
 *
 * A network is written as the library writes it: the number of a VNI, vlan:ID
 * for 802.1Q and vlan-ad:ID for 802.1ad.  The ids 0 and 4095 are reserved, and a
 * VNI of 0 is none.  IPv4 a.b.c.d and ::ffff:a.b.c.d are the same address.
 * What no single machine can have (multicast, all zeroes) is refused here,
 * because the programs would never meet it.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/optargs.h"

enum { VNI_MAX = 0xffffff, VLAN_MAX = 4094 };

static bool parse_network(const char *text, uint32_t *out)
{
	uint32_t kind = 0, max = VNI_MAX;
	unsigned long id;

	if (!strncmp(text, "vlan:", 5)) {
		kind = BPFSTAMP_VPC_VLAN;
		text += 5;
	} else if (!strncmp(text, "vlan-ad:", 8)) {
		kind = BPFSTAMP_VPC_VLAN_AD;
		text += 8;
	}
	if (kind)
		max = VLAN_MAX;
	if (!*text || strlen(text) > 8 || text[strspn(text, "0123456789")])
		return false;
	id = strtoul(text, NULL, 10);
	if (id < 1 || id > max)
		return false;
	*out = kind | (uint32_t)id;
	return true;
}

static bool parse_address(const char *text, uint8_t out[16])
{
	static const uint8_t zeroes[16], ipv4_prefix[12] = { [10] = 0xff, [11] = 0xff };

	memcpy(out, ipv4_prefix, sizeof(ipv4_prefix));
	if (!inet_pton(AF_INET, text, out + 12) && !inet_pton(AF_INET6, text, out))
		return false;
	if (!memcmp(out, ipv4_prefix, sizeof(ipv4_prefix)))
		return memcmp(out + 12, zeroes, 4) && out[12] < 224;
	return memcmp(out, zeroes, sizeof(zeroes)) && out[0] != 0xff;
}

static bool parse_mac(const char *text, uint8_t out[6])
{
	static const char digits[] = "0123456789abcdefABCDEF:";
	unsigned int b[6], sum = 0;
	int end = 0;

	if (strlen(text) != 17 || text[strspn(text, digits)] ||
	    sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &end) != 6 ||
	    end != 17)
		return false;
	for (int i = 0; i < 6; i++) {
		out[i] = (uint8_t)b[i];
		sum |= b[i];
	}
	return sum && !(b[0] & 1);
}

bool podargs_take(struct pod_options *pod, enum option_id id, const char *arg)
{
	switch (id) {
	case OPT_NETWORK:
		return parse_network(arg, &pod->network);
	case OPT_ADD:
		pod->what = POD_ADD;
		return parse_address(arg, pod->address);
	case OPT_REMOVE:
		pod->what = POD_REMOVE;
		return parse_address(arg, pod->address);
	case OPT_MAC:
		return parse_mac(arg, pod->mac);
	case OPT_NODE:
		return parse_address(arg, pod->node);
	default:
		return false;
	}
}

const char *podargs_wanted(enum option_id id)
{
	switch (id) {
	case OPT_NETWORK:
		return "a VNI from 1 to 16777215, or vlan:ID or vlan-ad:ID with an id from 1 to 4094";
	case OPT_ADD:
	case OPT_REMOVE:
	case OPT_NODE:
		return "the IPv4 or IPv6 address of one machine";
	case OPT_MAC:
		return "the MAC address of one interface, such as 02:00:00:00:00:11";
	default:
		return NULL;
	}
}
