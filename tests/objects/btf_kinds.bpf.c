// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Types of every kind of BTF: float, enum of 64 bits, declaration and type tags, forwards, unions, bitfields. */
#include "features.h"

#define TAG __attribute__((btf_decl_tag("tagged")))

enum wide { SMALL = 1, LARGE = 0x100000000 };
enum negative { MINUS = -1, PLUS = 1 };
struct unknown;
typedef int (*handler)(struct unknown *, const volatile char *);

struct everything {
	float single;
	double twice;
	enum wide wide;
	enum negative negative;
	union {
		__u32 word;
		__u8 bytes[4];
	};
	unsigned int low : 3, high : 5;
	struct unknown *restrict pointer;
	handler handler;
	int __attribute__((btf_type_tag("user"))) *user;
	struct everything *self;
	_Bool flag;
} TAG;

struct everything everything TAG;
static volatile const struct everything constant = { .word = 7, .low = 2 };

static NOINLINE TAG int tagged(struct everything *of TAG, int x TAG)
{
	OPAQUE(x);
	return of->high + x;
}

SEC("tc")
int kinds(struct __sk_buff *skb)
{
	everything.wide = skb->mark ? LARGE : SMALL;
	everything.negative = MINUS;
	return tagged(&everything, (int)skb->len) + (int)constant.word + constant.low;
}

LICENSE;
