// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a process that attaches pod after pod lives on: after the first load of
 * a stamp, resetting it, giving it values and loading it take no memory from
 * the allocator; and many threads may do that with one template at once, from
 * its very first load on.
 *
 * The linker puts the functions here in the place of the C library's
 * (tests/tests.mk, --wrap), for all that is linked: they count and pass on, so
 * that it makes no difference whether the allocator is ASan's.  The objects are
 * compiled, so these tests need clang, and the project's folder as working
 * directory.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loader/stamp.h"
#include "tests/bpffs.h"

Suite *suite_hotpath_kernel(void);

#define OK(call) ck_assert_msg(!(call), "%s: %s", #call, bpffs.err.text)

/* ------------------------------------------------------------- allocations */

static atomic_uint allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
FILE *__real_fopen(const char *path, const char *mode);
void *__real_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
FILE *__wrap_fopen(const char *path, const char *mode);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);

void *__wrap_malloc(size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
	atomic_fetch_add(&allocations, 1);
	return __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
	atomic_fetch_add(&allocations, 1);
	return __real_strndup(text, size);
}

FILE *__wrap_fopen(const char *path, const char *mode)
{
	atomic_fetch_add(&allocations, 1);
	return __real_fopen(path, mode);
}

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	atomic_fetch_add(&allocations, 1);
	return __real_mmap(at, size, prot, flags, fd, offset);
}

/* ----------------------------------------------------------------- objects */

static const char source[] =
	"#include \"features.h\"\n#include \"bpfstamp.bpf.h\"\nLICENSE;\n"
	"#ifdef CALLS\n#define FUNCTION static NOINLINE\n#else\n#define FUNCTION static inline\n#endif\n"
	"#define MAP(name, t, more) struct { UINT(type, BPF_MAP_TYPE_##t); more } name SEC(\".maps\")\n"
	"const volatile __u32 vni = 1;\nconst volatile __u8 mac[6] = { 1 };\nvolatile __u32 more = 1;\n"
	"#ifdef MAPS\n"
	"static long (*const output)(void *ctx, void *map, __u64 flags, void *data, __u64 size) =\n"
	"	(void *)BPF_FUNC_perf_event_output;\n"
	"MAP(hash, HASH, TYPE(key, __u32); TYPE(value, __u64); UINT(max_entries, 8););\n"
	"MAP(pinned, ARRAY, UINT(key_size, 4); UINT(value_size, 4); UINT(max_entries, 1); UINT(pinning, 1););\n"
	"MAP(events, PERF_EVENT_ARRAY,);\n"
	"extern const int CONFIG_NR_CPUS KCONFIG;\n#endif\n"
	"FUNCTION int sum(int x) { OPAQUE(x); return x + vni + mac[5]; }\n"
	"SEC(\"tc\") int p(struct __sk_buff *skb)\n{\n\t__u32 key = skb->mark;\n\n"
	"#ifdef MAPS\n\tif (CONFIG_NR_CPUS < 1 || bpf_map_lookup_elem(&hash, &key))\n\t\treturn 0;\n"
	"\tif (!bpf_map_lookup_elem(&pinned, &key) && skb->len > 1000000)\n"
	"\t\toutput(skb, &events, 0xffffffff, &key, sizeof(key));\n#endif\n"
	"\treturn sum(STAMP(__u32, vlan, 7)) + more;\n}\n";

/* The numbers of one pod; the program returns their sum. */
struct pod {
	uint32_t vni, vlan, more;
	uint8_t mac[6];
};

struct refs {
	struct bpfstamp_ref vni, vlan, more, mac;
};

static struct pod pod_of(uint32_t i)
{
	return (struct pod){ .vni = 1000 * i, .vlan = 1 + i % 4094, .more = 70000000, .mac = { 2, [5] = i & 0xff } };
}

static uint32_t sum_of(const struct pod *pod)
{
	return pod->vni + pod->vlan + pod->more + pod->mac[5];
}

static void find_refs(const struct bpfstamp_template *t, struct refs *refs)
{
	OK(bpfstamp_find(t, "vni", &refs->vni, &bpffs.err));
	OK(bpfstamp_find(t, "vlan", &refs->vlan, &bpffs.err));
	OK(bpfstamp_find(t, "more", &refs->more, &bpffs.err));
	OK(bpfstamp_find(t, "mac", &refs->mac, &bpffs.err));
}

/* What is done for each pod: by number, by text, by bytes. */
static int stamp_and_load(struct bpfstamp_stamp *s, const struct refs *refs, const struct pod *pod, const char *vlan,
			  const struct bpfstamp_load *load, int *fd, struct bpfstamp_err *err)
{
	bpfstamp_reset(s);
	if (bpfstamp_put(s, &refs->vni, pod->vni, err) || bpfstamp_put_text(s, &refs->vlan, vlan, err) ||
	    bpfstamp_put(s, &refs->more, pod->more, err) ||
	    bpfstamp_put_bytes(s, &refs->mac, pod->mac, sizeof(pod->mac), err))
		return -1;
	return bpfstamp_load(s, load, fd, err);
}

static const struct { const char *defines; bool inlined; } forms[] = {
	{ "", false }, { "", true }, { "-DCALLS", false }, { "-DCALLS", true }, { "-DMAPS", false },
	{ "-DCALLS -DMAPS", false }, { "-DCALLS -DMAPS", true },
};

enum { FORMS = sizeof(forms) / sizeof(forms[0]), PODS = 20 };

static struct bpfstamp_load load_of(const struct bpfobj *o, bool record)
{
	return (struct bpfstamp_load){ .program = bpfobj_program(o, "p", NULL), .record = record };
}

/* _i: a form; each with a record, and without. */
START_TEST(no_allocation)
{
	uint32_t before = atomic_load(&allocations), spent;
	struct bpfstamp_load load;
	struct bpfstamp_stamp *s;
	struct refs refs;
	struct bpfobj o;
	char vlan[16];
	int fd, ret;

	if (!bpffs_compile(&o, forms[_i].defines, source))
		return;
	if (forms[_i].inlined)
		OK(bpfstamp_inline(o.t, &bpffs.err));
	find_refs(o.t, &refs);
	bpffs_raise_memlock();		/* the load that finds that it must be has a log */
	s = bpfobj_stamp(&o);
	ck_assert_uint_gt(atomic_load(&allocations), before);
	for (uint32_t i = 0; i < 2 * PODS; i++) {
		struct pod pod = pod_of(i);

		load = load_of(&o, i >= PODS);
		snprintf(vlan, sizeof(vlan), "0x%x", pod.vlan);
		before = atomic_load(&allocations);
		ret = stamp_and_load(s, &refs, &pod, vlan, &load, &fd, &bpffs.err);
		spent = atomic_load(&allocations) - before;
		OK(ret);
		/* The first makes what the template and the stamp keep, and the pin; the second finds the pin. */
		ck_assert_msg(i == 0 || i == PODS || !spent, "load %u took memory %u times", i, spent);
		ck_assert_uint_eq(bpffs_run(fd, 0), sum_of(&pod));
		close(fd);
	}
	/* And they leave the image as it was stamped, without the fds of maps. */
	bpfstamp_reset(s);
	OK(bpfstamp_load(s, &load, &fd, &bpffs.err));
	ck_assert_mem_eq(s->image, o.t->image, o.t->image_size);
	close(fd);
	bpfstamp_stamp_free(s);
	bpfobj_free(&o);
}
END_TEST

/* ----------------------------------------------------------------- threads */

enum { THREADS = 4, ROUNDS = 30 };

struct racer {
	pthread_t thread;
	pthread_barrier_t *start;
	const struct bpfobj *o;
	struct bpfstamp_share *share;
	uint32_t number;
	struct bpfstamp_err err;
	const char *fault;
};

/* Every third program may be shared, if it can be. */
static int race_once(struct racer *r, struct bpfstamp_stamp *s, const struct refs *refs,
		     const struct bpfstamp_load *load, uint32_t i)
{
	struct pod pod = pod_of(i % 3 ? i * THREADS + r->number : i);
	bool reused;
	char vlan[16];
	int fd, other;
	uint32_t got;

	snprintf(vlan, sizeof(vlan), "%u", pod.vlan);
	if (stamp_and_load(s, refs, &pod, vlan, load, &fd, &r->err))
		return -1;
	got = bpffs_run(fd, 0);
	close(fd);
	if (!(i % 3)) {
		if (bpfstamp_share_load(r->share, s, load, &other, &reused, &r->err))
			return -1;
		got = bpffs_run(other, 0) == got ? got : 0;
		close(other);
	}
	return got == sum_of(&pod) ? 0 : bpfstamp_err_set(&r->err, EINVAL, "a program with other values");
}

static void *race(void *arg)
{
	struct racer *r = arg;
	struct bpfstamp_stamp *s = bpfobj_stamp(r->o);
	struct bpfstamp_load load = load_of(r->o, r->number % 2);
	struct refs refs;

	find_refs(r->o->t, &refs);
	pthread_barrier_wait(r->start);
	for (uint32_t i = 0; i < ROUNDS && !r->fault; i++)
		if (race_once(r, s, &refs, &load, i))
			r->fault = r->err.text;
	bpfstamp_stamp_free(s);
	return NULL;
}

/* _i: a form. */
START_TEST(threads)
{
	struct racer racers[THREADS] = { 0 };
	struct bpfstamp_share *share;
	pthread_barrier_t start;
	struct bpfobj o;

	if (!bpffs_compile(&o, forms[_i].defines, source))
		return;
	if (forms[_i].inlined)
		OK(bpfstamp_inline(o.t, &bpffs.err));
	OK(bpfstamp_share_new(&share, o.t, 100, &bpffs.err));
	pthread_barrier_init(&start, NULL, THREADS);
	for (uint32_t i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){ .start = &start, .o = &o, .share = share, .number = i };
		ck_assert_int_eq(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		pthread_join(racers[i].thread, NULL);
	for (uint32_t i = 0; i < THREADS; i++)
		ck_assert_msg(!racers[i].fault, "%s", racers[i].fault);
	pthread_barrier_destroy(&start);
	bpfstamp_share_free(share);
	bpfobj_free(&o);
}
END_TEST

Suite *suite_hotpath_kernel(void)
{
	TCase *tcase = tcase_create("hotpath_kernel");
	Suite *s = suite_create("hotpath_kernel");

	suite_add_tcase(s, tcase);
	tcase_set_timeout(tcase, 120);
	if (!bpffs_usable("hotpath"))
		return s;
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_add_loop_test(tcase, no_allocation, 0, FORMS);
	tcase_add_loop_test(tcase, threads, 0, FORMS);
	return s;
}
