// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Drops ICMP to one address, in a program that another one jumps to through a
 * prog array; counts what it drops in a map that all instances share by its pin.
 */
#include <linux/in.h>
#include <linux/ip.h>

#include "bpfstamp.bpf.h"
#include "features.h"

#define PIN_BY_NAME 1	/* LIBBPF_PIN_BY_NAME */

int drop(struct __sk_buff *skb);

struct {
	UINT(type, BPF_MAP_TYPE_PROG_ARRAY);
	UINT(max_entries, 1);
	UINT(key_size, sizeof(__u32));
	ARRAY(values, int(struct __sk_buff *));
} jumps SEC(".maps") = {
	.values = { [0] = drop },
};

struct {
	UINT(type, BPF_MAP_TYPE_ARRAY);
	UINT(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, __u64);
	UINT(pinning, PIN_BY_NAME);
} dropped SEC(".maps");

SEC("tc")
int filter_out(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &jumps, 0);
	return TC_ACT_OK;
}

SEC("tc")
int drop(struct __sk_buff *skb)
{
	struct iphdr iph;
	__u32 key = 0;
	__u64 *count;

	if (bpf_skb_load_bytes_relative(skb, 0, &iph, sizeof(iph), BPF_HDR_START_NET) < 0)
		return TC_ACT_OK;
	if (iph.protocol != IPPROTO_ICMP || iph.daddr != STAMP(__u32, target_addr, 0xFEDCBA98))
		return TC_ACT_OK;
	count = bpf_map_lookup_elem(&dropped, &key);
	if (count)
		__sync_fetch_and_add(count, 1);
	return TC_ACT_SHOT;
}

LICENSE;
