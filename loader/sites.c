// SPDX-License-Identifier: BSD-2-Clause
/*
 * Sites: the instructions that hold the value of an injectable, or refer to
 * the variable that does.
 *
 * All sites stand in one array, ordered by injectable and then by place, so
 * that stamping a value walks a short run of it.  A relocation gives its lddw
 * to every variable that contains its address; an address between variables
 * (padding, a string without a symbol) has none.
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

/* Variables may overlap (aliases): the walk back ends where none reaches this far. */
static int add_global_sites(struct bpfstamp_template *t, const struct reloc *r, struct bpfstamp_err *err)
{
	uint32_t image = t->datas[r->target].image + r->addend;

	for (uint32_t i = global_behind(t, image); i-- > 0;) {
		struct site site = { .injectable = i, .code = r->code, .insn = r->insn };

		if (t->injectables[i].data != r->target || t->injectables[i].reach <= r->addend)
			break;
		if (image - t->injectables[i].image >= t->injectables[i].type.size)
			continue;
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

/* A stamp site is nobody else's. */
static int check_stamps(const struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	for (uint32_t i = 0; i < t->site_count; i++)
		if (object_reloc_at(t, t->sites[i].code, t->sites[i].insn))
			return err_set(err, EINVAL, "%s: STAMP %s names an instruction that has a relocation",
				       t->name, t->injectables[t->sites[i].injectable].name);
	return 0;
}

int sites_collect(struct bpfstamp_template *t, struct bpfstamp_err *err)
{
	if (check_stamps(t, err))
		return -1;
	for (uint32_t i = 0; i < t->reloc_count; i++) {
		const struct reloc *r = &t->relocs[i];
		struct site value = { .injectable = r->target, .code = r->code, .insn = r->insn,
				      .how.form = IMM_LDDW };

		if (r->kind == RELOC_DATA && add_global_sites(t, r, err))
			return -1;
		if (r->kind == RELOC_SYMBOL && sites_add(t, &value, err))
			return -1;
	}
	sites_index(t);
	return 0;
}
