// SPDX-License-Identifier: BSD-2-Clause
/*
 * Maps that are there already: those that want to be pinned, and those that the
 * caller gives.  Where the pin is there, its map is used, if it is what would
 * have been created; that is decided as libbpf does, by what
 * BPF_OBJ_GET_INFO_BY_FD tells of it:
 *
 *   type, key_size, value_size, max_entries, map_flags, map_extra
 *
 * which must all be the same, but for what the kernel itself changes: devmaps
 * get BPF_F_RDONLY_PROG, and a hash with an LRU list for each CPU as many entries as
 * give each CPU the same number.  Else the map is created, and pinned when
 * all the rest has succeeded.  The kernel makes a pin only where the name is
 * free, so of two processes that both found none, one has to look again.
 *
 * A map that is declared extern is only ever taken from its pin, or given.
 * A map that is given is held to the same, and is neither filled nor pinned.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loader/err.h"
#include "loader/mapfill.h"
#include "loader/mapmake.h"
#include "loader/objinfo.h"
#include "loader/pin.h"
#include "loader/sys.h"

/* ----------------------------------------------------------------- reuse */

/* Undo in *have, or do in *want, what the kernel changes when it creates a map. */
static int allow_kernel(const struct bpfstamp_template *t, struct bpf_map_info *want, struct bpf_map_info *have,
			struct bpfstamp_err *err)
{
	uint32_t cpus, more;

	if (want->type == BPF_MAP_TYPE_DEVMAP || want->type == BPF_MAP_TYPE_DEVMAP_HASH)
		want->map_flags |= have->map_flags & BPF_F_RDONLY_PROG;
	if ((want->type == BPF_MAP_TYPE_LRU_HASH || want->type == BPF_MAP_TYPE_LRU_PERCPU_HASH) &&
	    want->map_flags & BPF_F_NO_COMMON_LRU && want->max_entries != have->max_entries) {
		if (mapmake_cpus_of(t, &cpus, err))
			return -1;
		more = want->max_entries % cpus ? cpus - want->max_entries % cpus : 0;
		want->max_entries += more <= UINT32_MAX - want->max_entries ? more : 0;
	}
	return 0;
}

/* Where a map comes from, for errors: what it is called, and what to do where it does not fit. */
struct origin {
	const char *what, *path, *todo;
};

static int differs(const struct bpfstamp_template *t, const struct map *m, const struct origin *from,
		   const struct bpf_map_info *want, const struct bpf_map_info *have, struct bpfstamp_err *err)
{
	struct objinfo_property wants[OBJINFO_MAP_PROPERTIES], has[OBJINFO_MAP_PROPERTIES];

	objinfo_map_properties(want, wants);
	objinfo_map_properties(have, has);
	for (size_t i = 0; i < OBJINFO_MAP_PROPERTIES; i++)
		if (wants[i].value != has[i].value)
			return err_set(err, EINVAL, "%s: map %s: %s%s has %s %" PRIu64 ", not %" PRIu64 " as "
				       "the object wants: %s", t->name, m->name, from->what, from->path,
				       has[i].name, has[i].value, wants[i].value, from->todo);
	return 0;
}

static int check(const struct bpfstamp_template *t, const struct map *m, const struct origin *from, int fd,
		 struct bpfstamp_err *err)
{
	struct bpf_map_info want, have;

	memset(&have, 0, sizeof(have));
	if (sys_map_info(fd, &have))
		return err_set(err, errno, "%s: map %s: cannot read the properties of %s%s: %s", t->name,
			       m->name, from->what, from->path, strerror(errno));
	if (mapmake_describe(t, m, &want, err) || allow_kernel(t, &want, &have, err))
		return -1;
	return differs(t, m, from, &want, &have, err);
}

static int check_given(const struct bpfstamp_template *t, const struct map *m, int fd, struct bpfstamp_err *err)
{
	const struct origin given = { .what = "the map given for it", .path = "", .todo = "give another, or none" };

	return check(t, m, &given, fd, err);
}

bool mapmake_fits(const struct bpfstamp_template *t, uint32_t index, int fd)
{
	struct bpfstamp_err ignored;

	return !check_given(t, &t->maps[index], fd, &ignored);
}

static int make_room(struct bpfstamp_stamp *s, struct bpfstamp_err *err)
{
	if (!s->map_reused && !(s->map_reused = calloc(s->t->map_count, sizeof(*s->map_reused))))
		return object_no_memory(err);
	return 0;
}

int mapmake_given(struct bpfstamp_stamp *s, uint32_t index, int given, struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	const struct map *m = &t->maps[index];
	int fd;

	if (make_room(s, err) || check_given(t, m, given, err))
		return -1;
	fd = fcntl(given, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, errno, "%s: map %s: cannot use the map given for it: %s", t->name, m->name,
			       strerror(errno));
	s->map_fds[index] = fd;
	s->map_reused[index] = true;
	return 0;
}

int mapmake_reuse(struct bpfstamp_stamp *s, uint32_t index, const struct bpfstamp_load *load,
		  struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	const struct map *m = &t->maps[index];
	char path[PIN_PATH_SIZE];
	const struct origin pin = { "its pin ", path, "remove the pin, or choose another folder" };
	int fd;

	if (make_room(s, err))
		return -1;
	s->map_reused[index] = false;
	if (pin_map_path(path, sizeof(path), t, m, load->pin_path, err))
		return -1;
	if (pin_open_map(path, &fd, err))
		return err_wrap(err, "%s: map %s", t->name, m->name);
	if (fd < 0)
		return m->external ? err_set(err, ENOENT, "%s: map %s is declared extern, but not pinned as %s",
					     t->name, m->name, path) : 0;
	if (check(t, m, &pin, fd, err)) {
		close(fd);
		return -1;
	}
	s->map_fds[index] = fd;
	s->map_reused[index] = true;
	return 0;
}

/* ------------------------------------------------------------------ pins */

struct map_pins {
	char *path;		/* of struct bpfstamp_load, or NULL */
	struct made {
		bool pin;
		size_t folder;	/* as of pin_make_folders */
	} made[];		/* by map */
};

/* The path of a map's pin, and of its folder. */
static int find_paths(const struct bpfstamp_template *t, uint32_t index, const char *pin_path,
		      char path[PIN_PATH_SIZE], char dir[PIN_PATH_SIZE], struct bpfstamp_err *err)
{
	size_t len;

	if (pin_map_path(path, PIN_PATH_SIZE, t, &t->maps[index], pin_path, err))
		return -1;
	len = (size_t)(strrchr(path, '/') - path);
	memcpy(dir, path, len);
	dir[len] = '\0';
	if (!len)
		memcpy(dir, "/", 2);
	return 0;
}

/*
 * A folder that is empty still may be removed by another process, which made it
 * and undoes that: then it is made again, a few times.
 */
static int pin_one(const struct bpfstamp_stamp *s, uint32_t index, const char *pin_path, struct made *made,
		   struct bpfstamp_err *err)
{
	char path[PIN_PATH_SIZE], dir[PIN_PATH_SIZE];

	if (find_paths(s->t, index, pin_path, path, dir, err))
		return -1;
	for (int tries = 8; tries; tries--) {
		if (!pin_make_folders(dir, &made->folder, err) && !pin_fd(path, s->map_fds[index], err)) {
			made->pin = true;
			return 0;
		}
		if (err->code != ENOENT)
			break;
		pin_remove_folders(dir, made->folder);
		made->folder = 0;
	}
	return err_wrap(err, "%s: map %s", s->t->name, s->t->maps[index].name);
}

static void unpin(const struct bpfstamp_template *t, uint32_t index, const char *pin_path, const struct made *made)
{
	char path[PIN_PATH_SIZE], dir[PIN_PATH_SIZE];
	struct bpfstamp_err ignored;

	if ((!made->pin && !made->folder) || find_paths(t, index, pin_path, path, dir, &ignored))
		return;
	if (made->pin)
		unlink(path);
	pin_remove_folders(dir, made->folder);
}

bool mapmake_is_reused(const struct bpfstamp_stamp *s, uint32_t index)
{
	return s->map_reused && s->map_reused[index];
}

static bool wants_pin(const struct bpfstamp_stamp *s, uint32_t index)
{
	return s->t->maps[index].pinning != MAP_PIN_NONE && s->map_fds[index] >= 0 && !mapmake_is_reused(s, index);
}

static struct map_pins *pins_new(uint32_t count, const char *pin_path)
{
	struct map_pins *pins = calloc(1, sizeof(*pins) + count * sizeof(pins->made[0]));

	if (pins && pin_path && !(pins->path = strdup(pin_path))) {
		free(pins);
		return NULL;
	}
	return pins;
}

int mapmake_pin(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, struct bpfstamp_err *err)
{
	uint32_t count = s->t->map_count, i = 0;

	while (i < count && !wants_pin(s, i))
		i++;
	if (i == count)
		return 0;
	s->pins = pins_new(count, load->pin_path);
	if (!s->pins)
		return object_no_memory(err);
	for (; i < count; i++) {
		if (wants_pin(s, i) && pin_one(s, i, load->pin_path, &s->pins->made[i], err)) {
			mapmake_unpin(s->t, s->pins);
			mapmake_forget_pins(&s->pins);
			return -1;
		}
	}
	return 0;
}

void mapmake_unpin(const struct bpfstamp_template *t, const struct map_pins *pins)
{
	for (uint32_t i = t->map_count; pins && i > 0; i--)
		unpin(t, i - 1, pins->path, &pins->made[i - 1]);
}

void mapmake_forget_pins(struct map_pins **pins)
{
	if (*pins)
		free((*pins)->path);
	free(*pins);
	*pins = NULL;
}
