// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a program is made of, in bytes: two with the same key are the same to
 * whoever uses them.  It stands behind the record (loader/record.c), in one map:
 *
 *     the record             u8[], with its flag that a key follows
 *     format, and version of bpfstamp     a string
 *     program type, attach type, flags, kernel version   u32 each
 *     name                   16 bytes
 *     license                a string
 *     instructions           their number u32, 8 bytes each, before fds of maps are put in
 *     references to maps     their number u32, each then: slot, map, offset, of the value or the map: u32 each
 *     a map                  its index u32, then
 *       pinned by name       1, id: u32 each
 *       read-only data       0, type, sizes of key and value, entries, flags, NUMA node, types of key and
 *                            value: u32 each; name 16 bytes; what it holds
 *     BTF                    its size u32, as the kernel gets it; 0 where it gets none, and nothing more then
 *     functions, lines       their number u32, 8 and 16 bytes each
 *
 * in the byte order of the machine, without padding.  A map's id says which one
 * it is as long as the program lives, because that holds it.
 *
 * Instructions may also name things that have a number in this process only: the
 * BTF of a module, by its fd.  Programs with such, and those that fill a map of
 * programs or maps, have no key.
 *
 * The digest says only where to look, and so need not withstand anybody who looks
 * for two keys with the same.
 */
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "loader/debuginfo.h"
#include "loader/kbtf.h"
#include "loader/keying.h"
#include "loader/load.h"
#include "loader/mapfill.h"
#include "loader/mapmake.h"
#include "loader/record.h"
#include "loader/reuse.h"
#include "loader/sys.h"

static const char format[] = "1 " BPFSTAMP_VERSION;

/* ---------------------------------------------------------------- digest */

static uint64_t rotate(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

/* Every bit of the result depends on every bit of x. */
static uint64_t scatter(uint64_t x)
{
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
	x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
	return x ^ x >> 32;
}

void reuse_digest(uint8_t digest[REUSE_DIGEST], const uint8_t *key, uint32_t size)
{
	uint64_t a = size, b = ~(uint64_t)size, word;

	for (uint32_t at = 0; at < size; at += (uint32_t)sizeof(word)) {
		word = 0;
		memcpy(&word, key + at, size - at < sizeof(word) ? size - at : sizeof(word));
		a = rotate(a ^ word, 29) * 0x9e3779b97f4a7c15;
		b = rotate(b + word, 37) * 0xc2b2ae3d27d4eb4f;
	}
	a = scatter(a + rotate(b, 17));
	b = scatter(b ^ a);
	memcpy(digest, &a, sizeof(a));
	memcpy(digest + sizeof(a), &b, sizeof(b));
}

/* ------------------------------------------------------------------- key */

/* What it is made of. */
struct parts {
	const struct bpfstamp_stamp *s;
	const struct link *link;
	uint32_t prog_type, attach_type;
	const uint8_t *record, *btf, *kconfig;
	uint32_t record_size, btf_size;
};

static void append_string(struct keying *k, const char *text)
{
	keying_append(k, text, strlen(text) + 1);
}

static void append_counted(struct keying *k, const void *array, uint32_t count, size_t size)
{
	keying_append32(k, count);
	keying_append(k, array, count * size);
}

static void append_insns(struct keying *k, const struct parts *p)
{
	keying_append32(k, p->link->insns);
	if (k->at)
		link_gather(p->link, p->s->t, p->s->image, k->at + k->size);
	k->size += (size_t)p->link->insns * BPFINSN_SIZE;
	keying_append32(k, p->link->map_count);
	for (uint32_t i = 0; i < p->link->map_count; i++) {
		const struct link_map *m = &p->link->maps[i];

		keying_append32(k, m->at);
		keying_append32(k, m->map);
		keying_append32(k, m->offset);
		keying_append32(k, m->value);
	}
}

static bool append_pinned(struct keying *k, int fd)
{
	struct bpf_map_info info;

	memset(&info, 0, sizeof(info));
	if (k->at && sys_map_info(fd, &info))
		return false;
	keying_append32(k, 1);
	keying_append32(k, info.id);
	return true;
}

static void append_data(struct keying *k, const struct parts *p, const struct map *m)
{
	const struct bpfstamp_template *t = p->s->t;
	const uint32_t fields[] = {
		0, m->type, m->key_size, m->value_size, m->max_entries, m->flags, m->numa_node, m->btf_key, m->btf_value,
	};
	char name[16];

	mapmake_name(name, t, m);
	keying_append(k, fields, sizeof(fields));
	keying_append(k, name, sizeof(name));
	keying_append(k, m->kconfig ? p->kconfig : p->s->image + t->datas[m->data].image, m->value_size);
}

static bool append_maps(struct keying *k, const struct parts *p)
{
	for (uint32_t i = 0; i < p->s->t->map_count; i++) {
		const struct map *m = &p->s->t->maps[i];

		if (!link_has_map(p->link, i))
			continue;
		keying_append32(k, i);
		if (m->pinning == MAP_PIN_NONE)
			append_data(k, p, m);
		else if (!append_pinned(k, p->s->map_fds[i]))
			return false;
	}
	return true;
}

static bool make(struct keying *k, const struct parts *p)
{
	const struct bpfstamp_template *t = p->s->t;
	const struct func *f = &t->funcs[p->link->chunks[0].func];
	char name[16];

	sys_name(name, f->name);
	keying_append(k, p->record, p->record_size);
	append_string(k, format);
	keying_append32(k, p->prog_type);
	keying_append32(k, p->attach_type);
	keying_append32(k, f->prog_flags);
	keying_append32(k, t->kern_version);
	keying_append(k, name, sizeof(name));
	append_string(k, t->license);
	append_insns(k, p);
	if (!append_maps(k, p))
		return false;
	append_counted(k, p->btf, p->btf_size, 1);
	if (p->btf) {
		append_counted(k, p->link->func_info, p->link->func_info_count, sizeof(*p->link->func_info));
		append_counted(k, p->link->line_info, p->link->line_info_count, sizeof(*p->link->line_info));
	}
	return true;
}

/* ----------------------------------------------------------------- parts */

uint32_t reuse_prog_type(const struct bpfstamp_template *t, const struct bpfstamp_load *load)
{
	const struct func *f = &t->funcs[load->program];

	return f->prog_type ? f->prog_type : load->prog_type;
}

/* Whether something in the program has its number in this process only. */
static bool names_fds(const struct link *link)
{
	if (link->btf_fd_count || link->target_id)
		return true;
	for (uint32_t i = 0; i < link->patch_count; i++)
		if (link->patches[i].slots == 2 && link->patches[i].insn[0].src == BPF_SRC_BTF_ID &&
		    link->patches[i].insn[1].imm)
			return true;
	return false;
}

static bool can_load(const struct bpfstamp_stamp *s, const struct link *link, const struct bpfstamp_load *load)
{
	uint32_t type = reuse_prog_type(s->t, load);
	struct bpfstamp_err ignored;

	return !load_check_symbols(s, link, &ignored) && type && (!load->prog_type || load->prog_type == type);
}

/* Open the maps that are pinned; false where one is not there, or is another thing. */
static bool open_maps(struct bpfstamp_stamp *s, const struct link *link, const struct bpfstamp_load *load)
{
	struct bpfstamp_err ignored;

	for (uint32_t i = 0; i < s->t->map_count; i++) {
		const struct map *m = &s->t->maps[i];

		if (m->pinning == MAP_PIN_NONE || !link_has_map(link, i))
			continue;
		if (m->slot_count || m->refused || mapmake_reuse(s, i, load, &ignored) || s->map_fds[i] < 0)
			return false;
	}
	return true;
}

/* The BTF is made once a template. */
static bool get_btf(struct parts *p)
{
	const struct bpfstamp_template *t = p->s->t;
	struct template_cache *cache = t->cache;
	struct bpfstamp_err ignored;
	bool made = true;

	if (p->s->without_btf || !t->btf.type_count)
		return true;
	pthread_mutex_lock(&cache->lock);
	if (!cache->kbtf.bytes)
		made = !kbtf_make(&cache->kbtf, t, &ignored);
	p->btf = cache->kbtf.bytes;
	p->btf_size = cache->kbtf.size;
	pthread_mutex_unlock(&cache->lock);
	return made;
}

static bool get_kconfig(struct parts *p, const struct bpfstamp_load *load)
{
	struct bpfstamp_err ignored;
	uint32_t map = p->s->t->kconfig;

	if (map == NO_INDEX || !link_has_map(p->link, map))
		return true;
	p->kconfig = mapfill_kconfig(p->s->t, load, &ignored);
	return p->kconfig;
}

/* Room for the key, and behind it for one of the same size that it is compared with. */
static bool make_room(struct bpfstamp_stamp *s, size_t size)
{
	uint8_t *bigger;

	if (size > RECORD_KEY_MOST)
		return false;
	if (s->key_room >= 2 * size)
		return true;
	bigger = realloc(s->key, 2 * size);
	if (!bigger)
		return false;
	s->key = bigger;
	s->key_room = 2 * (uint32_t)size;
	return true;
}

static bool write_key(struct bpfstamp_stamp *s, const struct parts *p)
{
	struct keying k = { 0 };

	if (!make(&k, p) || !make_room(s, k.size))
		return false;
	k = (struct keying){ .at = s->key };
	if (!make(&k, p))
		return false;
	s->key_size = (uint32_t)k.size;
	return true;
}

bool reuse_key(struct bpfstamp_stamp *s, const struct link *link, const struct bpfstamp_load *load)
{
	const struct func *f = &s->t->funcs[load->program];
	struct parts p = { .s = s, .link = link, .prog_type = reuse_prog_type(s->t, load) };
	struct bpfstamp_err ignored;

	s->without_btf = load->no_debug_info && !debuginfo_needed(s->t, link);
	p.attach_type = p.prog_type == f->prog_type ? f->attach_type : 0;
	if (!can_load(s, link, load) || names_fds(link) || !open_maps(s, link, load) || !get_btf(&p) ||
	    !get_kconfig(&p, load))
		return false;
	if (record_make(s, link, &s->record, &s->record_room, &p.record_size, &ignored))
		return false;
	p.record = s->record;
	return write_key(s, &p);
}
