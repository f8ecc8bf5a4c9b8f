// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sites: the instructions that hold the value of an injectable, or refer to
 * the variable that does.
 *
 * All sites stand in one array, ordered by injectable and then by place, so
 * that stamping a value walks a short run of it.  A relocation gives its lddw
 * to every variable that contains its address; an address between variables
 * (padding, a string without a symbol) has none.
 *
 * A placeholder is declared by the user.  Its sites are found by what
 * instructions mean (bpfinsn/imm.h); an instruction that has a relocation, or
 * is a stamp site, has a name already and is not looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/template.h"

static int by_injectable(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	if (x->injectable != y->injectable)
		return x->injectable < y->injectable ? -1 : 1;
	if (x->code != y->code)
		return x->code < y->code ? -1 : 1;
	return x->insn < y->insn ? -1 : x->insn > y->insn;
}

/* The first of the globals, which ascend by image, that begins behind an offset. */
static uint32_t global_behind(const struct bpfstamp_template *t, uint32_t image)
{
	uint32_t low = 0, high = t->global_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (t->injectables[mid].image <= image)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int sites_add(struct bpfstamp_template *t, const struct site *site, struct bpfstamp_err *err)
{
	if (t->site_count >= t->site_room) {
		size_t room = 2 * (size_t)t->site_count + 16;
		struct site *sites = realloc(t->sites, room * sizeof(*sites));

		if (!sites)
			return object_no_memory(err);
		t->sites = sites;
		t->site_room = (uint32_t)room;
	}
	t->sites[t->site_count++] = *site;
	return 0;
}

/* Aliases share a start; the walk back ends at the first variable that lies wholly in front. */
static int add_global_sites(struct bpfstamp_template *t, const struct reloc *r, struct bpfstamp_err *err)
{
	uint32_t image = t->datas[r->target].image + r->addend;

	for (uint32_t i = global_behind(t, image); i-- > 0;) {
		struct site site = { .injectable = i, .code = r->code, .insn = r->insn };

		if (image - t->injectables[i].image >= t->injectables[i].type.size)
			break;
		if (sites_add(t, &site, err))
			return -1;
	}
	return 0;
}

void sites_index(struct bpfstamp_template *t)
{
	qsort(t->sites, t->site_count, sizeof(*t->sites), by_injectable);
	for (uint32_t i = 0; i < t->injectable_count; i++)
		t->injectables[i].site_count = 0;
	for (uint32_t i = 0; i < t->site_count; i++) {
		struct injectable *inj = &t->injectables[t->sites[i].injectable];

		if (!inj->site_count++)
			inj->site_first = i;
	}
}

int sites_collect(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < t->reloc_count; i++) {
		const struct reloc *r = &t->relocs[i];
		struct site value = { .injectable = r->target, .code = r->code, .insn = r->insn, .form = IMM_LDDW };

		if (r->kind == RELOC_DATA && add_global_sites(t, r, err))
			return -1;
		if (r->kind == RELOC_SYMBOL && sites_add(t, &value, err))
			return -1;
	}
	sites_index(t);
	return 0;
}

/* ---------------------------------------------------------- placeholders */

/*
 * What constant a text spells, and of how many bits: as few as hold it.  An
 * address or be32:… has the bits of its form.
 */
static int parse_constant(struct imm_constant *c, struct value_type *type, const char *text, bool big,
			  struct bpfstamp_err *err)
{
	uint8_t bytes[8];

	for (uint32_t size = 1; size <= sizeof(bytes); size *= 2) {
		*type = value_untyped(size);
		if (value_parse(type, NULL, big, text, bytes, err)) {
			if (size < sizeof(bytes))
				continue;
			return err_wrap(err, "placeholder %s", text);
		}
		type->any_sign = false;
		type->is_signed = *text == '-';
		c->bits = type->bits;
		c->is_signed = type->is_signed;
		c->value = value_load(bytes, size, c->is_signed, big);
		return 0;
	}
	return -1;
}

static bool is_stamp_site(const struct bpfstamp_template *t, uint32_t code, uint32_t insn)
{
	for (uint32_t i = 0; i < t->site_count; i++)
		if (t->sites[i].code == code && t->sites[i].insn == insn && t->sites[i].form != IMM_NONE)
			return true;
	return false;
}

static enum imm_form match_at(const struct bpfstamp_template *t, uint32_t code, uint32_t insn,
			      const struct imm_constant *c)
{
	uint32_t at = object_insn_at(t, code, insn);
	struct bpfinsn two[2] = { 0 };
	enum imm_form form;

	if (!bpfinsn_starts(t->starts, at / BPFINSN_SIZE))
		return IMM_NONE;
	bpfinsn_decode(t->image + at, t->elf.big, &two[0]);
	if (two[0].code == BPF_CODE_LDDW)
		bpfinsn_decode(t->image + at + BPFINSN_SIZE, t->elf.big, &two[1]);
	form = imm_match(two, c);
	if (form == IMM_NONE || object_reloc_at(t, code, insn) || is_stamp_site(t, code, insn))
		return IMM_NONE;
	return form;
}

static int add_placeholder_sites(struct bpfstamp_template *t, const struct imm_constant *c, struct bpfstamp_err *err)
{
	for (uint32_t code = 0; code < t->code_count; code++) {
		for (uint32_t i = 0; i < t->codes[code].insns; i++) {
			struct site site = { .injectable = t->injectable_count, .code = code, .insn = i,
					     .form = match_at(t, code, i, c) };

			if (site.form && sites_add(t, &site, err))
				return -1;
		}
	}
	return 0;
}

static int add_placeholder(struct bpfstamp_template *t, struct injectable *inj, const char *old,
			   struct bpfstamp_err *err)
{
	struct injectable *injs = realloc(t->injectables, (t->injectable_count + 1) * sizeof(*injs));
	char **names = realloc(t->placeholders, (t->placeholder_count + 1) * sizeof(*names));

	if (injs)
		t->injectables = injs;
	if (names)
		t->placeholders = names;
	inj->name = injs && names ? strdup(old) : NULL;
	if (!inj->name)
		return object_no_memory(err);
	t->placeholders[t->placeholder_count++] = (char *)inj->name;
	t->injectables[t->injectable_count++] = *inj;
	return 0;
}

int bpfstamp_declare(struct bpfstamp_template *t, const char *old, long expect, struct bpfstamp_err *err)
{
	struct injectable inj = { .section = "", .kind = BPFSTAMP_PLACEHOLDER, .data = NO_INDEX, .has_value = true,
				  .site_first = t->site_count };
	struct imm_constant c;

	if (parse_constant(&c, &inj.type, old, t->elf.big, err))
		return -1;
	value_store(inj.value, inj.type.size, t->elf.big, c.value);
	for (uint32_t i = 0; i < t->injectable_count; i++)
		if (t->injectables[i].kind == BPFSTAMP_PLACEHOLDER && t->injectables[i].type.size == inj.type.size &&
		    !memcmp(t->injectables[i].value, inj.value, sizeof(inj.value)))
			return err_set(err, EEXIST, "%s: placeholder %s is given twice", t->name, old);
	if (add_placeholder_sites(t, &c, err))
		goto fail;
	inj.site_count = t->site_count - inj.site_first;
	if (!inj.site_count) {
		err_set(err, ENOENT, "%s: no instruction has the constant %s: it may be folded into another; "
			"declare the value with STAMP() or as a global", t->name, old);
		goto fail;
	}
	if (expect >= 0 && (uint64_t)expect != inj.site_count) {
		err_set(err, EINVAL, "%s: constant %s has %u sites, but %ld are expected", t->name, old, inj.site_count,
			expect);
		goto fail;
	}
	if (!add_placeholder(t, &inj, old, err))
		return 0;
fail:
	t->site_count = inj.site_first;
	return -1;
}
