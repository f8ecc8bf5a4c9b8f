// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 5.16 (bloom filter) */
/* A bloom filter, whose number of hash functions is its map_extra. */
#include "features.h"

struct {
	UINT(type, BPF_MAP_TYPE_BLOOM_FILTER);
	UINT(max_entries, 100);
	UINT(map_extra, 3);
	TYPE(value, __u64);
} seen SEC(".maps");

SEC("tc")
int first_time(struct __sk_buff *skb)
{
	__u64 hash = skb->hash;

	if (bpf_map_peek_elem(&seen, &hash) == 0)
		return TC_ACT_SHOT;
	bpf_map_push_elem(&seen, &hash, 0);
	return TC_ACT_OK;
}

LICENSE;
