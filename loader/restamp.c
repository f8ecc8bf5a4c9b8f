// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stamping anew what runs: its values, and the maps that hold its state.
 *
 * Values are taken as bytes, variable by variable, and not as text: what the
 * program has in memory is what the stamp gets, padding and all.  Which
 * injectable a variable is tell its kind, section, name and, for statics that
 * share these, its offset.  A read-only variable that is in the stamp as it runs
 * already is not set: it may be one that no instruction refers to.
 *
 * A value that the record says was stamped, but that nobody has (it was too long
 * for the record, or its map has no BTF), is an error: a restamp that forgets
 * one would be worse than none.
 *
 * Maps are found by the name that the kernel has of them.  Prog arrays are left
 * out, because their programs come from the object and not from the past, and
 * maps that want to be pinned, because their pins say which to use.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <unistd.h>

#include "loader/err.h"
#include "loader/mapmake.h"
#include "loader/running.h"
#include "loader/sys.h"

/* ---------------------------------------------------------------- values */

static bool is_rodata(const char *section)
{
	static const char name[] = ".rodata";
	const size_t len = sizeof(name) - 1;

	return section && !strncmp(section, name, len) && (!section[len] || section[len] == '.');
}

static bool is_variable(const struct bpfstamp_template *t, const struct injectable *inj,
			const struct running_variable *v)
{
	return inj->kind == v->kind && !strcmp(inj->name, v->name) &&
	       (v->kind != BPFSTAMP_GLOBAL || !v->section ||
		(!strcmp(inj->section, v->section) && inj->image - t->datas[inj->data].image == v->offset));
}

static uint32_t find(const struct bpfstamp_template *t, const struct running_variable *v)
{
	for (uint32_t i = 0; i < t->injectable_count; i++)
		if (is_variable(t, &t->injectables[i], v))
			return i;
	return NO_INDEX;
}

static int restamp(struct bpfstamp_stamp *s, const struct bpfstamp_running *r, const struct running_variable *v,
		   struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	uint32_t index = find(t, v);
	struct bpfstamp_ref ref;

	if (index == NO_INDEX && v->kind == BPFSTAMP_PLACEHOLDER)
		return err_set(err, ENOENT, "%s: program %u was stamped with a value for the placeholder %s: declare "
			       "it", t->name, r->info.prog.id, v->name);
	if (index == NO_INDEX)
		return err_set(err, ENOENT, "%s: it has no %s%s%s, which program %u has: it was loaded from another "
			       "object", t->name, v->section ? v->section : "", v->section ? ":" : "", v->name,
			       r->info.prog.id);
	if (!v->stamped && v->type.size == t->injectables[index].type.size &&
	    !memcmp(s->image + t->injectables[index].image, v->bytes, v->type.size))
		return 0;
	bpfstamp_whole(t, index, &ref);
	if (bpfstamp_put_bytes(s, &ref, v->bytes, v->type.size, err))
		return err_wrap(err, "cannot take over what program %u runs with", r->info.prog.id);
	return 0;
}

/* Name what was stamped but is not among the variables. */
static int check_known(const struct bpfstamp_running *r, struct bpfstamp_err *err)
{
	for (uint32_t i = 0; r->record && i < r->record->count; i++) {
		const struct record_value *v = &r->record->values[i];
		uint32_t k = 0;

		while (k < r->variable_count && r->variables[k].record != v)
			k++;
		if (v->stamped && k == r->variable_count)
			return err_set(err, ENODATA, "program %u was stamped with a value for %s that nobody can "
				       "read back: set it", r->info.prog.id, v->name);
	}
	return 0;
}

int bpfstamp_restamp(struct bpfstamp_stamp *s, const struct bpfstamp_running *r, struct bpfstamp_err *err)
{
	if (check_known(r, err))
		return -1;
	for (uint32_t i = 0; i < r->variable_count; i++) {
		const struct running_variable *v = &r->variables[i];

		if ((v->stamped || (v->map != NO_INDEX && is_rodata(v->section))) && restamp(s, r, v, err))
			return -1;
	}
	return 0;
}

/* ------------------------------------------------------------------ maps */

static bool keeps_state(const struct bpfstamp_template *t, const struct map *m)
{
	return !m->kconfig && m->type != BPF_MAP_TYPE_PROG_ARRAY && m->pinning == MAP_PIN_NONE &&
	       (m->data == NO_INDEX || !t->datas[m->data].readonly);
}

/* Whether the kernel's name of a map is that one, however the object's file was called, and with dots or without. */
static bool has_name(const struct running_map *have, const struct bpfstamp_template *t, const struct map *m)
{
	char name[16], other[16];

	mapmake_name(name, t, m);
	if (m->data != NO_INDEX && strchr(name, '.') && strchr(have->name, '.'))
		return !strcmp(strchr(name, '.'), strchr(have->name, '.'));
	memcpy(other, have->name, sizeof(other));
	other[sizeof(other) - 1] = '\0';
	sys_undot(name);
	sys_undot(other);
	return !strcmp(name, other);
}

static int open_failed(const struct running_map *m, struct bpfstamp_err *err)
{
	int code = errno;

	err_set(err, code, "cannot open map %s (id %u): %s", m->name, m->id, strerror(code));
	return code == EPERM ? err_hint(err, ": needs CAP_SYS_ADMIN") : -1;
}

/* Whether a map would do for more than one of the template, whose names begin alike. */
static bool is_contested(const struct running_map *have, int fd, const struct bpfstamp_template *t, uint32_t index)
{
	for (uint32_t i = 0; i < t->map_count; i++)
		if (i != index && has_name(have, t, &t->maps[i]) && mapmake_fits(t, i, fd))
			return true;
	return false;
}

/* *fd: of the only map that fits, or -1. */
static int find_map(const struct bpfstamp_running *r, const struct bpfstamp_template *t, uint32_t index, int *fd,
		    struct bpfstamp_err *err)
{
	uint32_t fitting = 0;

	*fd = -1;
	for (uint32_t i = 0; i < r->map_count; i++) {
		int other;

		if (!has_name(&r->maps[i], t, &t->maps[index]))
			continue;
		other = sys_map_by_id(r->maps[i].id);
		if (other < 0)
			return open_failed(&r->maps[i], err);
		if (mapmake_fits(t, index, other) && !is_contested(&r->maps[i], other, t, index) && !fitting++)
			*fd = other;
		else
			close(other);
	}
	if (fitting > 1) {
		close(*fd);
		*fd = -1;
	}
	return 0;
}

static void close_all(int *fds, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int bpfstamp_running_maps(const struct bpfstamp_running *r, const struct bpfstamp_template *t, int *fds,
			  struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < t->map_count; i++) {
		fds[i] = -1;
		if (keeps_state(t, &t->maps[i]) && find_map(r, t, i, &fds[i], err)) {
			close_all(fds, i + 1);
			return -1;
		}
	}
	return 0;
}
