// SPDX-License-Identifier: BSD-2-Clause
/*
 * What was loaded and is kept, and its pins.
 *
 * A pin is made under its own name where that is free.  Where it is taken and
 * may be replaced, the new object is pinned beside it and renamed over it, so
 * that the name always leads to one of the two.
 *
 * The name beside it has the thread's id, as others may replace the same pin at
 * once, and a number.  One that is taken is left alone, and the next number tried:
 * it may be a leftover of a process that was killed, but also in use, by a thread
 * with this id in another PID namespace.
 */
#define _GNU_SOURCE	/* syscall */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "loader/err.h"
#include "loader/loaded.h"
#include "loader/mapmake.h"
#include "loader/pin.h"

enum { BESIDE_TRIES = 64, BESIDE_SIZE = PIN_PATH_SIZE + 32 };

struct bpfstamp_loaded *loaded_new(const struct bpfstamp_template *t)
{
	struct bpfstamp_loaded *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->t = t;
	l->prog_fds = malloc((t->func_count + 1) * sizeof(*l->prog_fds));
	l->map_fds = malloc((t->map_count + 1) * sizeof(*l->map_fds));
	l->prog_pins = calloc(t->func_count + 1, sizeof(*l->prog_pins));
	l->map_pins = calloc(t->map_count + 1, sizeof(*l->map_pins));
	if (!l->prog_fds || !l->map_fds || !l->prog_pins || !l->map_pins) {
		free(l->prog_fds);
		free(l->map_fds);
		free(l->prog_pins);
		free(l->map_pins);
		free(l);
		return NULL;
	}
	memset(l->prog_fds, 0xff, (t->func_count + 1) * sizeof(*l->prog_fds));
	memset(l->map_fds, 0xff, (t->map_count + 1) * sizeof(*l->map_fds));
	return l;
}

static void close_all(int *fds, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(fds);
}

void bpfstamp_loaded_free(struct bpfstamp_loaded *l)
{
	if (!l)
		return;
	close_all(l->prog_fds, l->t->func_count);
	close_all(l->map_fds, l->t->map_count);
	free(l->prog_pins);
	free(l->map_pins);
	mapmake_forget_pins(&l->map_name_pins);
	free(l->dir);
	free(l);
}

int bpfstamp_loaded_program(const struct bpfstamp_loaded *l, uint32_t program)
{
	return l->prog_fds[program];
}

int bpfstamp_loaded_map(const struct bpfstamp_loaded *l, uint32_t map)
{
	return l->map_fds[map];
}

void bpfstamp_pin_name(const struct bpfstamp_template *t, bool map, uint32_t index, char *buf, size_t size)
{
	const char *slash = strrchr(t->name, '/'), *base = slash ? slash + 1 : t->name;
	const struct map *m = &t->maps[index];

	if (map && (m->data != NO_INDEX || m->kconfig))
		snprintf(buf, size, "%.*s%s", (int)strcspn(base, "."), base, m->name);
	else
		snprintf(buf, size, "%s", map ? m->name : t->funcs[index].name);
	pin_clean_name(buf);
}

/* ------------------------------------------------------------------ pins */

static int pin_path(const struct bpfstamp_loaded *l, bool map, uint32_t index, char *path, struct bpfstamp_err *err)
{
	char name[256];

	bpfstamp_pin_name(l->t, map, index, name, sizeof(name));
	if (snprintf(path, PIN_PATH_SIZE, "%s/%s%s", l->dir, map ? "maps/" : "", name) >= PIN_PATH_SIZE)
		return err_set(err, ENAMETOOLONG, "cannot pin %s: the path is too long", name);
	return 0;
}

/* Pin beside the name that is taken. */
static int pin_beside(char beside[BESIDE_SIZE], const char *path, int fd, struct bpfstamp_err *err)
{
	for (int i = 0; i < BESIDE_TRIES; i++) {
		snprintf(beside, BESIDE_SIZE, "%s_%ld_%d", path, syscall(SYS_gettid), i);
		if (!pin_fd(beside, fd, err))
			return 0;
		if (err->code != EEXIST)
			break;
	}
	return -1;
}

/* Pin beside it, and rename. */
static int replace_pin(const char *path, int fd, struct bpfstamp_err *err)
{
	char beside[BESIDE_SIZE];

	if (pin_beside(beside, path, fd, err))
		return -1;
	if (!rename(beside, path))
		return 0;
	err_set(err, errno, "cannot replace %s: %s", path, strerror(errno));
	unlink(beside);
	return -1;
}

static int pin_one(struct bpfstamp_loaded *l, bool map, uint32_t index, bool replace, struct bpfstamp_err *err)
{
	int fd = (map ? l->map_fds : l->prog_fds)[index];
	uint8_t *made = &(map ? l->map_pins : l->prog_pins)[index];
	char path[PIN_PATH_SIZE];

	if (fd < 0)
		return 0;
	if (pin_path(l, map, index, path, err))
		return -1;
	if (!pin_fd(path, fd, err)) {
		*made = PIN_MADE;
		return 0;
	}
	if (err->code != EEXIST)
		return -1;
	if (!replace)
		return err_hint(err, ": remove it, choose another folder, or --repin");
	if (replace_pin(path, fd, err))
		return -1;
	*made = PIN_REPLACED;
	return 0;
}

static int pin_all(struct bpfstamp_loaded *l, bool replace, struct bpfstamp_err *err)
{
	char maps[PIN_PATH_SIZE];

	if (snprintf(maps, sizeof(maps), "%s/maps", l->dir) >= PIN_PATH_SIZE)
		return err_set(err, ENAMETOOLONG, "cannot pin to %s: the path is too long", l->dir);
	if (pin_make_folders(maps, &l->made_folder, err))
		return -1;
	for (uint32_t i = 0; i < l->t->map_count; i++)
		if (pin_one(l, true, i, replace, err))
			return -1;
	for (uint32_t i = 0; i < l->t->func_count; i++)
		if (pin_one(l, false, i, replace, err))
			return -1;
	return 0;
}

int bpfstamp_pin(struct bpfstamp_loaded *l, const char *dir, bool replace, struct bpfstamp_err *err)
{
	char *own = strdup(dir);

	if (!own)
		return object_no_memory(err);
	free(l->dir);
	l->dir = own;
	l->made_folder = 0;
	memset(l->prog_pins, PIN_NONE, l->t->func_count);	/* what is noted there is of another folder */
	memset(l->map_pins, PIN_NONE, l->t->map_count);
	if (!pin_all(l, replace, err))
		return 0;
	bpfstamp_unpin(l);
	return -1;
}

static void unpin_all(struct bpfstamp_loaded *l, bool map, uint8_t *made, uint32_t count)
{
	struct bpfstamp_err ignored;
	char path[PIN_PATH_SIZE];

	for (uint32_t i = 0; i < count; i++) {
		if (made[i] == PIN_MADE && !pin_path(l, map, i, path, &ignored))
			unlink(path);
		made[i] = PIN_NONE;
	}
}

static void unpin_own(struct bpfstamp_loaded *l)
{
	char maps[PIN_PATH_SIZE];

	unpin_all(l, false, l->prog_pins, l->t->func_count);
	unpin_all(l, true, l->map_pins, l->t->map_count);
	if (snprintf(maps, sizeof(maps), "%s/maps", l->dir) < PIN_PATH_SIZE)
		pin_remove_folders(maps, l->made_folder);
}

/* Folders that were made for both are removed in the order opposite to that in which they were made. */
void bpfstamp_unpin(struct bpfstamp_loaded *l)
{
	if (l->dir)
		unpin_own(l);
	mapmake_unpin(l->t, l->map_name_pins);
	mapmake_forget_pins(&l->map_name_pins);
}
