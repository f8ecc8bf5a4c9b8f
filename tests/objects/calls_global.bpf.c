// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Global functions, which the verifier proves alone: scalars, the context, memory of known size; a weak one. */
/* needs: Linux 5.12 (memory as an argument of a global function) */
#include "features.h"

struct pair {
	__u32 a, b;
};

NOINLINE int sum(struct pair *pair)
{
	return pair ? (int)(pair->a + pair->b) : 0;
}

NOINLINE int length(struct __sk_buff *skb)
{
	return (int)skb->len;
}

__attribute__((weak)) NOINLINE int chosen(int x)
{
	OPAQUE(x);
	return x + 1;
}

SEC("tc")
int global_calls(struct __sk_buff *skb)
{
	struct pair pair = { skb->mark, skb->ifindex };

	return sum(&pair) + length(skb) + chosen((int)skb->hash);
}

LICENSE;
