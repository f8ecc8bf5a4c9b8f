/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What vpc_vxlan.bpf.c and vpc_vlan.bpf.c have in common: the maps of vpc.h,
 * the two ends of a packet, and delivery to a pod of this node.
 *
 * A pod needs a route for its network and nothing else: whatever address it
 * asks for, by ARP or neighbour discovery, it is told vpc_mac, here and at
 * once.  Nothing of that is carried to others.  Every frame that a pod receives
 * comes from vpc_mac.
 *
 * Steps return a reason to drop the packet, or VPC_PASS.
 */
#ifndef BPF_VPC_PODS_H
#define BPF_VPC_PODS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#include "bpfstamp.bpf.h"
#include "helpers.h"
#include "vpc.h"

struct {
	UINT(type, BPF_MAP_TYPE_HASH);
	UINT(map_flags, BPF_F_NO_PREALLOC);
	UINT(max_entries, 65536);
	UINT(pinning, PIN_BY_NAME);
	TYPE(key, struct vpc_pod_key);
	TYPE(value, struct vpc_pod);
} vpc_pods SEC(".maps");

struct {
	UINT(type, BPF_MAP_TYPE_PERCPU_HASH);
	UINT(map_flags, BPF_F_NO_PREALLOC);
	UINT(max_entries, 4096);
	UINT(pinning, PIN_BY_NAME);
	TYPE(key, struct vpc_stats_key);
	TYPE(value, struct vpc_stats);
} vpc_stats SEC(".maps");

struct vpc_macs {
	__u8 destination[6], source[6];
};

struct vpc_packet {
	__be32 source[4], destination[4];
	bool solicits;		/* IPv6 neighbour solicitation; the reason to drop it is VPC_DROP_NEIGHBOUR */
};

/* Locally administered, "vpc".  One by one, because an array would be in memory, which needs a map. */
static inline void vpc_mac(__u8 mac[6])
{
	mac[0] = 0x02;
	mac[1] = 0x76;
	mac[2] = 0x70;
	mac[3] = 0x63;
	mac[4] = 0x00;
	mac[5] = 0x01;
}

/* --- counting --- */

static inline struct vpc_stats *vpc_stats_of(__u32 network, __u32 ifindex)
{
	struct vpc_stats_key key = { network, ifindex };
	struct vpc_stats *stats = bpf_map_lookup_elem(&vpc_stats, &key);
	struct vpc_stats none = { 0 };

	if (stats)
		return stats;
	bpf_map_update_elem(&vpc_stats, &key, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&vpc_stats, &key);
}

/*
 * A global function, which the verifier sees once, for any reason: without CAP_PERFMON it refuses an index that
 * some paths know and others do not.  The reason, an enum vpc_drop, has the width of a register, so that with
 * -mcpu=v1, too, the register that was compared is the one that is the index.
 */
__attribute__((noinline)) int vpc_drop(__u32 network, __u32 ifindex, __u64 reason)
{
	struct vpc_stats *stats = vpc_stats_of(network, ifindex);

	if (stats && reason < VPC_DROPS)
		stats->drops[reason]++;
	return TC_ACT_SHOT;
}

static inline void vpc_count_from(struct __sk_buff *skb, __u32 network)
{
	struct vpc_stats *stats = vpc_stats_of(network, skb->ifindex);

	if (stats) {
		stats->from_packets++;
		stats->from_bytes += skb->len;
	}
}

/* --- addresses --- */

static inline bool vpc_same(const __be32 a[4], const __be32 b[4])
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

static inline bool vpc_is_ipv4(const __be32 address[4])
{
	return !address[0] && !address[1] && address[2] == bpf_htonl(0xffff);
}

static inline void vpc_set_ipv4(__be32 address[4], __be32 ipv4)
{
	address[0] = 0;
	address[1] = 0;
	address[2] = bpf_htonl(0xffff);
	address[3] = ipv4;
}

static inline struct vpc_pod *vpc_find(__u32 network, const __be32 address[4])
{
	struct vpc_pod_key key = { network, { address[0], address[1], address[2], address[3] } };

	return bpf_map_lookup_elem(&vpc_pods, &key);
}

static inline enum vpc_drop vpc_read_ipv4(struct __sk_buff *skb, struct vpc_packet *packet)
{
	struct iphdr ip;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.version != 4)
		return VPC_DROP_PROTOCOL;
	vpc_set_ipv4(packet->source, ip.saddr);
	vpc_set_ipv4(packet->destination, ip.daddr);
	return VPC_PASS;
}

/* Behind these Linux finds ICMPv6, too. */
static inline bool vpc_is_extension(__u8 header)
{
	return header == IPPROTO_HOPOPTS || header == IPPROTO_ROUTING || header == IPPROTO_DSTOPTS;
}

/*
 * Neighbour discovery is five types of ICMPv6: 133 to 137.  Behind other headers, however many, it is known by the
 * hop limit that it must have, and hardly anything else has with such headers; fragments of it nobody accepts.
 */
static inline enum vpc_drop vpc_read_ipv6(struct __sk_buff *skb, struct vpc_packet *packet)
{
	struct ipv6hdr ip;
	__u8 type = 0;

	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.version != 6)
		return VPC_DROP_PROTOCOL;
	__builtin_memcpy(packet->source, &ip.saddr, sizeof(packet->source));
	__builtin_memcpy(packet->destination, &ip.daddr, sizeof(packet->destination));
	if (vpc_is_ipv4(packet->source) || vpc_is_ipv4(packet->destination))
		return VPC_DROP_PROTOCOL;
	if (ip.hop_limit == 255 && vpc_is_extension(ip.nexthdr))
		return VPC_DROP_NEIGHBOUR;
	if (ip.nexthdr == IPPROTO_ICMPV6 && bpf_skb_load_bytes(skb, ETH_HLEN + sizeof(ip), &type, sizeof(type)))
		return VPC_DROP_PROTOCOL;
	packet->solicits = type == 135;
	return type >= 133 && type <= 137 ? VPC_DROP_NEIGHBOUR : VPC_PASS;
}

static inline enum vpc_drop vpc_read(struct __sk_buff *skb, struct vpc_packet *packet)
{
	enum vpc_drop reason = VPC_DROP_PROTOCOL;

	if (skb->vlan_present)
		return VPC_DROP_TAGGED;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		reason = vpc_read_ipv4(skb, packet);
	else if (skb->protocol == bpf_htons(ETH_P_IPV6))
		reason = vpc_read_ipv6(skb, packet);
	if (!reason && skb->pkt_type != PACKET_HOST && skb->pkt_type != PACKET_OTHERHOST)
		reason = VPC_DROP_MULTICAST;
	return reason;
}

/* --- delivery --- */

/*
 * To a pod of this node: right into its namespace, or, where redirect_peer is
 * stamped 0 (the interface is no veth, or the pod's end of it is in the node's
 * namespace), out of the interface that the node has for it, past what stands
 * at its egress.
 */
static inline int vpc_deliver(struct __sk_buff *skb, __u32 network, const struct vpc_pod *pod)
{
	struct vpc_stats *stats;
	struct vpc_macs macs;

	vpc_mac(macs.source);
	__builtin_memcpy(macs.destination, pod->mac, sizeof(macs.destination));
	if (bpf_skb_store_bytes(skb, 0, &macs, sizeof(macs), 0))
		return vpc_drop(network, pod->ifindex, VPC_DROP_PROTOCOL);
	stats = vpc_stats_of(network, pod->ifindex);
	if (stats) {
		stats->to_packets++;
		stats->to_bytes += skb->len;
	}
	if (!STAMP(bool, redirect_peer, 1))
		return (int)bpf_redirect(pod->ifindex, 0);
	/* Older kernels do not look at the destination again, which was another's when the packet came. */
	bpf_skb_change_type(skb, PACKET_HOST);
	return (int)bpf_redirect_peer(pod->ifindex, 0);
}

#endif
