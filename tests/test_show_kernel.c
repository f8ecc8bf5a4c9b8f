// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp_show over a thousand interfaces, each with clsact and a filter: all are
 * told, each once, in as many datagrams as there are interfaces to ask
 * about, and interfaces that come and go meanwhile do not disturb it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

#include "hook/hook.h"
#include "netlink/tc.h"
#include "tests/netns.h"

Suite *suite_show_kernel(void);

enum { PAIRS = 500 };

/* ------------------------------------------------------------- interfaces */

static struct nlmsghdr *link_request(void *buf, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(memset(buf, 0, LINK_BUFFER));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	return nlh;
}

static int add_pair(struct rtnl *rtnl, const char *name, const char *peer, struct bpfstamp_err *err)
{
	uint32_t buf[LINK_BUFFER / 4];
	struct nlmsghdr *nlh = link_request(buf, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct nlattr *info, *data, *other;

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(nlh, IFLA_LINKINFO);
	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	other = mnl_attr_nest_start(nlh, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, peer);
	mnl_attr_nest_end(nlh, other);
	mnl_attr_nest_end(nlh, data);
	mnl_attr_nest_end(nlh, info);
	return rtnl_talk(rtnl, nlh, NULL, NULL, err, "add %s", name);
}

static int delete_link(struct rtnl *rtnl, const char *name, struct bpfstamp_err *err)
{
	uint32_t buf[LINK_BUFFER / 4];
	struct nlmsghdr *nlh = link_request(buf, RTM_DELLINK, 0);

	mnl_attr_put_strz(nlh, IFLA_IFNAME, name);
	return rtnl_talk(rtnl, nlh, NULL, NULL, err, "delete %s", name);
}

/* p0, q0, p1, q1 …: p has a filter on ingress, q one on egress, each of its own handle. */
static void make_pairs(unsigned int from, unsigned int to)
{
	struct tc_filter f = netns_filter(1), made;
	char names[2][16];
	bool created;

	strcpy(f.name, "bpfstamp:prog");
	for (unsigned int i = from; i < to; i++) {
		snprintf(names[0], sizeof(names[0]), "p%u", i);
		snprintf(names[1], sizeof(names[1]), "q%u", i);
		OK(add_pair(&netns.rtnl, names[0], names[1], &netns.err));
		for (unsigned int side = 0; side < 2; side++) {
			f.ifindex = netns_ifindex(names[side]);
			f.parent = side ? EGRESS : INGRESS;
			f.handle = 1 + i;
			OK(tc_clsact_ensure(&netns.rtnl, f.ifindex, names[side], &created, &netns.err));
			OK(tc_filter_set(&netns.rtnl, &f, true, names[side], &made, &netns.err));
		}
	}
}

/* ------------------------------------------------------------------- show */

struct seen {
	unsigned int told[2][PAIRS], others;
};

static int see(const struct bpfstamp_attachment *a, void *arg)
{
	struct seen *seen = arg;
	bool side = a->dev[0] == 'q';
	unsigned int i = (unsigned int)atoi(a->dev + 1);

	if (strchr("pq", a->dev[0]) && i < PAIRS && a->handle == 1 + i && a->ours && !strcmp(a->name, "prog") &&
	    a->direction == (side ? BPFSTAMP_EGRESS : BPFSTAMP_INGRESS))
		seen->told[side][i]++;
	else
		seen->others++;
	return 0;
}

static void show(struct bpfstamp_net *net, unsigned int pairs)
{
	struct seen seen = { 0 };

	OK(bpfstamp_show(net, NULL, NULL, see, &seen, &netns.err));
	ck_assert_uint_eq(seen.others, 0);
	for (unsigned int i = 0; i < PAIRS; i++)
		ck_assert_msg(seen.told[0][i] == (i < pairs) && seen.told[1][i] == (i < pairs),
			      "pair %u was told %u and %u times", i, seen.told[0][i], seen.told[1][i]);
}

static double milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* How many datagrams it takes; with SHOW_TIMES set it says how long. */
static unsigned int count_waits(struct bpfstamp_net *net, unsigned int pairs)
{
	unsigned int before = netns.waits;
	double start = milliseconds();

	show(net, pairs);
	if (getenv("SHOW_TIMES"))
		printf("show: %u interfaces, %u datagrams, %.1f ms\n", 2 * pairs, netns.waits - before,
		       milliseconds() - start);
	return netns.waits - before;
}

/* Ten times as many interfaces take ten times as many datagrams. */
START_TEST(thousand)
{
	struct bpfstamp_net *net;
	unsigned int few, many;

	OK(bpfstamp_net_open(&net, NULL, &netns.err));
	make_pairs(0, PAIRS / 10);
	few = count_waits(net, PAIRS / 10);
	make_pairs(PAIRS / 10, PAIRS);
	many = count_waits(net, PAIRS);
	ck_assert_msg(many < 11 * few, "%u datagrams became %u", few, many);
	bpfstamp_net_close(net);
}
END_TEST

/* ----------------------------------------------------- coming and going */

struct churn {
	pthread_t thread;
	atomic_bool stop;
	unsigned int rounds;
};

static void *change(void *arg)
{
	struct tc_filter f = netns_filter(1), made;
	struct churn *c = arg;
	struct bpfstamp_err err;
	struct link_info link;
	struct rtnl rtnl;
	bool created;

	if (rtnl_open(&rtnl, -1, &err))
		return "open";
	for (; !c->stop; c->rounds++) {
		if (add_pair(&rtnl, "x0", "x1", &err) || link_find(&rtnl, 0, "x0", &link, &err) ||
		    tc_clsact_ensure(&rtnl, link.ifindex, "x0", &created, &err))
			return strdup(err.text);
		f.ifindex = link.ifindex;
		if (tc_filter_set(&rtnl, &f, true, "x0", &made, &err))
			return strdup(err.text);
		usleep(2000);
		if (delete_link(&rtnl, "x0", &err))
			return strdup(err.text);
	}
	rtnl_close(&rtnl);
	return NULL;
}

/* Those that stay are told once each; one that comes and goes may be told, and is no failure. */
START_TEST(vanishing)
{
	struct churn c = { 0 };
	struct bpfstamp_net *net;
	void *why;

	make_pairs(0, 50);
	OK(bpfstamp_net_open(&net, NULL, &netns.err));
	ck_assert_int_eq(pthread_create(&c.thread, NULL, change, &c), 0);
	for (int i = 0; i < 50 || c.rounds < 5; i++) {
		struct seen seen = { 0 };

		OK(bpfstamp_show(net, NULL, NULL, see, &seen, &netns.err));
		for (unsigned int n = 0; n < 50; n++)
			ck_assert(seen.told[0][n] == 1 && seen.told[1][n] == 1);
		ck_assert_uint_le(seen.others, 1);
	}
	c.stop = true;
	pthread_join(c.thread, &why);
	ck_assert_msg(!why, "%s", (const char *)why);
	bpfstamp_net_close(net);
}
END_TEST

static bool delete_all(void *arg)
{
	struct bpfstamp_err err;
	char name[16];

	for (unsigned int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "p%u", i);
		if (delete_link(arg, name, &err))
			return false;
	}
	return true;
}

/* All that the list of interfaces named goes before it is looked at. */
START_TEST(all_gone)
{
	struct seen seen = { 0 };
	struct bpfstamp_net *net;
	struct rtnl other;

	make_pairs(0, 20);
	OK(rtnl_open(&other, -1, &netns.err));
	OK(bpfstamp_net_open(&net, NULL, &netns.err));
	netns.fault = (struct netns_fault){
		.kind = NETNS_CALL, .after = 20, .times = 1, .call = delete_all, .arg = &other,
	};
	OK(bpfstamp_show(net, NULL, NULL, see, &seen, &netns.err));
	ck_assert_int_eq(netns.fault.times, 0);
	ck_assert_int_eq(seen.told[0][19], 0);
	bpfstamp_net_close(net);
	rtnl_close(&other);
}
END_TEST

Suite *suite_show_kernel(void)
{
	Suite *s = suite_create("show_kernel");
	TCase *tc;

	if (!netns_usable("test_show_kernel"))
		return s;
	tc = tcase_create("show");
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, netns_setup, netns_teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, thousand);
	tcase_add_test(tc, vanishing);
	tcase_add_test(tc, all_gone);
	return s;
}
