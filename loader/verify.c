// SPDX-License-Identifier: BSD-2-Clause
/*
 * Comparing what runs with what would be stamped.
 *
 * No program can be compared with an object: the kernel translates what it
 * loads, and hands out only the translation.  So the stamp is loaded as well,
 * without a trace (no pins, no record), the kernel translates both, and these
 * are compared:
 *
 *     type and name      of the programs
 *     maps               which stand for each other: by the instructions that refer to
 *                        them, else by name; their properties; a map that would be
 *                        taken from a pin must be the very same
 *     data               read-only sections byte by byte; of the others the values that
 *                        were set, since the program may change the rest
 *     instructions       loader/verify_insns.c
 *
 * Equal is only what was proved to be: where the kernel does not show the
 * instructions, different tags (a hash of what was loaded, without its
 * references to maps) tell of a difference, and equal ones of nothing.
 *
 * What user space put into other maps meanwhile is state, and not compared.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/mapmake.h"
#include "loader/objinfo.h"
#include "loader/path.h"
#include "loader/sys.h"
#include "loader/verify.h"

enum { LINE_SIZE = 512, VALUE_SIZE = 160, MOST_PARTS = 1 << 16 };

/* ----------------------------------------------------------------- lines */

void verify_tell(struct verify *v, const char *fmt, ...)
{
	char line[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	for (uint32_t i = 0; i < v->told && i < VERIFY_LINES; i++)
		if (v->lines[i] && !strcmp(v->lines[i], line))
			return;
	if (v->told < VERIFY_LINES) {
		v->lines[v->told] = strdup(line);
		v->fn(line, v->arg);
	}
	v->told++;
}

void verify_tell_part(struct verify *v, const char *path, const struct part *part, const uint8_t *runs,
		      const uint8_t *wants)
{
	char a[VALUE_SIZE], b[VALUE_SIZE];
	bool big = v->s->t->elf.big;

	if (part_text(part, big, runs, a, sizeof(a)) >= sizeof(a))
		memcpy(a + sizeof(a) - 4, "...", 4);
	if (part_text(part, big, wants, b, sizeof(b)) >= sizeof(b))
		memcpy(b + sizeof(b) - 4, "...", 4);
	if (strcmp(a, b) != 0)
		verify_tell(v, "%s: runs %s, would be %s", path, a, b);
	else
		verify_tell(v, "%s: runs another value, which begins with the same bytes: %s", path, a);
}

static void end_lines(struct verify *v)
{
	char line[64];

	if (v->told <= VERIFY_LINES)
		return;
	snprintf(line, sizeof(line), "and %u more differences", v->told - VERIFY_LINES);
	v->fn(line, v->arg);
}

/* ----------------------------------------------------------------- sides */

static int decode(struct verify_side *side, const uint8_t *raw, struct bpfstamp_err *err)
{
	side->insns = calloc((size_t)side->insn_count + 1, sizeof(*side->insns));
	if (!side->insns)
		return object_no_memory(err);
	for (uint32_t i = 0; i < side->insn_count; i++)
		bpfinsn_decode(raw + (size_t)i * BPFINSN_SIZE, BYTES_HOST_BIG, &side->insns[i]);
	return 0;
}

/* The instructions, where the kernel shows them. */
static int read_insns(struct verify_side *side, int fd, struct bpfstamp_err *err)
{
	uint32_t size = side->info.xlated_prog_len;
	uint8_t *raw = malloc((size_t)size + 1);
	struct bpf_prog_info info;
	int ret = 0;

	if (!raw)
		return object_no_memory(err);
	memset(&info, 0, sizeof(info));
	info.xlated_prog_len = size;
	info.xlated_prog_insns = (uintptr_t)raw;
	if (sys_prog_info(fd, &info))
		ret = err_set(err, errno, "cannot read program %u: %s", side->info.id, strerror(errno));
	else if (info.xlated_prog_insns && info.xlated_prog_len <= size)
		side->insn_count = info.xlated_prog_len / BPFINSN_SIZE;
	if (side->insn_count)
		ret = decode(side, raw, err);
	free(raw);
	return ret;
}

static int open_maps(struct verify_side *side, const uint32_t *ids, uint32_t count, struct bpfstamp_err *err)
{
	side->maps = calloc((size_t)count + 1, sizeof(*side->maps));
	if (!side->maps)
		return object_no_memory(err);
	for (; side->map_count < count; side->map_count++) {
		struct verify_map *m = &side->maps[side->map_count];

		m->index = NO_INDEX;
		m->fd = sys_map_by_id(ids[side->map_count]);
		if (m->fd < 0)
			return err_set(err, errno, "cannot open map %u of program %u: %s%s", ids[side->map_count],
				       side->info.id, strerror(errno),
				       errno == EPERM ? ": needs CAP_SYS_ADMIN" : "");
		if (sys_map_info(m->fd, &m->info)) {
			close(m->fd);
			return err_set(err, errno, "cannot read the properties of map %u of program %u: %s",
				       ids[side->map_count], side->info.id, strerror(errno));
		}
	}
	return 0;
}

static int read_side(struct verify_side *side, int fd, struct bpfstamp_err *err)
{
	uint32_t *ids, func;
	int ret = -1;

	if (objinfo_prog(fd, &side->info, &ids, &func))
		return err_set(err, errno, "cannot read the program's properties: %s", strerror(errno));
	side->info.name[sizeof(side->info.name) - 1] = '\0';
	if (!read_insns(side, fd, err))
		ret = open_maps(side, ids, side->info.nr_map_ids, err);
	free(ids);
	return ret;
}

static void free_side(struct verify_side *side)
{
	for (uint32_t i = 0; i < side->map_count; i++)
		close(side->maps[i].fd);
	free(side->maps);
	free(side->insns);
}

struct verify_map *verify_map_by_id(const struct verify_side *side, uint32_t id)
{
	for (uint32_t i = 0; i < side->map_count; i++)
		if (side->maps[i].info.id == id)
			return &side->maps[i];
	return NULL;
}

/* ------------------------------------------------------------------ maps */

/* Note which of the template's maps those of the loaded stamp are. */
static void note_indexes(struct verify *v, const struct bpfstamp_loaded *loaded)
{
	for (uint32_t i = 0; i < v->s->t->map_count; i++) {
		int fd = bpfstamp_loaded_map(loaded, i);
		struct bpf_map_info info;
		struct verify_map *m;

		memset(&info, 0, sizeof(info));
		m = fd >= 0 && !sys_map_info(fd, &info) ? verify_map_by_id(&v->wants, info.id) : NULL;
		if (m && m->index == NO_INDEX)
			m->index = i;
	}
}

/* The part of a name that says the section, whatever the object's file was called. */
static const char *section_of(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot ? dot : name;
}

/* Maps that no instruction names any more (it was dead code) stand for each other by their names. */
static void pair_by_name(struct verify *v, struct verify_map *want, bool data)
{
	struct verify_map *found = NULL;

	for (uint32_t i = 0; i < v->runs.map_count; i++) {
		struct verify_map *m = &v->runs.maps[i];

		if (m->peer || (data ? strcmp(section_of(m->info.name), section_of(want->info.name)) :
				strcmp(m->info.name, want->info.name)) != 0)
			continue;
		if (found)
			return;
		found = m;
	}
	if (!found)
		return;
	found->peer = want;
	want->peer = found;
}

static void compare_properties(struct verify *v, const char *name, struct bpf_map_info runs,
			       struct bpf_map_info wants, bool data)
{
	struct objinfo_property has[OBJINFO_MAP_PROPERTIES], would[OBJINFO_MAP_PROPERTIES];

	if (data) {	/* libbpf's can be mapped, ours cannot: no program sees that */
		runs.map_flags &= ~(uint32_t)BPF_F_MMAPABLE;
		wants.map_flags &= ~(uint32_t)BPF_F_MMAPABLE;
	}
	objinfo_map_properties(&runs, has);
	objinfo_map_properties(&wants, would);
	for (size_t i = 0; i < OBJINFO_MAP_PROPERTIES; i++)
		if (has[i].value != would[i].value)
			verify_tell(v, "map %s: runs with %s %" PRIu64 ", would be %" PRIu64, name, has[i].name,
				    has[i].value, would[i].value);
}

/* ------------------------------------------------------------------ data */

struct leaf_walk {
	struct verify *v;
	const uint8_t *runs, *wants, *given;	/* of the variable; given: the bits to compare, NULL: all */
	bool told;
};

/* Whether bytes are equal in the bits that were given. */
static bool is_equal(const uint8_t *a, const uint8_t *b, const uint8_t *given, uint32_t size)
{
	if (!given)
		return !memcmp(a, b, size);
	for (uint32_t i = 0; i < size; i++)
		if ((a[i] ^ b[i]) & given[i])
			return false;
	return true;
}

static bool part_is_equal(const struct leaf_walk *w, const struct part *part)
{
	bool big = w->v->s->t->elf.big;

	if (part->bitfield)
		return !((part_get_bits(part, big, w->runs) ^ part_get_bits(part, big, w->wants)) &
			 (w->given ? part_get_bits(part, big, w->given) : ~(uint64_t)0));
	return is_equal(w->runs + part->offset, w->wants + part->offset, w->given ? w->given + part->offset : NULL,
			part->type.size);
}

static void compare_leaf(const char *path, const struct part *part, void *arg)
{
	struct leaf_walk *w = arg;

	if (part_is_equal(w, part))
		return;
	w->told = true;
	verify_tell_part(w->v, path, part, w->runs, w->wants);
}

/*
 * Compare a variable, scalar by scalar: a read-only one whole, of another what
 * was set.  A difference that no scalar shows (in padding, or too deep inside to
 * be walked to) is told of the whole.
 */
static void compare_variable(struct verify *v, const struct injectable *inj, bool readonly, const uint8_t *runs,
			     const uint8_t *wants)
{
	const struct part whole = part_whole(inj);
	struct leaf_walk w = { .v = v, .runs = runs, .wants = wants,
			       .given = readonly ? NULL : v->s->given + inj->image };

	if (is_equal(runs, wants, w.given, inj->type.size))
		return;
	part_leaves(&whole, &v->s->t->btf, inj->name, MOST_PARTS, compare_leaf, &w);
	if (!w.told)
		verify_tell_part(v, inj->name, &whole, runs, wants);
}

/* What is left of read-only data when the variables are taken out: strings, and constants of the compiler. */
static void compare_rest(struct verify *v, const struct data *d, const uint8_t *runs, const uint8_t *wants)
{
	uint32_t count = 0, first = 0;

	for (uint32_t i = d->size; i > 0; i--) {
		if (runs[i - 1] != wants[i - 1]) {
			count++;
			first = i - 1;
		}
	}
	if (count)
		verify_tell(v, "%s: %u bytes that belong to no variable are others, from offset %u on: another build "
			    "of the object", d->name, count, first);
}

static void compare_section(struct verify *v, uint32_t data, uint8_t *runs, const uint8_t *wants)
{
	const struct bpfstamp_template *t = v->s->t;
	const struct data *d = &t->datas[data];

	for (uint32_t i = 0; i < t->global_count; i++) {
		const struct injectable *inj = &t->injectables[i];
		uint32_t at = inj->image - d->image;

		if (inj->data == data && (d->readonly || v->s->touched[i]))
			compare_variable(v, inj, d->readonly, runs + at, wants + at);
	}
	if (!d->readonly)
		return;
	for (uint32_t i = 0; i < t->global_count; i++) {
		const struct injectable *inj = &t->injectables[i];
		uint32_t at = inj->image - d->image;

		if (inj->data == data)
			memcpy(runs + at, wants + at, inj->type.size);
	}
	compare_rest(v, d, runs, wants);
}

static int read_value(const struct verify_map *m, uint8_t *value, struct bpfstamp_err *err)
{
	const uint32_t key = 0;

	if (sys_map_lookup(m->fd, &key, value))
		return err_set(err, errno, "cannot read map %s (id %u): %s", m->info.name, m->info.id,
			       strerror(errno));
	return 0;
}

/* The one value of two maps that stand for each other. */
static int compare_value(struct verify *v, const struct verify_map *want, const struct map *m,
			 struct bpfstamp_err *err)
{
	uint32_t size = want->info.value_size;
	uint8_t *runs, *wants;
	int ret = -1;

	if (want->peer->info.value_size != size)
		return 0;
	runs = malloc((size_t)size + 1);
	wants = malloc((size_t)size + 1);
	if (!runs || !wants)
		object_no_memory(err);
	else if (!read_value(want->peer, runs, err) && !read_value(want, wants, err))
		ret = 0;
	if (!ret && m->data != NO_INDEX)
		compare_section(v, m->data, runs, wants);
	else if (!ret && memcmp(runs, wants, size) != 0)
		verify_tell(v, "%s: runs other values of the kernel's configuration", m->name);
	free(runs);
	free(wants);
	return ret;
}

static int compare_maps(struct verify *v, const struct bpfstamp_loaded *loaded, struct bpfstamp_err *err)
{
	note_indexes(v, loaded);
	for (uint32_t i = 0; i < v->wants.map_count; i++) {
		struct verify_map *want = &v->wants.maps[i];
		const struct map *m = want->index == NO_INDEX ? NULL : &v->s->t->maps[want->index];
		bool one_value = m && (m->data != NO_INDEX || m->kconfig);

		if (!m)
			continue;
		if (!want->peer)
			pair_by_name(v, want, one_value);
		if (!want->peer) {
			verify_tell(v, "map %s: what runs has none", m->name);
			continue;
		}
		compare_properties(v, m->name, want->peer->info, want->info, one_value);
		if (mapmake_is_reused(v->s, want->index) && want->peer->info.id != want->info.id)
			verify_tell(v, "map %s: runs with the one of id %u, would be %u, which is %s", m->name,
				    want->peer->info.id, want->info.id,
				    m->pinning == MAP_PIN_NONE ? "given" : "pinned or given");
		if (one_value && compare_value(v, want, m, err))
			return -1;
	}
	return 0;
}

/* --------------------------------------------------------------- verify */

static const char *type_name(uint32_t type)
{
	const char *name = bpfstamp_prog_type_name(type);

	return name ? name : "unknown";
}

static bool compare_programs(struct verify *v)
{
	const struct bpf_prog_info *runs = &v->runs.info, *wants = &v->wants.info;

	if (strcmp(runs->name, wants->name) != 0)
		verify_tell(v, "program %s runs there, would be %s", runs->name, wants->name);
	if (runs->type != wants->type)
		verify_tell(v, "program %s: runs as type %s, would be %s", runs->name, type_name(runs->type),
			    type_name(wants->type));
	return runs->type == wants->type;
}

static int compare(struct verify *v, const struct bpfstamp_loaded *loaded, struct bpfstamp_err *err)
{
	bool can = verify_can_compare(v);
	uint32_t before;

	if (!compare_programs(v))
		return 0;
	before = v->told;
	if (can)
		verify_pair_by_insns(v);
	if (compare_maps(v, loaded, err))
		return -1;
	if (can)
		return verify_insns(v, v->told > before, err);
	if (memcmp(v->runs.info.tag, v->wants.info.tag, sizeof(v->wants.info.tag)) != 0)
		verify_tell(v, "program %s: its instructions are others: another tag", v->wants.info.name);
	if (v->told)
		return 0;
	return err_set(err, EOPNOTSUPP, "%s: cannot tell whether program %u is equal: only its tag and data are; the "
		       "kernel does not show its instructions (CAP_BPF), or blinds their constants "
		       "(net.core.bpf_jit_harden)", v->s->t->name, v->runs.info.id);
}

static int open_running(struct verify_side *side, uint32_t id, struct bpfstamp_err *err)
{
	int fd = sys_prog_by_id(id), ret;

	if (fd < 0 && errno == ENOENT)
		return err_set(err, ENOENT, "program %u is gone", id);
	if (fd < 0)
		return err_set(err, errno, "cannot open program %u: %s%s", id, strerror(errno),
			       errno == EPERM ? ": needs CAP_SYS_ADMIN" : "");
	ret = read_side(side, fd, err);
	close(fd);
	return ret;
}

int bpfstamp_verify(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, uint32_t id,
		    bpfstamp_difference_fn *fn, void *arg, bool *equal, struct bpfstamp_err *err)
{
	struct verify v = { .s = s, .func = load->program, .fn = fn, .arg = arg };
	struct bpfstamp_loaded *loaded = NULL;
	struct bpfstamp_load dry = *load;
	int ret = -1;

	if (load->program == BPFSTAMP_ALL_PROGRAMS)
		return err_set(err, EINVAL, "%s: one program runs there: say which it would be", s->t->name);
	dry.dry_run = true;
	dry.record = false;
	if (!open_running(&v.runs, id, err) && !bpfstamp_load_object(s, &dry, &loaded, err) &&
	    !read_side(&v.wants, bpfstamp_loaded_program(loaded, load->program), err))
		ret = compare(&v, loaded, err);
	end_lines(&v);
	if (!ret)
		*equal = !v.told;
	bpfstamp_loaded_free(loaded);
	free_side(&v.runs);
	free_side(&v.wants);
	for (uint32_t i = 0; i < VERIFY_LINES; i++)
		free(v.lines[i]);
	return ret;
}
