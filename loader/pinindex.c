// SPDX-License-Identifier: BSD-2-Clause
/*
 * An index of a bpffs: which program and which link is pinned where.
 *
 * The walk stays in the file system that it begins in, and follows no symbolic
 * link: folders are opened one from the other, and must be of the same device.
 * Each file is opened as a pin just long enough to ask what it is, which the
 * name of its fd in /proc tells, and of which id.  Maps, and what cannot be
 * opened, are passed over; who may not look into the folder sees an empty one.
 *
 * Both tables are sorted by id and path, so that of several pins of one object
 * the first by name is found.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "loader/err.h"
#include "loader/pin.h"
#include "loader/sys.h"

enum { DEEPEST = 64 };

struct pin {
	uint32_t id;
	char *path;
};

struct table {
	struct pin *pins;
	uint32_t count, room;
};

struct bpfstamp_pins {
	struct table programs, links;
};

struct walk {
	struct bpfstamp_pins *pins;
	dev_t dev;
	char path[PIN_PATH_SIZE];
	bool no_memory;
};

static bool add(struct table *t, uint32_t id, const char *path)
{
	struct pin *more = t->pins;
	char *copy = strdup(path);

	if (copy && t->count == t->room) {
		uint32_t room = t->room ? 2 * t->room : 16;

		more = realloc(t->pins, room * sizeof(*more));
		if (more) {
			t->pins = more;
			t->room = room;
		}
	}
	if (!copy || !more) {
		free(copy);
		return false;
	}
	t->pins[t->count++] = (struct pin){ id, copy };
	return true;
}

static void take_pin(struct walk *w)
{
	struct bpf_prog_info prog = { 0 };
	struct bpf_link_info link = { 0 };
	int fd = sys_obj_get(w->path);
	enum pin_kind kind;

	if (fd < 0)
		return;
	kind = pin_kind(fd);
	if (kind == PIN_PROGRAM && !sys_prog_info(fd, &prog))
		w->no_memory |= !add(&w->pins->programs, prog.id, w->path);
	else if (kind == PIN_LINK && !sys_link_info(fd, &link))
		w->no_memory |= !add(&w->pins->links, link.id, w->path);
	close(fd);
}

static void walk_folder(struct walk *w, int fd, int depth);

/* w->path names an entry of the folder dir by now. */
static void take_entry(struct walk *w, int dir, const char *name, int depth)
{
	struct stat st;
	int fd;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) || st.st_dev != w->dev)
		return;
	if (S_ISREG(st.st_mode)) {
		take_pin(w);
	} else if (S_ISDIR(st.st_mode)) {
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			walk_folder(w, fd, depth - 1);
	}
}

/* Owns fd. */
static void walk_folder(struct walk *w, int fd, int depth)
{
	size_t used = strlen(w->path);
	const struct dirent *entry;
	struct stat st;
	DIR *dir;

	if (fstat(fd, &st) || st.st_dev != w->dev || !depth || !(dir = fdopendir(fd))) {
		close(fd);
		return;
	}
	while (!w->no_memory && (entry = readdir(dir)) != NULL) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    used + 1 + strlen(entry->d_name) >= sizeof(w->path))
			continue;
		w->path[used] = '/';
		strcpy(w->path + used + 1, entry->d_name);
		take_entry(w, dirfd(dir), entry->d_name, depth);
		w->path[used] = '\0';
	}
	closedir(dir);
}

/* The fd of a folder of a bpffs; -1 where it is none, or the errno in *code tells what is wrong. */
static int open_top(struct walk *w, const char *path, int *code)
{
	size_t len = strlen(path);
	struct statfs fs;
	struct stat st;
	int fd;

	while (len > 1 && path[len - 1] == '/')
		len--;
	*code = ENAMETOOLONG;
	if (len >= sizeof(w->path))
		return -1;
	memcpy(w->path, path, len);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*code = fd >= 0 || errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : errno;
	if (fd < 0)
		return -1;
	if (!fstatfs(fd, &fs) && (uint32_t)fs.f_type == (uint32_t)BPF_FS_MAGIC && !fstat(fd, &st)) {
		w->dev = st.st_dev;
		return fd;
	}
	close(fd);
	return -1;
}

static int by_id(const void *a, const void *b)
{
	const struct pin *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return strcmp(x->path, y->path);
}

static void sort(struct table *t)
{
	if (t->count)
		qsort(t->pins, t->count, sizeof(*t->pins), by_id);
}

int bpfstamp_pins_open(struct bpfstamp_pins **out, const char *path, struct bpfstamp_err *err)
{
	const char *top = path ? path : PIN_DEFAULT;
	struct walk w = { .pins = calloc(1, sizeof(*w.pins)) };
	int fd, code;

	if (!w.pins)
		return object_no_memory(err);
	fd = open_top(&w, top, &code);
	if (fd >= 0)
		walk_folder(&w, fd, DEEPEST);
	if (code || w.no_memory) {
		bpfstamp_pins_free(w.pins);
		return code ? err_set(err, code, "cannot look for pins in %.256s: %s", top, strerror(code)) :
			object_no_memory(err);
	}
	sort(&w.pins->programs);
	sort(&w.pins->links);
	*out = w.pins;
	return 0;
}

static void free_table(struct table *t)
{
	for (uint32_t i = 0; i < t->count; i++)
		free(t->pins[i].path);
	free(t->pins);
}

void bpfstamp_pins_free(struct bpfstamp_pins *pins)
{
	if (!pins)
		return;
	free_table(&pins->programs);
	free_table(&pins->links);
	free(pins);
}

/* The first pin of that id. */
static const char *find(const struct table *t, uint32_t id)
{
	uint32_t low = 0, high = t->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (t->pins[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < t->count && t->pins[low].id == id ? t->pins[low].path : NULL;
}

const char *bpfstamp_pins_program(const struct bpfstamp_pins *pins, uint32_t id)
{
	return find(&pins->programs, id);
}

const char *bpfstamp_pins_link(const struct bpfstamp_pins *pins, uint32_t id)
{
	return find(&pins->links, id);
}
