// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp pods: list what vpc_pods says of where pods are, add an entry, or
 * remove one.  For whoever knows the pods and has no CNI plugin of ours to tell
 * the programs.
 *
 * The map has indexes of interfaces, and people have names.  An index is looked
 * up in the namespace that --netns says, which has to be the one that the
 * programs are attached in: the map does not know.  An entry whose interface is
 * gone is listed by its index.
 *
 * A dry run looks, and says what would be refused.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/output.h"
#include "include/mac.h"

struct pods {
	const struct options *o;
	struct bpfstamp_vpc *vpc;
	struct bpfstamp_net *net;
	uint32_t ifindex;	/* of --dev, or 0 */
	json_t *array;		/* of a list; NULL: text */
};

static const uint8_t nowhere[16];

/* "" for none, which a pod on another node may have. */
static void mac_text(char out[MAC_TEXT], const uint8_t mac[6])
{
	*out = '\0';
	if (memcmp(mac, nowhere, 6) != 0)
		mac_print(out, mac);
}

/* Whether the interface of a pod is there; its name. */
static bool find_name(const struct pods *p, const struct bpfstamp_vpc_pod *pod, struct bpfstamp_device *out)
{
	struct bpfstamp_err ignored;

	return pod->ifindex && pod->ifindex <= INT32_MAX &&
	       !bpfstamp_net_device(p->net, NULL, (int)pod->ifindex, out, &ignored);
}

/* ---------------------------------------------------------------- output */

static void print_pod(const struct pods *p, const struct bpfstamp_vpc_pod *pod)
{
	char network[BPFSTAMP_VPC_NETWORK_TEXT], address[BPFSTAMP_VPC_ADDRESS_TEXT], mac[MAC_TEXT];
	struct bpfstamp_device dev;

	bpfstamp_vpc_network_text(network, pod->network);
	bpfstamp_vpc_address_text(address, pod->address);
	mac_text(mac, pod->mac);
	printf("network %s %s", network, address);
	if (*mac)
		printf(" mac %s", mac);
	if (find_name(p, pod, &dev)) {
		printf(" dev ");
		output_plain(stdout, dev.name);
	}
	if (pod->ifindex)
		printf(" ifindex %u", pod->ifindex);
	if (memcmp(pod->node, nowhere, sizeof(nowhere)) != 0) {
		bpfstamp_vpc_address_text(address, pod->node);
		printf(" node %s", address);
	}
	putchar('\n');
}

static json_t *pod_json(const struct pods *p, const struct bpfstamp_vpc_pod *pod)
{
	char network[BPFSTAMP_VPC_NETWORK_TEXT], address[BPFSTAMP_VPC_ADDRESS_TEXT], mac[MAC_TEXT];
	char node[BPFSTAMP_VPC_ADDRESS_TEXT];
	bool remote = memcmp(pod->node, nowhere, sizeof(nowhere)) != 0;
	struct bpfstamp_device dev;

	bpfstamp_vpc_network_text(network, pod->network);
	bpfstamp_vpc_address_text(address, pod->address);
	bpfstamp_vpc_address_text(node, pod->node);
	mac_text(mac, pod->mac);
	return json_pack("{s:s, s:s, s:s?, s:o, s:o, s:s?}", "network", network, "address", address,
			 "mac", *mac ? mac : NULL,
			 "dev", output_text(find_name(p, pod, &dev) ? dev.name : NULL),
			 "ifindex", pod->ifindex ? json_integer(pod->ifindex) : json_null(),
			 "node", remote ? node : NULL);
}

static int report(const struct pods *p, const char *done, const struct bpfstamp_vpc_pod *pod,
		  struct bpfstamp_err *err)
{
	bool dry = p->o->dry_run, add = p->o->pod.what == POD_ADD;

	if (p->o->json)
		return output_json(json_pack("{s:b, s:s, s:o}", "dry_run", (int)dry, "action", add ? "add" : "remove",
					     "pod", pod_json(p, pod)), err);
	if (dry)
		printf("would be ");
	printf("%s: ", done);
	print_pod(p, pod);
	return 0;
}

/* --------------------------------------------------------------- actions */

static int list_pod(const struct bpfstamp_vpc_pod *pod, void *arg)
{
	struct pods *p = arg;

	if ((p->o->pod.network && pod->network != p->o->pod.network) || (p->ifindex && pod->ifindex != p->ifindex))
		return 0;
	if (p->o->json)
		return json_array_append_new(p->array, pod_json(p, pod));
	print_pod(p, pod);
	return 0;
}

static int list(struct pods *p, struct bpfstamp_err *err)
{
	p->array = p->o->json ? json_array() : NULL;
	if (bpfstamp_vpc_pods(p->vpc, list_pod, p, err)) {
		json_decref(p->array);
		return err->code == ECANCELED ? bpfstamp_err_set(err, ENOMEM, "out of memory") : -1;
	}
	return p->o->json ? output_json(json_pack("{s:o}", "pods", p->array), err) : 0;
}

static int add(const struct pods *p, struct bpfstamp_err *err)
{
	enum bpfstamp_vpc_existing existing = p->o->hook.force ? BPFSTAMP_VPC_MOVE : BPFSTAMP_VPC_NEW;
	struct bpfstamp_vpc_pod pod = { .network = p->o->pod.network, .ifindex = p->ifindex };

	memcpy(pod.address, p->o->pod.address, sizeof(pod.address));
	memcpy(pod.node, p->o->pod.node, sizeof(pod.node));
	memcpy(pod.mac, p->o->pod.mac, sizeof(pod.mac));
	if (p->o->dry_run ? bpfstamp_vpc_add_check(p->vpc, &pod, existing, err) :
	    bpfstamp_vpc_add(p->vpc, &pod, existing, err))
		return -1;
	return report(p, "added", &pod, err);
}

static int remove_pod(const struct pods *p, struct bpfstamp_err *err)
{
	const struct pod_options *o = &p->o->pod;
	struct bpfstamp_vpc_pod pod;

	if (bpfstamp_vpc_find(p->vpc, o->network, o->address, &pod, err))
		return -1;
	if (p->ifindex && pod.ifindex != p->ifindex)
		return bpfstamp_err_set(err, ENOENT, "that address is of a pod that is not at %s: leave out --dev to "
					"remove it nevertheless", p->o->hook.dev);
	if (!p->o->dry_run && bpfstamp_vpc_remove(p->vpc, o->network, o->address, p->ifindex, err))
		return -1;
	return report(p, "removed", &pod, err);
}

static int act(struct pods *p, struct bpfstamp_err *err)
{
	struct bpfstamp_device dev = { .ifindex = 0 };

	if (p->o->hook.dev && bpfstamp_net_device(p->net, p->o->hook.dev, 0, &dev, err))
		return -1;
	p->ifindex = (uint32_t)dev.ifindex;
	if (p->o->pod.what == POD_ADD)
		return add(p, err);
	return p->o->pod.what == POD_REMOVE ? remove_pod(p, err) : list(p, err);
}

int cmd_pods(const struct options *o, struct bpfstamp_err *err)
{
	struct pods p = { .o = o };
	int ret = -1;

	if (!bpfstamp_net_open(&p.net, o->netns, err) && !bpfstamp_vpc_open(&p.vpc, o->pin_path, err))
		ret = act(&p, err);
	bpfstamp_vpc_close(p.vpc);
	bpfstamp_net_close(p.net);
	return ret;
}
