// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Addresses of symbols of the kernel, of which one is not there. */
#include "features.h"

extern const void schedule KSYM;
extern const void y_no_such_symbol KSYM WEAK;

__u64 y_seen[2];

SEC("tc")
int addresses(void)
{
	y_seen[0] = (__u64)&schedule;
	y_seen[1] = (__u64)&y_no_such_symbol;
	return 0;
}

LICENSE;
