// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 5.10 (bpf_redirect_peer) */
/*
 * Pods of many nodes in many networks, each with all IPv4 and IPv6 addresses to
 * itself, carried by VXLAN.
 *
 *     bpfstamp attach vpc_vxlan.bpf.o --prog from_pod --direction ingress --dev VETH
 *             --set vni=100 --set vxlan_ifindex=7
 *     bpfstamp attach vpc_vxlan.bpf.o --prog from_vxlan --direction ingress --dev VXLAN
 *
 * from_pod stands where the node receives what a pod sends, and from_vxlan where
 * it receives what comes out of its one VXLAN device, which is made by `ip link
 * add VXLAN type vxlan external dstport 4789`.  The maps of vpc.h tell where the
 * pods are.  The MTU of a pod is 50 bytes below that of what carries IPv4
 * between the nodes, or 70 where they speak IPv6; larger packets are not
 * fragmented, but dropped by the kernel.
 *
 * A packet's network is the VNI stamped into from_pod, or the one of the tunnel.
 * Nothing that a pod writes into a packet takes part in that, and each address
 * is looked up within the network, so that no packet gets from one to another.
 * A pod may send only from the addresses that vpc_pods has at its interface, or,
 * where pod_ipv4 or pod_ipv6 is stamped, from that one.  What a node sends must
 * come from an address that vpc_pods has at that node: another machine that sends
 * VXLAN cannot speak for a pod unless it can forge the node's own address.
 *
 * node_ipv4 and node_ipv6 are the addresses that this node sends from; kernels
 * older than 6.0 do not heed them, and let the route choose, as zero does.
 */
#include "vpc_neighbour.h"

const volatile __be32 node_ipv6[4];
const volatile __be32 pod_ipv6[4];

static inline bool may_send(struct __sk_buff *skb, __u32 vni, const __be32 source[4])
{
	__be32 ipv6[4] = { pod_ipv6[0], pod_ipv6[1], pod_ipv6[2], pod_ipv6[3] };
	__be32 ipv4 = STAMP(__be32, pod_ipv4, 0);
	struct vpc_pod *pod;

	if (vpc_is_ipv4(source)) {
		if (ipv4)
			return source[3] == ipv4;
	} else if (ipv6[0] || ipv6[1] || ipv6[2] || ipv6[3]) {
		return vpc_same(source, ipv6);
	}
	pod = vpc_find(vni, source);
	return pod && pod->ifindex == skb->ifindex;
}

static inline bool set_tunnel(struct __sk_buff *skb, __u32 vni, const struct vpc_pod *pod)
{
	struct bpf_tunnel_key key = { .tunnel_id = vni, .tunnel_ttl = 64 };
	__u64 flags;

	if (vpc_is_ipv4(pod->node)) {
		flags = BPF_F_ZERO_CSUM_TX | BPF_F_DONT_FRAGMENT;
		key.remote_ipv4 = bpf_ntohl(pod->node[3]);
		key.local_ipv4 = bpf_ntohl(STAMP(__be32, node_ipv4, 0));
	} else {
		flags = BPF_F_TUNINFO_IPV6;
		__builtin_memcpy(key.remote_ipv6, pod->node, sizeof(key.remote_ipv6));
		for (int i = 0; i < 4; i++)
			key.local_ipv6[i] = node_ipv6[i];
	}
	return !bpf_skb_set_tunnel_key(skb, &key, sizeof(key), flags) ||
	       !bpf_skb_set_tunnel_key(skb, &key, offsetof(struct bpf_tunnel_key, local_ipv4), flags);
}

SEC("tc")
int from_pod(struct __sk_buff *skb)
{
	__u32 vni = STAMP_BITS(__u32, vni, 24, 0);
	struct vpc_packet packet = { 0 };
	enum vpc_drop reason;
	struct vpc_pod *to;

	if (skb->protocol == bpf_htons(ETH_P_ARP) && !skb->vlan_present)
		return vpc_answer_arp(skb, vni);
	reason = vpc_read(skb, &packet);
	if (packet.solicits)
		return vpc_answer_solicitation(skb, vni);
	vpc_count_from(skb, vni);
	if (!reason && !may_send(skb, vni, packet.source))
		reason = VPC_DROP_SOURCE;
	if (reason)
		return vpc_drop(vni, skb->ifindex, reason);
	to = vpc_find(vni, packet.destination);
	if (!to)
		return vpc_drop(vni, skb->ifindex, VPC_DROP_UNKNOWN);
	if (to->ifindex)
		return vpc_deliver(skb, vni, to);
	if (!set_tunnel(skb, vni, to))
		return vpc_drop(vni, skb->ifindex, VPC_DROP_TUNNEL);
	return (int)bpf_redirect(STAMP(__u32, vxlan_ifindex, 0), 0);
}

/* The VNI, and the address of the node that sent it. */
static inline bool get_tunnel(struct __sk_buff *skb, __u32 *vni, __be32 node[4])
{
	struct bpf_tunnel_key key = { 0 };
	__u32 size = offsetof(struct bpf_tunnel_key, local_ipv4);

	if (!bpf_skb_get_tunnel_key(skb, &key, size, 0))
		vpc_set_ipv4(node, bpf_htonl(key.remote_ipv4));
	else if (!bpf_skb_get_tunnel_key(skb, &key, size, BPF_F_TUNINFO_IPV6))
		__builtin_memcpy(node, key.remote_ipv6, sizeof(key.remote_ipv6));
	else
		return false;
	*vni = key.tunnel_id;
	return true;
}

SEC("tc")
int from_vxlan(struct __sk_buff *skb)
{
	struct vpc_packet packet = { 0 };
	__be32 node[4] = { 0 };
	enum vpc_drop reason;
	struct vpc_pod *pod;
	__u32 vni = 0;

	if (!get_tunnel(skb, &vni, node))
		return vpc_drop(0, skb->ifindex, VPC_DROP_TUNNEL);
	reason = vpc_read(skb, &packet);
	if (reason)
		return vpc_drop(0, skb->ifindex, reason);
	pod = vpc_find(vni, packet.source);
	if (!pod || pod->ifindex || !vpc_same(pod->node, node))
		return vpc_drop(0, skb->ifindex, VPC_DROP_SOURCE);
	pod = vpc_find(vni, packet.destination);
	if (!pod || !pod->ifindex)
		return vpc_drop(0, skb->ifindex, VPC_DROP_UNKNOWN);
	return vpc_deliver(skb, vni, pod);
}

char _license[] SEC("license") = "Dual BSD/GPL";
