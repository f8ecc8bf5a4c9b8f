// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A pointer to a kernel object in the value of a map: the kernel finds it by its
 * type tag.  Before Linux 6.4 the tag had another name, and this is a number.
 */
#include "features.h"

struct task_struct;

struct holder {
	__u64 count;
	struct task_struct __attribute__((btf_type_tag("kptr_untrusted"))) *task;
};

struct {
	UINT(type, BPF_MAP_TYPE_ARRAY);
	UINT(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, struct holder);
} holders SEC(".maps");

SEC("tc")
int is_held(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct holder *holder = bpf_map_lookup_elem(&holders, &zero);

	return holder && holder->task ? (int)skb->mark : TC_ACT_OK;
}

LICENSE;
