// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Constants that are undefined symbols: strong, weak, and one of two sites. */
#include <linux/bpf.h>

#include "helpers.h"

#define SYMBOL(name) ({ __u64 value_; __asm__ volatile("%0 = " #name " ll" : "=r"(value_)); value_; })

__asm__(".weak y_weak");

__u32 y_data = 3;

SEC("tc")
int symbols(struct __sk_buff *skb)
{
	return (int)(SYMBOL(y_strong) + SYMBOL(y_weak) * skb->mark + y_data);
}

SEC("tc")
int again(void)
{
	return (int)SYMBOL(y_strong);
}

char _license[] SEC("license") = "Dual BSD/GPL";
