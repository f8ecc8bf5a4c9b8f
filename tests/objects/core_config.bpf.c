// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* refused: it reads a struct that no kernel has */
/*
 * Values whose place CO-RE decides: a variable of a relocated struct, which must
 * not become an immediate, and an offset that equals a placeholder by chance.
 */
#include "features.h"

#define RELOCATED __attribute__((preserve_access_index))

struct config {
	__u32 vni;
	__u32 peers[4];
	__u32 vlan;
} RELOCATED;

struct plain {
	__u32 first, second;
};

struct far {
	char before[0xBEE4];
	__u32 field;
} RELOCATED;

const volatile struct config config = { 1, { 2, 3, 4, 5 }, 6 };
const volatile struct plain plain SEC(".rodata.plain") = { 7, 8 };

SEC("tc")
int relocated(struct __sk_buff *skb)
{
	struct far *far = (void *)(long)skb->mark;

	if (skb->len == 0xBEE4)
		return __builtin_preserve_field_info(far->field, 0);
	return config.vni + config.vlan + config.peers[2] + plain.second;
}

LICENSE;
