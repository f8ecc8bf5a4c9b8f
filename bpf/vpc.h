/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Maps of vpc_vxlan.bpf.c and vpc_vlan.bpf.c, for them and for whoever fills
 * and reads them.  Both maps are pinned by name (LIBBPF_PIN_BY_NAME), so that
 * all programs of a node share them.
 *
 * vpc_pods, a hash from vpc_pod_key to vpc_pod: where each pod address is.  A
 * pod of this node has an ifindex; any other has a node (VXLAN) or just a MAC
 * address (VLAN).  A pod with several addresses has an entry for each.  The
 * programs only read it.
 *
 * vpc_stats, a hash per processor from vpc_stats_key to vpc_stats: what each
 * pod sent and was sent.  Programs make an entry with the first packet; whoever
 * removes the pod removes its entry.  What was dropped on its way in from the
 * network, before it was known to be for a pod, is counted for network 0 and
 * the interface where it came from: nobody outside can fill the map.
 *
 * A network is a VNI, or a VLAN id with one of the bits below, which VNIs do
 * not have: 802.1Q VLAN 100, 802.1ad VLAN 100 and VNI 100 are three networks.
 *
 * An address is IPv6 in network byte order; IPv4 a.b.c.d is ::ffff:a.b.c.d.
 * All other numbers are in the byte order of the machine.
 */
#ifndef BPF_VPC_H
#define BPF_VPC_H

#include <linux/types.h>

#define VPC_VLAN	0x01000000
#define VPC_VLAN_AD	0x02000000

struct vpc_pod_key {
	__u32 network;
	__be32 address[4];
};

struct vpc_pod {
	__u32 ifindex;		/* of the pod's interface on this node; 0: the pod is on another */
	__be32 node[4];		/* VXLAN: address of the other node */
	__u8 mac[6];		/* of the pod; VLAN: or whatever leads to its node */
	__u8 reserved[2];
};

struct vpc_stats_key {
	__u32 network;
	__u32 ifindex;
};

enum vpc_drop {
	VPC_PASS,		/* not dropped */
	VPC_DROP_TAGGED,	/* a VLAN tag where there may be none */
	VPC_DROP_PROTOCOL,	/* neither IPv4 nor IPv6, or cut short */
	VPC_DROP_NEIGHBOUR,	/* ARP or neighbour discovery that asks nothing, or whether an address is taken */
	VPC_DROP_MULTICAST,	/* multicast and broadcast, which are not carried */
	VPC_DROP_SOURCE,	/* not an address of that pod, or not of a pod of that node */
	VPC_DROP_UNKNOWN,	/* no such address in that network, or not where it was sent to */
	VPC_DROP_TUNNEL,	/* no tunnel key, or none could be set; no tag could be pushed or popped */
	VPC_DROPS
};

/* Bytes are those of the frames that the pod sees; a packet that is to be segmented later counts as one. */
struct vpc_stats {
	__u64 from_packets, from_bytes;		/* sent by the pod: also what was dropped, not what was answered */
	__u64 to_packets, to_bytes;		/* sent on to the pod */
	__u64 drops[VPC_DROPS];			/* by reason; drops[VPC_PASS] stays 0 */
};

#endif
