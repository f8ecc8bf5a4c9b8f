// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 6.7 (tcx, netkit, netfilter, UNIX sockets) */
/* Program types and attach types that libbpf has known since 1.3, or 1.4. */
#include "features.h"

struct nf_hook_state;
struct sk_buff;

struct bpf_nf_ctx {
	const struct nf_hook_state *state;
	struct sk_buff *skb;
};

SEC("netfilter")
int nf_hook(struct bpf_nf_ctx *ctx)
{
	return ctx->skb ? 1 : 0;
}

SEC("tcx/ingress")
int tcx_in(struct __sk_buff *skb)
{
	return skb->mark ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("tc/egress")
int tcx_out(struct __sk_buff *skb)
{
	return skb->mark ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("netkit/peer")
int netkit_peer(struct __sk_buff *skb)
{
	return skb->mark ? TC_ACT_SHOT : TC_ACT_OK;
}

SEC("sk_skb/verdict")
int verdict(struct __sk_buff *skb)
{
	return skb->len ? SK_PASS : SK_DROP;
}

SEC("cgroup/connect_unix")
int connect_unix(struct bpf_sock_addr *ctx)
{
	return ctx->family == 1;
}

SEC("cgroup/getpeername_unix")
int getpeername_unix(struct bpf_sock_addr *ctx)
{
	(void)ctx;
	return 1;
}

LICENSE;
