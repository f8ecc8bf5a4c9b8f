// SPDX-License-Identifier: BSD-2-Clause
/*
 * The object's BTF is opened as a template has it; the kernel's goes through a
 * temporary file, which is gone before the first record is asked about.  What
 * is refused must leave the instruction alone, and say which record it was.
 */
#include "tests/corepair.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD = 7 };

void corepair_begin(struct corepair *pair, bool big)
{
	memset(pair, 0, sizeof(*pair));
	pair->big = big;
	pair->local = btfgen_new(big);
	pair->target = btfgen_new(big);
}

static void open_local(struct corepair *pair)
{
	struct elf64_fault fault;
	uint32_t count;
	size_t size;

	pair->bytes = btfgen_finish(pair->local, &size, NULL, NULL);
	ck_assert_msg(!btf_count(pair->bytes, size, &count, &fault), "%s", fault.what);
	pair->index = malloc(2 * count * sizeof(*pair->index));
	ck_assert_msg(!btf_open(&pair->t.btf, pair->bytes, size, pair->index, count, &fault), "%s", fault.what);
}

static void open_target(struct corepair *pair)
{
	char path[] = "/tmp/bpfstamp-test-XXXXXX";
	int fd = mkstemp(path), status;
	struct bpfstamp_err err;
	uint8_t *bytes;
	size_t size;

	bytes = btfgen_finish(pair->target, &size, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	close(fd);
	free(bytes);
	status = kernel_open(&pair->k, path, &err);
	unlink(path);
	ck_assert_msg(!status, "%s", err.text);
}

void corepair_open(struct corepair *pair)
{
	open_local(pair);
	open_target(pair);
}

void corepair_close(struct corepair *pair)
{
	kernel_close(pair->k);
	free(pair->index);
	free(pair->bytes);
}

uint32_t corepair_int(struct btfgen *gen, const char *name, uint32_t size, uint32_t encoding)
{
	uint32_t id = btfgen_type(gen, name, BTF_INT, 0, size);

	btfgen_word(gen, encoding << 24 | size * 8);
	return id;
}

uint32_t corepair_array(struct btfgen *gen, uint32_t type, uint32_t count)
{
	uint32_t id = btfgen_type(gen, "", BTF_ARRAY, 0, 0);

	btfgen_words(gen, type, type, count);
	return id;
}

uint32_t corepair_struct(struct btfgen *gen, enum btf_kind kind, const char *name, uint32_t size,
			 const struct corepair_member *members, uint32_t count)
{
	uint32_t id = btfgen_type(gen, name, kind, BTFGEN_FLAG | count, size), i;

	for (i = 0; i < count; i++)
		btfgen_words(gen, btfgen_string(gen, members[i].name), members[i].type,
			     members[i].bit_size << 24 | members[i].bit_offset);
	return id;
}

uint32_t corepair_single(struct btfgen *gen, enum btf_kind kind, const char *name, uint32_t size, const char *member,
			 uint32_t type, uint32_t bit_offset)
{
	const struct corepair_member one = { member, type, bit_offset, 0 };

	return corepair_struct(gen, kind, name, size, &one, 1);
}

uint32_t corepair_enum(struct btfgen *gen, enum btf_kind kind, const char *name, bool is_signed, uint32_t size,
		       const struct corepair_value *values, uint32_t count)
{
	uint32_t id = btfgen_type(gen, name, kind, (is_signed ? BTFGEN_FLAG : 0) | count, size), i;

	for (i = 0; i < count; i++) {
		btfgen_word(gen, btfgen_string(gen, values[i].name));
		btfgen_word(gen, (uint32_t)values[i].value);
		if (kind == BTF_ENUM64)
			btfgen_word(gen, (uint32_t)(values[i].value >> 32));
	}
	return id;
}

int corepair_relocate(const struct corepair *pair, uint32_t kind, uint32_t type, const char *access,
		      struct bpfinsn insn[2], struct bpfstamp_err *err)
{
	const struct btf_core_relo relo = { .type = type, .kind = kind, .access = access };

	return core_relocate(&pair->t, pair->k, &relo, RECORD, insn, err);
}

static void set(struct bpfinsn insn[2], int32_t imm)
{
	memset(insn, 0, 2 * sizeof(*insn));
	insn->code = BPF_CLASS_ALU64 | BPF_OP_MOV | BPF_SOURCE_K;
	insn->dst = 1;
	insn->imm = imm;
}

void corepair_imm(const struct corepair *pair, uint32_t kind, uint32_t type, const char *access, int32_t old,
		  int32_t now)
{
	struct bpfstamp_err err;
	struct bpfinsn insn[2];

	set(insn, old);
	ck_assert_msg(!corepair_relocate(pair, kind, type, access, insn, &err), "%s", err.text);
	ck_assert_uint_eq(insn->code, BPF_CLASS_ALU64 | BPF_OP_MOV | BPF_SOURCE_K);
	ck_assert_uint_eq(insn->dst, 1);
	ck_assert_int_eq(insn->imm, now);
}

void corepair_poison(const struct corepair *pair, uint32_t kind, uint32_t type, const char *access, int32_t old)
{
	struct bpfstamp_err err;
	struct bpfinsn insn[2];

	set(insn, old);
	ck_assert_msg(!corepair_relocate(pair, kind, type, access, insn, &err), "%s", err.text);
	ck_assert_uint_eq(insn->code, BPF_CLASS_JMP | BPF_OP_CALL);
	ck_assert_uint_eq(insn->dst, 0);
	ck_assert_int_eq(insn->imm, CORE_POISON);
	ck_assert_uint_eq(insn[1].code, 0);
}

void corepair_refused(const struct corepair *pair, uint32_t kind, uint32_t type, const char *access, int32_t old,
		      const char *text)
{
	struct bpfstamp_err err = { 0, "" };
	struct bpfinsn insn[2];

	set(insn, old);
	ck_assert_int_eq(corepair_relocate(pair, kind, type, access, insn, &err), -1);
	ck_assert_msg(strstr(err.text, text) != NULL, "'%s' has no '%s'", err.text, text);
	ck_assert_msg(!strncmp(err.text, "CO-RE record 7 (", 16), "%s", err.text);
	ck_assert_ptr_null(strchr(err.text, '\n'));
	ck_assert_int_ne(err.code, 0);
	ck_assert_int_eq(insn->imm, old);
}
