/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects with externs, and BTF of a kernel that has what they ask for, made by
 * hand.
 */
#ifndef TESTS_EXTERNOBJ_H
#define TESTS_EXTERNOBJ_H

#include "loader/externs.h"
#include "tests/bpfobj.h"
#include "tests/btfgen.h"

/* Types of variables and functions, in the order in which externobj_types adds them: their ids. */
enum {
	VOID, BOOL, BOOL4, CHAR, UCHAR, SHORT, INT, UINT, LONG, ULONG, INT128, TRISTATE, TRISTATE64, OTHER_ENUM,
	SMALL_TRISTATE, TEXT5, BOOLS, EMPTY, TEXTS, HUGE, POINTER, STRUCT, FLOAT, TYPEDEF, CONST_VOID, CONST_INT,
	PROTO_INT, PROTO_LONG, PROTO_TWO, TYPES,
};

struct decl {
	const char *name;
	uint32_t type;
	bool ksym, func, weak;
};

void externobj_types(struct btfgen *gen);

/* Functions and variables of those types, with ids from TYPES on, and the sections .kconfig and .ksyms. */
void externobj_decls(struct btfgen *gen, const struct decl *decls, uint32_t count);

/* An object that declares those, and has an undefined symbol for each, and one called "constant". */
struct bpfobj externobj(bool big, const struct decl *decls, uint32_t count);

/* Compile tests/objects/NAME.bpf.c for this machine; false where there is no compiler. */
bool externobj_compile(struct bpfobj *o, const char *name);

/* The extern of that name; there must be one. */
const struct external *externobj_find(const struct bpfobj *o, const char *name);

/* Fixture: a file of its own for each test, at externobj_path, that ends with the process; and writing it. */
extern char externobj_path[64];
void externobj_setup(void);
void externobj_teardown(void);
void externobj_write(const void *bytes, size_t size);

#endif
