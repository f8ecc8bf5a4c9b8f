/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BPF objects for tests of the loader: made by hand with elfgen, or compiled.
 *
 *	struct bpfobj o = bpfobj_new(false);
 *	uint32_t tc = bpfobj_code(&o, "tc", (struct bpfinsn[]){ LDDW(1, 7), EXIT }, 3);
 *
 *	bpfobj_func(&o, "prog", tc, 0, 3);
 *	bpfobj_open(&o);
 *	…o.t…
 *	bpfobj_free(&o);
 *
 * What cannot be done fails the test.
 */
#ifndef TESTS_BPFOBJ_H
#define TESTS_BPFOBJ_H

#include "bpfinsn/bpfinsn.h"
#include "loader/template.h"
#include "tests/elfgen.h"

#define LDDW(reg, value) \
	{ .code = BPF_CODE_LDDW, .dst = (reg), .imm = (int32_t)(uint32_t)((uint64_t)(value)) }, \
	{ .imm = (int32_t)(uint32_t)((uint64_t)(value) >> 32) }
#define MOV64(reg, value) { .code = BPF_CLASS_ALU64 | BPF_OP_MOV, .dst = (reg), .imm = (int32_t)(value) }
#define MOV32(reg, value) { .code = BPF_CLASS_ALU | BPF_OP_MOV, .dst = (reg), .imm = (int32_t)(value) }
#define CALL(delta) { .code = BPF_CLASS_JMP | BPF_OP_CALL, .src = BPF_SRC_CALL, .imm = (delta) }
#define EXIT { .code = BPF_CLASS_JMP | BPF_OP_EXIT }

enum { R_BPF_64_64 = 1, R_BPF_64_ABS64 = 2, R_BPF_64_32 = 10 };

/* Flags that let realobj_compile find "bpfstamp.bpf.h", "helpers.h" and tests/objects from the project's folder. */
#define BPFOBJ_FLAGS "-iquote include -iquote bpf -iquote tests/objects -isystem /usr/include/$(gcc -print-multiarch)"

struct bpfobj {
	bool big;
	struct elfgen *gen;
	uint8_t *bytes;
	size_t size;
	struct bpfstamp_template *t;
};

struct bpfobj bpfobj_new(bool big);
uint32_t bpfobj_code(struct bpfobj *o, const char *section, const struct bpfinsn *insns, uint32_t slots);
uint32_t bpfobj_data(struct bpfobj *o, const char *section, const void *bytes, uint32_t size);	/* NULL: SHT_NOBITS */
uint32_t bpfobj_func(struct bpfobj *o, const char *name, uint32_t section, uint32_t start, uint32_t slots);
uint32_t bpfobj_var(struct bpfobj *o, const char *name, uint32_t section, uint32_t value, uint32_t size);
uint32_t bpfobj_undefined(struct bpfobj *o, const char *name, uint8_t bind);
uint32_t bpfobj_section_symbol(struct bpfobj *o, uint32_t section);

/* REL of the instruction at slot of a section. */
void bpfobj_rel(struct bpfobj *o, uint32_t section, uint32_t slot, uint32_t type, uint32_t symbol);

/* Add the .BTF (and, where ext is not NULL, .BTF.ext) of a generator, which is then gone. */
struct btfgen;
void bpfobj_btf(struct bpfobj *o, struct btfgen *gen, bool ext);

/* Finish the object and open it, or make sure that opening fails with that text; the latter frees all. */
void bpfobj_open(struct bpfobj *o);
void bpfobj_refused(struct bpfobj *o, const char *text);

/* Either of both: it must be refused with fault where that is not NULL, else it is open when this returns true. */
bool bpfobj_opens(struct bpfobj *o, const char *fault);

/* Compile and open; false where there is no compiler. */
bool bpfobj_compile(struct bpfobj *o, const char *target, const char *flags, const char *source);
void bpfobj_free(struct bpfobj *o);

/* The stamp of an object; an injectable by name. */
struct bpfstamp_stamp *bpfobj_stamp(const struct bpfobj *o);
uint32_t bpfobj_find(const struct bpfobj *o, const char *name, struct bpfstamp_injectable *out);
uint32_t bpfobj_program(const struct bpfobj *o, const char *name, struct bpfstamp_program *out);

/* The value of a stamp, or of the template where s is NULL, as text. */
void bpfobj_get(const struct bpfobj *o, const struct bpfstamp_stamp *s, const char *name, char *buf, size_t size);

void bpfobj_set(struct bpfstamp_stamp *s, const char *name, const char *text);
void bpfobj_set_fails(struct bpfstamp_stamp *s, const char *name, const char *text, const char *error);

/* Whether the running kernel is that new; where not, says that what is skipped, for lack of its feature. */
bool bpfobj_kernel_has(const char *what, unsigned int major, unsigned int minor, const char *feature);

/* Whether the kernel compiles programs; where not, says that what is skipped. */
bool bpfobj_kernel_compiles(const char *what);

/* The error must hold that text. */
void bpfobj_says(const struct bpfstamp_err *err, const char *text);

#endif
