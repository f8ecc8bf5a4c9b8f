// SPDX-License-Identifier: BSD-2-Clause
/*
 * Entries of vpc_pods (include/bpfstamp_vpc.h): one for each address of a pod
 * under its network.
 *
 * An address belongs to one pod of a network.  Who has it is looked up twice:
 * before anything is changed, so that a configuration that is wrong changes
 * nothing, and by the kernel when the entry is made, because another ADD may run
 * at the same time.  An entry whose interface is gone is what is left of a pod
 * that nobody deleted, and is taken over.  So is one that the pod's own state
 * has.
 *
 * An entry is removed only while it is of the interface that the state says, by its
 * number, and that is the pod's still, or nobody's (pod.c).  Where the number is another pod's by
 * now, the MAC address decides: an entry that has the one of the state was put by this pod, and
 * not overwritten since; unless that other pod has the very same address, and the entry with it.
 *
 * To look and then to overwrite or remove are two calls, so whoever does that has
 * the folder of the pins locked (flock), and waits for that as for the lock of a pod: of
 * two that take an address over at once, the second sees the first.  An entry that is new
 * needs no lock; so what was not found under the lock may be there a moment later.
 *
 * The maps are made by the first program that uses them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cni/entries.h"
#include "cni/state.h"
#include "include/bpfstamp_vpc.h"
#include "include/mac.h"
#include "loader/err.h"

enum { TRIES = 8 };

static bool same_address(const struct kept_pod *a, const struct kept_pod *b)
{
	return a->network == b->network && !memcmp(a->address, b->address, sizeof(a->address));
}

static const struct kept_pod *find(const struct kept *k, const struct kept_pod *entry)
{
	for (size_t i = 0; i < k->pod_count; i++)
		if (same_address(&k->pods[i], entry))
			return &k->pods[i];
	return NULL;
}

/* ---------------------------------------------------------------- choose */

static void map_address(uint8_t out[16], const struct cni_ip *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (ip->ipv6) {
		memcpy(out, ip->address, 16);
		return;
	}
	memcpy(out, mapped, sizeof(mapped));
	memcpy(out + sizeof(mapped), ip->address, 4);
}

static void print_address(char text[INET6_ADDRSTRLEN], const uint8_t address[16])
{
	bool ipv4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)address);

	inet_ntop(ipv4 ? AF_INET : AF_INET6, ipv4 ? address + 12 : address, text, INET6_ADDRSTRLEN);
}

static void name_network(char text[32], uint32_t network)
{
	uint32_t bits = network & (BPFSTAMP_VPC_VLAN | BPFSTAMP_VPC_VLAN_AD);

	snprintf(text, 32, "%s %u", !bits ? "VNI" : bits == BPFSTAMP_VPC_VLAN ? "VLAN" : "802.1ad VLAN",
		 network & ~bits);
}

/* Who has an address; "" where it is a pod that is no more. */
static int find_owner(const struct bpfstamp_vpc_pod *there, const struct pod *pod, char owner[128],
		      struct bpfstamp_err *err)
{
	static const uint8_t none[16];
	char node[INET6_ADDRSTRLEN], mac[MAC_TEXT];
	struct link_info link;

	if (!there->ifindex) {
		print_address(node, there->node);
		mac_print(mac, there->mac);
		if (memcmp(there->node, none, sizeof(none)) != 0)
			snprintf(owner, 128, "a pod on node %s", node);
		else
			snprintf(owner, 128, "a pod on another node, of MAC %s", mac);
		return 0;
	}
	*owner = '\0';
	if (link_find(pod_node(pod), (int)there->ifindex, NULL, &link, err))
		return err->code == ENODEV ? 0 : -1;
	snprintf(owner, 128, "the pod at %s (index %u)%s", link.name, there->ifindex,
		 pod_leads_to(pod, &link, there->mac) ? "" : ", or one before it that was not deleted,");
	return 0;
}

/* Whether the entry may be the pod's: CNI_TAKEN where somebody else has it.  *found: there is one. */
static int judge(struct bpfstamp_vpc *vpc, const struct kept_pod *entry, const struct kept *old,
		 const struct pod *pod, bool *found, struct bpfstamp_err *err)
{
	const struct kept_pod *before = find(old, entry);
	char owner[128], address[INET6_ADDRSTRLEN], network[32];
	struct bpfstamp_vpc_pod there;

	*found = !bpfstamp_vpc_find(vpc, entry->network, entry->address, &there, err);
	if (!*found)
		return err->code == ENOENT ? 0 : -1;
	if (there.ifindex == entry->ifindex || (before && there.ifindex && before->ifindex == there.ifindex))
		return 0;
	if (find_owner(&there, pod, owner, err))
		return -1;
	if (!*owner)
		return 0;
	print_address(address, entry->address);
	name_network(network, entry->network);
	return err_set(err, CNI_ERROR + CNI_TAKEN, "%s of %s is taken: %s has it", address, network, owner);
}

/* Before anything is changed.  Where there is no map yet, nobody has an address. */
static int judge_all(const struct kept *k, size_t count, const struct kept *old, const struct values *v,
		     const struct pod *pod, struct bpfstamp_err *err)
{
	struct bpfstamp_vpc *vpc;
	bool found;
	int ret = 0;

	if (!count)
		return 0;
	if (bpfstamp_vpc_open(&vpc, v->config->pin_path, err))
		return err->code == ENOENT ? 0 : -1;
	for (size_t i = 0; !ret && i < count; i++)
		ret = judge(vpc, &k->pods[i], old, pod, &found, err);
	bpfstamp_vpc_close(vpc);
	return ret;
}

int entries_choose(struct kept *k, const struct kept *old, const struct values *v, const struct pod *pod,
		   size_t *count, struct bpfstamp_err *err)
{
	uint32_t network;

	k->pod_count = 0;
	if (v->config->vni || v->config->vlan) {
		if (values_network(v, &network, err))
			return -1;
		if (!v->result->ip_count)
			return err_set(err, CNI_ERROR + CNI_CONFIG, "pods: the pod has no address");
		for (; k->pod_count < v->result->ip_count; k->pod_count++) {
			struct kept_pod *entry = &k->pods[k->pod_count];

			entry->network = network;
			entry->ifindex = (uint32_t)pod->host.ifindex;
			memcpy(entry->mac, pod->end.mac, sizeof(entry->mac));
			map_address(entry->address, &v->result->ips[k->pod_count]);
		}
	}
	*count = k->pod_count;
	if (judge_all(k, *count, old, v, pod, err))
		return -1;
	for (size_t i = 0; i < old->pod_count; i++) {
		const struct kept_pod *same = find(k, &old->pods[i]);

		if (same && same->ifindex == old->pods[i].ifindex)
			continue;
		if (k->pod_count == KEPT_PODS)
			return err_set(err, E2BIG, "too many addresses are left of earlier ADDs of this pod: DEL it "
				       "first");
		k->pods[k->pod_count++] = old->pods[i];
	}
	return 0;
}

/* ------------------------------------------------------------------- put */

/* To be closed; -1. */
static int lock(const char *pin_path, struct bpfstamp_err *err)
{
	int fd = open(pin_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, errno, "cannot lock %s: %s", pin_path, strerror(errno));
	if (!state_flock(fd, pin_path, state_patience(), err))
		return fd;
	close(fd);
	return -1;
}

/*
 * With the lock: what was found stays, because who removes or overwrites has the lock, too; what was not may be made
 * by another ADD before we have made it, and is then looked at.
 */
static int take_over(struct bpfstamp_vpc *vpc, const struct kept_pod *entry, const struct bpfstamp_vpc_pod *new,
		     const struct kept *old, const struct pod *pod, struct bpfstamp_err *err)
{
	bool found;

	for (int tries = 0; tries < TRIES; tries++) {
		if (judge(vpc, entry, old, pod, &found, err))
			return -1;
		if (found)
			return bpfstamp_vpc_add(vpc, new, BPFSTAMP_VPC_MOVE, err);
		if (!bpfstamp_vpc_add(vpc, new, BPFSTAMP_VPC_NEW, err))
			return 0;
		if (err->code != EEXIST)
			return -1;
	}
	return err_set(err, CNI_ERROR + CNI_TRY_AGAIN, "somebody keeps adding and removing the pod's address in vpc_pods");
}

static int put(struct bpfstamp_vpc *vpc, const struct kept_pod *entry, const struct kept *old, const struct values *v,
	       const struct pod *pod, struct bpfstamp_err *err)
{
	struct bpfstamp_vpc_pod new = { .network = entry->network, .ifindex = entry->ifindex };
	int ret, locked;

	memcpy(new.address, entry->address, sizeof(new.address));
	memcpy(new.mac, entry->mac, sizeof(new.mac));
	if (!bpfstamp_vpc_add(vpc, &new, BPFSTAMP_VPC_NEW, err))
		return 0;
	if (err->code != EEXIST)
		return -1;
	locked = lock(v->config->pin_path, err);
	if (locked < 0)
		return -1;
	ret = take_over(vpc, entry, &new, old, pod, err);
	close(locked);
	return ret;
}

int entries_put(const struct kept *k, size_t count, const struct kept *old, const struct values *v,
		const struct pod *pod, struct bpfstamp_err *err)
{
	struct bpfstamp_vpc *vpc;
	int ret = 0;

	if (!count)
		return 0;
	if (bpfstamp_vpc_open(&vpc, v->config->pin_path, err)) {
		if (err->code != ENOENT)
			return -1;
		return err_set(err, CNI_ERROR + CNI_CONFIG, "pods: none of the programs has the map vpc_pods");
	}
	for (size_t i = 0; !ret && i < count; i++)
		ret = put(vpc, &k->pods[i], old, v, pod, err);
	bpfstamp_vpc_close(vpc);
	return ret;
}

/* ---------------------------------------------------------------- remove */

struct removal {
	struct bpfstamp_vpc *vpc;
	const struct kept *k;
	size_t first;
	const struct pod *pod;
};

typedef int remove_fn(const struct removal *r, const struct kept_pod *entry, struct bpfstamp_err *err);

/* Call fn with each from first on; where there are no maps, there is nothing to remove. */
static int remove_each(struct removal r, const char *pin_path, remove_fn *fn, struct bpfstamp_err *err)
{
	int ret = 0;

	if (r.first >= r.k->pod_count)
		return 0;
	if (bpfstamp_vpc_open(&r.vpc, pin_path, err))
		return err->code == ENOENT ? 0 : -1;
	for (size_t i = r.first; !ret && i < r.k->pod_count; i++)
		ret = fn(&r, &r.k->pods[i], err);
	bpfstamp_vpc_close(r.vpc);
	return ret;
}

/* Whether this pod put the entry that is there. */
static int is_put_by_us(const struct removal *r, const struct kept_pod *entry, const struct bpfstamp_vpc_pod *there,
			bool *ours, struct bpfstamp_err *err)
{
	enum pod_whose whose;
	struct link_info host;

	*ours = false;
	if (there->ifindex != entry->ifindex)
		return 0;
	if (pod_find_left(r->pod, r->k, (int)entry->ifindex, &host, &whose, err))
		return -1;
	*ours = whose != POD_ANOTHERS || (!memcmp(there->mac, entry->mac, sizeof(entry->mac)) &&
					  !pod_leads_to(r->pod, &host, entry->mac));
	return 0;
}

static int remove_entry(const struct removal *r, const struct kept_pod *entry, struct bpfstamp_err *err)
{
	struct bpfstamp_vpc_pod there;
	bool ours;

	if (bpfstamp_vpc_find(r->vpc, entry->network, entry->address, &there, err))
		return err->code == ENOENT ? 0 : -1;
	if (is_put_by_us(r, entry, &there, &ours, err))
		return -1;
	if (!ours || !bpfstamp_vpc_remove(r->vpc, entry->network, entry->address, entry->ifindex, err))
		return 0;
	return err->code == ENOENT ? 0 : -1;
}

/* What is counted is the interface's in a network: with another address the pod may still be the same. */
static int remove_stats(const struct removal *r, const struct kept_pod *entry, struct bpfstamp_err *err)
{
	for (size_t i = 0; i < r->first; i++)
		if (r->k->pods[i].network == entry->network && r->k->pods[i].ifindex == entry->ifindex)
			return 0;
	return bpfstamp_vpc_stats_remove(r->vpc, entry->network, entry->ifindex, err);
}

int entries_remove(const struct kept *k, size_t first, const struct pod *pod, const char *pin_path,
		   struct bpfstamp_err *err)
{
	int locked, ret;

	if (first >= k->pod_count)
		return 0;
	locked = lock(pin_path, err);
	if (locked < 0)
		return err->code == ENOENT ? 0 : -1;
	ret = remove_each((struct removal){ .k = k, .first = first, .pod = pod }, pin_path, remove_entry, err);
	close(locked);
	return ret;
}

int entries_remove_stats(const struct kept *k, size_t first, const char *pin_path, struct bpfstamp_err *err)
{
	return remove_each((struct removal){ .k = k, .first = first }, pin_path, remove_stats, err);
}

/* ----------------------------------------------------------------- check */

static int check(struct bpfstamp_vpc *vpc, const struct kept_pod *entry, const uint8_t mac[6],
		 struct bpfstamp_err *err)
{
	char address[INET6_ADDRSTRLEN], network[32];
	struct bpfstamp_vpc_pod there;

	print_address(address, entry->address);
	name_network(network, entry->network);
	if (bpfstamp_vpc_find(vpc, entry->network, entry->address, &there, err))
		return err_wrap(err, "%s of %s is not in vpc_pods any more", address, network);
	if (there.ifindex != entry->ifindex)
		return err_set(err, ESTALE, "%s of %s is at interface %u in vpc_pods, not at %u", address, network,
			       there.ifindex, entry->ifindex);
	if (memcmp(there.mac, mac, sizeof(there.mac)) != 0)
		return err_set(err, ESTALE, "%s of %s has another MAC address in vpc_pods than the pod: ADD again",
			       address, network);
	return 0;
}

int entries_check(const struct kept *k, const struct values *v, struct bpfstamp_err *err)
{
	struct bpfstamp_vpc *vpc;
	int ret = 0;

	if (!k->pod_count)
		return 0;
	if (bpfstamp_vpc_open(&vpc, v->config->pin_path, err))
		return err_wrap(err, "vpc_pods");
	for (size_t i = 0; !ret && i < k->pod_count; i++)
		ret = check(vpc, &k->pods[i], v->pod_mac, err);
	bpfstamp_vpc_close(vpc);
	return ret;
}
