// SPDX-License-Identifier: BSD-2-Clause
/*
 * Placeholders: constants without a name, which the user declares.
 *
 * Every instruction is looked at, but for those that have a name already (a
 * relocation, a stamp site).  bpfinsn/derive tells whether its immediate is the
 * constant, certainly something made of it, or doubtful.  Certain ones become
 * sites.  Doubtful ones, and bytes of the constant in data, stop the
 * declaration, because a value that reached only some of its uses is worse
 * than none; the error names the first and counts them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpfinsn/uses.h"
#include "loader/err.h"
#include "loader/template.h"

/*
 * What constant a text spells, and of how many bits: as few as hold it.  An
 * address or be32:… has the bits of its form, and leading zeros of a
 * hexadecimal number count: 0x0064 has 16.
 */
static int parse_constant(struct imm_constant *c, struct value_type *type, const char *text, bool big,
			  struct bpfstamp_err *err)
{
	uint8_t bytes[8];

	for (uint32_t size = 1; size <= sizeof(bytes); size *= 2) {
		if (!strncmp(text, "0x", 2) && size < sizeof(bytes) && strlen(text + 2) > 2 * size)
			continue;
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

static bool has_name(const struct bpfstamp_template *t, uint32_t code, uint32_t insn)
{
	if (object_reloc_at(t, code, insn) || object_core_at(t, code, insn) != NO_INDEX)
		return true;
	for (uint32_t i = 0; i < t->site_count; i++)
		if (t->sites[i].code == code && t->sites[i].insn == insn && t->sites[i].how.form != IMM_NONE &&
		    t->injectables[t->sites[i].injectable].kind != BPFSTAMP_PLACEHOLDER)
			return true;
	return false;
}

static int add_doubt(struct bpfstamp_template *t, const struct doubt *doubt, struct bpfstamp_err *err)
{
	struct doubt *more = realloc(t->doubts, (t->doubt_count + 1) * sizeof(*more));

	if (!more)
		return object_no_memory(err);
	t->doubts = more;
	t->doubts[t->doubt_count++] = *doubt;
	return 0;
}

/* Whether the constant that an instruction puts into a register is used by its sign. */
static bool is_used_by_sign(const struct bpfstamp_template *t, uint32_t code, uint32_t insn,
			    const struct bpfinsn *two, uint16_t *seen)
{
	bool moves = two->code == BPF_CODE_LDDW || (bpfinsn_op(two->code) == BPF_OP_MOV &&
		(bpfinsn_class(two->code) == BPF_CLASS_ALU || bpfinsn_class(two->code) == BPF_CLASS_ALU64));
	uint32_t func = moves ? object_func_at(t, code, insn) : NO_INDEX;
	const struct func *f = &t->funcs[func];

	if (func == NO_INDEX)
		return false;
	memset(seen, 0, f->insns * sizeof(*seen));
	return uses_sign(t->image + object_insn_at(t, code, f->start), f->insns, t->elf.big, insn - f->start, seen);
}

static int look_at(struct bpfstamp_template *t, const struct imm_constant *c, uint32_t code, uint32_t insn,
		   uint16_t *seen, struct bpfstamp_err *err)
{
	uint32_t at = object_insn_at(t, code, insn);
	struct site site = { .injectable = t->injectable_count, .code = code, .insn = insn };
	struct doubt doubt = { .injectable = t->injectable_count, .code = code, .insn = insn };
	struct bpfinsn two[2];

	if (!bpfinsn_starts(t->starts, at / BPFINSN_SIZE))
		return 0;
	object_decode(t, t->image, code, insn, two);
	if (!derive_find(two, c, &site.how) || has_name(t, code, insn))
		return 0;
	doubt.what = site.how.doubt;
	site.how.by_sign |= !doubt.what && is_used_by_sign(t, code, insn, two, seen);
	return doubt.what ? add_doubt(t, &doubt, err) : sites_add(t, &site, err);
}

/* A data section that no instruction refers to is of no account. */
static bool is_referred(const struct bpfstamp_template *t, uint32_t data)
{
	for (uint32_t i = 0; i < t->reloc_count; i++)
		if (t->relocs[i].kind == RELOC_DATA && t->relocs[i].target == data)
			return true;
	return false;
}

static int look_in_data(struct bpfstamp_template *t, const struct imm_constant *c, uint32_t data,
			struct bpfstamp_err *err)
{
	const struct data *d = &t->datas[data];
	struct doubt doubt = { .injectable = t->injectable_count, .code = NO_INDEX, .data = data,
			       .what = "its bytes in a data section" };
	size_t at = 0;

	if (d->nobits || !is_referred(t, data))
		return 0;
	while ((at = derive_in_data(t->image + d->image, d->size, at, c)) < d->size) {
		doubt.insn = (uint32_t)at++;
		if (add_doubt(t, &doubt, err))
			return -1;
	}
	return 0;
}

static int look(struct bpfstamp_template *t, const struct imm_constant *c, struct bpfstamp_err *err)
{
	uint16_t *seen = calloc(t->image_size / BPFINSN_SIZE + 1, sizeof(*seen));
	int ret = seen ? 0 : object_no_memory(err);

	for (uint32_t code = 0; code < t->code_count; code++)
		for (uint32_t i = 0; !ret && i < t->codes[code].insns; i++)
			ret = look_at(t, c, code, i, seen, err);
	for (uint32_t i = 0; !ret && i < t->data_count; i++)
		ret = look_in_data(t, c, i, err);
	free(seen);
	return ret;
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

/* Name the first doubt, and say how many more there are. */
static int refuse_doubt(const struct bpfstamp_template *t, const char *old, uint32_t first, struct bpfstamp_err *err)
{
	uint32_t more = t->doubt_count - first - 1;
	const struct doubt *doubt = &t->doubts[first];

	err_set(err, EINVAL, "%s: cannot replace %s: ", t->name, old);
	if (doubt->code != NO_INDEX)
		object_hint_place(t, doubt->code, doubt->insn, err);
	else
		err_hint(err, "section %s at byte 0x%x", t->datas[doubt->data].name, doubt->insn);
	err_hint(err, " may hold %s", doubt->what);
	if (more)
		err_hint(err, ", and %u more place%s", more, more == 1 ? "" : "s");
	return err_hint(err, "; use STAMP() or a global, or leave these as they are with --allow-derived");
}

static bool is_declared(const struct bpfstamp_template *t, const struct injectable *inj)
{
	for (uint32_t i = 0; i < t->injectable_count; i++)
		if (t->injectables[i].kind == BPFSTAMP_PLACEHOLDER && t->injectables[i].type.size == inj->type.size &&
		    !memcmp(t->injectables[i].value, inj->value, sizeof(inj->value)))
			return true;
	return false;
}

int bpfstamp_declare(struct bpfstamp_template *t, const char *old, long expect, bool allow_derived,
		     struct bpfstamp_err *err)
{
	struct injectable inj = { .section = "", .kind = BPFSTAMP_PLACEHOLDER, .data = NO_INDEX, .has_value = true,
				  .site_first = t->site_count };
	uint32_t doubts = t->doubt_count;
	struct imm_constant c;

	if (parse_constant(&c, &inj.type, old, t->elf.big, err))
		return -1;
	value_store(inj.value, inj.type.size, t->elf.big, c.value);
	if (is_declared(t, &inj))
		return err_set(err, EEXIST, "%s: placeholder %s is given twice", t->name, old);
	if (look(t, &c, err))
		goto fail;
	inj.site_count = t->site_count - inj.site_first;
	if (t->doubt_count > doubts && !allow_derived) {
		refuse_doubt(t, old, doubts, err);
		goto fail;
	}
	if (!inj.site_count) {
		err_set(err, ENOENT, "%s: no instruction has the constant %s: it may be folded into another; "
			"declare the value with STAMP() or as a global", t->name, old);
		goto fail;
	}
	if (expect >= 0 && (uint64_t)expect != inj.site_count) {
		err_set(err, EINVAL, "%s: constant %s has %u sites, but %ld are expected", t->name, old,
			inj.site_count, expect);
		goto fail;
	}
	if (!add_placeholder(t, &inj, old, err))
		return 0;
fail:
	t->site_count = inj.site_first;
	t->doubt_count = doubts;
	return -1;
}
