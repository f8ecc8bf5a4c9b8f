// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a stamp has: the values, as text that can be set again, and what is
 * different from the template, site by site.  A variable that was taken apart
 * by inlining has a site for each load; a part of it is told only with the
 * loads that see it.
 */
#include <string.h>

#include "loader/path.h"
#include "loader/stamp.h"

size_t bpfstamp_get(const struct bpfstamp_template *t, const struct bpfstamp_stamp *s, const struct bpfstamp_ref *ref,
		    char *buf, size_t size)
{
	const struct injectable *inj = &t->injectables[ref->injectable];
	const struct part part = part_from_ref(ref);
	uint8_t bytes[8];

	if (size)
		*buf = '\0';
	if (inj->kind == BPFSTAMP_GLOBAL)
		return part_text(&part, t->elf.big, (s ? s->image : t->image) + inj->image, buf, size);
	if (!s || !s->touched[ref->injectable])
		return inj->has_value ? part_text(&part, t->elf.big, inj->value, buf, size) : 0;
	value_store(bytes, inj->type.size, t->elf.big, s->values[ref->injectable]);
	return part_text(&part, t->elf.big, bytes, buf, size);
}

struct telling {
	const struct bpfstamp_stamp *s;
	uint32_t injectable;
	bpfstamp_change_fn *fn;
	void *arg;
	bool any;
};

static void tell_sites(const struct telling *telling, const char *path, const struct bpfstamp_ref *ref)
{
	const struct bpfstamp_template *t = telling->s->t;
	const struct injectable *inj = &t->injectables[ref->injectable];
	struct bpfstamp_change change = { .path = path, .ref = *ref };

	for (uint32_t i = 0; i < inj->site_count; i++) {
		const struct site *site = &t->sites[inj->site_first + i];
		uint32_t at = inj->image + ref->offset;

		if (site->load_size && !ref->bitfield &&
		    (site->load_image >= at + ref->size || at >= site->load_image + site->load_size))
			continue;
		bpfstamp_site_at(t, ref->injectable, i, &change.site);
		telling->fn(&change, telling->arg);
	}
}

static void tell_leaf(const char *path, const struct part *part, void *arg)
{
	struct telling *telling = arg;
	const struct bpfstamp_stamp *s = telling->s;
	const struct bpfstamp_ref ref = part_ref(part, telling->injectable);
	uint32_t image = s->t->injectables[telling->injectable].image;
	const uint8_t *before = s->t->image + image, *after = s->image + image;

	if (part->bitfield ?
	    part_get_bits(part, s->t->elf.big, before) == part_get_bits(part, s->t->elf.big, after) :
	    !memcmp(before + part->offset, after + part->offset, part->type.size))
		return;
	telling->any = true;
	tell_sites(telling, path, &ref);
}

void bpfstamp_changes(const struct bpfstamp_stamp *s, bpfstamp_change_fn *fn, void *arg)
{
	for (uint32_t i = 0; i < s->t->injectable_count; i++) {
		const struct injectable *inj = &s->t->injectables[i];
		struct telling telling = { .s = s, .injectable = i, .fn = fn, .arg = arg };
		const struct part whole = part_whole(inj);
		const struct bpfstamp_ref ref = part_ref(&whole, i);

		if (!s->touched[i])
			continue;
		if (inj->kind == BPFSTAMP_GLOBAL)
			part_leaves(&whole, &s->t->btf, inj->name, PART_LEAVES_MOST, tell_leaf, &telling);
		if (!telling.any)
			tell_sites(&telling, inj->name, &ref);
	}
}
