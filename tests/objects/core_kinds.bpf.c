// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* refused: what reads an enumerator that no kernel has becomes a call of no function */
/* Every kind of CO-RE record, about types that any kernel of today has. */
#include "helpers.h"

#define CORE __attribute__((preserve_access_index))

/* The second argument of the builtins; numbers of their own, not those of the records. */
enum { FIELD_OFFSET, FIELD_SIZE, FIELD_EXISTS, FIELD_SIGNED, FIELD_LSHIFT, FIELD_RSHIFT };
enum { TYPE_EXISTS, TYPE_SIZE, TYPE_MATCHES };
enum { TYPE_ID_LOCAL, TYPE_ID_TARGET };
enum { ENUM_EXISTS, ENUM_VALUE };

struct list_head {
	struct list_head *next, *prev;
} CORE;

struct sk_buff {
	unsigned int len;
	__u8 cloned: 1, pkt_type: 3;
	__u32 mark;
} CORE;

struct task_struct {
	int pid;
	char comm[16];
	struct list_head tasks;
} CORE;

struct no_such_type {
	int x;
} CORE;

typedef int pid_t;

enum core_func_id___x {
	BPF_FUNC_no_such_helper___x = 7,
};

enum bpf_func_id___local {
	BPF_FUNC_get_smp_processor_id___local = 1,
	BPF_FUNC_no_such_helper___local = 2,
};

enum perf_callchain_context {
	PERF_CONTEXT_KERNEL = (__u64)-128,
};

__u64 results[64];

#define FIELDS(at, field) do { \
	results[(at) + 0] = __builtin_preserve_field_info(field, FIELD_OFFSET); \
	results[(at) + 1] = __builtin_preserve_field_info(field, FIELD_SIZE); \
	results[(at) + 2] = __builtin_preserve_field_info(field, FIELD_EXISTS); \
	results[(at) + 3] = __builtin_preserve_field_info(field, FIELD_SIGNED); \
	results[(at) + 4] = __builtin_preserve_field_info(field, FIELD_LSHIFT); \
	results[(at) + 5] = __builtin_preserve_field_info(field, FIELD_RSHIFT); \
} while (0)

#define TYPES(at, type) do { \
	results[(at) + 0] = __builtin_preserve_type_info(*(type *)0, TYPE_EXISTS); \
	results[(at) + 1] = __builtin_preserve_type_info(*(type *)0, TYPE_SIZE); \
	results[(at) + 2] = __builtin_btf_type_id(*(type *)0, TYPE_ID_LOCAL); \
	results[(at) + 3] = __builtin_btf_type_id(*(type *)0, TYPE_ID_TARGET); \
	results[(at) + 4] = __builtin_preserve_type_info(*(type *)0, TYPE_MATCHES); \
} while (0)

#define ENUMS(at, type, value) do { \
	results[(at) + 0] = __builtin_preserve_enum_value(*(type *)value, ENUM_EXISTS); \
	results[(at) + 1] = __builtin_preserve_enum_value(*(type *)value, ENUM_VALUE); \
} while (0)

SEC("tc")
int fields(struct __sk_buff *ctx)
{
	struct sk_buff *skb = (void *)(long)ctx->mark;
	struct task_struct *task = (void *)(long)ctx->mark;

	FIELDS(0, skb->mark);
	FIELDS(6, skb->pkt_type);
	FIELDS(12, skb->cloned);
	FIELDS(18, task->pid);
	results[24] = __builtin_preserve_field_info(task->tasks.prev, FIELD_OFFSET);
	results[25] = __builtin_preserve_field_info(task->comm, FIELD_SIZE);
	results[26] = __builtin_preserve_field_info(task->comm[3], FIELD_OFFSET);
	return 0;
}

SEC("tc/types")
int types(void)
{
	TYPES(30, struct sk_buff);
	TYPES(35, struct list_head);
	TYPES(40, pid_t);
	TYPES(45, struct no_such_type);
	return 0;
}

SEC("tc/enums")
int enums(void)
{
	ENUMS(50, enum bpf_func_id___local, BPF_FUNC_get_smp_processor_id___local);
	ENUMS(52, enum bpf_func_id___local, BPF_FUNC_no_such_helper___local);
	ENUMS(54, enum core_func_id___x, BPF_FUNC_no_such_helper___x);
	ENUMS(56, enum perf_callchain_context, PERF_CONTEXT_KERNEL);
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
