// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes: bpfstamp_open refuses them with a text, or all of the template can
 * be read through every accessor, values can be set wherever it says so, every
 * program links, and what bpfstamp_elf writes opens again with these values.
 *
 * The latter is not asked of objects whose sections share bytes, or that have
 * two names for one instruction: a value written in one place may then well
 * destroy another.
 */
#include <stdlib.h>
#include <string.h>

#include "loader/kbtf.h"
#include "loader/link.h"
#include "loader/path.h"
#include "loader/stamp.h"
#include "tests/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIZE_MAX_INPUT = 1 << 16, IMAGE_MAX_INPUT = 1 << 20, MANY = 256 };

static size_t sink;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void touch(const char *s)
{
	if (s)
		sink += strlen(s);
}

static void touch_bytes(const uint8_t *bytes, size_t size)
{
	while (size--)
		sink += bytes[size];
}

static void on_leaf(const struct bpfstamp_leaf *leaf, void *arg)
{
	char text[64];

	touch(leaf->path);
	touch(leaf->type);
	require(bpfstamp_get(arg, NULL, &leaf->ref, text, sizeof(text)) >= strlen(text));
}

static void walk_injectable(const struct bpfstamp_template *t, uint32_t i)
{
	const struct part whole = part_whole(&t->injectables[i]);
	const struct bpfstamp_ref ref = part_ref(&whole, i);
	struct bpfstamp_injectable inj;
	struct bpfstamp_site site;
	char text[64];

	bpfstamp_injectable_at(t, i, &inj);
	touch(inj.name);
	touch(inj.section);
	require(memchr(inj.type, 0, sizeof(inj.type)) && inj.size > 0 && inj.bits <= 8 * inj.size);
	touch_bytes(inj.value, inj.size);
	require(bpfstamp_get(t, NULL, &ref, text, sizeof(text)) >= strlen(text));
	bpfstamp_leaves(t, i, on_leaf, (void *)(uintptr_t)t);
	for (uint32_t k = 0; k < inj.site_count; k++) {
		bpfstamp_site_at(t, i, k, &site);
		touch(site.program);
		touch(site.file);
		touch(site.derived);
	}
}

/* What a map starts with is there, in order, and of the kind that the map holds. */
static void walk_map(const struct bpfstamp_template *t, uint32_t index)
{
	const struct map *m = &t->maps[index];
	struct bpfstamp_map map;
	bool programs = m->type == 3;	/* BPF_MAP_TYPE_PROG_ARRAY */

	bpfstamp_map_at(t, index, &map);
	touch(map.name);
	touch(map.section);
	touch(map.pin);
	touch(m->refused);
	if (m->inner_def)
		touch(m->inner_def->name);
	require(m->inner == NO_INDEX || m->inner < t->map_count);
	require(m->slot_first + m->slot_count <= t->map_slot_count);
	for (uint32_t i = m->slot_first; i < m->slot_first + m->slot_count; i++) {
		const struct map_slot *slot = &t->map_slots[i];

		require(slot->map == index && slot->target < (programs ? t->func_count : t->map_count));
		require(i == m->slot_first || slot[-1].key < slot->key);
	}
}

static void walk_template(const struct bpfstamp_template *t)
{
	struct bpfstamp_program program;

	touch(bpfstamp_license(t));
	for (uint32_t i = 0; i < bpfstamp_program_count(t); i++) {
		bpfstamp_program_at(t, i, &program);
		touch(program.name);
		touch(program.section);
		require(program.insns > 0);
	}
	for (uint32_t i = 0; i < bpfstamp_map_count(t); i++)
		walk_map(t, i);
	for (uint32_t i = 0; i < bpfstamp_injectable_count(t); i++)
		walk_injectable(t, i);
}

static void walk_insns(const struct bpfstamp_stamp *s)
{
	struct bpfstamp_insn insn;

	for (uint32_t i = 0; i < s->t->func_count && i < MANY; i++) {
		for (uint32_t slot = 0; slot < s->t->funcs[i].insns && slot < MANY; slot++) {
			bpfstamp_insn_at(s, i, slot, &insn);
			touch(insn.text);
			touch(insn.before);
			touch(insn.refers);
			touch(insn.site.program);
			touch(insn.site.file);
		}
	}
}

static void on_change(const struct bpfstamp_change *change, void *arg)
{
	const struct bpfstamp_stamp *s = arg;
	char text[64];

	require(s->touched[change->ref.injectable]);
	touch(change->path);
	require(bpfstamp_get(s->t, s, &change->ref, text, sizeof(text)) >= strlen(text));
}

/* Numbers at the edges, the default itself, and bytes. What is refused must change nothing. */
static void set_values(struct bpfstamp_stamp *s)
{
	static const uint64_t numbers[] = { 0, UINT64_MAX, 0x7fffffff, 0x80000000, 0xff, 1 };
	const struct bpfstamp_template *t = s->t;
	uint8_t *before = malloc(t->image_size + 1);
	struct bpfstamp_err err;

	require(before != NULL);
	for (uint32_t i = 0; i < t->injectable_count && i < MANY; i++) {
		const struct part whole = part_whole(&t->injectables[i]);
		const struct bpfstamp_ref ref = part_ref(&whole, i);
		uint8_t *bytes = calloc(1, ref.size);

		for (size_t k = 0; k < sizeof(numbers) / sizeof(numbers[0]); k++) {
			memcpy(before, s->image, t->image_size);
			if (bpfstamp_put(s, &ref, numbers[k], &err))
				require(*err.text && !memcmp(before, s->image, t->image_size));
		}
		require(bytes != NULL);
		memset(bytes, 1, ref.size);
		require(bpfstamp_put_bytes(s, &ref, bytes, ref.size + 1, &err) == -1);
		if (!bpfstamp_put_bytes(s, &ref, bytes, ref.size, &err))
			require(s->touched[i]);
		free(bytes);
	}
	bpfstamp_changes(s, on_change, s);
	free(before);
}

static void link_programs(const struct bpfstamp_stamp *s)
{
	const struct bpfstamp_template *t = s->t;
	struct bpfstamp_err err;
	struct link *link;
	uint32_t code, insn;

	for (uint32_t i = 0; i < t->func_count && i < MANY; i++) {
		uint8_t *insns;

		if (!t->funcs[i].entry || link_program(&link, t, i, &err))
			continue;
		insns = malloc((size_t)link->insns * BPFINSN_SIZE);
		require(insns != NULL);
		link_gather(link, t, s->image, insns);
		touch_bytes(insns, (size_t)link->insns * BPFINSN_SIZE);
		require(link_origin(link, t, link->insns - 1, &code, &insn) && insn < t->codes[code].insns);
		require(!link_origin(link, t, link->insns, &code, &insn));
		for (uint32_t k = 0; k < link->map_count; k++)
			require(link->maps[k].at < link->insns && link->maps[k].map < t->map_count);
		free(insns);
		link_free(link);
	}
}

/* Whether no instruction holds the values of two names. */
static bool is_plain(const struct bpfstamp_template *t)
{
	if (t->site_count > 4 * MANY)
		return false;
	for (uint32_t i = 0; i < t->site_count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (t->sites[i].how.form && t->sites[k].how.form && t->sites[i].code == t->sites[k].code &&
			    t->sites[i].insn == t->sites[k].insn)
				return false;
	return true;
}

static void compare_values(const struct bpfstamp_stamp *s, const struct bpfstamp_template *again)
{
	const struct bpfstamp_template *t = s->t;
	char is[64], wanted[64];

	require(again->global_count == t->global_count && again->code_count == t->code_count);
	for (uint32_t i = 0; i < t->injectable_count; i++) {
		const struct part whole = part_whole(&t->injectables[i]);
		const struct bpfstamp_ref ref = part_ref(&whole, i);

		if (t->injectables[i].kind != BPFSTAMP_GLOBAL && t->injectables[i].kind != BPFSTAMP_STAMP)
			break;
		require(!strcmp(again->injectables[i].name, t->injectables[i].name));
		bpfstamp_get(t, s, &ref, wanted, sizeof(wanted));
		bpfstamp_get(again, NULL, &ref, is, sizeof(is));
		require(!strcmp(is, wanted));
	}
}

static void write_elf(const struct bpfstamp_stamp *s)
{
	size_t size = bpfstamp_elf_size(s);
	uint8_t *bytes = malloc(size);
	struct bpfstamp_template *again;
	struct bpfstamp_err err;

	require(bytes && size >= s->t->elf.size);
	require(bpfstamp_elf(s, bytes, size - 1, &err) == -1);
	require(!bpfstamp_elf(s, bytes, size, &err));
	if (walk_disjoint(&s->t->elf) && is_plain(s->t)) {
		require(!bpfstamp_open(&again, bytes, size, "again", &err));
		compare_values(s, again);
		bpfstamp_close(again);
	}
	free(bytes);
}

static void use(struct bpfstamp_template *t)
{
	struct bpfstamp_stamp *s;
	struct bpfstamp_err err;
	struct kbtf btf;

	bpfstamp_declare(t, "0xFEDCBA98", -1, true, &err);
	bpfstamp_declare(t, "7", -1, false, &err);
	walk_template(t);
	for (uint32_t i = 0; i < bpfstamp_doubt_count(t); i++) {
		struct bpfstamp_doubt doubt;

		bpfstamp_doubt_at(t, i, &doubt);
		touch(doubt.what);
		touch(doubt.section);
		touch(doubt.site.program);
	}
	require(!bpfstamp_stamp_new(&s, t, &err));
	set_values(s);
	walk_insns(s);
	link_programs(s);
	write_elf(s);
	bpfstamp_reset(s);
	require(!memcmp(s->image, t->image, t->image_size) && bpfstamp_elf_size(s) == t->elf.size);
	bpfstamp_stamp_free(s);
	if (t->btf.type_count && !kbtf_make(&btf, t, &err)) {
		touch_bytes(btf.bytes, btf.size);
		free(btf.bytes);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bpfstamp_template *t;
	struct bpfstamp_err err = { 0 };
	/* A copy of exactly size bytes lets the sanitizer see a read behind them. */
	uint8_t *copy = malloc(size + !size);

	require(copy != NULL);
	if (size)
		memcpy(copy, data, size);
	if (size <= SIZE_MAX_INPUT) {
		if (bpfstamp_open(&t, copy, size, "fuzz", &err)) {
			require(err.code && *err.text);
		} else {
			if (t->image_size <= IMAGE_MAX_INPUT)
				use(t);
			bpfstamp_close(t);
		}
	}
	free(copy);
	return 0;
}
