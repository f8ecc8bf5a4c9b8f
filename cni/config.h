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
 *	mtu, ipam  without prevResult: the veth pair that is made, and the plugin that gives it addresses
 *
 *	ATTACHMENT { program, object, dev, hook, direction, prio, handle, xdpMode, inline, set: { NAME: VALUE } }
 *	           dev: "host" (the default; the node's end of the pod's veth pair), "pod" (the pod's end), or,
 *	           below node, the name of an interface of the node
 *
 * vpc, what set holds, vni and vlan are texts with ${…} in them (values.h), numbers or booleans.
 * Other keys are the specification's, or an error; "did you mean" where one is near.
 */
#ifndef CNI_CONFIG_H
#define CNI_CONFIG_H

#include "cni/cni.h"

struct cni_attachment {
	const char *program;		/* NULL: the only one that fits */
	const char *object;
	const char *dev;
	struct bpfstamp_hook hook;	/* without dev */
	bool inlined;
	json_t *set;			/* an object, or NULL */
};

enum { CNI_ATTACHMENTS = 16 };

struct cni_config {
	const char *name;		/* of the network */
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
	uint32_t mtu;			/* 0: the kernel's choice */
	json_t *ipam;			/* or NULL */
	json_t *prev_result;		/* or NULL: standalone */
	json_t *valid;			/* cni.dev/valid-attachments: an array, or NULL */
};

/* Everything in *out is the request's.  ADD and CHECK want prevResult or ipam; GC wants valid. */
int config_read(struct cni_config *out, const struct cni_request *r, struct bpfstamp_err *err);

#endif
