// SPDX-License-Identifier: BSD-2-Clause
/*
 * But for the first four bytes BTF and BTF.ext are words and strings: types and
 * parts are kept as growing arrays of words in the machine's order, which
 * btfgen_finish writes in the order that was asked for.
 *
 * BTF.ext has the long header, with all three parts one behind the other.
 */
#include "tests/btfgen.h"

#include <stdlib.h>

#include "include/bytes.h"

struct words {
	uint32_t *at;
	size_t count, room;
};

struct btfgen {
	bool big;
	uint32_t type_count;
	uint32_t str_first;	/* the offset of the first byte of strings */
	struct words types, parts[3];
	char *strings;
	size_t str_len;
};

static void *resize(void *p, size_t size)
{
	p = realloc(p, size);
	if (!p)
		abort();
	return p;
}

static void add(struct words *words, uint32_t word)
{
	if (words->count == words->room) {
		words->room = words->room * 2 + 16;
		words->at = resize(words->at, words->room * sizeof(*words->at));
	}
	words->at[words->count++] = word;
}

struct btfgen *btfgen_new_split(bool big, uint32_t first_id, uint32_t first_string)
{
	struct btfgen *gen = resize(NULL, sizeof(*gen));

	memset(gen, 0, sizeof(*gen));
	gen->big = big;
	gen->strings = resize(NULL, 1);
	gen->str_first = first_string;
	gen->type_count = first_id;
	return gen;
}

struct btfgen *btfgen_new(bool big)
{
	struct btfgen *gen = btfgen_new_split(big, 1, 0);

	gen->strings[0] = '\0';
	gen->str_len = 1;
	return gen;
}

uint32_t btfgen_string(struct btfgen *gen, const char *s)
{
	size_t at, len = strlen(s) + 1;

	if (!*s)
		return 0;
	for (at = 0; at < gen->str_len; at += strlen(gen->strings + at) + 1)
		if (!strcmp(gen->strings + at, s))
			return gen->str_first + (uint32_t)at;
	gen->strings = resize(gen->strings, at + len);
	memcpy(gen->strings + at, s, len);
	gen->str_len += len;
	return gen->str_first + (uint32_t)at;
}

uint32_t btfgen_type(struct btfgen *gen, const char *name, enum btf_kind kind, uint32_t vlen, uint32_t third)
{
	btfgen_words(gen, btfgen_string(gen, name), (uint32_t)kind << 24 | vlen, third);
	return gen->type_count++;
}

void btfgen_word(struct btfgen *gen, uint32_t word)
{
	add(&gen->types, word);
}

void btfgen_words(struct btfgen *gen, uint32_t first, uint32_t second, uint32_t third)
{
	add(&gen->types, first);
	add(&gen->types, second);
	add(&gen->types, third);
}

void btfgen_ext_word(struct btfgen *gen, enum btf_ext_part part, uint32_t word)
{
	add(&gen->parts[part], word);
}

static uint8_t *put_words(uint8_t *p, const struct words *words, bool big)
{
	size_t i;

	for (i = 0; i < words->count; i++, p += 4)
		bytes_put32(p, words->at[i], big);
	return p;
}

static void put_preamble(uint8_t *p, uint32_t hdr_len, bool big)
{
	bytes_put16(p, 0xeb9f, big);
	p[2] = 1;
	p[3] = 0;
	bytes_put32(p + 4, hdr_len, big);
}

static uint8_t *finish_ext(const struct btfgen *gen, size_t *size)
{
	uint32_t off = 0, len, part;
	uint8_t *bytes, *p;

	*size = 32;
	for (part = 0; part < 3; part++)
		*size += gen->parts[part].count * 4;
	bytes = resize(NULL, *size);
	put_preamble(bytes, 32, gen->big);
	p = bytes + 32;
	for (part = 0; part < 3; part++, off += len) {
		len = (uint32_t)gen->parts[part].count * 4;
		bytes_put32(bytes + 8 + 8 * part, off, gen->big);
		bytes_put32(bytes + 12 + 8 * part, len, gen->big);
		p = put_words(p, &gen->parts[part], gen->big);
	}
	return bytes;
}

uint8_t *btfgen_finish(struct btfgen *gen, size_t *size, uint8_t **ext, size_t *ext_size)
{
	uint32_t type_len = (uint32_t)gen->types.count * 4, part;
	uint8_t *bytes, *p;

	*size = 24 + type_len + gen->str_len;
	bytes = resize(NULL, *size);
	put_preamble(bytes, 24, gen->big);
	bytes_put32(bytes + 8, 0, gen->big);
	bytes_put32(bytes + 12, type_len, gen->big);
	bytes_put32(bytes + 16, type_len, gen->big);
	bytes_put32(bytes + 20, (uint32_t)gen->str_len, gen->big);
	p = put_words(bytes + 24, &gen->types, gen->big);
	memcpy(p, gen->strings, gen->str_len);
	if (ext)
		*ext = finish_ext(gen, ext_size);
	for (part = 0; part < 3; part++)
		free(gen->parts[part].at);
	free(gen->types.at);
	free(gen->strings);
	free(gen);
	return bytes;
}
