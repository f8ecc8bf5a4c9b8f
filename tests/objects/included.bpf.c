// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Lines of several files: inlined code and a subprogram from a header, and what #line says. */
#include "features.h"
#include "included.h"

SEC("tc")
int lines(struct __sk_buff *skb)
{
	int sum = within((int)skb->mark);

#line 1000 "elsewhere.c"
	return called(sum) + (int)skb->len;
}

LICENSE;
