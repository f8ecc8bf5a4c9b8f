// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* More than 4096 instructions, which was the limit before Linux 5.2, and jumps over most of them. */
#include "features.h"

#define ROUND(n) do { hash = hash * 31 + skb->n; OPAQUE(hash); } while (0);
#define TEN(x) x x x x x x x x x x
#define MORE TEN(ROUND(len) ROUND(mark) ROUND(hash) ROUND(ifindex) ROUND(protocol))

volatile __u32 skip = 1;

SEC("tc")
int thousands(struct __sk_buff *skb)
{
	__u32 hash = skb->queue_mapping;

	if (skip == 2)
		goto out;
	TEN(MORE MORE MORE)
out:
	return (int)hash;
}

LICENSE;
