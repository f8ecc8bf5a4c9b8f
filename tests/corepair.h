/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two BTFs, of an object and of a kernel, for tests of CO-RE.
 *
 *	struct corepair pair;
 *
 *	corepair_begin(&pair, false);
 *	id = corepair_int(pair.local, "int", 4, BTF_INT_SIGNED);
 *	…					// types of pair.local and of pair.target
 *	corepair_open(&pair);
 *	corepair_imm(&pair, CORE_TYPE_SIZE, id, "0", 4, 8);
 *	corepair_close(&pair);
 *
 * The kernel's BTF becomes a file for kernel_open.
 */
#ifndef TESTS_COREPAIR_H
#define TESTS_COREPAIR_H

#include "loader/core.h"
#include "loader/core_spec.h"
#include "tests/btfgen.h"

struct corepair {
	struct btfgen *local, *target;	/* until corepair_open */
	struct bpfstamp_template t;	/* of which only btf is filled in */
	struct kernel *k;
	bool big;
	uint8_t *bytes;
	uint32_t *index;
};

void corepair_begin(struct corepair *pair, bool big);
void corepair_open(struct corepair *pair);
void corepair_close(struct corepair *pair);

struct corepair_member {
	const char *name;
	uint32_t type;
	uint32_t bit_offset, bit_size;
};

uint32_t corepair_int(struct btfgen *gen, const char *name, uint32_t size, uint32_t encoding);
uint32_t corepair_array(struct btfgen *gen, uint32_t type, uint32_t count);

/* A STRUCT or UNION. */
uint32_t corepair_struct(struct btfgen *gen, enum btf_kind kind, const char *name, uint32_t size,
			 const struct corepair_member *members, uint32_t count);

/* One with a single member, which is no bitfield. */
uint32_t corepair_single(struct btfgen *gen, enum btf_kind kind, const char *name, uint32_t size, const char *member,
			 uint32_t type, uint32_t bit_offset);

/* An ENUM or ENUM64. */
struct corepair_value {
	const char *name;
	uint64_t value;
};

uint32_t corepair_enum(struct btfgen *gen, enum btf_kind kind, const char *name, bool is_signed, uint32_t size,
		       const struct corepair_value *values, uint32_t count);

/* The instruction `r1 = imm` comes to hold now where it held old. */
void corepair_imm(const struct corepair *pair, uint32_t kind, uint32_t type, const char *access, int32_t old,
		  int32_t now);

/* Relocate any instruction by record 7. */
int corepair_relocate(const struct corepair *pair, uint32_t kind, uint32_t type, const char *access,
		      struct bpfinsn insn[2], struct bpfstamp_err *err);

/* The instruction `r1 = old` becomes poison. */
void corepair_poison(const struct corepair *pair, uint32_t kind, uint32_t type, const char *access, int32_t old);

/* The record is refused with that text, and `r1 = old` stays as it is. */
void corepair_refused(const struct corepair *pair, uint32_t kind, uint32_t type, const char *access, int32_t old,
		      const char *text);

#endif
