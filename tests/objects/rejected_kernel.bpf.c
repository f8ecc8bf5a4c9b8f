// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* refused: by every kernel, though all of it can be linked */
/*
 * Programs that need what no kernel has, and a function that they may not call.
 */
#include "features.h"

#define KSYM __attribute__((section(".ksyms")))

struct task_struct {
	int bpfstamp_has_no_such_field;
} __attribute__((preserve_access_index));

struct sock_common {
	int skc_family;
};

extern int bpfstamp_no_such_function(int x) KSYM __attribute__((weak));
extern int bpf_sock_destroy(struct sock_common *sock) KSYM;

SEC("tc")
int field(void)
{
	struct task_struct *task = 0;

	return __builtin_preserve_field_info(task->bpfstamp_has_no_such_field, 0);
}

SEC("tc")
int untested(struct __sk_buff *skb)
{
	return bpfstamp_no_such_function(skb->mark);
}

SEC("tc")
int forbidden(struct __sk_buff *skb)
{
	return bpf_sock_destroy((struct sock_common *)skb);
}

LICENSE;
