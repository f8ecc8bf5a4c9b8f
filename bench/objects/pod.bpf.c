// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The program that every contender of the benchmark loads: a pod's packets get
 * its VNI and VLAN, and those that do not come from its address are dropped.
 * Mark and priority tell the values to whoever runs it (bench/check.c).
 *
 * The values are constants, or variables that a loader sets: then the program
 * refers to one map, .rodata.  -DVNI=… -DVLAN=… -DADDR=… is for clang.  With
 * -DSHARED they come from jump.bpf.c, in the packet's cb.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>

#include "bpf/helpers.h"

#ifdef VNI
enum { vni = VNI, vlan = VLAN };
static const __u32 addr = ADDR;
#else
#include "bench/objects/values.h"
#endif

SEC("tc")
int pod(struct __sk_buff *skb)
{
	struct bpf_tunnel_key key = { .tunnel_ttl = 64, .remote_ipv4 = 0x0a000001 };
	struct iphdr ip;

	if (skb->protocol != bpf_htons(ETH_P_IP))
		return TC_ACT_OK;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) || ip.saddr != addr)
		return TC_ACT_SHOT;
	key.tunnel_id = vni;
	if (bpf_skb_set_tunnel_key(skb, &key, sizeof(key), 0))
		return TC_ACT_SHOT;
	skb->mark = vni;
	skb->priority = vlan;
	return bpf_skb_vlan_push(skb, bpf_htons(ETH_P_8021Q), (__u16)vlan) ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
