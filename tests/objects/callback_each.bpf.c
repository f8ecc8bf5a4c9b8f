// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 5.13 (bpf_for_each_map_elem), a JIT */
/* A static function of .text by its address, which the helper calls for each element; it calls another one. */
#include "features.h"

static long (*const bpf_for_each_map_elem)(void *map, void *callback, void *context, __u64 flags) =
	(void *)BPF_FUNC_for_each_map_elem;

struct {
	UINT(type, BPF_MAP_TYPE_HASH);
	UINT(max_entries, 16);
	TYPE(key, __u32);
	TYPE(value, __u64);
} counters SEC(".maps");

static NOINLINE __u64 half(__u64 x)
{
	OPAQUE(x);
	return x / 2;
}

static long add(const void *map, const __u32 *key, const __u64 *value, __u64 *sum)
{
	(void)map;
	*sum += half(*value) + *key;
	return 0;
}

SEC("tc")
int sum_of_all(struct __sk_buff *skb)
{
	__u64 sum = skb->mark;

	bpf_for_each_map_elem(&counters, add, &sum, 0);
	return (int)sum;
}

LICENSE;
