// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Atomic operations: the add that all instruction sets have, and from v3 on those that return what was there. */
/* needs: Linux 5.12 from v3 on (atomic fetch) */
#include "features.h"

__u64 wide;
__u32 narrow;

SEC("tc")
int atomic(struct __sk_buff *skb)
{
	__u64 sum = 0;

	__sync_fetch_and_add(&wide, skb->len);
	__sync_fetch_and_add(&narrow, 1);
#if defined(__BPF_CPU_VERSION__) && __BPF_CPU_VERSION__ >= 3
	sum += __sync_fetch_and_add(&wide, skb->mark);
	sum += __sync_fetch_and_or(&narrow, 0x10);
	sum += __sync_fetch_and_and(&wide, ~7ULL);
	sum += __sync_fetch_and_xor(&narrow, 0x11);
	sum += __sync_lock_test_and_set(&wide, sum);
	sum += __sync_val_compare_and_swap(&wide, sum, 8);
#endif
	return (int)sum;
}

LICENSE;
