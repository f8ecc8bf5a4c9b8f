// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Longest prefix match. */
#include "features.h"

struct prefix {
	__u32 len;
	__u8 addr[16];
};

struct {
	UINT(type, BPF_MAP_TYPE_LPM_TRIE);
	UINT(map_flags, BPF_F_NO_PREALLOC);
	UINT(max_entries, 255);
	TYPE(key, struct prefix);
	TYPE(value, __u32);
} routes SEC(".maps");

SEC("tc")
int route(struct __sk_buff *skb)
{
	struct prefix prefix = { .len = 128, .addr = { 0xfe, 0x80 } };
	__u32 *next;

	prefix.addr[15] = (__u8)skb->mark;
	next = bpf_map_lookup_elem(&routes, &prefix);
	return next ? (int)*next : TC_ACT_OK;
}

LICENSE;
