// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A gate for UDP over IPv4, without IP options: what goes to port 4009 is always
 * dropped, and so is what goes to a port of one's choice; all else passes.  The
 * same for TC, TCX and XDP.
 * needs: Linux 4.15
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/pkt_cls.h>

#include "bpfstamp.bpf.h"
#include "helpers.h"

enum { PROTOCOL = 23, PORT = 36, HEADERS = 42, ALWAYS = 4009 };

static inline __attribute__((always_inline)) int dropped(const __u8 *data, const __u8 *end)
{
	__u16 port;

	if (data + HEADERS > end || data[PROTOCOL] != IPPROTO_UDP)
		return 0;
	port = (__u16)(data[PORT] << 8 | data[PORT + 1]);
	return port == ALWAYS || port == STAMP(__u16, port, 4010);
}

SEC("tc")
int filter_out(struct __sk_buff *skb)
{
	return dropped((void *)(long)skb->data, (void *)(long)skb->data_end) ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("xdp")
int filter_out_xdp(struct xdp_md *xdp)
{
	return dropped((void *)(long)xdp->data, (void *)(long)xdp->data_end) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
