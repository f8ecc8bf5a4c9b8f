// SPDX-License-Identifier: BSD-2-Clause
/*
 * What stands for a kind of BTF on a kernel that does not know it (libbpf does
 * the same).  Each takes as many bytes as what it replaces:
 *
 *     kind_flag of DECL_TAG, TYPE_TAG    cleared: the attribute is a tag of that name
 *     DATASEC "?name"                    DATASEC "name"
 *     ENUM64                             union of as many members of one byte
 *     kind_flag of ENUM                  cleared: enumerators are unsigned
 *     TYPE_TAG                           const
 *     DECL_TAG                           int
 *     FLOAT, DATASEC without variables   struct without members
 *     FUNC that is global                FUNC that is static
 *     DATASEC, VAR                       struct, int
 *     FUNC, FUNC_PROTO                   typedef, enum
 *     kind_flag of STRUCT, UNION, FWD    cleared; bitfields become whole bytes
 *
 * Only what the kernel prints of the types suffers: maps and programs need the
 * sizes.  Kernels check names, so what stands for a thing drops the name where
 * it would not be one of the new kind: the dots of sections and of static
 * variables, for example.
 *
 * Which kinds a kernel lacks is asked with the smallest BTF of each, after it
 * refused an object: the object itself may be at fault, and a replacement
 * could hide that.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "loader/btfkinds.h"
#include "loader/sys.h"

enum { INT8 = 8, INT32 = 32 };	/* the word of an INT: its bits */

static bool has(uint32_t set, enum lack lack)
{
	return set >> lack & 1;
}

static const char *type_name(const struct btfcopy *c, const struct btfcopy_type *type)
{
	return btf_string(c->from, type->name);
}

/* What one type needs: for DECL_TAG and TYPE_TAG with kind_flag, two things. */
static uint32_t needs(const struct btfcopy *c, const struct btfcopy_type *type)
{
	const uint32_t flag = type->kind_flag ? 1u << LACKS_BTF_TAG_FLAG : 0;

	switch (type->kind) {
	case BTF_ENUM64:
		return 1u << LACKS_BTF_ENUM64;
	case BTF_ENUM:
		return type->kind_flag ? 1u << LACKS_BTF_ENUM64 : 0;
	case BTF_TYPE_TAG:
		return 1u << LACKS_BTF_TYPE_TAG | flag;
	case BTF_DECL_TAG:
		return 1u << LACKS_BTF_DECL_TAG | flag;
	case BTF_FLOAT:
		return 1u << LACKS_BTF_FLOAT;
	case BTF_VAR:
		return 1u << LACKS_BTF_DATASEC;
	case BTF_DATASEC:
		return 1u << LACKS_BTF_DATASEC | (*type_name(c, type) == '?' ? 1u << LACKS_BTF_QMARK : 0) |
		       (type->vlen ? 0 : 1u << LACKS_BTF_EMPTY);
	case BTF_FUNC:
		return 1u << LACKS_BTF_FUNC | (type->vlen ? 1u << LACKS_BTF_FUNC_GLOBAL : 0);
	case BTF_FUNC_PROTO:
		return 1u << LACKS_BTF_FUNC;
	case BTF_STRUCT:
	case BTF_UNION:
	case BTF_FWD:
		return type->kind_flag ? 1u << LACKS_BTF_FUNC : 0;
	default:
		return 0;
	}
}

uint32_t btfkinds_of(const struct btfcopy *c)
{
	uint32_t set = 0;

	for (uint32_t id = 1; id < c->type_count; id++) {
		struct btfcopy_type type = btfcopy_type(c, id);

		set |= needs(c, &type);
	}
	return set;
}

/* ----------------------------------------------------------- replacement */

struct replacing {
	struct btfcopy *copy;
	uint32_t lacking;
	uint32_t byte;		/* an INT of one byte, or 0: not needed so far */
};

static uint32_t one_byte(struct replacing *r)
{
	if (!r->byte)
		r->byte = btfcopy_add(r->copy, 0, BTF_INT, 1, INT8);
	return r->byte;
}

static void enum64_to_union(struct replacing *r, struct btfcopy_type *type)
{
	type->kind = BTF_UNION;
	type->kind_flag = false;
	for (uint32_t i = 0; i < type->vlen; i++) {
		btfcopy_set_word(r->copy, type, 3 * i + 1, one_byte(r));
		btfcopy_set_word(r->copy, type, 3 * i + 2, 0);
	}
}

/* One byte is no larger than any variable or tag. */
static void word_to_int(struct replacing *r, struct btfcopy_type *type)
{
	type->kind = BTF_INT;
	type->kind_flag = false;
	type->third = 1;
	btfcopy_set_word(r->copy, type, 0, INT8);
}

static void datasec_to_struct(struct replacing *r, struct btfcopy_type *type)
{
	type->kind = BTF_STRUCT;
	type->name = 0;
	for (uint32_t i = 0; i < type->vlen; i++) {
		uint32_t var = btfcopy_word(r->copy, type, 3 * i);
		uint32_t offset = btfcopy_word(r->copy, type, 3 * i + 1);

		btfcopy_set_word(r->copy, type, 3 * i, 0);
		btfcopy_set_word(r->copy, type, 3 * i + 1, var);
		btfcopy_set_word(r->copy, type, 3 * i + 2, offset * 8);
	}
}

/* Parameters become enumerators, which must have names. */
static void proto_to_enum(struct replacing *r, struct btfcopy_type *type)
{
	type->kind = BTF_ENUM;
	type->third = 4;
	for (uint32_t i = 0; i < type->vlen; i++)
		if (!btfcopy_word(r->copy, type, 2 * i))
			btfcopy_set_word(r->copy, type, 2 * i, btfcopy_any_name(r->copy));
}

static void clear_bitfields(struct replacing *r, struct btfcopy_type *type)
{
	type->kind_flag = false;
	for (uint32_t i = 0; type->kind != BTF_FWD && i < type->vlen; i++) {
		uint32_t place = btfcopy_word(r->copy, type, 3 * i + 2);

		if (place >> 24) {
			btfcopy_set_word(r->copy, type, 3 * i + 1, one_byte(r));
			place &= 0xfffff8;
		}
		btfcopy_set_word(r->copy, type, 3 * i + 2, place);
	}
}

static void replace_tag(struct replacing *r, struct btfcopy_type *type)
{
	if (type->kind == BTF_DECL_TAG && has(r->lacking, LACKS_BTF_DECL_TAG)) {
		word_to_int(r, type);
	} else if (type->kind == BTF_TYPE_TAG && has(r->lacking, LACKS_BTF_TYPE_TAG)) {
		type->kind = BTF_CONST;
		type->kind_flag = false;
		type->name = 0;
	} else if (has(r->lacking, LACKS_BTF_TAG_FLAG)) {
		type->kind_flag = false;
	}
}

static void replace_section(struct replacing *r, struct btfcopy_type *type)
{
	if (has(r->lacking, LACKS_BTF_DATASEC) || (has(r->lacking, LACKS_BTF_EMPTY) && !type->vlen))
		datasec_to_struct(r, type);
	else if (has(r->lacking, LACKS_BTF_QMARK) && *type_name(r->copy, type) == '?')
		type->name++;
}

static void replace_func(struct replacing *r, struct btfcopy_type *type)
{
	if (has(r->lacking, LACKS_BTF_FUNC_GLOBAL) || has(r->lacking, LACKS_BTF_FUNC))
		type->vlen = 0;
	if (has(r->lacking, LACKS_BTF_FUNC))
		type->kind = BTF_TYPEDEF;
}

/* A float has no name that a struct may have. */
static void float_to_struct(struct btfcopy_type *type)
{
	type->kind = BTF_STRUCT;
	type->name = 0;
}

static void replace(struct replacing *r, struct btfcopy_type *type)
{
	switch (type->kind) {
	case BTF_DECL_TAG:
	case BTF_TYPE_TAG:
		replace_tag(r, type);
		break;
	case BTF_ENUM64:
		enum64_to_union(r, type);
		break;
	case BTF_ENUM:
		type->kind_flag = false;
		break;
	case BTF_FLOAT:
		float_to_struct(type);
		break;
	case BTF_VAR:
		word_to_int(r, type);
		break;
	case BTF_DATASEC:
		replace_section(r, type);
		break;
	case BTF_FUNC:
		replace_func(r, type);
		break;
	case BTF_FUNC_PROTO:
		proto_to_enum(r, type);
		break;
	default:
		clear_bitfields(r, type);
	}
	btfcopy_store(r->copy, type);
}

void btfkinds_replace(struct btfcopy *c, uint32_t lacking)
{
	struct replacing r = { .copy = c, .lacking = lacking };
	uint32_t count = c->type_count;

	for (uint32_t id = 1; id < count; id++) {
		struct btfcopy_type type = btfcopy_type(c, id);

		if (needs(c, &type) & lacking)
			replace(&r, &type);
	}
}

/* --------------------------------------------------------------- kernels */

#define INFO(kind, flag, vlen) ((uint32_t)(flag) << 31 | (uint32_t)(kind) << 24 | (vlen))
#define INT 0, INFO(BTF_INT, 0, 0), 4, INT32
#define PROTO 0, INFO(BTF_FUNC_PROTO, 0, 0), 1
#define VAR NAME, INFO(BTF_VAR, 0, 0), 1, 0

static const char probe_strings[] = "\0a\0?a";

enum { NAME = 1, QMARK_NAME = 3, PROBE_WORDS = 14 };	/* offsets in probe_strings */

/* By lack: what it is called, and the types (in words) of the smallest BTF that has it; type 1 is an int. */
static const struct {
	const char *name;
	uint32_t words, types[PROBE_WORDS];
} kinds[] = {
	[LACKS_BTF_TAG_FLAG] = { "kind_flag of tags (Linux 6.15)", 7,
				 { INT, NAME, INFO(BTF_TYPE_TAG, 1, 0), 1 } },
	[LACKS_BTF_QMARK] = { "DATASECs whose name begins with '?' (Linux 6.9)", 14,
			      { INT, VAR, QMARK_NAME, INFO(BTF_DATASEC, 0, 1), 4, 2, 0, 4 } },
	[LACKS_BTF_ENUM64] = { "BTF_KIND_ENUM64 and signed enums (Linux 6.0)", 10,
			       { INT, NAME, INFO(BTF_ENUM64, 0, 1), 8, NAME, 0, 0 } },
	[LACKS_BTF_TYPE_TAG] = { "BTF_KIND_TYPE_TAG (Linux 5.17)", 7,
				 { INT, NAME, INFO(BTF_TYPE_TAG, 0, 0), 1 } },
	[LACKS_BTF_DECL_TAG] = { "BTF_KIND_DECL_TAG (Linux 5.16)", 12,
				 { INT, VAR, NAME, INFO(BTF_DECL_TAG, 0, 0), 2, UINT32_MAX } },
	[LACKS_BTF_FLOAT] = { "BTF_KIND_FLOAT (Linux 5.13)", 7,
			      { INT, NAME, INFO(BTF_FLOAT, 0, 0), 4 } },
	[LACKS_BTF_EMPTY] = { "DATASECs without variables (Linux 5.12)", 7,
			      { INT, NAME, INFO(BTF_DATASEC, 0, 0), 4 } },
	[LACKS_BTF_FUNC_GLOBAL] = { "global functions in BTF (Linux 5.6)", 10,
				    { INT, PROTO, NAME, INFO(BTF_FUNC, 0, 1), 2 } },
	[LACKS_BTF_DATASEC] = { "BTF_KIND_DATASEC (Linux 5.2)", 14,
				{ INT, VAR, NAME, INFO(BTF_DATASEC, 0, 1), 4, 2, 0, 4 } },
	[LACKS_BTF_FUNC] = { "BTF_KIND_FUNC (Linux 5.0)", 10,
			     { INT, PROTO, NAME, INFO(BTF_FUNC, 0, 0), 2 } },
	[LACKS_BTF] = { "BTF (Linux 4.18)", 4, { INT } },
};

/* Only EINVAL is about the kind. */
static bool refused(enum lack lack)
{
	const uint32_t types = 4 * kinds[lack].words;
	const uint32_t header[6] = { 0, 24, 0, types, types, sizeof(probe_strings) };
	uint8_t btf[sizeof(header) + 4 * PROBE_WORDS + sizeof(probe_strings)];
	const uint16_t magic = 0xeb9f;
	int fd;

	memcpy(btf, header, sizeof(header));
	memcpy(btf, &magic, sizeof(magic));
	btf[2] = 1;
	memcpy(btf + sizeof(header), kinds[lack].types, types);
	memcpy(btf + sizeof(header) + types, probe_strings, sizeof(probe_strings));
	fd = sys_btf_load(btf, (uint32_t)(sizeof(header) + types + sizeof(probe_strings)), NULL, 0);
	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EINVAL;
}

uint32_t btfkinds_lacking(uint32_t set)
{
	uint32_t lacking = 0;

	for (int lack = LACKS_BTF_TAG_FLAG; lack <= LACKS_BTF; lack++)
		if (has(set, (enum lack)lack) && refused((enum lack)lack))
			lacking |= 1u << lack;
	return lacking;
}

const char *btfkinds_name(enum lack lack)
{
	return kinds[lack].name;
}
