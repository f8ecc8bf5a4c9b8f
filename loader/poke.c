// SPDX-License-Identifier: BSD-2-Clause
/*
 * Changing a variable of a running program: which one a name means, whether
 * anybody can change it, and its bytes; loader/poke_write.c writes them.
 *
 * A name is resolved as bpfstamp_find does for an object: the longest that fits,
 * "section:name" where several have it, with a path into it by the BTF that the
 * kernel has.
 *
 * What needs the program to be stamped anew (read-only data, immediates) is
 * refused.  Nobody can prevent that the program itself undoes what is written
 * here, as one does that changes a bitfield by reading and writing the bytes
 * around it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/near.h"
#include "loader/poke.h"
#include "loader/running.h"
#include "loader/sys.h"

static const char *section_of(const struct running_variable *v)
{
	return v->section ? v->section : v->record->section;
}

static size_t goes_by(const struct running_variable *v, const char *name)
{
	return path_name(name, section_of(v), v->name);
}

static int fail(const struct bpfstamp_running *r, const char *name, int code, const char *why,
		struct bpfstamp_err *err)
{
	return err_set(err, code, "program %s (id %u): %s: %s", r->info.name, r->info.prog.id, name, why);
}

static void unknown(const struct bpfstamp_running *r, const char *name, struct bpfstamp_err *err)
{
	struct near near = near_to(name, strlen(name));

	for (uint32_t i = 0; i < r->variable_count; i++)
		near_consider(&near, r->variables[i].name);
	fail(r, name, ENOENT, r->variable_count ? "it has no variable of that name" :
	     "it has no variable that BTF or a record tells of", err);
	near_suggest(&near, err);
}

static void ambiguous(const struct bpfstamp_running *r, const char *name, size_t len, struct bpfstamp_err *err)
{
	const char *comma = "";

	fail(r, name, EINVAL, "several go by that name: ", err);
	for (uint32_t i = 0; i < r->variable_count; i++) {
		const struct running_variable *v = &r->variables[i];

		if (goes_by(v, name) != len)
			continue;
		err_hint(err, "%s%s:%s", comma, section_of(v), v->name);
		comma = ", ";
	}
}

/* The variable of the longest name that fits, or NULL; *used: how much of name that is. */
static const struct running_variable *find(const struct bpfstamp_running *r, const char *name, size_t *used,
					   struct bpfstamp_err *err)
{
	const struct running_variable *found = NULL;
	uint32_t count = 0;

	*used = 0;
	for (uint32_t i = 0; i < r->variable_count; i++) {
		size_t len = goes_by(&r->variables[i], name);

		if (len > *used) {
			*used = len;
			count = 0;
		}
		if (len && len == *used) {
			found = &r->variables[i];
			count++;
		}
	}
	if (count == 1)
		return found;
	if (count)
		ambiguous(r, name, *used, err);
	else
		unknown(r, name, err);
	return NULL;
}

/* A part of a variable that is written; or why it cannot be. */
static int check_writable(const struct bpfstamp_running *r, const struct running_variable *v, const char *name,
			  struct bpfstamp_err *err)
{
	if (v->map == NO_INDEX && v->record && v->record->in_map)
		return fail(r, name, EROFS, "its section is read-only, and its map has no BTF: stamp it anew and "
			    "replace the program (--object)", err);
	if (v->map == NO_INDEX)
		return fail(r, name, EROFS, "it stands in instructions, which nobody can change: stamp it anew and "
			    "replace the program (--object)", err);
	if (v->in_insns)
		return fail(r, name, EROFS, "instructions hold it or parts of it (--inline), which nobody can "
			    "change: stamp it anew and replace the program (--object)", err);
	if (!r->maps[v->map].writable)
		return fail(r, name, EROFS, "its section is read-only, and frozen: stamp it anew and replace the "
			    "program (--object)", err);
	return 0;
}

static int explain(const struct bpfstamp_running *r, const char *name, int code, struct bpfstamp_err *err)
{
	fail(r, name, code, code == SYS_ENOTSUPP ? "Operation not supported" : strerror(code), err);
	if (code == EPERM)
		return err_hint(err, ": needs the capabilities CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN)");
	if (code == EBUSY)
		return err_hint(err, ": the program changes what stands beside it all the time; try again");
	if (code == EACCES || code == EINVAL)
		return err_hint(err, ": the kernel lets no program write there");
	return -1;
}

int bpfstamp_poke(struct bpfstamp_running *r, const char *name, const char *text, bool dry, struct bpfstamp_err *err)
{
	const struct running_variable *v;
	const struct running_map *map;
	struct part part;
	uint8_t *bytes;
	size_t used;
	int ret;

	v = find(r, name, &used, err);
	if (!v)
		return -1;
	part = (struct part){ .btf = v->type.btf, .type = v->type };
	if (part_follow(&part, v->btf, name + used, err))
		return err_wrap(err, "program %s (id %u): %s", r->info.name, r->info.prog.id, name);
	if (check_writable(r, v, name, err))
		return -1;
	map = &r->maps[v->map];
	bytes = malloc((size_t)part.type.size + 8);
	if (!bytes)
		return object_no_memory(err);
	if (value_parse(&part.type, v->btf->type_count ? v->btf : NULL, BYTES_HOST_BIG, text, bytes, err)) {
		free(bytes);
		return err_wrap(err, "program %s (id %u): %s", r->info.name, r->info.prog.id, name);
	}
	if (dry)
		ret = 0;
	else if (part.bitfield)
		ret = poke_bits(map->fd, map->value_size, v->offset + part.offset, &part,
				 value_load(bytes, part.type.size, part.type.is_signed, BYTES_HOST_BIG));
	else
		ret = poke_bytes(map->fd, v->offset + part.offset, bytes, part.type.size);
	free(bytes);
	return ret ? explain(r, name, ret, err) : 0;
}
