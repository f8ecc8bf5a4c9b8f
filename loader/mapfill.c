// SPDX-License-Identifier: BSD-2-Clause
/*
 * What maps start with.
 *
 * Read-only data and .kconfig are frozen before a program is loaded that uses
 * them, so that the verifier reads their values as constants.
 *
 * Maps in maps are entered when the outer map is created, and made first;
 * what a map from a pin holds is left as it is, because others use it.
 * Programs can be put into prog arrays only when they are loaded, which needs
 * the array: mapmake_programs is a step of its own, and, as in libbpf, also for
 * an array from a pin, which is how one replaces its programs.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/externs.h"
#include "loader/mapfill.h"
#include "loader/mapmake.h"
#include "loader/maps.h"
#include "loader/sys.h"

/* The only value of a map. */
static int fill_one(struct bpfstamp_stamp *s, uint32_t index, const uint8_t *bytes, bool freeze,
		    struct bpfstamp_err *err)
{
	const struct map *m = &s->t->maps[index];
	const uint32_t key = 0;

	if (sys_map_update(s->map_fds[index], &key, bytes))
		return mapmake_failed(s->t, m, "fill", err);
	if (freeze && sys_map_freeze(s->map_fds[index]))
		return mapmake_failed(s->t, m, "freeze", err);
	return 0;
}

const uint8_t *mapfill_kconfig(const struct bpfstamp_template *t, const struct bpfstamp_load *load,
			       struct bpfstamp_err *err)
{
	struct template_cache *cache = t->cache;
	uint8_t *bytes;

	pthread_mutex_lock(&cache->lock);
	bytes = cache->kconfig;
	if (!bytes) {
		bytes = calloc(1, t->maps[t->kconfig].value_size);
		if (!bytes || externs_kconfig(t, NULL, bytes, load, err)) {
			if (!bytes)
				object_no_memory(err);
			free(bytes);
			bytes = NULL;
		}
		cache->kconfig = bytes;
	}
	pthread_mutex_unlock(&cache->lock);
	return bytes;
}

static int fill_kconfig(struct bpfstamp_stamp *s, uint32_t index, const struct bpfstamp_load *load,
			struct bpfstamp_err *err)
{
	const uint8_t *bytes = mapfill_kconfig(s->t, load, err);

	return bytes ? fill_one(s, index, bytes, true, err) : -1;
}

/* "cannot put NAME into slot N of map …", by errno. */
static int slot_failed(const struct bpfstamp_template *t, const struct map *m, const struct map_slot *slot,
		       const char *name, const char *hint, struct bpfstamp_err *err)
{
	int code = errno;

	err_set(err, code, "%s: cannot put %s into slot %u of map %s: %s", t->name, name, slot->key, m->name,
		strerror(code));
	return code == EINVAL ? err_hint(err, ": %s", hint) : -1;
}

static int fill_maps(struct bpfstamp_stamp *s, uint32_t index, int btf_fd, const struct bpfstamp_load *load,
		     struct bpfstamp_err *err)
{
	const struct map *m = &s->t->maps[index];

	for (uint32_t i = 0; i < m->slot_count; i++) {
		const struct map_slot *slot = &s->t->map_slots[m->slot_first + i];

		if (mapmake(s, slot->target, btf_fd, load, err))
			return -1;
		if (sys_map_update(s->map_fds[index], &slot->key, &s->map_fds[slot->target]))
			return slot_failed(s->t, m, slot, s->t->maps[slot->target].name, "it is not of the type, "
					   "sizes, flags and entries that maps in it are defined to have", err);
	}
	return 0;
}

int mapfill(struct bpfstamp_stamp *s, uint32_t index, int btf_fd, const struct bpfstamp_load *load,
	    struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	const struct map *m = &t->maps[index];

	if (m->data != NO_INDEX)
		return fill_one(s, index, s->image + t->datas[m->data].image, t->datas[m->data].readonly, err);
	if (m->kconfig)
		return fill_kconfig(s, index, load, err);
	return maps_of_maps(m->type) ? fill_maps(s, index, btf_fd, load, err) : 0;
}

int mapmake_programs(const struct bpfstamp_stamp *s, uint32_t index, const int *prog_fds, struct bpfstamp_err *err)
{
	const struct map *m = &s->t->maps[index];

	for (uint32_t i = 0; i < m->slot_count; i++) {
		const struct map_slot *slot = &s->t->map_slots[m->slot_first + i];

		if (sys_map_update(s->map_fds[index], &slot->key, &prog_fds[slot->target]))
			return slot_failed(s->t, m, slot, s->t->funcs[slot->target].name,
					   "its type is not that of the other programs of the array", err);
	}
	return 0;
}
