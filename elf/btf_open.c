// SPDX-License-Identifier: BSD-2-Clause
/*
 * The checks of btf_open, and accessors that rest on them.
 *
 * How long a type is and what its third word means is in one table, kinds.
 *
 * The BTF of a kernel has more than 100,000 types, and opening it is most of
 * what a program with CO-RE relocations waits for; so the types are walked once.
 * How many there are is known only at the end of the walk, so that of the ids
 * that types refer to the highest is kept and judged then.  What needs to look
 * up another type, the kind of a DATASEC's entries and the nesting, comes after.
 *
 * Nesting: the depth of a type is 1 more than the greatest of the types whose
 * sizes it needs; void has 0.  The walk knows those that need none.  The depth
 * of each other is found by descending into those that it needs, and kept, so
 * that every type is entered once and every edge followed once.  A type that is
 * reached while it is being measured contains itself.  The descent keeps its
 * place in BTF_MAX_DEPTH frames; needing more is a fault anyway.  So there is
 * neither recursion nor memory but one word a type, the second half of index.
 *
 * Split BTF: ids below first are those of base, which was proved when it was
 * opened, and cannot refer to what continues it.  A slot is the place of a type
 * among those of its own BTF, from 1; slot 0 stands for all others.
 *
 * All bytes are read through bytes_get*, so that neither the alignment of the
 * data nor of what its offsets name matters.
 */
#include "elf/btf_layout.h"

enum {
	HEADER_SIZE = 24,
	INFO_UNKNOWN = 0x60ff0000,	/* bits of info without a meaning */
	LINKAGE_MAX = 2,
};

__attribute__((cold))
static int fail_at(const struct btf *btf, const uint8_t *p, const char *what, struct elf64_fault *fault)
{
	elf64_fail(fault, what, (uint64_t)(p - btf->data));
	return -1;
}

static int fail_slot(const struct btf *btf, uint32_t slot, const char *what, struct elf64_fault *fault)
{
	return fail_at(btf, btf->types + btf->index[slot], what, fault);
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
	type_off = btf_get32(btf, btf->data + 8);
	btf->type_len = btf_get32(btf, btf->data + 12);
	str_off = btf_get32(btf, btf->data + 16);
	btf->str_len = btf_get32(btf, btf->data + 20);
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
static int continue_base(struct btf *btf, const struct btf *base, struct elf64_fault *fault)
{
	btf->base = base;
	btf->first = base ? base->type_count : 1;
	btf->str_first = base ? base->str_len : 0;
	if (base && btf->big != base->big)
		return elf64_fail(fault, "byte order is not that of the BTF it continues", 0);
	if (check_strings(btf, fault))
		return -1;
	if (btf->str_len > UINT32_MAX - btf->str_first)
		return elf64_fail(fault, "too large to continue other BTF", 0);
	btf->str_len += btf->str_first;
	return 0;
}

/*
 * Check that a whole type of a known kind begins at offset at of the types;
 * *size is its size.  Inline, because a call for each type is a fifth of the
 * time that the walk takes.
 */
static inline int check_shape(const struct btf *btf, uint32_t at, uint32_t *size, struct elf64_fault *fault)
{
	const uint8_t *type = btf->types + at;
	uint32_t info, kind;

	if (btf->type_len - at < BTF_TYPE_LEAST)
		return fail_at(btf, type, "types end within a type", fault);
	info = btf_get32(btf, type + 4);
	kind = btf_info_kind(info);
	if (kind == BTF_VOID || kind >= BTF_KINDS)
		return fail_at(btf, type + 4, "unknown kind of type", fault);
	if (info & INFO_UNKNOWN)
		return fail_at(btf, type + 4, "unknown bits in the info of a type", fault);
	*size = BTF_TYPE_LEAST + btf_layouts[kind].once + btf_info_vlen(info) * btf_layouts[kind].each;
	if (btf->type_len - at < *size)
		return fail_at(btf, type, "types end within a type", fault);
	return 0;
}

/* What one pass over the types finds out and only its end can judge. */
struct pass {
	const struct btf *btf;
	struct elf64_fault *fault;
	uint32_t max_id;	/* the highest id that a type refers to */
	const uint8_t *max_at;	/* where it stands */
	uint32_t datasec;	/* the slot of the first DATASEC, or 0 */
};

static void note_id(struct pass *pass, const uint8_t *p)
{
	uint32_t id = btf_get32(pass->btf, p);

	pass->max_at = id > pass->max_id ? p : pass->max_at;
	pass->max_id = id > pass->max_id ? id : pass->max_id;
}

static int check_name(const struct pass *pass, const uint8_t *p)
{
	if (btf_get32(pass->btf, p) < pass->btf->str_len)
		return 0;
	return fail_at(pass->btf, p, "name is outside of the strings", pass->fault);
}

static bool is_power_of_2_up_to(uint32_t n, uint32_t max)
{
	return n && !(n & (n - 1)) && n <= max;
}

static int check_int(const struct btf *btf, const uint8_t *type, struct elf64_fault *fault)
{
	uint32_t size = btf_get32(btf, type + 8), word = btf_get32(btf, type + BTF_TYPE_LEAST);
	uint32_t bits = word & 0xff, offset = word >> 16 & 0xff;

	if (!is_power_of_2_up_to(size, 16))
		return fail_at(btf, type + 8, "no integer has this size", fault);
	if (!bits || offset + bits > size * 8)
		return fail_at(btf, type + BTF_TYPE_LEAST, "bits of an integer are outside of it", fault);
	return 0;
}

static int check_members(struct pass *pass, const uint8_t *type, uint32_t info)
{
	uint64_t bits = (uint64_t)btf_get32(pass->btf, type + 8) * 8;
	const uint8_t *member = type + BTF_TYPE_LEAST, *end = member + (size_t)btf_info_vlen(info) * 12;
	uint32_t offset, width;

	for (; member < end; member += 12) {
		if (check_name(pass, member))
			return -1;
		note_id(pass, member + 4);
		btf_member_bits(btf_get32(pass->btf, member + 8), info >> 31, &offset, &width);
		if ((uint64_t)offset + width > bits)
			return fail_at(pass->btf, member + 8, "member is outside of its aggregate", pass->fault);
	}
	return 0;
}

static int check_enumerators(const struct pass *pass, const uint8_t *type, uint32_t vlen, uint32_t each)
{
	const uint8_t *entry = type + BTF_TYPE_LEAST, *end = entry + (size_t)vlen * each;

	if (!is_power_of_2_up_to(btf_get32(pass->btf, type + 8), 8))
		return fail_at(pass->btf, type + 8, "no enum has this size", pass->fault);
	for (; entry < end; entry += each)
		if (check_name(pass, entry))
			return -1;
	return 0;
}

static int check_params(struct pass *pass, const uint8_t *type, uint32_t vlen)
{
	const uint8_t *param = type + BTF_TYPE_LEAST, *end = param + (size_t)vlen * 8;

	for (; param < end; param += 8) {
		if (check_name(pass, param))
			return -1;
		note_id(pass, param + 4);
	}
	return 0;
}

/* Check all of a type but what depends on other types; its shape is known to be right. */
static int check_type(struct pass *pass, const uint8_t *type, uint32_t info)
{
	const struct btf *btf = pass->btf;
	uint32_t i;

	if (check_name(pass, type))
		return -1;
	if (btf_layouts[btf_info_kind(info)].reference != BTF_REF_NONE)
		note_id(pass, type + 8);
	switch (btf_info_kind(info)) {
	case BTF_INT:
		return check_int(btf, type, pass->fault);
	case BTF_ARRAY:
		note_id(pass, type + BTF_TYPE_LEAST);
		note_id(pass, type + BTF_TYPE_LEAST + 4);
		return 0;
	case BTF_STRUCT:
	case BTF_UNION:
		return check_members(pass, type, info);
	case BTF_ENUM:
		return check_enumerators(pass, type, btf_info_vlen(info), 8);
	case BTF_ENUM64:
		return check_enumerators(pass, type, btf_info_vlen(info), 12);
	case BTF_FUNC_PROTO:
		return check_params(pass, type, btf_info_vlen(info));
	case BTF_DATASEC:
		for (i = 0; i < btf_info_vlen(info); i++)
			note_id(pass, type + BTF_TYPE_LEAST + 12 * (size_t)i);
		return 0;
	case BTF_FUNC:
		if (btf_info_vlen(info) > LINKAGE_MAX)
			return fail_at(btf, type + 4, "unknown linkage", pass->fault);
		return 0;
	case BTF_VAR:
		if (btf_get32(btf, type + BTF_TYPE_LEAST) > LINKAGE_MAX)
			return fail_at(btf, type + BTF_TYPE_LEAST, "unknown linkage", pass->fault);
		return 0;
	default:
		return 0;
	}
}

/* Whether the size of a type depends on that of another. */
static bool needs_others(uint32_t info)
{
	enum btf_kind kind = btf_info_kind(info);

	return kind == BTF_STRUCT || kind == BTF_UNION || kind == BTF_ARRAY ||
	       btf_layouts[kind].reference == BTF_REF_CHAIN;
}

/* Check that DATASECs, the first of which is in that slot, hold variables. */
static int check_datasecs(const struct btf *btf, uint32_t slot, struct elf64_fault *fault)
{
	const uint8_t *entry;
	enum btf_kind kind;
	uint32_t id, i, n;

	for (id = btf->first + slot - 1; id < btf->type_count; id++) {
		if (btf_type_kind(btf, id) != BTF_DATASEC)
			continue;
		n = btf_info_vlen(btf_get32(btf, btf_type_bytes(btf, id) + 4));
		for (i = 0; i < n; i++) {
			entry = btf_entry_bytes(btf, id, i);
			kind = btf_type_kind(btf, btf_get32(btf, entry));
			if (kind != BTF_VAR && kind != BTF_FUNC)
				return fail_at(btf, entry, "a section holds what is no variable", fault);
		}
	}
	return 0;
}

/*
 * Check the types one by one, write down where each begins and, for
 * check_nesting, which are the end of every chain.
 */
static int check_types(struct btf *btf, uint32_t *index, uint32_t *depths, uint32_t count,
		       struct elf64_fault *fault)
{
	struct pass pass = { btf, fault, 0, btf->types, 0 };
	uint32_t at, size, slot = 1, info;

	index[0] = 0;
	for (at = 0; at < btf->type_len; at += size, slot++) {
		if (slot == count)
			return fail_at(btf, btf->types + at, "types are more than were counted", fault);
		if (check_shape(btf, at, &size, fault))
			return -1;
		info = btf_get32(btf, btf->types + at + 4);
		if (check_type(&pass, btf->types + at, info))
			return -1;
		index[slot] = at;
		depths[slot] = !needs_others(info);
		if (btf_info_kind(info) == BTF_DATASEC && !pass.datasec)
			pass.datasec = slot;
	}
	if (slot - 1 > UINT32_MAX - btf->first)
		return elf64_fail(fault, "too large to continue other BTF", 0);
	btf->type_count = btf->first + slot - 1;
	if (pass.max_id >= btf->type_count)
		return fail_at(btf, pass.max_at, "type does not exist", fault);
	return pass.datasec ? check_datasecs(btf, pass.datasec, fault) : 0;
}

/*
 * The types whose sizes an own type needs: their number, and in *ids where the
 * first one's id stands; each other one's stands 12 bytes behind the last.
 */
static uint32_t needed(const struct btf *btf, uint32_t slot, const uint8_t **ids)
{
	const uint8_t *type = btf->types + btf->index[slot];
	uint32_t info = btf_get32(btf, type + 4);
	enum btf_kind kind = btf_info_kind(info);

	*ids = type + 8;
	if (kind == BTF_STRUCT || kind == BTF_UNION) {
		*ids = type + BTF_TYPE_LEAST + 4;
		return btf_info_vlen(info);
	}
	if (kind == BTF_ARRAY) {
		*ids = type + BTF_TYPE_LEAST;
		return 1;
	}
	return btf_layouts[kind].reference == BTF_REF_CHAIN;
}

#define BUSY UINT32_MAX	/* in depths: the type is in a frame */

struct frame {	/* a type whose depth is being found out */
	uint32_t slot;
	uint32_t left, below;	/* ids not looked at yet; the greatest depth of the others */
	const uint8_t *ids;
};

static void enter(const struct btf *btf, struct frame *frame, uint32_t *depths, uint32_t slot)
{
	frame->slot = slot;
	frame->left = needed(btf, slot, &frame->ids);
	frame->below = 0;
	depths[slot] = BUSY;
}

/* Find out the depth of the type in a slot, and of all that it needs. */
static int measure(const struct btf *btf, uint32_t *depths, uint32_t slot, struct elf64_fault *fault)
{
	struct frame frames[BTF_MAX_DEPTH], *top = frames;
	uint32_t id, depth;

	enter(btf, top, depths, slot);
	for (;;) {
		if (top->left) {
			id = btf_get32(btf, top->ids);
			top->ids += 12;
			top->left--;
			slot = btf_slot(btf, id);
			depth = slot ? depths[slot] : id ? btf->base->depth : 0;
			if (depth == BUSY)
				return fail_slot(btf, slot, "type contains itself", fault);
			if (slot && !depth) {
				if (++top == frames + BTF_MAX_DEPTH)
					return fail_slot(btf, slot, "types nest too deeply", fault);
				enter(btf, top, depths, slot);
				continue;
			}
		} else {
			depth = top->below + 1;
			if (depth > BTF_MAX_DEPTH)
				return fail_slot(btf, top->slot, "types nest too deeply", fault);
			depths[top->slot] = depth;
			if (top == frames)
				return 0;
			top--;
		}
		if (depth > top->below)
			top->below = depth;
	}
}

static int check_nesting(struct btf *btf, uint32_t *depths, uint32_t count, struct elf64_fault *fault)
{
	uint32_t slot;

	btf->depth = btf->base ? btf->base->depth : 0;
	for (slot = 1; slot < count; slot++) {
		if (!depths[slot] && measure(btf, depths, slot, fault))
			return -1;
		if (depths[slot] > btf->depth)
			btf->depth = depths[slot];
	}
	return 0;
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
	uint32_t *depths = index + count;

	btf->index = index;
	if (check_header(btf, data, size, fault) || continue_base(btf, base, fault) ||
	    check_types(btf, index, depths, count, fault))
		return -1;
	return check_nesting(btf, depths, btf->type_count - btf->first + 1, fault);
}

int btf_open(struct btf *btf, const void *data, uint64_t size, uint32_t *index, uint32_t count,
	     struct elf64_fault *fault)
{
	return btf_open_split(btf, NULL, data, size, index, count, fault);
}
