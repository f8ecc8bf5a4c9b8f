// SPDX-License-Identifier: BSD-2-Clause
/*
 * Pins are files of a bpffs (kernel: kernel/bpf/inode.c).  Made by BPF_OBJ_PIN,
 * opened by BPF_OBJ_GET, and removed as any file is, by unlink(2).
 *
 * libbpf pins a map by its name, straight in the folder; iproute2 in one of
 * two folders below tc/, which all its users share:
 *
 *   PATH/NAME               by name
 *   PATH/tc/globals/NAME    for everybody
 *   PATH/tc/OBJECT/NAME     for those that load the same object
 *
 * OBJECT is a hash of the object's bytes: FNV-1a of 64 bits in hexadecimal.
 * iproute2 takes a SHA-1 here, so an object's own pins are not shared with it.
 *
 * That a folder is in a bpffs is seen before anything is made in it: its
 * nearest ancestor that exists must be.
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader/err.h"
#include "loader/pin.h"
#include "loader/sys.h"

/* ----------------------------------------------------------------- paths */

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t fnv1a(const uint8_t *bytes, uint64_t size)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (uint64_t i = 0; i < size; i++)
		hash = (hash ^ bytes[i]) * 0x100000001b3;
	return hash;
}

void pin_clean_name(char *name)
{
	for (; *name; name++)
		if (*name == '.' || *name == '/')
			*name = '_';
}

int pin_map_path(char *buf, size_t size, const struct bpfstamp_template *t, const struct map *m, const char *path,
		 struct bpfstamp_err *err)
{
	const char *base = path ? path : PIN_DEFAULT;
	char object[17] = "globals";
	int used;

	if (m->pinning == MAP_PIN_OBJECT)
		snprintf(object, sizeof(object), "%016" PRIx64, fnv1a(t->elf.data, t->elf.size));
	used = m->pinning == MAP_PIN_NAME ? snprintf(buf, size, "%s/%s", base, m->name) :
		snprintf(buf, size, "%s/tc/%s/%s", base, object, m->name);
	if (used < 0 || (size_t)used >= size)
		return err_set(err, ENAMETOOLONG, "%s: map %s: the path of its pin is too long", t->name, m->name);
	pin_clean_name(buf + (size_t)used - strlen(m->name));
	return 0;
}

static bool is_bpffs(const struct statfs *st)
{
	return (uint32_t)st->f_type == (uint32_t)BPF_FS_MAGIC;
}

/* --------------------------------------------------------------- folders */

/* How long the path of the folder above is; 0 where a path has none. */
static size_t above(const char *dir, size_t len)
{
	while (len && dir[len - 1] != '/')
		len--;
	while (len > 1 && dir[len - 1] == '/')
		len--;
	return len;
}

/* The first len bytes of a path, or "." for none. */
static const char *head(char *buf, const char *dir, size_t len)
{
	if (!len)
		return ".";
	memcpy(buf, dir, len);
	buf[len] = '\0';
	return buf;
}

/* How much of a path is there, which must be in a bpffs. */
static int find_existing(const char *dir, size_t *existing, struct bpfstamp_err *err)
{
	size_t len = strlen(dir);
	char buf[PIN_PATH_SIZE];
	struct statfs st;

	if (len >= sizeof(buf))
		return err_set(err, ENAMETOOLONG, "cannot pin in %.64s…: the path is too long", dir);
	while (len > 1 && dir[len - 1] == '/')
		len--;
	while (statfs(head(buf, dir, len), &st)) {
		if (errno != ENOENT || !len || !strcmp(buf, "/"))
			return err_set(err, errno, "cannot pin in %s: %s: %s", dir, head(buf, dir, len),
				       strerror(errno));
		len = above(dir, len);
	}
	if (!is_bpffs(&st))
		return err_set(err, EINVAL, "cannot pin in %s: %s is not in a bpffs: name a folder of one, or mount "
			       "one (mount -t bpf bpf %s)", dir, head(buf, dir, len), PIN_DEFAULT);
	*existing = len;
	return 0;
}

int pin_check_folder(const char *dir, struct bpfstamp_err *err)
{
	size_t existing;

	return find_existing(dir, &existing, err);
}

int pin_make_folders(const char *dir, size_t *made, struct bpfstamp_err *err)
{
	char buf[PIN_PATH_SIZE];
	size_t len = 0;

	*made = 0;
	if (find_existing(dir, &len, err))
		return -1;
	for (;;) {
		len += strspn(dir + len, "/");
		if (!dir[len])
			return 0;
		len += strcspn(dir + len, "/");
		if (!mkdir(head(buf, dir, len), 0700)) {
			*made = *made ? *made : len;
		} else if (errno != EEXIST) {
			err_set(err, errno, "cannot make folder %s: %s", buf, strerror(errno));
			pin_remove_folders(dir, *made);
			*made = 0;
			return -1;
		}
	}
}

void pin_remove_folders(const char *dir, size_t made)
{
	char buf[PIN_PATH_SIZE];

	for (size_t len = strlen(dir); made && len >= made; len = above(dir, len))
		rmdir(head(buf, dir, len));	/* fails, as it should, where somebody else put something in it */
}

/* ------------------------------------------------------------------ pins */

int pin_fd(const char *path, int fd, struct bpfstamp_err *err)
{
	const char *name = strrchr(path, '/');

	if (!sys_obj_pin(path, fd))
		return 0;
	err_set(err, errno, "cannot pin %s: %s", path, strerror(errno));
	if (err->code == EPERM && name && strchr(name, '.'))
		err_hint(err, ": a bpffs allows no dot in a name");
	return -1;
}

enum pin_kind pin_kind(int fd)
{
	static const struct { const char *name; enum pin_kind kind; } kinds[] = {
		{ "anon_inode:bpf-map", PIN_MAP }, { "anon_inode:bpf-prog", PIN_PROGRAM },
		{ "anon_inode:bpf_link", PIN_LINK }, { "anon_inode:bpf-link", PIN_LINK },
	};
	char path[40], name[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, name, sizeof(name) - 1);
	if (len < 0)
		return PIN_UNKNOWN;
	name[len] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(name, kinds[i].name))
			return kinds[i].kind;
	return PIN_OTHER;
}

int pin_open_map(const char *path, int *fd, struct bpfstamp_err *err)
{
	int opened = sys_obj_get(path), code = errno;
	enum pin_kind kind;
	struct statfs st;

	if (opened < 0 && code == ENOENT) {
		*fd = -1;
		return 0;
	}
	if (opened < 0) {
		if (code == EACCES && !statfs(path, &st) && !is_bpffs(&st))
			return err_set(err, EINVAL, "%s is no pin: it is not in a bpffs", path);
		err_set(err, code, "cannot open the pin %s: %s", path, strerror(code));
		if (code == EACCES)
			err_hint(err, ": it is another user's, or in a folder of theirs");
		else if (code == EPERM)
			err_hint(err, ": needs the capability CAP_BPF (or CAP_SYS_ADMIN)");
		return -1;
	}
	kind = pin_kind(opened);
	if (kind != PIN_MAP && kind != PIN_UNKNOWN) {
		close(opened);
		return err_set(err, EINVAL, "%s is not the pin of a map: remove it, or choose another folder", path);
	}
	*fd = opened;
	return 0;
}
