// SPDX-License-Identifier: BSD-2-Clause
/*
 * Writing a stamp back into its object: a copy of the file in which only what
 * was set is different.
 *
 * - Instructions and initialised data are patched where they are.
 * - A .bss section has no bytes in the file.  One that received a value gets
 *   them, and another name (promote.c).
 * - A symbol that received a value is resolved, as a linker would do it: it
 *   becomes absolute (SHN_ABS) with that value, and the relocations against it
 *   are taken out of their section, which gets shorter; the entries behind
 *   them move up, and the freed end of the table is zero.  R_BPF_NONE would say
 *   the same, but libbpf does not look at the type of a relocation.
 *
 * Code that changed its length (inlining, a constant that needed more room) is
 * relayout.c's.  Nothing else moves, so every other offset in the file stays
 * true.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/promote.h"
#include "loader/relayout.h"

enum {	/* offsets in the tables, see elf/elf64.h */
	SH_SIZE = 32,
	ST_SHNDX = 6, ST_VALUE = 8,
	SHN_ABS = 0xfff1,
};

size_t bpfstamp_elf_size(const struct bpfstamp_stamp *s)
{
	return promote_size(s, relayout_size(s->t, (size_t)s->t->elf.size));
}

static void resolve_symbol(const struct bpfstamp_template *t, uint8_t *copy, const struct injectable *inj,
			   uint64_t value)
{
	uint8_t *symbol = copy + elf64_symbol_at(&t->elf, inj->symbol);

	bytes_put16(symbol + ST_SHNDX, SHN_ABS, t->elf.big);
	bytes_put64(symbol + ST_VALUE, value, t->elf.big);
}

/* Whether relocation i of a section is against a symbol that was set. */
static bool is_void(const struct bpfstamp_stamp *s, uint32_t section, uint64_t i)
{
	const struct bpfstamp_template *t = s->t;
	struct elf64_reloc r;

	elf64_reloc(&t->elf, section, i, &r);
	for (uint32_t k = t->global_count; k < t->injectable_count; k++)
		if (t->injectables[k].kind == BPFSTAMP_SYMBOL && t->injectables[k].symbol == r.symbol)
			return s->touched[k];
	return false;
}

static void move_relocs(const struct bpfstamp_stamp *s, uint8_t *copy, uint32_t section)
{
	const struct bpfstamp_template *t = s->t;
	uint64_t count = elf64_reloc_count(&t->elf, section), kept = 0, first;
	struct elf64_section rel;

	if (!count)
		return;
	elf64_section(&t->elf, section, &rel);
	first = elf64_reloc_at(&t->elf, section, 0);
	for (uint64_t i = 0; i < count; i++) {
		struct elf64_reloc r;
		uint64_t now;

		elf64_reloc(&t->elf, section, i, &r);
		if (is_void(s, section, i) || !relayout_reloc(t, rel.info, &r, &now))
			continue;
		memmove(copy + first + kept * rel.entsize, copy + first + i * rel.entsize, rel.entsize);
		bytes_put64(copy + first + kept++ * rel.entsize, now, t->elf.big);
	}
	if (kept == count)
		return;
	memset(copy + first + kept * rel.entsize, 0, (count - kept) * rel.entsize);
	bytes_put64(copy + elf64_section_header_at(&t->elf, section) + SH_SIZE, kept * rel.entsize, t->elf.big);
}

static int patch(const struct bpfstamp_template *t, uint8_t *copy, uint32_t section, uint64_t offset,
		 const void *bytes, uint32_t len, struct bpfstamp_err *err)
{
	struct elf64_fault fault;

	if (elf64_patch(&t->elf, copy, section, offset, bytes, len, &fault))
		return object_fault(t, "ELF", &fault, err);
	return 0;
}

static int write_sites(const struct bpfstamp_stamp *s, uint8_t *copy, const struct injectable *inj,
		       struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;

	for (uint32_t i = 0; i < inj->site_count; i++) {
		const struct site *site = &t->sites[inj->site_first + i];
		const uint8_t *raw = s->image + object_insn_at(t, site->code, site->insn);

		if (!site->how.form || t->codes[site->code].moved)
			continue;	/* nothing to write, or written as a whole */
		if (patch(t, copy, t->codes[site->code].section, (uint64_t)site->insn * BPFINSN_SIZE, raw,
			  bpfinsn_slots(raw[0]) * BPFINSN_SIZE, err))
			return -1;
	}
	return 0;
}

static int write_value(const struct bpfstamp_stamp *s, uint8_t *copy, const struct injectable *inj,
		       struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;

	if (inj->kind != BPFSTAMP_GLOBAL) {
		if (inj->kind == BPFSTAMP_SYMBOL)
			resolve_symbol(t, copy, inj, s->values[inj - t->injectables]);
		return write_sites(s, copy, inj, err);
	}
	if (write_sites(s, copy, inj, err))
		return -1;
	if (t->datas[inj->data].nobits)
		return 0;
	return patch(t, copy, t->datas[inj->data].section, inj->image - t->datas[inj->data].image,
		     s->image + inj->image, inj->type.size, err);
}

int bpfstamp_elf(const struct bpfstamp_stamp *s, void *buf, size_t size, struct bpfstamp_err *err)
{
	const struct bpfstamp_template *t = s->t;

	if (size < bpfstamp_elf_size(s))
		return err_set(err, ENOSPC, "%s: the patched object has %zu bytes, the buffer only %zu", t->name,
			       bpfstamp_elf_size(s), size);
	memcpy(buf, t->elf.data, (size_t)t->elf.size);
	memset((uint8_t *)buf + t->elf.size, 0, size - (size_t)t->elf.size);
	promote_write(s, buf, relayout_write(s, buf, (size_t)t->elf.size));
	for (uint32_t i = 0; i < t->injectable_count; i++)
		if (s->touched[i] && write_value(s, buf, &t->injectables[i], err))
			return -1;
	for (uint32_t i = 1; i < t->elf.section_count; i++)
		move_relocs(s, buf, i);
	return 0;
}
