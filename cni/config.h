/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network configuration of this plugin, checked:
 *
 *	object     path of the object of all programs that name no other
 *	attach     [ATTACHMENT…] for each pod
 *	node       [ATTACHMENT…] that all pods share: attached where absent, never removed
 *	vxlan      { dev, port (4789), mtu }: a VXLAN device in external mode, made where absent
 *	vpcs, vpc  path of a table { NAME: { KEY: VALUE } }, and the name of this pod's row in it
 *	pods       { vni } or { vlan, ad }: the network under which the pod's addresses are put into the map vpc_pods
 *	pinPath    a bpffs (/sys/fs/bpf): maps that are pinned by name, and the plugin's state
 *	reuse      whether pods share programs that are equal (true)
 *	mtu, ipam  without prevResult: the veth pair that is made, and the plugin that gives it addresses
 *	dns        goes into the result of that ADD, before IPAM's
 *
 *	ATTACHMENT { program, object, dev, hook, direction, prio, handle, xdpMode, inline, set: { NAME: VALUE } }
 *	           dev: "host" (the default; the node's end of the pod's veth pair), "pod" (the pod's end), or,
 *	           below node, the name of an interface of the node
 *	           hook: "clsact" (the default), "tcx", "netkit", "xdp", "auto"; direction: "egress" (the default),
 *	           "ingress", of netkit "primary" (the default), "peer"; prio and handle (1): of clsact and auto,
 *	           which include/bpfstamp.h explains
 *
 * vpc, what set holds, vni and vlan are texts with ${…} in them (values.h), numbers or booleans.
 * Other keys are the specification's, or an error; "did you mean" where one is near.
 *
 * A network with ipam makes its pods' interfaces (standalone); one without it is chained after the plugin that
 * does.  So the configuration alone says which one it is, also to a DEL that is told nothing else.
 */
#ifndef CNI_CONFIG_H
#define CNI_CONFIG_H

#include "cni/cni.h"

struct cni_attachment {
	const char *program;		/* NULL: the only one that fits */
	const char *object;
	const char *dev;
	struct bpfstamp_hook hook;	/* without dev; pin_path is the configuration's */
	bool inlined;
	json_t *set;			/* an object, or NULL */
};

enum { CNI_ATTACHMENTS = 16 };

struct cni_config {
	const char *name;		/* of the network */
	const char *object;		/* of attachments that name no other, or NULL */
	struct cni_attachment attach[CNI_ATTACHMENTS], node[CNI_ATTACHMENTS];
	size_t attach_count, node_count;
	const char *vxlan;		/* its device, or NULL */
	uint16_t vxlan_port;
	uint32_t vxlan_mtu;		/* 0: the kernel's choice */
	const char *vpcs;		/* or NULL */
	json_t *vpc;			/* or NULL */
	json_t *vni, *vlan;		/* at most one; or NULL */
	bool vlan_ad;
	const char *pin_path;
	bool reuse;			/* equal programs are loaded once */
	uint32_t mtu;			/* 0: the kernel's choice */
	json_t *ipam;			/* with a type; or NULL: chained */
	json_t *dns;			/* or NULL */
	json_t *prev_result;		/* or NULL */
	json_t *valid;			/* cni.dev/valid-attachments: [{ containerID, ifname }…], or NULL */
};

/*
 * Everything in *out is the request's.  ADD wants either prevResult or ipam; CHECK wants prevResult, and GC
 * the valid attachments (null: there are none).  DEL and GC look at no more than name, pinPath and ipam, so that
 * a network whose configuration was spoilt meanwhile can still be taken down; all else is then as if not given.
 */
int config_read(struct cni_config *out, const struct cni_request *r, struct bpfstamp_err *err);

/* The network (include/bpfstamp_vpc.h) of a VNI, or a VLAN id where pods has one; CNI_CONFIG where it is none. */
int config_network(const struct cni_config *c, int64_t id, uint32_t *out, struct bpfstamp_err *err);

/* Below "attach" and "node". */
int config_attachments(struct cni_config *c, json_t *array, bool node, struct bpfstamp_err *err);

#endif
