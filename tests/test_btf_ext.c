// SPDX-License-Identifier: BSD-2-Clause
/*
 * BTF.ext from btfgen, and BTF with BTF.ext as clang makes them.
 *
 * As in test_btf.c there is one sample, of which most tests change one word.
 * Its words are numbered from the start of the data.
 */
#include <check.h>
#include <stdlib.h>

#include "elf/btf.h"
#include "include/bytes.h"
#include "tests/btfgen.h"
#include "tests/realobj.h"
#include "tests/walk.h"

Suite *suite_btf_ext(void);

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { INT = 1, PROTO, FUNC_A, FUNC_B, TYPES };

enum {	/* words of the sample */
	FUNC_OFF = 2, FUNC_LEN, LINE_OFF, LINE_LEN, CORE_OFF, CORE_LEN,
	FUNC_SIZE, FUNC_NAME, FUNC_COUNT, FUNC_0, FUNC_1 = FUNC_0 + 2,
	FUNC_NAME_2 = FUNC_1 + 2, FUNC_COUNT_2, FUNC_2,
	LINE_SIZE = FUNC_2 + 2, LINE_NAME, LINE_COUNT, LINE_0, LINE_1 = LINE_0 + 5,
	CORE_SIZE = LINE_1 + 5, CORE_NAME, CORE_COUNT, CORE_0, CORE_1 = CORE_0 + 4,
	WORDS = CORE_1 + 4,
};

static void add_words(struct btfgen *gen, enum btf_ext_part part, const uint32_t *words, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		btfgen_ext_word(gen, part, words[i]);
}

/* The line records are longer than what is read of them. */
static void generate_ext(struct btfgen *gen)
{
	uint32_t tc = btfgen_string(gen, "tc"), text = btfgen_string(gen, ".text");
	uint32_t file = btfgen_string(gen, "a.c"), line = btfgen_string(gen, "return 0;");
	uint32_t access = btfgen_string(gen, "0:1");
	const uint32_t funcs[] = { 8, tc, 2, 0, FUNC_A, 16, FUNC_B, text, 1, 8, FUNC_A };
	const uint32_t lines[] = {
		20, tc, 2, 8, file, line, 77 << 10 | 1023, UINT32_MAX, 8, 0, 0, UINT32_MAX, UINT32_MAX
	};
	const uint32_t cores[] = { 16, text, 2, 24, INT, access, 12, 24, FUNC_A, 0, UINT32_MAX };

	add_words(gen, BTF_EXT_FUNC, funcs, COUNT(funcs));
	add_words(gen, BTF_EXT_LINE, lines, COUNT(lines));
	add_words(gen, BTF_EXT_CORE, cores, COUNT(cores));
}

struct sample {
	uint8_t *btf, *ext;
	size_t btf_size, ext_size;
};

static struct sample make_sample(bool big)
{
	struct btfgen *gen = btfgen_new(big);
	struct sample sample;

	btfgen_type(gen, "int", BTF_INT, 0, 4);
	btfgen_word(gen, 32);
	btfgen_type(gen, "", BTF_FUNC_PROTO, 0, INT);
	btfgen_type(gen, "a", BTF_FUNC, 0, PROTO);
	btfgen_type(gen, "b", BTF_FUNC, 0, PROTO);
	generate_ext(gen);
	sample.btf = btfgen_finish(gen, &sample.btf_size, &sample.ext, &sample.ext_size);
	ck_assert_uint_eq(sample.ext_size, WORDS * 4);
	return sample;
}

static void free_sample(struct sample *sample)
{
	free(sample->btf);
	free(sample->ext);
}

static int walk_sample(const struct sample *sample, size_t ext_size, struct elf64_fault *fault)
{
	fault->what = "none";
	fault->offset = 0;
	return walk_btf(sample->btf, sample->btf_size, sample->ext, ext_size, fault);
}

static void check_func(const struct btf_ext *ext, const struct btf_ext_section *section, uint32_t i,
		       uint32_t insn_off, uint32_t type)
{
	struct btf_func_info func;

	btf_ext_func(ext, section, i, &func);
	ck_assert_uint_eq(func.insn_off, insn_off);
	ck_assert_uint_eq(func.type, type);
}

static void check_funcs(const struct btf_ext *ext)
{
	struct btf_ext_section section = { 0 };

	ck_assert(btf_ext_next(ext, BTF_EXT_FUNC, &section));
	ck_assert_str_eq(section.name, "tc");
	ck_assert_uint_eq(section.count, 2);
	ck_assert_uint_eq(section.record_size, 8);
	check_func(ext, &section, 0, 0, FUNC_A);
	check_func(ext, &section, 1, 16, FUNC_B);
	ck_assert_ptr_eq(btf_ext_record(&section, 1), ext->data + FUNC_1 * 4);
	ck_assert(btf_ext_next(ext, BTF_EXT_FUNC, &section));
	ck_assert_str_eq(section.name, ".text");
	ck_assert_uint_eq(section.count, 1);
	check_func(ext, &section, 0, 8, FUNC_A);
	ck_assert(!btf_ext_next(ext, BTF_EXT_FUNC, &section));
}

static void check_lines(const struct btf_ext *ext)
{
	struct btf_ext_section section = { 0 };
	struct btf_line_info line;

	ck_assert(btf_ext_next(ext, BTF_EXT_LINE, &section));
	ck_assert_str_eq(section.name, "tc");
	ck_assert_uint_eq(section.record_size, 20);
	btf_ext_line(ext, &section, 0, &line);
	ck_assert_uint_eq(line.insn_off, 8);
	ck_assert_str_eq(line.file, "a.c");
	ck_assert_str_eq(line.text, "return 0;");
	ck_assert_uint_eq(line.line, 77);
	ck_assert_uint_eq(line.column, 1023);
	btf_ext_line(ext, &section, 1, &line);
	ck_assert_uint_eq(line.insn_off, 8);
	ck_assert_str_eq(line.file, "");
	ck_assert_uint_eq(line.line, UINT32_MAX >> 10);
	ck_assert(!btf_ext_next(ext, BTF_EXT_LINE, &section));
}

static void check_cores(const struct btf_ext *ext)
{
	struct btf_ext_section section = { 0 };
	struct btf_core_relo core;

	ck_assert(btf_ext_next(ext, BTF_EXT_CORE, &section));
	ck_assert_str_eq(section.name, ".text");
	btf_ext_core(ext, &section, 0, &core);
	ck_assert_uint_eq(core.insn_off, 24);
	ck_assert_uint_eq(core.type, INT);
	ck_assert_str_eq(core.access, "0:1");
	ck_assert_uint_eq(core.kind, 12);
	btf_ext_core(ext, &section, 1, &core);
	ck_assert_uint_eq(core.insn_off, 24);
	ck_assert_uint_eq(core.type, FUNC_A);
	ck_assert_uint_eq(core.kind, UINT32_MAX);
	ck_assert(!btf_ext_next(ext, BTF_EXT_CORE, &section));
}

/* _i: alignment in bits 0-2, byte order in bit 3. */
START_TEST(test_sample_at_every_alignment)
{
	struct sample sample = make_sample(_i & 8);
	struct elf64_fault fault = { "none", 0 };
	uint32_t index[2 * TYPES];
	struct btf_ext ext;
	struct btf btf;
	uint8_t *moved;

	moved = malloc(sample.ext_size + 8);
	memcpy(moved + _i % 8, sample.ext, sample.ext_size);
	ck_assert_int_eq(btf_open(&btf, sample.btf, sample.btf_size, index, TYPES, &fault), 0);
	ck_assert_msg(!btf_ext_open(&ext, &btf, moved + _i % 8, sample.ext_size, &fault), "%s", fault.what);
	ck_assert_int_eq(ext.big, !!(_i & 8));
	check_funcs(&ext);
	check_lines(&ext);
	check_cores(&ext);
	free(moved);
	free_sample(&sample);
}
END_TEST

struct change {
	const char *what;	/* the fault, or NULL to be accepted */
	uint32_t word, value;
	bool elsewhere;		/* the fault's offset is another word */
};

enum { STR_LEN = 36 };

static const struct change changes[] = {
	{ "length of the header is too small or too large", 1, 23, 0 },
	{ "length of the header is too small or too large", 1, WORDS * 4 + 1, 0 },
	{ "part reaches past the end of the data", FUNC_OFF, UINT32_MAX, 0 },
	{ "part reaches past the end of the data", LINE_OFF, 0x7fffffff, 0 },
	{ "part reaches past the end of the data", CORE_LEN, (WORDS - CORE_SIZE) * 4 + 1, 1 },
	{ "part is too short for the size of its records", CORE_LEN, 3, 0 },
	{ NULL, CORE_LEN, 0, 0 },
	{ NULL, CORE_LEN, 4, 0 },
	{ "size of a record is too small or no multiple of 4", FUNC_SIZE, 4, 0 },
	{ "size of a record is too small or no multiple of 4", FUNC_SIZE, 9, 0 },
	{ "size of a record is too small or no multiple of 4", LINE_SIZE, 12, 0 },
	{ "size of a record is too small or no multiple of 4", CORE_SIZE, 12, 0 },
	{ "size of a record is too small or no multiple of 4", CORE_SIZE, 0, 0 },
	{ "part ends within the head of a section", CORE_LEN, 4 + 7, 1 },
	{ "records reach past the end of their part", CORE_LEN, 4 + 8, 1 },
	{ "name is outside of the strings of BTF", CORE_NAME, STR_LEN, 0 },
	{ NULL, CORE_NAME, STR_LEN - 1, 0 },
	{ "section has no records", FUNC_COUNT_2, 0, 0 },
	{ "records reach past the end of their part", FUNC_COUNT_2, 2, 0 },
	{ "records reach past the end of their part", FUNC_COUNT_2, UINT32_MAX, 0 },
	{ "records reach past the end of their part", CORE_SIZE, UINT32_MAX - 3, 1 },
	{ "records reach past the end of their part", CORE_COUNT, 1, 1 },
	{ "record is not of the start of an instruction", FUNC_0, 4, 0 },
	{ "record is not of the start of an instruction", LINE_1, 9, 0 },
	{ "record is not of the start of an instruction", CORE_1, 25, 0 },
	{ "records are not in the order of instructions", FUNC_0, 24, 1 },
	{ "records are not in the order of instructions", LINE_1, 0, 0 },
	{ "records are not in the order of instructions", CORE_0, UINT32_MAX - 7, 1 },
	{ NULL, CORE_1, UINT32_MAX - 7, 0 },
	{ "two functions begin at one instruction", FUNC_1, 0, 0 },
	{ NULL, FUNC_1, 8, 0 },
	{ "type is not in BTF", FUNC_1 + 1, TYPES, 0 },
	{ "type is not in BTF", CORE_1 + 1, TYPES, 0 },
	{ NULL, CORE_1 + 1, TYPES - 1, 0 },
	{ "type of a function is no function", FUNC_1 + 1, PROTO, 0 },
	{ "type of a function is no function", FUNC_1 + 1, 0, 0 },
	{ "name is outside of the strings of BTF", LINE_0 + 1, STR_LEN, 0 },
	{ "name is outside of the strings of BTF", LINE_0 + 2, STR_LEN, 0 },
	{ "name is outside of the strings of BTF", CORE_0 + 2, UINT32_MAX, 0 },
	{ "name is outside of the strings of BTF", CORE_1 + 2, STR_LEN, 0 },
};

START_TEST(test_one_change)
{
	const struct change *change = &changes[_i / 2];
	struct sample sample = make_sample(_i % 2);
	struct elf64_fault fault;
	int ret;

	ck_assert_uint_eq(bytes_get32(sample.btf + 20, _i % 2), STR_LEN);
	bytes_put32(sample.ext + change->word * 4, change->value, _i % 2);
	ret = walk_sample(&sample, sample.ext_size, &fault);
	if (!change->what) {
		ck_assert_msg(!ret, "change %d: %s", _i / 2, fault.what);
	} else {
		ck_assert_msg(ret == -1, "accepted: %s", change->what);
		ck_assert_str_eq(fault.what, change->what);
		ck_assert_uint_le(fault.offset, sample.ext_size);
		if (!change->elsewhere)
			ck_assert_uint_eq(fault.offset, change->word * 4);
	}
	free_sample(&sample);
}
END_TEST

/* Compilers without CO-RE write the short header; the third part is then none. */
START_TEST(test_short_header)
{
	struct sample sample = make_sample(_i);
	struct btf_ext_section section = { 0 };
	uint32_t index[2 * TYPES];
	struct elf64_fault fault;
	struct btf_ext ext;
	struct btf btf;

	bytes_put32(sample.ext + 4, 24, _i);
	bytes_put32(sample.ext + FUNC_OFF * 4, 8, _i);
	bytes_put32(sample.ext + LINE_OFF * 4, bytes_get32(sample.ext + LINE_OFF * 4, _i) + 8, _i);
	bytes_put32(sample.ext + CORE_OFF * 4, UINT32_MAX, _i);
	ck_assert_int_eq(btf_open(&btf, sample.btf, sample.btf_size, index, TYPES, &fault), 0);
	ck_assert_int_eq(btf_ext_open(&ext, &btf, sample.ext, sample.ext_size, &fault), 0);
	check_funcs(&ext);
	check_lines(&ext);
	ck_assert(!btf_ext_next(&ext, BTF_EXT_CORE, &section));
	free_sample(&sample);
}
END_TEST

START_TEST(test_no_parts)
{
	struct btfgen *gen = btfgen_new(_i);
	struct elf64_fault fault = { "none", 0 };
	struct btf_ext_section section = { 0 };
	size_t size, ext_size;
	uint8_t *data, *bytes;
	struct btf_ext ext;
	uint32_t index[2];
	struct btf btf;

	data = btfgen_finish(gen, &size, &bytes, &ext_size);
	ck_assert_uint_eq(ext_size, 32);
	ck_assert_int_eq(btf_open(&btf, data, size, index, 1, &fault), 0);
	ck_assert_msg(!btf_ext_open(&ext, &btf, bytes, ext_size, &fault), "%s", fault.what);
	ck_assert(!btf_ext_next(&ext, BTF_EXT_FUNC, &section));
	ck_assert(!btf_ext_next(&ext, BTF_EXT_LINE, &section));
	ck_assert(!btf_ext_next(&ext, BTF_EXT_CORE, &section));
	free(bytes);
	free(data);
}
END_TEST

START_TEST(test_truncated)
{
	struct sample sample = make_sample(_i), cut = sample;
	struct elf64_fault fault;
	size_t n;

	for (n = 0; n < sample.ext_size; n++) {
		cut.ext = malloc(n + !n);
		memcpy(cut.ext, sample.ext, n);
		ck_assert_int_eq(walk_sample(&cut, n, &fault), -1);
		ck_assert_uint_le(fault.offset, n);
		free(cut.ext);
	}
	free_sample(&sample);
}
END_TEST

START_TEST(test_every_word)
{
	static const uint32_t values[] = {
		0, 1, 4, 8, UINT32_MAX, WORDS * 4, WORDS * 4 - 1, WORDS * 4 + 1, 1u << 31, UINT32_MAX - 7
	};
	struct sample sample = make_sample(_i);
	unsigned int accepted = 0;
	struct elf64_fault fault;
	uint32_t old;
	size_t at, i;

	for (at = 0; at < sample.ext_size; at += 4) {
		old = bytes_get32(sample.ext + at, _i);
		for (i = 0; i < COUNT(values); i++) {
			bytes_put32(sample.ext + at, values[i], _i);
			accepted += !walk_sample(&sample, sample.ext_size, &fault);
			ck_assert_uint_le(fault.offset, sample.ext_size);
		}
		bytes_put32(sample.ext + at, old, _i);
	}
	ck_assert_uint_gt(accepted, 20);
	ck_assert_int_eq(walk_sample(&sample, sample.ext_size, &fault), 0);
	free_sample(&sample);
}
END_TEST

static const char program[] =
	"struct node { struct node *next; unsigned int v:3, w:29; } __attribute__((preserve_access_index));\n"
	"enum large { LARGE = 1ULL << 40 };\n"
	"const volatile unsigned int vni = 7;\n"
	"__attribute__((noinline)) static int helper(struct node *n) { return n->next->w; }\n"
	"__attribute__((section(\"tc\"))) int prog(struct node *n)\n"
	"{ volatile enum large b = LARGE; return helper(n) + vni + (int)b; }\n";

/* The BTF and BTF.ext of program as clang makes them; false where there is no clang. */
static bool compile_sample(bool big, struct sample *sample)
{
	struct elf64_section btf, ext;
	struct elf64_fault fault;
	struct elf64 elf;
	uint8_t *object;
	size_t size;

	object = realobj_compile(big ? "bpfeb" : "bpfel", "-mcpu=v3", program, &size);
	if (!object)
		return false;
	ck_assert_int_eq(elf64_open(&elf, object, size, &fault), 0);
	elf64_section(&elf, elf64_find(&elf, ".BTF"), &btf);
	elf64_section(&elf, elf64_find(&elf, ".BTF.ext"), &ext);
	*sample = (struct sample){ malloc(btf.size), malloc(ext.size), btf.size, ext.size };
	memcpy(sample->btf, btf.bytes, btf.size);
	memcpy(sample->ext, ext.bytes, ext.size);
	free(object);
	return true;
}

static void check_real_types(const struct btf *btf)
{
	struct btf_enumerator large;
	struct btf_member member;
	struct btf_type type;
	uint32_t id, size;

	id = btf_find(btf, BTF_STRUCT, "node");
	btf_type(btf, id, &type);
	ck_assert_uint_eq(type.size, 16);
	ck_assert_uint_eq(type.vlen, 3);
	btf_member(btf, id, 2, &member);
	ck_assert_str_eq(member.name, "w");
	ck_assert_uint_eq(member.bit_offset, 67);
	ck_assert_uint_eq(member.bit_size, 29);
	btf_type(btf, btf_find(btf, BTF_VAR, "vni"), &type);
	ck_assert_uint_eq(type.linkage, 1);
	ck_assert(btf_size(btf, btf_find(btf, BTF_VAR, "vni"), 8, &size));
	ck_assert_uint_eq(size, 4);
	btf_type(btf, btf_resolve(btf, type.type), &type);
	ck_assert_str_eq(type.name, "unsigned int");
	id = btf_find(btf, BTF_ENUM64, "large");
	if (id) {	/* older compilers have no ENUM64 */
		btf_enumerator(btf, id, 0, &large);
		ck_assert_uint_eq(large.value, (uint64_t)1 << 40);
	}
}

static void check_real_ext(const struct btf_ext *ext)
{
	struct btf_ext_section section = { 0 };
	unsigned int tc = 0, accesses = 0;
	struct btf_core_relo core;
	struct btf_line_info line;
	struct btf_func_info func;
	struct btf_type type;
	uint32_t i;

	while (btf_ext_next(ext, BTF_EXT_FUNC, &section)) {
		btf_ext_func(ext, &section, 0, &func);
		btf_type(ext->btf, func.type, &type);
		ck_assert_str_eq(type.name, strcmp(section.name, "tc") ? "helper" : "prog");
		tc++;
	}
	ck_assert_uint_eq(tc, 2);
	memset(&section, 0, sizeof(section));
	while (btf_ext_next(ext, BTF_EXT_CORE, &section)) {
		for (i = 0; i < section.count; i++) {
			btf_ext_core(ext, &section, i, &core);
			if (!strcmp(core.access, "0:0") || !strcmp(core.access, "0:2"))
				accesses++;
		}
	}
	ck_assert_uint_ge(accesses, 2);
	memset(&section, 0, sizeof(section));
	while (btf_ext_next(ext, BTF_EXT_LINE, &section) && strcmp(section.name, "tc"))
		;
	btf_ext_line(ext, &section, section.count - 1, &line);
	ck_assert_uint_eq(line.line, 6);
	ck_assert_ptr_nonnull(strstr(line.text, "return helper(n) + vni"));
}

START_TEST(test_real_object)
{
	struct elf64_fault fault = { "none", 0 };
	struct sample sample;
	uint32_t *index, count;
	struct btf_ext ext;
	struct btf btf;

	if (!compile_sample(_i, &sample))
		return;
	ck_assert_msg(!walk_sample(&sample, sample.ext_size, &fault), "%s", fault.what);
	ck_assert_int_eq(btf_count(sample.btf, sample.btf_size, &count, &fault), 0);
	index = malloc(count * 2 * sizeof(*index));
	ck_assert_int_eq(btf_open(&btf, sample.btf, sample.btf_size, index, count, &fault), 0);
	ck_assert_int_eq(btf_ext_open(&ext, &btf, sample.ext, sample.ext_size, &fault), 0);
	ck_assert_int_eq(btf.big, _i);
	check_real_types(&btf);
	check_real_ext(&ext);
	free(index);
	free_sample(&sample);
}
END_TEST

START_TEST(test_real_object_truncated)
{
	struct elf64_fault fault;
	struct sample sample;
	uint8_t *copy;
	size_t n;

	if (!compile_sample(_i, &sample))
		return;
	for (n = 0; n < sample.btf_size; n++) {
		copy = malloc(n + !n);
		memcpy(copy, sample.btf, n);
		ck_assert_int_eq(walk_btf(copy, n, NULL, 0, &fault), -1);
		free(copy);
	}
	for (n = 0; n < sample.ext_size; n++) {
		copy = malloc(n + !n);
		memcpy(copy, sample.ext, n);
		ck_assert_int_eq(walk_btf(sample.btf, sample.btf_size, copy, n, &fault), -1);
		free(copy);
	}
	free_sample(&sample);
}
END_TEST

Suite *suite_btf_ext(void)
{
	Suite *suite = suite_create("btf_ext");
	TCase *tcase = tcase_create("btf_ext");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_sample_at_every_alignment, 0, 16);
	tcase_add_loop_test(tcase, test_one_change, 0, (int)COUNT(changes) * 2);
	tcase_add_loop_test(tcase, test_short_header, 0, 2);
	tcase_add_loop_test(tcase, test_no_parts, 0, 2);
	tcase_add_loop_test(tcase, test_truncated, 0, 2);
	tcase_add_loop_test(tcase, test_every_word, 0, 2);
	tcase_add_loop_test(tcase, test_real_object, 0, 2);
	tcase_add_loop_test(tcase, test_real_object_truncated, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
