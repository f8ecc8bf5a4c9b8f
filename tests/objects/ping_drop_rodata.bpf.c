// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Drops ICMP to one IPv4 address.  The address is a static constant in .rodata:
 * a frozen map, and a relocation against the section.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include "helpers.h"

static const volatile __u32 target_addr = 0xFEDCBA98;

SEC("egress")
int filter_out(void *skb)
{
	struct iphdr iph;

	if (bpf_skb_load_bytes_relative(skb, 0, &iph, sizeof(iph), BPF_HDR_START_NET) < 0)
		return TC_ACT_OK;
	if (iph.protocol != IPPROTO_ICMP)
		return TC_ACT_OK;
	if (iph.daddr == target_addr)
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
