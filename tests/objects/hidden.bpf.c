// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Hidden functions and variables: global in the object, local to its programs, so not verified by themselves. */
#include "features.h"

#define HIDDEN __attribute__((visibility("hidden")))

HIDDEN volatile __u32 hidden_data = 3;
HIDDEN volatile __u32 hidden_bss;

HIDDEN NOINLINE int through(__u32 *at)
{
	return (int)*at + (int)hidden_data;
}

SEC("tc")
int calls_hidden(struct __sk_buff *skb)
{
	__u32 mark = skb->mark;

	hidden_bss = mark;
	return through(&mark);
}

LICENSE;
