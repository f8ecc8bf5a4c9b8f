// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: a JIT (calls of the kernel's functions, where it has this one) */
/* A function of the kernel as it might have been once, and as it is: the program calls the one that is there. */
#include "features.h"

extern int bpf_dynptr_from_skb___two(struct __sk_buff *skb, struct bpf_dynptr *ptr) KSYM WEAK;
extern int bpf_dynptr_from_skb___three(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) KSYM WEAK;

SEC("tc")
int flavors(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	if (bpf_dynptr_from_skb___two)
		return bpf_dynptr_from_skb___two(skb, &ptr) ? 1 : 2;
	if (bpf_dynptr_from_skb___three)
		return bpf_dynptr_from_skb___three(skb, 0, &ptr) ? 3 : 4;
	return 5;
}

LICENSE;
