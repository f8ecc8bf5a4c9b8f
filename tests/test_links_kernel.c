// SPDX-License-Identifier: BSD-2-Clause
/*
 * hook/links.c against the running kernel: links of TCX, in an own network
 * namespace with a pair of veth and with an own bpffs.  Where a program stands is asked of
 * the kernel (BPF_PROG_QUERY) and of packets: each program writes its digit behind
 * those of the programs before it.  Here nobody else is there;
 * tests/test_links_others_kernel.c is about them.
 *
 * Each test says at its end that nothing is left: no fd, no pin, no program.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/linksbed.h"

Suite *suite_links_kernel(void);

/* ------------------------------------------------------------------ life */

START_TEST(life)
{
	struct bpfstamp_attachment a, gone;
	struct bpfstamp_hook hook = linksbed_hook(_i ? BPFSTAMP_EGRESS : BPFSTAMP_INGRESS);
	int program = linksbed_digit("pass_all", 1);
	char pin[256];
	struct stat st;

	ck_assert_int_eq(stat("/proc/self/ns/net", &st), 0);
	snprintf(pin, sizeof(pin), BPFFS "/bpfstamp/%ju-%d-tcx_%s-pass_all_x_1", (uintmax_t)st.st_ino, netns.ifindex,
		 _i ? "egress" : "ingress");
	OK(linksbed_attach(&hook, program, "pass_all.x-1", &a));
	ck_assert_str_eq(a.pin, pin);
	ck_assert_str_eq(a.name, "pass_all.x-1");
	ck_assert_str_eq(a.dev, "va");
	ck_assert_int_eq(a.type, BPFSTAMP_TCX);
	ck_assert_int_eq(a.direction, hook.direction);
	ck_assert_int_eq(a.ifindex, netns.ifindex);
	ck_assert(a.ours && a.has_tag && a.link);
	ck_assert_uint_eq(a.id, linksbed_id(program));
	ck_assert(bpffs_has(pin));
	linksbed_order(hook.direction, (const int[]){ program, -1 });
	OK(bpfstamp_detach(linksbed.net, &hook, true, &gone, &netns.err));
	ck_assert(bpffs_has(pin));
	OK(linksbed_detach(&hook, &gone));
	ck_assert_uint_eq(gone.link, a.link);
	ck_assert_uint_eq(gone.id, a.id);
	ck_assert_str_eq(gone.pin, pin);
	FAILS(linksbed_detach(&hook, &gone), ENOENT,
	      _i ? "there is no program on tcx egress of va" : "there is no program on tcx ingress of va");
	linksbed_order(hook.direction, (const int[]){ -1 });
	close(program);
}
END_TEST

START_TEST(packets_meet_it)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	int program = linksbed_digit("one", 1);

	OK(linksbed_attach(&hook, program, "one", NULL));
	ck_assert_uint_eq(linksbed_digits(), 1);
	ck_assert(linksbed_arrived());
	linksbed_detach_all(BPFSTAMP_EGRESS);
	ck_assert_uint_eq(linksbed_digits(), 0);
	close(program);
}
END_TEST

/* ----------------------------------------------------------------- order */

START_TEST(order)
{
	static const char *const names[] = { "", "one", "two", "three", "four", "five", "six", "seven" };
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	struct bpfstamp_attachment a;
	int p[8];
	char id[16];

	for (unsigned int i = 1; i < 8; i++)
		p[i] = linksbed_digit(names[i], i);
	OK(linksbed_attach(&hook, p[1], "one", &a));
	OK(linksbed_attach(&hook, p[2], "two", NULL));
	hook.where = BPFSTAMP_FIRST;
	OK(linksbed_attach(&hook, p[3], "three", NULL));
	hook.where = BPFSTAMP_BEFORE;
	hook.relative = "two";
	OK(linksbed_attach(&hook, p[4], "four", NULL));
	hook.where = BPFSTAMP_AFTER;
	snprintf(id, sizeof(id), "%u", linksbed_id(p[3]));
	hook.relative = id;
	OK(linksbed_attach(&hook, p[5], "five", NULL));
	hook.relative = a.pin;
	OK(linksbed_attach(&hook, p[6], "six", NULL));
	ck_assert_int_eq(pin_fd(BPFFS "/prog", p[3], &netns.err), 0);
	hook.where = BPFSTAMP_BEFORE;
	hook.relative = BPFFS "/prog";
	OK(linksbed_attach(&hook, p[7], "seven", NULL));
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ p[7], p[3], p[5], p[1], p[6], p[4], p[2], -1 });
	ck_assert_uint_eq(linksbed_digits(), 7351642);
	ck_assert_int_eq(unlink(BPFFS "/prog"), 0);
	linksbed_detach_all(BPFSTAMP_EGRESS);
	linksbed_close(p + 1, 7);
}
END_TEST

START_TEST(no_such_relative)
{
	static const struct {
		const char *relative, *text;
		int code;
	} cases[] = {
		{ "filter_ouy", "tcx egress of va: no program 'filter_ouy' is attached there; did you mean "
		  "'filter_out'?", ENOENT },
		{ "zzz", "tcx egress of va: no program 'zzz' is attached there", ENOENT },
		{ "", "tcx egress of va: no program '' is attached there", ENOENT },
		{ "4294967297", "tcx egress of va: program 4294967297 is not attached there", ENOENT },
		{ "0", "tcx egress of va: program 0 is not attached there", ENOENT },
		{ BPFFS "/none", "tcx egress of va: there is no pin " BPFFS "/none", ENOENT },
		{ BPFFS "/map", "tcx egress of va: the pin " BPFFS "/map is neither of a program nor of a link",
		  EINVAL },
		{ BPFFS "/prog", "tcx egress of va: program " BPFFS "/prog is not attached there", ENOENT },
		{ "/proc/version", "tcx egress of va: cannot open the pin /proc/version: …", EACCES },
		{ "twice", "tcx egress of va: 2 programs there are called 'twice': name one by its id; there are: "
		  "twice (program …", ENOTUNIQ },
		{ NULL, "tcx egress of va: before or after what is not said", EINVAL },
	};
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	int p[3], other = linksbed_digit("other", 5);
	struct bpfstamp_plan plan;

	p[0] = linksbed_digit("filter_out", 1);
	p[1] = linksbed_digit("twice", 2);
	p[2] = linksbed_digit("twice", 3);
	ck_assert_int_eq(pin_fd(BPFFS "/prog", other, &netns.err), 0);
	ck_assert_int_eq(pin_fd(BPFFS "/map", linksbed.map, &netns.err), 0);
	hook.existing = BPFSTAMP_APPEND;
	for (int i = 0; i < 3; i++)
		OK(linksbed_attach(&hook, p[i], i ? "twice" : "filter_out", NULL));
	hook.where = _i % 2 ? BPFSTAMP_AFTER : BPFSTAMP_BEFORE;
	hook.relative = cases[_i].relative;
	FAILS(linksbed_attach(&hook, other, "other", NULL), cases[_i].code, cases[_i].text);
	FAILS(linksbed_check(&hook, "other", &plan), cases[_i].code, cases[_i].text);
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ p[0], p[1], p[2], -1 });
	linksbed_detach_all(BPFSTAMP_EGRESS);
	unlink(BPFFS "/prog");
	unlink(BPFFS "/map");
	close(other);
	linksbed_close(p, 3);
}
END_TEST

START_TEST(full)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	int p[64];

	hook.existing = BPFSTAMP_APPEND;
	for (int i = 0; i < 64; i++)
		p[i] = linksbed_digit("many", 1);
	for (int i = 0; i < 63; i++)
		OK(linksbed_attach(&hook, p[i], "many", NULL));
	FAILS(linksbed_attach(&hook, p[63], "many", NULL), ERANGE,
	      "attach to tcx egress of va: Numerical result out of "
	      "range; the kernel takes no more than 63 programs there");
	ck_assert(bpffs_has(linksbed_pin("tcx_egress-many-63")));
	ck_assert(!bpffs_has(linksbed_pin("tcx_egress-many-64")));
	linksbed_detach_all(BPFSTAMP_EGRESS);
	linksbed_close(p, 64);
}
END_TEST

/* --------------------------------------------------------------- replace */

START_TEST(replace)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	struct bpfstamp_attachment two, again, three;
	struct bpfstamp_plan plan = { 0 };
	int p[5];

	for (unsigned int i = 1; i < 5; i++)
		p[i] = linksbed_digit("p", i);
	OK(linksbed_attach(&hook, p[1], "one", NULL));
	OK(linksbed_attach(&hook, p[2], "two", &two));
	OK(linksbed_attach(&hook, p[3], "three", &three));
	hook.where = BPFSTAMP_FIRST;
	OK(linksbed_check(&hook, "two", &plan));
	ck_assert(plan.occupied && plan.there.ours && plan.there.id == two.id && plan.there.link == two.link);
	ck_assert_str_eq(plan.there.pin, two.pin);
	OK(linksbed_attach(&hook, p[4], "two", &again));
	ck_assert_uint_eq(again.link, two.link);
	ck_assert_uint_eq(again.id, linksbed_id(p[4]));
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ p[1], p[4], p[3], -1 });
	ck_assert_uint_eq(linksbed_digits(), 143);
	/* The same once more is no change; a program that stands there already cannot stand there twice. */
	OK(linksbed_attach(&hook, p[4], "two", &again));
	FAILS(linksbed_attach(&hook, p[1], "two", &again), EEXIST,
	      "replace a program on tcx egress of va: File exists; "
	      "this very program is attached there already");
	hook.existing = BPFSTAMP_KEEP;
	FAILS(linksbed_attach(&hook, p[2], "two", &again), EEXIST, "tcx egress of va has program …");
	OK(linksbed_check(&hook, "two", &plan));
	hook.existing = BPFSTAMP_APPEND;
	hook.where = BPFSTAMP_LAST;
	OK(linksbed_attach(&hook, p[2], "two", &again));
	ck_assert_str_eq(again.pin, linksbed_pin("tcx_egress-two-2"));
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ p[1], p[4], p[3], p[2], -1 });
	linksbed_detach_all(BPFSTAMP_EGRESS);
	linksbed_close(p + 1, 4);
}
END_TEST

enum { REPLACEMENTS = 100 };

static void *flood(void *arg)
{
	volatile bool *stop = arg;
	uintptr_t sent = 0;

	while (!*stop) {
		linksbed_send();
		sent++;
	}
	return (void *)sent;
}

/* Each program counts a packet and drops it: every packet has met just one, and none has passed. */
START_TEST(no_packet_passes)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	struct bpfstamp_attachment first, last;
	volatile bool stop = false;
	pthread_t thread;
	void *sent;

	OK(linksbed_attach_new(&hook, "drop", &first));
	ck_assert_int_eq(pthread_create(&thread, NULL, flood, (void *)&stop), 0);
	for (int i = 0; i < REPLACEMENTS; i++)
		OK(linksbed_attach_new(&hook, "drop", &last));
	stop = true;
	pthread_join(thread, &sent);
	ck_assert_uint_eq(last.link, first.link);
	ck_assert_uint_gt((uintptr_t)sent, 0);
	ck_assert_uint_eq(linksbed_counted(), (uintptr_t)sent);
	ck_assert(!linksbed_arrived());
	linksbed_detach_all(BPFSTAMP_EGRESS);
	ck_assert_uint_eq(linksbed_programs("drop"), 0);
}
END_TEST

/* ---------------------------------------------------- interfaces that go */

static void recreate(void)
{
	char command[128];

	snprintf(command, sizeof(command), "ip link del va && ip link add va index %d type veth peer name vb",
		 netns.ifindex);
	netns_run(command);
}

/* By attach again, and by detach of the pin. */
START_TEST(defunct)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	struct bpfstamp_attachment first, second;
	int p[2] = { linksbed_digit("one", 1), linksbed_digit("two", 2) };
	struct linksbed_shown shown;

	OK(linksbed_attach(&hook, p[0], "one", &first));
	recreate();
	shown = linksbed_show(NULL);
	ck_assert_uint_eq(shown.count, 1);
	ck_assert_int_eq(shown.list[0].ifindex, 0);
	ck_assert_str_eq(shown.list[0].dev, "");
	ck_assert_str_eq(shown.list[0].name, "one");
	ck_assert_str_eq(shown.list[0].pin, first.pin);
	ck_assert_uint_eq(shown.list[0].link, first.link);
	ck_assert_uint_eq(shown.list[0].id, first.id);
	ck_assert(shown.list[0].ours);
	ck_assert_uint_eq(linksbed_show("va").count, 0);
	if (_i) {
		hook.pin = first.pin;
		OK(linksbed_detach(&hook, &second));
		ck_assert_uint_eq(second.link, first.link);
		ck_assert_int_eq(second.ifindex, 0);
	} else {
		hook.existing = BPFSTAMP_KEEP;
		OK(linksbed_attach(&hook, p[1], "one", &second));
		ck_assert_uint_ne(second.link, first.link);
		ck_assert_str_eq(second.pin, first.pin);
		linksbed_order(BPFSTAMP_EGRESS, (const int[]){ p[1], -1 });
		shown = linksbed_show(NULL);
		ck_assert_uint_eq(shown.count, 1);
		ck_assert_uint_eq(shown.list[0].link, second.link);
		linksbed_detach_all(BPFSTAMP_EGRESS);
	}
	linksbed_close(p, 2);
}
END_TEST

struct gone {
	uint32_t count, links[4];
};

static int take_gone(const struct bpfstamp_attachment *a, void *arg)
{
	struct gone *gone = arg;

	ck_assert(a->type == BPFSTAMP_TCX && a->ours && !a->ifindex);
	gone->links[gone->count++] = a->link;
	return 0;
}

static struct gone sweep(const char *pin, bool dry)
{
	struct gone gone = { 0 };

	OK(bpfstamp_detach_defunct(NULL, pin, dry, take_gone, &gone, &netns.err));
	return gone;
}

/* All that are gone, or the one of a path; never one whose interface is there. */
START_TEST(defunct_removed)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	struct bpfstamp_attachment gone, elsewhere, alive;
	const char *path = BPFFS "/elsewhere";
	int p = linksbed_digit("one", 1);

	OK(linksbed_attach(&hook, p, "one", &gone));
	hook.direction = BPFSTAMP_INGRESS;
	hook.pin = path;
	OK(linksbed_attach(&hook, p, "one", &elsewhere));
	FAILS(bpfstamp_detach_defunct(NULL, path, false, take_gone, NULL, &netns.err), EBUSY,
	      "the link of " BPFFS "/elsewhere is attached to an interface (index …");
	ck_assert_uint_eq(sweep(NULL, false).count, 0);
	recreate();
	hook.pin = NULL;
	OK(linksbed_attach(&hook, p, "one", &alive));
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(sweep(NULL, i == 0).count, 1);
		ck_assert_int_eq(bpffs_has(gone.pin), i == 0);
		ck_assert_uint_eq(sweep(path, i == 0).links[0], elsewhere.link);
		ck_assert_int_eq(bpffs_has(path), i == 0);
	}
	ck_assert_uint_eq(sweep(NULL, false).count, 0);
	FAILS(bpfstamp_detach_defunct(NULL, path, false, take_gone, NULL, &netns.err), ENOENT,
	      "there is no pin " BPFFS "/elsewhere");
	FAILS(bpfstamp_detach_defunct(NULL, "/dev/null", false, take_gone, NULL, &netns.err), EACCES,
	      "cannot open the pin /dev/null: …");
	ck_assert(bpffs_has(alive.pin));
	linksbed_detach_all(BPFSTAMP_INGRESS);
	close(p);
}
END_TEST

START_TEST(no_interface)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	struct hook_place place = { .hook = &hook, .ifindex = 4242, .dev = "vx" };
	int p = linksbed_digit("one", 1);
	struct bpfstamp_attachment a;

	FAILS(hook_links.attach(linksbed.net, &place, p, "one", &a, &netns.err), ENODEV,
	      "attach to tcx egress of vx: "
	      "No such device; the interface is gone, or is in another network namespace");
	ck_assert(!hook_links_usable(linksbed.net, &place));
	close(p);
}
END_TEST

/* A kernel that has no TCX says so, and shows nothing. */
START_TEST(too_old)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	struct hook_place place = { .hook = &hook, .ifindex = netns.ifindex, .dev = "va" };
	int p = linksbed_digit("one", 1);
	struct bpfstamp_plan plan;

	ck_assert(!hook_links_usable(linksbed.net, &place));
	FAILS(linksbed_attach(&hook, p, "one", NULL), EINVAL,
	      "attach to tcx egress of va: Invalid argument; the kernel "
	      "lacks TCX (Linux 6.6, CONFIG_NET_XGRESS)");
	FAILS(linksbed_check(&hook, "one", &plan), EINVAL, "look at tcx egress of va: …");
	FAILS(linksbed_detach(&hook, NULL), EINVAL, "look at tcx egress of va: …");
	close(p);
}
END_TEST

Suite *suite_links_kernel(void)
{
	Suite *s = suite_create("links_kernel");
	TCase *t;

	if (!linksbed_usable("links_kernel"))
		return s;
	t = tcase_create("links_kernel");
	tcase_add_checked_fixture(t, linksbed_setup, linksbed_teardown);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	if (!linksbed_has_tcx()) {
		printf("SKIP links_kernel: no TCX (Linux 6.6)\n");
		tcase_add_test(t, too_old);
		return s;
	}
	tcase_add_loop_test(t, life, 0, 2);
	tcase_add_test(t, packets_meet_it);
	tcase_add_test(t, order);
	tcase_add_loop_test(t, no_such_relative, 0, 11);
	tcase_add_test(t, full);
	tcase_add_test(t, replace);
	tcase_add_test(t, no_packet_passes);
	tcase_add_loop_test(t, defunct, 0, 2);
	tcase_add_test(t, defunct_removed);
	tcase_add_test(t, no_interface);
	return s;
}
