// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* refused: by every verifier */
/*
 * A program for each common reason of the verifier to refuse one.
 */
#include "features.h"

#define RAW(text) __asm__ volatile(text ::: "r0", "r1", "r2", "r3", "r4", "r5")

static long (*const bpf_xdp_adjust_head)(void *ctx, int delta) = (void *)BPF_FUNC_xdp_adjust_head;
static long (*const bpf_no_such_helper)(void) = (void *)100000;
static struct bpf_sock *(*const bpf_sk_lookup_tcp)(void *ctx, void *tuple, __u32 size, __u64 netns, __u64 flags) =
	(void *)BPF_FUNC_sk_lookup_tcp;

struct value {
	__u8 bytes[16];
};

struct {
	UINT(type, BPF_MAP_TYPE_ARRAY);
	UINT(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, struct value);
} array SEC(".maps");

SEC("tc")
int value_bounds(struct __sk_buff *skb)
{
	__u32 zero = 0;
	struct value *v = bpf_map_lookup_elem(&array, &zero);

	return v ? v->bytes[skb->mark & 31] : 0;
}

SEC("tc")
int null_untested(struct __sk_buff *skb)
{
	__u32 index = skb->mark;
	struct value *v = bpf_map_lookup_elem(&array, &index);

	return v->bytes[1];
}

SEC("tc")
int number_as_pointer(struct __sk_buff *skb)
{
	return *(__u8 *)(long)skb->mark;
}

SEC("tc")
int no_such_field(struct __sk_buff *skb)
{
	return ((__u32 *)skb)[100];
}

SEC("tc")
int no_value(void)
{
	RAW("r0 = r5");
	return 0;
}

SEC("tc")
int helper_of_xdp(struct __sk_buff *skb)
{
	return bpf_xdp_adjust_head(skb, 0);
}

SEC("tc")
int helper_unknown(void)
{
	return bpf_no_such_helper();
}

SEC("tc")
int unreachable(void)
{
	RAW("r0 = 0; exit; r0 = 1");
	return 0;
}

SEC("tc")
int endless(void)
{
	RAW("r1 = 0; 1: if r1 == 0 goto 1b");
	return 0;
}

/* More branches than the verifier puts off. */
SEC("tc")
int too_complex(struct __sk_buff *skb)
{
	RAW(".rept 8200; r2 = *(u32 *)(r1 + 0); if r2 > 5 goto +0; .endr");
	return skb->mark;
}

SEC("tc")
int unknown_opcode(void)
{
	RAW(".byte 0x8d, 0, 0, 0, 0, 0, 0, 0");
	return 0;
}

SEC("tc")
int unreleased(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = { 0 };

	return bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), BPF_F_CURRENT_NETNS, 0) ? 1 : 2;
}

static NOINLINE int large_frame(int x)
{
	volatile char frame[300];

	frame[x & 15] = 1;
	return frame[x & 31];
}

SEC("tc")
int stack(struct __sk_buff *skb)
{
	volatile char frame[300];

	frame[skb->mark & 15] = 1;
	return large_frame(skb->len) + frame[skb->mark & 31];
}

LICENSE;
