// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 5.12 (per-CPU variables in the BTF of the kernel), CONFIG_KALLSYMS_ALL (their addresses) */
/* Per-CPU variables of the kernel, found by type: a number, a struct, and one that is not there. */
#include "features.h"

struct rq {
	unsigned int nr_running;
};

extern const int bpf_prog_active KSYM;
extern const struct rq runqueues KSYM;
extern const int y_no_such_variable KSYM WEAK;

static const void *(*const bpf_per_cpu_ptr)(const void *percpu, __u32 cpu) = (void *)BPF_FUNC_per_cpu_ptr;

__u64 y_seen[3];

SEC("tc")
int variables(void)
{
	y_seen[0] = bpf_per_cpu_ptr(&bpf_prog_active, 0) != 0;
	y_seen[1] = bpf_per_cpu_ptr(&runqueues, 0) != 0;
	y_seen[2] = &y_no_such_variable != 0;
	return 0;
}

LICENSE;
