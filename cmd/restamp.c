// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stamping anew what runs: the object, as it was attached (the same
 * placeholders, inlined or not), gets the values of the running program, the new
 * ones over them, and replaces it in its place in one step.
 *
 * The maps of the running program go on with the new one, .data and .bss among
 * them, so that what they hold is not lost.  Values in them are therefore changed
 * in place here, too: after the new program is loaded, before it is attached, and
 * taken back where that fails.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/loading.h"
#include "cmd/set.h"

/* The placeholders that run, made wide enough for what they are and for what they are to be. */
static int declare(const struct setting *s, struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	struct bpfstamp_running_value v;

	for (uint32_t i = 0; i < bpfstamp_running_value_count(s->before); i++) {
		bpfstamp_running_value_at(s->before, i, &v);
		if (v.kind == BPFSTAMP_PLACEHOLDER && bpfstamp_declare(t, v.path, -1, s->o->allow_derived, err))
			return -1;
	}
	for (uint32_t i = 0; i < bpfstamp_running_value_count(s->before); i++) {
		bpfstamp_running_value_at(s->before, i, &v);
		if (v.kind != BPFSTAMP_PLACEHOLDER)
			continue;
		if (bpfstamp_widen(t, v.path, v.value, err))
			return -1;
		for (size_t k = 0; k < s->o->assignment_count; k++)
			if (!strcmp(s->o->assignments[k].name, v.path) &&
			    bpfstamp_widen(t, v.path, s->o->assignments[k].value, err))
				return -1;
	}
	return 0;
}

/* The object as it was attached, with the new values. */
static int stamp(const struct setting *s, struct stamped *stamped, struct bpfstamp_err *err)
{
	struct bpfstamp_running_info info;

	bpfstamp_running_info(s->before, &info);
	if (bpfstamp_open_file(&stamped->t, s->o->source, err) ||
	    (s->o->btf && bpfstamp_target_btf(stamped->t, s->o->btf, err)) || declare(s, stamped->t, err) ||
	    (info.inlined && bpfstamp_inline(stamped->t, err)) || bpfstamp_stamp_new(&stamped->s, stamped->t, err) ||
	    bpfstamp_restamp(stamped->s, s->before, err))
		return -1;
	for (size_t i = 0; i < s->o->assignment_count; i++)
		if (bpfstamp_set(stamped->s, s->o->assignments[i].name, s->o->assignments[i].value, err))
			return -1;
	return 0;
}

/* Exactly where the running program is. */
static struct bpfstamp_hook place_of(const struct setting *s)
{
	const struct bpfstamp_attachment *a = &s->there;
	struct bpfstamp_hook hook = s->o->hook;

	hook.type = a->type;
	hook.existing = BPFSTAMP_REPLACE;
	hook.direction = a->direction;
	if (a->type == BPFSTAMP_CLSACT) {
		hook.prio = a->prio;
		hook.handle = a->handle;
		hook.protocol = a->protocol;
		hook.chain = a->chain;
		hook.skip_sw = a->skip_sw;
		hook.skip_hw = a->skip_hw;
	}
	if (*a->pin)
		hook.pin = a->pin;
	hook.xdp_mode = a->xdp_mode;
	return hook;
}

/* The name, of those that are given, of a variable that cannot be seen in the running program; or NULL. */
static const char *find_unseen(const struct setting *s, const struct bpfstamp_injectable *inj)
{
	struct bpfstamp_running_value v = { .path = inj->name, .section = inj->section }, seen;

	for (size_t i = 0; i < s->o->assignment_count; i++) {
		const char *name = s->o->assignments[i].name;

		if (set_names_value(name, &v) && set_look_up(s->before, name, &seen) == SET_UNKNOWN)
			return name;
	}
	return NULL;
}

/* Such a variable of .data or .bss (there is no BTF) would not get its value, because the map goes on. */
static int check_unseen(const struct setting *s, const struct bpfstamp_template *t, const int *fds,
			struct bpfstamp_err *err)
{
	struct bpfstamp_injectable inj;
	struct bpfstamp_map m;

	for (uint32_t i = 0; i < bpfstamp_map_count(t); i++) {
		bpfstamp_map_at(t, i, &m);
		for (uint32_t k = 0; fds[i] >= 0 && m.data && k < bpfstamp_injectable_count(t); k++) {
			const char *name;

			bpfstamp_injectable_at(t, k, &inj);
			name = NULL;
			if (inj.kind == BPFSTAMP_GLOBAL && !strcmp(inj.section, m.section))
				name = find_unseen(s, &inj);
			if (name)
				return bpfstamp_err_set(err, ENOENT, "%s cannot be seen in the running program; "
							"detach it and attach it anew", name);
		}
	}
	return 0;
}

/* Load, change what the maps keep, attach. */
static int load_and_replace(struct setting *s, const struct stamped *stamped, struct bpfstamp_load load,
			    struct bpfstamp_err *err)
{
	struct bpfstamp_hook hook = place_of(s);
	struct bpfstamp_running *r = NULL;
	struct bpfstamp_attachment made;
	int fd, ret;

	if (loading(&fd, stamped, s->o, load, err))
		return -1;
	ret = s->o->dry_run ? set_in_place(s, s->before, err) :
		bpfstamp_running_open(&r, s->there.id, err) || set_in_place(s, r, err);
	if (!ret && !s->o->dry_run) {
		ret = bpfstamp_attach(s->net, &hook, fd, s->there.name, &made, err);
		if (ret)
			set_take_back(s, r, s->o->assignment_count);
		else
			s->there = made;
	}
	if (ret)
		bpfstamp_load_undo(stamped->s);
	bpfstamp_running_free(r);
	close(fd);
	return ret;
}

static int replace(struct setting *s, const struct stamped *stamped, struct bpfstamp_err *err)
{
	struct bpfstamp_hook hook = place_of(s);
	struct bpfstamp_load load = { .prog_type = loading_type(&hook), .record = !s->o->no_record };
	uint32_t maps = bpfstamp_map_count(stamped->t);
	struct bpfstamp_running_info info;
	int *fds, ret = -1;

	if (loading_device(&load, s->o, &hook, s->there.ifindex, err))
		return -1;
	fds = malloc((maps + 1) * sizeof(*fds));
	if (!fds)
		return bpfstamp_err_set(err, ENOMEM, "out of memory");
	bpfstamp_running_info(s->before, &info);
	load.map_fds = fds;
	if (!bpfstamp_find_program(stamped->t, info.name, load.prog_type, &load.program, err) &&
	    !bpfstamp_running_maps(s->before, stamped->t, fds, err)) {
		ret = check_unseen(s, stamped->t, fds, err) || load_and_replace(s, stamped, load, err) ? -1 : 0;
		for (uint32_t i = 0; i < maps; i++)
			if (fds[i] >= 0)
				close(fds[i]);
	}
	free(fds);
	return ret;
}

int set_restamp(struct setting *s, struct bpfstamp_err *err)
{
	struct stamped stamped = { 0 };
	int ret = stamp(s, &stamped, err) || replace(s, &stamped, err) ? -1 : 0;

	values_free(&stamped);
	return ret;
}
