// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * About 4,000 instructions as a pod's policy has them: a loop over the options
 * of the IP header, and 390 rules that compare protocol, addresses and ports, one
 * behind the other.  The values are those of pod.bpf.c, and so is what becomes of a packet that
 * no rule is for, but that no tag is pushed: a packet can be run again and again.
 * With -DSHARED the values come from jump.bpf.c, in the packet's cb.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include "bpf/helpers.h"
#include "bench/objects/values.h"

/* Without options: what rules are for. */
struct headers {
	struct iphdr ip;
	__be16 sport, dport;
};

/* The words of the options, mixed: not zero where there are any. */
static __u32 read_options(struct __sk_buff *skb, __u32 length)
{
	__u32 seen = 0, word;

	for (__u32 at = sizeof(struct iphdr); at < length && at < 60; at += sizeof(word)) {
		if (bpf_skb_load_bytes(skb, ETH_HLEN + at, &word, sizeof(word)))
			break;
		seen = seen * 31 + word;
	}
	return seen;
}

/*
 * The first rule that matches decides.  Fields are read anew for each, so that the
 * verifier knows no more behind a rule than before it: else it would follow
 * each set of rules that a packet may have passed, and never come to an end.
 */
#define RULE(n) do {										\
	if (h->ip.protocol == ((n) & 1 ? IPPROTO_TCP : IPPROTO_UDP) &&				\
	    (h->ip.daddr & bpf_htonl(0xffffff00u << ((n) & 7))) == bpf_htonl(0x0a000000u + ((n) << 15)) &&	\
	    bpf_ntohs(h->dport) - 1000u - 37u * (n) < 16u + (n)) {				\
		mark = 0x01000193u * ((n) + 1);							\
		goto decided;									\
	}											\
} while (0)
#define RULES_10(n) RULE(n); RULE((n) + 1); RULE((n) + 2); RULE((n) + 3); RULE((n) + 4);	\
	RULE((n) + 5); RULE((n) + 6); RULE((n) + 7); RULE((n) + 8); RULE((n) + 9)
#define RULES_50(n) RULES_10(n); RULES_10((n) + 10); RULES_10((n) + 20); RULES_10((n) + 30); RULES_10((n) + 40)

SEC("tc")
int branches(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = { .tunnel_ttl = 64, .remote_ipv4 = 0x0a000001 };
	const volatile struct headers *h = (void *)(long)skb->data + ETH_HLEN;
	__u32 mark;

	if (skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_OK;
	if ((void *)(h + 1) > (void *)(long)skb->data_end || h->ip.saddr != addr)
		return TC_ACT_SHOT;
	mark = read_options(skb, 4 * h->ip.ihl);
	if (mark)
		goto decided;
	RULES_50(0);
	RULES_50(50);
	RULES_50(100);
	RULES_50(150);
	RULES_50(200);
	RULES_50(250);
	RULES_50(300);
	RULES_10(350);
	RULES_10(360);
	RULES_10(370);
	RULES_10(380);
decided:
	key.tunnel_id = vni;
	if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), 0))
		return TC_ACT_SHOT;
	skb->mark = vni ^ mark;
	skb->priority = vlan;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
