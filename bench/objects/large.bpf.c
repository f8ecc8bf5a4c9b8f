// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A program of 4,000 instructions with ten values, each of which decides on the
 * mark that a packet gets.  There is no branch, so that the verifier's part in
 * loading it is as small as it can be for so many.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "bpf/helpers.h"
#include "bench/objects/pod.h"

const volatile __u32 v0 = 0, v1 = 0, v2 = 0, v3 = 0, v4 = 0, v5 = 0, v6 = 0, v7 = 0, v8 = 0, v9 = 0;

SEC("tc")
int large(struct __sk_buff *skb)
{
	__u32 h = skb->mark;

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
