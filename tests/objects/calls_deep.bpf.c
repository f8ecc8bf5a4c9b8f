// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Subprograms of all kinds, several levels deep, that two programs share: each
 * program gets its own copies, in the order in which it reaches them.
 */
#include "features.h"

NOINLINE int unused_by_all(int x)
{
	OPAQUE(x);
	return x;
}

static NOINLINE int leaf(int x)
{
	OPAQUE(x);
	return x * 3;
}

NOINLINE int middle(int x)
{
	OPAQUE(x);
	return leaf(x) + leaf(x + 1);
}

static NOINLINE int upper(int x)
{
	OPAQUE(x);
	return middle(x) - leaf(x);
}

static NOINLINE int other(int x)
{
	OPAQUE(x);
	return upper(x) ^ 5;
}

SEC("tc")
int from_top(struct __sk_buff *skb)
{
	return other((int)skb->mark) + upper((int)skb->len);
}

SEC("tc")
int from_below(struct __sk_buff *skb)
{
	return leaf((int)skb->mark) + other((int)skb->len);
}

SEC("classifier")
int alone(struct __sk_buff *skb)
{
	return (int)skb->len;
}

LICENSE;
