// SPDX-License-Identifier: BSD-2-Clause
/*
 * Maps that want to be pinned: made and pinned, taken from a pin that is
 * there, or refused; and that what fails leaves nothing behind.  The objects
 * are compiled, so these tests need clang, and the project's folder as working
 * directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loader/mapmake.h"
#include "loader/pin.h"
#include "loader/sys.h"
#include "tests/bpfcalls.h"
#include "tests/bpffs.h"

Suite *suite_pins_kernel(void);

#define PINNED \
	"#include \"features.h\"\n" \
	"struct { UINT(type, T); UINT(key_size, K); UINT(value_size, V); UINT(max_entries, N); UINT(map_flags, F); " \
	"UINT(map_extra, X); UINT(pinning, 1); } m SEC(\".maps\");\n" BPFFS_PROGRAM

/* Type, size of keys and of values, entries, flags, map_extra. */
#define MAP(t, k, v, n, f, x) "-DT=" #t " -DK=" #k " -DV=" #v " -DN=" #n " -DF=" #f " -DX=" #x
#define SAME MAP(1, 4, 8, 3, 0, 0)

/* A pinned map of these properties: made and pinned; or taken from the pin; or refused. */
static uint32_t pinned(const char *defines, const char *fault)
{
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	uint32_t id = 0;

	if (!bpffs_compile(&o, defines, PINNED))
		return 0;
	s = bpfobj_stamp(&o);
	if (bpffs_make(s, bpffs_find(&o, "m"), fault) >= 0) {
		id = bpffs_info(s->map_fds[bpffs_find(&o, "m")]).id;
		ck_assert_msg(!mapmake_pin(s, &bpffs.load, &bpffs.err), "%s", bpffs.err.text);
	}
	mapmake_close(s);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
	return id;
}

static const struct {
	const char *first, *second;
	const char *fault;	/* of the second, or NULL: it takes the first one's */
	uint32_t since;		/* the kernel that has the type */
} pairs[] = {
	{ MAP(1, 4, 8, 3, 0, 0), MAP(1, 4, 8, 3, 0, 0), NULL, 0 },
	{ MAP(1, 4, 8, 3, 0, 0), MAP(2, 4, 8, 3, 0, 0), "has type 1, not 2 as", 0 },
	{ MAP(1, 4, 8, 3, 0, 0), MAP(1, 8, 8, 3, 0, 0), "has key_size 4, not 8 as", 0 },
	{ MAP(1, 4, 8, 3, 0, 0), MAP(1, 4, 4, 3, 0, 0), "has value_size 8, not 4 as", 0 },
	{ MAP(1, 4, 8, 3, 0, 0), MAP(1, 4, 8, 4, 0, 0),
	  "test.o: map m: its pin /sys/fs/bpf/m has max_entries 3, not 4 as the object wants: remove the pin, or "
	  "choose another folder", 0 },
	{ MAP(1, 4, 8, 3, 0, 0), MAP(1, 4, 8, 3, 1, 0), "has map_flags 0, not 1 as", 0 },
	{ MAP(30, 0, 8, 3, 0, 2), MAP(30, 0, 8, 3, 0, 3), "has map_extra 2, not 3 as", 516 },
	/* What the kernel changes: flags of a devmap, entries of a per-CPU LRU; and what we fill in. */
	{ MAP(14, 4, 4, 3, 0, 0), MAP(14, 4, 4, 3, 0, 0), NULL, 0 },
	{ MAP(25, 4, 4, 3, 0, 0), MAP(25, 4, 4, 3, 128, 0), NULL, 504 },
	{ MAP(9, 4, 4, 3, 2, 0), MAP(9, 4, 4, 3, 2, 0), NULL, 0 },
	{ MAP(9, 4, 4, 3, 2, 0), MAP(9, 4, 4, 300, 2, 0), "has max_entries", 0 },
	{ MAP(4, 0, 0, 0, 0, 0), MAP(4, 4, 4, 0, 0, 0), NULL, 0 },
	{ MAP(27, 0, 0, 5000, 0, 0), MAP(27, 0, 0, 8192, 0, 0), NULL, 508 },
};

START_TEST(reuse)
{
	uint32_t first, second;

	if (!bpffs_kernel(pairs[_i].since) || !(first = pinned(pairs[_i].first, NULL)))
		return;
	ck_assert(bpffs_has(BPFFS "/m"));
	second = pinned(pairs[_i].second, pairs[_i].fault);
	ck_assert_uint_eq(second, pairs[_i].fault ? 0 : first);
}
END_TEST


START_TEST(no_pin_of_a_map)
{
	static const struct bpf_insn exit_0[] = { { .code = 0xb7 }, { .code = 0x95 } };
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_SCHED_CLS, .insns = (uintptr_t)exit_0, .insn_cnt = 2,
				.license = (uintptr_t)"GPL" };
	int fd = bpffs_call(BPF_PROG_LOAD, &attr);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(pin_fd(BPFFS "/m", fd, &bpffs.err), 0);
	close(fd);
	pinned(SAME, "test.o: map m: /sys/fs/bpf/m is not the pin of a map: remove it, or choose another folder");
}
END_TEST

START_TEST(no_bpffs)
{
	struct bpfstamp_stamp *s;
	char path[PATH_MAX];
	struct bpfobj o;
	int before;

	ck_assert_int_eq(mount("tmpfs", "/mnt", "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mkdir("/mnt/m", 0700), 0);
	bpffs.load.pin_path = "/mnt";
	pinned(SAME, "test.o: map m: /mnt/m is no pin: it is not in a bpffs");
	bpffs.load.pin_path = "/mnt/new/folder";
	if (!bpffs_compile(&o, SAME, PINNED))
		return;
	before = bpffs_open_fds();
	s = bpfobj_stamp(&o);
	bpffs_make(s, bpffs_find(&o, "m"), NULL);
	ck_assert_int_eq(mapmake_pin(s, &bpffs.load, &bpffs.err), -1);
	ck_assert_str_eq(bpffs.err.text, "test.o: map m: cannot pin in /mnt/new/folder: /mnt is not in a bpffs: "
			 "name a folder of one, or mount one (mount -t bpf bpf /sys/fs/bpf)");
	ck_assert(!bpffs_has("/mnt/new"));
	bpffs.load.pin_path = "/mnt/file/x";
	close(open("/mnt/file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	ck_assert_int_eq(mapmake_pin(s, &bpffs.load, &bpffs.err), -1);
	bpfobj_says(&bpffs.err, "cannot pin in /mnt/file/x: /mnt/file/x: Not a directory");
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	bpffs.load.pin_path = path;
	ck_assert_int_eq(mapmake_pin(s, &bpffs.load, &bpffs.err), -1);
	bpfobj_says(&bpffs.err, "test.o: map m: the path of its pin is too long");
	mapmake_close(s);
	ck_assert_int_eq(bpffs_open_fds(), before);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

static void drop_capability(int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	ck_assert_int_eq((int)syscall(SYS_capget, &header, data), 0);
	data[capability / 32].effective &= ~(1u << capability % 32);
	ck_assert_int_eq((int)syscall(SYS_capset, &header, data), 0);
}

/* The pin, or its folder, belongs to somebody else. */
START_TEST(not_ours)
{
	if (!pinned(SAME, NULL))
		return;
	ck_assert_int_eq(_i ? chmod(BPFFS, 0700) : chmod(BPFFS "/m", 0600), 0);
	ck_assert_int_eq(_i ? chown(BPFFS, 1000, 1000) : chown(BPFFS "/m", 1000, 1000), 0);
	drop_capability(CAP_DAC_OVERRIDE);
	drop_capability(CAP_DAC_READ_SEARCH);
	pinned(SAME, "test.o: map m: cannot open the pin /sys/fs/bpf/m: Permission denied: it is another user's, or "
	       "in a folder of theirs");
}
END_TEST

/* Another process has pinned one of two meanwhile: all that this one made goes away again, and nothing else. */
START_TEST(too_late)
{
	uint32_t shared, own;
	struct bpfstamp_stamp *ours, *theirs;
	char path[PIN_PATH_SIZE];
	struct bpfobj o;

	if (!bpffs_compile(&o, "", "#include \"maps_legacy.bpf.c\"\n"))
		return;
	shared = bpffs_find(&o, "shared");
	own = bpffs_find(&o, "own");
	ck_assert_uint_lt(shared, own);
	ours = bpfobj_stamp(&o);
	theirs = bpfobj_stamp(&o);
	bpffs_make(ours, shared, NULL);
	bpffs_make(ours, own, NULL);
	bpffs_make(theirs, own, NULL);
	ck_assert_msg(!mapmake_pin(theirs, &bpffs.load, &bpffs.err), "%s", bpffs.err.text);
	ck_assert_int_eq(mapmake_pin(ours, &bpffs.load, &bpffs.err), -1);
	ck_assert_int_eq(bpffs.err.code, EEXIST);
	ck_assert(!bpffs_has(BPFFS "/tc/globals"));
	ck_assert_int_eq(pin_map_path(path, sizeof(path), o.t, &o.t->maps[own], NULL, &bpffs.err), 0);
	ck_assert(bpffs_has(path));
	/* Once more from the start, with theirs. */
	mapmake_close(ours);
	bpffs_make(ours, shared, NULL);
	bpffs_make(ours, own, NULL);
	ck_assert_uint_eq(bpffs_info(ours->map_fds[own]).id, bpffs_info(theirs->map_fds[own]).id);
	ck_assert_msg(!mapmake_pin(ours, &bpffs.load, &bpffs.err), "%s", bpffs.err.text);
	ck_assert(bpffs_has(BPFFS "/tc/globals/shared"));
	mapmake_close(ours);
	mapmake_close(theirs);
	bpfstamp_stamp_free(ours);
	bpfstamp_stamp_free(theirs);
	bpfobj_free(&o);
}
END_TEST

/* Each time somebody is about to pin, for so many times, the folders are gone. */
static int remove_folders(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	const uint32_t *times = calls->arg;

	(void)attr;
	(void)size;
	if (command == BPF_OBJ_PIN && calls->count[BPF_OBJ_PIN] <= *times) {
		rmdir(BPFFS "/a/b");
		if (calls->count[BPF_OBJ_PIN] % 2)
			rmdir(BPFFS "/a");
	}
	return 0;
}

static bool pin_and_undo(const void *arg)
{
	struct bpfstamp_stamp *s = bpfobj_stamp(arg);
	bool right;

	bpffs_make(s, bpffs_find(arg, "m"), NULL);
	right = !mapmake_pin(s, &bpffs.load, &bpffs.err) && bpffs_has(BPFFS "/a/b/m");
	bpfstamp_load_undo(s);
	mapmake_close(s);
	bpfstamp_stamp_free(s);
	return right && !bpffs_has(BPFFS "/a");
}

static bool pin_in_vain(const void *arg)
{
	struct bpfstamp_stamp *s = bpfobj_stamp(arg);
	bool right;

	bpffs_make(s, bpffs_find(arg, "m"), NULL);
	right = mapmake_pin(s, &bpffs.load, &bpffs.err) && !bpffs_has(BPFFS "/a") &&
		!strcmp(bpffs.err.text, "test.o: map m: cannot pin /sys/fs/bpf/a/b/m: No such file or directory");
	mapmake_close(s);
	bpfstamp_stamp_free(s);
	return right;
}

/* Another process removes the folder, in which there is nothing yet: it is made again, but not for ever. */
START_TEST(folder_vanishes)
{
	static const uint32_t times[] = { 0, 1, 2, 7, UINT32_MAX };
	struct bpfcalls calls = { .refuse = remove_folders, .arg = &times[_i] };
	struct bpfobj o;

	if (!bpffs_compile(&o, SAME, PINNED))
		return;
	bpffs.load.pin_path = BPFFS "/a/b";
	bpfcalls_watch(&calls, times[_i] == UINT32_MAX ? pin_in_vain : pin_and_undo, &o);
	bpfobj_free(&o);
}
END_TEST

#define ARRAY_OF(type) \
	"#include \"features.h\"\nSEC(\"" type "\") int p(void *c) { return 0; }\n" \
	"struct { UINT(type, 3); UINT(key_size, 4); UINT(max_entries, 1); UINT(pinning, 1); " \
	"ARRAY(values, int(void *)); } jumps SEC(\".maps\") = { .values = { [0] = p } };\nLICENSE;\n"

/* What a load has taken back itself is nobody's to take back once more: others may have pinned there since. */
START_TEST(undone_once)
{
	struct bpfstamp_loaded *loaded;
	struct bpfstamp_stamp *first, *second;
	struct bpfobj tc, xdp;
	int fd;

	if (!bpffs_compile(&tc, "", ARRAY_OF("tc")) ||
	    !bpffs_compile(&xdp, "", ARRAY_OF("xdp") "struct { UINT(type, 1); UINT(key_size, 4); "
			   "UINT(value_size, 4); UINT(max_entries, 3); UINT(pinning, 1); } m SEC(\".maps\");\n"))
		return;
	first = bpfobj_stamp(&tc);
	second = bpfobj_stamp(&xdp);
	loaded = bpffs_load(first);
	fd = bpfstamp_loaded_map(loaded, bpffs_find(&tc, "jumps"));
	for (int i = 0; i < 2; i++) {
		struct bpfstamp_loaded *none;

		ck_assert_int_eq(bpfstamp_load_object(second, &bpffs.load, &none, &bpffs.err), -1);
		bpfobj_says(&bpffs.err, "test.o: cannot put p into slot 0 of map jumps: Invalid argument");
		ck_assert(!bpffs_has(BPFFS "/m"));
	}
	ck_assert_int_eq(pin_fd(BPFFS "/m", fd, &bpffs.err), 0);
	bpfstamp_load_undo(second);
	ck_assert(bpffs_has(BPFFS "/m"));
	bpfstamp_loaded_free(loaded);
	bpfstamp_stamp_free(first);
	bpfstamp_stamp_free(second);
	bpfobj_free(&tc);
	bpfobj_free(&xdp);
}
END_TEST

/* A bpffs allows no dots, and a name must not lead elsewhere. */
START_TEST(path_of_pin)
{
	static const uint8_t bytes[] = { 'a' };
	const struct bpfstamp_template t = { .name = (char *)"t.o", .elf = { .data = bytes, .size = 1 } };
	struct map m = { .name = "../a.b", .pinning = MAP_PIN_NAME };
	char path[64];

	ck_assert_int_eq(pin_map_path(path, sizeof(path), &t, &m, "/x.y", &bpffs.err), 0);
	ck_assert_str_eq(path, "/x.y/___a_b");
	m.pinning = MAP_PIN_GLOBAL;
	ck_assert_int_eq(pin_map_path(path, sizeof(path), &t, &m, NULL, &bpffs.err), 0);
	ck_assert_str_eq(path, BPFFS "/tc/globals/___a_b");
	m.pinning = MAP_PIN_OBJECT;
	ck_assert_int_eq(pin_map_path(path, sizeof(path), &t, &m, NULL, &bpffs.err), 0);
	ck_assert_str_eq(path, BPFFS "/tc/af63dc4c8601ec8c/___a_b");	/* FNV-1a of "a" */
	ck_assert_int_eq(pin_map_path(path, strlen(path) + 1, &t, &m, NULL, &bpffs.err), 0);
	ck_assert_int_eq(pin_map_path(path, strlen(path), &t, &m, NULL, &bpffs.err), -1);
	ck_assert_str_eq(bpffs.err.text, "t.o: map ../a.b: the path of its pin is too long");
}
END_TEST

START_TEST(folders)
{
	size_t made;

	ck_assert_int_eq(pin_make_folders(BPFFS "//a/b/c/", &made, &bpffs.err), 0);
	ck_assert_uint_eq(made, strlen(BPFFS "//a"));
	ck_assert(bpffs_has(BPFFS "/a/b/c"));
	ck_assert_int_eq(pin_make_folders(BPFFS "/a/b", &made, &bpffs.err), 0);
	ck_assert_int_eq(pin_make_folders(BPFFS "/a/x", &made, &bpffs.err), 0);
	ck_assert_uint_eq(made, strlen(BPFFS "/a/x"));
	pin_remove_folders(BPFFS "/a/x", made);
	ck_assert(bpffs_has(BPFFS "/a/b/c") && !bpffs_has(BPFFS "/a/x"));
	pin_remove_folders(BPFFS "/a/b/c", 0);
	ck_assert(bpffs_has(BPFFS "/a/b/c"));
	pin_remove_folders(BPFFS "/a/b/c", strlen(BPFFS "/a"));
	ck_assert(!bpffs_has(BPFFS "/a"));
	/* A failure in the middle leaves none; here, a dot in a name. */
	ck_assert_int_eq(pin_make_folders(BPFFS "/a/b/c.d/e", &made, &bpffs.err), -1);
	ck_assert_str_eq(bpffs.err.text, "cannot make folder /sys/fs/bpf/a/b/c.d: Operation not permitted");
	ck_assert(!made && !bpffs_has(BPFFS "/a"));
	ck_assert_int_eq(chdir(BPFFS), 0);
	ck_assert_int_eq(pin_make_folders("a/b", &made, &bpffs.err), 0);
	ck_assert_uint_eq(made, 1);
	pin_remove_folders("a/b", made);
	ck_assert(!bpffs_has("a"));
}
END_TEST

/* Folders that bpfstamp_pin made are gone again, those that were there are not. */
START_TEST(folders_of_loaded)
{
	static const char *const dirs[] = { BPFFS "/x/y", BPFFS "/x/there", BPFFS "/x/there//maps/" };
	struct bpfstamp_loaded *loaded;
	struct bpfstamp_stamp *s;
	struct bpfobj o;

	if (!bpffs_compile(&o, SAME, "#include \"features.h\"\n" BPFFS_PROGRAM))
		return;
	s = bpfobj_stamp(&o);
	loaded = bpffs_load(s);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		if (i)
			ck_assert(!mkdir(BPFFS "/x", 0700) && !mkdir(BPFFS "/x/there", 0700));
		ck_assert_msg(!bpfstamp_pin(loaded, dirs[i], false, &bpffs.err), "%s", bpffs.err.text);
		ck_assert(bpffs_has(i ? BPFFS "/x/there/maps" : BPFFS "/x/y/maps"));
		bpfstamp_unpin(loaded);
		ck_assert(i ? !rmdir(BPFFS "/x/there") && !rmdir(BPFFS "/x") : !bpffs_has(BPFFS "/x"));
	}
	bpfstamp_loaded_free(loaded);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/*
 * What is undone when a second folder cannot be had is what was done in that
 * one; and then all that was noted is its.
 */
START_TEST(second_folder)
{
	struct bpfstamp_loaded *loaded, *other;
	struct bpfstamp_stamp *s;
	struct bpfobj o;

	if (!bpffs_compile(&o, SAME, "#include \"features.h\"\n" BPFFS_PROGRAM))
		return;
	s = bpfobj_stamp(&o);
	loaded = bpffs_load(s);
	other = bpffs_load(s);
	ck_assert_msg(!bpfstamp_pin(other, BPFFS "/b", false, &bpffs.err), "%s", bpffs.err.text);
	ck_assert_msg(!bpfstamp_pin(loaded, BPFFS "/a", false, &bpffs.err), "%s", bpffs.err.text);
	ck_assert_int_eq(bpfstamp_pin(loaded, BPFFS "/b", false, &bpffs.err), -1);
	ck_assert_int_eq(bpffs.err.code, EEXIST);
	ck_assert(bpffs_has(BPFFS "/a/p") && bpffs_has(BPFFS "/b/p"));
	bpfstamp_unpin(loaded);
	ck_assert(bpffs_has(BPFFS "/a/p") && bpffs_has(BPFFS "/b/p"));
	bpfstamp_loaded_free(loaded);
	bpfstamp_loaded_free(other);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* A folder that cannot be had undoes the load's pins, too, and only once: others may have pinned there since. */
START_TEST(no_folder)
{
	struct bpfstamp_loaded *loaded;
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	int fd;

	if (!bpffs_compile(&o, "", ARRAY_OF("tc")))
		return;
	s = bpfobj_stamp(&o);
	loaded = bpffs_load(s);
	fd = bpfstamp_loaded_map(loaded, bpffs_find(&o, "jumps"));
	ck_assert(bpffs_has(BPFFS "/jumps"));
	ck_assert(!mkdir(BPFFS "/a", 0700));
	ck_assert_int_eq(pin_fd(BPFFS "/a/p", fd, &bpffs.err), 0);
	ck_assert_int_eq(bpfstamp_pin(loaded, BPFFS "/a", false, &bpffs.err), -1);
	ck_assert_int_eq(bpffs.err.code, EEXIST);
	ck_assert(!bpffs_has(BPFFS "/jumps") && !bpffs_has(BPFFS "/a/maps") && bpffs_has(BPFFS "/a/p"));
	ck_assert_int_eq(pin_fd(BPFFS "/jumps", fd, &bpffs.err), 0);
	bpfstamp_unpin(loaded);
	ck_assert(bpffs_has(BPFFS "/jumps"));
	bpfstamp_loaded_free(loaded);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* Where each name beside the pin's, up to the number, is taken, as by processes that were killed. */
static void take_beside(int fd, int numbers)
{
	char name[64];

	snprintf(name, sizeof(name), BPFFS "/a/p_%d", (int)getpid());
	ck_assert_int_eq(pin_fd(name, fd, &bpffs.err), 0);
	for (int i = 0; i < numbers; i++) {
		snprintf(name, sizeof(name), BPFFS "/a/p_%d_%d", (int)getpid(), i);
		ck_assert_int_eq(pin_fd(name, fd, &bpffs.err), 0);
	}
}

static uint32_t entries(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;
	uint32_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static uint32_t pinned_program(const char *path)
{
	struct bpfstamp_prog_info info;
	int fd = sys_obj_get(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bpfstamp_prog_info(fd, &info, &bpffs.err), 0);
	close(fd);
	return info.id;
}

/* What is beside a pin that is replaced is left as it is, and in nobody's way. */
START_TEST(replaced_beside)
{
	static const struct { int taken, ret; } cases[] = { { 0, 0 }, { 1, 0 }, { 63, 0 }, { 64, -1 } };
	struct bpfstamp_loaded *before, *after;
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	uint32_t id;

	if (!bpffs_compile(&o, SAME, "#include \"features.h\"\n" BPFFS_PROGRAM))
		return;
	s = bpfobj_stamp(&o);
	before = bpffs_load(s);
	after = bpffs_load(s);
	ck_assert_msg(!bpfstamp_pin(before, BPFFS "/a", false, &bpffs.err), "%s", bpffs.err.text);
	id = pinned_program(BPFFS "/a/p");
	take_beside(bpfstamp_loaded_program(before, 0), cases[_i].taken);
	ck_assert_int_eq(bpfstamp_pin(after, BPFFS "/a", true, &bpffs.err), cases[_i].ret);
	ck_assert(!cases[_i].ret || bpffs.err.code == EEXIST);
	ck_assert_int_eq(pinned_program(BPFFS "/a/p") == id, cases[_i].ret != 0);
	ck_assert_uint_eq(entries(BPFFS "/a"), 3 + (uint32_t)cases[_i].taken);	/* p, maps, and all that were taken */
	bpfstamp_loaded_free(before);
	bpfstamp_loaded_free(after);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

START_TEST(extern_map)
{
	static const char there[] = "#include \"features.h\"\nextern struct { UINT(type, T); UINT(key_size, K); "
		"UINT(value_size, V); UINT(max_entries, N); } m __attribute__((section(\".maps\")));\n"
		"SEC(\"tc\") int p(struct __sk_buff *skb) { __u32 key = 1; __u64 *v = bpf_map_lookup_elem(&m, &key); "
		"return v ? (int)*v : 1000; }\nLICENSE;\n";
	const uint32_t key = 1;
	const uint64_t value = 77;
	struct bpfstamp_loaded *loaded;
	struct bpfstamp_stamp *s;
	struct bpfobj o;
	uint32_t id;

	if (!bpffs_kernel(502) || !bpffs_compile(&o, SAME, there))
		return;
	s = bpfobj_stamp(&o);
	bpffs_make(s, bpffs_find(&o, "m"), "test.o: map m is declared extern, but not pinned as /sys/fs/bpf/m");
	id = pinned(SAME, NULL);
	ck_assert_uint_eq(bpffs_info(bpffs_make(s, bpffs_find(&o, "m"), NULL)).id, id);
	ck_assert_int_eq(sys_map_update(s->map_fds[bpffs_find(&o, "m")], &key, &value), 0);
	mapmake_close(s);
	loaded = bpffs_load(s);
	ck_assert_uint_eq(bpffs_run(bpfstamp_loaded_program(loaded, 0), 0), 77);
	bpfstamp_loaded_free(loaded);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_pins_kernel(void)
{
	Suite *suite = suite_create("pins_kernel");
	TCase *paths = tcase_create("paths"), *tcase;

	tcase_add_test(paths, path_of_pin);
	suite_add_tcase(suite, paths);
	if (!bpffs_usable("pins_kernel"))
		return suite;
	tcase = tcase_create("pins");
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, reuse, 0, sizeof(pairs) / sizeof(pairs[0]));
	tcase_add_test(tcase, no_pin_of_a_map);
	tcase_add_test(tcase, no_bpffs);
	tcase_add_loop_test(tcase, not_ours, 0, 2);
	tcase_add_test(tcase, too_late);
	tcase_add_test(tcase, folders);
	tcase_add_test(tcase, folders_of_loaded);
	tcase_add_test(tcase, second_folder);
	tcase_add_test(tcase, no_folder);
	tcase_add_loop_test(tcase, folder_vanishes, 0, 5);
	tcase_add_test(tcase, undone_once);
	tcase_add_loop_test(tcase, replaced_beside, 0, 4);
	tcase_add_test(tcase, extern_map);
	return suite;
}
