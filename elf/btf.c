// SPDX-License-Identifier: BSD-2-Clause
/*
 * The checks of btf_open, and accessors that rest on them.
 *
 * What a type consists of is in one table, kinds: how many bytes follow its
 * first 12, once and for each of its vlen entries, and where among them names
 * and ids of types stand.  Walking, checking and reading all go by it.
 *
 * btf_open walks the types once, writing down where each begins and checking
 * everything that concerns only that type.  What concerns two types, the kind
 * of a DATASEC's entries and the loops, comes after, when any id can be looked
 * up.
 *
 * Loops: take the types as a graph with an edge from each type to those whose
 * size it needs.  Repeatedly removing all types that no remaining type needs
 * empties the graph if and only if it has no loop, in as many rounds as its
 * longest chain has types.  The scratch half of the index holds, for each type,
 * how many remaining edges lead to it; once that is zero the same word is the
 * link of the list of types to remove in this round or the next.  So there is
 * no recursion, no memory but one word a type, and every edge is seen twice.
 *
 * All bytes are read through bytes_get*, so that neither the alignment of the
 * data nor of what its offsets name matters.
 */
#include "elf/btf.h"

#include "include/bytes.h"

enum {
	HEADER_SIZE = 24,
	TYPE_SIZE = 12,
	INFO_UNKNOWN = 0x60ff0000,	/* bits of info without a meaning */
	LINKAGE_MAX = 2,
};

enum reference {
	REF_NONE,	/* the third word is a size, or nothing (FWD, ARRAY) */
	REF_OTHER,	/* the third word is a type */
	REF_CHAIN,	/* so it is, and that type's size is this one's */
};

struct kind {
	uint8_t once, each;	/* bytes that follow the type, and for each of vlen entries */
	bool sized;		/* the third word is a size */
	enum reference reference;
	int8_t entry_name, entry_type;	/* where in an entry; -1 for nowhere */
};

static const struct kind kinds[] = {
	[BTF_INT] = { 4, 0, true, REF_NONE, -1, -1 },
	[BTF_PTR] = { 0, 0, false, REF_OTHER, -1, -1 },
	[BTF_ARRAY] = { 12, 0, false, REF_NONE, -1, -1 },
	[BTF_STRUCT] = { 0, 12, true, REF_NONE, 0, 4 },
	[BTF_UNION] = { 0, 12, true, REF_NONE, 0, 4 },
	[BTF_ENUM] = { 0, 8, true, REF_NONE, 0, -1 },
	[BTF_FWD] = { 0, 0, false, REF_NONE, -1, -1 },
	[BTF_TYPEDEF] = { 0, 0, false, REF_CHAIN, -1, -1 },
	[BTF_VOLATILE] = { 0, 0, false, REF_CHAIN, -1, -1 },
	[BTF_CONST] = { 0, 0, false, REF_CHAIN, -1, -1 },
	[BTF_RESTRICT] = { 0, 0, false, REF_CHAIN, -1, -1 },
	[BTF_FUNC] = { 0, 0, false, REF_OTHER, -1, -1 },
	[BTF_FUNC_PROTO] = { 0, 8, false, REF_OTHER, 0, 4 },
	[BTF_VAR] = { 4, 0, false, REF_CHAIN, -1, -1 },
	[BTF_DATASEC] = { 0, 12, true, REF_NONE, -1, 0 },
	[BTF_FLOAT] = { 0, 0, true, REF_NONE, -1, -1 },
	[BTF_DECL_TAG] = { 4, 0, false, REF_OTHER, -1, -1 },
	[BTF_TYPE_TAG] = { 0, 0, false, REF_CHAIN, -1, -1 },
	[BTF_ENUM64] = { 0, 12, true, REF_NONE, 0, -1 },
};

static uint32_t get32(const struct btf *btf, const uint8_t *p)
{
	return bytes_get32(p, btf->big);
}

/* Where id stands in the index of btf: 0 for void, and for the types of base. */
static uint32_t slot_of(const struct btf *btf, uint32_t id)
{
	return id < btf->first ? 0 : id - btf->first + 1;
}

/* Which of btf and what it continues has type id; of void, the last of them. */
static const struct btf *owner_of(const struct btf *btf, uint32_t id)
{
	while (id < btf->first && btf->base)
		btf = btf->base;
	return btf;
}

static const uint8_t *type_bytes(const struct btf *btf, uint32_t id)
{
	const struct btf *owner = owner_of(btf, id);

	return owner->types + owner->index[slot_of(owner, id)];
}

static enum btf_kind info_kind(uint32_t info)
{
	return (enum btf_kind)(info >> 24 & 0x1f);
}

static uint32_t info_vlen(uint32_t info)
{
	return info & 0xffff;
}

static enum btf_kind type_kind(const struct btf *btf, uint32_t id)
{
	return id ? info_kind(get32(btf, type_bytes(btf, id) + 4)) : BTF_VOID;
}

/* Where entry i of a type stands. */
static const uint8_t *entry_bytes(const struct btf *btf, uint32_t id, uint32_t i)
{
	return type_bytes(btf, id) + TYPE_SIZE + (size_t)i * kinds[type_kind(btf, id)].each;
}

static int fail_at(const struct btf *btf, const uint8_t *p, const char *what, struct elf64_fault *fault)
{
	return elf64_fail(fault, what, (uint64_t)(p - btf->data));
}

int btf_preamble(const void *data, uint64_t size, uint32_t least, bool *big, uint32_t *hdr_len,
		 struct elf64_fault *fault)
{
	const uint8_t *p = data;

	if (size < least)
		return elf64_fail(fault, "data is shorter than its header", size);
	if (size > UINT32_MAX)
		return elf64_fail(fault, "data is 4 GiB or larger", 0);
	*big = bytes_get16(p, true) == 0xeb9f;
	if (!*big && bytes_get16(p, false) != 0xeb9f)
		return elf64_fail(fault, "not BTF", 0);
	if (p[2] != 1)
		return elf64_fail(fault, "unknown version of BTF", 2);
	if (p[3])
		return elf64_fail(fault, "unknown flags of BTF", 3);
	*hdr_len = bytes_get32(p + 4, *big);
	if (*hdr_len < least || *hdr_len > size)
		return elf64_fail(fault, "length of the header is too small or too large", 4);
	return 0;
}

static int check_header(struct btf *btf, const void *data, uint64_t size, struct elf64_fault *fault)
{
	uint32_t hdr_len, room, type_off, str_off;

	btf->data = data;
	if (btf_preamble(data, size, HEADER_SIZE, &btf->big, &hdr_len, fault))
		return -1;
	btf->size = (uint32_t)size;
	room = btf->size - hdr_len;
	type_off = get32(btf, btf->data + 8);
	btf->type_len = get32(btf, btf->data + 12);
	str_off = get32(btf, btf->data + 16);
	btf->str_len = get32(btf, btf->data + 20);
	if (type_off > room || btf->type_len > room - type_off)
		return elf64_fail(fault, "types reach past the end of the data", 8);
	if (str_off > room || btf->str_len > room - str_off)
		return elf64_fail(fault, "strings reach past the end of the data", 16);
	if (type_off < str_off + btf->str_len && str_off < type_off + btf->type_len)
		return elf64_fail(fault, "types and strings overlap", 16);
	btf->types = btf->data + hdr_len + type_off;
	btf->strings = btf->data + hdr_len + str_off;
	return 0;
}

/*
 * Split BTF needs no string of its own, and its first one need not be empty,
 * as offset 0 is in base.
 */
static int check_strings(const struct btf *btf, struct elf64_fault *fault)
{
	bool ends = btf->str_len && !btf->strings[btf->str_len - 1];

	if (!btf->base && (!ends || btf->strings[0]))
		return elf64_fail(fault, "strings do not begin and end in NUL", 16);
	if (btf->base && btf->str_len && !ends)
		return elf64_fail(fault, "strings do not end in NUL", 16);
	return 0;
}

/* Let ids and offsets of strings go on where those of base, if there is one, end. */
static int continue_base(struct btf *btf, const struct btf *base, uint32_t count, struct elf64_fault *fault)
{
	btf->base = base;
	btf->first = base ? base->type_count : 1;
	btf->str_first = base ? base->str_len : 0;
	if (base && btf->big != base->big)
		return elf64_fail(fault, "byte order is not that of the BTF it continues", 0);
	if (check_strings(btf, fault))
		return -1;
	if (btf->str_len > UINT32_MAX - btf->str_first || count - 1 > UINT32_MAX - btf->first)
		return elf64_fail(fault, "too large to continue other BTF", 0);
	btf->str_len += btf->str_first;
	btf->type_count = btf->first + count - 1;
	return 0;
}

/* Check that a whole type of a known kind begins at offset at of the types; *size is its size. */
static int check_shape(const struct btf *btf, uint32_t at, uint32_t *size, struct elf64_fault *fault)
{
	const uint8_t *type = btf->types + at;
	uint32_t info, kind;

	if (btf->type_len - at < TYPE_SIZE)
		return fail_at(btf, type, "types end within a type", fault);
	info = get32(btf, type + 4);
	kind = info_kind(info);
	if (kind == BTF_VOID || kind >= sizeof(kinds) / sizeof(kinds[0]))
		return fail_at(btf, type + 4, "unknown kind of type", fault);
	if (info & INFO_UNKNOWN)
		return fail_at(btf, type + 4, "unknown bits in the info of a type", fault);
	*size = TYPE_SIZE + kinds[kind].once + info_vlen(info) * kinds[kind].each;
	if (btf->type_len - at < *size)
		return fail_at(btf, type, "types end within a type", fault);
	return 0;
}

static int check_id(const struct btf *btf, const uint8_t *p, struct elf64_fault *fault)
{
	return get32(btf, p) < btf->type_count ? 0 : fail_at(btf, p, "type does not exist", fault);
}

static int check_name(const struct btf *btf, const uint8_t *p, struct elf64_fault *fault)
{
	return get32(btf, p) < btf->str_len ? 0 : fail_at(btf, p, "name is outside of the strings", fault);
}

static bool is_power_of_2_up_to(uint32_t n, uint32_t max)
{
	return n && !(n & (n - 1)) && n <= max;
}

static int check_int(const struct btf *btf, const uint8_t *type, struct elf64_fault *fault)
{
	uint32_t size = get32(btf, type + 8), word = get32(btf, type + TYPE_SIZE);
	uint32_t bits = word & 0xff, offset = word >> 16 & 0xff;

	if (!is_power_of_2_up_to(size, 16))
		return fail_at(btf, type + 8, "no integer has this size", fault);
	if (!bits || offset + bits > size * 8)
		return fail_at(btf, type + TYPE_SIZE, "bits of an integer are outside of it", fault);
	return 0;
}

/* Where member i lies: the whole word, or 24 bits of it and the width of a bitfield. */
static void member_bits(uint32_t word, bool kind_flag, uint32_t *offset, uint32_t *width)
{
	*offset = kind_flag ? word & 0xffffff : word;
	*width = kind_flag ? word >> 24 : 0;
}

static int check_members(const struct btf *btf, const uint8_t *type, struct elf64_fault *fault)
{
	uint32_t info = get32(btf, type + 4), i, offset, width;
	uint64_t bits = (uint64_t)get32(btf, type + 8) * 8;
	const uint8_t *member = type + TYPE_SIZE;

	for (i = 0; i < info_vlen(info); i++, member += 12) {
		member_bits(get32(btf, member + 8), info >> 31, &offset, &width);
		if ((uint64_t)offset + width > bits)
			return fail_at(btf, member + 8, "member is outside of its aggregate", fault);
	}
	return 0;
}

/* Check what only types of one kind have to keep to. */
static int check_kind(const struct btf *btf, const uint8_t *type, struct elf64_fault *fault)
{
	uint32_t info = get32(btf, type + 4);

	switch (info_kind(info)) {
	case BTF_INT:
		return check_int(btf, type, fault);
	case BTF_ARRAY:
		if (check_id(btf, type + TYPE_SIZE, fault))
			return -1;
		return check_id(btf, type + TYPE_SIZE + 4, fault);
	case BTF_STRUCT:
	case BTF_UNION:
		return check_members(btf, type, fault);
	case BTF_ENUM:
	case BTF_ENUM64:
		if (!is_power_of_2_up_to(get32(btf, type + 8), 8))
			return fail_at(btf, type + 8, "no enum has this size", fault);
		return 0;
	case BTF_FUNC:
		if (info_vlen(info) > LINKAGE_MAX)
			return fail_at(btf, type + 4, "unknown linkage", fault);
		return 0;
	case BTF_VAR:
		if (get32(btf, type + TYPE_SIZE) > LINKAGE_MAX)
			return fail_at(btf, type + TYPE_SIZE, "unknown linkage", fault);
		return 0;
	default:
		return 0;
	}
}

/* Check all of a type but what depends on other types; its shape is known to be right. */
static int check_type(const struct btf *btf, const uint8_t *type, struct elf64_fault *fault)
{
	uint32_t info = get32(btf, type + 4), i;
	const struct kind *kind = &kinds[info_kind(info)];
	const uint8_t *entry = type + TYPE_SIZE;

	if (check_name(btf, type, fault))
		return -1;
	if (kind->reference != REF_NONE && check_id(btf, type + 8, fault))
		return -1;
	for (i = 0; kind->each && i < info_vlen(info); i++, entry += kind->each) {
		if (kind->entry_name >= 0 && check_name(btf, entry + kind->entry_name, fault))
			return -1;
		if (kind->entry_type >= 0 && check_id(btf, entry + kind->entry_type, fault))
			return -1;
	}
	return check_kind(btf, type, fault);
}

static int check_types(const struct btf *btf, uint32_t *index, uint32_t count, struct elf64_fault *fault)
{
	uint32_t at = 0, size, slot;

	index[0] = 0;
	for (slot = 1; slot < count && at < btf->type_len; slot++, at += size) {
		if (check_shape(btf, at, &size, fault) || check_type(btf, btf->types + at, fault))
			return -1;
		index[slot] = at;
	}
	if (slot != count || at != btf->type_len)
		return fail_at(btf, btf->types + at, "types are not as many as were counted", fault);
	return 0;
}

static int check_datasecs(const struct btf *btf, struct elf64_fault *fault)
{
	const uint8_t *entry;
	enum btf_kind kind;
	uint32_t id, i, n;

	for (id = btf->first; id < btf->type_count; id++) {
		if (type_kind(btf, id) != BTF_DATASEC)
			continue;
		n = info_vlen(get32(btf, type_bytes(btf, id) + 4));
		for (i = 0; i < n; i++) {
			entry = entry_bytes(btf, id, i);
			kind = type_kind(btf, get32(btf, entry));
			if (kind != BTF_VAR && kind != BTF_FUNC)
				return fail_at(btf, entry, "a section holds what is no variable", fault);
		}
	}
	return 0;
}

/*
 * The types whose sizes an own type needs: their number, and in *ids where the
 * first one's id stands; each other one's stands 12 bytes behind the last.
 */
static uint32_t needed(const struct btf *btf, uint32_t slot, const uint8_t **ids)
{
	const uint8_t *type = btf->types + btf->index[slot];
	uint32_t info = get32(btf, type + 4);
	enum btf_kind kind = info_kind(info);

	*ids = type + 8;
	if (kind == BTF_STRUCT || kind == BTF_UNION) {
		*ids = type + TYPE_SIZE + 4;
		return info_vlen(info);
	}
	if (kind == BTF_ARRAY) {
		*ids = type + TYPE_SIZE;
		return 1;
	}
	return kinds[kind].reference == REF_CHAIN;
}

/* Count the edges to each own type; returns the list of those that have none. */
static uint32_t count_edges(const struct btf *btf, uint32_t *edges, uint32_t count)
{
	uint32_t slot, n, list = 0;
	const uint8_t *ids;

	memset(edges, 0, (size_t)count * sizeof(*edges));
	for (slot = 1; slot < count; slot++)
		for (n = needed(btf, slot, &ids); n; n--, ids += 12)
			edges[slot_of(btf, get32(btf, ids))]++;
	for (slot = 1; slot < count; slot++) {
		if (!edges[slot]) {
			edges[slot] = list;
			list = slot;
		}
	}
	return list;
}

/* Remove the types of the list; returns the list of those to which no edge leads any more. */
static uint32_t remove_types(const struct btf *btf, uint32_t *edges, uint32_t list, uint32_t *left)
{
	uint32_t slot, other, n, next = 0;
	const uint8_t *ids;

	while (list) {
		slot = list;
		list = edges[slot];
		edges[slot] = 0;
		--*left;
		for (n = needed(btf, slot, &ids); n; n--, ids += 12) {
			other = slot_of(btf, get32(btf, ids));
			if (other && !--edges[other]) {
				edges[other] = next;
				next = other;
			}
		}
	}
	return next;
}

static int check_loops(struct btf *btf, uint32_t *edges, uint32_t count, struct elf64_fault *fault)
{
	uint32_t left = count - 1, slot;
	uint32_t list = count_edges(btf, edges, count);
	const uint8_t *ids;

	btf->depth = btf->base ? btf->base->depth : 0;
	for (; list; btf->depth++) {
		if (btf->depth >= BTF_MAX_DEPTH)
			return fail_at(btf, btf->types + btf->index[list], "types nest too deeply", fault);
		list = remove_types(btf, edges, list, &left);
	}
	if (!left)
		return 0;
	/* What a loop leads to is left as well; a type that needs none is not in the loop itself. */
	for (slot = 1; !edges[slot] || !needed(btf, slot, &ids); slot++)
		;
	return fail_at(btf, btf->types + btf->index[slot], "type contains itself", fault);
}

int btf_count(const void *data, uint64_t size, uint32_t *count, struct elf64_fault *fault)
{
	uint32_t at, step, n = 1;
	struct btf btf;

	if (check_header(&btf, data, size, fault))
		return -1;
	for (at = 0; at < btf.type_len; at += step, n++)
		if (check_shape(&btf, at, &step, fault))
			return -1;
	*count = n;
	return 0;
}

int btf_open_split(struct btf *btf, const struct btf *base, const void *data, uint64_t size, uint32_t *index,
		   uint32_t count, struct elf64_fault *fault)
{
	if (check_header(btf, data, size, fault) || continue_base(btf, base, count, fault))
		return -1;
	btf->index = index;
	if (check_types(btf, index, count, fault) || check_datasecs(btf, fault))
		return -1;
	return check_loops(btf, index + count, count, fault);
}

int btf_open(struct btf *btf, const void *data, uint64_t size, uint32_t *index, uint32_t count,
	     struct elf64_fault *fault)
{
	return btf_open_split(btf, NULL, data, size, index, count, fault);
}

static void describe_tail(const struct btf *btf, const uint8_t *tail, struct btf_type *out)
{
	uint32_t word;

	switch (out->kind) {
	case BTF_INT:
		word = get32(btf, tail);
		out->int_encoding = word >> 24 & 0xf;
		out->int_offset = word >> 16 & 0xff;
		out->int_bits = word & 0xff;
		break;
	case BTF_ARRAY:
		out->array_type = get32(btf, tail);
		out->array_index_type = get32(btf, tail + 4);
		out->array_count = get32(btf, tail + 8);
		break;
	case BTF_VAR:
		out->linkage = get32(btf, tail);
		break;
	case BTF_DECL_TAG:
		out->component = (int32_t)get32(btf, tail);
		break;
	default:
		break;
	}
}

void btf_type(const struct btf *btf, uint32_t id, struct btf_type *out)
{
	const struct kind *kind;
	const uint8_t *type;
	uint32_t info;

	memset(out, 0, sizeof(*out));
	out->name = "";
	if (!id)
		return;
	type = type_bytes(btf, id);
	info = get32(btf, type + 4);
	kind = &kinds[info_kind(info)];
	out->name = btf_string(btf, get32(btf, type));
	out->kind = info_kind(info);
	out->kind_flag = info >> 31;
	if (kind->each)
		out->vlen = info_vlen(info);
	else if (out->kind == BTF_FUNC)
		out->linkage = info_vlen(info);
	if (kind->sized)
		out->size = get32(btf, type + 8);
	else if (kind->reference != REF_NONE)
		out->type = get32(btf, type + 8);
	describe_tail(btf, type + TYPE_SIZE, out);
}

void btf_member(const struct btf *btf, uint32_t id, uint32_t i, struct btf_member *out)
{
	const uint8_t *entry = entry_bytes(btf, id, i);

	out->name = btf_string(btf, get32(btf, entry));
	out->type = get32(btf, entry + 4);
	member_bits(get32(btf, entry + 8), get32(btf, type_bytes(btf, id) + 4) >> 31, &out->bit_offset,
		    &out->bit_size);
}

void btf_enumerator(const struct btf *btf, uint32_t id, uint32_t i, struct btf_enumerator *out)
{
	uint32_t info = get32(btf, type_bytes(btf, id) + 4);
	const uint8_t *entry = entry_bytes(btf, id, i);

	out->name = btf_string(btf, get32(btf, entry));
	out->value = get32(btf, entry + 4);
	if (info_kind(info) == BTF_ENUM64)
		out->value |= (uint64_t)get32(btf, entry + 8) << 32;
	else if (info >> 31)
		out->value = (uint64_t)(int64_t)(int32_t)out->value;
}

void btf_param(const struct btf *btf, uint32_t id, uint32_t i, struct btf_param *out)
{
	const uint8_t *entry = entry_bytes(btf, id, i);

	out->name = btf_string(btf, get32(btf, entry));
	out->type = get32(btf, entry + 4);
}

void btf_secvar(const struct btf *btf, uint32_t id, uint32_t i, struct btf_secvar *out)
{
	const uint8_t *entry = entry_bytes(btf, id, i);

	out->type = get32(btf, entry);
	out->offset = get32(btf, entry + 4);
	out->size = get32(btf, entry + 8);
}

uint32_t btf_secvar_at(const struct btf *btf, uint32_t id, uint32_t i)
{
	return (uint32_t)(entry_bytes(btf, id, i) - btf->data);
}

uint32_t btf_type_at(const struct btf *btf, uint32_t id)
{
	return (uint32_t)(type_bytes(btf, id) - btf->data);
}

uint32_t btf_resolve(const struct btf *btf, uint32_t id)
{
	enum btf_kind kind;

	for (;;) {
		kind = type_kind(btf, id);
		if (kind == BTF_VAR || kinds[kind].reference != REF_CHAIN)
			return id;
		id = get32(btf, type_bytes(btf, id) + 8);
	}
}

bool btf_size(const struct btf *btf, uint32_t id, uint32_t pointer_size, uint32_t *size)
{
	const uint64_t too_many = (uint64_t)UINT32_MAX + 1;
	uint64_t total = 1;	/* elements of the arrays so far; stays at too_many until times 0 */
	const uint8_t *type;
	enum btf_kind kind;

	for (;;) {
		type = type_bytes(btf, id);
		kind = type_kind(btf, id);
		if (kind == BTF_ARRAY) {
			id = get32(btf, type + TYPE_SIZE);
			total *= get32(btf, type + TYPE_SIZE + 8);
			total = total < too_many ? total : too_many;
		} else if (kinds[kind].reference == REF_CHAIN) {
			id = get32(btf, type + 8);
		} else {
			break;
		}
	}
	if (kind != BTF_PTR && !kinds[kind].sized)
		return false;
	total *= kind == BTF_PTR ? pointer_size : get32(btf, type + 8);
	*size = (uint32_t)total;
	return total < too_many;
}

uint32_t btf_find(const struct btf *btf, enum btf_kind kind, const char *name)
{
	const char *other;
	uint32_t id;

	for (id = 1; id < btf->type_count; id++) {
		other = btf_string(btf, get32(btf, type_bytes(btf, id)));
		if (type_kind(btf, id) == kind && !strcmp(other, name))
			return id;
	}
	return 0;
}

const char *btf_string(const struct btf *btf, uint32_t offset)
{
	if (offset >= btf->str_len)
		return "";
	while (offset < btf->str_first)
		btf = btf->base;
	return (const char *)btf->strings + (offset - btf->str_first);
}
