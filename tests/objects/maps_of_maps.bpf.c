// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps of maps: what they hold is defined inside them, and some of it is there from the start. */
#include "features.h"

struct inner {
	UINT(type, BPF_MAP_TYPE_HASH);
	UINT(max_entries, 8);
	TYPE(key, __u32);
	TYPE(value, __u64);
};

struct inner first SEC(".maps");
struct inner second SEC(".maps");
static struct inner hidden SEC(".maps");

struct {
	UINT(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	UINT(max_entries, 4);
	TYPE(key, __u32);
	ARRAY(values, struct inner);
} by_index SEC(".maps") = {
	.values = { [0] = &first, [2] = &second, [3] = &hidden },
};

struct {
	UINT(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	UINT(max_entries, 4);
	UINT(key_size, 4);
	ARRAY(values, struct {
		UINT(type, BPF_MAP_TYPE_ARRAY);
		UINT(max_entries, 1);
		UINT(map_flags, BPF_F_INNER_MAP);
		TYPE(key, int);
		TYPE(value, int);
	});
} by_key SEC(".maps");

/* Puts a 7 for key 1 into the map in slot mark. */
SEC("tc")
int count(struct __sk_buff *skb)
{
	__u32 slot = skb->mark, one = 1;
	__u64 seven = 7, *value = bpf_map_lookup_elem(&hidden, &one);
	void *map = bpf_map_lookup_elem(&by_index, &slot);

	if (!map)
		return value ? TC_ACT_SHOT : TC_ACT_OK;
	if (bpf_map_lookup_elem(&by_key, &slot))
		return TC_ACT_SHOT;
	return (int)bpf_map_update_elem(map, &one, &seven, 0);
}

LICENSE;
