// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Drops ICMP to one IPv4 address.  The address is a global variable, with a
 * name and a type: bpfstamp attach … --set target_addr=10.0.0.2
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include "helpers.h"

__u32 target_addr = 0xFEDCBA98;	/* network byte order, as in the packet */

SEC("egress")
int filter_out(void *skb)
{
	char fmt[] = "ping_drop_global: 0x%08x -> 0x%08x, target 0x%08x\n";
	struct iphdr iph;

	if (bpf_skb_load_bytes_relative(skb, 0, &iph, sizeof(iph), BPF_HDR_START_NET) < 0)
		return TC_ACT_OK;
	if (iph.protocol != IPPROTO_ICMP)
		return TC_ACT_OK;

	bpf_trace_printk(fmt, sizeof(fmt), iph.saddr, iph.daddr, target_addr);

	if (iph.daddr == target_addr)
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
