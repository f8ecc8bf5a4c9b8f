// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 5.15 (bpf_timer), a JIT */
/* A timer in the value of a map, with a callback. */
#include "features.h"

static long (*const bpf_timer_init)(struct bpf_timer *timer, void *map, __u64 flags) = (void *)BPF_FUNC_timer_init;
static long (*const bpf_timer_set_callback)(struct bpf_timer *timer, void *callback) =
	(void *)BPF_FUNC_timer_set_callback;
static long (*const bpf_timer_start)(struct bpf_timer *timer, __u64 nsecs, __u64 flags) =
	(void *)BPF_FUNC_timer_start;

struct element {
	__u64 expired;
	struct bpf_timer timer;
};

struct {
	UINT(type, BPF_MAP_TYPE_ARRAY);
	UINT(max_entries, 2);
	TYPE(key, __u32);
	TYPE(value, struct element);
} elements SEC(".maps");

static int expire(void *map, __u32 *key, struct element *element)
{
	(void)map;
	element->expired += *key;
	return 0;
}

SEC("tc")
int arm(struct __sk_buff *skb)
{
	__u32 key = skb->mark & 1;
	struct element *element = bpf_map_lookup_elem(&elements, &key);

	if (!element)
		return TC_ACT_OK;
	bpf_timer_init(&element->timer, &elements, 1);
	bpf_timer_set_callback(&element->timer, expire);
	bpf_timer_start(&element->timer, 1000000, 0);
	return TC_ACT_OK;
}

LICENSE;
