/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types of values that can be stamped, and values written as text.
 */
#ifndef LOADER_VALUE_H
#define LOADER_VALUE_H

#include "elf/btf.h"
#include "include/bpfstamp.h"

enum value_form {
	VALUE_BYTES = 0,	/* an aggregate, or anything else of which only the size counts */
	VALUE_INT,
	VALUE_BOOL,
	VALUE_ENUM,
	VALUE_TEXT,		/* char array */
	VALUE_REGISTER,		/* 64 bits of no known type, which a narrower number may fill */
};

struct value_type {
	enum value_form form;
	uint32_t size;		/* bytes in memory */
	uint8_t bits;		/* of INT, BOOL, ENUM, REGISTER: what a value may use */
	bool is_signed;
	bool any_sign;		/* of INT without BTF and some enums: signed or unsigned, nobody knows */
	uint32_t btf;		/* type id, or 0 */
};

/* An untyped value of size bytes, as a symbol without BTF has. */
struct value_type value_untyped(uint32_t size);

/* The type of BTF id, whose size in bytes is size. */
struct value_type value_from_btf(const struct btf *btf, uint32_t id, uint32_t size);

/* The type as in C, cut to fit. btf may be NULL. */
void value_type_text(const struct value_type *type, const struct btf *btf, char *buf, size_t size);

/*
 * Read text as a value of that type into out (type->size bytes), as it stands
 * in memory of a program of that byte order.  btf (or NULL) knows enumerators.
 * The error does not name the variable: the caller wraps it.
 */
int value_parse(const struct value_type *type, const struct btf *btf, bool big, const char *text, uint8_t *out,
		struct bpfstamp_err *err);

/* Check that an integer fits the type, and write it to out; the same error texts. */
int value_from_u64(const struct value_type *type, bool big, uint64_t value, uint8_t *out,
		   struct bpfstamp_err *err);

/* size (1, 2, 4 or 8) bytes of memory as a number, sign-extended where is_signed; and back. */
uint64_t value_load(const void *bytes, uint32_t size, bool is_signed, bool big);
void value_store(void *bytes, uint32_t size, bool big, uint64_t value);

#endif
