// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Data in every section that becomes a map, those with a name of their own
 * included: neighbours, statics, statics of functions, odd sizes and alignments.
 */
#include "features.h"

struct odd {
	__u8 bytes[5];
} __attribute__((packed));

volatile __u32 d_number = 0x01020304;
volatile struct odd d_odd = { { 1, 2, 3, 4, 5 } };
volatile __u64 d_aligned __attribute__((aligned(64))) = 64;
static volatile __u16 d_static = 7;
volatile __u32 d_custom SEC(".data.custom") = 8;
static volatile __u8 d_custom_static SEC(".data.custom") = 9;
volatile __u32 d_alone SEC(".data.a_rather_long_name") = 10;

const volatile __u32 r_number = 11;
static const volatile __u8 r_static = 12;
const volatile char r_text[] = "read only";
const volatile __u32 r_custom SEC(".rodata.custom") = 13;

volatile __u32 b_number;
static volatile __u64 b_static;
volatile __u8 b_array[4099];

static NOINLINE __u32 next(void)
{
	static volatile __u32 count = 1;
	static volatile __u32 total;

	total += count;
	return ++count;
}

SEC("tc")
int sections(struct __sk_buff *skb)
{
	__u64 sum = d_number + d_odd.bytes[4] + d_aligned + d_static + d_custom + d_custom_static + d_alone;

	sum += r_number + r_static + (__u64)r_text[skb->mark & 7] + r_custom;
	b_number++;
	b_static += sum;
	b_array[skb->hash & 4095] = 1;
	return (int)(sum + b_array[4098] + next());
}

LICENSE;
