// SPDX-License-Identifier: BSD-2-Clause
/*
 * Records in words: what is asked, of which type as C writes it, and the path
 * to a field in C, too, without the members that have no name.  Flavors stay,
 * as the names are those of the program.  A record that makes no sense is
 * shown with the access string as it is.
 */
#include "loader/core.h"

#include <stdarg.h>
#include <stdio.h>

#include "loader/core_spec.h"

struct text {
	char *buf;
	size_t size, len;	/* len as if there were room for all */
};

static void __attribute__((format(printf, 2, 3))) put(struct text *text, const char *fmt, ...)
{
	bool room = text->len < text->size;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(room ? text->buf + text->len : NULL, room ? text->size - text->len : 0, fmt, args);
	va_end(args);
	if (n > 0)
		text->len += (size_t)n;
}

static const char *const asked[CORE_KINDS] = {
	[CORE_FIELD_OFFSET] = "offset of", [CORE_FIELD_SIZE] = "size of", [CORE_FIELD_EXISTS] = "existence of",
	[CORE_FIELD_SIGNED] = "sign of", [CORE_FIELD_LSHIFT] = "left shift of",
	[CORE_FIELD_RSHIFT] = "right shift of",
	[CORE_TYPE_ID_LOCAL] = "id in the object of type", [CORE_TYPE_ID_TARGET] = "id of type",
	[CORE_TYPE_EXISTS] = "existence of type", [CORE_TYPE_SIZE] = "size of type",
	[CORE_ENUM_EXISTS] = "existence of", [CORE_ENUM_VALUE] = "number for", [CORE_TYPE_MATCHES] = "match of type",
};

/* The word that C wants in front of the name of a type. */
static const char *keyword(const struct btf_type *type)
{
	switch (type->kind) {
	case BTF_STRUCT:
		return "struct ";
	case BTF_UNION:
		return "union ";
	case BTF_ENUM:
	case BTF_ENUM64:
		return "enum ";
	case BTF_FWD:
		return type->kind_flag ? "union " : "struct ";
	default:
		return "";
	}
}

static void put_path(struct text *text, const struct core_spec *spec)
{
	uint32_t i;

	for (i = 0; i < spec->count; i++) {
		if (spec->steps[i].name)
			put(text, ".%s", spec->steps[i].name);
		else if (i || spec->steps[i].index)
			put(text, "[%u]", spec->steps[i].index);
	}
}

size_t core_text(char *buf, size_t size, const struct bpfstamp_template *t, const struct btf_core_relo *relo)
{
	struct text text = { buf, size, 0 };
	struct bpfstamp_err ignored;
	struct core_spec spec;
	struct btf_type type;

	btf_type(&t->btf, relo->type, &type);
	if (relo->kind < CORE_KINDS)
		put(&text, "%s %s", asked[relo->kind], keyword(&type));
	else
		put(&text, "kind %u of %s", relo->kind, keyword(&type));
	if (*type.name)
		put(&text, "%s", type.name);
	else
		put(&text, "<type %u>", relo->type);
	if (relo->kind >= CORE_KINDS || core_spec_parse(&spec, &t->btf, relo, &ignored))
		put(&text, " by '%s'", relo->access);
	else if (core_is_enum(relo->kind))
		put(&text, " value %s", spec.enumerator.name);
	else if (core_is_field(relo->kind))
		put_path(&text, &spec);
	return text.len;
}
