// SPDX-License-Identifier: BSD-2-Clause
/*
 * Externs of objects of both byte orders: which there are, where those of
 * .kconfig stand, what they get from a configuration, and all that is refused.
 */
#include <check.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "include/bytes.h"
#include "tests/externobj.h"

Suite *suite_externs(void);

/* --------------------------------------------------------------- collect */

static const struct decl mixed[] = {
	{ .name = "CONFIG_TEXT", .type = TEXT5 },
	{ .name = "zz_func", .type = PROTO_INT, .ksym = true, .func = true },
	{ .name = "CONFIG_CHAR", .type = CHAR, .weak = true },
	{ .name = "CONFIG_LONG", .type = LONG },
	{ .name = "CONFIG_BOOL", .type = BOOL },
	{ .name = "aa_address", .type = CONST_VOID, .ksym = true, .weak = true },
	{ .name = "CONFIG_B_UINT", .type = TYPEDEF },
	{ .name = "CONFIG_A_INT", .type = CONST_INT },
	{ .name = "CONFIG_SHORT", .type = SHORT },
	{ .name = "CONFIG_TRISTATE64", .type = TRISTATE64 },
	{ .name = "CONFIG_TRISTATE", .type = TRISTATE },
	{ .name = "mm_variable", .type = CONST_INT, .ksym = true },
};

static const struct {
	const char *name;
	enum extern_kind kind;
	uint32_t size, offset;
} mixed_layout[] = {	/* by alignment, large ones first; by size; by name */
	{ "CONFIG_LONG", EXTERN_KCONFIG, 8, 0 },
	{ "CONFIG_TRISTATE64", EXTERN_KCONFIG, 8, 8 },
	{ "CONFIG_A_INT", EXTERN_KCONFIG, 4, 16 },
	{ "CONFIG_B_UINT", EXTERN_KCONFIG, 4, 20 },
	{ "CONFIG_TRISTATE", EXTERN_KCONFIG, 4, 24 },
	{ "CONFIG_SHORT", EXTERN_KCONFIG, 2, 28 },
	{ "CONFIG_BOOL", EXTERN_KCONFIG, 1, 30 },
	{ "CONFIG_CHAR", EXTERN_KCONFIG, 1, 31 },
	{ "CONFIG_TEXT", EXTERN_KCONFIG, 5, 32 },
	{ "aa_address", EXTERN_ADDRESS, 0, 0 },
	{ "mm_variable", EXTERN_VARIABLE, 0, 0 },
	{ "zz_func", EXTERN_FUNCTION, 0, 0 },
};

enum { MIXED = sizeof(mixed) / sizeof(mixed[0]) };

START_TEST(layout)
{
	struct bpfobj o = externobj(_i, mixed, MIXED);
	struct bpfstamp_injectable inj;
	const struct map *m;
	struct btf_type type;

	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->extern_count, MIXED);
	for (uint32_t i = 0; i < MIXED; i++) {
		const struct external *e = &o.t->externs[i];
		struct elf64_symbol sym;

		ck_assert_str_eq(e->name, mixed_layout[i].name);
		ck_assert_int_eq(e->kind, mixed_layout[i].kind);
		ck_assert_uint_eq(e->size, mixed_layout[i].size);
		ck_assert_uint_eq(e->offset, mixed_layout[i].offset);
		elf64_symbol(&o.t->elf, e->symbol, &sym);
		ck_assert_str_eq(sym.name, e->name);
		ck_assert_int_eq(e->weak, sym.bind == ELF64_STB_WEAK);
		btf_type(&o.t->btf, e->btf, &type);
		ck_assert_str_eq(type.name, e->name);
		ck_assert_int_eq(type.kind, e->kind == EXTERN_FUNCTION ? BTF_FUNC : BTF_VAR);
	}
	ck_assert(externobj_find(&o, "CONFIG_A_INT")->is_signed);
	ck_assert(!externobj_find(&o, "CONFIG_B_UINT")->is_signed);
	ck_assert_uint_eq(externobj_find(&o, "CONFIG_TEXT")->align, 1);
	ck_assert_uint_eq(o.t->kconfig, 0);
	ck_assert_uint_eq(o.t->map_count, 1);
	m = &o.t->maps[0];
	ck_assert_str_eq(m->name, ".kconfig");
	ck_assert(m->kconfig);
	ck_assert_uint_eq(m->type, BPF_MAP_TYPE_ARRAY);
	ck_assert_uint_eq(m->key_size, 4);
	ck_assert_uint_eq(m->value_size, 37);
	ck_assert_uint_eq(m->max_entries, 1);
	ck_assert_uint_eq(m->flags, BPF_F_RDONLY_PROG);
	ck_assert_uint_eq(m->data, NO_INDEX);
	ck_assert_uint_eq(m->inner, NO_INDEX);
	btf_type(&o.t->btf, m->btf_value, &type);
	ck_assert_str_eq(type.name, ".kconfig");
	ck_assert_uint_eq(bpfstamp_injectable_count(o.t), 1);
	bpfobj_find(&o, "constant", &inj);
	bpfobj_free(&o);
}
END_TEST

START_TEST(padding)
{
	static const struct decl decls[] = {
		{ .name = "b", .type = LONG }, { .name = "a", .type = BOOL }, { .name = "c", .type = TEXT5 },
	};
	struct bpfobj o = externobj(_i, decls, 2);

	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->maps[o.t->kconfig].value_size, 9);
	bpfobj_free(&o);
	o = externobj(_i, decls + 2, 1);
	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->maps[o.t->kconfig].value_size, 5);
	bpfobj_free(&o);
}
END_TEST

START_TEST(none)
{
	static const struct decl address = { .name = "symbol", .type = CONST_VOID, .ksym = true };
	struct bpfobj o = externobj(_i, NULL, 0);

	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->extern_count, 0);
	ck_assert_uint_eq(o.t->kconfig, NO_INDEX);
	bpfobj_free(&o);
	o = externobj(_i, &address, 1);
	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->extern_count, 1);
	ck_assert_uint_eq(o.t->kconfig, NO_INDEX);
	ck_assert_uint_eq(o.t->map_count, 0);
	bpfobj_free(&o);
	o = bpfobj_new(_i);
	bpfobj_undefined(&o, "constant", ELF64_STB_GLOBAL);
	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->extern_count, 0);
	bpfobj_free(&o);
}
END_TEST

#define UNFIT "test.o: extern x: no variable of .kconfig can have its type: bool, char, enum libbpf_tristate, " \
	"integers of 1 to 8 bytes and arrays of char can"

static const struct {
	struct decl decls[2];
	uint32_t count;
	const char *error;
} refused[] = {
	{ { { .name = "x", .type = VOID } }, 1, UNFIT },
	{ { { .name = "x", .type = BOOL4 } }, 1, UNFIT },
	{ { { .name = "x", .type = INT128 } }, 1, UNFIT },
	{ { { .name = "x", .type = OTHER_ENUM } }, 1, UNFIT },
	{ { { .name = "x", .type = SMALL_TRISTATE } }, 1, UNFIT },
	{ { { .name = "x", .type = BOOLS } }, 1, UNFIT },
	{ { { .name = "x", .type = EMPTY } }, 1, UNFIT },
	{ { { .name = "x", .type = TEXTS } }, 1, UNFIT },
	{ { { .name = "x", .type = POINTER } }, 1, UNFIT },
	{ { { .name = "x", .type = STRUCT } }, 1, UNFIT },
	{ { { .name = "x", .type = FLOAT } }, 1, UNFIT },
	{ { { .name = "x", .type = PROTO_INT, .func = true } }, 1,
	  "test.o: extern x: it is in .kconfig, and not a variable" },
	{ { { .name = "x", .type = INT }, { .name = "x", .type = INT, .ksym = true } }, 2,
	  "test.o: extern x: it is declared twice" },
	{ { { .name = "x", .type = HUGE }, { .name = "a", .type = BOOL } }, 2,
	  "test.o: extern x: with it, the variables of .kconfig are larger than 1 MiB" },
};

START_TEST(refuse)
{
	for (int big = 0; big < 2; big++) {
		struct bpfobj o = externobj(big, refused[_i].decls, refused[_i].count);

		bpfobj_refused(&o, refused[_i].error);
	}
}
END_TEST

START_TEST(largest)
{
	static const struct decl huge = { .name = "x", .type = HUGE };
	struct bpfobj o = externobj(_i, &huge, 1);

	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->maps[o.t->kconfig].value_size, 1u << 20);
	bpfobj_free(&o);
}
END_TEST

/* A symbol without a declaration, a declaration without a symbol, and a symbol that comes twice. */
START_TEST(symbols_and_declarations)
{
	static const struct decl declared = { .name = "x", .type = INT };
	struct bpfobj o = externobj(_i, &declared, 1);

	bpfobj_undefined(&o, "x", ELF64_STB_WEAK);
	bpfobj_refused(&o, "test.o: extern x: two symbols have this name");
	o = bpfobj_new(_i);
	elfgen_symbol(o.gen, &(struct elf64_symbol){ .name = "x", .bind = ELF64_STB_GLOBAL, .type = ELF64_STT_NOTYPE,
						     .section = ELF64_SHN_ABS });
	elfgen_symbol(o.gen, &(struct elf64_symbol){ .name = "x", .bind = ELF64_STB_LOCAL });
	elfgen_symbol(o.gen, &(struct elf64_symbol){ .name = "", .bind = ELF64_STB_GLOBAL });
	{
		struct btfgen *gen = btfgen_new(_i);

		externobj_types(gen);
		externobj_decls(gen, &declared, 1);
		bpfobj_btf(&o, gen, false);
	}
	bpfobj_open(&o);
	ck_assert_uint_eq(o.t->extern_count, 0);
	ck_assert_uint_eq(o.t->kconfig, NO_INDEX);
	bpfobj_free(&o);
}
END_TEST

/* --------------------------------------------------------------- kconfig */

static void expect_kconfig(const struct bpfobj *o, const char *text, const uint8_t *want)
{
	uint32_t size = o->t->maps[o->t->kconfig].value_size;
	struct bpfstamp_err err;
	uint8_t bytes[64];

	ck_assert_uint_le(size, sizeof(bytes));
	memset(bytes, 0xee, sizeof(bytes));
	externobj_write(text, strlen(text));
	ck_assert_msg(!externs_kconfig(o->t, externobj_path, bytes, NULL, &err), "%s", err.text);
	ck_assert_mem_eq(bytes, want, size);
	for (uint32_t i = size; i < sizeof(bytes); i++)
		ck_assert_uint_eq(bytes[i], 0xee);
}

static void expect_no_kconfig(const struct bpfobj *o, const char *file, const char *error)
{
	struct bpfstamp_err err;
	uint8_t bytes[64];

	ck_assert_int_eq(externs_kconfig(o->t, file, bytes, NULL, &err), -1);
	bpfobj_says(&err, error);
	ck_assert_msg(!strncmp(err.text, "test.o: extern ", 15), "%s", err.text);
}

START_TEST(configured)
{
	struct bpfobj o = externobj(_i, mixed, MIXED);
	uint8_t want[37] = { 0 };

	bpfobj_open(&o);
	bytes_put64(want, (uint64_t)-2, _i);
	bytes_put64(want + 8, 2, _i);
	bytes_put32(want + 16, (uint32_t)-7, _i);
	bytes_put32(want + 20, 0xfedcba98, _i);
	bytes_put32(want + 24, 1, _i);
	bytes_put16(want + 28, 0x1234, _i);
	want[30] = 1;
	memcpy(want + 32, "text", 5);
	expect_kconfig(&o, "CONFIG_LONG=-2\nCONFIG_TRISTATE64=m\nCONFIG_A_INT=-7\nCONFIG_A_INT=8\n"
			   "CONFIG_B_UINT=0xfedcba98\nCONFIG_TRISTATE=y\n# CONFIG_CHAR is not set\n"
			   "CONFIG_SHORT=0x1234\nCONFIG_BOOL=y\nCONFIG_TEXT=\"text\"\nCONFIG_OTHER=bad\n", want);
	externobj_write("CONFIG_LONG=1\n", 14);
	expect_no_kconfig(&o, externobj_path, "test.o: extern CONFIG_A_INT: /proc/self/fd/");
	expect_no_kconfig(&o, externobj_path, " does not set it, and it is not weak");
	externobj_write("CONFIG_BOOL=m\n", 14);
	expect_no_kconfig(&o, externobj_path, "test.o: extern CONFIG_BOOL: in /proc/self/fd/");
	expect_no_kconfig(&o, externobj_path, ": its value m needs enum libbpf_tristate or char, and it is "
					      "declared bool");
	expect_no_kconfig(&o, "/nonexistent", "test.o: extern CONFIG_A_INT: cannot open /nonexistent");
	bpfobj_free(&o);
}
END_TEST

/* Without a configuration nobody knows that a weak option is not set. */
START_TEST(weak_options)
{
	static const struct decl weak = { .name = "CONFIG_WEAK", .type = TEXT5, .weak = true };
	struct bpfobj o = externobj(_i, &weak, 1);

	bpfobj_open(&o);
	expect_kconfig(&o, "", (const uint8_t *)"\0\0\0\0");
	expect_kconfig(&o, "CONFIG_WEAK=\"1234\"", (const uint8_t *)"1234");
	expect_no_kconfig(&o, "/nonexistent", "test.o: extern CONFIG_WEAK: cannot open /nonexistent");
	bpfobj_free(&o);
}
END_TEST

static const struct {
	struct decl decl;
	const char *error;	/* NULL: zero */
} virtuals[] = {
	{ { .name = "LINUX_NOTHING", .type = INT, .weak = true }, NULL },
	{ { .name = "LINUX_NOTHING", .type = INT }, "extern LINUX_NOTHING: no variable of .kconfig has this name: "
	  "those begin with CONFIG_, and there are LINUX_KERNEL_VERSION, LINUX_HAS_BPF_COOKIE and "
	  "LINUX_HAS_SYSCALL_WRAPPER" },
	{ { .name = "NOTHING", .type = INT, .weak = true }, "extern NOTHING: no variable of .kconfig has this name" },
	{ { .name = "LINUX_KERNEL_VERSION", .type = BOOL }, "is neither 0 nor 1, and it is declared bool" },
	{ { .name = "LINUX_KERNEL_VERSION", .type = SHORT }, "does not fit a signed integer of 2 bytes" },
	{ { .name = "LINUX_KERNEL_VERSION", .type = TRISTATE }, "and it is declared enum libbpf_tristate" },
	{ { .name = "LINUX_HAS_BPF_COOKIE", .type = TEXT5 }, "extern LINUX_HAS_BPF_COOKIE: its value " },
};

START_TEST(no_options)
{
	struct bpfobj o = externobj(BYTES_HOST_BIG, &virtuals[_i].decl, 1);

	bpfobj_open(&o);
	if (virtuals[_i].error)
		expect_no_kconfig(&o, NULL, virtuals[_i].error);
	else
		expect_kconfig(&o, "", (const uint8_t *)"\0\0\0\0");
	bpfobj_free(&o);
}
END_TEST

/* The layout that libbpf gives this object, as bpftool showed it. */
static const struct {
	const char *name;
	uint32_t offset;
} compiled_layout[] = {
	{ "CONFIG_ILLEGAL_POINTER_VALUE", 0 }, { "CONFIG_PANIC_TIMEOUT", 8 }, { "CONFIG_NET", 16 },
	{ "CONFIG_NR_CPUS", 20 }, { "LINUX_HAS_SYSCALL_WRAPPER", 24 }, { "LINUX_KERNEL_VERSION", 28 },
	{ "LINUX_Y_NO_SUCH_THING", 32 }, { "CONFIG_HZ", 36 }, { "CONFIG_BPF", 38 }, { "CONFIG_BPF_SYSCALL", 39 },
	{ "CONFIG_LOG_BUF_SHIFT", 40 }, { "CONFIG_Y_NO_SUCH_OPTION", 41 }, { "LINUX_HAS_BPF_COOKIE", 42 },
	{ "CONFIG_Y_NO_SUCH_TEXT", 43 }, { "CONFIG_DEFAULT_HOSTNAME", 51 },
};

START_TEST(compiled_kconfig)
{
	struct bpfstamp_err err;
	uint8_t bytes[115];
	struct bpfobj o;

	if (!externobj_compile(&o, "externs_kconfig"))
		return;
	ck_assert_uint_eq(o.t->extern_count, 15);
	for (uint32_t i = 0; i < 15; i++) {
		ck_assert_str_eq(o.t->externs[i].name, compiled_layout[i].name);
		ck_assert_uint_eq(o.t->externs[i].offset, compiled_layout[i].offset);
	}
	ck_assert_uint_eq(o.t->maps[o.t->kconfig].value_size, sizeof(bytes));
	if (access("/proc/config.gz", R_OK)) {
		printf("SKIP externs: no /proc/config.gz (CONFIG_IKCONFIG_PROC)\n");
	} else {
		ck_assert_msg(!externs_kconfig(o.t, NULL, bytes, NULL, &err), "%s", err.text);
		ck_assert_uint_eq(bytes[38], 'y');
		ck_assert_uint_eq(bytes[39], 1);
		ck_assert_uint_eq(bytes[41], 0);
		ck_assert_mem_eq(bytes + 43, "\0\0\0\0\0\0\0", 8);
	}
	bpfobj_free(&o);
}
END_TEST

Suite *suite_externs(void)
{
	TCase *tcase = tcase_create("externs");
	Suite *s = suite_create("externs");

	tcase_add_checked_fixture(tcase, externobj_setup, externobj_teardown);
	tcase_add_loop_test(tcase, layout, 0, 2);
	tcase_add_loop_test(tcase, padding, 0, 2);
	tcase_add_loop_test(tcase, none, 0, 2);
	tcase_add_loop_test(tcase, refuse, 0, sizeof(refused) / sizeof(refused[0]));
	tcase_add_loop_test(tcase, largest, 0, 2);
	tcase_add_loop_test(tcase, symbols_and_declarations, 0, 2);
	tcase_add_loop_test(tcase, configured, 0, 2);
	tcase_add_loop_test(tcase, weak_options, 0, 2);
	tcase_add_loop_test(tcase, no_options, 0, sizeof(virtuals) / sizeof(virtuals[0]));
	tcase_add_test(tcase, compiled_kconfig);
	suite_add_tcase(s, tcase);
	return s;
}
