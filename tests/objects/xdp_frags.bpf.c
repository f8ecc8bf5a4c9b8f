// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 5.18 (XDP fragments) */
/* XDP programs that take packets of several buffers. */
#include "features.h"

static __u64 (*const bpf_xdp_get_buff_len)(struct xdp_md *xdp) = (void *)BPF_FUNC_xdp_get_buff_len;

SEC("xdp.frags")
int length(struct xdp_md *xdp)
{
	return bpf_xdp_get_buff_len(xdp) > 3000 ? XDP_DROP : XDP_PASS;
}

SEC("xdp.frags/devmap")
int length_at_device(struct xdp_md *xdp)
{
	return xdp->egress_ifindex == 1 ? XDP_DROP : XDP_PASS;
}

SEC("xdp.frags/cpumap")
int length_at_processor(struct xdp_md *xdp)
{
	return bpf_xdp_get_buff_len(xdp) ? XDP_PASS : XDP_DROP;
}

LICENSE;
