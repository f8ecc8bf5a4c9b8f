// SPDX-License-Identifier: BSD-2-Clause
/*
 * Externs: which there are, and where those of .kconfig stand in their map.
 *
 * An undefined symbol is an extern where a VAR or FUNC in the DATASEC .kconfig
 * or .ksyms has its name; else it is a symbolic constant (injectables.c).
 * What the BTF declares there without a symbol is used by no instruction, and
 * is none.
 *
 * Variables of .kconfig lie in a map of one element.  Their offsets become part
 * of the program, so they have the order that libbpf gives them: those with the
 * largest alignment first, then the smaller ones, then by name; each at the
 * next multiple of its alignment.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/kconfig.h"
#include "loader/template.h"

#define KCONFIG_SIZE_MAX (1u << 20)	/* of all variables; an array in BTF is not bounded by the file's size */

static int extern_error(const struct bpfstamp_template *t, const char *name, int code, const char *why,
			struct bpfstamp_err *err)
{
	return err_set(err, code, "%s: extern %s: %s", t->name, name, why);
}

/* -------------------------------------------------------------- declared */

struct declaration {
	const char *name;
	uint32_t btf;
	bool kconfig;
};

static int by_declared_name(const void *a, const void *b)
{
	const struct declaration *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static uint32_t take_declarations(const struct bpfstamp_template *t, uint32_t datasec, bool kconfig,
				  struct declaration *to)
{
	struct btf_type sec, type;
	struct btf_secvar secvar;

	btf_type(&t->btf, datasec, &sec);
	for (uint32_t i = 0; i < sec.vlen; i++) {
		btf_secvar(&t->btf, datasec, i, &secvar);
		btf_type(&t->btf, secvar.type, &type);
		to[i] = (struct declaration){ .name = type.name, .btf = secvar.type, .kconfig = kconfig };
	}
	return sec.vlen;
}

/* What both sections declare, by name; malloc'd, or NULL with *err. */
static struct declaration *read_declarations(const struct bpfstamp_template *t, uint32_t *count,
					     struct bpfstamp_err *err)
{
	uint32_t kconfig = t->btf.type_count ? btf_find(&t->btf, BTF_DATASEC, ".kconfig") : 0;
	uint32_t ksyms = t->btf.type_count ? btf_find(&t->btf, BTF_DATASEC, ".ksyms") : 0;
	struct btf_type a, b;
	struct declaration *all;

	btf_type(&t->btf, kconfig, &a);
	btf_type(&t->btf, ksyms, &b);
	all = malloc(((size_t)a.vlen + b.vlen + 1) * sizeof(*all));
	if (!all) {
		object_no_memory(err);
		return NULL;
	}
	*count = take_declarations(t, kconfig, true, all);
	*count += take_declarations(t, ksyms, false, all + *count);
	qsort(all, *count, sizeof(*all), by_declared_name);
	for (uint32_t i = 1; i < *count; i++) {
		if (!strcmp(all[i].name, all[i - 1].name)) {
			extern_error(t, all[i].name, EINVAL, "it is declared twice", err);
			free(all);
			return NULL;
		}
	}
	return all;
}

/* --------------------------------------------------------------- collect */

static int describe_kconfig(const struct bpfstamp_template *t, struct external *ext, const struct btf_type *type,
			    struct bpfstamp_err *err)
{
	struct kconfig_type value;

	if (type->kind != BTF_VAR)
		return extern_error(t, ext->name, EINVAL, "it is in .kconfig, and not a variable", err);
	if (!kconfig_type(&t->btf, type->type, &value))
		return extern_error(t, ext->name, EINVAL, "no variable of .kconfig can have its type: bool, char, "
				    "enum libbpf_tristate, integers of 1 to 8 bytes and arrays of char can", err);
	ext->kind = EXTERN_KCONFIG;
	ext->size = value.size;
	ext->align = value.align;
	ext->is_signed = value.is_signed;
	return 0;
}

static int describe(const struct bpfstamp_template *t, struct external *ext, const struct declaration *d,
		    const struct elf64_symbol *sym, struct bpfstamp_err *err)
{
	struct btf_type type;

	btf_type(&t->btf, d->btf, &type);
	ext->name = sym->name;
	ext->btf = d->btf;
	ext->weak = sym->bind == ELF64_STB_WEAK;
	if (d->kconfig)
		return describe_kconfig(t, ext, &type, err);
	if (type.kind == BTF_FUNC)
		ext->kind = EXTERN_FUNCTION;
	else
		ext->kind = btf_resolve(&t->btf, type.type) ? EXTERN_VARIABLE : EXTERN_ADDRESS;
	return 0;
}

static int by_layout(const void *a, const void *b)
{
	const struct external *x = a, *y = b;
	bool kconfig = x->kind == EXTERN_KCONFIG;

	if (kconfig != (y->kind == EXTERN_KCONFIG))
		return kconfig ? -1 : 1;
	if (kconfig && x->align != y->align)
		return x->align > y->align ? -1 : 1;
	if (kconfig && x->size != y->size)
		return x->size < y->size ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* Put the variables of .kconfig one behind the other, and make the map for them. */
static int place_kconfig(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	struct map *maps;
	uint64_t end = 0;

	for (uint32_t i = 0; i < t->extern_count && t->externs[i].kind == EXTERN_KCONFIG; i++) {
		struct external *ext = &t->externs[i];

		end = (end + ext->align - 1) & ~((uint64_t)ext->align - 1);
		ext->offset = (uint32_t)end;
		end += ext->size;
		if (end > KCONFIG_SIZE_MAX)
			return extern_error(t, ext->name, EINVAL, "with it, the variables of .kconfig are larger "
					    "than 1 MiB", err);
	}
	if (!end)
		return 0;
	maps = realloc(t->maps, ((size_t)t->map_count + 1) * sizeof(*maps));
	if (!maps)
		return object_no_memory(err);
	t->maps = maps;
	t->kconfig = t->map_count++;
	t->maps[t->kconfig] = (struct map){
		.name = ".kconfig", .section = ".kconfig", .data = NO_INDEX, .kconfig = true, .inner = NO_INDEX,
		.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = (uint32_t)end, .max_entries = 1,
		.flags = BPF_F_RDONLY_PROG, .btf_value = btf_find(&t->btf, BTF_DATASEC, ".kconfig"),
	};
	return 0;
}

static int collect_symbols(struct bpfstamp_template *t, const struct declaration *declared, uint32_t count,
			   struct bpfstamp_err *err)
{
	for (uint32_t i = 1; count && i < t->elf.symbol_count; i++) {
		struct declaration *d, wanted;
		struct elf64_symbol sym;

		elf64_symbol(&t->elf, i, &sym);
		wanted.name = sym.name;
		if (sym.section != ELF64_SHN_UNDEF || sym.type != ELF64_STT_NOTYPE || sym.bind == ELF64_STB_LOCAL ||
		    !*sym.name || !(d = bsearch(&wanted, declared, count, sizeof(wanted), by_declared_name)))
			continue;
		t->externs[t->extern_count].symbol = i;
		if (describe(t, &t->externs[t->extern_count++], d, &sym, err))
			return -1;
	}
	if (!t->extern_count)
		return 0;
	qsort(t->externs, t->extern_count, sizeof(*t->externs), by_layout);
	for (uint32_t i = 1; i < t->extern_count; i++)
		if (!strcmp(t->externs[i].name, t->externs[i - 1].name))
			return extern_error(t, t->externs[i].name, EINVAL, "two symbols have this name", err);
	return place_kconfig(t, err);
}

int externs_collect(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	uint32_t count = 0;
	struct declaration *declared = read_declarations(t, &count, err);
	int ret;

	if (!declared)
		return -1;
	t->externs = calloc((count ? t->elf.symbol_count : 0) + (size_t)1, sizeof(*t->externs));
	ret = t->externs ? collect_symbols(t, declared, count, err) : object_no_memory(err);
	free(declared);
	return ret;
}
