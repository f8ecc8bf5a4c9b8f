// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Drops ICMP to one IPv4 address.  The address is a stamp site: an instruction
 * with a name and a type, and no map: bpfstamp attach … --set target_addr=10.0.0.2
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include "bpfstamp.bpf.h"
#include "helpers.h"

SEC("egress")
int filter_out(void *skb)
{
	struct iphdr iph;

	if (bpf_skb_load_bytes_relative(skb, 0, &iph, sizeof(iph), BPF_HDR_START_NET) < 0)
		return TC_ACT_OK;
	if (iph.protocol != IPPROTO_ICMP)
		return TC_ACT_OK;
	if (iph.daddr == STAMP(__u32, target_addr, 0xFEDCBA98))
		return TC_ACT_SHOT;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
