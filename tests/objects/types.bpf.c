// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* needs: Linux 5.12 (bind4 that lets anyone have a low port) */
/*
 * One program of each type that is not for tracing, each with something that
 * only this type and expected attach type may do where there is such a thing.
 */
#include <linux/in.h>

#include "features.h"

#define MAP(name, kind, size)				\
	struct {					\
		UINT(type, kind);			\
		UINT(max_entries, 4);			\
		UINT(key_size, sizeof(__u32));		\
		UINT(value_size, size);			\
	} name SEC(".maps")

#define PROGRAM(section, name, context, verdict)	\
	SEC(section) int name(context *ctx)		\
	{						\
		(void)ctx;				\
		return verdict;				\
	}

static long (*const bpf_msg_redirect_hash)(struct sk_msg_md *msg, void *map, void *key, __u64 flags) =
	(void *)BPF_FUNC_msg_redirect_hash;
static long (*const bpf_sock_hash_update)(struct bpf_sock_ops *ops, void *map, void *key, __u64 flags) =
	(void *)BPF_FUNC_sock_hash_update;
static long (*const bpf_sk_redirect_map)(struct __sk_buff *skb, void *map, __u32 key, __u64 flags) =
	(void *)BPF_FUNC_sk_redirect_map;
static long (*const bpf_sk_select_reuseport)(struct sk_reuseport_md *reuse, void *map, void *key, __u64 flags) =
	(void *)BPF_FUNC_sk_select_reuseport;
static void *(*const bpf_get_local_storage)(void *map, __u64 flags) = (void *)BPF_FUNC_get_local_storage;
static long (*const bpf_sysctl_get_name)(struct bpf_sysctl *ctx, char *buf, __u64 len, __u64 flags) =
	(void *)BPF_FUNC_sysctl_get_name;
static long (*const bpf_skb_change_head)(struct __sk_buff *skb, __u32 len, __u64 flags) =
	(void *)BPF_FUNC_skb_change_head;

MAP(sockmap, BPF_MAP_TYPE_SOCKMAP, sizeof(__u32));
MAP(sockhash, BPF_MAP_TYPE_SOCKHASH, sizeof(__u64));
MAP(reuseport, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY, sizeof(__u32));

struct {
	UINT(type, BPF_MAP_TYPE_CGROUP_STORAGE);
	TYPE(key, struct bpf_cgroup_storage_key);
	TYPE(value, __u64);
} storage SEC(".maps");

struct {
	UINT(type, BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE);
	TYPE(key, struct bpf_cgroup_storage_key);
	TYPE(value, __u64);
} percpu_storage SEC(".maps");

PROGRAM("socket", socket_filter, struct __sk_buff, (int)ctx->len)
PROGRAM("action", tc_action, struct __sk_buff, TC_ACT_OK)
PROGRAM("lwt_in", into_tunnel, struct __sk_buff, BPF_OK)
PROGRAM("lwt_out", out_of_tunnel, struct __sk_buff, BPF_OK)
PROGRAM("lwt_seg6local", segment, struct __sk_buff, BPF_OK)
PROGRAM("flow_dissector", dissect, struct __sk_buff, ctx->flow_keys->thoff ? BPF_OK : BPF_DROP)
PROGRAM("sk_skb/stream_parser", parse, struct __sk_buff, (int)ctx->len)
PROGRAM("sk_lookup", lookup, struct bpf_sk_lookup, ctx->local_port == 7 ? SK_DROP : SK_PASS)
PROGRAM("cgroup_skb/ingress", skb_in, struct __sk_buff, 1)
PROGRAM("cgroup/skb", skb_either_way, struct __sk_buff, 1)
PROGRAM("cgroup/sock", sock, struct bpf_sock, ctx->family != 10)
PROGRAM("cgroup/sock_create", sock_create, struct bpf_sock, 1)
PROGRAM("cgroup/sock_release", sock_release, struct bpf_sock, 1)
PROGRAM("cgroup/post_bind4", bound4, struct bpf_sock, ctx->src_ip4 != 0)
PROGRAM("cgroup/post_bind6", bound6, struct bpf_sock, ctx->src_ip6[3] != 0)
PROGRAM("cgroup/bind4", bind4, struct bpf_sock_addr, ctx->user_ip4 ? 1 : 3)
PROGRAM("cgroup/bind6", bind6, struct bpf_sock_addr, ctx->user_ip6[0] != 0)
PROGRAM("cgroup/connect6", connect6, struct bpf_sock_addr, ctx->user_ip6[0] != 0)
PROGRAM("cgroup/sendmsg4", sendmsg4, struct bpf_sock_addr, ctx->msg_src_ip4 != 0)
PROGRAM("cgroup/sendmsg6", sendmsg6, struct bpf_sock_addr, ctx->msg_src_ip6[0] != 0)
PROGRAM("cgroup/recvmsg4", recvmsg4, struct bpf_sock_addr, 1)
PROGRAM("cgroup/recvmsg6", recvmsg6, struct bpf_sock_addr, 1)
PROGRAM("cgroup/getpeername4", getpeername4, struct bpf_sock_addr, 1)
PROGRAM("cgroup/getpeername6", getpeername6, struct bpf_sock_addr, 1)
PROGRAM("cgroup/getsockname4", getsockname4, struct bpf_sock_addr, 1)
PROGRAM("cgroup/getsockname6", getsockname6, struct bpf_sock_addr, 1)
PROGRAM("cgroup/getsockopt", getsockopt, struct bpf_sockopt, ctx->retval == 0)
PROGRAM("cgroup/setsockopt", setsockopt, struct bpf_sockopt, ctx->optlen > 0)
PROGRAM("cgroup/dev", device, struct bpf_cgroup_dev_ctx, ctx->major != 1)

SEC("lwt_xmit")
int transmit(struct __sk_buff *skb)
{
	return bpf_skb_change_head(skb, 14, 0) ? BPF_DROP : BPF_OK;
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	if (ctx->user_port == 7)
		ctx->user_ip4 = 0x0100007f;
	return 1;
}

SEC("cgroup/sysctl")
int control(struct bpf_sysctl *ctx)
{
	char name[16];

	return bpf_sysctl_get_name(ctx, name, sizeof(name), 0) < 0 || !ctx->write;
}

SEC("cgroup_skb/egress")
int skb_out(struct __sk_buff *skb)
{
	__u64 *total = bpf_get_local_storage(&storage, 0), *mine = bpf_get_local_storage(&percpu_storage, 0);

	__sync_fetch_and_add(total, skb->len);
	*mine += skb->len;
	return *mine < 1000000;
}

SEC("sockops")
int established(struct bpf_sock_ops *ops)
{
	__u32 key = ops->local_port;

	if (ops->op == BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB)
		bpf_sock_hash_update(ops, &sockhash, &key, BPF_ANY);
	return 0;
}

SEC("sk_skb/stream_verdict")
int stream_verdict(struct __sk_buff *skb)
{
	return (int)bpf_sk_redirect_map(skb, &sockmap, skb->remote_port & 3, 0);
}

SEC("sk_msg")
int message(struct sk_msg_md *msg)
{
	__u32 key = msg->remote_port;

	return (int)bpf_msg_redirect_hash(msg, &sockhash, &key, BPF_F_INGRESS);
}

SEC("sk_reuseport")
int choose(struct sk_reuseport_md *reuse)
{
	__u32 key = reuse->hash & 3;

	return bpf_sk_select_reuseport(reuse, &reuseport, &key, 0) ? SK_DROP : SK_PASS;
}

LICENSE;
