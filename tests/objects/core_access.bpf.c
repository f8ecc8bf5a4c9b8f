// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Loads and addresses of the kernel's fields: flavors, arrays, anonymous members, other sizes, what is missing. */
#include "helpers.h"

#define CORE __attribute__((preserve_access_index))

struct net_device {
	int ifindex;
	char name[16];
} CORE;

/* In the kernel dev, len, cb and mark stand elsewhere; dev and others in anonymous unions and structs. */
struct sk_buff {
	struct {
		union {
			struct net_device *dev;
			__u64 unused;
		};
	};
	unsigned short len;	/* of 4 bytes in the kernel */
	char cb[48];
	__u64 mark;		/* likewise */
} CORE;

struct sk_buff___gone {
	int data_len;
	int no_such_field;
	struct sk_buff *mark;	/* no pointer in the kernel */
} CORE;

struct task_struct___mine {
	int pid;
	char comm[16];
	struct task_struct___mine *group_leader;
} CORE;

/* Read by a tracing program without a helper, as BTF pointers are. */
SEC("tp_btf/netif_receive_skb")
int loads(__u64 *ctx)
{
	struct sk_buff *skb = (void *)ctx[0];

	return (int)(skb->len + skb->mark + (__u64)skb->dev->ifindex + (__u64)skb->dev->name[3] + (__u64)skb->cb[47]);
}

SEC("tp_btf/sched_switch")
int addresses(__u64 *ctx)
{
	struct task_struct___mine *task = (void *)ctx[1];

	return (int)(long)((char *)&task->group_leader->comm[5] - (char *)task) + task->group_leader->pid;
}

SEC("tp_btf/kfree_skb")
int missing(__u64 *ctx)
{
	struct sk_buff___gone *skb = (void *)ctx[0];

	if (__builtin_preserve_field_info(skb->no_such_field, 2))
		return skb->no_such_field;
	if (__builtin_preserve_field_info(skb->mark, 2))
		return (int)(long)skb->mark;
	return skb->data_len;
}

char _license[] SEC("license") = "Dual BSD/GPL";
