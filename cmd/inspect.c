// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp inspect: what an object has, and above all what can be stamped into
 * it and where each value would go.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/output.h"

static char *value_of(const struct bpfstamp_template *t, uint32_t injectable)
{
	struct bpfstamp_ref ref;

	bpfstamp_whole(t, injectable, &ref);
	return output_value(t, NULL, &ref);
}

/* ------------------------------------------------------------------ text */

static void print_programs(const struct bpfstamp_template *t)
{
	struct bpfstamp_program p;

	for (uint32_t i = 0; i < bpfstamp_program_count(t); i++) {
		bpfstamp_program_at(t, i, &p);
		output_format(stdout, "%s %s: section %s, %u instructions", p.entry ? "program" : "subprogram",
			      p.name, p.section, p.insns);
		if (p.type)
			printf(", type %s", bpfstamp_prog_type_name(p.type));
		if (p.core_relocs)
			printf(", %u CO-RE relocation%s", p.core_relocs, p.core_relocs == 1 ? "" : "s");
		putchar('\n');
	}
}

static void print_maps(const struct bpfstamp_template *t)
{
	for (uint32_t i = 0; i < bpfstamp_map_count(t); i++) {
		struct bpfstamp_map m;
		const char *type;

		bpfstamp_map_at(t, i, &m);
		type = bpfstamp_map_type_name(m.type);
		output_format(stdout, "map %s: %s, key %u, value %u, %u entries%s%s%s%s\n", m.name,
			      type ? type : "unknown type", m.key_size, m.value_size, m.max_entries,
			      m.readonly ? ", read-only" : "", m.pin ? ", pinned by " : "", m.pin ? m.pin : "",
			      m.refs ? "" : ", not used");
	}
}

static void print_externs(const struct bpfstamp_template *t)
{
	struct bpfstamp_extern e;

	for (uint32_t i = 0; i < bpfstamp_extern_count(t); i++) {
		bpfstamp_extern_at(t, i, &e);
		output_format(stdout, "extern %s: %s%s\n", e.name, e.kind, e.weak ? ", weak" : "");
	}
}

static void print_place(const char *before, const struct bpfstamp_site *site)
{
	fputs(before, stdout);
	output_place(stdout, site);
	putchar('\n');
}

static void print_injectables(const struct bpfstamp_template *t)
{
	for (uint32_t i = 0; i < bpfstamp_injectable_count(t); i++) {
		struct bpfstamp_injectable inj;
		char *value;

		bpfstamp_injectable_at(t, i, &inj);
		value = value_of(t, i);
		output_format(stdout, "%s %s: %s, %u byte%s", output_kind(inj.kind), inj.name, inj.type,
			      inj.size, inj.size == 1 ? "" : "s");
		if (value)
			printf(", default %.200s", value);
		printf(", %u site%s%s\n", inj.site_count, inj.site_count == 1 ? "" : "s",
		       inj.site_count ? "" : ": cannot be stamped");
		free(value);
		for (uint32_t k = 0; k < inj.site_count; k++) {
			struct bpfstamp_site site;

			bpfstamp_site_at(t, i, k, &site);
			print_place("  ", &site);
		}
		if (inj.inlined_count)
			printf("  inlined at %u site%s\n", inj.inlined_count, inj.inlined_count == 1 ? "" : "s");
		if (inj.kept) {
			printf("  kept: %s", inj.kept);
			print_place(", at ", &inj.kept_at);
		}
	}
}

/* ------------------------------------------------------------------ JSON */

static json_t *programs_json(const struct bpfstamp_template *t)
{
	json_t *array = json_array();
	struct bpfstamp_program p;

	for (uint32_t i = 0; i < bpfstamp_program_count(t); i++) {
		bpfstamp_program_at(t, i, &p);
		json_array_append_new(array, json_pack("{s:o, s:o, s:b, s:s?, s:I, s:I}",
						       "name", output_text(p.name),
						       "section", output_text(p.section), "entry", (int)p.entry,
						       "type", p.type ? bpfstamp_prog_type_name(p.type) : NULL,
						       "insns", (json_int_t)p.insns,
						       "core_relocs", (json_int_t)p.core_relocs));
	}
	return array;
}

static json_t *maps_json(const struct bpfstamp_template *t)
{
	json_t *array = json_array();
	struct bpfstamp_map m;

	for (uint32_t i = 0; i < bpfstamp_map_count(t); i++) {
		bpfstamp_map_at(t, i, &m);
		json_array_append_new(array, json_pack("{s:o, s:o, s:s?, s:I, s:I, s:I, s:I, s:b, s:b, s:s?, s:I}",
						       "name", output_text(m.name), "section", output_text(m.section),
						       "type", bpfstamp_map_type_name(m.type),
						       "key_size", (json_int_t)m.key_size,
						       "value_size", (json_int_t)m.value_size,
						       "max_entries", (json_int_t)m.max_entries,
						       "flags", (json_int_t)m.flags, "data", (int)m.data,
						       "readonly", (int)m.readonly, "pin", m.pin, "refs",
						       (json_int_t)m.refs));
	}
	return array;
}

static json_t *externs_json(const struct bpfstamp_template *t)
{
	json_t *array = json_array();
	struct bpfstamp_extern e;

	for (uint32_t i = 0; i < bpfstamp_extern_count(t); i++) {
		bpfstamp_extern_at(t, i, &e);
		json_array_append_new(array, json_pack("{s:o, s:s, s:b}", "name", output_text(e.name), "kind", e.kind,
						       "weak", (int)e.weak));
	}
	return array;
}

static json_t *sites_json(const struct bpfstamp_template *t, uint32_t injectable, uint32_t count)
{
	json_t *array = json_array();
	struct bpfstamp_site site;

	for (uint32_t k = 0; k < count; k++) {
		bpfstamp_site_at(t, injectable, k, &site);
		json_array_append_new(array, json_pack("{s:o, s:I, s:o, s:I}",
						       "program", output_text(site.program),
						       "insn", (json_int_t)site.insn,
						       "file", output_text(site.file),
						       "line", (json_int_t)site.line));
	}
	return array;
}

struct manifest {
	const struct bpfstamp_template *t;
	const char *section;	/* where the name alone is ambiguous */
	json_t *values;
};

static void add_value(const struct bpfstamp_leaf *leaf, void *arg)
{
	struct manifest *m = arg;
	struct bpfstamp_err ignored;
	struct bpfstamp_ref ref;
	char name[1024], *value = output_value(m->t, NULL, &leaf->ref);

	snprintf(name, sizeof(name), "%s", leaf->path);
	if (bpfstamp_find(m->t, name, &ref, &ignored))
		snprintf(name, sizeof(name), "%s:%s", m->section, leaf->path);
	if (value)
		json_object_set_new(m->values, name, json_string(value));
	free(value);
}

/* Every value that can be set, by its path: what --set-file reads. */
static json_t *values_json(const struct bpfstamp_template *t)
{
	struct manifest m = { .t = t, .values = json_object() };
	struct bpfstamp_injectable inj;

	for (uint32_t i = 0; i < bpfstamp_injectable_count(t); i++) {
		bpfstamp_injectable_at(t, i, &inj);
		m.section = inj.section;
		if (inj.site_count)
			bpfstamp_leaves(t, i, add_value, &m);
	}
	return m.values;
}

static json_t *injectables_json(const struct bpfstamp_template *t)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < bpfstamp_injectable_count(t); i++) {
		struct bpfstamp_injectable inj;
		char *value;

		bpfstamp_injectable_at(t, i, &inj);
		value = value_of(t, i);
		json_array_append_new(array, json_pack("{s:o, s:s, s:o, s:o, s:I, s:I, s:b, s:s?, s:I, s:o, s:o}",
						       "name", output_text(inj.name), "kind", output_kind(inj.kind),
						       "section", output_text(inj.section),
						       "type", output_text(inj.type), "size", (json_int_t)inj.size,
						       "bits", (json_int_t)inj.bits, "signed", (int)inj.is_signed,
						       "default", value, "inlined", (json_int_t)inj.inlined_count,
						       "kept", output_text(inj.kept),
						       "sites", sites_json(t, i, inj.site_count)));
		free(value);
	}
	return array;
}

int cmd_inspect(const struct options *o, struct bpfstamp_err *err)
{
	struct bpfstamp_template *t;
	int ret = 0;

	if (bpfstamp_open_file(&t, o->object, err))
		return -1;
	if (o->inline_globals && bpfstamp_inline(t, err)) {
		bpfstamp_close(t);
		return -1;
	}
	if (o->json) {
		ret = output_json(json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "object",
					    output_text(o->object), "license", output_text(bpfstamp_license(t)),
					    "byte_order", bpfstamp_big_endian(t) ? "big" : "little",
					    "programs", programs_json(t), "maps", maps_json(t),
					    "externs", externs_json(t), "injectables", injectables_json(t), "values",
					    values_json(t)), err);
	} else {
		print_programs(t);
		print_maps(t);
		print_externs(t);
		print_injectables(t);
	}
	bpfstamp_close(t);
	return ret;
}
