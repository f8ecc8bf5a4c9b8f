// SPDX-License-Identifier: BSD-2-Clause
/*
 * BTF for BPF_BTF_LOAD.  In an object, a DATASEC has size 0 and its variables
 * have offset 0 where they are global: the ELF symbol table knows better.  The
 * kernel wants both true, and the variables ascending (kernel/bpf/btf.c,
 * btf_datasec_check_meta).
 *
 * A function that is global in its BTF is verified for all callers by itself,
 * with its arguments unknown; one of hidden visibility is not meant to be
 * called from elsewhere, so it is made static, as libbpf does.
 *
 * Types are only changed in place: ids and sizes stay as they are.
 */
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/kbtf.h"
#include "loader/sys.h"

enum { TYPE_INFO = 4, TYPE_SIZE = 8, SECVAR_SIZE = 12, STV_HIDDEN = 2 };

/* The symbol of that name in a section, or in any for section 0. */
static bool find_symbol(const struct bpfstamp_template *t, const char *name, uint32_t section,
			struct elf64_symbol *sym)
{
	for (uint32_t i = 1; i < t->elf.symbol_count; i++) {
		elf64_symbol(&t->elf, i, sym);
		if ((!section || sym->section == section) && !strcmp(sym->name, name))
			return true;
	}
	return false;
}

struct secvar {
	uint32_t type, offset, size;
};

static int by_offset(const void *a, const void *b)
{
	const struct secvar *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static int fill_datasec(uint8_t *copy, const struct bpfstamp_template *t, uint32_t id, const struct btf_type *type,
			struct bpfstamp_err *err)
{
	uint32_t section = elf64_find(&t->elf, type->name);
	struct secvar *vars = calloc(type->vlen + 1, sizeof(*vars));
	struct elf64_section s;
	struct elf64_symbol sym;

	if (!vars)
		return object_no_memory(err);
	for (uint32_t i = 0; i < type->vlen; i++) {
		struct btf_secvar var;
		struct btf_type var_type;

		btf_secvar(&t->btf, id, i, &var);
		btf_type(&t->btf, var.type, &var_type);
		vars[i] = (struct secvar){ .type = var.type, .offset = var.offset, .size = var.size };
		if (section && find_symbol(t, var_type.name, section, &sym))
			vars[i].offset = (uint32_t)sym.value;
	}
	qsort(vars, type->vlen, sizeof(*vars), by_offset);
	for (uint32_t i = 0; i < type->vlen; i++) {
		uint8_t *raw = copy + btf_secvar_at(&t->btf, id, i);

		bytes_put32(raw, vars[i].type, t->btf.big);
		bytes_put32(raw + 4, vars[i].offset, t->btf.big);
		bytes_put32(raw + 8, vars[i].size, t->btf.big);
	}
	free(vars);
	if (section) {
		elf64_section(&t->elf, section, &s);
		bytes_put32(copy + btf_type_at(&t->btf, id) + TYPE_SIZE, (uint32_t)s.size, t->btf.big);
	}
	return 0;
}

static void hide_function(uint8_t *copy, const struct bpfstamp_template *t, uint32_t id, const struct btf_type *type)
{
	uint8_t *info = copy + btf_type_at(&t->btf, id) + TYPE_INFO;
	struct elf64_symbol sym;

	if (type->linkage == 1 && find_symbol(t, type->name, 0, &sym) && (sym.other & 3) == STV_HIDDEN)
		bytes_put32(info, bytes_get32(info, t->btf.big) & 0xffff0000u, t->btf.big);
}

int kbtf_make(uint8_t **out, uint32_t *size, const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	uint8_t *copy = malloc(t->btf.size);

	if (!copy)
		return object_no_memory(err);
	memcpy(copy, t->btf.data, t->btf.size);
	for (uint32_t id = 1; id < t->btf.type_count; id++) {
		struct btf_type type;

		btf_type(&t->btf, id, &type);
		if (type.kind == BTF_FUNC)
			hide_function(copy, t, id, &type);
		if (type.kind == BTF_DATASEC && fill_datasec(copy, t, id, &type, err)) {
			free(copy);
			return -1;
		}
	}
	*out = copy;
	*size = t->btf.size;
	return 0;
}

int kbtf_load(const struct bpfstamp_template *t, const struct bpfstamp_load *load)
{
	struct bpfstamp_err ignored;
	uint32_t size;
	uint8_t *btf;
	int fd;

	if (!t->btf.type_count || kbtf_make(&btf, &size, t, &ignored))
		return -1;
	fd = sys_btf_load(btf, size, NULL, 0);
	if (fd < 0)
		load_note(load, "the kernel refuses the BTF of the object: source lines and types will be missing");
	free(btf);
	return fd;
}
