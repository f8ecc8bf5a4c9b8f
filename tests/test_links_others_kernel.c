// SPDX-License-Identifier: BSD-2-Clause
/*
 * hook/links.c among others, against the running kernel: programs and pins
 * that are not bpfstamp's, several that are, another network namespace, a process with few
 * capabilities, and processes that attach and detach at once or are killed.
 *
 * Each test says at its end that nothing is left: no fd, no pin, no program.
 */
#define _GNU_SOURCE	/* unshare */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/linksbed.h"

Suite *suite_links_others_kernel(void);

/* ------------------------------------------------ other programs and pins */

START_TEST(foreign_untouched)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	struct bpfstamp_attachment a;
	int p[3] = { linksbed_digit("theirs", 1), linksbed_digit("linked", 2), linksbed_digit("ours", 3) }, link;
	struct linksbed_shown shown;

	linksbed_attach_foreign(p[0]);
	link = linksbed_link_foreign(p[1]);
	OK(linksbed_attach(&hook, p[2], "ours", NULL));
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ p[0], p[1], p[2], -1 });
	shown = linksbed_show("va");
	ck_assert_uint_eq(shown.count, 3);
	ck_assert(!shown.list[0].ours && !shown.list[1].ours && shown.list[2].ours);
	ck_assert_str_eq(shown.list[0].name, "theirs");
	ck_assert_uint_eq(shown.list[0].link, 0);
	ck_assert_uint_ne(shown.list[1].link, 0);
	ck_assert_str_eq(shown.list[1].pin, "");
	/* The only one of ours goes; then there is none, and force alone names none. */
	OK(linksbed_detach(&hook, &a));
	ck_assert_str_eq(a.name, "ours");
	for (int i = 0; i < 2; i++) {
		hook.force = i;
		FAILS(linksbed_detach(&hook, &a), ENOENT, "there is no program of bpfstamp "
		      "on tcx egress of va; name another by its id, and use --force; there are: theirs (program …");
	}
	hook.force = false;
	hook.id = linksbed_id(p[0]);
	FAILS(linksbed_detach(&hook, &a), ENOENT, "there is no program of bpfstamp on …");
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ p[0], p[1], -1 });
	hook.force = true;
	OK(linksbed_detach(&hook, &a));
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ p[1], -1 });
	hook.id = 0;
	hook.program = "linked";
	OK(linksbed_detach(&hook, &a));
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ -1 });
	close(link);
	linksbed_close(p, 3);
}
END_TEST

START_TEST(several_of_ours)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	struct bpfstamp_attachment a, b, gone;
	int p[2] = { linksbed_digit("one", 1), linksbed_digit("two", 2) };
	char text[256];

	OK(linksbed_attach(&hook, p[0], "one", &a));
	OK(linksbed_attach(&hook, p[1], "two", &b));
	snprintf(text, sizeof(text), "several programs on tcx egress of va: name one by its id; there are: "
		 "one (program %u), two (program %u)", a.id, b.id);
	FAILS(linksbed_detach(&hook, &gone), ENOTUNIQ, text);
	hook.program = "three";
	FAILS(linksbed_detach(&hook, &gone), ENOENT,
	      "there is no such program on tcx egress of va");
	hook.program = _i == 0 ? "two" : NULL;
	hook.id = _i == 1 ? b.id : 0;
	hook.pin = _i == 2 ? b.pin : NULL;
	OK(linksbed_detach(&hook, &gone));
	ck_assert_uint_eq(gone.link, b.link);
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ p[0], -1 });
	linksbed_detach_all(BPFSTAMP_EGRESS);
	linksbed_close(p, 2);
}
END_TEST

/* A pin elsewhere, which nobody names at the end, goes with its link. */
START_TEST(pinned_elsewhere)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	struct bpfstamp_attachment a;
	int p = bpffs_recorded("tc", "recorded", -1);

	hook.pin = BPFFS "/else/where";
	OK(linksbed_attach(&hook, p, "recorded", NULL));
	hook.pin = NULL;
	OK(linksbed_detach(&hook, &a));
	ck_assert_str_eq(a.pin, BPFFS "/else/where");
	ck_assert(!bpffs_has(BPFFS "/else/where"));
	ck_assert_int_eq(rmdir(BPFFS "/else"), 0);
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ -1 });
	close(p);
}
END_TEST

/* A map, a program, a link of another direction; forced, they lose their pin, and nothing else. */
START_TEST(pin_of_something_else)
{
	static const char *const what[] = { "something else", "a program", "a link that is not on it" };
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	int p = linksbed_digit("ours", 1), theirs = linksbed_digit("theirs", 2), link = -1;
	struct bpfstamp_attachment a;
	struct bpfstamp_plan plan;
	char text[256];

	if (_i == 2)
		link = linksbed_link_on(BPFSTAMP_INGRESS, theirs);
	ck_assert_int_eq(pin_fd(BPFFS "/pin", _i == 0 ? linksbed.map : _i == 1 ? theirs : link, &netns.err), 0);
	hook.pin = BPFFS "/pin";
	snprintf(text, sizeof(text), "cannot attach to tcx egress of va: the pin " BPFFS "/pin is of %s; remove it, "
		 "choose another with --link-pin, or use --force", what[_i]);
	FAILS(linksbed_attach(&hook, p, "ours", NULL), EEXIST, text);
	FAILS(linksbed_check(&hook, "ours", &plan), EEXIST, text);
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ -1 });
	hook.force = true;
	OK(linksbed_attach(&hook, p, "ours", &a));
	ck_assert_str_eq(a.pin, BPFFS "/pin");
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ p, -1 });
	linksbed_order(BPFSTAMP_INGRESS, (const int[]){ _i == 2 ? theirs : -1, -1 });
	OK(linksbed_detach(&hook, &a));
	ck_assert(!bpffs_has(BPFFS "/pin"));
	close(link);
	close(p);
	close(theirs);
}
END_TEST

/* What fails after the link was made leaves neither link nor pin nor folder; and a pin in the way is put back. */
START_TEST(nothing_is_left)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	int p = linksbed_digit("ours", 1), xdp = netns_program(BPF_PROG_TYPE_XDP);
	char path[300];

	hook.pin_path = "/tmp";
	FAILS(linksbed_attach(&hook, p, "ours", NULL), EINVAL, "cannot attach to tcx egress of va: cannot pin in "
	      "/tmp/bpfstamp: /tmp is not in a bpffs: name a folder of one, or mount one "
	      "(mount -t bpf bpf /sys/fs/bpf)");
	hook.pin_path = NULL;
	hook.pin = BPFFS "/new/folder/a.b";
	FAILS(linksbed_attach(&hook, p, "ours", NULL), EPERM, "cannot attach to tcx egress of va: cannot pin "
	      BPFFS "/new/folder/a.b: Operation not permitted: a bpffs allows no dot in a name");
	ck_assert(!bpffs_has(BPFFS "/new"));
	memset(path, 'x', sizeof(path));
	path[256] = '\0';
	hook.pin = path;
	FAILS(linksbed_attach(&hook, p, "ours", NULL), ENAMETOOLONG, "va: the path of the link's pin is longer …");
	hook.pin = "/dev/null";
	FAILS(linksbed_attach(&hook, p, "ours", NULL), EACCES,
	      "cannot open the pin /dev/null: Permission denied: it is "
	      "no pin, or another user's");
	hook.pin = NULL;
	FAILS(linksbed_attach(&hook, xdp, "ours", NULL), EINVAL, "program ours is of type xdp; TCX takes sched_cls");
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ -1 });
	OK(linksbed_attach(&hook, p, "ours", NULL));
	FAILS(linksbed_attach(&hook, p, "other", NULL), EEXIST,
	      "attach to tcx egress of va: File exists; this very …");
	linksbed_detach_all(BPFSTAMP_EGRESS);
	close(xdp);
	close(p);
}
END_TEST

/* The interface is in a namespace that is not this process's. */
START_TEST(other_namespace)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	int p = linksbed_digit("one", 1), home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	struct bpfstamp_net *here = linksbed.net;
	struct bpfstamp_attachment a;
	struct bpfstamp_plan plan;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", home);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	OK(bpfstamp_net_open(&linksbed.net, path, &netns.err));
	OK(linksbed_attach(&hook, p, "one", &a));
	ck_assert_str_eq(a.pin, linksbed_pin("tcx_egress-one"));
	ck_assert_uint_eq(linksbed_show("va").count, 1);
	OK(linksbed_check(&hook, "one", &plan));
	ck_assert(plan.occupied);
	hook.type = BPFSTAMP_AUTO;
	OK(linksbed_check(&hook, "one", &plan));
	ck_assert_int_eq(plan.type, BPFSTAMP_TCX);
	linksbed_detach_all(BPFSTAMP_EGRESS);
	bpfstamp_net_close(linksbed.net);
	linksbed.net = here;
	ck_assert_int_eq(setns(home, CLONE_NEWNET), 0);
	close(home);
	close(p);
}
END_TEST

static void keep_capabilities(uint64_t kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	ck_assert_int_eq((int)syscall(SYS_capget, &header, data), 0);
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted & (uint32_t)(kept >> 32 * i);
	ck_assert_int_eq((int)syscall(SYS_capset, &header, data), 0);
}

/* With CAP_BPF and CAP_NET_ADMIN only; and without the latter. */
START_TEST(few_capabilities)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	int p[3] = { linksbed_digit("a_name_of_many_letters", 1), linksbed_digit("2", 2), linksbed_digit("3", 3) };
	struct bpfstamp_attachment a, b;
	struct linksbed_shown shown;

	keep_capabilities(1ull << CAP_BPF | 1ull << CAP_NET_ADMIN);
	ck_assert_int_eq(sys_prog_by_id(linksbed_id(p[0])), -1);
	ck_assert_int_eq(errno, EPERM);
	OK(linksbed_attach(&hook, p[0], "a_name_of_many_letters", &a));
	OK(linksbed_attach(&hook, p[1], "a_name_of_many_letters", &b));
	ck_assert_uint_eq(a.link, b.link);
	hook.where = BPFSTAMP_BEFORE;
	hook.relative = "a_name_of_many_letters";
	OK(linksbed_attach(&hook, p[2], "three", &b));
	linksbed_order(BPFSTAMP_EGRESS, (const int[]){ p[2], p[1], -1 });
	shown = linksbed_show("va");
	ck_assert_uint_eq(shown.count, 2);
	ck_assert(shown.list[1].ours);
	ck_assert_str_eq(shown.list[1].name, "a_name_of_many_letters");
	keep_capabilities(1ull << CAP_BPF);
	FAILS(linksbed_detach(&hook, &a), EPERM, "look at tcx egress of va: Operation not "
	      "permitted; needs CAP_BPF and CAP_NET_ADMIN");
	keep_capabilities(1ull << CAP_BPF | 1ull << CAP_NET_ADMIN);
	linksbed_detach_all(BPFSTAMP_EGRESS);
	keep_capabilities(UINT64_MAX);
	linksbed_close(p, 3);
}
END_TEST

/* ------------------------------------------------------------------ races */

/* A process of its own, with a socket of its own. */
static pid_t start(void)
{
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (!pid && bpfstamp_net_open(&linksbed.net, NULL, &netns.err))
		_exit(1);
	return pid;
}

static void attach_and_detach(const struct bpfstamp_hook *hook)
{
	for (unsigned int n = 0;; n++)
		if (linksbed_attach_new(hook, "drop", NULL) ||
		    (n % 3 == 2 && linksbed_detach(hook, NULL)))
			_exit(1);
}

/* Killed at any time, attach and detach leave what the next ones put right. */
START_TEST(killed)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	struct bpfstamp_attachment a;

	for (unsigned int i = 0; i < 30; i++) {
		pid_t pid = start();
		int status;

		if (!pid)
			attach_and_detach(&hook);
		usleep(1000 + i * 977 % 20000);
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_msg(WIFSIGNALED(status), "a child failed");
		ck_assert_uint_le(linksbed_show("va").count, 1);
		OK(linksbed_attach_new(&hook, "drop", &a));
		ck_assert_uint_eq(linksbed_show(NULL).count, 1);
		if (i % 2)
			linksbed_detach_all(BPFSTAMP_EGRESS);
	}
	linksbed_detach_all(BPFSTAMP_EGRESS);
}
END_TEST

/* Several at once want the same place, and some leave it again: all succeed, and at last one link is there. */
START_TEST(at_once)
{
	struct bpfstamp_hook hook = linksbed_hook(BPFSTAMP_EGRESS);
	int status;

	for (int i = 0; i < 4; i++) {
		pid_t pid = start();

		for (int n = 0; !pid && n < 10; n++) {
			if (linksbed_attach_new(&hook, "drop", NULL) ||
			    (_i && linksbed_detach(&hook, NULL) &&
			     netns.err.code != ENOENT)) {
				fprintf(stderr, "%s\n", netns.err.text);
				_exit(1);
			}
		}
		if (!pid)
			_exit(0);
	}
	for (int i = 0; i < 4; i++)
		ck_assert(wait(&status) > 0 && WIFEXITED(status) && !WEXITSTATUS(status));
	ck_assert_uint_eq(linksbed_show("va").count, _i ? 0 : 1);
	linksbed_detach_all(BPFSTAMP_EGRESS);
}
END_TEST

Suite *suite_links_others_kernel(void)
{
	Suite *s = suite_create("links_others_kernel");
	TCase *t;

	if (!linksbed_usable("links_others_kernel"))
		return s;
	if (!linksbed_has_tcx()) {
		printf("SKIP links_others_kernel: no TCX (Linux 6.6)\n");
		return s;
	}
	t = tcase_create("links_others_kernel");
	tcase_add_checked_fixture(t, linksbed_setup, linksbed_teardown);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	tcase_add_test(t, foreign_untouched);
	tcase_add_loop_test(t, several_of_ours, 0, 3);
	tcase_add_test(t, pinned_elsewhere);
	tcase_add_loop_test(t, pin_of_something_else, 0, 3);
	tcase_add_test(t, nothing_is_left);
	tcase_add_test(t, other_namespace);
	tcase_add_test(t, few_capabilities);
	tcase_add_test(t, killed);
	tcase_add_loop_test(t, at_once, 0, 2);
	return s;
}
