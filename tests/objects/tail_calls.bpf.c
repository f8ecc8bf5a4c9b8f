// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: a JIT (a tail call in a function) */
/* A program array whose slots name programs of the object, with a hole, and a call from a subprogram. */
#include "features.h"

int first(struct __sk_buff *skb);
int second(struct __sk_buff *skb);

struct {
	UINT(type, BPF_MAP_TYPE_PROG_ARRAY);
	UINT(max_entries, 4);
	UINT(key_size, sizeof(__u32));
	ARRAY(values, int(struct __sk_buff *));
} jumps SEC(".maps") = {
	.values = { [0] = first, [3] = second },
};

static NOINLINE int jump(struct __sk_buff *skb, __u32 index)
{
	bpf_tail_call(skb, &jumps, index);
	return TC_ACT_OK;
}

SEC("tc")
int first(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &jumps, 3);
	return TC_ACT_SHOT;
}

SEC("tc")
int second(struct __sk_buff *skb)
{
	return skb->mark ? jump(skb, skb->mark) : TC_ACT_OK;
}

LICENSE;
