// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* STAMP() of every type, with several sites of one name, and one in a function that is called. */
#include <linux/bpf.h>

#include "bpfstamp.bpf.h"
#include "helpers.h"

static __attribute__((noinline)) __u32 vni_of(__u32 mark)
{
	return mark ^ STAMP_BITS(__u32, vni, 24, 0x123456);
}

SEC("tc")
int stamps(struct __sk_buff *skb)
{
	__u64 sum = STAMP(__u8, t_u8, 0xf8);

	sum += STAMP(__u16, t_u16, 0xf616);
	sum += STAMP(__u32, t_u32, 0xFEDCBA98);
	sum += STAMP(__u64, t_u64, 0xFEDCBA9876543210);
	sum += (__u64)STAMP(__s8, t_s8, -8);
	sum += (__u64)STAMP(__s16, t_s16, -16);
	sum += (__u64)STAMP(__s32, t_s32, -32);
	sum += (__u64)STAMP(__s64, t_s64, -64);
	sum += STAMP(_Bool, t_bool, 1);
	sum += STAMP_BITS(__u16, vlan, 12, 1);
	sum ^= STAMP_BITS(__u32, vni, 24, 0x123456);
	sum *= vni_of(skb->mark);
	return (int)sum;
}

char _license[] SEC("license") = "Dual BSD/GPL";
