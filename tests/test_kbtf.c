// SPDX-License-Identifier: BSD-2-Clause
/*
 * BTF as the kernel wants it: what compilers leave out is filled in, and externs
 * are defined.  Whatever is made must open again, and the running kernel must
 * take it.
 */
#include <check.h>
#include <stdlib.h>

#include "include/bytes.h"
#include "tests/kbtfmade.h"

Suite *suite_kbtf(void);

/* ------------------------------------------------------------------ fill */

static void expect_secvar(const struct kbtfmade *m, uint32_t sec, uint32_t i, uint32_t type, uint32_t offset,
			  uint32_t size)
{
	struct btf_secvar var;

	btf_secvar(&m->btf, sec, i, &var);
	ck_assert_uint_eq(var.type, type);
	ck_assert_uint_eq(var.offset, offset);
	ck_assert_uint_eq(var.size, size);
}

/* .data holds b (at 0), a (at 8) and two static f.x (at 4, 12), in the BTF as a, b with offset 0, f.x, f.x. */
START_TEST(sections_and_linkage)
{
	static const struct bpfinsn code[] = { EXIT, EXIT, EXIT };
	static const char *const hidden[] = { "internal", "hidden", "shown", "static" };
	static const uint8_t raw[16];
	struct btfgen *gen = btfgen_new(_i);
	struct bpfobj o = bpfobj_new(_i);
	uint32_t u32, a, b, x, y, sec, func[4], tc = bpfobj_code(&o, "tc", code, 3), proto;
	uint32_t data = bpfobj_data(&o, ".data", raw, 16);
	struct kbtfmade m;

	u32 = kbtfmade_add_int(gen, "u32", 4);
	a = kbtfmade_add_var(gen, "a", u32, 1);
	b = kbtfmade_add_var(gen, "b", u32, 1);
	x = kbtfmade_add_var(gen, "f.x", u32, 0);
	y = kbtfmade_add_var(gen, "f.x", u32, 0);
	sec = btfgen_type(gen, ".data", BTF_DATASEC, 4, 0);
	btfgen_words(gen, a, 0, 4);
	btfgen_words(gen, b, 0, 4);
	btfgen_words(gen, x, 12, 4);
	btfgen_words(gen, y, 4, 4);
	proto = btfgen_type(gen, "", BTF_FUNC_PROTO, 0, 0);
	for (int i = 0; i < 4; i++)
		func[i] = btfgen_type(gen, hidden[i], BTF_FUNC, i < 3, proto);
	bpfobj_btf(&o, gen, false);
	bpfobj_var(&o, "a", data, 8, 4);
	bpfobj_var(&o, "b", data, 0, 4);
	bpfobj_var(&o, "f.x", data, 4, 4);
	bpfobj_var(&o, "f.x", data, 12, 4);
	for (uint8_t i = 0; i < 3; i++)
		elfgen_symbol(o.gen, &(struct elf64_symbol){
			.name = hidden[i], .type = ELF64_STT_FUNC, .other = (uint8_t)((i + 1) % 3),
			.bind = ELF64_STB_GLOBAL, .section = tc, .value = 8ull * i, .size = 8 });
	bpfobj_open(&o);

	kbtfmade_make(&m, &o);
	ck_assert_uint_eq(m.size, o.t->btf.size);
	ck_assert_uint_eq(kbtfmade_type(&m, sec).size, 16);
	expect_secvar(&m, sec, 0, b, 0, 4);
	expect_secvar(&m, sec, 1, y, 4, 4);
	expect_secvar(&m, sec, 2, a, 8, 4);
	expect_secvar(&m, sec, 3, x, 12, 4);
	for (int i = 0; i < 4; i++)
		ck_assert_uint_eq(kbtfmade_type(&m, func[i]).linkage, i == 2);
	kbtfmade_accepted(&m, "sections");
	free(m.bytes);
	bpfobj_free(&o);
}
END_TEST

/* A header that is longer than the kernel's, strings in front of the types, and bytes that belong to nobody. */
START_TEST(one_layout)
{
	static const uint32_t words[] = {
		0, 36, 12, 16, 0, 8, 0, 0, 0,		/* header and what is behind it */
		0x34336900, 0, 0x12345678,		/* "\0i34", NUL…; a hole */
		1, BTF_INT << 24, 4, 32,
		0xffffffff,
	};
	uint8_t raw[sizeof(words)];
	struct bpfobj o = bpfobj_new(_i);
	static const struct bpfinsn code[] = { EXIT };
	struct kbtfmade m;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		bytes_put32(raw + 4 * i, words[i], i == 9 ? false : _i);
	bytes_put16(raw, 0xeb9f, _i);
	raw[2] = 1;
	raw[3] = 0;
	bpfobj_func(&o, "f", bpfobj_code(&o, "tc", code, 1), 0, 1);
	elfgen_section(o.gen, &(struct elf64_section){ .name = ".BTF", .type = ELF64_SHT_PROGBITS, .bytes = raw,
						       .size = sizeof(raw) });
	bpfobj_open(&o);
	kbtfmade_make(&m, &o);
	ck_assert_uint_eq(m.size, 24 + 16 + 8);
	ck_assert_str_eq(kbtfmade_type(&m, 1).name, "i34");
	ck_assert_uint_eq(bytes_get32(m.bytes + 4, _i), 24);
	kbtfmade_accepted(&m, "layout");
	free(m.bytes);
	bpfobj_free(&o);
}
END_TEST

/* --------------------------------------------------------------- externs */

/* An object that declares externs, and nothing else; with an int of 4 bytes or without. */
struct extern_ids {
	uint32_t u64, u32, proto, hz, version, unused, kconfig, address, kfunc, variable, other, ksyms, count;
};

static struct bpfobj externs(struct extern_ids *id, bool big, bool with_int)
{
	static const struct bpfinsn code[] = { EXIT };
	struct btfgen *gen = btfgen_new(big);
	struct bpfobj o = bpfobj_new(big);

	id->u64 = kbtfmade_add_int(gen, "unsigned long", 8);
	id->u32 = with_int ? kbtfmade_add_int(gen, "u32", 4) : 0;
	id->hz = kbtfmade_add_var(gen, "CONFIG_HZ", id->u64, 2);
	id->version = kbtfmade_add_var(gen, "CONFIG_X", id->u64, 2);
	id->unused = kbtfmade_add_var(gen, "CONFIG_UNUSED", id->u64, 2);
	id->kconfig = btfgen_type(gen, ".kconfig", BTF_DATASEC, 3, 0);
	btfgen_words(gen, id->hz, 0, 8);
	btfgen_words(gen, id->unused, 0, 8);
	btfgen_words(gen, id->version, 0, 8);
	id->proto = btfgen_type(gen, "", BTF_FUNC_PROTO, 3, 0);
	btfgen_word(gen, 0);
	btfgen_word(gen, id->u64);
	btfgen_word(gen, btfgen_string(gen, "named"));
	btfgen_word(gen, id->u64);
	btfgen_word(gen, 0);
	btfgen_word(gen, 0);
	id->kfunc = btfgen_type(gen, "kfunc", BTF_FUNC, 2, id->proto);
	id->address = kbtfmade_add_var(gen, "address", 0, 2);
	id->variable = kbtfmade_add_var(gen, "variable", id->u64, 2);
	id->other = btfgen_type(gen, "other", BTF_FUNC, 2, id->proto);
	id->ksyms = btfgen_type(gen, ".ksyms", BTF_DATASEC, 4, 0);
	btfgen_words(gen, id->kfunc, 0, 0);
	btfgen_words(gen, id->address, 0, 1);
	btfgen_words(gen, id->variable, 0, 8);
	btfgen_words(gen, id->other, 0, 0);
	id->count = id->ksyms + 1;
	bpfobj_btf(&o, gen, false);
	bpfobj_func(&o, "f", bpfobj_code(&o, "tc", code, 1), 0, 1);
	bpfobj_open(&o);
	return o;
}

/* Make it with two externs of .kconfig, as externs_collect has them, for that time. */
static void make_with_externs(struct kbtfmade *m, const struct bpfobj *o, const struct extern_ids *id)
{
	struct external externals[] = {
		{ .name = "CONFIG_X", .kind = EXTERN_KCONFIG, .btf = id->version, .size = 8, .offset = 0 },
		{ .name = "CONFIG_HZ", .kind = EXTERN_KCONFIG, .btf = id->hz, .size = 8, .offset = 8 },
		{ .name = "kfunc", .kind = EXTERN_FUNCTION, .btf = id->kfunc },
	};
	struct bpfstamp_template t = *o->t;
	struct map map = { .name = ".kconfig", .value_size = 16 };
	struct bpfobj copy = { .t = &t };

	t.externs = externals;
	t.extern_count = 3;
	t.maps = &map;
	t.map_count = 1;
	t.kconfig = 0;
	kbtfmade_make(m, &copy);
}

START_TEST(externs_are_defined)
{
	struct extern_ids id;
	struct bpfobj o = externs(&id, _i & 1, _i & 2);
	uint32_t an_int = _i & 2 ? id.u32 : id.count, a_var = _i & 2 ? id.count : id.count + 1;
	struct btf_param param;
	struct kbtfmade m;

	make_with_externs(&m, &o, &id);
	ck_assert_uint_eq(m.btf.type_count, id.count + (_i & 2 ? 1 : 2));
	ck_assert_uint_eq(kbtfmade_type(&m, id.kconfig).size, 24);
	expect_secvar(&m, id.kconfig, 0, id.version, 0, 8);
	expect_secvar(&m, id.kconfig, 1, id.hz, 8, 8);
	expect_secvar(&m, id.kconfig, 2, id.unused, 16, 8);
	ck_assert_uint_eq(kbtfmade_type(&m, id.hz).linkage, 1);
	ck_assert_uint_eq(kbtfmade_type(&m, id.hz).type, id.u64);
	ck_assert_uint_eq(kbtfmade_type(&m, id.ksyms).size, 16);
	expect_secvar(&m, id.ksyms, 0, a_var, 0, 4);
	expect_secvar(&m, id.ksyms, 1, id.address, 4, 4);
	expect_secvar(&m, id.ksyms, 2, id.variable, 8, 4);
	expect_secvar(&m, id.ksyms, 3, a_var, 12, 4);
	ck_assert_uint_eq(kbtfmade_type(&m, id.address).type, an_int);
	ck_assert_uint_eq(kbtfmade_type(&m, id.variable).type, an_int);
	ck_assert_uint_eq(kbtfmade_type(&m, id.variable).linkage, 1);
	ck_assert_uint_eq(kbtfmade_type(&m, a_var).kind, BTF_VAR);
	ck_assert_uint_eq(kbtfmade_type(&m, a_var).type, an_int);
	ck_assert_uint_eq(kbtfmade_type(&m, id.kfunc).linkage, 0);
	btf_param(&m.btf, id.proto, 0, &param);
	ck_assert_str_eq(param.name, "arg");
	btf_param(&m.btf, id.proto, 1, &param);
	ck_assert_str_eq(param.name, "named");
	btf_param(&m.btf, id.proto, 2, &param);
	ck_assert_str_eq(param.name, "");
	kbtfmade_accepted(&m, "externs");
	free(m.bytes);
	bpfobj_free(&o);
}
END_TEST

/* The same where nothing collected them, which is as hostile as it gets here: all of .kconfig is behind no map. */
START_TEST(externs_of_nobody)
{
	struct extern_ids id;
	struct bpfobj o = externs(&id, _i, true);
	struct kbtfmade m;

	kbtfmade_make(&m, &o);
	ck_assert_uint_eq(kbtfmade_type(&m, id.kconfig).size, 24);
	kbtfmade_accepted(&m, "externs of nobody");
	free(m.bytes);
	bpfobj_free(&o);
}
END_TEST

/* What clang makes of externs. */
START_TEST(real_externs)
{
	static const char source[] =
		"#define SEC(name) __attribute__((section(name), used))\n"
		"struct __sk_buff;\n"
		"extern const void fops SEC(\".ksyms\");\n"
		"extern const int runqueue SEC(\".ksyms\");\n"
		"extern int kfunc(struct __sk_buff *, int) __attribute__((section(\".ksyms\"), weak));\n"
		"static volatile int counter = 4;\n"
		"SEC(\"tc\") int prog(struct __sk_buff *skb)\n"
		"{\n"
		"	return (long)&fops + runqueue + (kfunc ? kfunc(skb, 1) : 0) + counter;\n"
		"}\n"
		"char _license[] SEC(\"license\") = \"GPL\";\n";
	struct bpfobj o;
	struct kbtfmade m;

	if (!bpfobj_compile(&o, "bpfel", "", source))
		return;
	kbtfmade_make(&m, &o);
	ck_assert_uint_ne(btf_find(&m.btf, BTF_DATASEC, ".ksyms"), 0);
	kbtfmade_accepted(&m, "real externs");
	free(m.bytes);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_kbtf(void)
{
	Suite *suite = suite_create("kbtf");
	TCase *tcase = tcase_create("kbtf");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, sections_and_linkage, 0, 2);
	tcase_add_loop_test(tcase, one_layout, 0, 2);
	tcase_add_loop_test(tcase, externs_are_defined, 0, 4);
	tcase_add_loop_test(tcase, externs_of_nobody, 0, 2);
	tcase_add_test(tcase, real_externs);
	suite_add_tcase(suite, tcase);
	return suite;
}
