// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What cannot be set: a constant that is not volatile, whose value the compiler
 * put into the instructions while keeping a variable that nothing reads; and
 * two things of one name.  There are two programs, too.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include "bpfstamp.bpf.h"
#include "helpers.h"

const __u32 folded = 0xFEDCBA98;
volatile __u32 twin = 1;

SEC("egress")
int filter_out(struct __sk_buff *skb)
{
	return skb->mark == folded + twin ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("ingress")
int filter_in(struct __sk_buff *skb)
{
	return skb->mark == STAMP(__u32, twin, 2) ? TC_ACT_SHOT : TC_ACT_OK;
}

char _license[] SEC("license") = "Dual BSD/GPL";
