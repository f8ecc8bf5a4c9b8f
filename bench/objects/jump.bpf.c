// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A pod's own part, where all pods share the program that does the work: it
 * leaves the pod's values where that program finds them, and jumps there.
 *
 * "cb" leaves three values in the packet's cb, which has room for five, for
 * pod.bpf.c and branches.bpf.c; "percpu" leaves the ten of large.bpf.c in a map.
 * A packet that the jump fails for is dropped.
 *
 * Where the kernel knows the index, it patches a jump into the machine code, which all
 * processors have to be told: so does "patched".  The others look the program up
 * for each packet, because the verifier does not know that the index is 0.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "bpf/helpers.h"
#include "bench/objects/pod.h"
#include "include/bpfstamp.bpf.h"

static long (*const bpf_tail_call)(void *skb, void *map, __u32 index) = (void *)BPF_FUNC_tail_call;

struct {
	UINT(type, BPF_MAP_TYPE_PROG_ARRAY);
	UINT(key_size, 4);
	UINT(value_size, 4);
	UINT(max_entries, 1);
} jumps SEC(".maps");

struct {
	UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	TYPE(key, __u32);
	TYPE(value, struct large_values);
	UINT(max_entries, 1);
} values SEC(".maps");

#define ZERO(skb) ((skb)->protocol >> 16)

SEC("tc")
int patched(struct __sk_buff *skb)
{
	skb->cb[0] = STAMP(__u32, vni, 0);
	skb->cb[1] = STAMP(__u32, vlan, 0);
	skb->cb[2] = STAMP(__u32, addr, 0);
	bpf_tail_call(skb, &jumps, 0);
	return TC_ACT_SHOT;
}

SEC("tc")
int cb(struct __sk_buff *skb)
{
	skb->cb[0] = STAMP(__u32, vni, 0);
	skb->cb[1] = STAMP(__u32, vlan, 0);
	skb->cb[2] = STAMP(__u32, addr, 0);
	bpf_tail_call(skb, &jumps, ZERO(skb));
	return TC_ACT_SHOT;
}

SEC("tc")
int percpu(struct __sk_buff *skb)
{
	struct large_values *to = bpf_map_lookup_elem(&values, &(__u32){ 0 });

	if (!to)
		return TC_ACT_SHOT;
	to->v[0] = STAMP(__u32, v0, 0);
	to->v[1] = STAMP(__u32, v1, 0);
	to->v[2] = STAMP(__u32, v2, 0);
	to->v[3] = STAMP(__u32, v3, 0);
	to->v[4] = STAMP(__u32, v4, 0);
	to->v[5] = STAMP(__u32, v5, 0);
	to->v[6] = STAMP(__u32, v6, 0);
	to->v[7] = STAMP(__u32, v7, 0);
	to->v[8] = STAMP(__u32, v8, 0);
	to->v[9] = STAMP(__u32, v9, 0);
	bpf_tail_call(skb, &jumps, ZERO(skb));
	return TC_ACT_SHOT;
}

char _license[] SEC("license") = "Dual BSD/GPL";
