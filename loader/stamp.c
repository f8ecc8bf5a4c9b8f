// SPDX-License-Identifier: BSD-2-Clause
/*
 * Stamps.  Making one allocates everything it will ever need but for the
 * linked program and the record, which the first load makes room for; reset is
 * one memcpy; setting a value is a range check and a store per site.  A value is
 * checked against its type and against every site before the first byte changes,
 * so that a refused value leaves the stamp as it was.
 *
 * All values go through bytes as they stand in the program's memory.  A global
 * takes them as they are; an instruction takes the number that they are in the
 * object's byte order, extended by the signedness of the type to 64 bits.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "loader/err.h"
#include "loader/mapmake.h"
#include "loader/path.h"
#include "loader/reuse.h"
#include "loader/stamp.h"

int bpfstamp_stamp_new(struct bpfstamp_stamp **out, const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	struct bpfstamp_stamp *s = calloc(1, sizeof(*s));

	if (!s)
		return object_no_memory(err);
	s->t = t;
	s->image = malloc(t->image_size + 1);
	s->touched = calloc(t->injectable_count + 1, sizeof(*s->touched));
	s->given = calloc(t->image_size + 1, sizeof(*s->given));
	s->values = calloc(t->injectable_count + 1, sizeof(*s->values));
	s->map_fds = malloc((t->map_count + 1) * sizeof(*s->map_fds));
	s->prog_fds = malloc((t->func_count + 1) * sizeof(*s->prog_fds));
	if (!s->image || !s->touched || !s->given || !s->values || !s->map_fds || !s->prog_fds) {
		bpfstamp_stamp_free(s);
		return object_no_memory(err);
	}
	memset(s->map_fds, 0xff, (t->map_count + 1) * sizeof(*s->map_fds));
	memset(s->prog_fds, 0xff, (t->func_count + 1) * sizeof(*s->prog_fds));
	bpfstamp_reset(s);
	*out = s;
	return 0;
}

void bpfstamp_stamp_free(struct bpfstamp_stamp *s)
{
	if (!s)
		return;
	free(s->image);
	free(s->touched);
	free(s->given);
	free(s->values);
	free(s->linked);
	free(s->record);
	free(s->map_fds);
	free(s->prog_fds);
	free(s->map_reused);
	free(s->key);
	reuse_index_close(s);
	mapmake_forget_pins(&s->pins);
	free(s);
}

void bpfstamp_reset(struct bpfstamp_stamp *s)
{
	for (uint32_t i = 0; i < s->t->global_count; i++)
		if (s->touched[i])
			memset(s->given + s->t->injectables[i].image, 0, s->t->injectables[i].type.size);
	memcpy(s->image, s->t->image, s->t->image_size);
	memset(s->touched, 0, s->t->injectable_count * sizeof(*s->touched));
}

void bpfstamp_copy(struct bpfstamp_stamp *to, const struct bpfstamp_stamp *from)
{
	const struct bpfstamp_template *t = to->t;

	memcpy(to->image, from->image, t->image_size);
	memcpy(to->given, from->given, t->image_size);
	memcpy(to->touched, from->touched, t->injectable_count * sizeof(*to->touched));
	memcpy(to->values, from->values, t->injectable_count * sizeof(*to->values));
}

/* What the user is told when nobody would ever see the value. */
static int refuse_unused(const struct bpfstamp_template *t, const struct injectable *inj, struct bpfstamp_err *err)
{
	static const char *const hints[] = {
		[BPFSTAMP_GLOBAL] = "its reads were folded away by the compiler; declare it volatile",
		[BPFSTAMP_STAMP] = "the code around it was removed",
		[BPFSTAMP_SYMBOL] = "nothing loads its value",
		[BPFSTAMP_PLACEHOLDER] = "it has no site",
	};

	return err_set(err, ENODATA, "%s: %s: no instruction refers to it: %s", t->name, inj->name, hints[inj->kind]);
}

bool stamp_meaning(const struct bpfstamp_template *t, const uint8_t *image, const struct site *site, uint64_t value,
		   uint64_t *meaning)
{
	struct bpfinsn two[2];
	uint64_t old;

	object_decode(t, image, site->code, site->insn, two);
	imm_meaning(two, &old);
	return derive_meaning(&site->how, old, value, meaning);
}

/* Name the first instruction that cannot hold the value. */
static int check_sites(const struct bpfstamp_template *t, const struct injectable *inj, uint64_t value,
		       struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < inj->site_count; i++) {
		const struct site *site = &t->sites[inj->site_first + i];
		uint64_t meaning;

		if (stamp_meaning(t, t->image, site, value, &meaning))
			continue;
		err_set(err, ERANGE, "%s: %s: ", t->name, inj->name);
		object_hint_place(t, site->code, site->insn, err);
		if (site->how.fn == DERIVE_MINUS1 || site->how.fn == DERIVE_PLUS1)
			return err_hint(err, " compares with %s, which would turn around at 0x%" PRIx64
					": use STAMP() or a global", derive_text(site->how.fn), value);
		if (site->how.fn == DERIVE_NEG32 || site->how.fn == DERIVE_NEG64)
			return err_hint(err, " subtracts it, and may be a range check, which 0x%" PRIx64
					" would make wrap: use STAMP() or a global", value);
		if (site->how.by_sign && (value >> (site->how.bits - 1) & 1) != site->how.top)
			return err_hint(err, " is one that compilers choose by the top bit of the constant, which "
					"0x%" PRIx64
					" changes: use STAMP() or a global", value);
		return err_hint(err, " sign-extends its 32 bits and cannot hold 0x%" PRIx64 ": use STAMP() or a "
				"global", value);
	}
	return 0;
}

/* Bring the immediates that were loads of a variable in line with its bytes. */
static void reload(struct bpfstamp_stamp *s, const struct injectable *inj)
{
	const struct bpfstamp_template *t = s->t;

	for (uint32_t i = 0; i < inj->site_count; i++) {
		const struct site *site = &t->sites[inj->site_first + i];

		if (site->load_size)
			imm_put(s->image + object_insn_at(t, site->code, site->insn), t->elf.big, site->how.form,
				value_load(s->image + site->load_image, site->load_size, site->load_signed,
					   t->elf.big));
	}
}

/* Bytes of a part of a global, as in memory; of a bitfield, those of its type. */
static void store_global(struct bpfstamp_stamp *s, const struct injectable *inj, const struct part *part,
			 const uint8_t *bytes)
{
	uint8_t *variable = s->image + inj->image, *given = s->given + inj->image;
	bool big = s->t->elf.big;

	if (part->bitfield) {
		part_put_bits(part, big, variable, value_load(bytes, part->type.size, part->type.is_signed, big));
		part_put_bits(part, big, given, ~(uint64_t)0);
	} else {
		memcpy(variable + part->offset, bytes, part->type.size);
		memset(given + part->offset, 0xff, part->type.size);
	}
	reload(s, inj);
}

static void store_sites(struct bpfstamp_stamp *s, const struct injectable *inj, uint64_t value)
{
	const struct bpfstamp_template *t = s->t;

	for (uint32_t i = 0; i < inj->site_count; i++) {
		const struct site *site = &t->sites[inj->site_first + i];
		uint64_t meaning = value;

		if (inj->kind == BPFSTAMP_PLACEHOLDER)
			stamp_meaning(t, s->image, site, value, &meaning);
		imm_put(s->image + object_insn_at(t, site->code, site->insn), t->elf.big, site->how.form, meaning);
	}
}

static int store(struct bpfstamp_stamp *s, const struct bpfstamp_ref *ref, const uint8_t *bytes,
		 struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	const struct injectable *inj = &t->injectables[ref->injectable];
	const struct part part = part_from_ref(ref);
	uint64_t value;

	if (!inj->site_count)
		return refuse_unused(t, inj, err);
	if (inj->kind == BPFSTAMP_GLOBAL) {
		store_global(s, inj, &part, bytes);
	} else {
		value = value_load(bytes, inj->type.size, inj->type.is_signed, t->elf.big);
		if (inj->kind == BPFSTAMP_PLACEHOLDER && check_sites(t, inj, value, err))
			return -1;
		store_sites(s, inj, value);
		s->values[ref->injectable] = value;
	}
	s->touched[ref->injectable] = true;
	return 0;
}

int bpfstamp_put(struct bpfstamp_stamp *s, const struct bpfstamp_ref *ref, uint64_t value, struct bpfstamp_err *err)
{
	const struct part part = part_from_ref(ref);
	uint8_t bytes[8];

	if (value_from_u64(&part.type, s->t->elf.big, value, bytes, err))
		return err_wrap(err, "%s: %s", s->t->name, s->t->injectables[ref->injectable].name);
	return store(s, ref, bytes, err);
}

int bpfstamp_put_bytes(struct bpfstamp_stamp *s, const struct bpfstamp_ref *ref, const void *bytes, size_t len,
		       struct bpfstamp_err *err)
{
	if (len != ref->size)
		return err_set(err, EINVAL, "%s: %s: %zu bytes given, but the value has %u", s->t->name,
			       s->t->injectables[ref->injectable].name, len, ref->size);
	if (ref->bits)
		return bpfstamp_put(s, ref, value_load(bytes, ref->size, ref->is_signed, s->t->elf.big), err);
	return store(s, ref, bytes, err);
}

/* Set from text; name is how errors call the value. */
static int put_text(struct bpfstamp_stamp *s, const struct bpfstamp_ref *ref, const char *name, const char *text,
		    struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;
	const struct part part = part_from_ref(ref);
	uint8_t small[64], *bytes = small;
	int ret = -1;

	if ((size_t)ref->size + 8 > sizeof(small))
		bytes = malloc((size_t)ref->size + 8);
	if (!bytes)
		return object_no_memory(err);
	if (value_parse(&part.type, t->btf.type_count ? &t->btf : NULL, t->elf.big, text, bytes, err))
		err_wrap(err, "%s: %s", t->name, name);
	else
		ret = store(s, ref, bytes, err);
	if (bytes != small)
		free(bytes);
	return ret;
}

int bpfstamp_put_text(struct bpfstamp_stamp *s, const struct bpfstamp_ref *ref, const char *text,
		      struct bpfstamp_err *err)
{
	return put_text(s, ref, s->t->injectables[ref->injectable].name, text, err);
}

int bpfstamp_set(struct bpfstamp_stamp *s, const char *name, const char *text, struct bpfstamp_err *err)
{
	struct bpfstamp_ref ref;

	return bpfstamp_find(s->t, name, &ref, err) ? -1 : put_text(s, &ref, name, text, err);
}
