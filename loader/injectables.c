// SPDX-License-Identifier: BSD-2-Clause
/*
 * What can be stamped, but for placeholders, which the user names:
 *
 * - globals: variables of data sections, from the symbol table, with their
 *   type from BTF where a DATASEC of that section has the variable;
 * - stamp sites: records of the section .bpfstamp, whose format is in
 *   include/bpfstamp.bpf.h;
 * - symbolic constants: undefined symbols, but those that the BTF declares as
 *   externs for a loader to find (.ksyms, .kconfig).
 *
 * A record is itself the site of a stamp; the sites of the other kinds come
 * from relocations (relocs.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/records.h"
#include "loader/template.h"

struct variable {	/* of a DATASEC */
	const char *name;
	uint32_t type, offset;
};

struct variables {	/* of the DATASEC of a data section, by name */
	struct variable *var;
	uint32_t count;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct variable *)a)->name, ((const struct variable *)b)->name);
}

static int find_variables(struct variables *out, const struct bpfstamp_template *t, const char *section,
			  struct bpfstamp_err *err)
{
	uint32_t datasec = btf_find(&t->btf, BTF_DATASEC, section);
	struct btf_type sec, var;

	btf_type(&t->btf, datasec, &sec);
	out->var = calloc(sec.vlen + 1, sizeof(*out->var));
	if (!out->var)
		return object_no_memory(err);
	for (uint32_t i = 0; i < sec.vlen; i++) {
		struct btf_secvar secvar;

		btf_secvar(&t->btf, datasec, i, &secvar);
		btf_type(&t->btf, secvar.type, &var);
		if (var.kind == BTF_VAR)
			out->var[out->count++] = (struct variable){ .name = var.name, .type = var.type,
								    .offset = secvar.offset };
	}
	qsort(out->var, out->count, sizeof(*out->var), by_name);
	return 0;
}

/* Of several variables of one name the one at the place of the symbol, or any. */
static uint32_t find_type(const struct variables *vars, const struct elf64_symbol *sym)
{
	const struct variable key = { .name = sym->name };
	const struct variable *v = bsearch(&key, vars->var, vars->count, sizeof(*v), by_name), *end;
	uint32_t type = 0;

	if (!v)
		return 0;
	while (v > vars->var && !by_name(v - 1, &key))
		v--;
	for (end = vars->var + vars->count; v < end && !by_name(v, &key); v++) {
		type = v->type;
		if (v->offset == sym->value)
			break;
	}
	return type;
}

/* The type of a variable: its VAR in the DATASEC of the section, if sizes agree. */
static struct value_type global_type(const struct bpfstamp_template *t, const struct elf64_symbol *sym,
				     const struct variables *vars)
{
	uint32_t size = (uint32_t)sym->size, btf_bytes, type = vars->count ? find_type(vars, sym) : 0;

	if (!type || !btf_size(&t->btf, type, 8, &btf_bytes) || btf_bytes != size)
		return value_untyped(size);
	return value_from_btf(&t->btf, type, size);
}

static int by_image(const void *a, const void *b)
{
	const struct injectable *x = a, *y = b;

	if (x->image != y->image)
		return x->image < y->image ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void collect_globals(struct bpfstamp_template *t, const struct variables *vars)
{
	for (uint32_t i = 1; i < t->elf.symbol_count; i++) {
		struct elf64_symbol sym;
		uint32_t data;

		elf64_symbol(&t->elf, i, &sym);
		if (sym.section >= t->elf.section_count || t->data_of[sym.section] == NO_INDEX)
			continue;
		data = t->data_of[sym.section];
		if ((sym.type != ELF64_STT_OBJECT && sym.type != ELF64_STT_NOTYPE) || !*sym.name || !sym.size ||
		    !strncmp(sym.name, ".L", 2) || sym.size > t->datas[data].size - sym.value)
			continue;
		t->injectables[t->injectable_count++] = (struct injectable){
			.name = sym.name, .section = t->datas[data].name, .kind = BPFSTAMP_GLOBAL,
			.type = global_type(t, &sym, &vars[data]),
			.image = t->datas[data].image + (uint32_t)sym.value,
			.data = data, .symbol = i, .has_value = true,
		};
	}
	t->global_count = t->injectable_count;
	qsort(t->injectables, t->global_count, sizeof(*t->injectables), by_image);
	for (uint32_t i = 0, reach = 0; i < t->global_count; i++) {
		struct injectable *inj = &t->injectables[i];
		uint32_t end = inj->image - t->datas[inj->data].image + inj->type.size;

		reach = i && t->injectables[i - 1].data == inj->data && reach > end ? reach : end;
		inj->reach = reach;
	}
}

static void collect_stamps(struct bpfstamp_template *t, const struct records *records)
{
	for (uint32_t i = 0; i < records->count; i++) {
		const struct record *r = &records->record[i];
		struct injectable *inj = &t->injectables[t->injectable_count];
		bool again = i && !strcmp(records->record[i - 1].name, r->name);

		t->sites[t->site_count++] = (struct site){ .injectable = t->injectable_count - again, .code = r->code,
							   .insn = r->insn, .how.form = IMM_LDDW };
		if (again)
			continue;
		*inj = (struct injectable){
			.name = r->name, .section = RECORDS_SECTION, .kind = BPFSTAMP_STAMP, .data = NO_INDEX,
			.has_value = true,
			.type = { .form = VALUE_INT, .size = r->size, .bits = r->bits,
				  .is_signed = r->is_signed },
		};
		value_store(inj->value, r->size, t->elf.big, r->value);
		t->injectable_count++;
	}
}

/* A byte for each symbol: 1 for an extern, which is found in the kernel (externs.c) or pinned (maps_btf.c). */
static uint8_t *mark_externs(const struct bpfstamp_template *t)
{
	uint8_t *marks = calloc((size_t)t->elf.symbol_count + 1, 1);

	for (uint32_t i = 0; marks && i < t->extern_count; i++)
		marks[t->externs[i].symbol] = 1;
	for (uint32_t i = 0; marks && i < t->map_count; i++)
		marks[t->maps[i].symbol] |= t->maps[i].external;
	return marks;
}

static void collect_symbols(struct bpfstamp_template *t, const uint8_t *is_extern)
{
	for (uint32_t i = 1; i < t->elf.symbol_count; i++) {
		struct elf64_symbol sym;

		elf64_symbol(&t->elf, i, &sym);
		if (sym.section != ELF64_SHN_UNDEF || sym.type != ELF64_STT_NOTYPE || !*sym.name ||
		    sym.bind == ELF64_STB_LOCAL || is_extern[i])
			continue;
		t->injectables[t->injectable_count++] = (struct injectable){
			.name = sym.name, .section = "*UND*", .kind = BPFSTAMP_SYMBOL, .data = NO_INDEX, .symbol = i,
			.has_value = sym.bind == ELF64_STB_WEAK,
			.type = { .form = VALUE_REGISTER, .size = 8, .bits = 64, .any_sign = true },
		};
	}
}

int injectables_collect(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	struct variables *vars = calloc(t->data_count + 1, sizeof(*vars));
	uint8_t *is_extern = mark_externs(t);
	struct records records = { 0 };
	int ret = -1;

	if (!vars || !is_extern) {
		object_no_memory(err);
		goto out;
	}
	if (records_read(&records, t, err))
		goto out;
	t->injectables = calloc((size_t)t->elf.symbol_count + records.count + 1, sizeof(*t->injectables));
	t->site_room = records.count + 1;
	t->sites = calloc(t->site_room, sizeof(*t->sites));
	if (!t->injectables || !t->sites) {
		object_no_memory(err);
		goto out;
	}
	for (uint32_t i = 0; t->btf.type_count && i < t->data_count; i++)
		if (find_variables(&vars[i], t, t->datas[i].name, err))
			goto out;
	collect_globals(t, vars);
	collect_stamps(t, &records);
	collect_symbols(t, is_extern);
	ret = 0;
out:
	records_free(&records);
	free(is_extern);
	for (uint32_t i = 0; vars && i < t->data_count; i++)
		free(vars[i].var);
	free(vars);
	return ret;
}
