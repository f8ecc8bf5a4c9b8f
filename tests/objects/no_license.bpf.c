// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* No licence, so no helper that wants the GPL: the least that is a program. */
#include "features.h"

SEC("tc")
int nothing(struct __sk_buff *skb)
{
	return skb->mark ? TC_ACT_SHOT : TC_ACT_OK;
}
