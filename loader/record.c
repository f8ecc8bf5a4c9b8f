// SPDX-License-Identifier: BSD-2-Clause
/*
 * The bytes of a record, in the byte order of the machine:
 *
 *      0  magic 0x62707374    u32     a value:
 *      4  version 1           u16       0  name                     u32, a string
 *      6  flags               u16       4  type as in C             u32, a string
 *      8  size of all         u32       8  section                  u32, a string
 *     12  programs            u32      12  offset in the section    u32
 *     16  values              u32      16  size                     u32
 *     20  the object's name   u32      20  type id in the BTF       u32, or 0
 *     24  name of a program   u32      24  its bytes                u32, or 0
 *         …                            28  kind                     u8
 *         a value                      29  flags                    u8
 *         …                            30  bits                     u8
 *         strings and bytes            31  0
 *
 * where strings, ended by NUL, and bytes are told by their offset in the whole.
 * Flags: 1 inlined, 2 a key follows, which is behind all that counts here
 * (loader/reuse_key.c).  Of a value: 1 stamped, 2 in a map, 4 signed, 8 allow_derived.
 *
 * Values that can be read from a map, which has BTF, have no bytes.
 *
 * What was set is in it, and what was not, but stands in instructions: sites
 * with the value of the object, inlined variables.  Where not all fits into
 * RECORD_MOST the latter are left out, and then the load fails.  Most records
 * have a few hundred bytes, so that a small buffer is tried first: 64 KiB
 * would be mapped, touched and unmapped again at each load.
 *
 * Anybody who may load programs can make such a map.  So a record is believed
 * no more than any file: record_parse checks every field before its use, and
 * lets no control character through to a terminal.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "include/control.h"
#include "loader/err.h"
#include "loader/record.h"
#include "loader/sys.h"

enum {
	MAGIC = 0x62707374, VERSION = 1, INLINED = 1, KEYED = 2, USUAL_ROOM = 1024,
	HEADER = RECORD_LEAST, NAME = 4, VALUE = 32,
	STAMPED = 1, IN_MAP = 2, SIGNED = 4, ALLOW_DERIVED = 8, VALUE_FLAGS = 15,
};

static void put32(uint8_t *at, uint32_t value)
{
	bytes_put32(at, value, BYTES_HOST_BIG);
}

static uint32_t get32(const uint8_t *at)
{
	return bytes_get32(at, BYTES_HOST_BIG);
}

/* ---------------------------------------------------------------- making */

struct making {
	const struct bpfstamp_stamp *s;
	const struct link *link;	/* of the only program, or NULL: of all that are loaded */
	uint8_t *raw;
	uint32_t room;		/* of raw, RECORD_MOST or less */
	uint32_t used;		/* beyond room: it did not fit */
	uint32_t section;	/* the string of the last value's section, or 0 */
};

/* Append bytes; returns where they are. */
static uint32_t append(struct making *m, const void *bytes, uint32_t size)
{
	uint32_t at = m->used;

	if (m->used > m->room || size > m->room - m->used) {
		m->used = m->room + 1;
		return 0;
	}
	memcpy(m->raw + at, bytes, size);
	m->used += size;
	return at;
}

/* Append a string, without the control characters that a file's name may have. */
static uint32_t append_string(struct making *m, const char *text)
{
	uint32_t at = append(m, text, (uint32_t)strnlen(text, RECORD_MOST) + 1);

	for (uint32_t i = at; m->used <= m->room && i + 1 < m->used; i++) {
		uint32_t size = control_size(m->raw + i);

		if (size)
			memset(m->raw + i, '?', size);
	}
	return at;
}

/* Where the section's name is, which most values share with the one in front. */
static uint32_t append_section(struct making *m, const char *name)
{
	if (!m->section || strcmp((const char *)m->raw + m->section, name) != 0)
		m->section = append_string(m, name);
	return m->section;
}

static bool is_in_map(const struct making *m, const struct injectable *inj)
{
	uint32_t map;

	if (inj->kind != BPFSTAMP_GLOBAL)
		return false;
	map = m->s->t->datas[inj->data].map;
	return m->link ? link_has_map(m->link, map) : m->s->map_fds[map] >= 0;
}

static bool is_loaded(const struct making *m, uint32_t func)
{
	return m->link ? m->link->chunks[0].func == func : m->s->prog_fds[func] >= 0;
}

/* Whether there are instructions that hold it, or parts of it. */
static bool is_in_insns(const struct injectable *inj)
{
	return inj->kind == BPFSTAMP_GLOBAL ? inj->inlined_count : inj->site_count;
}

/* Whether it is read in its map, by BTF; what the program may change is read there or not at all. */
static bool is_readable(const struct making *m, const struct injectable *inj)
{
	const struct bpfstamp_template *t = m->s->t;

	return is_in_map(m, inj) && !is_in_insns(inj) &&
	       (!t->datas[inj->data].readonly || (!m->s->without_btf && t->maps[t->datas[inj->data].map].btf_value));
}

static bool is_told(const struct bpfstamp_stamp *s, uint32_t i, bool all)
{
	const struct injectable *inj = &s->t->injectables[i];

	return s->touched[i] || (all && is_in_insns(inj) && inj->has_value);
}

static bool is_doubted(const struct bpfstamp_template *t, uint32_t injectable)
{
	for (uint32_t i = 0; i < t->doubt_count; i++)
		if (t->doubts[i].injectable == injectable)
			return true;
	return false;
}

static uint32_t append_bytes(struct making *m, uint32_t index)
{
	const struct bpfstamp_stamp *s = m->s;
	const struct injectable *inj = &s->t->injectables[index];
	uint8_t bytes[8];

	if (inj->kind == BPFSTAMP_GLOBAL)
		return inj->type.size > RECORD_VALUE_MOST ? 0 : append(m, s->image + inj->image, inj->type.size);
	if (s->touched[index])
		value_store(bytes, inj->type.size, s->t->elf.big, s->values[index]);
	else
		memcpy(bytes, inj->value, inj->type.size);
	return append(m, bytes, inj->type.size);
}

static void make_value(struct making *m, uint32_t at, uint32_t index)
{
	const struct bpfstamp_template *t = m->s->t;
	const struct injectable *inj = &t->injectables[index];
	bool in_map = is_in_map(m, inj);
	uint8_t raw[VALUE] = { 0 };
	char type[64];

	value_type_text(&inj->type, t->btf.type_count ? &t->btf : NULL, type, sizeof(type));
	put32(raw, append_string(m, inj->name));
	put32(raw + 4, append_string(m, type));
	put32(raw + 8, append_section(m, inj->section));
	put32(raw + 12, inj->kind == BPFSTAMP_GLOBAL ? inj->image - t->datas[inj->data].image : 0);
	put32(raw + 16, inj->type.size);
	put32(raw + 20, inj->type.btf);
	put32(raw + 24, is_readable(m, inj) ? 0 : append_bytes(m, index));
	raw[28] = (uint8_t)inj->kind;
	raw[29] = (uint8_t)((m->s->touched[index] ? STAMPED : 0) | (in_map ? IN_MAP : 0) |
			    (inj->type.is_signed ? SIGNED : 0) | (is_doubted(t, index) ? ALLOW_DERIVED : 0));
	raw[30] = inj->type.bits;
	memcpy(m->raw + at, raw, VALUE);
}

/* all: also what was not set.  False where it does not fit. */
static bool make(struct making *m, bool all)
{
	const struct bpfstamp_template *t = m->s->t;
	const char *slash = strrchr(t->name, '/');
	uint32_t programs = 0, values = 0, at;
	bool inlined = false;

	for (uint32_t i = 0; i < t->func_count; i++)
		programs += is_loaded(m, i);
	for (uint32_t i = 0; i < t->injectable_count; i++) {
		values += is_told(m->s, i, all);
		inlined |= t->injectables[i].inlined_count > 0;
	}
	if (programs > RECORD_MOST / NAME || values > RECORD_MOST / VALUE ||
	    HEADER + programs * NAME + values * VALUE > m->room)
		return false;
	m->section = 0;
	m->used = HEADER + programs * NAME + values * VALUE;
	put32(m->raw, MAGIC);
	bytes_put16(m->raw + 4, VERSION, BYTES_HOST_BIG);
	bytes_put16(m->raw + 6, (uint16_t)((inlined ? INLINED : 0) | (m->link ? KEYED : 0)), BYTES_HOST_BIG);
	put32(m->raw + 12, programs);
	put32(m->raw + 16, values);
	put32(m->raw + 20, append_string(m, slash ? slash + 1 : t->name));
	at = HEADER;
	for (uint32_t i = 0; i < t->func_count; i++) {
		if (!is_loaded(m, i))
			continue;
		put32(m->raw + at, append_string(m, t->funcs[i].name));
		at += NAME;
	}
	for (uint32_t i = 0; i < t->injectable_count; i++) {
		if (!is_told(m->s, i, all))
			continue;
		make_value(m, at, i);
		at += VALUE;
	}
	put32(m->raw + 8, m->used);
	return m->used <= m->room;
}

/* See that there is that much room; nobody needs what was in it. */
static bool make_room(uint8_t **buf, uint32_t *room, uint32_t wanted)
{
	if (*room >= wanted)
		return true;
	free(*buf);
	*buf = malloc(wanted);
	*room = *buf ? wanted : 0;
	return *buf;
}

int record_make(const struct bpfstamp_stamp *s, const struct link *link, uint8_t **buf, uint32_t *room,
		uint32_t *size, struct bpfstamp_err *err)
{
	static const uint32_t rooms[] = { USUAL_ROOM, RECORD_MOST };

	for (int i = 0; i < 2; i++) {
		struct making m = { .s = s, .link = link };

		if (!make_room(buf, room, rooms[i]))
			return object_no_memory(err);
		m.raw = *buf;
		m.room = *room;
		if (make(&m, true) || (m.room == RECORD_MOST && make(&m, false))) {
			*size = m.used;
			return 0;
		}
	}
	return err_set(err, E2BIG, "%s: the record of what was stamped would have more than %d bytes: load without "
		       "one (--no-record)", s->t->name, RECORD_MOST);
}

/* --------------------------------------------------------------- parsing */

struct parsing {
	const uint8_t *raw;
	uint32_t size, heap;	/* heap: where strings and bytes begin */
};

/* The string at an offset, fit for a terminal, or NULL. */
static const char *string_at(const struct parsing *p, const uint8_t *field)
{
	uint32_t at = get32(field);

	if (at < p->heap || at >= p->size || !memchr(p->raw + at, '\0', p->size - at))
		return NULL;
	for (const uint8_t *text = p->raw + at; *text; text++)
		if (control_size(text))
			return NULL;
	return (const char *)p->raw + at;
}

static bool is_scalar(const struct record_value *v)
{
	return (v->size == 1 || v->size == 2 || v->size == 4 || v->size == 8) && v->bits <= 8 * v->size;
}

/* Whether the fields agree with one another. */
static bool is_sound(const struct record_value *v)
{
	if (!v->name || !*v->name || !v->type || !v->section || !v->size || (v->bits && !is_scalar(v)))
		return false;
	if (v->kind != BPFSTAMP_GLOBAL)
		return v->kind >= BPFSTAMP_STAMP && v->kind <= BPFSTAMP_PLACEHOLDER && v->bits && v->bytes &&
		       !v->in_map;
	return (v->in_map || v->bytes || v->size > RECORD_VALUE_MOST) && v->size <= UINT32_MAX - v->offset;
}

static bool parse_value(struct record_value *v, const struct parsing *p, const uint8_t *raw)
{
	uint32_t bytes = get32(raw + 24);

	*v = (struct record_value){
		.name = string_at(p, raw), .type = string_at(p, raw + 4), .section = string_at(p, raw + 8),
		.offset = get32(raw + 12), .size = get32(raw + 16), .btf = get32(raw + 20),
		.kind = (enum bpfstamp_kind)raw[28], .stamped = raw[29] & STAMPED, .in_map = raw[29] & IN_MAP,
		.is_signed = raw[29] & SIGNED, .allow_derived = raw[29] & ALLOW_DERIVED, .bits = raw[30],
	};
	if (bytes) {
		if (v->size > RECORD_VALUE_MOST || bytes < p->heap || bytes > p->size || v->size > p->size - bytes)
			return false;
		v->bytes = p->raw + bytes;
	}
	return !(raw[29] & ~VALUE_FLAGS) && !raw[31] && is_sound(v);
}

/* The only name of a program that begins like the kernel's, or NULL; false where one is malformed. */
static bool parse_names(const char **out, const struct parsing *p, uint32_t count, const char *kernel_name)
{
	uint32_t found = 0;
	char cut[16];

	for (uint32_t i = 0; i < count; i++) {
		const char *name = string_at(p, p->raw + HEADER + i * NAME);

		if (!name || !*name)
			return false;
		sys_name(cut, name);
		if (strcmp(cut, kernel_name) != 0)
			continue;
		*out = name;
		found++;
	}
	if (found != 1)
		*out = NULL;
	return true;
}

/* Of the size bytes those of the record, in front of a key; 0 where that cannot be. */
static uint32_t record_size(const uint8_t *raw, uint32_t size)
{
	bool keyed = bytes_get16(raw + 6, BYTES_HOST_BIG) & KEYED;
	uint32_t own = get32(raw + 8);

	return own <= RECORD_MOST && (keyed ? own < size : own == size) ? own : 0;
}

static bool parse(struct record *out, const uint8_t *raw, uint32_t size, const char *kernel_name)
{
	struct parsing p = { .raw = raw, .size = record_size(raw, size) };
	uint32_t programs = get32(raw + 12), values = get32(raw + 16);
	uint16_t flags = bytes_get16(raw + 6, BYTES_HOST_BIG);

	if (get32(raw) != MAGIC || bytes_get16(raw + 4, BYTES_HOST_BIG) != VERSION || flags & ~(INLINED | KEYED) ||
	    programs > RECORD_MOST / NAME || values != out->count ||
	    HEADER + programs * NAME + values * VALUE > p.size)
		return false;
	p.heap = HEADER + programs * NAME + values * VALUE;
	out->inlined = flags & INLINED;
	out->object = string_at(&p, raw + 20);
	if (!out->object || !parse_names(&out->program, &p, programs, kernel_name))
		return false;
	for (uint32_t i = 0; i < values; i++)
		if (!parse_value(&out->values[i], &p, raw + HEADER + programs * NAME + i * VALUE))
			return false;
	return true;
}

struct record *record_parse(uint8_t *raw, uint32_t size, const char *kernel_name)
{
	uint32_t values = size >= HEADER && size <= RECORD_KEY_MOST ? get32(raw + 16) : UINT32_MAX;
	struct record *r;

	if (values > RECORD_MOST / VALUE) {
		errno = EBADMSG;
		return NULL;
	}
	r = calloc(1, sizeof(*r) + values * sizeof(*r->values));
	if (!r)
		return NULL;
	r->count = values;
	r->values = (struct record_value *)(r + 1);
	if (parse(r, raw, size, kernel_name)) {
		r->raw = raw;
		return r;
	}
	free(r);
	errno = EBADMSG;
	return NULL;
}

void record_free(struct record *r)
{
	if (!r)
		return;
	free(r->raw);
	free(r);
}
