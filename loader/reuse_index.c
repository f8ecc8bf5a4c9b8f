// SPDX-License-Identifier: BSD-2-Clause
/*
 * The index of loaded programs: a map in the bpffs, so that every process finds
 * it, and that ends with the kernel whose programs it names.
 *
 *     PATH/bpfstamp/programs     digest of a key (16 bytes) → struct reuse_entry
 *
 * It is an LRU hash: it is never full, and what nobody asks for any more makes room
 * by itself, so that nobody has to sweep it.  Lookups do not count as use; the
 * entry that goes is one of those that were written longest ago, and costs no
 * more than one load anew.
 *
 * A stamp keeps it open, because to open a pin costs more than all that is asked
 * of the map then.
 *
 * The map holds no reference to any program.  Whoever may write in the folder, which
 * is root's, may have put anything there: only a map of exactly this shape is
 * used, and an entry is a hint where to look, nothing more (loader/reuse.c).
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/err.h"
#include "loader/load.h"
#include "loader/pin.h"
#include "loader/reuse.h"
#include "loader/sys.h"

enum { ENTRIES = 4096 };

static const char name[] = "programs";

/* The folder, and how much of the buffer it takes; 0 where it does not fit. */
static size_t print_folder(char path[PIN_PATH_SIZE], const struct bpfstamp_load *load)
{
	int used = snprintf(path, PIN_PATH_SIZE, "%s/" PIN_FOLDER, load->pin_path ? load->pin_path : PIN_DEFAULT);

	return used > 0 && (size_t)used + sizeof(name) < PIN_PATH_SIZE ? (size_t)used : 0;
}

static void print_pin(char path[PIN_PATH_SIZE], size_t folder)
{
	path[folder] = '/';
	memcpy(path + folder + 1, name, sizeof(name));
}

static bool cannot(const struct bpfstamp_load *load, const char *why)
{
	load_note(load, "programs of other processes are not looked for: %s", why);
	return false;
}

static bool cannot_use(const struct bpfstamp_load *load, const char *path, const char *why)
{
	load_note(load, "programs of other processes are not looked for: cannot use %s: %s", path, why);
	return false;
}

static bool is_index(int fd)
{
	struct bpf_map_info info;

	memset(&info, 0, sizeof(info));
	return !sys_map_info(fd, &info) && info.type == BPF_MAP_TYPE_LRU_HASH && info.key_size == REUSE_DIGEST &&
	       info.value_size == sizeof(struct reuse_entry) && !info.map_flags;
}

/* True with s->index_fd unchanged where there is no such pin. */
static bool open_pin(struct bpfstamp_stamp *s, const char *path, const struct bpfstamp_load *load)
{
	int fd = sys_obj_get(path);

	if (fd < 0)
		return errno == ENOENT || cannot_use(load, path, strerror(errno));
	if (is_index(fd)) {
		s->index_fd = fd;
		return true;
	}
	close(fd);
	return cannot_use(load, path, "it is not the index of programs");
}

void reuse_index_close(struct bpfstamp_stamp *s)
{
	if (s->index_path && s->index_fd >= 0)
		close(s->index_fd);
	free(s->index_path);
	s->index_path = NULL;
}

void reuse_index_refuse(struct bpfstamp_stamp *s)
{
	if (s->index_fd >= 0)
		close(s->index_fd);
	s->index_fd = REUSE_REFUSED;
}

/* Open the pin, or see that it could be made. */
static bool look(struct bpfstamp_stamp *s, char path[PIN_PATH_SIZE], size_t folder, const struct bpfstamp_load *load)
{
	struct bpfstamp_err err;

	if (!open_pin(s, path, load))
		return false;
	if (s->index_fd >= 0)
		return true;
	path[folder] = '\0';
	return !pin_check_folder(path, &err) || cannot(load, err.text);
}

bool reuse_index_open(struct bpfstamp_stamp *s, const struct bpfstamp_load *load)
{
	char path[PIN_PATH_SIZE];
	size_t folder = print_folder(path, load);

	if (!folder)
		return cannot(load, strerror(ENAMETOOLONG));
	print_pin(path, folder);
	if (!s->index_path || strcmp(s->index_path, path) != 0) {
		reuse_index_close(s);
		s->index_path = strdup(path);
		s->index_fd = REUSE_NOT_YET;
	}
	if (s->index_path && s->index_fd == REUSE_NOT_YET && !look(s, path, folder, load))
		s->index_fd = REUSE_REFUSED;
	return s->index_path && s->index_fd != REUSE_REFUSED;
}

static int create(const struct bpfstamp_load *load)
{
	union bpf_attr attr;
	int fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_LRU_HASH;
	attr.key_size = REUSE_DIGEST;
	attr.value_size = sizeof(struct reuse_entry);
	attr.max_entries = ENTRIES;
	sys_name(attr.map_name, "bpfstamp_index");
	fd = sys_map_create(&attr);
	return fd < 0 && errno == EPERM && load_raise_memlock(load) ? sys_map_create(&attr) : fd;
}

/* Where another process was faster, with its index. */
static bool make_pin(struct bpfstamp_stamp *s, const char *path, const struct bpfstamp_load *load)
{
	int fd = create(load), code;

	if (fd >= 0 && !sys_obj_pin(path, fd)) {
		s->index_fd = fd;
		return true;
	}
	code = errno;
	if (fd >= 0)
		close(fd);
	return code == EEXIST ? open_pin(s, path, load) : cannot_use(load, path, strerror(code));
}

bool reuse_index_make(struct bpfstamp_stamp *s, const struct bpfstamp_load *load)
{
	char path[PIN_PATH_SIZE];
	size_t folder = print_folder(path, load), made;
	struct bpfstamp_err err;

	if (s->index_fd != REUSE_NOT_YET)
		return s->index_fd >= 0;
	if (pin_make_folders(path, &made, &err)) {
		s->index_fd = REUSE_REFUSED;
		return cannot(load, err.text);
	}
	print_pin(path, folder);
	if (make_pin(s, path, load) && s->index_fd >= 0)
		return true;
	s->index_fd = REUSE_REFUSED;
	path[folder] = '\0';
	pin_remove_folders(path, made);
	return false;
}
