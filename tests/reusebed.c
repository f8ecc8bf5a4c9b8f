// SPDX-License-Identifier: BSD-2-Clause
/*
 * Another process is a child: it begins with this one's memory, but has an
 * object, a stamp and fds of its own, and says by its exit status what it got.
 */
#include "tests/reusebed.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/load.h"
#include "loader/sys.h"

char reusebed_note[256];
static struct bpfstamp_err err;

#define OK(call) ck_assert_msg(!(call), "%s: %s", #call, err.text)

/* Outside of a test. */
static bool binds_maps(const char *suite)
{
	unsigned int major, minor;
	struct utsname name;

	if (!uname(&name) && sscanf(name.release, "%u.%u", &major, &minor) == 2 && 100 * major + minor >= 510)
		return true;
	printf("SKIP %s: no maps bound to programs (Linux 5.10)\n", suite);
	return false;
}

bool reusebed_usable(const char *suite)
{
	return bpffs_usable(suite) && binds_maps(suite);
}

static void remember(void *arg, const char *text)
{
	(void)arg;
	snprintf(reusebed_note, sizeof(reusebed_note), "%s", text);
}

static void prepare(struct one *one)
{
	bpffs_raise_memlock();		/* or that would be the note */
	one->s = bpfobj_stamp(&one->o);
	one->load = (struct bpfstamp_load){ .record = true, .reuse = true, .reused = &one->reused, .note = remember };
	OK(bpfstamp_find_program(one->o.t, NULL, 0, &one->load.program, &err));
}

void reusebed_make(struct one *one, const char *section)
{
	static const struct bpfinsn code[] = { LDDW(0, 0), EXIT };
	uint32_t at;

	one->o = bpfobj_new(BYTES_HOST_BIG);
	at = bpfobj_code(&one->o, section, code, 3);
	bpfobj_func(&one->o, "p", at, 0, 3);
	bpfobj_rel(&one->o, at, 0, R_BPF_64_64, bpfobj_undefined(&one->o, "a", ELF64_STB_GLOBAL));
	bpfobj_open(&one->o);
	prepare(one);
}

bool reusebed_compile(struct one *one, const char *source)
{
	memset(one, 0, sizeof(*one));
	if (!bpffs_compile(&one->o, "", source))
		return false;
	prepare(one);
	return true;
}

void reusebed_discard(struct one *one)
{
	bpfstamp_stamp_free(one->s);
	bpfobj_free(&one->o);
}

int reusebed_load(struct one *one, const char *a, bool reused)
{
	int fd;

	if (a)
		bpfobj_set(one->s, "a", a);
	one->reused = !reused;
	*reusebed_note = '\0';
	OK(bpfstamp_load(one->s, &one->load, &fd, &err));
	ck_assert_msg(one->reused == reused, "reused: %d, note: %s", one->reused, reusebed_note);
	return fd;
}

uint32_t reusebed_id(int fd)
{
	struct bpfstamp_prog_info info;

	OK(bpfstamp_prog_info(fd, &info, &err));
	return info.id;
}

int reusebed_elsewhere(const char *section, const char *a, int fd, bool reused)
{
	uint32_t id = reusebed_id(fd);
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (!pid) {
		struct one one;

		reusebed_make(&one, section);
		_exit((reusebed_id(reusebed_load(&one, a, reused)) == id) == reused ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

struct reuse_entry reusebed_entry(int fd)
{
	struct bpf_prog_info info = { 0 };

	ck_assert_int_eq(sys_prog_info(fd, &info), 0);
	return (struct reuse_entry){ .id = info.id, .load_time = info.load_time };
}

void reusebed_enter(struct one *one, const struct reuse_entry *e)
{
	uint8_t digest[REUSE_DIGEST];
	int index = sys_obj_get(REUSEBED_INDEX);

	ck_assert(reuse_key(one->s, load_link(one->o.t, one->load.program, &err), &one->load));
	reuse_digest(digest, one->s->key, one->s->key_size);
	ck_assert(index >= 0 && !sys_map_update(index, digest, e));
	close(index);
}

int reusebed_map(const char *name, uint32_t type, uint32_t flags, uint32_t key, uint32_t value, uint32_t entries)
{
	union bpf_attr attr = { .map_type = type, .key_size = key, .value_size = value, .max_entries = entries,
				.map_flags = flags };
	int fd;

	bpffs_raise_memlock();
	strcpy(attr.map_name, name);
	fd = sys_map_create(&attr);
	ck_assert_int_ge(fd, 0);
	return fd;
}
