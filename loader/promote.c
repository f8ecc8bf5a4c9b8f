// SPDX-License-Identifier: BSD-2-Clause
/*
 * A variable in .bss has no bytes in the file, and loaders zero it whatever the
 * file says: a section that received a value has to become another one.  It
 * is made SHT_PROGBITS, its bytes go to the end of the file, and its name
 * changes:
 *
 *     .bss      .data        or .data.bss where the object has a .data already
 *     .bss.x    .data.x
 *
 * The same name is that of a DATASEC in the BTF, which loaders match with the
 * section, so both string tables need one string more.  They are copied to the
 * end of the file with the new names behind them; what refers to them by offset
 * stays true.
 */
#include <stdio.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/promote.h"

enum {	/* offsets in the tables, see elf/elf64.h and elf/btf.h */
	SH_NAME = 0, SH_TYPE = 4, SH_OFFSET = 24, SH_SIZE = 32,
	BTF_HDR_LEN = 4, BTF_TYPE_OFF = 8, BTF_TYPE_LEN = 12, BTF_STR_OFF = 16, BTF_STR_LEN = 20,
	NAME_ROOM = 256,	/* a longer name keeps its first bytes */
};

struct writer {
	const struct bpfstamp_stamp *s;
	uint8_t *copy;		/* NULL: only measure */
	size_t end;
	size_t names_at, names_size;	/* the section name table, where it is now */
	size_t btf_at, btf_size;	/* BTF likewise; strings are its end */
};

/* Whether a .bss section holds anything but the zeros that every loader gives it. */
static bool needs_bytes(const struct bpfstamp_stamp *s, uint32_t data)
{
	const struct data *d = &s->t->datas[data];

	for (uint32_t i = 0; d->nobits && i < d->size; i++)
		if (s->image[d->image + i])
			return true;
	return false;
}

static uint8_t *header(const struct writer *w, uint32_t section)
{
	return w->copy + elf64_section_header_at(&w->s->t->elf, section);
}

/* Append bytes at a multiple of align (a power of two), and return where they are. */
static size_t append(struct writer *w, const void *bytes, size_t size, size_t align)
{
	size_t at = (w->end + align - 1) & ~(align - 1);

	if (w->copy)
		memcpy(w->copy + at, bytes, size);
	w->end = at + size;
	return at;
}

static void place(struct writer *w, uint32_t section, size_t at, size_t size)
{
	bool big = w->s->t->elf.big;

	if (!w->copy)
		return;
	bytes_put64(header(w, section) + SH_OFFSET, at, big);
	bytes_put64(header(w, section) + SH_SIZE, size, big);
}

static void move_names(struct writer *w)
{
	const struct elf64 *elf = &w->s->t->elf;
	struct elf64_section names;

	elf64_section(elf, elf->names, &names);
	w->names_size = (size_t)names.size;
	w->names_at = append(w, names.bytes, w->names_size, 1);
}

/* BTF as header, types, strings, whatever their order was. */
static void move_btf(struct writer *w)
{
	const struct btf *btf = &w->s->t->btf;
	uint32_t hdr_len = bytes_get32(btf->data + BTF_HDR_LEN, btf->big);
	uint32_t type_off = bytes_get32(btf->data + BTF_TYPE_OFF, btf->big);
	uint32_t type_len = bytes_get32(btf->data + BTF_TYPE_LEN, btf->big);
	uint32_t str_off = bytes_get32(btf->data + BTF_STR_OFF, btf->big);
	uint32_t str_len = bytes_get32(btf->data + BTF_STR_LEN, btf->big);

	w->btf_at = append(w, btf->data, hdr_len, 8);
	append(w, btf->data + hdr_len + type_off, type_len, 1);
	append(w, btf->data + hdr_len + str_off, str_len, 1);
	w->btf_size = (size_t)hdr_len + type_len + str_len;
	if (!w->copy)
		return;
	bytes_put32(w->copy + w->btf_at + BTF_TYPE_OFF, 0, btf->big);
	bytes_put32(w->copy + w->btf_at + BTF_STR_OFF, type_len, btf->big);
}

static void new_name(const struct bpfstamp_template *t, const char *old, char name[NAME_ROOM])
{
	const char *rest = old + strlen(".bss");

	if (!*rest && elf64_find(&t->elf, ".data"))
		rest = ".bss";
	snprintf(name, NAME_ROOM, ".data%s", rest);
}

/* Where a type of the BTF is, now that it has moved. */
static uint8_t *type_at(const struct writer *w, uint32_t id)
{
	const struct btf *btf = &w->s->t->btf;
	uint32_t type_off = bytes_get32(btf->data + BTF_TYPE_OFF, btf->big);

	return w->copy + w->btf_at + btf_type_at(btf, id) - type_off;
}

static void rename_section(struct writer *w, const struct data *d)
{
	const struct bpfstamp_template *t = w->s->t;
	char name[NAME_ROOM];

	new_name(t, d->name, name);
	append(w, name, strlen(name) + 1, 1);
	if (w->copy)
		bytes_put32(header(w, d->section) + SH_NAME, (uint32_t)w->names_size, t->elf.big);
	w->names_size += strlen(name) + 1;
}

static void rename_datasec(struct writer *w, const struct data *d)
{
	const struct btf *btf = &w->s->t->btf;
	uint32_t id = btf_find(btf, BTF_DATASEC, d->name), str_len;
	char name[NAME_ROOM];

	if (!id)
		return;
	new_name(w->s->t, d->name, name);
	append(w, name, strlen(name) + 1, 1);
	w->btf_size += strlen(name) + 1;
	if (!w->copy)
		return;
	str_len = bytes_get32(w->copy + w->btf_at + BTF_STR_LEN, btf->big);
	bytes_put32(type_at(w, id), str_len, btf->big);
	bytes_put32(w->copy + w->btf_at + BTF_STR_LEN, str_len + (uint32_t)strlen(name) + 1, btf->big);
}

static void give_bytes(struct writer *w, const struct data *d)
{
	const struct bpfstamp_template *t = w->s->t;
	struct elf64_section section;
	size_t align = 8;

	elf64_section(&t->elf, d->section, &section);
	if (section.addralign > 8 && section.addralign <= 4096 && !(section.addralign & (section.addralign - 1)))
		align = (size_t)section.addralign;
	place(w, d->section, append(w, w->s->image + d->image, d->size, align), d->size);
	if (w->copy)
		bytes_put32(header(w, d->section) + SH_TYPE, ELF64_SHT_PROGBITS, t->elf.big);
}

static size_t promote(struct writer *w)
{
	const struct bpfstamp_template *t = w->s->t;
	uint32_t wanted = 0;

	for (uint32_t i = 0; i < t->data_count; i++) {
		if (!needs_bytes(w->s, i))
			continue;
		wanted++;
		give_bytes(w, &t->datas[i]);
	}
	if (!wanted)
		return w->end;
	move_names(w);
	for (uint32_t i = 0; i < t->data_count; i++)
		if (needs_bytes(w->s, i))
			rename_section(w, &t->datas[i]);
	place(w, t->elf.names, w->names_at, w->names_size);
	if (!t->btf.type_count)
		return w->end;
	move_btf(w);
	for (uint32_t i = 0; i < t->data_count; i++)
		if (needs_bytes(w->s, i))
			rename_datasec(w, &t->datas[i]);
	place(w, elf64_find(&t->elf, ".BTF"), w->btf_at, w->btf_size);
	return w->end;
}

size_t promote_size(const struct bpfstamp_stamp *s, size_t end)
{
	struct writer w = { .s = s, .end = end };

	return promote(&w);
}

size_t promote_write(const struct bpfstamp_stamp *s, uint8_t *copy, size_t end)
{
	struct writer w = { .s = s, .copy = copy, .end = end };

	return promote(&w);
}
