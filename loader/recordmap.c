// SPDX-License-Identifier: BSD-2-Clause
/*
 * Records in the kernel.
 *
 * A record is the one value of an array called "bpfstamp", of the record's own
 * size.  No instruction refers to the map: it is bound to all programs of a load
 * by BPF_PROG_BIND_MAP (Linux 5.10), shows among their maps, and goes with the
 * last of them.  It is frozen, and read-only for programs, so that its bytes
 * stay those of the load, whoever has an fd of it.  Where others may take the program
 * (loader/reuse.c), the key that they find it by stands behind the record, unless
 * the kernel has no room for both.
 *
 * That costs a load four calls and one more for each further program.  Any of
 * them says EINVAL only where the kernel is older.
 *
 * Anybody who may load programs can make a map like that.  What is no record, to
 * the last byte, is taken for somebody else's map of that name.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/err.h"
#include "loader/lacks.h"
#include "loader/load.h"
#include "loader/objinfo.h"
#include "loader/record.h"
#include "loader/sys.h"

#define RECORD_MAP "bpfstamp"

/* ---------------------------------------------------------------- making */

/* The map of a record, frozen: its fd, or -1 with errno. */
static int make_map(const uint8_t *raw, uint32_t size, const struct bpfstamp_load *load)
{
	const uint32_t key = 0;
	union bpf_attr attr;
	int fd, code;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = sizeof(key);
	attr.value_size = size;
	attr.max_entries = 1;
	attr.map_flags = BPF_F_RDONLY_PROG;
	sys_name(attr.map_name, RECORD_MAP);
	fd = sys_map_create(&attr);
	if (fd < 0 && errno == EPERM && load_raise_memlock(load))
		fd = sys_map_create(&attr);
	if (fd < 0 || (!sys_map_update(fd, &key, raw) && !sys_map_freeze(fd)))
		return fd;
	code = errno;
	close(fd);
	errno = code;
	return -1;
}

/* 0, or -1 with errno. */
static int bind_all(const struct bpfstamp_stamp *s, int map_fd)
{
	for (uint32_t i = 0; i < s->t->func_count; i++)
		if (s->prog_fds[i] >= 0 && sys_prog_bind_map(s->prog_fds[i], map_fd))
			return -1;
	return 0;
}

/* Leave the record with every program of the load; 0, or an errno. */
static int leave(const struct bpfstamp_stamp *s, const struct bpfstamp_load *load, const uint8_t *raw, uint32_t size)
{
	int fd = make_map(raw, size, load), code;

	if (fd < 0)
		return errno;
	code = bind_all(s, fd) ? errno : 0;
	close(fd);
	return code;
}

int record_bind(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, struct bpfstamp_err *err)
{
	uint32_t size;
	int code = 0;

	if (!lacks(LACKS_BIND_MAP)) {
		if (s->key_size) {
			code = leave(s, load, s->key, s->key_size);
			if (code && code != EINVAL)
				s->key_size = 0;
		}
		if (!s->key_size) {
			if (record_make(s, NULL, &s->record, &s->record_room, &size, err))
				return -1;
			code = leave(s, load, s->record, size);
		}
		if (code == EINVAL)
			lacks_note(LACKS_BIND_MAP);
	}
	if (lacks(LACKS_BIND_MAP)) {
		load_note(load, "this kernel (before 5.10) binds no maps to programs: what was stamped is not "
			  "recorded");
		return 0;
	}
	if (code == EPERM)
		return load_no_privilege(s->t, "cannot make the record of what was stamped", err);
	return !code ? 0 : err_set(err, code, "%s: cannot make the record of what was stamped: %s", s->t->name,
				   strerror(code));
}

/* --------------------------------------------------------------- reading */

/* Whether a map looks like that of a record. */
static bool is_record_map(int fd, struct bpf_map_info *info)
{
	memset(info, 0, sizeof(*info));
	return !sys_map_info(fd, info) && !memcmp(info->name, RECORD_MAP, sizeof(RECORD_MAP)) &&
	       info->type == BPF_MAP_TYPE_ARRAY && info->key_size == 4 && info->max_entries == 1 &&
	       info->value_size >= RECORD_LEAST && info->value_size <= RECORD_KEY_MOST &&
	       info->map_flags & BPF_F_RDONLY_PROG;
}

/*
 * What a map holds that cannot change any more.  All elements of an array are
 * there, so that to insert one, of any bytes, is refused in any case: with EPERM, before
 * anything else is looked at, where the map is frozen.
 */
static int read_frozen(int fd, const uint8_t *any, uint8_t *value)
{
	const uint32_t key = 0;

	if (!sys_map_insert(fd, &key, any) || errno != EPERM)
		return -1;
	return sys_map_lookup(fd, &key, value);
}

bool record_equals(int map_fd, const uint8_t *raw, uint32_t size, uint8_t *buf)
{
	struct bpf_map_info info;

	return is_record_map(map_fd, &info) && info.value_size == size && !read_frozen(map_fd, raw, buf) &&
	       !memcmp(raw, buf, size);
}

/* The record in a map: 0 with *out, NULL where there is none in it, or an errno. */
static int read_map(struct record **out, int fd, const char *kernel_name)
{
	struct bpf_map_info info;
	uint8_t *raw;
	int code;

	if (!is_record_map(fd, &info))
		return 0;
	raw = calloc(1, info.value_size);
	if (!raw)
		return ENOMEM;
	if (!read_frozen(fd, raw, raw))
		*out = record_parse(raw, info.value_size, kernel_name);
	if (*out) {
		(*out)->map_id = info.id;
		return 0;
	}
	code = errno;
	free(raw);
	return code == ENOMEM ? ENOMEM : 0;
}

int record_read(int prog_fd, struct record **out, struct bpfstamp_err *err)
{
	struct record *found = NULL;
	struct bpf_prog_info info;
	uint32_t *map_ids, func;
	int code = 0;

	if (objinfo_prog(prog_fd, &info, &map_ids, &func))
		return err_set(err, errno, "cannot read the program's properties: %s", strerror(errno));
	info.name[sizeof(info.name) - 1] = '\0';
	for (uint32_t i = 0; i < info.nr_map_ids && !found && !code; i++) {
		int fd = sys_map_by_id(map_ids[i]);

		if (fd < 0) {
			code = errno == ENOENT ? 0 : errno;
			continue;
		}
		code = read_map(&found, fd, info.name);
		close(fd);
	}
	free(map_ids);
	if (code == EPERM)
		return err_set(err, code, "program %u: to read its maps needs the capability CAP_SYS_ADMIN", info.id);
	if (code)
		return err_set(err, code, "program %u: cannot read its maps: %s", info.id, strerror(code));
	*out = found;
	return 0;
}

bool record_is_there(int prog_fd)
{
	struct record *r = NULL;
	struct bpfstamp_err err;

	if (record_read(prog_fd, &r, &err) || !r)
		return false;
	record_free(r);
	return true;
}
