// SPDX-License-Identifier: BSD-2-Clause
/*
 * A placeholder belongs to an object, but the oracle wants to judge programs
 * one by one, and compiling each by itself would cost most of its time.  So
 * a batch is compiled once, and object_isolate turns all functions but those of
 * one program into `r0 = 0; … exit`, without relocations: what the library then
 * sees of constants is that program's.
 *
 * Functions belong to program n by their name: pN, and sN_… for subprograms,
 * whatever a compiler adds behind it.
 */
#include "tests/oracle/object.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool object_read(struct object *o, const char *path)
{
	FILE *file = fopen(path, "rb");
	long size = -1;

	*o = (struct object){ 0 };
	if (!file)
		return false;
	if (!fseek(file, 0, SEEK_END))
		size = ftell(file);
	rewind(file);
	if (size > 0) {
		o->size = (size_t)size;
		o->bytes = malloc(o->size);
		if (o->bytes && fread(o->bytes, 1, o->size, file) != o->size)
			object_free(o);
	}
	fclose(file);
	return o->bytes;
}

bool object_write(const struct object *o, const char *path)
{
	FILE *file = fopen(path, "wb");
	bool ok = file && fwrite(o->bytes, 1, o->size, file) == o->size;

	return file && fclose(file) == 0 && ok;
}

struct object object_copy(const struct object *o)
{
	struct object copy = { malloc(o->size), o->size };

	if (!copy.bytes)
		abort();
	memcpy(copy.bytes, o->bytes, o->size);
	return copy;
}

void object_free(struct object *o)
{
	free(o->bytes);
	*o = (struct object){ 0 };
}

static Elf64_Shdr *section(const struct object *o, uint32_t i)
{
	const Elf64_Ehdr *head = (const void *)o->bytes;

	return (Elf64_Shdr *)(void *)(o->bytes + head->e_shoff) + i;
}

static uint32_t section_count(const struct object *o)
{
	return ((const Elf64_Ehdr *)(const void *)o->bytes)->e_shnum;
}

struct function {
	const char *name;
	uint32_t section;
	uint64_t start, size;
	uint8_t *code;
};

/* The functions of the object, counted in *count; the caller frees them. */
static struct function *functions(const struct object *o, size_t *count)
{
	struct function *out = NULL;

	*count = 0;
	for (uint32_t i = 0; i < section_count(o); i++) {
		const Elf64_Shdr *sh = section(o, i);
		const Elf64_Sym *symbols = (const void *)(o->bytes + sh->sh_offset);
		const char *names;

		if (sh->sh_type != SHT_SYMTAB)
			continue;
		names = (const char *)o->bytes + section(o, sh->sh_link)->sh_offset;
		out = calloc(sh->sh_size / sizeof(*symbols) + 1, sizeof(*out));
		if (!out)
			abort();
		for (size_t k = 0; k < sh->sh_size / sizeof(*symbols); k++)
			if (ELF64_ST_TYPE(symbols[k].st_info) == STT_FUNC)
				out[(*count)++] = (struct function){
					names + symbols[k].st_name, symbols[k].st_shndx, symbols[k].st_value,
					symbols[k].st_size,
					o->bytes + section(o, symbols[k].st_shndx)->sh_offset +
						symbols[k].st_value
				};
	}
	return out;
}

static bool belongs(const struct function *f, uint32_t n)
{
	char name[16], prefix[16];

	snprintf(name, sizeof(name), "p%u", n);
	snprintf(prefix, sizeof(prefix), "s%u_", n);
	return !strcmp(f->name, name) || !strncmp(f->name, prefix, strlen(prefix));
}

/* Relocations of a function: take them out, or tell whether one is an lddw's. */
static bool relocations(const struct object *o, const struct function *f, bool remove)
{
	bool data = false;

	for (uint32_t i = 0; i < section_count(o); i++) {
		const Elf64_Shdr *sh = section(o, i);

		if ((sh->sh_type != SHT_REL && sh->sh_type != SHT_RELA) || sh->sh_info != f->section)
			continue;
		for (uint64_t at = 0; at < sh->sh_size; at += sh->sh_entsize) {
			Elf64_Rel *rel = (void *)(o->bytes + sh->sh_offset + at);

			if (rel->r_offset < f->start || rel->r_offset >= f->start + f->size)
				continue;
			if (f->code[rel->r_offset - f->start] == 0x18)
				data = true;
			if (remove)
				rel->r_info = 0;
		}
	}
	return data;
}

void object_isolate(struct object *o, uint32_t n)
{
	size_t count;
	struct function *all = functions(o, &count);

	for (size_t i = 0; i < count; i++) {
		if (belongs(&all[i], n) || all[i].size < 16)
			continue;
		relocations(o, &all[i], true);
		memset(all[i].code, 0, all[i].size);
		for (uint64_t at = 0; at < all[i].size; at += 8)
			all[i].code[at] = at + 8 < all[i].size ? 0xb7 : 0x95;
	}
	free(all);
}

/* Distances of calls depend on what else stands in the section, and are not looked at. */
static bool same_code(const struct function *a, const struct function *b)
{
	if (a->size != b->size)
		return false;
	for (uint64_t at = 0; at < a->size; at += 8) {
		bool call = a->code[at] == 0x85 && a->code[at + 1] >> 4 == 1;

		if (memcmp(a->code + at, b->code + at, call ? 4 : 8))
			return false;
	}
	return true;
}

bool object_same(const struct object *a, const struct object *b, uint32_t n)
{
	size_t a_count, b_count, mine = 0, theirs = 0;
	struct function *in_a = functions(a, &a_count), *in_b = functions(b, &b_count);
	bool same = true;

	for (size_t k = 0; k < b_count; k++)
		theirs += belongs(&in_b[k], n);
	for (size_t i = 0; i < a_count && same; i++) {
		bool found = false;

		if (!belongs(&in_a[i], n))
			continue;
		mine++;
		for (size_t k = 0; k < b_count && !found; k++)
			found = !strcmp(in_a[i].name, in_b[k].name) && same_code(&in_a[i], &in_b[k]);
		same = found && !relocations(a, &in_a[i], false);
	}
	free(in_a);
	free(in_b);
	return same && mine == theirs;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct function *)a)->name, ((const struct function *)b)->name);
}

uint8_t *object_code(const struct object *o, uint32_t n, size_t *size)
{
	size_t count;
	struct function *all = functions(o, &count);
	uint8_t *out = malloc(o->size);

	*size = 0;
	qsort(all, count, sizeof(*all), by_name);
	for (size_t i = 0; i < count && out; i++) {
		if (!belongs(&all[i], n))
			continue;
		memcpy(out + *size, all[i].code, all[i].size);
		*size += all[i].size;
	}
	free(all);
	return out;
}

static const char *section_name(const struct object *o, uint32_t i)
{
	const Elf64_Ehdr *head = (const void *)o->bytes;

	return (const char *)o->bytes + section(o, head->e_shstrndx)->sh_offset + section(o, i)->sh_name;
}

bool object_data_differs(const struct object *a, const struct object *b, const char *prefix)
{
	for (uint32_t i = 0; i < section_count(a) && i < section_count(b); i++) {
		const Elf64_Shdr *x = section(a, i), *y = section(b, i);

		if (x->sh_type != SHT_PROGBITS || strncmp(section_name(a, i), prefix, strlen(prefix)))
			continue;
		if (x->sh_size != y->sh_size ||
		    memcmp(a->bytes + x->sh_offset, b->bytes + y->sh_offset, x->sh_size))
			return true;
	}
	return false;
}
