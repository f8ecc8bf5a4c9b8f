// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A program of 4,000 instructions with ten values, each of which decides on the
 * mark that a packet gets.  There is no branch, so that the verifier's part in
 * loading it is as small as it can be for so many.  With -DSHARED the values come
 * from jump.bpf.c, in a map of each processor's own: they are too many for cb.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "bpf/helpers.h"
#include "bench/objects/pod.h"

#ifdef SHARED
struct {
	UINT(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	TYPE(key, __u32);
	TYPE(value, struct large_values);
	UINT(max_entries, 1);
} values SEC(".maps");

#define v0 values_of_pod->v[0]
#define v1 values_of_pod->v[1]
#define v2 values_of_pod->v[2]
#define v3 values_of_pod->v[3]
#define v4 values_of_pod->v[4]
#define v5 values_of_pod->v[5]
#define v6 values_of_pod->v[6]
#define v7 values_of_pod->v[7]
#define v8 values_of_pod->v[8]
#define v9 values_of_pod->v[9]
#else
const volatile __u32 v0 = 0, v1 = 0, v2 = 0, v3 = 0, v4 = 0, v5 = 0, v6 = 0, v7 = 0, v8 = 0, v9 = 0;
#endif

SEC("tc")
int large(struct __sk_buff *skb)
{
	__u32 h = skb->mark;
#ifdef SHARED
	const struct large_values *values_of_pod = bpf_map_lookup_elem(&values, &(__u32){ 0 });

	if (!values_of_pod)
		return TC_ACT_SHOT;
#endif
	LARGE_STEP(h, v0);
	LARGE_STEP(h, v1);
	LARGE_STEP(h, v2);
	LARGE_STEP(h, v3);
	LARGE_STEP(h, v4);
	LARGE_STEP(h, v5);
	LARGE_STEP(h, v6);
	LARGE_STEP(h, v7);
	LARGE_STEP(h, v8);
	LARGE_STEP(h, v9);
	skb->mark = h;
	return TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
