// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Drops ICMP to one IPv4 address.  The address is a symbolic constant: a symbol
 * that nobody defines, so the program cannot run before it has a value.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include "helpers.h"

SEC("egress")
int filter_out(void *skb)
{
	unsigned long long target;
	struct iphdr iph;

	if (bpf_skb_load_bytes_relative(skb, 0, &iph, sizeof(iph), BPF_HDR_START_NET) < 0)
		return TC_ACT_OK;
	if (iph.protocol != IPPROTO_ICMP)
		return TC_ACT_OK;
	__asm__ volatile("%0 = target_addr ll" : "=r"(target));
	if (iph.daddr == (__u32)target)
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
