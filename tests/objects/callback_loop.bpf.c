// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 5.17 (bpf_loop), a JIT */
/* Two callbacks, one of which starts a loop itself; two programs that share one. */
#include "features.h"

static long (*const bpf_loop)(__u32 count, void *callback, void *context, __u64 flags) = (void *)BPF_FUNC_loop;

static long inner(__u32 i, __u64 *last)
{
	*last = i;
	return 0;
}

static long outer(__u32 i, __u64 *last)
{
	bpf_loop(i & 7, inner, last, 0);
	return 0;
}

SEC("tc")
int nested(struct __sk_buff *skb)
{
	__u64 last = 0;

	bpf_loop(skb->len, outer, &last, 0);
	return (int)last;
}

SEC("tc")
int single(struct __sk_buff *skb)
{
	__u64 last = skb->mark;

	bpf_loop(10, inner, &last, 0);
	return (int)last;
}

LICENSE;
