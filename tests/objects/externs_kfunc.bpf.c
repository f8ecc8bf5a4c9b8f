// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 6.4 (bpf_dynptr_from_skb), a JIT */
/* A function of the kernel, and one that is not there. */
#include "features.h"

extern int bpf_dynptr_from_skb(struct __sk_buff *skb, __u64 flags, struct bpf_dynptr *ptr) KSYM;
extern int y_no_such_kfunc(int number) KSYM WEAK;

SEC("tc")
int kfuncs(struct __sk_buff *skb)
{
	struct bpf_dynptr ptr;

	if (bpf_dynptr_from_skb(skb, 0, &ptr))
		return TC_ACT_SHOT;
	return y_no_such_kfunc ? y_no_such_kfunc(7) : 7;
}

LICENSE;
