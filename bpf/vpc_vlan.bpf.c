// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 5.10 (bpf_redirect_peer) */
/*
 * Pods of many nodes in many networks, each a VLAN of the switches between the
 * nodes.
 *
 *     bpfstamp attach vpc_vlan.bpf.o --prog to_uplink --direction ingress --dev VETH
 *             --set vlan=100 --set uplink_ifindex=2
 *     bpfstamp attach vpc_vlan.bpf.o --prog from_uplink --direction ingress --dev UPLINK
 *
 * to_uplink stands where the node receives what a pod sends, and from_uplink
 * where it receives what comes from the switch.  The maps of vpc.h tell where
 * the pods are; their networks are VPC_VLAN, or with vlan_ad=1 VPC_VLAN_AD,
 * and the VLAN id.
 *
 * A frame leaves with the tag that was stamped, from the pod's MAC address, to
 * the one that vpc_pods has for its destination: the pod's own (the other node
 * has to let its uplink receive that: promiscuous, or by `bridge fdb add`) or
 * the one of the other node's uplink.  A pod that sends a tag of its own is not
 * heard.  It may send only from the addresses that vpc_pods has at its interface.
 *
 * Frames that come without a tag, or with one that only tells a priority, are
 * the node's, and from_uplink leaves them to the programs behind it, if there
 * are any.  All others are for a pod of that VLAN on this node, or dropped.  What
 * claims to come from a pod of this node is dropped, too; who else may speak in a
 * VLAN is for the switches to say.
 */
#include "vpc_neighbour.h"

#define VLAN_ID 0x0fff

SEC("tc")
int to_uplink(struct __sk_buff *skb)
{
	bool ad = STAMP(bool, vlan_ad, 0);
	__u16 vlan = STAMP_BITS(__u16, vlan, 12, 0);
	__u32 network = (ad ? VPC_VLAN_AD : VPC_VLAN) | vlan;
	struct vpc_packet packet = { 0 };
	struct vpc_pod *from, *to;
	enum vpc_drop reason;
	struct vpc_macs macs;

	if (skb->protocol == bpf_htons(ETH_P_ARP) && !skb->vlan_present)
		return vpc_answer_arp(skb, network);
	reason = vpc_read(skb, &packet);
	if (packet.solicits)
		return vpc_answer_solicitation(skb, network);
	vpc_count_from(skb, network);
	if (reason)
		return vpc_drop(network, skb->ifindex, reason);
	from = vpc_find(network, packet.source);
	if (!from || from->ifindex != skb->ifindex)
		return vpc_drop(network, skb->ifindex, VPC_DROP_SOURCE);
	to = vpc_find(network, packet.destination);
	if (!to)
		return vpc_drop(network, skb->ifindex, VPC_DROP_UNKNOWN);
	if (to->ifindex)
		return vpc_deliver(skb, network, to);
	__builtin_memcpy(macs.destination, to->mac, sizeof(macs.destination));
	__builtin_memcpy(macs.source, from->mac, sizeof(macs.source));
	if (bpf_skb_store_bytes(skb, 0, &macs, sizeof(macs), 0) ||
	    bpf_skb_vlan_push(skb, ad ? bpf_htons(ETH_P_8021AD) : bpf_htons(ETH_P_8021Q), vlan))
		return vpc_drop(network, skb->ifindex, VPC_DROP_TUNNEL);
	return (int)bpf_redirect(STAMP(__u32, uplink_ifindex, 0), 0);
}

SEC("tc")
int from_uplink(struct __sk_buff *skb)
{
	struct vpc_packet packet = { 0 };
	enum vpc_drop reason;
	struct vpc_pod *pod;
	__u32 network;

	network = skb->vlan_present ? skb->vlan_tci & VLAN_ID : 0;
	if (!network)
		return TC_ACT_UNSPEC;
	network |= skb->vlan_proto == bpf_htons(ETH_P_8021AD) ? VPC_VLAN_AD : VPC_VLAN;
	if (bpf_skb_vlan_pop(skb))
		return vpc_drop(0, skb->ifindex, VPC_DROP_TUNNEL);
	reason = vpc_read(skb, &packet);
	if (reason)
		return vpc_drop(0, skb->ifindex, reason);
	pod = vpc_find(network, packet.source);
	if (pod && pod->ifindex)
		return vpc_drop(0, skb->ifindex, VPC_DROP_SOURCE);
	pod = vpc_find(network, packet.destination);
	if (!pod || !pod->ifindex)
		return vpc_drop(0, skb->ifindex, VPC_DROP_UNKNOWN);
	return vpc_deliver(skb, network, pod);
}

char _license[] SEC("license") = "Dual BSD/GPL";
