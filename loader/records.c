// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reading .bpfstamp.  The section is a sequence of records without a count;
 * where a record's instruction stands is in the relocation of its first eight
 * bytes, S + A, with A in those bytes (REL) or in the relocation (RELA).  Both
 * are sorted by offset and walked together, so that each record meets its
 * relocation, and a record without one is an error.
 *
 * A section that another program left under this name must not be taken for
 * ours: any contradiction refuses the object.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/records.h"

enum { RECORD_HEAD = 20, RECORD_VERSION = 1 };

struct target {		/* a relocation of the section */
	uint64_t offset, address;
	uint32_t code;
};

static int bad(const struct bpfstamp_template *t, uint64_t offset, const char *why, struct bpfstamp_err *err)
{
	return err_set(err, EINVAL, "%s: section %s: record at byte 0x%" PRIx64 " %s", t->name, RECORDS_SECTION,
		       offset, why);
}

static int by_offset(const void *a, const void *b)
{
	const struct target *x = a, *y = b;

	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The relocations of the section, ascending; *out is to be freed. */
static int read_targets(struct target **out, uint64_t *count, const struct bpfstamp_template *t, uint32_t section,
			const struct elf64_section *s, struct bpfstamp_err *err)
{
	uint64_t room = 0, n = 0;
	struct target *targets;

	for (uint32_t i = 1; i < t->elf.section_count; i++) {
		struct elf64_section rel;

		elf64_section(&t->elf, i, &rel);
		if (rel.info == section)
			room += elf64_reloc_count(&t->elf, i);
	}
	targets = calloc(room + 1, sizeof(*targets));
	if (!targets)
		return object_no_memory(err);
	for (uint32_t i = 1; i < t->elf.section_count; i++) {
		struct elf64_section rel;

		elf64_section(&t->elf, i, &rel);
		for (uint64_t k = 0; rel.info == section && k < elf64_reloc_count(&t->elf, i); k++) {
			struct elf64_symbol sym;
			struct elf64_reloc r;

			elf64_reloc(&t->elf, i, k, &r);
			if (!r.type || r.offset > s->size - 8)
				continue;
			elf64_symbol(&t->elf, r.symbol, &sym);
			targets[n].offset = r.offset;
			targets[n].address = sym.value + (uint64_t)r.addend;
			if (rel.type == ELF64_SHT_REL)
				targets[n].address += bytes_get64(s->bytes + r.offset, t->elf.big);
			targets[n++].code = sym.section < t->elf.section_count ? t->code_of[sym.section] : NO_INDEX;
		}
	}
	qsort(targets, n, sizeof(*targets), by_offset);
	*out = targets;
	*count = n;
	return 0;
}

/* Check what a record says, and the instruction that it points at. */
static int take(struct record *r, const struct bpfstamp_template *t, const struct target *target, const uint8_t *raw,
		struct bpfstamp_err *err)
{
	struct bpfinsn insn[2];
	uint32_t at;

	*r = (struct record){ .name = (const char *)raw + RECORD_HEAD, .size = raw[16], .is_signed = raw[17],
			      .bits = raw[18], .code = target->code };
	if (raw[19] != RECORD_VERSION)
		return bad(t, target->offset, "has a format version that this bpfstamp does not know", err);
	if ((r->size != 1 && r->size != 2 && r->size != 4 && r->size != 8) || raw[17] > 1 || !r->bits ||
	    r->bits > r->size * 8)
		return bad(t, target->offset, "has an impossible type", err);
	if (!*r->name)
		return bad(t, target->offset, "has no name", err);
	if (r->code == NO_INDEX || target->address % BPFINSN_SIZE ||
	    target->address / BPFINSN_SIZE >= t->codes[r->code].insns)
		return bad(t, target->offset, "does not point at an instruction", err);
	r->insn = (uint32_t)(target->address / BPFINSN_SIZE);
	at = object_insn_at(t, r->code, r->insn);
	bpfinsn_decode(t->image + at, t->elf.big, &insn[0]);
	if (!bpfinsn_starts(t->starts, at / BPFINSN_SIZE) || insn[0].code != BPF_CODE_LDDW || insn[0].src)
		return bad(t, target->offset, "does not point at an lddw", err);
	bpfinsn_decode(t->image + at + BPFINSN_SIZE, t->elf.big, &insn[1]);
	imm_meaning(insn, &r->value);
	return 0;
}

/* Walk the records beside their relocations. */
static int walk(struct records *out, const struct bpfstamp_template *t, const struct elf64_section *s,
		const struct target *targets, uint64_t target_count, struct bpfstamp_err *err)
{
	uint64_t at = 0, next = 0;

	while (at < s->size) {
		const uint8_t *raw = s->bytes + at;
		const uint8_t *end = s->size - at > RECORD_HEAD ?
			memchr(raw + RECORD_HEAD, 0, s->size - at - RECORD_HEAD) : NULL;

		if (!end)
			return bad(t, at, "is cut short", err);
		while (next < target_count && targets[next].offset < at)
			next++;
		if (next == target_count || targets[next].offset != at)
			return bad(t, at, "has no relocation", err);
		if (take(&out->record[out->count++], t, &targets[next], raw, err))
			return -1;
		at += ((uint64_t)(end - raw) + 1 + 7) & ~7ull;
	}
	return 0;
}

static int by_place(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->code != y->code)
		return x->code < y->code ? -1 : 1;
	return x->insn < y->insn ? -1 : x->insn > y->insn;
}

static int by_name(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order ? order : by_place(a, b);
}

/* An instruction has one value, and so one name. */
static int check_places(struct records *records, const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	qsort(records->record, records->count, sizeof(*records->record), by_place);
	for (uint32_t i = 1; i < records->count; i++)
		if (!by_place(&records->record[i - 1], &records->record[i]))
			return err_set(err, EINVAL, "%s: STAMP %s and STAMP %s name one instruction", t->name,
				       records->record[i - 1].name, records->record[i].name);
	return 0;
}

static int check_agreement(const struct records *records, const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	for (uint32_t i = 1; i < records->count; i++) {
		const struct record *a = &records->record[i - 1], *b = &records->record[i];

		if (strcmp(a->name, b->name) != 0)
			continue;
		if (a->size != b->size || a->bits != b->bits || a->is_signed != b->is_signed)
			return err_set(err, EINVAL, "%s: STAMP %s is declared with different types", t->name,
				       a->name);
		if (a->value != b->value)
			return err_set(err, EINVAL, "%s: STAMP %s has different defaults", t->name, a->name);
	}
	return 0;
}

int records_read(struct records *out, const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	uint32_t section = elf64_find(&t->elf, RECORDS_SECTION);
	struct target *targets = NULL;
	struct elf64_section s;
	uint64_t count = 0;
	int ret = -1;

	*out = (struct records){ 0 };
	if (!section)
		return 0;
	elf64_section(&t->elf, section, &s);
	if (!s.bytes || s.size < 8)
		return s.size ? bad(t, 0, "is cut short", err) : 0;
	out->record = calloc(s.size / RECORD_HEAD + 1, sizeof(*out->record));
	if (!out->record) {
		object_no_memory(err);
		goto out;
	}
	if (read_targets(&targets, &count, t, section, &s, err) || walk(out, t, &s, targets, count, err))
		goto out;
	if (check_places(out, t, err))
		goto out;
	qsort(out->record, out->count, sizeof(*out->record), by_name);
	ret = check_agreement(out, t, err);
out:
	free(targets);
	if (ret)
		records_free(out);
	return ret;
}

void records_free(struct records *records)
{
	free(records->record);
	*records = (struct records){ 0 };
}
