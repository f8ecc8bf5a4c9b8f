// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Drops ICMP from and to one IPv4 address, at TC and at XDP, and counts what it
 * drops.  It has a value of every kind: a stamp, a variable that can be changed
 * while it runs, a constant that cannot, and a map whose contents must last.
 */
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include "bpfstamp.bpf.h"
#include "features.h"

volatile __u32 enabled = 1;
volatile __u16 ports[2] = { 1, 2 };
const volatile __u32 vni = 7;

struct {
	UINT(type, BPF_MAP_TYPE_ARRAY);
	UINT(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, __u64);
} dropped SEC(".maps");

static inline __attribute__((always_inline)) int matches(const struct iphdr *iph)
{
	__u32 target = STAMP(__u32, target_addr, 0xFEDCBA98), zero = 0;
	__u64 *count;

	if (!enabled || !vni || ports[0] == ports[1] || iph->protocol != IPPROTO_ICMP ||
	    (iph->saddr != target && iph->daddr != target))
		return 0;
	count = bpf_map_lookup_elem(&dropped, &zero);
	if (count)
		__sync_fetch_and_add(count, 1);
	return 1;
}

SEC("tc")
int filter_out(struct __sk_buff *skb)
{
	struct iphdr iph;

	if (bpf_skb_load_bytes_relative(skb, 0, &iph, sizeof(iph), BPF_HDR_START_NET) < 0)
		return TC_ACT_OK;
	return matches(&iph) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("xdp")
int filter_xdp(struct xdp_md *xdp)
{
	const __u8 *eth = (const void *)(long)xdp->data;
	const struct iphdr *iph = (const void *)(eth + ETH_HLEN);

	if ((const void *)(iph + 1) > (const void *)(long)xdp->data_end || eth[12] != ETH_P_IP >> 8 || eth[13])
		return XDP_PASS;
	return matches(iph) ? XDP_DROP : XDP_PASS;
}

LICENSE;
