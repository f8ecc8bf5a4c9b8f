// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 5.14 (syscall programs, sk_reuseport/migrate) */
/* Program types and attach types that are newer than those of types.bpf.c. */
#include "features.h"

static long (*const bpf_sys_bpf)(__u32 command, void *attributes, __u32 size) = (void *)BPF_FUNC_sys_bpf;

SEC("sk_reuseport/migrate")
int migrate(struct sk_reuseport_md *reuse)
{
	return reuse->migrating_sk ? SK_PASS : SK_DROP;
}

SEC("syscall")
int from_user(void *ctx)
{
	union bpf_attr attributes = {};

	attributes.prog_id = *(__u32 *)ctx;
	return (int)bpf_sys_bpf(BPF_PROG_TEST_RUN, &attributes, sizeof(attributes));
}

LICENSE;
