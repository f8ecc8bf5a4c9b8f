/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The three values of a pod: variables or, in a shared program, what a preamble
 * left in the packet's cb.
 */
#ifndef BENCH_VALUES_H
#define BENCH_VALUES_H

#ifdef SHARED
#define vni skb->cb[0]
#define vlan skb->cb[1]
#define addr skb->cb[2]
#else
const volatile __u32 vni = 0, vlan = 0;
const volatile __be32 addr = 0;
#endif

#endif
