// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Loops that the verifier follows to their end, one within the other, and a far jump back. */
#include "features.h"

SEC("tc")
int bounded(struct __sk_buff *skb)
{
	__u32 sum = skb->mark, limit = skb->len & 63;

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < limit; i++) {
#pragma clang loop unroll(disable)
		for (__u32 j = 0; j < 4; j++) {
			OPAQUE(sum);
			sum = sum * 31 + j;
		}
		if (sum == 7)
			break;
	}
	return (int)sum;
}

LICENSE;
