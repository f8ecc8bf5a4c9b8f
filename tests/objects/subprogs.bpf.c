// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 5.17 (bpf_loop), a JIT */
/*
 * Calls of every kind: global and static functions of .text, a static one of
 * the caller's section, one that calls itself, and one that is given to a helper.
 */
#include <linux/bpf.h>

#include "helpers.h"

static long (*const bpf_loop)(__u32 count, void *fn, void *ctx, __u64 flags) = (void *)BPF_FUNC_loop;

__attribute__((noinline)) int global_add(int a, int b)
{
	return a + b * a;
}

__attribute__((noinline, visibility("hidden"))) int hidden_mul(int a, int b)
{
	return a * b + 1;
}

static __attribute__((noinline)) int static_sub(int a, int b)
{
	return (a - b) * a;
}

static __attribute__((noinline)) int static_last(int a, int b)
{
	return static_sub(b, a) ^ b;
}

static long each(__u32 index, void *ctx)
{
	*(__u32 *)ctx += index;
	return 0;
}

SEC("tc")
static __attribute__((noinline)) int beside(int a)
{
	return a * a + 3;
}

SEC("tc")
int first(struct __sk_buff *skb)
{
	int mark = (int)skb->mark;

	return global_add(mark, 2) + static_last(mark, 3) + beside(mark) + hidden_mul(mark, 5);
}

SEC("xdp")
int second(struct xdp_md *xdp)
{
	__u32 sum = 0;

	bpf_loop(xdp->rx_queue_index, each, &sum, 0);
	return (int)sum;
}

char _license[] SEC("license") = "Dual BSD/GPL";
