// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shared programs: which stamps get the same one, told by the kernel's ids and
 * by what the programs return; what cannot be shared; and threads that want
 * the same at the same time.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "include/bytes.h"
#include "loader/share.h"
#include "tests/bpffs.h"

Suite *suite_share_kernel(void);

static struct bpfstamp_err err;

#define OK(call) ck_assert_msg(!(call), "%s: %s", #call, err.text)

/* Two entry programs that return the symbol "a", and behind it one word of the symbol "b". */
static struct bpfobj make_object(void)
{
	static const struct bpfinsn code[] = { LDDW(0, 0), LDDW(1, 0), EXIT };
	struct bpfobj o = bpfobj_new(BYTES_HOST_BIG);
	uint32_t tc = bpfobj_code(&o, "tc", code, 5), other = bpfobj_code(&o, "tc/other", code, 5);
	uint32_t a = bpfobj_undefined(&o, "a", ELF64_STB_GLOBAL), b = bpfobj_undefined(&o, "b", ELF64_STB_GLOBAL);

	bpfobj_func(&o, "p", tc, 0, 5);
	bpfobj_func(&o, "q", other, 0, 5);
	bpfobj_rel(&o, tc, 0, R_BPF_64_64, a);
	bpfobj_rel(&o, tc, 2, R_BPF_64_64, b);
	bpfobj_rel(&o, other, 0, R_BPF_64_64, a);
	bpfobj_rel(&o, other, 2, R_BPF_64_64, b);
	bpfobj_open(&o);
	return o;
}

static struct bpfstamp_load how(const struct bpfobj *o, const char *program, bool record)
{
	return (struct bpfstamp_load){ .program = bpfobj_program(o, program, NULL),
				       .prog_type = BPF_PROG_TYPE_SCHED_CLS, .record = record };
}

static void set(struct bpfstamp_stamp *s, const char *a, const char *b)
{
	bpfstamp_reset(s);
	bpfobj_set(s, "a", a);
	bpfobj_set(s, "b", b);
}

static int load(struct bpfstamp_share *share, struct bpfstamp_stamp *s, const struct bpfstamp_load *load,
		bool reused)
{
	bool was = !reused;
	int fd;

	OK(bpfstamp_share_load(share, s, load, &fd, &was, &err));
	ck_assert_int_eq(was, reused);
	ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	return fd;
}

static uint32_t id_of(int fd)
{
	struct bpfstamp_prog_info info;

	OK(bpfstamp_prog_info(fd, &info, &err));
	return info.id;
}

static void is_same(int one, int other, bool same)
{
	ck_assert_int_eq(id_of(one) == id_of(other), same);
	close(other);
}

/* Every hash is the same: only the comparison is left. */
static uint64_t collide(const uint8_t *key, uint32_t size)
{
	(void)key;
	(void)size;
	return 7;
}

/* _i: with the real hash, and with one that always collides. */
START_TEST(images)
{
	struct bpfobj o = make_object();
	struct bpfstamp_load p = how(&o, "p", false), q = how(&o, "q", false);
	struct bpfstamp_stamp *s = bpfobj_stamp(&o), *copy = bpfobj_stamp(&o);
	struct bpfstamp_share *share;
	int first, fd, before;

	OK(bpfstamp_share_new(&share, o.t, 100, &err));
	if (_i)
		share->hash = collide;
	set(s, "5", "1");
	first = load(share, s, &p, false);
	before = bpffs_open_fds();
	ck_assert_uint_eq(bpffs_run(first, 0), 5);

	/* Equal images, in this stamp or in another. */
	is_same(first, load(share, s, &p, true), true);
	bpfstamp_copy(copy, s);
	is_same(first, load(share, copy, &p, true), true);
	set(copy, "0x5", "0b1");
	is_same(first, load(share, copy, &p, true), true);
	ck_assert_int_eq(bpffs_open_fds(), before);

	/* One byte is different, the last of all, or the program. */
	set(s, "6", "1");
	fd = load(share, s, &p, false);
	ck_assert_uint_eq(bpffs_run(fd, 0), 6);
	is_same(first, fd, false);
	set(s, "5", "0x0100000000000001");
	is_same(first, load(share, s, &p, false), false);
	set(s, "5", "1");
	is_same(first, load(share, s, &q, false), false);
	is_same(first, load(share, s, &p, true), true);

	/* The share keeps it when nobody else does, and lets it go. */
	close(first);
	first = load(share, s, &p, true);
	close(first);
	bpfstamp_share_free(share);
	ck_assert_int_eq(bpffs_open_fds(), before - 2);
	bpfstamp_stamp_free(s);
	bpfstamp_stamp_free(copy);
	bpfobj_free(&o);
}
END_TEST

/* Symbol a has no value in one stamp, and the value that its instructions hold anyway in another. */
START_TEST(unset_symbol)
{
	struct bpfobj o = make_object();
	struct bpfstamp_load p = how(&o, "p", false);
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	struct bpfstamp_share *share;
	bool reused;
	int fd;

	OK(bpfstamp_share_new(&share, o.t, 100, &err));
	set(s, "0", "0");
	close(load(share, s, &p, false));
	bpfstamp_reset(s);
	bpfobj_set(s, "b", "0");
	ck_assert_int_eq(bpfstamp_share_load(share, s, &p, &fd, &reused, &err), -1);
	bpfobj_says(&err, "symbol a has no value");
	bpfobj_set(s, "a", "0");
	close(load(share, s, &p, true));
	bpfstamp_share_free(share);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* A failure is nobody else's: it is tried again, and leaves no entry. */
START_TEST(failure)
{
	struct bpfobj o = make_object();
	struct bpfstamp_load p = how(&o, "p", false);
	struct bpfstamp_stamp *s = bpfobj_stamp(&o);
	struct bpfstamp_share *share;
	bool reused;
	int fd, before = bpffs_open_fds();

	OK(bpfstamp_share_new(&share, o.t, 1, &err));
	p.prog_type = BPF_PROG_TYPE_XDP;
	set(s, "1", "2");
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(bpfstamp_share_load(share, s, &p, &fd, &reused, &err), -1);
		bpfobj_says(&err, "program p is of type sched_cls");
		ck_assert_uint_eq(share->count, 0);
	}
	ck_assert_int_eq(bpffs_open_fds(), before);

	/* The first is kept, and the second has no room. */
	p.prog_type = BPF_PROG_TYPE_SCHED_CLS;
	close(load(share, s, &p, false));
	set(s, "2", "2");
	close(load(share, s, &p, false));
	close(load(share, s, &p, false));
	set(s, "1", "2");
	close(load(share, s, &p, true));
	bpfstamp_share_free(share);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

START_TEST(other_template)
{
	struct bpfobj o = make_object(), other = make_object();
	struct bpfstamp_load p = how(&o, "p", false);
	struct bpfstamp_stamp *s = bpfobj_stamp(&other);
	struct bpfstamp_share *share;
	bool reused;
	int fd;

	OK(bpfstamp_share_new(&share, o.t, 1, &err));
	ck_assert_int_eq(bpfstamp_share_load(share, s, &p, &fd, &reused, &err), -1);
	ck_assert_int_eq(err.code, EINVAL);
	bpfobj_says(&err, "the stamp is of another template");
	bpfstamp_share_free(share);
	bpfstamp_share_free(NULL);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
	bpfobj_free(&other);
}
END_TEST

/* ------------------------------------------------------------------- maps */

#define PROGRAM "SEC(\"tc\") int p(struct __sk_buff *skb)\n"
#define LOOK "{ __u32 key = skb->mark; return bpf_map_lookup_elem(&m, &key) ? 1 : 2; }\nLICENSE;\n"
#define MAP(more) \
	"struct { UINT(type, 1); UINT(key_size, 4); UINT(value_size, 8); UINT(max_entries, 3); " more "} m " \
	"SEC(\".maps\");\n" PROGRAM LOOK

static const struct {
	const char *source, *refused;	/* refused: why, or NULL */
} sources[] = {
	{ PROGRAM "{ return skb->mark; }\nLICENSE;\n", NULL },
	{ "const volatile __u32 x = 1;\n" PROGRAM "{ return x; }\nLICENSE;\n", NULL },
	{ "volatile __u32 x = 1;\n" PROGRAM "{ return x; }\nLICENSE;\n",
	  "test.o: program p cannot be shared: .data can be written" },
	{ "volatile __u32 x;\n" PROGRAM "{ return x++; }\nLICENSE;\n",
	  "test.o: program p cannot be shared: .bss can be written" },
	{ MAP(""), "test.o: program p cannot be shared: m is a map of its own: what it holds would be mixed up "
	  "(pinned by name, it would be one map for all)" },
	{ MAP("UINT(pinning, 1); "), NULL },
};

START_TEST(maps)
{
	struct bpfstamp_share *share;
	struct bpfstamp_stamp *s;
	struct bpfstamp_load p;
	struct bpfobj o;
	char text[2048];
	bool shared = !sources[_i].refused;
	int first;

	snprintf(text, sizeof(text), "#include \"features.h\"\n%s", sources[_i].source);
	if (!bpffs_kernel(502) || !bpffs_compile(&o, "", text))
		return;
	p = how(&o, "p", true);
	s = bpfobj_stamp(&o);
	OK(bpfstamp_share_new(&share, o.t, 10, &err));
	ck_assert_int_eq(bpfstamp_share_check(o.t, p.program, &err), shared ? 0 : -1);
	if (!shared)
		ck_assert_str_eq(err.text, sources[_i].refused);
	first = load(share, s, &p, false);
	/* What made a pin is not kept. */
	if (bpffs_has(BPFFS "/m"))
		is_same(first, load(share, s, &p, false), false);
	close(first);
	first = load(share, s, &p, shared);
	is_same(first, load(share, s, &p, shared), shared);

	/* For other maps, hardware, or a trial, it is a load like any other. */
	p.dry_run = true;
	is_same(first, load(share, s, &p, false), false);
	close(first);
	bpfstamp_share_free(share);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* A pin that was made is taken back by its own load only. */
START_TEST(pins)
{
	struct bpfstamp_share *share;
	struct bpfstamp_stamp *s;
	struct bpfstamp_load p;
	struct bpfobj o;

	if (!bpffs_kernel(502) || !bpffs_compile(&o, "", "#include \"features.h\"\n" MAP("UINT(pinning, 1); ")))
		return;
	p = how(&o, "p", false);
	s = bpfobj_stamp(&o);
	OK(bpfstamp_share_new(&share, o.t, 10, &err));
	close(load(share, s, &p, false));
	ck_assert(bpffs_has(BPFFS "/m"));
	bpfstamp_load_undo(s);
	ck_assert(!bpffs_has(BPFFS "/m"));
	close(load(share, s, &p, false));
	close(load(share, s, &p, false));
	close(load(share, s, &p, true));
	bpfstamp_load_undo(s);
	ck_assert(bpffs_has(BPFFS "/m"));
	bpfstamp_share_free(share);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* With a record, a value that was set is another thing than the same one by default. */
START_TEST(records)
{
	static const char source[] =
		"#include \"features.h\"\nconst volatile __u32 x = 1;\n" PROGRAM "{ return x; }\nLICENSE;\n";
	struct bpfstamp_share *share;
	struct bpfstamp_stamp *s;
	struct bpfstamp_load p;
	struct bpfobj o;

	if (!bpffs_kernel(502) || !bpffs_compile(&o, "", source))
		return;
	s = bpfobj_stamp(&o);
	OK(bpfstamp_share_new(&share, o.t, 10, &err));
	for (int record = 0; record < 2; record++) {
		p = how(&o, "p", record);
		bpfstamp_reset(s);
		close(load(share, s, &p, false));
		bpfobj_set(s, "x", "1");
		close(load(share, s, &p, !record));
		close(load(share, s, &p, true));
	}
	bpfstamp_share_free(share);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* ---------------------------------------------------------------- threads */

enum { THREADS = 4, ROUNDS = 60, VALUES = 5 };

struct racer {
	pthread_t thread;
	const struct bpfobj *o;
	struct bpfstamp_share *share;
	uint32_t loaded, ids[VALUES];
	const char *fault;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	struct bpfstamp_stamp *s = bpfobj_stamp(r->o);
	struct bpfstamp_load p = how(r->o, "p", true);
	struct bpfstamp_prog_info info;
	struct bpfstamp_err why;
	char text[16];

	for (int i = 0; i < ROUNDS && !r->fault; i++) {
		bool reused;
		int fd;

		snprintf(text, sizeof(text), "%d", i % VALUES);
		set(s, text, text);
		if (bpfstamp_share_load(r->share, s, &p, &fd, &reused, &why) || bpfstamp_prog_info(fd, &info, &why)) {
			r->fault = "load";
			break;
		}
		r->loaded += !reused;
		if (r->ids[i % VALUES] && r->ids[i % VALUES] != info.id)
			r->fault = "another program";
		r->ids[i % VALUES] = info.id;
		close(fd);
	}
	bpfstamp_stamp_free(s);
	return NULL;
}

START_TEST(threads)
{
	struct racer racers[THREADS] = { 0 };
	struct bpfobj o = make_object();
	struct bpfstamp_share *share;
	uint32_t loaded = 0;

	OK(bpfstamp_share_new(&share, o.t, 100, &err));
	for (int i = 0; i < THREADS; i++) {
		racers[i].o = &o;
		racers[i].share = share;
		ck_assert_int_eq(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(racers[i].thread, NULL);
		ck_assert_ptr_null(racers[i].fault);
		ck_assert_mem_eq(racers[i].ids, racers[0].ids, sizeof(racers[0].ids));
		loaded += racers[i].loaded;
	}
	ck_assert_uint_eq(loaded, VALUES);
	bpfstamp_share_free(share);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_share_kernel(void)
{
	TCase *tcase = tcase_create("share_kernel");
	Suite *s = suite_create("share_kernel");

	suite_add_tcase(s, tcase);
	tcase_set_timeout(tcase, 60);
	if (!bpffs_usable("share"))
		return s;
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_add_loop_test(tcase, images, 0, 2);
	tcase_add_test(tcase, unset_symbol);
	tcase_add_test(tcase, failure);
	tcase_add_test(tcase, other_template);
	tcase_add_loop_test(tcase, maps, 0, sizeof(sources) / sizeof(sources[0]));
	tcase_add_test(tcase, pins);
	tcase_add_test(tcase, records);
	tcase_add_test(tcase, threads);
	return s;
}
