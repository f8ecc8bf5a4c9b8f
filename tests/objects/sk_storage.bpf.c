// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Storage that belongs to a socket: a map whose key and value must have BTF. */
#include "features.h"

static void *(*const bpf_sk_storage_get)(void *map, void *sk, void *value, __u64 flags) =
	(void *)BPF_FUNC_sk_storage_get;

struct {
	UINT(type, BPF_MAP_TYPE_SK_STORAGE);
	UINT(map_flags, BPF_F_NO_PREALLOC);
	TYPE(key, int);
	TYPE(value, __u64);
} packets SEC(".maps");

SEC("cgroup_skb/egress")
int count(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;
	__u64 *n;

	if (!sk)
		return 1;
	n = bpf_sk_storage_get(&packets, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);
	if (n)
		__sync_fetch_and_add(n, 1);
	return 1;
}

LICENSE;
