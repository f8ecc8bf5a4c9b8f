// SPDX-License-Identifier: BSD-2-Clause
/*
 * Section names, and names for the kernel's numbers.
 *
 * The table is a list of rules, tried in order.  A pattern that ends in + matches
 * the name alone or with a / and more behind it; any other matches only itself.
 * Where libbpf of today takes nothing behind the name, but older ones and other
 * loaders do (tc/foo, xdp/bar), the pattern ends in +, too.  Numbers are those
 * of enum bpf_prog_type and enum bpf_attach_type; those that the uapi headers
 * of Linux 6.1 lack are written out.
 *
 * Names that are no program type of their own, such as the `egress` of many
 * examples, are not here: they get their type from the use that a program is
 * put to.  What stands behind the name (kprobe/FUNCTION) is not looked at.
 */
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>

#include "include/bpfstamp.h"
#include "loader/sectype.h"

enum {
	PROG_NETFILTER = 32,
};

enum {
	NETFILTER_HOOK = 45,
	TCX_INGRESS = 46,
	TCX_EGRESS = 47,
	UPROBE_MULTI = 48,
	UNIX_CONNECT = 49,
	UNIX_SENDMSG = 50,
	UNIX_RECVMSG = 51,
	UNIX_GETPEERNAME = 52,
	UNIX_GETSOCKNAME = 53,
	NETKIT_PRIMARY = 54,
	NETKIT_PEER = 55,
	KPROBE_SESSION = 56,
	UPROBE_SESSION = 57,
	TRACE_FSESSION = 58,
};

static const struct rule {
	const char *pattern;
	uint32_t prog, attach, flags;
} rules[] = {
	/* Packets and sockets. */
	{ "socket+", BPF_PROG_TYPE_SOCKET_FILTER, 0, 0 },
	{ "sk_reuseport/migrate", BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT_OR_MIGRATE, 0 },
	{ "sk_reuseport", BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT, 0 },
	{ "tcx/ingress", BPF_PROG_TYPE_SCHED_CLS, TCX_INGRESS, 0 },
	{ "tcx/egress", BPF_PROG_TYPE_SCHED_CLS, TCX_EGRESS, 0 },
	{ "tc/ingress", BPF_PROG_TYPE_SCHED_CLS, TCX_INGRESS, 0 },
	{ "tc/egress", BPF_PROG_TYPE_SCHED_CLS, TCX_EGRESS, 0 },
	{ "netkit/primary", BPF_PROG_TYPE_SCHED_CLS, NETKIT_PRIMARY, 0 },
	{ "netkit/peer", BPF_PROG_TYPE_SCHED_CLS, NETKIT_PEER, 0 },
	{ "tc+", BPF_PROG_TYPE_SCHED_CLS, 0, 0 },
	{ "classifier+", BPF_PROG_TYPE_SCHED_CLS, 0, 0 },
	{ "action+", BPF_PROG_TYPE_SCHED_ACT, 0, 0 },
	{ "xdp.frags/devmap", BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, BPF_F_XDP_HAS_FRAGS },
	{ "xdp/devmap", BPF_PROG_TYPE_XDP, BPF_XDP_DEVMAP, 0 },
	{ "xdp.frags/cpumap", BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP, BPF_F_XDP_HAS_FRAGS },
	{ "xdp/cpumap", BPF_PROG_TYPE_XDP, BPF_XDP_CPUMAP, 0 },
	{ "xdp.frags+", BPF_PROG_TYPE_XDP, BPF_XDP, BPF_F_XDP_HAS_FRAGS },
	{ "xdp+", BPF_PROG_TYPE_XDP, BPF_XDP, 0 },
	{ "lwt_in+", BPF_PROG_TYPE_LWT_IN, 0, 0 },
	{ "lwt_out+", BPF_PROG_TYPE_LWT_OUT, 0, 0 },
	{ "lwt_xmit+", BPF_PROG_TYPE_LWT_XMIT, 0, 0 },
	{ "lwt_seg6local+", BPF_PROG_TYPE_LWT_SEG6LOCAL, 0, 0 },
	{ "sockops", BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS, 0 },
	{ "sk_skb/stream_parser", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_STREAM_PARSER, 0 },
	{ "sk_skb/stream_verdict", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_STREAM_VERDICT, 0 },
	{ "sk_skb/verdict", BPF_PROG_TYPE_SK_SKB, BPF_SK_SKB_VERDICT, 0 },
	{ "sk_skb+", BPF_PROG_TYPE_SK_SKB, 0, 0 },
	{ "sk_msg+", BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT, 0 },
	{ "sk_lookup+", BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP, 0 },
	{ "flow_dissector+", BPF_PROG_TYPE_FLOW_DISSECTOR, BPF_FLOW_DISSECTOR, 0 },
	{ "netfilter", PROG_NETFILTER, NETFILTER_HOOK, 0 },
	{ "lirc_mode2", BPF_PROG_TYPE_LIRC_MODE2, BPF_LIRC_MODE2, 0 },
	{ "syscall", BPF_PROG_TYPE_SYSCALL, 0, BPF_F_SLEEPABLE },

	/* What a cgroup may do. */
	{ "cgroup_skb/ingress", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_INGRESS, 0 },
	{ "cgroup_skb/egress", BPF_PROG_TYPE_CGROUP_SKB, BPF_CGROUP_INET_EGRESS, 0 },
	{ "cgroup/skb", BPF_PROG_TYPE_CGROUP_SKB, 0, 0 },
	{ "cgroup/sock_create", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, 0 },
	{ "cgroup/sock_release", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_RELEASE, 0 },
	{ "cgroup/sock", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET_SOCK_CREATE, 0 },
	{ "cgroup/post_bind4", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND, 0 },
	{ "cgroup/post_bind6", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET6_POST_BIND, 0 },
	{ "cgroup/bind4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND, 0 },
	{ "cgroup/bind6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_BIND, 0 },
	{ "cgroup/connect4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_CONNECT, 0 },
	{ "cgroup/connect6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_CONNECT, 0 },
	{ "cgroup/connect_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, UNIX_CONNECT, 0 },
	{ "cgroup/sendmsg4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_SENDMSG, 0 },
	{ "cgroup/sendmsg6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_SENDMSG, 0 },
	{ "cgroup/sendmsg_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, UNIX_SENDMSG, 0 },
	{ "cgroup/recvmsg4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP4_RECVMSG, 0 },
	{ "cgroup/recvmsg6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_UDP6_RECVMSG, 0 },
	{ "cgroup/recvmsg_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, UNIX_RECVMSG, 0 },
	{ "cgroup/getpeername4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_GETPEERNAME, 0 },
	{ "cgroup/getpeername6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_GETPEERNAME, 0 },
	{ "cgroup/getpeername_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, UNIX_GETPEERNAME, 0 },
	{ "cgroup/getsockname4", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_GETSOCKNAME, 0 },
	{ "cgroup/getsockname6", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET6_GETSOCKNAME, 0 },
	{ "cgroup/getsockname_unix", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, UNIX_GETSOCKNAME, 0 },
	{ "cgroup/sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL, 0 },
	{ "cgroup/getsockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_GETSOCKOPT, 0 },
	{ "cgroup/setsockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT, 0 },
	{ "cgroup/dev", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE, 0 },

	/* Tracing, security modules and what takes the place of kernel functions. */
	{ "kprobe+", BPF_PROG_TYPE_KPROBE, 0, 0 },
	{ "kretprobe+", BPF_PROG_TYPE_KPROBE, 0, 0 },
	{ "ksyscall+", BPF_PROG_TYPE_KPROBE, 0, 0 },
	{ "kretsyscall+", BPF_PROG_TYPE_KPROBE, 0, 0 },
	{ "kprobe.multi+", BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, 0 },
	{ "kretprobe.multi+", BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, 0 },
	{ "kprobe.session+", BPF_PROG_TYPE_KPROBE, KPROBE_SESSION, 0 },
	{ "uprobe+", BPF_PROG_TYPE_KPROBE, 0, 0 },
	{ "uprobe.s+", BPF_PROG_TYPE_KPROBE, 0, BPF_F_SLEEPABLE },
	{ "uretprobe+", BPF_PROG_TYPE_KPROBE, 0, 0 },
	{ "uretprobe.s+", BPF_PROG_TYPE_KPROBE, 0, BPF_F_SLEEPABLE },
	{ "uprobe.multi+", BPF_PROG_TYPE_KPROBE, UPROBE_MULTI, 0 },
	{ "uprobe.multi.s+", BPF_PROG_TYPE_KPROBE, UPROBE_MULTI, BPF_F_SLEEPABLE },
	{ "uretprobe.multi+", BPF_PROG_TYPE_KPROBE, UPROBE_MULTI, 0 },
	{ "uretprobe.multi.s+", BPF_PROG_TYPE_KPROBE, UPROBE_MULTI, BPF_F_SLEEPABLE },
	{ "uprobe.session+", BPF_PROG_TYPE_KPROBE, UPROBE_SESSION, 0 },
	{ "uprobe.session.s+", BPF_PROG_TYPE_KPROBE, UPROBE_SESSION, BPF_F_SLEEPABLE },
	{ "usdt+", BPF_PROG_TYPE_KPROBE, 0, 0 },
	{ "usdt.s+", BPF_PROG_TYPE_KPROBE, 0, BPF_F_SLEEPABLE },
	{ "tracepoint+", BPF_PROG_TYPE_TRACEPOINT, 0, 0 },
	{ "tp+", BPF_PROG_TYPE_TRACEPOINT, 0, 0 },
	{ "raw_tracepoint+", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0 },
	{ "raw_tp+", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0 },
	{ "raw_tracepoint.w+", BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0, 0 },
	{ "raw_tp.w+", BPF_PROG_TYPE_RAW_TRACEPOINT_WRITABLE, 0, 0 },
	{ "perf_event", BPF_PROG_TYPE_PERF_EVENT, 0, 0 },
	{ "tp_btf+", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, 0 },
	{ "fentry+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, 0 },
	{ "fentry.s+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, BPF_F_SLEEPABLE },
	{ "fexit+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, 0 },
	{ "fexit.s+", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, BPF_F_SLEEPABLE },
	{ "fsession+", BPF_PROG_TYPE_TRACING, TRACE_FSESSION, 0 },
	{ "fsession.s+", BPF_PROG_TYPE_TRACING, TRACE_FSESSION, BPF_F_SLEEPABLE },
	{ "fmod_ret+", BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, 0 },
	{ "fmod_ret.s+", BPF_PROG_TYPE_TRACING, BPF_MODIFY_RETURN, BPF_F_SLEEPABLE },
	{ "iter+", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, 0 },
	{ "iter.s+", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, BPF_F_SLEEPABLE },
	{ "freplace+", BPF_PROG_TYPE_EXT, 0, 0 },
	{ "lsm+", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, 0 },
	{ "lsm.s+", BPF_PROG_TYPE_LSM, BPF_LSM_MAC, BPF_F_SLEEPABLE },
	{ "lsm_cgroup+", BPF_PROG_TYPE_LSM, BPF_LSM_CGROUP, 0 },
	{ "struct_ops+", BPF_PROG_TYPE_STRUCT_OPS, 0, 0 },
	{ "struct_ops.s+", BPF_PROG_TYPE_STRUCT_OPS, 0, BPF_F_SLEEPABLE },
};

static bool rule_matches(const char *pattern, const char *section)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] != '+')
		return !strcmp(pattern, section);
	return !strncmp(pattern, section, len - 1) && (section[len - 1] == '\0' || section[len - 1] == '/');
}

bool sectype_find(const char *section, uint32_t *prog_type, uint32_t *attach_type, uint32_t *flags)
{
	section += *section == '?';
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (rule_matches(rules[i].pattern, section)) {
			*prog_type = rules[i].prog;
			*attach_type = rules[i].attach;
			*flags = rules[i].flags;
			return true;
		}
	}
	*prog_type = 0;
	*attach_type = 0;
	*flags = 0;
	return false;
}

/* In the order of enum bpf_prog_type. */
static const char *const prog_names[] = {
	"unspec", "socket_filter", "kprobe", "sched_cls", "sched_act", "tracepoint", "xdp", "perf_event",
	"cgroup_skb", "cgroup_sock", "lwt_in", "lwt_out", "lwt_xmit", "sock_ops", "sk_skb", "cgroup_device",
	"sk_msg", "raw_tracepoint", "cgroup_sock_addr", "lwt_seg6local", "lirc_mode2", "sk_reuseport",
	"flow_dissector", "cgroup_sysctl", "raw_tracepoint_writable", "cgroup_sockopt", "tracing",
	"struct_ops", "ext", "lsm", "sk_lookup", "syscall", "netfilter",
};

/* In the order of enum bpf_map_type. */
static const char *const map_names[] = {
	"unspec", "hash", "array", "prog_array", "perf_event_array", "percpu_hash", "percpu_array",
	"stack_trace", "cgroup_array", "lru_hash", "lru_percpu_hash", "lpm_trie", "array_of_maps",
	"hash_of_maps", "devmap", "sockmap", "cpumap", "xskmap", "sockhash", "cgroup_storage",
	"reuseport_sockarray", "percpu_cgroup_storage", "queue", "stack", "sk_storage", "devmap_hash",
	"struct_ops", "ringbuf", "inode_storage", "task_storage", "bloom_filter", "user_ringbuf",
	"cgrp_storage", "arena", "insn_array",
};

const char *bpfstamp_prog_type_name(uint32_t prog_type)
{
	return prog_type < sizeof(prog_names) / sizeof(prog_names[0]) ? prog_names[prog_type] : NULL;
}

const char *bpfstamp_map_type_name(uint32_t map_type)
{
	return map_type < sizeof(map_names) / sizeof(map_names[0]) ? map_names[map_type] : NULL;
}
