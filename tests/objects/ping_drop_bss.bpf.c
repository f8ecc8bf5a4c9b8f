// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Drops ICMP to one IPv4 address.  The address is a variable in .bss, which has
 * no bytes in the object file, with another on either side of it.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include "helpers.h"

volatile __u32 before;
volatile __u32 target_addr;
volatile __u32 after;

SEC("egress")
int filter_out(void *skb)
{
	struct iphdr iph;

	if (bpf_skb_load_bytes_relative(skb, 0, &iph, sizeof(iph), BPF_HDR_START_NET) < 0)
		return TC_ACT_OK;
	if (iph.protocol != IPPROTO_ICMP)
		return TC_ACT_OK;
	if (before || after)
		return TC_ACT_OK;
	if (iph.daddr == target_addr)
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
