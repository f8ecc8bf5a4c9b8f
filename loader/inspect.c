// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looking at a template, or at a stamp, from outside.  The plain structures of
 * bpfstamp.h are filled on request, so that nothing is kept twice.
 */
#include <string.h>

#include "loader/core.h"
#include "loader/stamp.h"

const char *bpfstamp_name(const struct bpfstamp_template *t)
{
	return t->name;
}

const char *bpfstamp_license(const struct bpfstamp_template *t)
{
	return t->license;
}

bool bpfstamp_big_endian(const struct bpfstamp_template *t)
{
	return t->elf.big;
}

uint32_t bpfstamp_program_count(const struct bpfstamp_template *t)
{
	return t->func_count;
}

uint32_t bpfstamp_map_count(const struct bpfstamp_template *t)
{
	return t->map_count;
}

uint32_t bpfstamp_extern_count(const struct bpfstamp_template *t)
{
	return t->extern_count;
}

uint32_t bpfstamp_injectable_count(const struct bpfstamp_template *t)
{
	return t->injectable_count;
}

void bpfstamp_program_at(const struct bpfstamp_template *t, uint32_t i, struct bpfstamp_program *out)
{
	const struct func *f = &t->funcs[i];
	const struct code *c = &t->codes[f->code];
	struct object_records cores = object_records(t, f, &c->cores);

	*out = (struct bpfstamp_program){ .name = f->name, .section = c->name, .entry = f->entry,
					  .type = f->prog_type, .attach_type = f->attach_type, .insns = f->insns,
					  .core_relocs = cores.end - cores.first };
}

void bpfstamp_extern_at(const struct bpfstamp_template *t, uint32_t i, struct bpfstamp_extern *out)
{
	static const char *const kinds[] = {
		[EXTERN_KCONFIG] = "kconfig", [EXTERN_ADDRESS] = "ksym", [EXTERN_VARIABLE] = "ksym",
		[EXTERN_FUNCTION] = "kfunc",
	};
	const struct external *ext = &t->externs[i];

	*out = (struct bpfstamp_extern){ .name = ext->name, .kind = kinds[ext->kind], .weak = ext->weak };
}

void bpfstamp_map_at(const struct bpfstamp_template *t, uint32_t i, struct bpfstamp_map *out)
{
	static const char *const pins[] = {
		[MAP_PIN_NAME] = "name", [MAP_PIN_OBJECT] = "object", [MAP_PIN_GLOBAL] = "global",
	};
	const struct map *m = &t->maps[i];

	*out = (struct bpfstamp_map){ .name = m->name, .section = m->section, .data = m->data != NO_INDEX,
				      .readonly = m->data != NO_INDEX && t->datas[m->data].readonly, .type = m->type,
				      .key_size = m->key_size, .value_size = m->value_size,
				      .max_entries = m->max_entries, .flags = m->flags,
				      .pin = pins[m->pinning] };
	for (uint32_t k = 0; k < t->reloc_count; k++) {
		const struct reloc *r = &t->relocs[k];

		out->refs += (r->kind == RELOC_MAP && r->target == i) ||
			(r->kind == RELOC_DATA && r->target == m->data);
	}
}

void bpfstamp_injectable_at(const struct bpfstamp_template *t, uint32_t i, struct bpfstamp_injectable *out)
{
	const struct injectable *inj = &t->injectables[i];

	*out = (struct bpfstamp_injectable){ .name = inj->name, .section = inj->section, .kind = inj->kind,
					     .size = inj->type.size, .bits = inj->type.bits,
					     .is_signed = inj->type.is_signed, .has_value = inj->has_value,
					     .site_count = inj->site_count, .inlined_count = inj->inlined_count,
					     .kept = inj->kept };
	if (inj->kept)
		object_locate(t, inj->kept_code, inj->kept_insn, &out->kept_at);
	out->value = inj->kind == BPFSTAMP_GLOBAL ? t->image + inj->image : inj->value;
	value_type_text(&inj->type, t->btf.type_count ? &t->btf : NULL, out->type, sizeof(out->type));
}

void bpfstamp_site_at(const struct bpfstamp_template *t, uint32_t injectable, uint32_t site,
		      struct bpfstamp_site *out)
{
	const struct site *s = &t->sites[t->injectables[injectable].site_first + site];

	object_locate(t, s->code, s->insn, out);
	out->derived = derive_text(s->how.fn);
}

void bpfstamp_doubt_at(const struct bpfstamp_template *t, uint32_t i, struct bpfstamp_doubt *out)
{
	const struct doubt *d = &t->doubts[i];

	*out = (struct bpfstamp_doubt){ .injectable = d->injectable, .what = d->what };
	if (d->code != NO_INDEX) {
		object_locate(t, d->code, d->insn, &out->site);
	} else {
		out->section = t->datas[d->data].name;
		out->offset = d->insn;
	}
}

uint32_t bpfstamp_doubt_count(const struct bpfstamp_template *t)
{
	return t->doubt_count;
}

static const char *reloc_name(const struct bpfstamp_template *t, const struct reloc *r)
{
	struct elf64_symbol sym;

	switch (r->kind) {
	case RELOC_DATA:
		for (uint32_t i = 0; i < t->site_count; i++)
			if (t->sites[i].code == r->code && t->sites[i].insn == r->insn && !t->sites[i].how.form)
				return t->injectables[t->sites[i].injectable].name;
		return t->datas[r->target].name;
	case RELOC_MAP:
		return t->maps[r->target].name;
	case RELOC_FUNC:
	case RELOC_CALL:
		return t->funcs[r->target].name;
	default:
		if (!r->symbol)
			return NULL;
		elf64_symbol(&t->elf, r->symbol, &sym);
		return sym.name;
	}
}

void bpfstamp_insn_at(const struct bpfstamp_stamp *s, uint32_t program, uint32_t slot, struct bpfstamp_insn *out)
{
	const struct bpfstamp_template *t = s->t;
	const struct func *f = &t->funcs[program];
	uint32_t insn = f->start + slot, at = object_insn_at(t, f->code, insn);
	const struct reloc *r = object_reloc_at(t, f->code, insn);
	uint32_t core = object_core_at(t, f->code, insn);
	struct btf_core_relo relo;
	struct bpfinsn two[2];

	*out = (struct bpfstamp_insn){ .refers = r ? reloc_name(t, r) : NULL };
	object_locate(t, f->code, insn, &out->site);
	if (core != NO_INDEX) {
		btf_ext_core(&t->ext, &t->codes[f->code].cores, core, &relo);
		core_text(out->core, sizeof(out->core), t, &relo);
	}
	object_decode(t, s->image, f->code, insn, two);
	out->slots = bpfinsn_slots(two[0].code);
	bpfinsn_text(out->text, sizeof(out->text), two);
	out->changed = memcmp(s->image + at, t->image + at, (size_t)out->slots * BPFINSN_SIZE) != 0;
	if (out->changed) {
		object_decode(t, t->image, f->code, insn, two);
		bpfinsn_text(out->before, sizeof(out->before), two);
	}
}
