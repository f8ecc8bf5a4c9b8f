// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* XDP redirects through device, processor and socket maps, with programs that run in a map's entry. */
#include "features.h"

#define MAP(name, kind, size)				\
	struct {					\
		UINT(type, kind);			\
		UINT(max_entries, 4);			\
		UINT(key_size, sizeof(__u32));		\
		UINT(value_size, size);			\
	} name SEC(".maps")

MAP(devices, BPF_MAP_TYPE_DEVMAP, sizeof(__u32));
MAP(devices_programs, BPF_MAP_TYPE_DEVMAP, sizeof(struct bpf_devmap_val));
MAP(devices_hash, BPF_MAP_TYPE_DEVMAP_HASH, sizeof(struct bpf_devmap_val));
MAP(processors, BPF_MAP_TYPE_CPUMAP, sizeof(struct bpf_cpumap_val));
MAP(sockets, BPF_MAP_TYPE_XSKMAP, sizeof(__u32));

SEC("xdp")
int redirect(struct xdp_md *xdp)
{
	switch (xdp->rx_queue_index) {
	case 0:
		return (int)bpf_redirect_map(&devices, 1, XDP_PASS);
	case 1:
		return (int)bpf_redirect_map(&devices_programs, 1, XDP_DROP);
	case 2:
		return (int)bpf_redirect_map(&devices_hash, xdp->ingress_ifindex, 0);
	case 3:
		return (int)bpf_redirect_map(&processors, 0, 0);
	default:
		return (int)bpf_redirect_map(&sockets, xdp->rx_queue_index, XDP_PASS);
	}
}

SEC("xdp/devmap")
int at_device(struct xdp_md *xdp)
{
	return xdp->egress_ifindex == 1 ? XDP_DROP : XDP_PASS;
}

SEC("xdp/cpumap")
int at_processor(struct xdp_md *xdp)
{
	return xdp->data < xdp->data_end ? XDP_PASS : XDP_DROP;
}

LICENSE;
