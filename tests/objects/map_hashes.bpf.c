// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Hashes and arrays of all kinds: per processor, least recently used, without preallocation, read only. */
#include "features.h"

struct value {
	__u64 packets, bytes;
};

#define MAP(name, kind, flags, entries)		\
	struct {				\
		UINT(type, kind);		\
		UINT(map_flags, flags);		\
		UINT(max_entries, entries);	\
		TYPE(key, __u32);		\
		TYPE(value, struct value);	\
	} name SEC(".maps")

MAP(hash, BPF_MAP_TYPE_HASH, 0, 10);
MAP(hash_no_prealloc, BPF_MAP_TYPE_HASH, BPF_F_NO_PREALLOC, 10);
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, 0, 10);
MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, 0, 3);
MAP(lru_hash, BPF_MAP_TYPE_LRU_HASH, 0, 100);
MAP(lru_no_common, BPF_MAP_TYPE_LRU_HASH, BPF_F_NO_COMMON_LRU, 100);
MAP(lru_percpu_hash, BPF_MAP_TYPE_LRU_PERCPU_HASH, 0, 100);
MAP(array, BPF_MAP_TYPE_ARRAY, BPF_F_RDONLY_PROG, 5);
MAP(array_mmapable, BPF_MAP_TYPE_ARRAY, BPF_F_MMAPABLE, 5);

static NOINLINE __u64 packets_of(void *map, __u32 key)
{
	struct value *value = bpf_map_lookup_elem(map, &key);

	return value ? value->packets : 0;
}

SEC("tc")
int all_hashes(struct __sk_buff *skb)
{
	struct value value = { 1, skb->len };
	__u32 key = skb->mark;

	bpf_map_update_elem(&hash, &key, &value, BPF_ANY);
	bpf_map_update_elem(&lru_hash, &key, &value, BPF_NOEXIST);
	bpf_map_delete_elem(&hash_no_prealloc, &key);
	return (int)(packets_of(&percpu_hash, 1) + packets_of(&percpu_array, 2) + packets_of(&lru_no_common, 3) +
		     packets_of(&lru_percpu_hash, 4) + packets_of(&array, 4) + packets_of(&array_mmapable, 0));
}

LICENSE;
