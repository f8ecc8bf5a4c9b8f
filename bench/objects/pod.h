/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the programs of the benchmark and those that load them agree on.
 */
#ifndef BENCH_POD_H
#define BENCH_POD_H

/* All of .rodata of pod.bpf.c, in the order of its variables. */
struct pod_values {
	__u32 vni, vlan;
	__u32 addr;		/* in network byte order */
};

/* The values of large.bpf.c, and what it makes of a packet's mark: 400 instructions for each of them. */
#define LARGE_VALUES 10
struct large_values {
	__u32 v[LARGE_VALUES];
};

#define LARGE_MIX(h) ((h) = ((h) ^ (h) >> 15) * 0x9E3779B1u)
#define LARGE_10(h) LARGE_MIX(h), LARGE_MIX(h), LARGE_MIX(h), LARGE_MIX(h), LARGE_MIX(h), \
	LARGE_MIX(h), LARGE_MIX(h), LARGE_MIX(h), LARGE_MIX(h), LARGE_MIX(h)
#define LARGE_STEP(h, value) ((h) ^= (value), LARGE_10(h), LARGE_10(h), LARGE_10(h), LARGE_10(h), LARGE_10(h), \
	LARGE_10(h), LARGE_10(h), LARGE_10(h), LARGE_10(h), LARGE_10(h))

#endif
