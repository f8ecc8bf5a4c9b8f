// SPDX-License-Identifier: BSD-2-Clause
/*
 * The state of a pod in a bpffs: written, replaced, read, removed; names that
 * must not meet; the lock among processes; and pins that are none of ours.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cni/kept.h"
#include "cni/state.h"
#include "loader/sys.h"
#include "tests/bpffs.h"

Suite *suite_cni_state_kernel(void);

#define STATES BPFFS "/bpfstamp-cni"
#define POD STATES "/net/pod:eth0"

static struct bpfstamp_err err;

#define GOOD(call) ck_assert_msg((call) == 0, "%s: %s", #call, err.text)

static void fails(int ret, int code, const char *text)
{
	ck_assert_int_eq(ret, -1);
	ck_assert_int_eq(err.code, code);
	ck_assert_msg(strstr(err.text, text), "'%s' in '%s'", text, err.text);
	ck_assert_ptr_null(strchr(err.text, '\n'));
}

static void lock(struct state *s, const char *network, const char *container, const char *ifname)
{
	GOOD(state_lock(s, BPFFS, network, container, ifname, true, &err));
	ck_assert_int_ge(s->lock, 0);
}

static void write_number(const struct state *s, int number)
{
	json_t *json = json_pack("{s:i}", "number", number);

	GOOD(state_write(s, json, &err));
	json_decref(json);
}

/* -1: there is no state. */
static int read_number(const struct state *s)
{
	json_t *json;
	int number;

	GOOD(state_read(s, &json, &err));
	number = json ? (int)json_integer_value(json_object_get(json, "number")) : -1;
	json_decref(json);
	return number;
}

static void remove_state(struct state *s)
{
	GOOD(state_remove(s, &err));
	ck_assert_int_eq(s->lock, -1);
}

START_TEST(life)
{
	int fds = bpffs_open_fds();
	struct state s;

	fails(state_lock(&s, BPFFS, "net", "pod", "eth0", false, &err), ENOENT, POD);
	lock(&s, "net", "pod", "eth0");
	ck_assert_str_eq(s.dir, POD);
	ck_assert_int_eq(read_number(&s), -1);
	write_number(&s, 1);
	ck_assert_int_eq(read_number(&s), 1);
	write_number(&s, 2);
	ck_assert_int_eq(read_number(&s), 2);
	ck_assert(bpffs_has(POD "/state"));
	ck_assert(!bpffs_has(POD "/new"));
	state_unlock(&s);
	GOOD(state_lock(&s, BPFFS, "net", "pod", "eth0", false, &err));
	ck_assert_int_eq(read_number(&s), 2);
	remove_state(&s);
	ck_assert(!bpffs_has(STATES));
	ck_assert_int_eq(bpffs_open_fds(), fds);
}
END_TEST

/* A value of any length comes back, and cannot be changed by others where the kernel can freeze. */
START_TEST(long_values)
{
	struct state s;
	json_t *json, *back;
	char *text;
	int fd, value[4] = { 0 };

	lock(&s, "net", "pod", "eth0");
	for (size_t size = 1; size < 100000; size = size * 3 + 1) {
		text = calloc(1, size + 1);
		memset(text, 'x', size);
		json = json_pack("{s:s}", "text", text);
		GOOD(state_write(&s, json, &err));
		GOOD(state_read(&s, &back, &err));
		ck_assert(json_equal(json, back));
		json_decref(json);
		json_decref(back);
		free(text);
	}
	json = json_pack("{s:i}", "n", 1);
	GOOD(state_write(&s, json, &err));
	json_decref(json);
	fd = sys_obj_get(POD "/state");
	ck_assert_int_ge(fd, 0);
	if (bpffs_kernel(502))
		ck_assert_int_eq(sys_map_update(fd, &(uint32_t){ 0 }, value), -1);
	close(fd);
	remove_state(&s);
}
END_TEST

/* What a process that was killed leaves beside the state goes with the next lock. */
START_TEST(leftover)
{
	struct state s;

	lock(&s, "net", "pod", "eth0");
	write_number(&s, 1);
	ck_assert_int_eq(rename(POD "/state", POD "/new"), 0);
	state_unlock(&s);
	lock(&s, "net", "pod", "eth0");
	ck_assert(!bpffs_has(POD "/new"));
	ck_assert_int_eq(read_number(&s), -1);
	write_number(&s, 2);
	ck_assert_int_eq(sys_obj_pin(POD "/link3", sys_obj_get(POD "/state")), 0);
	remove_state(&s);
	ck_assert(!bpffs_has(STATES));
}
END_TEST

/* Folders of a process that was killed before, or after, there was a state. */
START_TEST(empty_folders)
{
	struct state s;

	ck_assert_int_eq(mkdir(STATES, 0700), 0);
	fails(state_lock(&s, BPFFS, "net", "pod", "eth0", false, &err), ENOENT, POD);
	ck_assert(!bpffs_has(STATES));
	ck_assert_int_eq(mkdir(STATES, 0700), 0);
	ck_assert_int_eq(mkdir(STATES "/net", 0700), 0);
	fails(state_lock(&s, BPFFS, "net", "pod", "eth0", false, &err), ENOENT, POD);
	ck_assert(!bpffs_has(STATES));
	ck_assert_int_eq(mkdir(STATES, 0700), 0);
	ck_assert_int_eq(mkdir(STATES "/net", 0700), 0);
	GOOD(state_each(BPFFS, "net", NULL, NULL, &err));
	ck_assert(!bpffs_has(STATES));
}
END_TEST

/* Names that would meet if characters were replaced or parts were simply joined. */
static const char *const names[][3] = {
	{ "a.b", "c", "eth0" }, { "a_b", "c", "eth0" }, { "a-b", "c", "eth0" }, { "a%2eb", "c", "eth0" },
	{ "a%b", "c", "eth0" }, { "a", "b.c", "eth0" }, { "a", "b", "c.eth0" }, { "a", "b:c", "eth0" },
	{ "a", "b", "c:eth0" }, { "a", "b", "eth0.1" }, { "a", "b", "eth0" }, { "a", "b", "eth\xc3\xa9" },
};

enum { NAMES = sizeof(names) / sizeof(*names) };

struct seen {
	const char *network;
	bool names[NAMES];
	int count, stop_at;
};

static int see(const char *container, const char *ifname, void *arg, struct bpfstamp_err *e)
{
	struct seen *seen = arg;

	for (int i = 0; i < NAMES; i++)
		if (!strcmp(names[i][0], seen->network) && !strcmp(names[i][1], container) &&
		    !strcmp(names[i][2], ifname)) {
			ck_assert(!seen->names[i]);
			seen->names[i] = true;
		}
	if (++seen->count == seen->stop_at)
		return bpfstamp_err_set(e, ECANCELED, "enough");
	return 0;
}

START_TEST(names_are_injective)
{
	struct seen seen;
	struct state s;

	for (int i = 0; i < NAMES; i++) {
		lock(&s, names[i][0], names[i][1], names[i][2]);
		ck_assert_int_eq(read_number(&s), -1);
		write_number(&s, i);
		state_unlock(&s);
	}
	for (int i = 0; i < NAMES; i++) {
		seen = (struct seen){ .network = names[i][0] };
		GOOD(state_each(BPFFS, names[i][0], see, &seen, &err));
		ck_assert(seen.names[i]);
		ck_assert_int_eq(seen.count, !strcmp(names[i][0], "a") ? NAMES - 5 : 1);
	}
	seen = (struct seen){ .network = "a", .stop_at = 2 };
	fails(state_each(BPFFS, "a", see, &seen, &err), ECANCELED, "enough");
	ck_assert_int_eq(seen.count, 2);
	for (int i = 0; i < NAMES; i++) {
		lock(&s, names[i][0], names[i][1], names[i][2]);
		ck_assert_int_eq(read_number(&s), i);
		remove_state(&s);
	}
	seen = (struct seen){ .network = "a" };
	GOOD(state_each(BPFFS, "a", see, &seen, &err));
	ck_assert_int_eq(seen.count, 0);
	ck_assert(!bpffs_has(STATES));
}
END_TEST

START_TEST(too_long)
{
	char name[256], path[300];
	struct state s;

	memset(name, 'n', sizeof(name) - 1);
	name[255] = '\0';
	fails(state_lock(&s, BPFFS, "net", name, "eth0", true, &err), ENAMETOOLONG, "container id is too long");
	name[251] = '\0';
	fails(state_lock(&s, BPFFS, "net", name, "eth0", true, &err), ENAMETOOLONG, "container id is too long");
	name[250] = '\0';
	lock(&s, "net", name, "eth0");
	fails(state_link_path(path, &s, 0, &err), ENAMETOOLONG, "the link's pin would be longer than 255 bytes");
	remove_state(&s);
	memset(name, '.', 86);
	name[86] = '\0';
	fails(state_lock(&s, BPFFS, name, "pod", "eth0", true, &err), ENAMETOOLONG,
	      "name of the network is too long");
	ck_assert(!bpffs_has(STATES));
}
END_TEST

START_TEST(no_bpffs)
{
	struct state s;

	ck_assert_int_eq(mount("tmpfs", "/mnt", "tmpfs", 0, NULL), 0);
	fails(state_lock(&s, "/mnt", "net", "pod", "eth0", true, &err), EINVAL, "mount -t bpf bpf /sys/fs/bpf");
	ck_assert(!bpffs_has("/mnt/bpfstamp-cni"));
	fails(state_lock(&s, "/mnt", "net", "pod", "eth0", false, &err), ENOENT, "/mnt/bpfstamp-cni/net/pod:eth0");
	lock(&s, "new", "pod", "eth0");
	state_unlock(&s);
	GOOD(state_lock(&s, BPFFS "/sub/folder", "net", "pod", "eth0", true, &err));
	write_number(&s, 1);
	remove_state(&s);
}
END_TEST

/* Where a state should be: a map of another name, a program, a value that is no JSON. */
static int map_of(const char *name, const char *value, uint32_t value_size)
{
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = value_size,
				.max_entries = 1 };
	int fd;

	sys_name(attr.map_name, name);
	fd = sys_map_create(&attr);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sys_map_update(fd, &(uint32_t){ 0 }, value), 0);
	return fd;
}

static void pinned(int fd, const char *fault)
{
	struct state s;
	json_t *json;
	int fds;

	lock(&s, "net", "pod", "eth0");
	ck_assert_int_eq(sys_obj_pin(POD "/state", fd), 0);
	close(fd);
	fds = bpffs_open_fds();
	fails(state_read(&s, &json, &err), EINVAL, fault);
	ck_assert_int_eq(bpffs_open_fds(), fds);
	remove_state(&s);
}

START_TEST(not_ours)
{
	static const struct bpf_insn exit_0[] = { { .code = 0xb7 }, { .code = 0x95 } };
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SCHED_CLS, .insns = (uintptr_t)exit_0, .insn_cnt = 2,
				.license = (uintptr_t)"GPL" };

	pinned(map_of("another", "{}", 3), "is not the pin of a state of bpfstamp-cni");
	pinned(map_of("bpfstamp_cni", "{}", 2), "is no JSON object");	/* without a NUL */
	pinned(map_of("bpfstamp_cni", "{", 2), "is no JSON object");
	pinned(map_of("bpfstamp_cni", "[]", 3), "is no JSON object");
	pinned(map_of("bpfstamp_cni", "{\"a\":1,\"a\":2}", 14), "is no JSON object");
	pinned(bpffs_call(BPF_PROG_LOAD, &attr), "is not the pin of a map");
}
END_TEST

/* ------------------------------------------------------------------ lock */

/* Another process, which waits for the lock, adds one to the state, and removes or unlocks it. */
static void count(const char *container, int times, bool removes)
{
	struct state s;

	for (int i = 0; i < times; i++) {
		lock(&s, "net", container, "eth0");
		if (removes && i % 2) {
			remove_state(&s);
			continue;
		}
		write_number(&s, read_number(&s) + 1);
		state_unlock(&s);
	}
	_exit(0);
}

static void join(int children)
{
	int status;

	for (int i = 0; i < children; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert_int_eq(status, 0);
	}
}

START_TEST(one_at_a_time)
{
	struct state s;

	for (int i = 0; i < 4; i++)
		if (!fork())
			count("pod", 50, false);
	join(4);
	lock(&s, "net", "pod", "eth0");
	ck_assert_int_eq(read_number(&s), 4 * 50 - 1);
	remove_state(&s);
}
END_TEST

/* Folders come and go under those that wait. */
START_TEST(removed_while_waited_for)
{
	struct state s;

	for (int i = 0; i < 4; i++)
		if (!fork())
			count(i < 2 ? "pod" : "other", 50, true);
	join(4);
	lock(&s, "net", "pod", "eth0");
	remove_state(&s);
	lock(&s, "net", "other", "eth0");
	remove_state(&s);
	ck_assert(!bpffs_has(STATES));
}
END_TEST

START_TEST(ends_with_the_process)
{
	int ready[2], status;
	struct state s;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		lock(&s, "net", "pod", "eth0");
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	lock(&s, "net", "pod", "eth0");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	remove_state(&s);
}
END_TEST

/* Nobody waits for ever, neither for a pod nor for the folder of all pins. */
START_TEST(ends_with_patience)
{
	int held = open(BPFFS, O_RDONLY | O_DIRECTORY), fd = open(BPFFS, O_RDONLY | O_DIRECTORY);
	int64_t now = state_patience() - 60;

	ck_assert_int_eq(flock(held, LOCK_EX), 0);
	fails(state_flock(fd, BPFFS, now - 1, &err), CNI_ERROR + CNI_TRY_AGAIN,
	      "another process has had " BPFFS " locked for 60 seconds: try again");
	fails(state_flock(fd, BPFFS, now + 1, &err), CNI_ERROR + CNI_TRY_AGAIN, "try again");
	ck_assert_int_gt(state_patience() - 60, now + 1);
	close(held);
	GOOD(state_flock(fd, BPFFS, now - 1, &err));
	close(fd);
}
END_TEST

/* ------------------------------------------------------- what it says */

static const struct kept whole = {
	.host = "bs0123456789abc", .ifindex = INT32_MAX, .end = 7, .made = true, .netns = "/run/netns/a",
	.netns_inode = 4026532000, .netns_cookie = 1ull << 40, .place_count = 3, .pod_count = 2,
	.places = {
		{ .pod = true, .ifindex = 2, .type = BPFSTAMP_XDP, .direction = BPFSTAMP_INGRESS, .link = 7,
		  .program = "x" },
		{ .ifindex = 9, .type = BPFSTAMP_CLSACT, .direction = BPFSTAMP_EGRESS, .prio = 65535,
		  .handle = UINT32_MAX, .clsact = true, .program = "filter_out" },
		{ .ifindex = 9, .type = BPFSTAMP_NETKIT, .direction = BPFSTAMP_PEER, .program = "p" },
	},
	.pods = { { .network = 100, .ifindex = 9, .address = { [10] = 0xff, [11] = 0xff, 10, 1, 0, 2 },
		    .mac = { 0xff, 0, 1, 2, 3, 0x0a } },
		  { .network = UINT32_MAX, .ifindex = UINT32_MAX, .address = { 0xfd, 1, [15] = 9 } } },
};

START_TEST(kept_and_read)
{
	json_t *json = kept_json(&whole);
	struct kept back;

	ck_assert_ptr_nonnull(json);
	GOOD(kept_read(&back, json, "here", &err));
	ck_assert_mem_eq(&back, &whole, sizeof(back));
	json_decref(json);
}
END_TEST

/* A state that was written before it told of these. */
START_TEST(kept_before)
{
	struct kept old = whole, back;
	json_t *json = kept_json(&whole);

	json_object_del(json, "end");
	json_object_del(json, "cookie");
	for (size_t i = 0; i < old.pod_count; i++)
		json_array_remove(json_array_get(json_object_get(json, "pods"), i), 3);
	old.end = 0;
	old.netns_cookie = 0;
	memset(old.pods[0].mac, 0, sizeof(old.pods[0].mac));
	GOOD(kept_read(&back, json, "here", &err));
	ck_assert_mem_eq(&back, &old, sizeof(back));
	json_decref(json);
}
END_TEST

static const char *const spoilt[] = {
	"{}", "{\"host\":\"0123456789abcdef\"}",
	"\"ifindex\":-1", "\"ifindex\":2147483648", "\"ifindex\":\"1\"", "\"inode\":-1", "\"netns\":1",
	"\"host\":null", "\"pods\":[[1,\"10.0.0.1\",2]]", "\"pods\":[[4294967296,\"::1\",2]]",
	"\"pods\":[[1,\"::1\"]]", "\"pods\":[{}]", "\"end\":-1", "\"end\":\"1\"", "\"cookie\":-1", "\"cookie\":null",
	"\"pods\":[[1,\"::1\",2,3]]", "\"pods\":[[1,\"::1\",2,\"02:00:00:00:00\"]]",
	"\"pods\":[[1,\"::1\",2,\"02:00:00:00:00:0g\"]]", "\"pods\":[[1,\"::1\",2,\"2:0:0:0:0:1\"]]",
	"\"pods\":[[1,\"::1\",2,\"02:00:00:00:00:01 \"]]",
	"\"attachments\":[{}]",
	"\"attachments\":[{\"dev\":\"node\",\"ifindex\":1,\"hook\":\"tcx\",\"direction\":\"egress\",\"prio\":0,"
	"\"handle\":0,\"link\":0,\"program\":\"p\"}]",
	"\"attachments\":[{\"dev\":\"host\",\"ifindex\":1,\"hook\":\"tcx\",\"direction\":\"egress\",\"prio\":65536,"
	"\"handle\":0,\"link\":0,\"program\":\"p\"}]",
	"\"attachments\":[{\"dev\":\"host\",\"ifindex\":1,\"hook\":\"auto\",\"direction\":\"egress\",\"prio\":0,"
	"\"handle\":0,\"link\":0,\"program\":\"p\"}]",
	"\"attachments\":[{\"dev\":\"host\",\"ifindex\":1,\"hook\":\"tcx\",\"direction\":\"egress\",\"prio\":0,"
	"\"handle\":0,\"link\":65,\"program\":\"p\"}]",
};

START_TEST(spoilt_states)
{
	const char *text = spoilt[_i];
	json_t *json = kept_json(&whole), *change;
	struct kept back;
	char buf[512];

	if (*text == '{') {
		json_decref(json);
		json = json_loads(text, 0, NULL);
	} else {
		snprintf(buf, sizeof(buf), "{%s}", text);
		change = json_loads(buf, 0, NULL);
		ck_assert_ptr_nonnull(change);
		json_object_update(json, change);
		json_decref(change);
	}
	fails(kept_read(&back, json, "here", &err), EINVAL, "the state in here is not as bpfstamp-cni writes it");
	json_decref(json);
}
END_TEST

static void setup(void)
{
	bpffs_setup();
	bpffs_raise_memlock();
}

Suite *suite_cni_state_kernel(void)
{
	Suite *suite = suite_create("cni_state_kernel");
	TCase *tcase = tcase_create("kept");

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, kept_and_read);
	tcase_add_test(tcase, kept_before);
	tcase_add_loop_test(tcase, spoilt_states, 0, sizeof(spoilt) / sizeof(*spoilt));
	if (!bpffs_usable("cni_state_kernel"))
		return suite;
	tcase = tcase_create("state");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, life);
	tcase_add_test(tcase, long_values);
	tcase_add_test(tcase, leftover);
	tcase_add_test(tcase, empty_folders);
	tcase_add_test(tcase, names_are_injective);
	tcase_add_test(tcase, too_long);
	tcase_add_test(tcase, no_bpffs);
	tcase_add_test(tcase, not_ours);
	tcase_add_test(tcase, one_at_a_time);
	tcase_add_test(tcase, removed_while_waited_for);
	tcase_add_test(tcase, ends_with_the_process);
	tcase_add_test(tcase, ends_with_patience);
	return suite;
}
