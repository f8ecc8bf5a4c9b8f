// SPDX-License-Identifier: BSD-2-Clause
/*
 * netlink/rtnl.h against the running kernel: several requests in one send, of
 * which some are refused, or whose answers are lost, or made up; and what an
 * earlier talk left in the socket.  Each test has a network namespace of its own
 * (tests/netns.h).
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "netlink/tc.h"
#include "tests/netns.h"

Suite *suite_rtnl_several_kernel(void);

/* ------------------------------------------------------- what was left */

static int enough(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	(void)nlh;
	++*(unsigned int *)arg;
	return bpfstamp_err_set(err, ECANCELED, "enough");
}

/* End a dump of many datagrams at its first message. */
static void abandon_dump(void)
{
	uint32_t buf[TCMSG_BUFFER / 4];
	unsigned int seen = 0;

	FAILS(rtnl_talk(&netns.rtnl, tcmsg_filter_dump(buf, netns.ifindex, EGRESS), enough, &seen, &netns.err,
			"dump %d", 1), ECANCELED, "dump 1: enough");
	ck_assert_uint_eq(seen, 1);
	ck_assert(netns.rtnl.unclean);
}

/* What follows a dump that was abandoned: another one, which the kernel would refuse beside it, and a request. */
START_TEST(abandoned_dump)
{
	struct tc_filter f = netns_filter(401), made;

	netns_filters(400);
	abandon_dump();
	ck_assert_uint_eq(netns_see_all().filters, 400);
	abandon_dump();
	OK(netns_set(&f, true, &made));
	ck_assert(!netns.rtnl.unclean);
	ck_assert_uint_eq(netns_see_all().filters, 401);
}
END_TEST

/* A socket that was left clean is not emptied, and one that was not is, once. */
START_TEST(emptied_once)
{
	struct tc_filter f = netns_filter(1), made;

	netns_clsact();
	ck_assert(!netns.rtnl.unclean);
	FAILS(netns_set(&(struct tc_filter){ .ifindex = 4242, .parent = EGRESS, .prio = 1, .protocol = 3,
					     .handle = 1, .kind = "bpf" }, true, &made), ENODEV, "…");
	ck_assert(!netns.rtnl.unclean);
	netns.fault = (struct netns_fault){ .kind = NETNS_FAIL, .code = EIO, .times = 1 };
	FAILS(netns_set(&f, true, &made), EIO, "…");
	ck_assert(netns.rtnl.unclean);
	FAILS(netns_set(&f, true, &made), EEXIST, "…");
	ck_assert(!netns.rtnl.unclean);
}
END_TEST

/* Answers that an earlier talk left: of half a dump, and so many that the kernel dropped some. */
START_TEST(leftovers)
{
	uint32_t buf[TCMSG_BUFFER / 4];
	int small = 1, fd = mnl_socket_get_fd(netns.rtnl.socket);
	struct nlmsghdr *nlh;

	netns_filters(400);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	abandon_dump();
	nlh = tcmsg_clsact_del(buf, 4242);
	nlh->nlmsg_flags |= NLM_F_ACK;
	for (int i = 0; i < 100; i++)
		ck_assert_int_gt(mnl_socket_sendto(netns.rtnl.socket, nlh, nlh->nlmsg_len), 0);
	ck_assert_uint_eq(netns_see_all().filters, 400);
}
END_TEST

/* ------------------------------------------------ several requests at once */

/* A deletion that is refused, a look at what is there, and a filter; each with its own answer. */
enum { REFUSED_DEL, LOOK, ADD, THREE };

static struct several {
	struct rtnl_request r[THREE];
	struct bpfstamp_err err[THREE];
	uint32_t buf[THREE][TCMSG_BUFFER / 4];
	struct tc_filter f;
	unsigned int told;
} several;

static int tell(const struct nlmsghdr *nlh, void *arg, struct bpfstamp_err *err)
{
	struct tc_qdisc q;

	(void)arg;
	(void)err;
	ck_assert_int_eq(tcmsg_parse_qdisc(nlh, &q), 0);
	ck_assert_str_eq(q.kind, "clsact");
	several.told++;
	return 0;
}

/* Ask for them in an order: positions of the deletion, the look and the filter. */
static int ask_several(const int at[THREE])
{
	several.f = netns_filter(1);
	several.told = 0;
	several.r[at[REFUSED_DEL]].message = tcmsg_clsact_del(several.buf[0], 4242);
	several.r[at[LOOK]] = (struct rtnl_request){
		.message = tcmsg_clsact_get(several.buf[1], netns.ifindex), .fn = tell,
	};
	several.r[at[ADD]].message = tcmsg_filter_new(several.buf[2], &several.f, true);
	for (int i = 0; i < THREE; i++) {
		several.err[i] = (struct bpfstamp_err){ 0 };
		several.r[i].err = &several.err[i];
	}
	return rtnl_talk_all(&netns.rtnl, several.r, THREE);
}

static const int orders[][THREE] = { { 0, 1, 2 }, { 1, 0, 2 }, { 2, 1, 0 }, { 2, 0, 1 }, { 0, 2, 1 }, { 1, 2, 0 } };

/* Wherever the refused one is, the others are done, and each knows its own fate. */
START_TEST(several_at_once)
{
	const int *at = orders[_i];

	netns_clsact();
	ck_assert_int_eq(ask_several(at), -1);
	ck_assert_int_eq(several.r[at[REFUSED_DEL]].status, -1);
	ck_assert_int_eq(several.err[at[REFUSED_DEL]].code, ENODEV);
	ck_assert_ptr_nonnull(strstr(several.err[at[REFUSED_DEL]].text, "No such device"));
	ck_assert_int_eq(several.r[at[LOOK]].status, 0);
	ck_assert_int_eq(several.r[at[ADD]].status, 0);
	ck_assert_uint_eq(several.told, 1);
	ck_assert(!netns.rtnl.unclean);
	ck_assert_uint_eq(netns_see_all().filters, 1);
	ck_assert_int_eq(ask_several(at), -1);
	ck_assert_int_eq(several.err[at[ADD]].code, EEXIST);
	ck_assert_int_eq(several.err[at[LOOK]].code, 0);
}
END_TEST

/* Whichever answer is lost: the look is repeated, and of the others it is known what is not known. */
START_TEST(several_lost)
{
	const int *at = orders[_i % 6];
	int lost = _i / 6;

	netns_clsact();
	netns.fault = (struct netns_fault){ .kind = NETNS_FAIL, .code = ENOBUFS, .after = lost, .times = 1 };
	ck_assert_int_eq(ask_several(at), -1);
	ck_assert_int_eq(netns.fault.times, 0);
	ck_assert_int_eq(several.r[at[LOOK]].status, 0);
	ck_assert_uint_ge(several.told, 1);
	ck_assert(several.err[at[REFUSED_DEL]].code == ENODEV || several.err[at[REFUSED_DEL]].code == ENOBUFS);
	ck_assert(several.r[at[ADD]].status == 0 || several.err[at[ADD]].code == ENOBUFS);
	if (lost == 0) {
		ck_assert_int_eq(several.err[at[REFUSED_DEL]].code, ENOBUFS);
		ck_assert_int_eq(several.err[at[ADD]].code, ENOBUFS);
		ck_assert_ptr_nonnull(strstr(several.err[at[ADD]].text, "the kernel's answer was lost, try again"));
	}
	ck_assert_uint_eq(netns_see_all().filters, 1);
	ck_assert_int_eq(ask_several(at), -1);
	ck_assert_int_eq(several.err[at[ADD]].code, EEXIST);
}
END_TEST

/* What breaks the conversation is told of all that were not answered, and is no matter to the next. */
START_TEST(several_broken)
{
	static const struct netns_message half[] = { { .type = NLMSG_NOOP, .len = 21 }, { 0 } };

	netns_clsact();
	netns.fault = (struct netns_fault){ .kind = NETNS_SAY, .after = 1, .times = 1, .say = half };
	ck_assert_int_eq(ask_several(orders[0]), -1);
	ck_assert_int_eq(several.err[0].code, ENODEV);
	ck_assert_int_eq(several.err[LOOK].code, EBADMSG);
	ck_assert_int_eq(several.err[ADD].code, EBADMSG);
	ck_assert(netns.rtnl.unclean);
	ck_assert_int_eq(ask_several(orders[0]), -1);
	ck_assert_int_eq(several.err[LOOK].code, 0);
	ck_assert_int_eq(several.err[ADD].code, EEXIST);
}
END_TEST

/* A refusal that is made up for the last, the one before the first, or one behind the last. */
START_TEST(several_made_up)
{
	static const int seq[] = { 0, -THREE, 1 };

	netns_clsact();
	netns.fault = (struct netns_fault){
		.kind = NETNS_MAKE_UP, .times = 1, .code = -EXDEV, .seq = (uint32_t)seq[_i],
	};
	ask_several(orders[0]);
	ck_assert_int_eq(netns.fault.times, 0);
	ck_assert_int_eq(several.err[0].code, ENODEV);
	ck_assert_int_eq(several.err[LOOK].code, 0);
	ck_assert_int_eq(several.err[ADD].code, _i ? 0 : EXDEV);
}
END_TEST

/* As many as there may be. */
START_TEST(most_at_once)
{
	static uint32_t buf[RTNL_REQUESTS][TCMSG_BUFFER / 4];
	static struct bpfstamp_err err[RTNL_REQUESTS];
	struct rtnl_request r[RTNL_REQUESTS];
	struct tc_filter f = netns_filter(1);

	netns_clsact();
	for (int i = 0; i < RTNL_REQUESTS; i++, f.handle++)
		r[i] = (struct rtnl_request){ .message = tcmsg_filter_new(buf[i], &f, true), .err = &err[i] };
	OK(rtnl_talk_all(&netns.rtnl, r, RTNL_REQUESTS));
	ck_assert_uint_eq(netns_see_all().filters, RTNL_REQUESTS);
}
END_TEST

Suite *suite_rtnl_several_kernel(void)
{
	Suite *s = suite_create("rtnl_several_kernel");
	TCase *tc;

	if (!netns_usable("test_rtnl_several_kernel"))
		return s;
	tc = tcase_create("rtnl");
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, netns_setup, netns_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, abandoned_dump);
	tcase_add_test(tc, emptied_once);
	tcase_add_test(tc, leftovers);
	tcase_add_loop_test(tc, several_at_once, 0, 6);
	tcase_add_loop_test(tc, several_lost, 0, 18);
	tcase_add_test(tc, several_broken);
	tcase_add_loop_test(tc, several_made_up, 0, 3);
	tcase_add_test(tc, most_at_once);
	return s;
}
