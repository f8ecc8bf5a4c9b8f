// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Names as long as the kernel's and longer, of programs, functions, maps and data; and maps that nobody uses. */
#include "features.h"

volatile __u32 a_variable_with_a_name_that_is_long SEC(".data.fifteen_letters") = 1;

struct {
	UINT(type, BPF_MAP_TYPE_ARRAY);
	UINT(max_entries, 1);
	TYPE(key, __u32);
	TYPE(value, __u32);
} map_fifteen_chr SEC(".maps"), map_sixteen_char SEC(".maps"), map_that_nobody_uses_at_all SEC(".maps");

static NOINLINE int a_function_with_a_name_that_is_long(int x)
{
	OPAQUE(x);
	return x + (int)a_variable_with_a_name_that_is_long;
}

SEC("tc")
int program_with_a_name_that_is_long(struct __sk_buff *skb)
{
	__u32 zero = 0, *first = bpf_map_lookup_elem(&map_fifteen_chr, &zero);
	__u32 *second = bpf_map_lookup_elem(&map_sixteen_char, &zero);

	return a_function_with_a_name_that_is_long(first && second ? (int)(*first + *second) : (int)skb->len);
}

LICENSE;
