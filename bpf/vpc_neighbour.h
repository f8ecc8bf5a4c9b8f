/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Answers to a pod that asks by ARP or by IPv6 neighbour discovery for any
 * address but its own: vpc_mac.  The packet itself becomes the answer, and goes
 * back out of the interface where it came in.
 *
 * Not answered is what looks for another user of an address: an ARP probe
 * (sender 0.0.0.0) or announcement (sender and target the same), and the
 * solicitation of duplicate address detection (source ::).
 */
#ifndef BPF_VPC_NEIGHBOUR_H
#define BPF_VPC_NEIGHBOUR_H

#include "vpc_pods.h"

/* Of Ethernet (1) and IPv4; a request (1) or a reply (2). */
struct vpc_arp {
	__be16 hardware, protocol;
	__u8 hardware_len, protocol_len;
	__be16 operation;
	__u8 sender_mac[6], sender[4];
	__u8 target_mac[6], target[4];
} __attribute__((packed));

struct vpc_neighbour {
	struct ipv6hdr ip;
	__u8 type, code;
	__be16 checksum;
	__be32 flags;
	__be32 target[4];
	__u8 option, option_len;	/* the target's link-layer address: 2, and 1 for 8 bytes */
	__u8 mac[6];
};

static inline int vpc_send_back(struct __sk_buff *skb, const struct vpc_macs *macs)
{
	if (bpf_skb_store_bytes(skb, 0, macs, sizeof(*macs), 0))
		return TC_ACT_SHOT;
	return (int)bpf_redirect(skb->ifindex, 0);
}

static inline int vpc_answer_arp(struct __sk_buff *skb, __u32 network)
{
	struct vpc_macs macs;
	struct vpc_arp arp;
	__u32 sender, target;

	vpc_mac(macs.source);
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &arp, sizeof(arp)))
		return vpc_drop(network, skb->ifindex, VPC_DROP_PROTOCOL);
	__builtin_memcpy(&sender, arp.sender, sizeof(sender));
	__builtin_memcpy(&target, arp.target, sizeof(target));
	if (arp.hardware != bpf_htons(1) || arp.protocol != bpf_htons(ETH_P_IP) || arp.hardware_len != 6 ||
	    arp.protocol_len != 4 || arp.operation != bpf_htons(1) || !sender || sender == target)
		return vpc_drop(network, skb->ifindex, VPC_DROP_NEIGHBOUR);
	arp.operation = bpf_htons(2);
	__builtin_memcpy(arp.target_mac, arp.sender_mac, sizeof(arp.target_mac));
	__builtin_memcpy(macs.destination, arp.sender_mac, sizeof(macs.destination));
	__builtin_memcpy(arp.sender_mac, macs.source, sizeof(arp.sender_mac));
	__builtin_memcpy(arp.target, &sender, sizeof(sender));
	__builtin_memcpy(arp.sender, &target, sizeof(target));
	if (bpf_skb_store_bytes(skb, ETH_HLEN, &arp, sizeof(arp), BPF_F_RECOMPUTE_CSUM))
		return TC_ACT_SHOT;
	return vpc_send_back(skb, &macs);
}

/* The sum of what is covered, addresses and message, stands in one piece. */
static inline __be16 vpc_neighbour_checksum(const struct vpc_neighbour *message)
{
	__u32 len = sizeof(*message) - sizeof(message->ip);
	__u64 sum;

	sum = (__u64)bpf_csum_diff(NULL, 0, &message->ip.saddr, sizeof(*message) - offsetof(struct ipv6hdr, saddr),
				   bpf_htonl(len + IPPROTO_ICMPV6)) & 0xffffffff;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (__be16)~sum;
}

static inline bool vpc_is_question(const struct vpc_neighbour *message)
{
	const __be32 *from = message->ip.saddr.s6_addr32, *target = message->target;

	return message->ip.hop_limit == 255 && !message->code && (from[0] || from[1] || from[2] || from[3]) &&
	       (target[0] & bpf_htonl(0xff000000)) != bpf_htonl(0xff000000) && !vpc_same(from, target);
}

static inline int vpc_answer_solicitation(struct __sk_buff *skb, __u32 network)
{
	struct vpc_neighbour message = { 0 };
	struct vpc_macs macs;

	vpc_mac(macs.source);
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &message, offsetof(struct vpc_neighbour, option)) ||
	    bpf_skb_load_bytes(skb, offsetof(struct vpc_macs, source), macs.destination, sizeof(macs.destination)))
		return vpc_drop(network, skb->ifindex, VPC_DROP_PROTOCOL);
	if (!vpc_is_question(&message))
		return vpc_drop(network, skb->ifindex, VPC_DROP_NEIGHBOUR);
	message.ip.payload_len = bpf_htons(sizeof(message) - sizeof(message.ip));
	message.ip.daddr = message.ip.saddr;
	__builtin_memcpy(&message.ip.saddr, message.target, sizeof(message.target));
	message.type = 136;
	message.checksum = 0;
	message.flags = bpf_htonl(0xe0000000);		/* a router, solicited, and valid from now on */
	message.option = 2;
	message.option_len = 1;
	__builtin_memcpy(message.mac, macs.source, sizeof(message.mac));
	message.checksum = vpc_neighbour_checksum(&message);
	if (bpf_skb_change_tail(skb, ETH_HLEN + sizeof(message), 0) ||
	    bpf_skb_store_bytes(skb, ETH_HLEN, &message, sizeof(message), BPF_F_RECOMPUTE_CSUM))
		return TC_ACT_SHOT;
	return vpc_send_back(skb, &macs);
}

#endif
