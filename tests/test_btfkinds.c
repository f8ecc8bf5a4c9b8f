// SPDX-License-Identifier: BSD-2-Clause
/*
 * Kinds of BTF that a kernel lacks: what stands for them, when that is found
 * out, and what is told of it.  Older kernels are played by a listener
 * (tests/bpfcalls.h).
 *
 * check runs each test in a process of its own, so that a lack noted by one is
 * unknown to the next.
 */
#include <check.h>
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/btfkinds.h"
#include "loader/kbtf.h"
#include "tests/bpfcalls.h"
#include "tests/kbtfmade.h"

Suite *suite_btfkinds(void);

/* Types with everything that some kernel lacks, but for ids without a row here. */
static const struct row {
	uint32_t id;
	enum lack lack;
	enum btf_kind before, after;
	const char *name;	/* of the replacement */
} rows[] = {
	{ 3, LACKS_BTF_ENUM64, BTF_ENUM, BTF_ENUM, "sign" },
	{ 4, LACKS_BTF_ENUM64, BTF_ENUM64, BTF_UNION, "wide" },
	{ 5, LACKS_BTF_FLOAT, BTF_FLOAT, BTF_STRUCT, "" },
	{ 6, LACKS_BTF_TYPE_TAG, BTF_TYPE_TAG, BTF_CONST, "" },
	{ 8, LACKS_BTF_TYPE_TAG, BTF_TYPE_TAG, BTF_CONST, "" },
	{ 10, LACKS_BTF_FUNC, BTF_STRUCT, BTF_STRUCT, "bits" },
	{ 11, LACKS_BTF_FUNC, BTF_FWD, BTF_FWD, "later" },
	{ 12, LACKS_BTF_FUNC, BTF_FUNC_PROTO, BTF_ENUM, "" },
	{ 13, LACKS_BTF_FUNC, BTF_FUNC_PROTO, BTF_ENUM, "" },
	{ 14, LACKS_BTF_FUNC, BTF_FUNC, BTF_TYPEDEF, "shown" },
	{ 15, LACKS_BTF_FUNC, BTF_FUNC, BTF_TYPEDEF, "own" },
	{ 16, LACKS_BTF_DATASEC, BTF_VAR, BTF_INT, "v" },
	{ 17, LACKS_BTF_DATASEC, BTF_VAR, BTF_INT, "f.x" },
	{ 18, LACKS_BTF_DATASEC, BTF_DATASEC, BTF_STRUCT, "" },
	{ 19, LACKS_BTF_DATASEC, BTF_VAR, BTF_INT, "q" },
	{ 20, LACKS_BTF_DATASEC, BTF_DATASEC, BTF_STRUCT, "" },
	{ 21, LACKS_BTF_DECL_TAG, BTF_DECL_TAG, BTF_INT, "tag" },
	{ 22, LACKS_BTF_DECL_TAG, BTF_DECL_TAG, BTF_INT, "attribute" },
	{ 25, LACKS_BTF_EMPTY, BTF_DATASEC, BTF_STRUCT, "" },
};

enum { KINDS_COUNT = 26, ALL_BTF = ((2u << LACKS_BTF) - 1) & ~((1u << LACKS_BTF_TAG_FLAG) - 1) };

static void add_values(struct btfgen *gen)
{
	kbtfmade_add_int(gen, "u32", 4);							/* 1 */
	kbtfmade_add_int(gen, "u8", 1);							/* 2 */
	btfgen_type(gen, "sign", BTF_ENUM, 1 | BTFGEN_FLAG, 4);			/* 3 */
	btfgen_word(gen, btfgen_string(gen, "MINUS"));
	btfgen_word(gen, UINT32_MAX);
	btfgen_type(gen, "wide", BTF_ENUM64, 2, 8);				/* 4 */
	btfgen_words(gen, btfgen_string(gen, "W1"), 1, 2);
	btfgen_words(gen, btfgen_string(gen, "W2"), 3, 4);
	btfgen_type(gen, "long double", BTF_FLOAT, 0, 4);			/* 5 */
	btfgen_type(gen, "user", BTF_TYPE_TAG, 0, 1);				/* 6 */
	btfgen_type(gen, "", BTF_PTR, 0, 6);					/* 7 */
	btfgen_type(gen, "attribute", BTF_TYPE_TAG, BTFGEN_FLAG, 1);		/* 8 */
	btfgen_type(gen, "", BTF_PTR, 0, 8);					/* 9 */
	btfgen_type(gen, "bits", BTF_STRUCT, 3 | BTFGEN_FLAG, 8);		/* 10 */
	btfgen_words(gen, btfgen_string(gen, "a"), 1, 3u << 24 | 0);
	btfgen_words(gen, btfgen_string(gen, "b"), 1, 13u << 24 | 11);
	btfgen_words(gen, btfgen_string(gen, "c"), 1, 32);
	btfgen_type(gen, "later", BTF_FWD, BTFGEN_FLAG, 0);			/* 11 */
}

static void add_functions(struct btfgen *gen)
{
	btfgen_type(gen, "", BTF_FUNC_PROTO, 2, 1);				/* 12 */
	btfgen_word(gen, 0);
	btfgen_word(gen, 1);
	btfgen_word(gen, btfgen_string(gen, "x"));
	btfgen_word(gen, 7);
	btfgen_type(gen, "", BTF_FUNC_PROTO, 1, 0);				/* 13 */
	btfgen_word(gen, btfgen_string(gen, "x"));
	btfgen_word(gen, 1);
	btfgen_type(gen, "shown", BTF_FUNC, 1, 13);				/* 14 */
	btfgen_type(gen, "own", BTF_FUNC, 0, 13);				/* 15 */
}

static struct bpfobj kinds(bool big)
{
	static const struct bpfinsn code[] = { EXIT };
	static const uint8_t raw[8];
	struct btfgen *gen = btfgen_new(big);
	struct bpfobj o = bpfobj_new(big);

	add_values(gen);
	add_functions(gen);
	kbtfmade_add_var(gen, "v", 1, 1);						/* 16 */
	kbtfmade_add_var(gen, "f.x", 5, 0);						/* 17 */
	btfgen_type(gen, ".data", BTF_DATASEC, 2, 0);				/* 18 */
	btfgen_words(gen, 17, 4, 4);
	btfgen_words(gen, 16, 0, 4);
	kbtfmade_add_var(gen, "q", 1, 1);						/* 19 */
	btfgen_type(gen, "?.struct_ops", BTF_DATASEC, 1, 0);			/* 20 */
	btfgen_words(gen, 19, 0, 4);
	btfgen_type(gen, "tag", BTF_DECL_TAG, 0, 16);				/* 21 */
	btfgen_word(gen, UINT32_MAX);
	btfgen_type(gen, "attribute", BTF_DECL_TAG, BTFGEN_FLAG, 10);		/* 22 */
	btfgen_word(gen, 1);
	btfgen_type(gen, "user", BTF_STRUCT, 3, 16);				/* 23 */
	btfgen_words(gen, btfgen_string(gen, "a"), 4, 0);
	btfgen_words(gen, btfgen_string(gen, "b"), 5, 64);
	btfgen_words(gen, btfgen_string(gen, "c"), 3, 96);
	btfgen_type(gen, "", BTF_PTR, 0, 12);					/* 24 */
	btfgen_type(gen, ".rodata", BTF_DATASEC, 0, 4);				/* 25 */
	bpfobj_btf(&o, gen, false);
	bpfobj_func(&o, "f", bpfobj_code(&o, "tc", code, 1), 0, 1);
	bpfobj_var(&o, "v", bpfobj_data(&o, ".data", raw, 8), 0, 4);
	bpfobj_var(&o, "q", bpfobj_data(&o, "?.struct_ops", raw, 4), 0, 4);
	bpfobj_open(&o);
	return o;
}

static void expect_member(const struct kbtfmade *m, uint32_t id, uint32_t i, const char *name, uint32_t type,
			  uint32_t bit)
{
	struct btf_member member;

	btf_member(&m->btf, id, i, &member);
	ck_assert_str_eq(member.name, name);
	ck_assert_uint_eq(member.type, type);
	ck_assert_uint_eq(member.bit_offset, bit);
	ck_assert_uint_eq(member.bit_size, 0);
}

static void expect_one_byte(const struct kbtfmade *m, uint32_t id)
{
	struct btf_type type = kbtfmade_type(m, id);

	ck_assert_uint_eq(type.kind, BTF_INT);
	ck_assert_uint_eq(type.size, 1);
	ck_assert_uint_eq(type.int_bits, 8);
}

/* What stands where everything was replaced. */
static void expect_oldest(const struct kbtfmade *m)
{
	struct btf_enumerator e;

	expect_one_byte(m, KINDS_COUNT);
	for (uint32_t i = 0; i < 3; i++)
		expect_one_byte(m, (uint32_t[]){ 16, 19, 22 }[i]);
	btf_enumerator(&m->btf, 3, 0, &e);
	ck_assert(!strcmp(e.name, "MINUS") && e.value == UINT32_MAX);
	expect_member(m, 4, 0, "W1", KINDS_COUNT, 0);
	expect_member(m, 4, 1, "W2", KINDS_COUNT, 0);
	ck_assert_uint_eq(kbtfmade_type(m, 4).size, 8);
	ck_assert_uint_eq(kbtfmade_type(m, 5).size, 4);
	ck_assert_uint_eq(kbtfmade_type(m, 5).vlen, 0);
	ck_assert_uint_eq(kbtfmade_type(m, 6).type, 1);
	expect_member(m, 10, 0, "a", KINDS_COUNT, 0);
	expect_member(m, 10, 1, "b", KINDS_COUNT, 8);
	expect_member(m, 10, 2, "c", 1, 32);
	btf_enumerator(&m->btf, 12, 0, &e);
	ck_assert_str_eq(e.name, "arg");
	btf_enumerator(&m->btf, 12, 1, &e);
	ck_assert_str_eq(e.name, "x");
	ck_assert_uint_eq(kbtfmade_type(m, 12).size, 4);
	ck_assert_uint_eq(kbtfmade_type(m, 14).type, 13);
	ck_assert_uint_eq(kbtfmade_type(m, 18).size, 8);
	expect_member(m, 18, 0, "", 16, 0);
	expect_member(m, 18, 1, "", 17, 32);
}

/* A kernel that lacks something lacks what is younger, too: all up to one of them. */
START_TEST(replaced_kinds)
{
	const int last = LACKS_BTF_TAG_FLAG - 1 + _i / 2;
	struct bpfobj o = kinds(_i & 1);
	uint32_t lacking = 0;
	char what[32];
	struct kbtfmade m;

	for (int lack = LACKS_BTF_TAG_FLAG; lack <= last; lack++) {
		lacks_note((enum lack)lack);
		lacking |= 1u << lack;
	}
	kbtfmade_make(&m, &o);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool replaced = (int)rows[i].lack <= last;
		struct btf_type type = kbtfmade_type(&m, rows[i].id);

		ck_assert_msg(type.kind == (replaced ? rows[i].after : rows[i].before), "type %u", rows[i].id);
		ck_assert_msg(!replaced || !type.kind_flag, "type %u", rows[i].id);
		if (replaced)
			ck_assert_str_eq(type.name, rows[i].name);
	}
	ck_assert_uint_eq(kbtfmade_type(&m, 8).kind_flag, last < LACKS_BTF_TAG_FLAG);
	ck_assert_uint_eq(kbtfmade_type(&m, 22).kind_flag, last < LACKS_BTF_TAG_FLAG);
	if (last < LACKS_BTF_DATASEC)
		ck_assert_str_eq(kbtfmade_type(&m, 20).name, last < LACKS_BTF_QMARK ? "?.struct_ops" : ".struct_ops");
	if (last < LACKS_BTF_FUNC)
		ck_assert_uint_eq(kbtfmade_type(&m, 14).linkage, last < LACKS_BTF_FUNC_GLOBAL);
	ck_assert_uint_eq(m.btf.type_count, KINDS_COUNT + (last >= LACKS_BTF_ENUM64));
	if (last == LACKS_BTF_FUNC)
		expect_oldest(&m);
	snprintf(what, sizeof(what), "lacks up to %d", last);
	if (!(btfkinds_lacking(ALL_BTF) & ~lacking))
		kbtfmade_accepted(&m, what);
	free(m.bytes);
	bpfobj_free(&o);
}
END_TEST

/* ------------------------------------------------------------------ load */

struct notes {
	int count;
	char text[512];		/* the last */
};

static void take_note(void *arg, const char *text)
{
	struct notes *notes = arg;

	notes->count++;
	snprintf(notes->text, sizeof(notes->text), "%s", text);
}

static int load(const struct bpfobj *o, struct notes *notes)
{
	const struct bpfstamp_load load = { .note = take_note, .note_arg = notes };

	*notes = (struct notes){ 0 };
	return kbtf_load(o->t, &load);
}

static uint32_t noted(void)
{
	uint32_t set = 0;

	for (int lack = LACKS_BTF_TAG_FLAG; lack <= LACKS_BTF; lack++)
		set |= (uint32_t)lacks((enum lack)lack) << lack;
	return set;
}

static bool may_load(void)
{
	if (!geteuid())
		return true;
	fprintf(stderr, "SKIP loading BTF: not root\n");
	return false;
}

/* What the kernel lacks is what it is noted to lack; on one that lacks nothing, nobody is told anything. */
START_TEST(load_learns)
{
	struct bpfobj o = kinds(BYTES_HOST_BIG);
	struct notes notes;
	uint32_t lacking;

	if (!may_load())
		return;
	lacking = btfkinds_lacking(ALL_BTF);
	for (int round = 0; round < 2; round++) {
		int fd = load(&o, &notes);

		ck_assert_msg(fd >= 0, "%s", notes.text);
		close(fd);
		ck_assert_uint_eq(noted(), lacking);
		ck_assert_int_eq(notes.count, __builtin_popcount(lacking));
	}
	bpfobj_free(&o);
}
END_TEST

START_TEST(load_tells_what_is_replaced)
{
	struct bpfobj o = kinds(BYTES_HOST_BIG);
	struct notes notes;
	int fd;

	if (!may_load())
		return;
	for (int lack = LACKS_BTF_TAG_FLAG; lack <= LACKS_BTF_FUNC; lack++)
		lacks_note((enum lack)lack);
	fd = load(&o, &notes);
	ck_assert_msg(fd >= 0, "%s", notes.text);
	close(fd);
	ck_assert_int_eq(notes.count, 10);
	ck_assert_str_eq(notes.text,
			 "this kernel lacks BTF_KIND_FUNC (Linux 5.0): replaced in the BTF of the object");
	lacks_note(LACKS_BTF);
	ck_assert_int_eq(load(&o, &notes), KBTF_NONE);
	ck_assert_int_eq(notes.count, 1);
	ck_assert_str_eq(notes.text, "this kernel lacks BTF (Linux 4.18): source lines and types will be missing");
	bpfobj_free(&o);
}
END_TEST

/* Where the BTF is at fault, the kernel's reason is told, and nothing is held against the kernel. */
START_TEST(load_refused)
{
	static const struct bpfinsn code[] = { EXIT };
	struct btfgen *gen = btfgen_new(BYTES_HOST_BIG);
	struct bpfobj o = bpfobj_new(BYTES_HOST_BIG);
	uint32_t lacking = btfkinds_lacking(ALL_BTF), u32 = kbtfmade_add_int(gen, "u32", 4), a, b;
	struct notes notes;

	if (!may_load())
		return;
	a = kbtfmade_add_var(gen, "a", u32, 1);
	b = kbtfmade_add_var(gen, "b", u32, 1);
	btfgen_type(gen, ".none", BTF_DATASEC, 2, 8);
	btfgen_words(gen, a, 0, 4);
	btfgen_words(gen, b, 2, 4);
	for (int i = 0; i < 2000 * _i; i++)	/* a log larger than the first attempt has room for */
		kbtfmade_add_int(gen, "an integer that has a long name, so that the log of the kernel becomes long",
				 4);
	bpfobj_btf(&o, gen, false);
	bpfobj_func(&o, "f", bpfobj_code(&o, "tc", code, 1), 0, 1);
	bpfobj_open(&o);
	ck_assert_int_eq(load(&o, &notes), KBTF_NONE);
	ck_assert_int_eq(notes.count, 1);
	ck_assert_msg(strstr(notes.text, "the kernel refuses the BTF of the object (") != NULL, "%s", notes.text);
	ck_assert_msg(strstr(notes.text, "type_id=3 offset=2 size=4 Invalid offset): source lines") != NULL, "%s",
		      notes.text);
	ck_assert_uint_eq(noted() & ~lacking, 0);
	bpfobj_free(&o);
}
END_TEST

/* A kernel that does not know some kinds refuses every BTF that has one. */
static int refuse_kinds(const struct bpfcalls *calls, uint32_t command, const uint8_t *attr, uint32_t size)
{
	const uint32_t *unknown = calls->arg, length = bytes_get32(attr + 16, BYTES_HOST_BIG);
	static uint8_t bytes[1 << 16];
	uint32_t index[KBTFMADE_INDEX], count = 0;
	struct elf64_fault fault;
	struct btf_type type;
	struct btf btf;

	if (command != BPF_BTF_LOAD || size < 20 || length > sizeof(bytes) ||
	    !bpfcalls_read(calls, bytes_get64(attr, BYTES_HOST_BIG), bytes, length) ||
	    btf_count(bytes, length, &count, &fault) || btf_open(&btf, bytes, length, index, count, &fault))
		return 0;
	for (uint32_t id = 1; id < count; id++) {
		btf_type(&btf, id, &type);
		if (*unknown >> type.kind & 1)
			return EINVAL;
	}
	return 0;
}

/* Kinds that some kernel does not know, what that means, and how many calls two loads are: 1, 11 questions, 1; 1. */
static const struct {
	uint32_t unknown, lacking, calls;
	const char *last_note;
} older[] = {
	{ 0, 0, 2, "" },
	{ 1u << BTF_ENUM64, 1u << LACKS_BTF_ENUM64, 14,
	  "this kernel lacks BTF_KIND_ENUM64 and signed enums (Linux 6.0): replaced in the BTF of the object" },
	/* 5.12 */
	{ 1u << BTF_ENUM64 | 1u << BTF_TYPE_TAG | 1u << BTF_DECL_TAG | 1u << BTF_FLOAT,
	  1u << LACKS_BTF_TAG_FLAG | 1u << LACKS_BTF_ENUM64 | 1u << LACKS_BTF_TYPE_TAG | 1u << LACKS_BTF_DECL_TAG |
	  1u << LACKS_BTF_FLOAT, 14,
	  "this kernel lacks BTF_KIND_FLOAT (Linux 5.13): replaced in the BTF of the object" },
	/* out of order, as of a distribution that has brought ENUM64 to an old kernel */
	{ 1u << BTF_DECL_TAG, 1u << LACKS_BTF_DECL_TAG, 14,
	  "this kernel lacks BTF_KIND_DECL_TAG (Linux 5.16): replaced in the BTF of the object" },
	/* 4.17: even an int */
	{ UINT32_MAX, 1u << LACKS_BTF, 12,
	  "this kernel lacks BTF (Linux 4.18): source lines and types will be missing" },
};

struct older_case {
	const struct bpfobj *o;
	int i;
};

static bool run_older(const void *arg)
{
	const struct older_case *c = arg;
	const bool loads = !(older[c->i].lacking >> LACKS_BTF & 1);
	struct notes notes;

	for (int round = 0; round < 2; round++) {
		int fd = load(c->o, &notes);

		if ((fd >= 0) != loads || noted() != older[c->i].lacking ||
		    strcmp(notes.text, older[c->i].last_note)) {
			fprintf(stderr, "round %d: fd %d, noted 0x%x, '%s'\n", round, fd, noted(), notes.text);
			return false;
		}
	}
	return true;
}

START_TEST(load_on_older)
{
	struct bpfobj o = kinds(BYTES_HOST_BIG);
	struct bpfcalls calls = { .refuse = refuse_kinds, .arg = &older[_i].unknown };

	if (may_load() && !btfkinds_lacking(ALL_BTF) &&
	    bpfcalls_watch(&calls, run_older, &(struct older_case){ &o, _i }))
		ck_assert_uint_eq(calls.count[BPF_BTF_LOAD], older[_i].calls);
	bpfobj_free(&o);
}
END_TEST

enum { THREADS = 6 };

struct loader {
	pthread_t thread;
	pthread_barrier_t *start;
	struct bpfobj o;
	struct notes notes;
	uint32_t late;		/* microseconds */
	int fd;
};

/* One after the other, all in about the time in which the first learns. */
static void *run_loader(void *arg)
{
	struct loader *l = arg;

	pthread_barrier_wait(l->start);
	usleep(l->late);
	l->fd = load(&l->o, &l->notes);
	return NULL;
}

static bool run_at_once(const void *arg)
{
	struct loader *loaders = *(struct loader *const *)arg;
	bool loaded = true;

	for (uint32_t i = 0; i < THREADS; i++)
		if (pthread_create(&loaders[i].thread, NULL, run_loader, &loaders[i]))
			return false;
	for (uint32_t i = 0; i < THREADS; i++) {
		pthread_join(loaders[i].thread, NULL);
		if (loaders[i].fd < 0)
			fprintf(stderr, "thread %u: %s\n", i, loaders[i].notes.text);
		loaded = loaded && loaders[i].fd >= 0;
	}
	return loaded;
}

/* What one thread has learned between another's attempt and its questions is what the other tries next. */
START_TEST(threads_learn)
{
	const uint32_t unknown = 1u << BTF_ENUM64 | 1u << BTF_DECL_TAG | 1u << BTF_FLOAT;
	struct bpfcalls calls = { .refuse = refuse_kinds, .arg = &unknown };
	struct loader loaders[THREADS], *all = loaders;
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, THREADS);
	for (uint32_t i = 0; i < THREADS; i++)
		loaders[i] = (struct loader){ .start = &start, .o = kinds(BYTES_HOST_BIG) };
	for (uint32_t round = 0; round < 24 && may_load() && !btfkinds_lacking(ALL_BTF); round++) {
		for (uint32_t i = 0; i < THREADS; i++)
			loaders[i].late = i * 50 * (round + 1);
		bpfcalls_watch(&calls, run_at_once, &all);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		bpfobj_free(&loaders[i].o);
	pthread_barrier_destroy(&start);
}
END_TEST

Suite *suite_btfkinds(void)
{
	Suite *suite = suite_create("btfkinds");
	TCase *tcase = tcase_create("btfkinds");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, replaced_kinds, 0, 2 * (LACKS_BTF - LACKS_BTF_TAG_FLAG + 1));
	tcase_add_test(tcase, load_learns);
	tcase_add_test(tcase, load_tells_what_is_replaced);
	tcase_add_loop_test(tcase, load_refused, 0, 2);
	tcase_add_loop_test(tcase, load_on_older, 0, sizeof(older) / sizeof(older[0]));
	tcase_add_test(tcase, threads_learn);
	suite_add_tcase(suite, tcase);
	return suite;
}
