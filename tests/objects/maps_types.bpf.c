// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 6.2 (cgrp_storage), CONFIG_BPF_LSM (inode_storage) */
/* A map of each type that needs nothing else, with what each type asks of its definition. */
#include "features.h"

#define MAP(name, kind, keys, values, entries, ...) \
	struct { \
		UINT(type, kind); \
		UINT(key_size, keys); \
		UINT(value_size, values); \
		UINT(max_entries, entries); \
		__VA_ARGS__ \
	} name SEC(".maps")

enum {
	IS_CGRP_STORAGE = 32,
};

#define ULONG(name, number) enum { number_of_##name = number } name

struct flow {
	__u32 prefix, address;
};

MAP(hash, BPF_MAP_TYPE_HASH, 4, 8, 3, );
MAP(array, BPF_MAP_TYPE_ARRAY, 4, 8, 3, );
MAP(prog_array, BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 3, );
MAP(perf_default, BPF_MAP_TYPE_PERF_EVENT_ARRAY, 0, 0, 0, );
MAP(perf_of_two, BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 2, );
MAP(percpu_hash, BPF_MAP_TYPE_PERCPU_HASH, 4, 8, 3, );
MAP(percpu_array, BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 3, );
MAP(stack_trace, BPF_MAP_TYPE_STACK_TRACE, 4, 8 * 127, 3, );
MAP(cgroup_array, BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 3, );
MAP(lru_hash, BPF_MAP_TYPE_LRU_HASH, 4, 8, 3, );
MAP(lru_percpu, BPF_MAP_TYPE_LRU_PERCPU_HASH, 4, 8, 3, UINT(map_flags, BPF_F_NO_COMMON_LRU););
MAP(sockmap, BPF_MAP_TYPE_SOCKMAP, 4, 8, 3, );
MAP(cpumap, BPF_MAP_TYPE_CPUMAP, 4, 8, 0, );
MAP(xskmap, BPF_MAP_TYPE_XSKMAP, 4, 4, 3, );
MAP(sockhash, BPF_MAP_TYPE_SOCKHASH, 4, 8, 3, );
MAP(devmap, BPF_MAP_TYPE_DEVMAP, 4, 8, 3, );
MAP(devmap_hash, BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 3, );
MAP(reuseport, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, 4, 8, 3, );
MAP(queue, BPF_MAP_TYPE_QUEUE, 0, 8, 3, );
MAP(stack, BPF_MAP_TYPE_STACK, 0, 8, 3, );
MAP(bloom, BPF_MAP_TYPE_BLOOM_FILTER, 0, 8, 3, ULONG(map_extra, 4););
MAP(user_ring, BPF_MAP_TYPE_USER_RINGBUF, 0, 0, 4096, );

struct {
	UINT(type, BPF_MAP_TYPE_RINGBUF);
	UINT(max_entries, 5000);
	TYPE(value, struct flow);
} ring SEC(".maps");

struct {
	UINT(type, BPF_MAP_TYPE_LPM_TRIE);
	UINT(max_entries, 3);
	UINT(map_flags, BPF_F_NO_PREALLOC);
	TYPE(key, struct flow);
	TYPE(value, __u32);
} trie SEC(".maps");

#define STORAGE(name, kind) \
	struct { \
		UINT(type, kind); \
		UINT(map_flags, BPF_F_NO_PREALLOC); \
		TYPE(key, int); \
		TYPE(value, __u64); \
	} name SEC(".maps")

STORAGE(sk_storage, BPF_MAP_TYPE_SK_STORAGE);
STORAGE(inode_storage, BPF_MAP_TYPE_INODE_STORAGE);
STORAGE(task_storage, BPF_MAP_TYPE_TASK_STORAGE);
STORAGE(cgrp_storage, IS_CGRP_STORAGE);

SEC("tc")
int nothing(void)
{
	return TC_ACT_OK;
}

LICENSE;
