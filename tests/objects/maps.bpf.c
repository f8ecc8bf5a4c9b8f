// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Maps as BTF defines them and as they were defined before. */
#include <linux/bpf.h>

#include "helpers.h"

struct key {
	__u32 vni;
	__u8 mac[6];
};

struct {
	UINT(type, BPF_MAP_TYPE_HASH);
	UINT(numa_node, 0);
	UINT(map_flags, BPF_F_NO_PREALLOC);
	UINT(max_entries, 1024);
	UINT(key_size, sizeof(struct key));
	struct key *key;
	__u64 *value;
} m_hash SEC(".maps");

struct {
	UINT(type, BPF_MAP_TYPE_ARRAY);
	UINT(max_entries, 4);
	UINT(key_size, 4);
	UINT(value_size, 16);
} m_array SEC(".maps");

struct {
	UINT(type, BPF_MAP_TYPE_HASH);
	UINT(max_entries, 4);
	UINT(key_size, 4);
	UINT(value_size, 4);
	UINT(pinning, 1);
} m_pinned SEC(".maps");

struct {
	__u32 type, key_size, value_size, max_entries, map_flags;
} m_legacy SEC("maps") = { BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 2, 0 };

SEC("tc")
int use_maps(struct __sk_buff *skb)
{
	struct key key = { .vni = skb->mark };
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&m_hash, &key);

	return (count ? (int)*count : 0) + !!bpf_map_lookup_elem(&m_array, &zero) +
	       !!bpf_map_lookup_elem(&m_legacy, &zero);
}

SEC("tc")
int use_pinned(void)
{
	__u32 zero = 0;

	return !!bpf_map_lookup_elem(&m_pinned, &zero);
}

char _license[] SEC("license") = "Dual BSD/GPL";
