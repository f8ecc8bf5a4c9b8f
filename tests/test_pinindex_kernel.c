// SPDX-License-Identifier: BSD-2-Clause
/*
 * The index of a bpffs: programs and links by id, in folders of folders; not
 * maps, not what symbolic links and other mounts lead to, not what cannot be
 * opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader/sys.h"
#include "tests/bpffs.h"
#include "tests/netns.h"

Suite *suite_pinindex_kernel(void);

static struct bpfstamp_err err;

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = { 0 };

	ck_assert_int_eq(sys_prog_info(fd, &info), 0);
	return info.id;
}

static void pin(int fd, const char *path)
{
	ck_assert_msg(!sys_obj_pin(path, fd), "%s: %s", path, strerror(errno));
}

static void folder(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

/* A program that is pinned there, and nowhere else. */
static uint32_t pinned(const char *path)
{
	int fd = netns_program(BPF_PROG_TYPE_SCHED_CLS);
	uint32_t id = program_id(fd);

	pin(fd, path);
	close(fd);
	return id;
}

static struct bpfstamp_pins *index_of(const char *path)
{
	struct bpfstamp_pins *pins;
	int fds = bpffs_open_fds();

	ck_assert_msg(!bpfstamp_pins_open(&pins, path, &err), "%s", err.text);
	ck_assert_int_eq(bpffs_open_fds(), fds);
	return pins;
}

static void is_at(const struct bpfstamp_pins *pins, uint32_t id, const char *path)
{
	const char *found = bpfstamp_pins_program(pins, id);

	ck_assert_msg(!path == !found && (!path || !strcmp(path, found)), "%u is at %s, not %s", id,
		      found ? found : "no place", path ? path : "no place");
}

START_TEST(programs)
{
	uint32_t top, deep, none;
	struct bpfstamp_pins *pins;
	int fd;

	top = pinned(BPFFS "/top");
	folder(BPFFS "/a");
	folder(BPFFS "/a/b");
	folder(BPFFS "/a/empty");
	deep = pinned(BPFFS "/a/b/deep");
	fd = sys_obj_get(BPFFS "/a/b/deep");
	pin(fd, BPFFS "/z");
	close(fd);
	fd = netns_program(BPF_PROG_TYPE_SCHED_CLS);
	none = program_id(fd);
	pins = index_of(NULL);
	is_at(pins, top, BPFFS "/top");
	is_at(pins, deep, BPFFS "/a/b/deep");
	is_at(pins, none, NULL);
	is_at(pins, 0, NULL);
	is_at(pins, UINT32_MAX, NULL);
	ck_assert_ptr_null(bpfstamp_pins_link(pins, top));
	bpfstamp_pins_free(pins);
	pins = index_of(BPFFS "/a//");
	is_at(pins, top, NULL);
	is_at(pins, deep, BPFFS "/a/b/deep");
	bpfstamp_pins_free(pins);
	close(fd);
}
END_TEST

/* Of as many as make both tables grow, each is found, and each neighbour of an id is not. */
START_TEST(many)
{
	enum { COUNT = 70 };
	uint32_t ids[COUNT];
	struct bpfstamp_pins *pins;
	char path[64];

	for (int i = 0; i < COUNT; i++) {
		snprintf(path, sizeof(path), BPFFS "/p%03d", (i * 37) % COUNT);
		ids[i] = pinned(path);
	}
	pins = index_of(BPFFS);
	for (int i = 0; i < COUNT; i++) {
		snprintf(path, sizeof(path), BPFFS "/p%03d", (i * 37) % COUNT);
		is_at(pins, ids[i], path);
	}
	bpfstamp_pins_free(pins);
}
END_TEST

START_TEST(not_elsewhere)
{
	uint32_t linked, mounted;
	struct bpfstamp_pins *pins;
	union bpf_attr attr = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1 };
	int map = sys_map_create(&attr);
	struct bpf_map_info info = { 0 };

	ck_assert(map >= 0 && !sys_map_info(map, &info));
	pin(map, BPFFS "/map");
	close(map);
	ck_assert_int_eq(mount("bpf", "/mnt", "bpf", 0, NULL), 0);
	linked = pinned("/mnt/program");
	ck_assert_int_eq(symlink("/mnt", BPFFS "/folder"), 0);
	ck_assert_int_eq(symlink("/mnt/program", BPFFS "/file"), 0);
	ck_assert_int_eq(symlink(".", BPFFS "/loop"), 0);
	folder(BPFFS "/mount");
	ck_assert_int_eq(mount("bpf", BPFFS "/mount", "bpf", 0, NULL), 0);
	mounted = pinned(BPFFS "/mount/program");
	folder(BPFFS "/tmp");
	ck_assert_int_eq(mount("tmpfs", BPFFS "/tmp", "tmpfs", 0, NULL), 0);
	close(open(BPFFS "/tmp/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	pins = index_of(NULL);
	is_at(pins, linked, NULL);
	is_at(pins, mounted, NULL);
	is_at(pins, info.id, NULL);
	ck_assert_ptr_null(bpfstamp_pins_link(pins, info.id));
	bpfstamp_pins_free(pins);
	pins = index_of("/mnt");
	is_at(pins, linked, "/mnt/program");
	bpfstamp_pins_free(pins);
}
END_TEST

/* No folder, or one of no bpffs, has no pins. */
START_TEST(nothing)
{
	static const char *const paths[] = { "/no/such/folder", "/tmp", "/dev/null", BPFFS, BPFFS "/program" };
	struct bpfstamp_pins *pins;
	uint32_t id = pinned(BPFFS "/program");
	char path[5000];

	if (_i == 3)
		unlink(BPFFS "/program");
	pins = index_of(paths[_i]);
	is_at(pins, id, NULL);
	bpfstamp_pins_free(pins);
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	path[1] = 'x';
	path[4998] = 'x';
	ck_assert_int_eq(bpfstamp_pins_open(&pins, path, &err), -1);
	ck_assert_int_eq(err.code, ENAMETOOLONG);
}
END_TEST

/* Too long a path below, and too deep a folder, are passed over, and what is beside them is not. */
START_TEST(deep)
{
	char path[4096] = BPFFS;
	struct bpfstamp_pins *pins;
	uint32_t id, near, far;

	for (int i = 0; i < 63; i++)
		folder(strcat(path, "/d"));
	near = pinned(strcat(path, "/p"));
	path[strlen(path) - 2] = '\0';
	folder(strcat(path, "/d"));
	far = pinned(strcat(path, "/p"));
	id = pinned(BPFFS "/e");
	pins = index_of(NULL);
	is_at(pins, id, BPFFS "/e");
	ck_assert_ptr_nonnull(bpfstamp_pins_program(pins, near));
	is_at(pins, far, NULL);
	bpfstamp_pins_free(pins);
}
END_TEST

/* A link of XDP, which every kernel since 5.9 has. */
START_TEST(links)
{
	struct bpf_link_info info = { 0 };
	struct bpfstamp_pins *pins;
	union bpf_attr attr = { .link_create = { .attach_type = BPF_XDP } };
	int program, fd;

	netns_setup();
	program = netns_program(BPF_PROG_TYPE_XDP);
	attr.link_create.prog_fd = (uint32_t)program;
	attr.link_create.target_ifindex = (uint32_t)netns_ifindex("va");
	fd = sys_link_create(&attr);
	ck_assert_msg(fd >= 0, "%s", strerror(errno));
	ck_assert_int_eq(sys_link_info(fd, &info), 0);
	pin(fd, BPFFS "/link");
	pins = index_of(NULL);
	ck_assert_ptr_nonnull(bpfstamp_pins_link(pins, info.id));
	ck_assert_str_eq(bpfstamp_pins_link(pins, info.id), BPFFS "/link");
	is_at(pins, program_id(program), NULL);
	bpfstamp_pins_free(pins);
	close(fd);
	close(program);
	netns_teardown();
}
END_TEST

/* Somebody else's file is passed over. */
START_TEST(not_ours)
{
	struct bpfstamp_pins *pins;
	uint32_t theirs = pinned(BPFFS "/theirs"), ours = pinned(BPFFS "/ours");

	ck_assert(!chmod(BPFFS "/ours", 0666) && !chmod(BPFFS "/theirs", 0600) && !chmod(BPFFS, _i ? 0700 : 0755));
	ck_assert_int_eq(seteuid(1000), 0);
	pins = index_of(NULL);
	is_at(pins, theirs, NULL);
	if (_i)
		is_at(pins, ours, NULL);
	bpfstamp_pins_free(pins);
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

static void setup(void)
{
	bpffs_setup();
	bpffs_raise_memlock();
}

Suite *suite_pinindex_kernel(void)
{
	Suite *suite = suite_create("pinindex_kernel");
	TCase *tcase;

	if (!bpffs_usable("pinindex_kernel"))
		return suite;
	tcase = tcase_create("index");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, programs);
	tcase_add_test(tcase, many);
	tcase_add_test(tcase, not_elsewhere);
	tcase_add_loop_test(tcase, nothing, 0, 5);
	tcase_add_test(tcase, deep);
	tcase_add_loop_test(tcase, not_ours, 0, 2);
	if (netns_usable("pinindex_kernel"))
		tcase_add_test(tcase, links);
	return suite;
}
