// SPDX-License-Identifier: BSD-2-Clause
/*
 * Types, declarations and undefined symbols, in the order in which the tests
 * list them, so that every id is known beforehand.
 */
#define _GNU_SOURCE	/* memfd_create */
#include "tests/externobj.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "include/bytes.h"

char externobj_path[64];
static int memory = -1;

void externobj_setup(void)
{
	memory = memfd_create("externobj", MFD_CLOEXEC);
	ck_assert_int_ge(memory, 0);
	snprintf(externobj_path, sizeof(externobj_path), "/proc/self/fd/%d", memory);
}

void externobj_teardown(void)
{
	close(memory);
}

void externobj_write(const void *bytes, size_t size)
{
	FILE *f = fopen(externobj_path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, size, f), size);
	ck_assert_int_eq(fclose(f), 0);
}

static uint32_t add_int(struct btfgen *gen, const char *name, uint32_t size, uint32_t encoding)
{
	uint32_t id = btfgen_type(gen, name, BTF_INT, 0, size);

	btfgen_word(gen, encoding << 24 | size * 8);
	return id;
}

static uint32_t add_enum(struct btfgen *gen, const char *name, enum btf_kind kind, uint32_t size)
{
	return btfgen_type(gen, name, kind, 0, size);
}

static uint32_t add_array(struct btfgen *gen, uint32_t element, uint32_t count)
{
	uint32_t id = btfgen_type(gen, "", BTF_ARRAY, 0, 0);

	btfgen_words(gen, element, INT, count);
	return id;
}

static uint32_t add_proto(struct btfgen *gen, uint32_t result, uint32_t params, uint32_t type)
{
	uint32_t id = btfgen_type(gen, "", BTF_FUNC_PROTO, params, result);

	for (uint32_t i = 0; i < params; i++) {
		btfgen_word(gen, btfgen_string(gen, "p"));
		btfgen_word(gen, type);
	}
	return id;
}

void externobj_types(struct btfgen *gen)
{
	add_int(gen, "_Bool", 1, BTF_INT_BOOL);
	add_int(gen, "bool4", 4, BTF_INT_BOOL);
	add_int(gen, "char", 1, BTF_INT_SIGNED);
	add_int(gen, "unsigned char", 1, 0);
	add_int(gen, "short", 2, BTF_INT_SIGNED);
	add_int(gen, "int", 4, BTF_INT_SIGNED);
	add_int(gen, "unsigned int", 4, 0);
	add_int(gen, "long", 8, BTF_INT_SIGNED);
	add_int(gen, "unsigned long", 8, 0);
	add_int(gen, "__int128", 16, BTF_INT_SIGNED);
	add_enum(gen, "libbpf_tristate", BTF_ENUM, 4);
	add_enum(gen, "libbpf_tristate", BTF_ENUM64, 8);
	add_enum(gen, "other", BTF_ENUM, 4);
	add_enum(gen, "libbpf_tristate", BTF_ENUM, 1);
	add_array(gen, CHAR, 5);
	add_array(gen, BOOL, 5);
	add_array(gen, CHAR, 0);
	add_array(gen, TEXT5, 2);
	add_array(gen, CHAR, 1u << 20);
	btfgen_type(gen, "", BTF_PTR, 0, INT);
	btfgen_type(gen, "s", BTF_STRUCT, 0, 4);
	btfgen_type(gen, "float", BTF_FLOAT, 0, 4);
	btfgen_type(gen, "word", BTF_TYPEDEF, 0, UINT);
	btfgen_type(gen, "", BTF_CONST, 0, VOID);
	btfgen_type(gen, "", BTF_CONST, 0, INT);
	add_proto(gen, INT, 1, INT);
	add_proto(gen, INT, 1, LONG);
	ck_assert_uint_eq(add_proto(gen, INT, 2, INT), TYPES - 1);
}

void externobj_decls(struct btfgen *gen, const struct decl *decls, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (decls[i].func) {
			btfgen_type(gen, decls[i].name, BTF_FUNC, 2, decls[i].type);
			continue;
		}
		btfgen_type(gen, decls[i].name, BTF_VAR, 0, decls[i].type);
		btfgen_word(gen, 2);
	}
	for (int ksym = 0; ksym < 2; ksym++) {
		uint32_t n = 0;

		for (uint32_t i = 0; i < count; i++)
			n += decls[i].ksym == ksym;
		if (n)
			btfgen_type(gen, ksym ? ".ksyms" : ".kconfig", BTF_DATASEC, n, 0);
		for (uint32_t i = 0; i < count; i++)
			if (decls[i].ksym == ksym)
				btfgen_words(gen, TYPES + i, 0, 4);
	}
}

struct bpfobj externobj(bool big, const struct decl *decls, uint32_t count)
{
	static const struct bpfinsn code[] = { MOV64(0, 0), EXIT };
	struct btfgen *gen = btfgen_new(big);
	struct bpfobj o = bpfobj_new(big);
	uint32_t tc = bpfobj_code(&o, "tc", code, 2);

	externobj_types(gen);
	externobj_decls(gen, decls, count);
	bpfobj_func(&o, "prog", tc, 0, 2);
	bpfobj_undefined(&o, "constant", ELF64_STB_GLOBAL);
	for (uint32_t i = 0; i < count; i++)
		bpfobj_undefined(&o, decls[i].name, decls[i].weak ? ELF64_STB_WEAK : ELF64_STB_GLOBAL);
	bpfobj_btf(&o, gen, false);
	return o;
}

const struct external *externobj_find(const struct bpfobj *o, const char *name)
{
	for (uint32_t i = 0; i < o->t->extern_count; i++)
		if (!strcmp(o->t->externs[i].name, name))
			return &o->t->externs[i];
	ck_abort_msg("no extern %s", name);
}

bool externobj_compile(struct bpfobj *o, const char *name)
{
	char source[64];

	snprintf(source, sizeof(source), "#include \"%s.bpf.c\"\n", name);
	return bpfobj_compile(o, BYTES_HOST_BIG ? "bpfeb" : "bpfel", BPFOBJ_FLAGS, source);
}
