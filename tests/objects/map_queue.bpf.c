// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps without keys: queue and stack. */
#include "features.h"

struct {
	UINT(type, BPF_MAP_TYPE_QUEUE);
	UINT(max_entries, 8);
	UINT(value_size, sizeof(__u32));
} queue SEC(".maps");

struct {
	UINT(type, BPF_MAP_TYPE_STACK);
	UINT(max_entries, 8);
	TYPE(value, __u32);
} stack SEC(".maps");

SEC("tc")
int turn(struct __sk_buff *skb)
{
	__u32 mark = skb->mark;

	bpf_map_push_elem(&queue, &mark, BPF_EXIST);
	if (bpf_map_pop_elem(&queue, &mark) == 0)
		bpf_map_push_elem(&stack, &mark, 0);
	return bpf_map_peek_elem(&stack, &mark) == 0 ? (int)mark : TC_ACT_OK;
}

LICENSE;
