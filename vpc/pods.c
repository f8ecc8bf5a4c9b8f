// SPDX-License-Identifier: BSD-2-Clause
/*
 * vpc_pods: which address of which network is where.
 *
 * An entry is made in one step that fails if there is one (BPF_NOEXIST), so that of
 * two pods that are given the same address only one gets it, whoever asks at
 * the same time.  The other is told who has it.  The same entry once more is no
 * error, because whoever fills the map may have to begin again after a crash.
 *
 * To remove an entry only if it is still the same is nothing that a hash can do:
 * it is looked at first.
 *
 * An entry that is overwritten is put anew at the front of its bucket, and then the old
 * one is taken out; who has passed the front by then, and is not yet at the old one,
 * finds neither (kernel/bpf/hashtab.c).  So what is not found is looked for again.
 *
 * What the programs could not use is refused: a network that is none, and a pod
 * that is in two places, or in none, as is one of a VLAN that has no MAC address.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "include/mac.h"
#include "loader/err.h"
#include "loader/sys.h"
#include "vpc/vpc.h"

enum { VNI_MAX = 0xffffff, VLAN_MAX = 4094, TRIES = 8, ADDRESS_TEXT = BPFSTAMP_VPC_ADDRESS_TEXT,
       NETWORK_TEXT = BPFSTAMP_VPC_NETWORK_TEXT };

_Static_assert(BPFSTAMP_VPC_VLAN == VPC_VLAN && BPFSTAMP_VPC_VLAN_AD == VPC_VLAN_AD, "as the programs have them");

static const uint8_t ipv4_prefix[12] = { [10] = 0xff, [11] = 0xff };
static const uint8_t nowhere[16];

/* ------------------------------------------------------------------ texts */

void bpfstamp_vpc_address_text(char out[ADDRESS_TEXT], const uint8_t address[16])
{
	if (!memcmp(address, ipv4_prefix, sizeof(ipv4_prefix)))
		inet_ntop(AF_INET, address + 12, out, ADDRESS_TEXT);
	else
		inet_ntop(AF_INET6, address, out, ADDRESS_TEXT);
}

void bpfstamp_vpc_network_text(char out[NETWORK_TEXT], uint32_t network)
{
	uint32_t bits = network & ~(uint32_t)VNI_MAX;

	if (bits == BPFSTAMP_VPC_VLAN)
		snprintf(out, NETWORK_TEXT, "vlan:%u", network & VNI_MAX);
	else if (bits == BPFSTAMP_VPC_VLAN_AD)
		snprintf(out, NETWORK_TEXT, "vlan-ad:%u", network & VNI_MAX);
	else
		snprintf(out, NETWORK_TEXT, "%u", network);
}

/* The entry of that address, as errors call it. */
struct named {
	char address[ADDRESS_TEXT], network[NETWORK_TEXT];
};

static struct named name_of(uint32_t network, const uint8_t address[16])
{
	struct named n;

	bpfstamp_vpc_address_text(n.address, address);
	bpfstamp_vpc_network_text(n.network, network);
	return n;
}

/* ---------------------------------------------------------------- entries */

static struct vpc_pod_key key_of(uint32_t network, const uint8_t address[16])
{
	struct vpc_pod_key key = { .network = network };

	memcpy(key.address, address, sizeof(key.address));
	return key;
}

static struct vpc_pod value_of(const struct bpfstamp_vpc_pod *pod)
{
	struct vpc_pod value = { .ifindex = pod->ifindex };

	memcpy(value.node, pod->node, sizeof(value.node));
	memcpy(value.mac, pod->mac, sizeof(value.mac));
	return value;
}

static struct bpfstamp_vpc_pod pod_of(const struct vpc_pod_key *key, const struct vpc_pod *value)
{
	struct bpfstamp_vpc_pod pod = { .network = key->network, .ifindex = value->ifindex };

	memcpy(pod.address, key->address, sizeof(pod.address));
	memcpy(pod.node, value->node, sizeof(pod.node));
	memcpy(pod.mac, value->mac, sizeof(pod.mac));
	return pod;
}

static int check_pod(const struct bpfstamp_vpc_pod *pod, struct bpfstamp_err *err)
{
	uint32_t id = pod->network & VNI_MAX, bits = pod->network & ~(uint32_t)VNI_MAX;
	bool remote = memcmp(pod->node, nowhere, sizeof(nowhere)) != 0;
	struct named n = name_of(pod->network, pod->address);

	if (!id || (bits && ((bits != BPFSTAMP_VPC_VLAN && bits != BPFSTAMP_VPC_VLAN_AD) || id > VLAN_MAX)))
		return err_set(err, EINVAL, "cannot add %s: there is no network %s: a VNI is 1 to %u, a VLAN id 1 to "
			       "%u", n.address, n.network, VNI_MAX, VLAN_MAX);
	if (pod->ifindex && remote)
		return err_set(err, EINVAL, "cannot add %s to network %s: a pod is at an interface of this node or "
			       "on another node, not both", n.address, n.network);
	if (bits && remote)
		return err_set(err, EINVAL, "cannot add %s to network %s: a VLAN finds other nodes by MAC address, "
			       "and takes no address of a node", n.address, n.network);
	if (bits && (!memcmp(pod->mac, nowhere, sizeof(pod->mac)) || pod->mac[0] & 1))
		return err_set(err, EINVAL, "cannot add %s to network %s: a VLAN carries frames between MAC "
			       "addresses, and this pod has none that is one interface's", n.address, n.network);
	if (!bits && !pod->ifindex && !remote)
		return err_set(err, EINVAL, "cannot add %s to network %s: give the interface of the pod, or the "
			       "address of its node", n.address, n.network);
	return 0;
}

/* ------------------------------------------------------------------- add */

static int is_taken(const struct named *n, const struct vpc_pod *by, struct bpfstamp_err *err)
{
	char where[ADDRESS_TEXT + 16] = "elsewhere", mac[MAC_TEXT], has_mac[48] = "";
	uint8_t node[16];

	memcpy(node, by->node, sizeof(node));
	if (by->ifindex) {
		snprintf(where, sizeof(where), "at interface %u", by->ifindex);
	} else if (memcmp(node, nowhere, sizeof(node)) != 0) {
		strcpy(where, "on node ");
		bpfstamp_vpc_address_text(where + strlen(where), node);
	}
	mac_print(mac, by->mac);
	if (memcmp(by->mac, nowhere, sizeof(by->mac)) != 0)
		snprintf(has_mac, sizeof(has_mac), " with MAC address %s", mac);
	return err_set(err, EEXIST, "%s of network %s is taken: by the pod %s%s; remove that first, or overwrite it",
		       n->address, n->network, where, has_mac);
}

static int add_failed(const struct bpfstamp_vpc *vpc, const struct named *n, struct bpfstamp_err *err)
{
	int code = errno;
	char doing[128];

	if (code == E2BIG || code == ENOSPC)
		return err_set(err, code, "cannot add %s to network %s: vpc_pods is full (%u entries)", n->address,
			       n->network, vpc->pods.room);
	snprintf(doing, sizeof(doing), "add %s to network %s", n->address, n->network);
	errno = code;
	return vpc_failed(doing, err);
}

static int look(const struct bpfstamp_vpc *vpc, const struct vpc_pod_key *key, struct vpc_pod *value)
{
	int tries = 0;

	while (sys_map_lookup(vpc->pods.fd, key, value))
		if (errno != ENOENT || ++tries == TRIES)
			return -1;
	return 0;
}

/* Where somebody else has just removed the entry that was in the way, it is tried again. */
static int add_new(const struct bpfstamp_vpc *vpc, const struct vpc_pod_key *key, const struct vpc_pod *value,
		   const struct named *n, struct bpfstamp_err *err)
{
	struct vpc_pod there;

	for (int tries = 0; tries < TRIES; tries++) {
		if (!sys_map_insert(vpc->pods.fd, key, value))
			return 0;
		if (errno != EEXIST)
			break;
		if (!look(vpc, key, &there))
			return memcmp(&there, value, sizeof(there)) ? is_taken(n, &there, err) : 0;
		if (errno != ENOENT)
			break;
	}
	return add_failed(vpc, n, err);
}

int bpfstamp_vpc_add(struct bpfstamp_vpc *vpc, const struct bpfstamp_vpc_pod *pod,
		     enum bpfstamp_vpc_existing existing, struct bpfstamp_err *err)
{
	struct vpc_pod_key key = key_of(pod->network, pod->address);
	struct named n = name_of(pod->network, pod->address);
	struct vpc_pod value = value_of(pod);

	if (check_pod(pod, err))
		return -1;
	if (existing == BPFSTAMP_VPC_NEW)
		return add_new(vpc, &key, &value, &n, err);
	return sys_map_update(vpc->pods.fd, &key, &value) ? add_failed(vpc, &n, err) : 0;
}

int bpfstamp_vpc_add_check(struct bpfstamp_vpc *vpc, const struct bpfstamp_vpc_pod *pod,
			   enum bpfstamp_vpc_existing existing, struct bpfstamp_err *err)
{
	struct vpc_pod_key key = key_of(pod->network, pod->address);
	struct named n = name_of(pod->network, pod->address);
	struct vpc_pod value = value_of(pod), there;

	if (check_pod(pod, err))
		return -1;
	if (look(vpc, &key, &there))
		return errno == ENOENT ? 0 : vpc_failed("look into vpc_pods", err);
	return existing == BPFSTAMP_VPC_NEW && memcmp(&there, &value, sizeof(there)) ? is_taken(&n, &there, err) : 0;
}

/* ---------------------------------------------------------- find, remove */

static int there_is_none(const struct named *n, struct bpfstamp_err *err)
{
	return err_set(err, ENOENT, "there is no pod %s in network %s", n->address, n->network);
}

int bpfstamp_vpc_find(struct bpfstamp_vpc *vpc, uint32_t network, const uint8_t address[16],
		      struct bpfstamp_vpc_pod *out, struct bpfstamp_err *err)
{
	struct vpc_pod_key key = key_of(network, address);
	struct named n = name_of(network, address);
	struct vpc_pod value;

	if (look(vpc, &key, &value))
		return errno == ENOENT ? there_is_none(&n, err) : vpc_failed("look into vpc_pods", err);
	*out = pod_of(&key, &value);
	return 0;
}

int bpfstamp_vpc_remove(struct bpfstamp_vpc *vpc, uint32_t network, const uint8_t address[16], uint32_t ifindex,
			struct bpfstamp_err *err)
{
	struct vpc_pod_key key = key_of(network, address);
	struct named n = name_of(network, address);
	struct bpfstamp_vpc_pod there;

	if (ifindex && bpfstamp_vpc_find(vpc, network, address, &there, err))
		return -1;
	if (ifindex && there.ifindex != ifindex)
		return err_set(err, ENOENT, "there is no pod %s in network %s at interface %u: it is another pod's "
			       "by now", n.address, n.network, ifindex);
	if (!sys_map_delete(vpc->pods.fd, &key))
		return 0;
	return errno == ENOENT ? there_is_none(&n, err) : vpc_failed("remove from vpc_pods", err);
}

/* ------------------------------------------------------------------- list */

static int compare_keys(const void *one, const void *other)
{
	const struct vpc_pod_key *a = one, *b = other;

	if (a->network != b->network)
		return a->network < b->network ? -1 : 1;
	return memcmp(a->address, b->address, sizeof(a->address));
}

/* What was removed since it was listed is passed over. */
static int call(const struct bpfstamp_vpc *vpc, const struct vpc_pod_key *key, bpfstamp_vpc_pod_fn *fn, void *arg,
		struct bpfstamp_err *err)
{
	struct bpfstamp_vpc_pod pod;
	struct vpc_pod value;

	if (look(vpc, key, &value))
		return errno == ENOENT ? 0 : vpc_failed("read vpc_pods", err);
	pod = pod_of(key, &value);
	return fn(&pod, arg) ? err_set(err, ECANCELED, "stopped by the caller") : 0;
}

int bpfstamp_vpc_pods(struct bpfstamp_vpc *vpc, bpfstamp_vpc_pod_fn *fn, void *arg, struct bpfstamp_err *err)
{
	void *keys;
	size_t count;
	int ret = 0;

	if (vpc_keys(&vpc->pods, compare_keys, &keys, &count, err))
		return -1;
	for (size_t i = 0; i < count && !ret; i++)
		ret = call(vpc, (const struct vpc_pod_key *)keys + i, fn, arg, err);
	free(keys);
	return ret;
}
