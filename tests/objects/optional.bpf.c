// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that are loaded only when somebody asks for them. */
#include "features.h"

volatile __u32 shared = 1;

SEC("tc")
int always(struct __sk_buff *skb)
{
	return skb->mark == shared ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("?tc")
int sometimes(struct __sk_buff *skb)
{
	return skb->len == shared ? TC_ACT_SHOT : TC_ACT_OK;
}

LICENSE;
