// SPDX-License-Identifier: BSD-2-Clause
/*
 * Dumps that are larger than a datagram: thousands of filters on an interface,
 * a thousand interfaces; and the same while others add and delete.  What stays
 * is told exactly once, whatever comes and goes beside it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "netlink/link.h"
#include "netlink/tc.h"
#include "tests/netns.h"

Suite *suite_dumps_kernel(void);

enum { SOME = 500, FILTERS = 4000, COMING = 100000 };

static int told[FILTERS + 1];

static int tick(const struct tc_filter *f, void *arg, struct bpfstamp_err *err)
{
	unsigned int *others = arg;

	(void)err;
	if (f->handle <= FILTERS)
		told[f->handle]++;
	else
		++*others;
	return 0;
}

/* -------------------------------------------------------------- changing */

struct churn {
	pthread_t thread;
	atomic_bool stop;
	unsigned int rounds;	/* of one filter added and another deleted */
};

static void *change(void *arg)
{
	struct tc_filter f = netns_filter(COMING), made;
	struct churn *c = arg;
	struct bpfstamp_err err;
	struct rtnl rtnl;

	if (rtnl_open(&rtnl, -1, &err))
		return "open";
	for (; !c->stop; c->rounds++) {
		f.handle = COMING + c->rounds % 8;
		f.prio = (uint16_t)(1 + c->rounds % 8);
		if (c->rounds >= 8 && tc_filter_delete(&rtnl, &f, "va", &err))
			return strdup(err.text);
		if (tc_filter_set(&rtnl, &f, true, "va", &made, &err))
			return strdup(err.text);
	}
	rtnl_close(&rtnl);
	return NULL;
}

static void start(struct churn *c)
{
	ck_assert_int_eq(pthread_create(&c->thread, NULL, change, c), 0);
}

static void stop(struct churn *c)
{
	void *why;

	c->stop = true;
	pthread_join(c->thread, &why);
	ck_assert_msg(!why, "%s", (const char *)why);
}

/* Each of the first count filters was told once. */
static void all_told(unsigned int count)
{
	for (unsigned int i = 1; i <= count; i++)
		ck_assert_msg(told[i] == 1, "filter %u was told %d times", i, told[i]);
}

static unsigned int list(unsigned int count)
{
	unsigned int others = 0;

	memset(told, 0, sizeof(told));
	OK(tc_filter_each(&netns.rtnl, netns.ifindex, EGRESS, "va", tick, &others, &netns.err));
	all_told(count);
	return others;
}

/* --------------------------------------------------------------- filters */

START_TEST(thousands)
{
	netns_filters(FILTERS);
	ck_assert_uint_eq(list(FILTERS), 0);
}
END_TEST

/* The kernel itself passes one over, or tells it twice, in every third of these dumps. */
START_TEST(filters_that_stay)
{
	struct churn c = { 0 };
	unsigned int others = 0;

	netns_filters(FILTERS);
	start(&c);
	for (int i = 0; i < 20; i++)
		others += list(FILTERS);
	stop(&c);
	ck_assert_uint_gt(c.rounds, 20);
	ck_assert_uint_gt(others, 0);
}
END_TEST

/* A list of a few datagrams, and the socket by which another process is to change it. */
static void make_some(struct rtnl *other)
{
	struct tc_filter f = netns_filter(1), made;

	netns_clsact();
	OK(rtnl_open(other, -1, &netns.err));
	for (f.handle = 1; f.handle <= SOME; f.handle++)
		OK(netns_set(&f, true, &made));
}

/*
 * One filter of a long list goes while the list is dumped, just when the first
 * datagram has come: the kernel passes over another one, which is found.
 */
static bool delete_first(void *arg)
{
	struct tc_filter f = { .ifindex = netns.ifindex, .parent = EGRESS, .prio = 1, .handle = FILTERS,
			       .protocol = 3, .kind = "bpf" };
	struct bpfstamp_err err;

	return !tc_filter_delete(arg, &f, "va", &err);
}

START_TEST(passed_over)
{
	struct tc_filter f = netns_filter(FILTERS), made;
	struct rtnl other;

	make_some(&other);
	OK(netns_set(&f, true, &made));
	netns.fault = (struct netns_fault){
		.kind = NETNS_CALL, .times = 1, .call = delete_first, .arg = &other,
	};
	list(SOME);
	ck_assert_int_eq(netns.fault.times, 0);
	ck_assert_int_eq(told[FILTERS], 0);
	rtnl_close(&other);
}
END_TEST

/* One that comes is told first, and the kernel tells another one twice. */
static bool add_first(void *arg)
{
	struct tc_filter f = netns_filter(FILTERS), made;
	struct bpfstamp_err err;

	return !tc_filter_set(arg, &f, true, "va", &made, &err);
}

START_TEST(told_twice)
{
	struct rtnl other;

	make_some(&other);
	netns.fault = (struct netns_fault){
		.kind = NETNS_CALL, .times = 1, .call = add_first, .arg = &other,
	};
	list(SOME);
	ck_assert_int_eq(netns.fault.times, 0);
	ck_assert_int_eq(told[FILTERS], 1);
	rtnl_close(&other);
}
END_TEST

/* The same in two dumps, which are equal then: one comes before the second datagram is made, and goes at the end. */
struct visitor {
	struct rtnl other;
	unsigned int receives, dump;	/* so far; of one dump */
};

static bool come_and_go(void *arg)
{
	struct visitor *v = arg;
	unsigned int at = v->receives++ % v->dump;
	bool done = true;

	netns.fault.kind = NETNS_NONE;
	if (at == 0)
		done = add_first(&v->other);
	else if (at == v->dump - 1)
		done = delete_first(&v->other);
	netns.fault.kind = NETNS_CALL;
	return done;
}

START_TEST(told_twice_alike)
{
	struct visitor v = { 0 };
	unsigned int before;

	make_some(&v.other);
	ck_assert(add_first(&v.other));
	before = netns.waits;
	list(SOME);
	v.dump = (netns.waits - before) / 2;
	ck_assert_uint_ge(v.dump, 3);
	ck_assert(delete_first(&v.other));
	netns.fault = (struct netns_fault){
		.kind = NETNS_CALL, .times = (int)(2 * v.dump), .call = come_and_go, .arg = &v,
	};
	list(SOME);
	ck_assert_int_eq(netns.fault.times, 0);
	ck_assert_int_eq(told[FILTERS], 0);
	rtnl_close(&v.other);
}
END_TEST

/* A direction without filters, and an interface that is gone, have none. */
START_TEST(none)
{
	unsigned int others = 0;

	netns_clsact();
	ck_assert_uint_eq(list(0), 0);
	OK(tc_filter_each(&netns.rtnl, 4242, EGRESS, "gone", tick, &others, &netns.err));
	ck_assert_uint_eq(others, 0);
}
END_TEST

Suite *suite_dumps_kernel(void)
{
	Suite *s = suite_create("dumps_kernel");
	TCase *tc;

	if (!netns_usable("test_dumps_kernel"))
		return s;
	tc = tcase_create("dumps");
	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, netns_setup, netns_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, thousands);
	tcase_add_test(tc, filters_that_stay);
	tcase_add_test(tc, passed_over);
	tcase_add_test(tc, told_twice);
	tcase_add_test(tc, told_twice_alike);
	tcase_add_test(tc, none);
	return s;
}
