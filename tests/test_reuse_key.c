// SPDX-License-Identifier: BSD-2-Clause
/*
 * The key of a program: equal where the same is loaded, and different for each
 * thing that makes a difference to somebody; and its digest.  No kernel is asked.
 */
#include <check.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>

#include "include/bytes.h"
#include "loader/load.h"
#include "loader/record.h"
#include "loader/reuse.h"
#include "tests/bpfobj.h"

Suite *suite_reuse_key(void);

static struct bpfstamp_err err;

#define OK(call) ck_assert_msg(!(call), "%s: %s", #call, err.text)

/* Each macro is one thing that a variant changes.  The file's name, which BTF has, is always another. */
static const char source[] =
	"#include \"features.h\"\n"
	"#ifndef NAME\n#define NAME p\n#endif\n"
	"#ifndef SECTION\n#define SECTION \"tc\"\n#endif\n"
	"#ifndef CONTEXT\n#define CONTEXT struct __sk_buff\n#endif\n"
	"#ifndef VARIABLE\n#define VARIABLE x\n#endif\n"
	"#ifndef KIND\n#define KIND __u32\n#endif\n"
	"#ifndef DATA\n#define DATA 1\n#endif\n"
	"#ifndef RODATA\n#define RODATA \".rodata\"\n#endif\n"
	"#ifndef ADD\n#define ADD 1\n#endif\n"
	"#ifndef VERSION\n#define VERSION 0\n#endif\n"
	"#ifdef LINE\n#line 2 \"test.c\"\n#else\n#line 1 \"test.c\"\n#endif\n"
	"SEC(RODATA) const volatile KIND VARIABLE = DATA;\n"
	"SEC(SECTION) int NAME(CONTEXT *ctx) { return VARIABLE + ADD; }\n"
	"#ifdef OTHER\nSEC(\"tc\") int other(struct __sk_buff *ctx) { return 3; }\n#endif\n"
	"#if VERSION\n__u32 _version SEC(\"version\") = VERSION;\n#endif\n"
	"#ifdef GPL\nchar _license[] SEC(\"license\") = \"GPL\";\n#else\nLICENSE;\n#endif\n";

struct made {
	struct bpfobj o;
	struct bpfstamp_stamp *s;
};

static bool keyed(const struct made *m, uint32_t prog_type)
{
	struct bpfstamp_load load = { .prog_type = prog_type, .record = true, .reuse = true };

	OK(bpfstamp_find_program(m->o.t, NULL, 0, &load.program, &err));
	return reuse_key(m->s, load_link(m->o.t, load.program, &err), &load);
}

static bool compile(struct made *m, const char *flags, const char *text)
{
	char all[256];

	snprintf(all, sizeof(all), "-mcpu=v3 %s %s", flags, BPFOBJ_FLAGS);
	if (!bpfobj_compile(&m->o, BYTES_HOST_BIG ? "bpfeb" : "bpfel", all, text))
		return false;
	m->s = bpfobj_stamp(&m->o);
	return true;
}

static void discard(struct made *m)
{
	bpfstamp_stamp_free(m->s);
	bpfobj_free(&m->o);
}

static bool is_equal(const struct made *a, const struct made *b)
{
	uint8_t one[REUSE_DIGEST], other[REUSE_DIGEST];
	bool equal = a->s->key_size == b->s->key_size && !memcmp(a->s->key, b->s->key, a->s->key_size);

	reuse_digest(one, a->s->key, a->s->key_size);
	reuse_digest(other, b->s->key, b->s->key_size);
	ck_assert_int_eq(!memcmp(one, other, sizeof(one)), equal);
	return equal;
}

static const struct {
	const char *flags, *name, *value;	/* of the compiler; the object's; what x is set to, or NULL */
	bool equal;
} variants[] = {
	{ "", "test.o", NULL, true },
	{ "-DLINE", "test.o", NULL, false },
	{ "-DLINE -g0", "test.o", NULL, false },
	{ "-DNAME=q", "test.o", NULL, false },
	{ "-DSECTION='\"tcx/ingress\"'", "test.o", NULL, false },
	{ "-DSECTION='\"xdp\"' -DCONTEXT='struct xdp_md'", "test.o", NULL, false },
	{ "-DSECTION='\"xdp.frags\"' -DCONTEXT='struct xdp_md'", "test.o", NULL, false },
	{ "-DVARIABLE=y", "test.o", NULL, false },
	{ "-DKIND=int", "test.o", NULL, false },
	{ "-DDATA=2", "test.o", NULL, false },
	{ "-DRODATA='\".rodata.x\"'", "test.o", NULL, false },
	{ "-DADD=2", "test.o", NULL, false },
	{ "-DVERSION=7", "test.o", NULL, false },
	{ "-DGPL", "test.o", NULL, false },
	{ "", "tess.o", NULL, false },
	{ "", "test.o", "1", false },		/* the record says that it was set */
	{ "", "test.o", "2", false },
};

START_TEST(differences)
{
	struct made base, other;

	if (!compile(&base, "", source) || !compile(&other, variants[_i].flags, source))
		return;
	if (strcmp(variants[_i].name, "test.o") != 0) {
		bpfstamp_stamp_free(other.s);
		bpfstamp_close(other.o.t);
		OK(bpfstamp_open(&other.o.t, other.o.bytes, other.o.size, variants[_i].name, &err));
		other.s = bpfobj_stamp(&other.o);
	}
	if (variants[_i].value)
		bpfobj_set(other.s, "x", variants[_i].value);
	ck_assert(keyed(&base, 0) && keyed(&other, 0));
	ck_assert_int_eq(is_equal(&base, &other), variants[_i].equal);
	/* And each with itself, made once more. */
	if (variants[_i].value) {
		bpfobj_set(base.s, "x", variants[_i].value);
		ck_assert(keyed(&base, 0));
		ck_assert(is_equal(&base, &other));
	}
	discard(&base);
	discard(&other);
}
END_TEST

/* A program whose section tells no type has the one that is given; and no key with the wrong one. */
START_TEST(types)
{
	static const struct bpfinsn code[] = { MOV64(0, 1), EXIT };
	struct made tc = { .o = bpfobj_new(BYTES_HOST_BIG) }, xdp = { .o = bpfobj_new(BYTES_HOST_BIG) };
	struct made *both[] = { &tc, &xdp };

	for (int i = 0; i < 2; i++) {
		bpfobj_func(&both[i]->o, "p", bpfobj_code(&both[i]->o, "some", code, 2), 0, 2);
		bpfobj_open(&both[i]->o);
		both[i]->s = bpfobj_stamp(&both[i]->o);
	}
	ck_assert(!keyed(&tc, 0));
	ck_assert(keyed(&tc, BPF_PROG_TYPE_SCHED_CLS) && keyed(&xdp, BPF_PROG_TYPE_SCHED_CLS));
	ck_assert(is_equal(&tc, &xdp));
	ck_assert(keyed(&xdp, BPF_PROG_TYPE_XDP));
	ck_assert(!is_equal(&tc, &xdp));
	discard(&tc);
	discard(&xdp);
}
END_TEST

START_TEST(wrong_type)
{
	struct made m;

	if (!compile(&m, "", source))
		return;
	ck_assert(!keyed(&m, BPF_PROG_TYPE_XDP));
	ck_assert(keyed(&m, BPF_PROG_TYPE_SCHED_CLS));
	discard(&m);
}
END_TEST

/* A symbol has to be set, whatever its instructions hold. */
START_TEST(unset_symbol)
{
	static const struct bpfinsn code[] = { LDDW(0, 0), EXIT };
	struct made m = { .o = bpfobj_new(BYTES_HOST_BIG) };
	uint32_t tc = bpfobj_code(&m.o, "tc", code, 3);

	bpfobj_func(&m.o, "p", tc, 0, 3);
	bpfobj_rel(&m.o, tc, 0, R_BPF_64_64, bpfobj_undefined(&m.o, "a", ELF64_STB_GLOBAL));
	bpfobj_open(&m.o);
	m.s = bpfobj_stamp(&m.o);
	ck_assert(!keyed(&m, 0));
	bpfobj_set(m.s, "a", "0");
	ck_assert(keyed(&m, 0));
	discard(&m);
}
END_TEST

/* Without debug info there is less in it, and all the rest. */
START_TEST(no_debug_info)
{
	struct bpfstamp_load load = { .record = true, .reuse = true, .no_debug_info = true };
	struct made with, without, line;
	const struct link *link;

	if (!compile(&with, "", source) || !compile(&without, "", source) || !compile(&line, "-DLINE", source))
		return;
	OK(bpfstamp_find_program(without.o.t, NULL, 0, &load.program, &err));
	link = load_link(without.o.t, load.program, &err);
	ck_assert(keyed(&with, 0) && reuse_key(without.s, link, &load));
	ck_assert(!is_equal(&with, &without));
	ck_assert_uint_lt(without.s->key_size, with.s->key_size);
	ck_assert(reuse_key(line.s, load_link(line.o.t, load.program, &err), &load));
	ck_assert(is_equal(&line, &without));
	ck_assert(keyed(&without, 0));
	ck_assert(is_equal(&with, &without));
	discard(&with);
	discard(&without);
	discard(&line);
}
END_TEST

/* The key begins with a record, of that program alone, which reads as one without a key. */
START_TEST(begins_with_record)
{
	struct record *with, *without;
	uint8_t *raw = NULL, *copy;
	uint32_t size, room = 0;
	struct made m;

	if (!compile(&m, "", source))
		return;
	bpfobj_set(m.s, "x", "7");
	ck_assert(keyed(&m, 0));
	copy = malloc(m.s->key_size);
	ck_assert_ptr_nonnull(copy);
	memcpy(copy, m.s->key, m.s->key_size);
	with = record_parse(copy, m.s->key_size, "p");
	ck_assert_ptr_nonnull(with);
	m.s->prog_fds[0] = m.s->map_fds[0] = 0;
	OK(record_make(m.s, NULL, &raw, &room, &size, &err));
	m.s->prog_fds[0] = m.s->map_fds[0] = -1;
	ck_assert_uint_lt(size, m.s->key_size);
	/* All but the flag. */
	ck_assert_mem_eq(raw, copy, 6);
	ck_assert_mem_eq(raw + 8, copy + 8, size - 8);
	without = record_parse(raw, size, "p");
	ck_assert_ptr_nonnull(without);
	ck_assert_uint_eq(with->count, without->count);
	ck_assert_str_eq(with->program, "p");
	ck_assert_str_eq(with->values[0].name, "x");
	ck_assert(with->values[0].stamped && with->values[0].in_map);
	record_free(with);
	record_free(without);

	/* A record that says that a key follows, and is not followed by one; and one that does not say so, and is. */
	ck_assert_ptr_null(record_parse(m.s->key, size, "p"));
	m.s->key[BYTES_HOST_BIG ? 7 : 6] = 0;
	ck_assert_ptr_null(record_parse(m.s->key, m.s->key_size, "p"));
	discard(&m);
}
END_TEST

/* One byte more or less, or other: another digest; also where all are zero. */
START_TEST(digests)
{
	enum { LONGEST = 70 };
	uint8_t key[LONGEST] = { 0 }, seen[LONGEST * 9][REUSE_DIGEST];
	uint32_t count = 0;

	for (uint32_t size = 1; size <= LONGEST; size++) {
		reuse_digest(seen[count++], key, size);
		for (int bit = 0; bit < 8; bit++) {
			key[size - 1] = (uint8_t)(1 << bit);
			reuse_digest(seen[count++], key, size);
		}
		key[size - 1] = 0;
	}
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t k = 0; k < i; k++)
			ck_assert_mem_ne(seen[i], seen[k], REUSE_DIGEST / 2);
}
END_TEST

Suite *suite_reuse_key(void)
{
	TCase *tcase = tcase_create("reuse_key");
	Suite *s = suite_create("reuse_key");

	suite_add_tcase(s, tcase);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, differences, 0, sizeof(variants) / sizeof(variants[0]));
	tcase_add_test(tcase, types);
	tcase_add_test(tcase, wrong_type);
	tcase_add_test(tcase, unset_symbol);
	tcase_add_test(tcase, no_debug_info);
	tcase_add_test(tcase, begins_with_record);
	tcase_add_test(tcase, digests);
	return s;
}
