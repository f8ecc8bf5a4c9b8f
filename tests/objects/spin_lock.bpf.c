// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A lock in the value of a map, which the kernel finds by the BTF of the map. */
#include "features.h"

static long (*const bpf_spin_lock)(struct bpf_spin_lock *lock) = (void *)BPF_FUNC_spin_lock;
static long (*const bpf_spin_unlock)(struct bpf_spin_lock *lock) = (void *)BPF_FUNC_spin_unlock;

struct bucket {
	__u64 tokens;
	struct bpf_spin_lock lock;
	__u32 rate;
};

struct {
	UINT(type, BPF_MAP_TYPE_HASH);
	UINT(max_entries, 64);
	TYPE(key, __u32);
	TYPE(value, struct bucket);
} buckets SEC(".maps");

SEC("tc")
int take(struct __sk_buff *skb)
{
	__u32 key = skb->mark;
	struct bucket *bucket = bpf_map_lookup_elem(&buckets, &key);
	int verdict = TC_ACT_OK;

	if (!bucket)
		return TC_ACT_OK;
	bpf_spin_lock(&bucket->lock);
	if (bucket->tokens)
		bucket->tokens--;
	else
		verdict = TC_ACT_SHOT;
	bpf_spin_unlock(&bucket->lock);
	return verdict;
}

LICENSE;
