#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# mib.sh: print the C source of an object of about 1 MiB, two thirds of it types,
# as objects of large projects have: 2,400 structures that refer to one another,
# 650 programs, each with a value and a call of a function.
set -eu
awk 'BEGIN {
	print "// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause"
	print "#include <linux/bpf.h>\n#include \"bpf/helpers.h\""
	print "struct type_0 { __u32 first; };"
	for (i = 1; i <= 2400; i++) {
		printf "struct type_%d {", i
		for (j = 0; j < 10; j++)
			printf " __u%d member_%d_of_%d;", 8 * 2 ^ (j % 4), j, i
		printf " struct type_%d *previous_of_%d; };\n", i - 1, i
	}
	print "const volatile struct type_2400 *const volatile last = 0;"
	print "__attribute__((noinline)) static int common(struct __sk_buff *skb, __u32 value)\n{"
	print "\treturn skb->mark == value ? skb->len : skb->priority;\n}"
	for (i = 0; i < 650; i++) {
		printf "const volatile __u32 value_%d = %d;\nstruct type_%d *use_%d;\n", i, i, 3 * i + 1, i
		printf "SEC(\"tc\") int program_%d(struct __sk_buff *skb)\n{\n", i
		for (j = 0; j < 4; j++)
			printf "\tskb->cb[%d] = skb->len * value_%d;\n", j, i
		printf "\treturn common(skb, value_%d);\n}\n", i
	}
	print "char _license[] SEC(\"license\") = \"Dual BSD/GPL\";"
}'
