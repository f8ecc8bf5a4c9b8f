// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Records to user space through a ring buffer. */
#include "features.h"

static void *(*const bpf_ringbuf_reserve)(void *ringbuf, __u64 size, __u64 flags) = (void *)BPF_FUNC_ringbuf_reserve;
static void (*const bpf_ringbuf_submit)(void *record, __u64 flags) = (void *)BPF_FUNC_ringbuf_submit;

struct record {
	__u32 len, mark;
};

struct {
	UINT(type, BPF_MAP_TYPE_RINGBUF);
	UINT(max_entries, 4096);
} records SEC(".maps");

SEC("tc")
int report(struct __sk_buff *skb)
{
	struct record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (record) {
		record->len = skb->len;
		record->mark = skb->mark;
		bpf_ringbuf_submit(record, 0);
	}
	return TC_ACT_OK;
}

LICENSE;
