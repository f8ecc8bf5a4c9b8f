// SPDX-License-Identifier: BSD-2-Clause
/*
 * hook/links.c on netkit (Linux 6.7), whose pair np and nk0 has its programs on
 * both ends, and all of them by the primary one.
 */
#define _GNU_SOURCE	/* unshare */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/linksbed.h"

Suite *suite_links_netkit(void);

static void setup(void)
{
	linksbed_setup();
	netns_run("ip link add np type netkit && ip link set np up && ip link set nk0 up");
	linksbed.type = BPFSTAMP_NETKIT;
	linksbed.dev = "np";
	linksbed.ifindex = netns_ifindex("np");
}

/* Send from one end, and see which programs it meets. */
static uint64_t digits_from(const char *dev)
{
	int sender = linksbed.sender;
	uint64_t digits;

	linksbed.sender = linksbed_socket(dev);
	digits = linksbed_digits();
	close(linksbed.sender);
	linksbed.sender = sender;
	return digits;
}

START_TEST(both_directions)
{
	struct bpfstamp_hook primary = linksbed_hook(BPFSTAMP_PRIMARY), peer = linksbed_hook(BPFSTAMP_PEER);
	int p[5];
	struct bpfstamp_attachment a, b;
	struct linksbed_shown shown;

	for (unsigned int i = 1; i < 5; i++)
		p[i] = linksbed_digit("p", i);
	OK(linksbed_attach(&primary, p[1], "one", &a));
	ck_assert_str_eq(a.pin, linksbed_pin("netkit_primary-one"));
	OK(linksbed_attach(&peer, p[2], "two", &b));
	ck_assert_str_eq(b.pin, linksbed_pin("netkit_peer-two"));
	primary.where = BPFSTAMP_BEFORE;
	primary.relative = "one";
	OK(linksbed_attach(&primary, p[3], "three", NULL));
	ck_assert_uint_eq(digits_from("np"), 31);
	ck_assert_uint_eq(digits_from("nk0"), 2);
	OK(linksbed_attach(&peer, p[4], "two", &a));
	ck_assert_uint_eq(a.link, b.link);
	ck_assert_uint_eq(digits_from("nk0"), 4);
	linksbed_order(BPFSTAMP_PRIMARY, (const int[]){ p[3], p[1], -1 });
	linksbed_order(BPFSTAMP_PEER, (const int[]){ p[4], -1 });
	shown = linksbed_show("np");
	ck_assert_uint_eq(shown.count, 3);
	ck_assert_int_eq(shown.list[2].direction, BPFSTAMP_PEER);
	ck_assert_str_eq(shown.list[2].pin, b.pin);
	ck_assert_uint_eq(linksbed_show("nk0").count, 0);
	OK(linksbed_detach(&peer, &a));
	ck_assert_uint_eq(a.link, b.link);
	linksbed_order(BPFSTAMP_PEER, (const int[]){ -1 });
	linksbed_detach_all(BPFSTAMP_PRIMARY);
	linksbed_close(p + 1, 4);
}
END_TEST

START_TEST(not_there)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_PEER);
	int p = linksbed_digit("one", 1);

	hook.dev = "va";
	FAILS(linksbed_attach(&hook, p, "one", NULL), ENXIO,
	      "attach to netkit peer of va: No such device or address; it "
	      "is no netkit interface");
	hook.dev = "nk0";
	FAILS(linksbed_attach(&hook, p, "one", NULL), EACCES,
	      "attach to netkit peer of nk0: Permission denied; it is the "
	      "peer of a pair: name the primary interface, which has both directions");
	close(p);
}
END_TEST

START_TEST(defunct)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_PEER);
	struct bpfstamp_attachment first, second;
	int p[2] = { linksbed_digit("one", 1), linksbed_digit("two", 2) };
	char command[128];

	OK(linksbed_attach(&hook, p[0], "one", &first));
	snprintf(command, sizeof(command), "ip link del np && ip link add np index %d type netkit", linksbed.ifindex);
	netns_run(command);
	ck_assert_uint_eq(linksbed_show(NULL).count, 1);
	OK(linksbed_attach(&hook, p[1], "one", &second));
	ck_assert_uint_ne(second.link, first.link);
	linksbed_order(BPFSTAMP_PEER, (const int[]){ p[1], -1 });
	linksbed_detach_all(BPFSTAMP_PEER);
	linksbed_close(p, 2);
}
END_TEST

/* A kernel without netkit says so. */
START_TEST(lacking)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_PRIMARY);
	int p = linksbed_digit("one", 1);

	hook.type = BPFSTAMP_NETKIT;
	FAILS(linksbed_attach(&hook, p, "one", NULL), EINVAL,
	      "attach to netkit primary of va: Invalid argument; the kernel "
	      "lacks netkit (Linux 6.7, CONFIG_NETKIT)");
	close(p);
}
END_TEST

static bool has_netkit(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (freopen("/dev/null", "w", stderr) && !unshare(CLONE_NEWNET))
			_exit(system("exec ip link add np type netkit") ? 1 : 0);
		_exit(1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

Suite *suite_links_netkit(void)
{
	Suite *s = suite_create("links_netkit");
	TCase *t = tcase_create("links_netkit");

	if (!linksbed_usable("links_netkit"))
		return s;
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	if (!has_netkit()) {
		printf(linksbed_has_tcx() ? "SKIP links_netkit: no netkit (CONFIG_NETKIT)\n" :
		       "SKIP links_netkit: no netkit (Linux 6.7)\n");
		tcase_add_checked_fixture(t, linksbed_setup, linksbed_teardown);
		tcase_add_test(t, lacking);
		return s;
	}
	tcase_add_checked_fixture(t, setup, linksbed_teardown);
	tcase_add_test(t, both_directions);
	tcase_add_test(t, not_there);
	tcase_add_test(t, defunct);
	return s;
}
