// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* refused: by every verifier */
/*
 * Reads the packet without asking how long it is, which the verifier refuses.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "helpers.h"

__u32 limit = 7;

SEC("egress")
int filter_out(struct __sk_buff *skb)
{
	unsigned char *data = (void *)(long)skb->data;

	return data[20] > limit ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
