// SPDX-License-Identifier: BSD-2-Clause
/*
 * Section names: the type, the attach type and the flags of each, in the
 * kernel's own numbers, as libbpf 1.7 has them; what may stand behind a name,
 * and what may not.  That the kernel takes programs so loaded, tests/compat.sh
 * shows with tests/objects/types*.bpf.c.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "include/bpfstamp.h"
#include "loader/sectype.h"

Suite *suite_sectype(void);

enum { SLEEPABLE = 16, XDP_FRAGS = 32 };

static const struct known {
	const char *section;
	uint32_t prog, attach, flags;
} known[] = {
	{ "socket", 1, 0, 0 }, { "kprobe/f", 2, 0, 0 }, { "kretprobe/f", 2, 0, 0 }, { "uprobe/f", 2, 0, 0 },
	{ "uprobe.s/f", 2, 0, SLEEPABLE }, { "uretprobe/f", 2, 0, 0 }, { "uretprobe.s/f", 2, 0, SLEEPABLE },
	{ "kprobe.multi/f*", 2, 42, 0 }, { "kretprobe.multi/f*", 2, 42, 0 }, { "kprobe.session/f", 2, 56, 0 },
	{ "uprobe.multi/f", 2, 48, 0 }, { "uprobe.multi.s/f", 2, 48, SLEEPABLE }, { "uretprobe.multi/f", 2, 48, 0 },
	{ "uretprobe.multi.s/f", 2, 48, SLEEPABLE }, { "uprobe.session/f", 2, 57, 0 },
	{ "uprobe.session.s/f", 2, 57, SLEEPABLE }, { "ksyscall/f", 2, 0, 0 }, { "kretsyscall/f", 2, 0, 0 },
	{ "usdt/f", 2, 0, 0 }, { "usdt.s/f", 2, 0, SLEEPABLE },
	{ "tc", 3, 0, 0 }, { "classifier", 3, 0, 0 }, { "tc/ingress", 3, 46, 0 }, { "tc/egress", 3, 47, 0 },
	{ "tcx/ingress", 3, 46, 0 }, { "tcx/egress", 3, 47, 0 }, { "netkit/primary", 3, 54, 0 },
	{ "netkit/peer", 3, 55, 0 }, { "action", 4, 0, 0 },
	{ "tracepoint/a/b", 5, 0, 0 }, { "tp/a/b", 5, 0, 0 },
	{ "xdp", 6, 37, 0 }, { "xdp/devmap", 6, 33, 0 }, { "xdp/cpumap", 6, 35, 0 },
	{ "xdp.frags", 6, 37, XDP_FRAGS },
	{ "xdp.frags/devmap", 6, 33, XDP_FRAGS }, { "xdp.frags/cpumap", 6, 35, XDP_FRAGS },
	{ "perf_event", 7, 0, 0 },
	{ "cgroup_skb/ingress", 8, 0, 0 }, { "cgroup_skb/egress", 8, 1, 0 }, { "cgroup/skb", 8, 0, 0 },
	{ "cgroup/sock", 9, 2, 0 }, { "cgroup/sock_create", 9, 2, 0 }, { "cgroup/sock_release", 9, 34, 0 },
	{ "cgroup/post_bind4", 9, 12, 0 }, { "cgroup/post_bind6", 9, 13, 0 },
	{ "lwt_in", 10, 0, 0 }, { "lwt_out", 11, 0, 0 }, { "lwt_xmit", 12, 0, 0 }, { "lwt_seg6local", 19, 0, 0 },
	{ "sockops", 13, 3, 0 }, { "sk_skb", 14, 0, 0 }, { "sk_skb/stream_parser", 14, 4, 0 },
	{ "sk_skb/stream_verdict", 14, 5, 0 }, { "sk_skb/verdict", 14, 38, 0 }, { "cgroup/dev", 15, 6, 0 },
	{ "sk_msg", 16, 7, 0 }, { "raw_tracepoint/f", 17, 0, 0 }, { "raw_tp/f", 17, 0, 0 },
	{ "cgroup/bind4", 18, 8, 0 }, { "cgroup/bind6", 18, 9, 0 }, { "cgroup/connect4", 18, 10, 0 },
	{ "cgroup/connect6", 18, 11, 0 }, { "cgroup/connect_unix", 18, 49, 0 }, { "cgroup/sendmsg4", 18, 14, 0 },
	{ "cgroup/sendmsg6", 18, 15, 0 }, { "cgroup/sendmsg_unix", 18, 50, 0 }, { "cgroup/recvmsg4", 18, 19, 0 },
	{ "cgroup/recvmsg6", 18, 20, 0 }, { "cgroup/recvmsg_unix", 18, 51, 0 }, { "cgroup/getpeername4", 18, 29, 0 },
	{ "cgroup/getpeername6", 18, 30, 0 }, { "cgroup/getpeername_unix", 18, 52, 0 },
	{ "cgroup/getsockname4", 18, 31, 0 }, { "cgroup/getsockname6", 18, 32, 0 },
	{ "cgroup/getsockname_unix", 18, 53, 0 },
	{ "lirc_mode2", 20, 16, 0 }, { "sk_reuseport", 21, 39, 0 }, { "sk_reuseport/migrate", 21, 40, 0 },
	{ "flow_dissector", 22, 17, 0 }, { "cgroup/sysctl", 23, 18, 0 }, { "raw_tracepoint.w/f", 24, 0, 0 },
	{ "raw_tp.w/f", 24, 0, 0 }, { "cgroup/getsockopt", 25, 21, 0 }, { "cgroup/setsockopt", 25, 22, 0 },
	{ "tp_btf/f", 26, 23, 0 }, { "fentry/f", 26, 24, 0 }, { "fentry.s/f", 26, 24, SLEEPABLE },
	{ "fexit/f", 26, 25, 0 }, { "fexit.s/f", 26, 25, SLEEPABLE }, { "fsession/f", 26, 58, 0 },
	{ "fsession.s/f", 26, 58, SLEEPABLE }, { "fmod_ret/f", 26, 26, 0 }, { "fmod_ret.s/f", 26, 26, SLEEPABLE },
	{ "iter/f", 26, 28, 0 }, { "iter.s/f", 26, 28, SLEEPABLE },
	{ "struct_ops/f", 27, 0, 0 }, { "struct_ops.s/f", 27, 0, SLEEPABLE }, { "freplace/f", 28, 0, 0 },
	{ "lsm/f", 29, 27, 0 }, { "lsm.s/f", 29, 27, SLEEPABLE }, { "lsm_cgroup/f", 29, 43, 0 },
	{ "sk_lookup", 30, 36, 0 }, { "syscall", 31, 0, SLEEPABLE }, { "netfilter", 32, 45, 0 },
	/* Older names, with something behind them. */
	{ "tc/some", 3, 0, 0 }, { "classifier/from-netdev", 3, 0, 0 }, { "xdp/some", 6, 37, 0 },
	{ "xdp.frags/some", 6, 37, XDP_FRAGS }, { "tc/ingress/some", 3, 0, 0 }, { "socket/http", 1, 0, 0 },
};

static const char *const unknown[] = {
	"", "?", "egress", "ingress", ".text", "TC", "tcx", "tc ", "tcpdump", "xdpx", "xdp.frag", "xdp.fragsx",
	"netkit",
	"cgroup", "cgroup/", "cgroup/sock_", "cgroup/connect", "cgroup/connect4/x", "cgroup_skb", "sockops/x",
	"syscall/x",
	"sk_reuseport/other", "perf_event/x", "netfilter/x", "kprobe.s/f", "fentry.multi/f", "lsm_cgroup.s/f", "??tc",
};

static void expect(const char *section, const struct known *k)
{
	uint32_t prog = 77, attach = 77, flags = 77;
	bool found = sectype_find(section, &prog, &attach, &flags);

	ck_assert_msg(found == !!k->section, "'%s': %s", section, found ? "found" : "not found");
	ck_assert_msg(prog == k->prog && attach == k->attach && flags == k->flags,
		      "'%s': type %u, attach %u, flags %u", section, prog, attach, flags);
}

START_TEST(test_known)
{
	const struct known *k = &known[_i];
	char optional[64];

	expect(k->section, k);
	snprintf(optional, sizeof(optional), "?%s", k->section);
	expect(optional, k);
}
END_TEST

START_TEST(test_unknown)
{
	static const struct known nothing;

	expect(unknown[_i], &nothing);
}
END_TEST

/* A name that may have something behind it may also stand alone. */
START_TEST(test_alone)
{
	struct known k = known[_i];
	char section[64], *slash;

	snprintf(section, sizeof(section), "%s", k.section);
	slash = strchr(section, '/');
	if (!slash || strcmp(slash, "/f"))
		return;
	*slash = '\0';
	expect(section, &k);
	strcat(section, "f");
	expect(section, &(struct known) { 0 });
}
END_TEST

START_TEST(test_names)
{
	ck_assert_str_eq(bpfstamp_prog_type_name(0), "unspec");
	ck_assert_str_eq(bpfstamp_prog_type_name(3), "sched_cls");
	ck_assert_str_eq(bpfstamp_prog_type_name(6), "xdp");
	ck_assert_str_eq(bpfstamp_prog_type_name(18), "cgroup_sock_addr");
	ck_assert_str_eq(bpfstamp_prog_type_name(32), "netfilter");
	ck_assert_ptr_null(bpfstamp_prog_type_name(33));
	ck_assert_ptr_null(bpfstamp_prog_type_name(UINT32_MAX));
	ck_assert_str_eq(bpfstamp_map_type_name(2), "array");
	ck_assert_str_eq(bpfstamp_map_type_name(27), "ringbuf");
	ck_assert_str_eq(bpfstamp_map_type_name(34), "insn_array");
	ck_assert_ptr_null(bpfstamp_map_type_name(35));
	ck_assert_ptr_null(bpfstamp_map_type_name(UINT32_MAX));
}
END_TEST

Suite *suite_sectype(void)
{
	Suite *suite = suite_create("sectype");
	TCase *tcase = tcase_create("sectype");

	tcase_add_loop_test(tcase, test_known, 0, sizeof(known) / sizeof(known[0]));
	tcase_add_loop_test(tcase, test_alone, 0, sizeof(known) / sizeof(known[0]));
	tcase_add_loop_test(tcase, test_unknown, 0, sizeof(unknown) / sizeof(unknown[0]));
	tcase_add_test(tcase, test_names);
	suite_add_tcase(suite, tcase);
	return suite;
}
