// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* refused: it calls a helper that is only for programs under the GPL */
#include "features.h"

SEC("tc")
int print(void)
{
	const char format[] = "packet\n";

	return bpf_trace_printk(format, sizeof(format));
}

char _license[] SEC("license") = "Proprietary";
