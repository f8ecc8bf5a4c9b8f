// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* String literals and other constants that the compiler makes mergeable (.rodata.str1.1, .rodata.cst16). */
#include "features.h"

struct block {
	__u64 words[2];
};

static NOINLINE int first(const char *text)
{
	OPAQUE(text);
	return *text;
}

SEC("tc")
int literals(struct __sk_buff *skb)
{
	struct block block = { { 0x1122334455667788, 0x99aabbccddeeff00 } };
	static const char *const names[] = { "zero", "one" };
	const char *text = skb->mark ? "an odd one" : "an even one";

	OPAQUE(text);
	__asm__ volatile("" : : "r"(&block) : "memory");
	bpf_trace_printk("a literal\n", sizeof("a literal\n"));
	return first("first") + first(names[0]) + text[1] + (int)block.words[skb->len & 1];
}

LICENSE;
