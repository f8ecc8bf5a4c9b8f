// SPDX-License-Identifier: BSD-2-Clause
/*
 * The bytes are a recipe: of the BTF of an object, of that of a kernel, and of
 * records about the first.  Nearly any recipe gives BTF that opens, so that the
 * fuzzer need not find out about offsets and lengths; names come from a small
 * set, so that types find each other.
 *
 * A record is refused with a text, and the instruction stays as it is; or the
 * instruction is one that bpfinsn_check takes, if it was one before.  The text
 * of the record fits what core_text says.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/core.h"
#include "loader/core_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TYPES_MAX = 12, BTF_MAX = 1 << 14 };

static const char strings[] = "\0a\0b\0c\0s\0s___x\0long\0V\0V___1\0W___1___2";
static const uint8_t names[] = { 0, 1, 3, 5, 7, 9, 15, 20, 22, 28 };	/* where in strings */

struct recipe {
	const uint8_t *at;
	size_t left;
};

struct writer {
	uint8_t bytes[BTF_MAX];
	uint32_t size;
	bool big;
};

static void require(bool condition)
{
	if (!condition)
		abort();
}

static uint32_t next(struct recipe *recipe, uint32_t below)
{
	if (!recipe->left)
		return 0;
	recipe->left--;
	return *recipe->at++ % below;
}

static void put(struct writer *w, uint32_t word)
{
	require(w->size + 4 <= sizeof(w->bytes));
	bytes_put32(w->bytes + w->size, word, w->big);
	w->size += 4;
}

static void put_name(struct writer *w, struct recipe *recipe)
{
	put(w, names[next(recipe, sizeof(names))]);
}

static void put_member(struct writer *w, struct recipe *recipe, bool bitfields, uint32_t types)
{
	uint32_t offset = 8 * next(recipe, 64);

	put_name(w, recipe);
	put(w, next(recipe, types));
	put(w, bitfields ? next(recipe, 64) << 24 | (offset + next(recipe, 8)) : offset);
}

/* What follows the 12 bytes of a type. */
static void put_tail(struct writer *w, struct recipe *recipe, enum btf_kind kind, uint32_t size, uint32_t vlen,
		     bool flag, uint32_t types)
{
	uint32_t i;

	if (kind == BTF_INT)
		put(w, next(recipe, 8) << 24 | next(recipe, 2) << 16 | (8 * size - next(recipe, 2)));
	else if (kind == BTF_VAR || kind == BTF_DECL_TAG)
		put(w, next(recipe, 3));
	for (i = 0; kind == BTF_ARRAY && i < 3; i++)
		put(w, next(recipe, i < 2 ? types : 4));
	for (i = 0; i < vlen; i++) {
		if (kind == BTF_STRUCT || kind == BTF_UNION) {
			put_member(w, recipe, flag, types);
		} else {
			put_name(w, recipe);
			put(w, next(recipe, kind == BTF_FUNC_PROTO ? types : 256) - (flag && kind != BTF_FUNC_PROTO));
			if (kind == BTF_ENUM64)
				put(w, next(recipe, 2));
		}
	}
}

static void put_type(struct writer *w, struct recipe *recipe, uint32_t types)
{
	const uint32_t sized = 1u << BTF_INT | 1u << BTF_ENUM | 1u << BTF_ENUM64 | 1u << BTF_FLOAT;
	const uint32_t many = 1u << BTF_STRUCT | 1u << BTF_UNION | 1u << BTF_ENUM | 1u << BTF_ENUM64 |
			      1u << BTF_FUNC_PROTO;
	uint32_t kind = next(recipe, BTF_ENUM64 + 8), vlen, third;
	bool flag = next(recipe, 2);

	if (kind == BTF_VOID || kind == BTF_DATASEC || kind > BTF_ENUM64)
		kind = BTF_STRUCT;
	if (kind == BTF_INT || kind == BTF_FUNC || kind == BTF_VAR || kind == BTF_PTR)
		flag = false;
	vlen = many >> kind & 1 ? next(recipe, 6) : 0;
	put_name(w, recipe);
	put(w, (uint32_t)flag << 31 | kind << 24 | vlen);
	if (sized >> kind & 1)
		third = 1u << next(recipe, kind == BTF_INT ? 5 : 4);
	else if (kind == BTF_ARRAY || kind == BTF_FWD)
		third = 0;
	else
		third = next(recipe, kind == BTF_STRUCT || kind == BTF_UNION ? 256 : types);
	put(w, third);
	put_tail(w, recipe, (enum btf_kind)kind, third, vlen, flag, types);
}

static void make_btf(struct writer *w, struct recipe *recipe, bool big)
{
	uint32_t types = 1 + next(recipe, TYPES_MAX), i;

	memset(w, 0, 24);
	w->big = big;
	w->size = 24;
	for (i = 1; i < types; i++)
		put_type(w, recipe, types);
	bytes_put16(w->bytes, 0xeb9f, big);
	w->bytes[2] = 1;
	bytes_put32(w->bytes + 4, 24, big);
	bytes_put32(w->bytes + 12, w->size - 24, big);
	bytes_put32(w->bytes + 16, w->size - 24, big);
	bytes_put32(w->bytes + 20, sizeof(strings), big);
	require(w->size + sizeof(strings) <= sizeof(w->bytes));
	memcpy(w->bytes + w->size, strings, sizeof(strings));
	w->size += (uint32_t)sizeof(strings);
}

static struct kernel *open_kernel(const struct writer *w)
{
	static int fd = -1;
	struct bpfstamp_err err;
	struct kernel *k;
	char path[32];

	if (fd < 0)
		fd = memfd_create("btf", MFD_CLOEXEC);
	require(fd >= 0 && !ftruncate(fd, 0) && pwrite(fd, w->bytes, w->size, 0) == (ssize_t)w->size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return kernel_open(&k, path, &err) ? NULL : k;
}

static void make_access(char access[16], struct recipe *recipe)
{
	uint32_t steps = next(recipe, 5), i, len;

	if (steps < 4) {	/* as compilers make them */
		strcpy(access, "0");
		for (i = 0; i < steps; i++)
			snprintf(access + 1 + 2 * i, 3, ":%u", next(recipe, 4));
		return;
	}
	for (i = 0, len = next(recipe, 16); i < len; i++)
		access[i] = "0123450:::1234567"[next(recipe, 17)];
	access[len] = '\0';
}

/* What the compiler would have written for the record, where that can be told. */
static uint64_t expected(const struct bpfstamp_template *t, const struct btf_core_relo *relo)
{
	struct core_spec spec;
	struct core_value value;
	struct bpfstamp_err err;

	if (relo->kind >= CORE_KINDS || core_spec_parse(&spec, &t->btf, relo, &err) ||
	    core_value(&value, relo->kind, &spec, t->btf.big, &err))
		return 0;
	return value.number;
}

static void make_insn(struct bpfinsn insn[2], const struct bpfstamp_template *t, const struct btf_core_relo *relo,
		      struct recipe *recipe)
{
	static const uint8_t codes[] = {
		BPF_CODE_LDDW, 0xb7, 0x04, 0x61, 0x69, 0x71, 0x79, 0x89, 0x7b, 0x63, 0x62, 0xdb,
	};
	const uint64_t n = expected(t, relo) + !next(recipe, 16);
	const uint32_t code = next(recipe, sizeof(codes) + 1);

	memset(insn, 0, 2 * sizeof(*insn));
	insn->code = code < sizeof(codes) ? codes[code] : (uint8_t)next(recipe, 256);
	insn->imm = bpfinsn_class(insn->code) == BPF_CLASS_LDX || bpfinsn_class(insn->code) == BPF_CLASS_STX ?
		    0 : (int32_t)(uint32_t)n;
	insn->off = bpfinsn_class(insn->code) == BPF_CLASS_LD ? 0 : (int16_t)(uint16_t)n;
	insn[1].imm = insn->code == BPF_CODE_LDDW ? (int32_t)(uint32_t)(n >> 32) : 0;
}

static void check_record(const struct bpfstamp_template *t, struct kernel *k, struct recipe *recipe)
{
	struct btf_core_relo relo = { .kind = next(recipe, 14), .type = next(recipe, t->btf.type_count) };
	struct bpfinsn insn[2], before[2];
	struct bpfstamp_err err;
	char access[16], text[64];
	size_t len;

	make_access(access, recipe);
	relo.access = access;
	make_insn(insn, t, &relo, recipe);
	memcpy(before, insn, sizeof(insn));
	if (core_relocate(t, k, &relo, 3, insn, &err))
		require(strlen(err.text) > 10 && !memcmp(before, insn, sizeof(insn)));
	else if (bpfinsn_class(insn->code) <= BPF_CLASS_STX && !bpfinsn_check(before))
		require(!bpfinsn_check(insn));
	len = core_text(text, sizeof(text), t, &relo);
	require(strlen(text) == (len < sizeof(text) ? len : sizeof(text) - 1));
}

static void check_records(struct bpfstamp_template *t, const struct writer *w, struct kernel *k,
			  struct recipe *recipe)
{
	struct elf64_fault fault;
	uint32_t *index, count;

	if (btf_count(w->bytes, w->size, &count, &fault))
		return;
	index = malloc(2 * count * sizeof(*index));
	require(index != NULL);
	if (!btf_open(&t->btf, w->bytes, w->size, index, count, &fault))
		while (recipe->left)
			check_record(t, k, recipe);
	free(index);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bpfstamp_template t;
	static struct writer local, target;
	struct recipe recipe = { data, size };
	bool big = next(&recipe, 2);
	struct kernel *k;

	make_btf(&local, &recipe, big);
	if (next(&recipe, 2))
		recipe = (struct recipe){ data + (size > 0), size - (size > 0) };
	make_btf(&target, &recipe, big);
	k = open_kernel(&target);
	if (k)
		check_records(&t, &local, k, &recipe);
	kernel_close(k);
	return 0;
}
