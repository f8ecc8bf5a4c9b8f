// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A perf event array that asks for as many entries as there are processors: max_entries is 0, or not there. */
#include "features.h"

static long (*const bpf_perf_event_output)(void *ctx, void *map, __u64 flags, void *data, __u64 size) =
	(void *)BPF_FUNC_perf_event_output;

struct {
	UINT(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	UINT(key_size, sizeof(__u32));
	UINT(value_size, sizeof(__u32));
	UINT(max_entries, 0);
} zero_entries SEC(".maps");

struct {
	UINT(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	UINT(key_size, sizeof(__u32));
	UINT(value_size, sizeof(__u32));
} no_entries SEC(".maps");

struct {
	UINT(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	TYPE(key, __u32);
	TYPE(value, __u32);
	UINT(max_entries, 2);
} two_entries SEC(".maps");

SEC("tc")
int output(struct __sk_buff *skb)
{
	__u32 mark = skb->mark;

	bpf_perf_event_output(skb, &zero_entries, BPF_F_CURRENT_CPU, &mark, sizeof(mark));
	bpf_perf_event_output(skb, &no_entries, BPF_F_CURRENT_CPU, &mark, sizeof(mark));
	bpf_perf_event_output(skb, &two_entries, 1, &mark, sizeof(mark));
	return TC_ACT_OK;
}

LICENSE;
