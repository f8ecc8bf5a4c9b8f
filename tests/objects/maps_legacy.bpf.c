// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps and tail calls as iproute2 has them: they belong together by number. */
#include "features.h"

struct bpf_elf_map {
	__u32 type, size_key, size_value, max_elem, flags, id, pinning, inner_id, inner_idx;
};

enum { JUMPS = 1, INNER = 42 };

struct bpf_elf_map SEC("maps") jumps = {
	.type = BPF_MAP_TYPE_PROG_ARRAY, .size_key = 4, .size_value = 4, .max_elem = 4, .id = JUMPS,
};

struct bpf_elf_map SEC("maps") outer = {
	.type = BPF_MAP_TYPE_ARRAY_OF_MAPS, .size_key = 4, .size_value = 4, .max_elem = 2, .inner_id = INNER,
};

struct bpf_elf_map SEC("maps") inner = {
	.type = BPF_MAP_TYPE_ARRAY, .size_key = 4, .size_value = 4, .max_elem = 1, .id = INNER, .inner_idx = 1,
};

struct bpf_elf_map SEC("maps") shared = {
	.type = BPF_MAP_TYPE_HASH, .size_key = 4, .size_value = 8, .max_elem = 3, .pinning = 2,
};

struct bpf_elf_map SEC("maps") own = {
	.type = BPF_MAP_TYPE_HASH, .size_key = 4, .size_value = 8, .max_elem = 3, .pinning = 1,
};

/* The mark chooses a program; the second of them returns what the inner map has. */
SEC("classifier")
int entry(struct __sk_buff *skb)
{
	bpf_tail_call(skb, &jumps, skb->mark);
	return 100;
}

SEC("1/0")
int zero(struct __sk_buff *skb)
{
	return skb->mark ? 3 : 10;
}

SEC("1/0x2")
int two(void)
{
	__u32 slot = 1, first = 0, *value;
	void *map = bpf_map_lookup_elem(&outer, &slot);

	value = map ? bpf_map_lookup_elem(map, &first) : 0;
	return value ? (int)*value + 20 : 4;
}

SEC("classifier/use")
int use(struct __sk_buff *skb)
{
	__u32 key = skb->mark;

	return bpf_map_lookup_elem(&shared, &key) || bpf_map_lookup_elem(&own, &key);
}

LICENSE;
