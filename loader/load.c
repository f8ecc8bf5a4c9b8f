// SPDX-License-Identifier: BSD-2-Clause
/*
 * Loading: from a stamp to the fds of programs and maps.
 *
 *   link (once a template)  →  maps (loader/mapmake.c)  →  gather, put in fds
 *   BTF (once a template)   →  program (loader/progload.c)
 *
 * What is made once a template is made by whoever comes first, holding the
 * template's lock; it is then read without.
 *
 * Map fds are closed again when the programs, which hold their own references,
 * are loaded, but for those that the caller is to keep (bpfstamp_load_object).
 */
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/debuginfo.h"
#include "loader/err.h"
#include "loader/kbtf.h"
#include "loader/lacks.h"
#include "loader/link.h"
#include "loader/loaded.h"
#include "loader/mapmake.h"
#include "loader/progload.h"
#include "loader/record.h"
#include "loader/reuse.h"
#include "loader/sys.h"

void load_note(const struct bpfstamp_load *load, const char *fmt, ...)
{
	char text[256];
	va_list args;

	if (!load || !load->note)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	load->note(load->note_arg, text);
}

int load_no_privilege(const struct bpfstamp_template *t, const char *what, struct bpfstamp_err *err)
{
	return err_set(err, EPERM, "%s: %s: %s: needs the capabilities CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN), and "
		       "before Linux 5.11 a larger RLIMIT_MEMLOCK or CAP_SYS_RESOURCE", t->name, what, strerror(EPERM));
}

bool load_raise_memlock(const struct bpfstamp_load *load)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int code = errno;

	if (setrlimit(RLIMIT_MEMLOCK, &unlimited)) {
		errno = code;
		return false;
	}
	if (!lacks(LACKS_FREE_MEMORY))
		load_note(load, "RLIMIT_MEMLOCK was raised: this kernel charges programs and maps to it");
	lacks_note(LACKS_FREE_MEMORY);
	return true;
}

/* The kernel looks the device up in the thread's namespace, and answers EINVAL for much. */
int load_hint_offload(const struct bpfstamp_load *load, struct bpfstamp_err *err)
{
	char name[IF_NAMESIZE];

	if (!if_indextoname(load->ifindex, name))
		return err_hint(err, ": there is no device of index %u in this network namespace", load->ifindex);
	return err_hint(err, ": the driver of device %s cannot do that in hardware", name);
}

/* ------------------------------------------------------ once a template */

const struct link *load_link(const struct bpfstamp_template *t, uint32_t func, struct bpfstamp_err *err)
{
	struct link *link = atomic_load(&t->cache->links[func]);

	if (link)
		return link;
	pthread_mutex_lock(&t->cache->lock);
	link = atomic_load(&t->cache->links[func]);
	if (!link && !link_program(&link, t, func, err))
		atomic_store(&t->cache->links[func], link);
	pthread_mutex_unlock(&t->cache->lock);
	return link;
}

/* The fd of the template's BTF, or negative (loader/kbtf.h); the template closes it. */
static int get_btf(const struct bpfstamp_stamp *s, const struct bpfstamp_load *load)
{
	const struct bpfstamp_template *t = s->t;
	int fd = s->without_btf ? KBTF_NONE : atomic_load(&t->cache->btf_fd);

	if (fd != KBTF_UNTRIED)
		return fd;
	pthread_mutex_lock(&t->cache->lock);
	fd = atomic_load(&t->cache->btf_fd);
	if (fd == KBTF_UNTRIED) {
		fd = kbtf_load(t, load);
		atomic_store(&t->cache->btf_fd, fd);
	}
	pthread_mutex_unlock(&t->cache->lock);
	return fd;
}

/* --------------------------------------------------------------- program */

int load_check_symbols(const struct bpfstamp_stamp *s, const struct link *link, struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < link->symbol_count; i++)
		if (!s->touched[link->symbols[i]])
			return err_set(err, EINVAL, "%s: symbol %s has no value: set it", s->t->name,
				       s->t->injectables[link->symbols[i]].name);
	return 0;
}

int load_check_type(const struct bpfstamp_template *t, uint32_t func, uint32_t wanted, struct bpfstamp_err *err)
{
	const struct func *f = &t->funcs[func];

	if (!wanted || !f->prog_type || f->prog_type == wanted)
		return 0;
	return err_set(err, EINVAL, "%s: program %s is of type %s by its section %s, but %s is wanted", t->name,
		       f->name, bpfstamp_prog_type_name(f->prog_type), t->codes[f->code].name,
		       bpfstamp_prog_type_name(wanted));
}

/* The type to load a program as: its section's, or else the one that is given; strict: they must not differ. */
static int find_type(const struct bpfstamp_template *t, uint32_t func, uint32_t given, bool strict, uint32_t *type,
		     struct bpfstamp_err *err)
{
	const struct func *f = &t->funcs[func];

	*type = f->prog_type ? f->prog_type : given;
	if (!*type)
		return err_set(err, EINVAL, "%s: section %s does not tell the type of program %s: say it (--type)",
			       t->name, t->codes[f->code].name, f->name);
	return strict ? load_check_type(t, func, given, err) : 0;
}

static int load_one(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, uint32_t func, uint32_t type,
		    struct bpfstamp_err *err)
{
	const struct link *link = load_link(s->t, func, err);
	int btf_fd;

	if (!link || load_check_symbols(s, link, err))
		return -1;
	btf_fd = get_btf(s, load);
	for (uint32_t i = 0; i < link->map_count; i++)
		if (mapmake(s, link->maps[i].map, btf_fd, load, err))
			return -1;
	s->prog_fds[func] = progload(s, link, type, btf_fd, load, err);
	return s->prog_fds[func] < 0 ? -1 : 0;
}

static bool starts_with_programs(const struct bpfstamp_stamp *s, uint32_t map)
{
	const struct map *m = &s->t->maps[map];

	return s->map_fds[map] >= 0 && m->type == BPF_MAP_TYPE_PROG_ARRAY && m->slot_count;
}

/* Load the programs that a prog array starts with, where they are not loaded yet. */
static int load_array(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, const struct map *m, uint32_t type,
		      bool *loaded, struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;

	for (uint32_t i = 0; i < m->slot_count; i++) {
		uint32_t func = t->map_slots[m->slot_first + i].target, own;

		if (s->prog_fds[func] >= 0)
			continue;
		if (find_type(t, func, type, false, &own, err) || load_one(s, load, func, own, err))
			return -1;
		*loaded = true;
	}
	return 0;
}

/* Likewise of all prog arrays that there are; each program may bring more arrays. */
static int load_arrays(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, uint32_t type,
		       struct bpfstamp_err *err)
{
	bool loaded;

	do {
		loaded = false;
		for (uint32_t i = 0; i < s->t->map_count; i++)
			if (starts_with_programs(s, i) && load_array(s, load, &s->t->maps[i], type, &loaded, err))
				return -1;
	} while (loaded);
	return 0;
}

static int load_with_arrays(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, uint32_t func, bool strict,
			    struct bpfstamp_err *err)
{
	uint32_t type;

	if (find_type(s->t, func, load->prog_type, strict, &type, err))
		return -1;
	return load_one(s, load, func, type, err) || load_arrays(s, load, type, err) ? -1 : 0;
}

/* Whether a program has no type of its own, but gets it from the array that it starts in. */
static bool is_typed_by_slot(const struct bpfstamp_template *t, uint32_t func)
{
	for (uint32_t i = 0; i < t->map_slot_count && !t->funcs[func].prog_type; i++)
		if (t->maps[t->map_slots[i].map].type == BPF_MAP_TYPE_PROG_ARRAY && t->map_slots[i].target == func)
			return true;
	return false;
}

/* Data that nobody refers to any more, because all reads of it became immediates. */
static bool is_inlined(const struct bpfstamp_template *t, const struct map *m)
{
	bool inlined = false;

	if (m->data == NO_INDEX)
		return false;
	for (uint32_t i = 0; i < t->reloc_count; i++)
		if (t->relocs[i].kind == RELOC_DATA && t->relocs[i].target == m->data)
			return false;
	for (uint32_t i = 0; i < t->global_count; i++)
		inlined |= t->injectables[i].data == m->data && t->injectables[i].inlined_count;
	return inlined;
}

/*
 * Bind read-only data to every program, whether it refers to it or not, as
 * libbpf does: bpftool shows variables called bpf_metadata_… that way.
 */
static void bind_readonly(const struct bpfstamp_stamp *s, const struct bpfstamp_load *load)
{
	const struct bpfstamp_template *t = s->t;

	for (uint32_t i = 0; i < t->map_count; i++) {
		const struct map *m = &t->maps[i];

		if (s->map_fds[i] < 0 || m->data == NO_INDEX || !t->datas[m->data].readonly)
			continue;
		for (uint32_t f = 0; f < t->func_count; f++) {
			if (s->prog_fds[f] >= 0 && sys_prog_bind_map(s->prog_fds[f], s->map_fds[i])) {
				load_note(load, "map %s was not bound to the programs: %s", m->name, strerror(errno));
				return;
			}
		}
	}
}

/* Whether a load of everything loads that function by itself, and not because an array starts with it. */
static bool is_wanted(const struct bpfstamp_template *t, uint32_t func)
{
	return t->funcs[func].entry && !t->funcs[func].optional && !is_typed_by_slot(t, func);
}

/* Every program that wants to be loaded; then every map that is not there yet. */
static int load_everything(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;

	for (uint32_t f = 0; f < t->func_count; f++) {
		if (is_wanted(t, f) && s->prog_fds[f] < 0 && load_with_arrays(s, load, f, false, err))
			return -1;
	}
	for (uint32_t i = 0; i < t->map_count; i++) {
		if (s->map_fds[i] >= 0 || is_inlined(t, &t->maps[i]))
			continue;
		if (mapmake(s, i, get_btf(s, load), load, err))
			return -1;
	}
	if (load_arrays(s, load, load->prog_type, err))
		return -1;
	bind_readonly(s, load);
	return 0;
}

/* Put programs into the prog arrays that were created, or into those that others may be using already. */
static int fill_arrays(const struct bpfstamp_stamp *s, bool reused, struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < s->t->map_count; i++)
		if (starts_with_programs(s, i) && mapmake_is_reused(s, i) == reused &&
		    mapmake_programs(s, i, s->prog_fds, err))
			return -1;
	return 0;
}

/* What others can see, when all else has succeeded. */
static int publish(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, struct bpfstamp_err *err)
{
	if (load->dry_run)
		return 0;
	if (fill_arrays(s, false, err) || mapmake_pin(s, load, err))
		return -1;
	if (!fill_arrays(s, true, err))
		return 0;
	mapmake_unpin(s->t, s->pins);
	mapmake_forget_pins(&s->pins);
	return -1;
}

static void close_programs(struct bpfstamp_stamp *s)
{
	for (uint32_t i = 0; i < s->t->func_count; i++) {
		if (s->prog_fds[i] >= 0)
			close(s->prog_fds[i]);
		s->prog_fds[i] = -1;
	}
}

/* A prog array is emptied when its last fd is closed, and nobody would notice; one that is given is the caller's. */
static int check_kept(const struct bpfstamp_stamp *s, struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < s->t->map_count; i++)
		if (starts_with_programs(s, i) && s->t->maps[i].pinning == MAP_PIN_NONE &&
		    !mapmake_is_reused(s, i))
			return err_set(err, EINVAL, "%s: prog array %s would be emptied by the kernel as soon as "
				       "nobody has it open: pin it (--pin)", s->t->name, s->t->maps[i].name);
	return 0;
}

/* Why a program needs BTF, or NULL.  One that cannot be linked will be told of when it is loaded. */
static const char *why_btf(const struct bpfstamp_template *t, uint32_t func)
{
	struct bpfstamp_err ignored;
	const struct link *link = load_link(t, func, &ignored);

	return link ? debuginfo_needed(t, link) : NULL;
}

/* Whether to leave BTF out: it is left out of all programs and maps of a load, or of none. */
static bool goes_without_btf(const struct bpfstamp_template *t, const struct bpfstamp_load *load)
{
	bool all = load->program == BPFSTAMP_ALL_PROGRAMS;
	const char *why = NULL;

	if (!load->no_debug_info)
		return false;
	for (uint32_t f = 0; f < t->func_count && !why; f++)
		if (all ? is_wanted(t, f) : f == load->program)
			why = why_btf(t, f);
	for (uint32_t i = 0; i < t->map_count && all && !why; i++)
		why = debuginfo_map_needed(t, &t->maps[i]);
	if (why)
		load_note(load, "%s: loaded with debug info, which the kernel may need: %s", t->name, why);
	return !why;
}

/*
 * Fill s->prog_fds and s->map_fds; keep: the caller will not close them.  Pins
 * are made when all else has succeeded; where another process was faster with
 * one of them, all starts again, with its map.
 */
static int load_all(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, bool keep, struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	int ret;

	if (t->elf.big != BYTES_HOST_BIG)
		return err_set(err, EINVAL, "%s: the object is %s-endian, this machine is not: it can be inspected "
			       "and patched here, not loaded", t->name, t->elf.big ? "big" : "little");
	mapmake_forget_pins(&s->pins);
	s->without_btf = goes_without_btf(t, load);
	for (int tries = 8; tries; tries--) {
		ret = load->program == BPFSTAMP_ALL_PROGRAMS ? load_everything(s, load, err) :
		      load_with_arrays(s, load, load->program, true, err);
		ret = ret || (!keep && check_kept(s, err));
		ret = ret || (load->record && !load->dry_run && record_bind(s, load, err));
		if (!ret && !publish(s, load, err))
			return 0;
		mapmake_close(s);
		close_programs(s);
		if (ret || err->code != EEXIST)
			break;
	}
	return -1;
}

int bpfstamp_load(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, int *fd, struct bpfstamp_err *err)
{
	struct reuse reuse;
	int there = reuse_begin(&reuse, s, load);

	if (load->reused)
		*load->reused = there >= 0;
	if (there >= 0) {
		*fd = there;
		return 0;
	}
	if (load_all(s, load, false, err)) {
		reuse_end(&reuse, s, load, -1);
		return -1;
	}
	*fd = s->prog_fds[load->program];
	s->prog_fds[load->program] = -1;
	mapmake_close(s);
	close_programs(s);
	reuse_end(&reuse, s, load, *fd);
	return 0;
}

int bpfstamp_load_object(struct bpfstamp_stamp *s, const struct bpfstamp_load *load, struct bpfstamp_loaded **out,
			 struct bpfstamp_err *err)
{
	struct bpfstamp_loaded *loaded = loaded_new(s->t);

	if (!loaded)
		return object_no_memory(err);
	if (load_all(s, load, true, err)) {
		bpfstamp_loaded_free(loaded);
		return -1;
	}
	for (uint32_t i = 0; i < s->t->func_count; i++) {
		loaded->prog_fds[i] = s->prog_fds[i];
		s->prog_fds[i] = -1;
	}
	for (uint32_t i = 0; i < s->t->map_count; i++) {
		loaded->map_fds[i] = s->map_fds[i];
		s->map_fds[i] = -1;
	}
	loaded->map_name_pins = s->pins;
	s->pins = NULL;
	*out = loaded;
	return 0;
}

void bpfstamp_load_undo(struct bpfstamp_stamp *s)
{
	mapmake_unpin(s->t, s->pins);
	mapmake_forget_pins(&s->pins);
}

int bpfstamp_map_info(int fd, struct bpfstamp_map_info *out, struct bpfstamp_err *err)
{
	struct bpf_map_info info;

	memset(&info, 0, sizeof(info));
	if (sys_map_info(fd, &info))
		return err_set(err, errno, "cannot read the map's properties: %s", strerror(errno));
	out->id = info.id;
	out->type = info.type;
	memcpy(out->name, info.name, sizeof(out->name));
	out->name[sizeof(out->name) - 1] = '\0';
	return 0;
}

int bpfstamp_prog_info(int fd, struct bpfstamp_prog_info *out, struct bpfstamp_err *err)
{
	struct bpf_prog_info info;

	memset(&info, 0, sizeof(info));
	if (sys_prog_info(fd, &info))
		return err_set(err, errno, "cannot read the program's properties: %s", strerror(errno));
	out->id = info.id;
	out->type = info.type;
	memcpy(out->tag, info.tag, sizeof(out->tag));
	memcpy(out->name, info.name, sizeof(out->name));
	out->name[sizeof(out->name) - 1] = '\0';
	return 0;
}
