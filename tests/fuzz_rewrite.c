// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rewriting code: the first eight bytes choose a placeholder and a value, the
 * rest is an object.  Whatever declaring, widening and inlining made of it must
 * be code again: instructions decode, jumps land on their starts, functions,
 * relocations, sites and line records stay inside and in order; and the
 * object that is written, unless its sections share bytes, must open again
 * and hold the same instructions.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/link.h"
#include "loader/stamp.h"
#include "tests/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int ok)
{
	if (!ok)
		abort();
}

static void check_code(const struct bpfstamp_template *t, uint32_t code)
{
	const struct code *c = &t->codes[code];
	uint8_t *starts = calloc(1, c->insns / 8 + 1);
	uint32_t at;

	check(starts && !bpfinsn_check_all(t->image + c->image, c->insns, t->elf.big, starts, &at));
	for (uint32_t i = 0; i < c->insns; i++)
		check(bpfinsn_starts(starts, i) == bpfinsn_starts(t->starts, c->image / BPFINSN_SIZE + i));
	for (uint32_t i = 0; i < c->reloc_count; i++) {
		const struct reloc *r = &t->relocs[c->reloc_first + i];

		check(r->insn < c->insns && bpfinsn_starts(starts, r->insn) && (!i || r[-1].insn < r->insn));
	}
	for (uint32_t i = 0; c->moved && i <= c->object_insns; i++)
		check(c->moved[i] <= c->insns && (!i || c->moved[i - 1] <= c->moved[i]));
	free(starts);
}

static void check_template(const struct bpfstamp_template *t)
{
	for (uint32_t i = 0; i < t->code_count; i++)
		check_code(t, i);
	for (uint32_t i = 0; i < t->func_count; i++)
		check(t->funcs[i].start + t->funcs[i].insns <= t->codes[t->funcs[i].code].insns);
	for (uint32_t i = 0; i < t->site_count; i++)
		check(t->sites[i].insn < t->codes[t->sites[i].code].insns);
}

static void check_links(const struct bpfstamp_template *t)
{
	struct bpfstamp_err err;
	struct link *link;

	for (uint32_t f = 0; f < t->func_count && f < 8; f++) {
		if (link_program(&link, t, f, &err))
			continue;
		for (uint32_t i = 0; i < link->map_count; i++)
			check(link->maps[i].at + 1 < link->insns);
		link_free(link);
	}
}

/* What is written opens again, with the same code. */
static void check_written(const struct bpfstamp_template *t, struct bpfstamp_stamp *s)
{
	size_t size = bpfstamp_elf_size(s);
	uint8_t *elf = malloc(size);
	struct bpfstamp_template *again;
	struct bpfstamp_err err;

	check(elf != NULL);
	if (!bpfstamp_elf(s, elf, size, &err)) {
		if (bpfstamp_open(&again, elf, size, "again", &err)) {
			fprintf(stderr, "%s\n", err.text);
			abort();
		}
		check(again->code_count == t->code_count);
		for (uint32_t i = 0; i < t->code_count; i++)
			check(again->codes[i].insns == t->codes[i].insns &&
			      !memcmp(again->image + again->codes[i].image, s->image + t->codes[i].image,
				      (size_t)t->codes[i].insns * BPFINSN_SIZE));
		bpfstamp_close(again);
	}
	free(elf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bpfstamp_template *t;
	struct bpfstamp_stamp *s;
	struct bpfstamp_err err;
	char old[24], new[24];
	uint32_t words[2];

	if (size < sizeof(words))
		return 0;
	memcpy(words, data, sizeof(words));
	if (bpfstamp_open(&t, data + sizeof(words), size - sizeof(words), "fuzz", &err))
		return 0;
	snprintf(old, sizeof(old), "%" PRIu32, words[0]);
	snprintf(new, sizeof(new), "%" PRIu32, words[1]);
	if (!bpfstamp_declare(t, old, -1, true, &err))
		bpfstamp_widen(t, old, new, &err);
	check_template(t);
	if (!bpfstamp_inline(t, &err))
		check_template(t);
	check_links(t);
	if (!bpfstamp_stamp_new(&s, t, &err)) {
		bpfstamp_set(s, old, new, &err);
		if (walk_disjoint(&t->elf))
			check_written(t, s);
		bpfstamp_stamp_free(s);
	}
	bpfstamp_close(t);
	return 0;
}
