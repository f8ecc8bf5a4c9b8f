// SPDX-License-Identifier: BSD-2-Clause
/*
 * Changing variables of programs that the kernel has: what the program and
 * bpf(2) see afterwards, what is refused, and that nothing that the program
 * writes beside the variable meanwhile is lost.  The objects are compiled, so
 * these tests need clang, and the project's folder as working directory.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "loader/running.h"
#include "loader/sys.h"
#include "tests/bpffs.h"

Suite *suite_poke_kernel(void);

static struct bpfstamp_err err;

#define OK(call) ck_assert_msg(!(call), "%s: %s", #call, err.text)

static const char source[] =
	"#include \"features.h\"\n#include \"bpfstamp.bpf.h\"\n"
	"enum color { RED = 1, GREEN = 2, BLUE = -3 };\n"
	"struct peer { __u32 addr; __u16 port; };\n"
	"struct bits { __u32 a : 3, b : 11; __s32 c : 5; __u32 d : 13; __u64 e : 40; };\n"
	"struct __attribute__((packed)) odd { __u8 x; __u32 y; __u64 z; };\n"
	"__u8 before = 0xaa;\n__u32 vni = 7;\n__u8 after = 0xbb;\n"
	"__s8 s8 = -1;\n__s16 s16 = -1;\n__s64 s64 = -1;\n__u64 u64 = 1;\n_Bool on = 1;\n"
	"enum color color = RED;\n__u8 mac[6] = { 1, 2 };\nchar name[8] = \"old\";\n"
	"struct { __u32 vni; struct peer peers[3]; __u8 key[5]; } "
	"cfg = { 1, { { 1, 2 }, { 3, 4 }, { 5, 6 } }, { 9 } };\n"
	"struct odd odd = { 1, 2, 3 };\nstruct bits bits = { 1, 2, -3, 4, 5 };\n__u32 zero;\n__u32 both = 1;\n"
	"struct { __u32 field : 7, count : 25; } shared = { 1, 0 };\nstruct { __u32 count, vni; } pair = { 0, 7 };\n"
	"__u8 large[40000] = { 1 };\n"
	"const volatile __u32 ro = 3;\n"
	"struct { __u8 a : 3, b : 5; } tail SEC(\".data.tail\") = { 1, 2 };\n"
	"#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__\n#define ONE 1\n#else\n#define ONE (1 << 7)\n#endif\n"
	"SEC(\"tc\") int p(struct __sk_buff *skb)\n{\n"
	"	switch (skb->mark) {\n"
	"	case 1: return vni;\n"
	"	case 2: return *(volatile __u32 *)&pair.vni;\n"
	"	case 3: (*(volatile __u32 *)&pair.count)++; return 0;\n"
	"	case 4: __sync_fetch_and_add((__u32 *)&shared, ONE); return 0;\n"
	"	case 5: return shared.field;\n"
	"	}\n"
	"	__asm__ volatile(\"\" ::\"r\"(&tail), \"r\"(&before), \"r\"(&after), \"r\"(&s8), \"r\"(&s16), "
	"\"r\"(&s64),\n"
	"			 \"r\"(&u64));\n"
	"	__asm__ volatile(\"\" ::\"r\"(&on), \"r\"(&color), \"r\"(mac), \"r\"(name), \"r\"(&cfg), "
	"\"r\"(&odd), \"r\"(&bits));\n"
	"	return before + after + zero + ro + both + STAMP(__u32, both, 5) + STAMP(__u32, site, 6) + "
	"*(volatile __u8 *)&large[1];\n"
	"}\nLICENSE;\n";

struct loaded {
	struct bpfobj o;
	struct bpfstamp_stamp *s;
	struct bpfstamp_running *r;
	int fd;
};

static bool start(struct loaded *l, bool inlined)
{
	struct bpfstamp_load load = { .record = true };
	struct bpfstamp_prog_info info;

	if (!bpfobj_kernel_has("poke", 5, 10, "records of programs") || !bpffs_compile(&l->o, "", source))
		return false;
	if (inlined)
		OK(bpfstamp_inline(l->o.t, &err));
	l->s = bpfobj_stamp(&l->o);
	load.program = bpfobj_program(&l->o, "p", NULL);
	bpfobj_set(l->s, "site", "9");
	OK(bpfstamp_load(l->s, &load, &l->fd, &err));
	OK(bpfstamp_prog_info(l->fd, &info, &err));
	OK(bpfstamp_running_open(&l->r, info.id, &err));
	return true;
}

static void stop(struct loaded *l)
{
	bpfstamp_running_free(l->r);
	close(l->fd);
	bpfstamp_stamp_free(l->s);
	bpfobj_free(&l->o);
}

/* What all data maps hold, one behind the other. */
static size_t contents(struct bpfstamp_running *r, uint8_t *out, size_t size)
{
	size_t used = 0;

	OK(bpfstamp_running_refresh(r, &err));
	for (uint32_t i = 0; i < r->map_count; i++) {
		if (r->maps[i].fd < 0)
			continue;
		ck_assert_uint_le(used + r->maps[i].value_size, size);
		memcpy(out + used, r->maps[i].content, r->maps[i].value_size);
		used += r->maps[i].value_size;
	}
	return used;
}

/*
 * The same value set in a stamp of the object, and there read as text, says how
 * the bytes of a section are to be; every other byte must be as it was.
 */
static const struct { const char *name, *text; } pokes[] = {
	{ "vni", "42" }, { "vni", "0xffffffff" }, { "vni", "10.1.2.3" }, { "vni", "be32:0x01020304" },
	{ "s8", "-128" },
	{ "s16", "-2" }, { "s16", "32767" }, { "s64", "-9223372036854775808" }, { "u64", "0xfedcba9876543210" },
	{ "u64", "hex:0102030405060708" }, { "on", "false" }, { "color", "BLUE" }, { "color", "GREEN" },
	{ "mac", "02:03:04:05:06:07" }, { "name", "eth0" }, { "cfg.vni", "0x123456" },
	{ "cfg.peers[2].addr", "10.0.0.9" },
	{ "cfg.peers[1].port", "be16:8080" }, { "cfg.key", "hex:0a0b0c0d0e" }, { "cfg.key[4]", "255" },
	{ "cfg.peers[1]", "hex:1112131415160000" }, { "odd.x", "200" }, { "odd.y", "0xfedcba98" },
	{ "odd.z", "0x0123456789abcdef" }, { "odd", "hex:0102030405060708090a0b0c0d" }, { "bits.a", "6" },
	{ "bits.b", "0x7ff" }, { "bits.b", "0" }, { "bits.c", "-16" }, { "bits.c", "15" }, { "bits.d", "0x1555" },
	{ "bits.e", "0xa5a5a5a5a5" }, { "zero", "77" }, { ".bss:zero", "78" }, { ".data:vni", "79" },
	{ ".data:both", "80" },
	{ "tail.a", "6" }, { "tail.b", "17" }, { "large[39999]", "9" }, { "large[20001]", "10" },
};

static struct bpfstamp_running *running;

static void is_as_stamped(const struct bpfstamp_stamp *s)
{
	const struct bpfstamp_template *t = s->t;

	for (uint32_t i = 0; i < running->map_count; i++) {
		const struct running_map *m = &running->maps[i];

		for (uint32_t d = 0; m->fd >= 0 && d < t->data_count; d++)
			if (!strcmp(t->datas[d].name, m->section))
				ck_assert_msg(!memcmp(m->content, s->image + t->datas[d].image, m->value_size),
					      "%s is not as stamped", m->section);
	}
}

START_TEST(every_type)
{
	struct loaded l;

	if (!start(&l, false))
		return;
	running = l.r;
	for (size_t i = 0; i < sizeof(pokes) / sizeof(pokes[0]); i++) {
		ck_assert_msg(!bpfstamp_poke(l.r, pokes[i].name, pokes[i].text, false, &err), "%s=%s: %s", pokes[i].name,
			      pokes[i].text, err.text);
		bpfobj_set(l.s, pokes[i].name, pokes[i].text);
		OK(bpfstamp_running_refresh(l.r, &err));
		is_as_stamped(l.s);
	}
	ck_assert_uint_eq(bpffs_run(l.fd, 1), 79);
	stop(&l);
}
END_TEST

/* A whole section of many bytes, in one program. */
START_TEST(large)
{
	static char text[sizeof("hex:") + 80000];
	struct loaded l;

	if (!start(&l, false))
		return;
	strcpy(text, "hex:");
	for (int i = 0; i < 40000; i++)
		snprintf(text + 4 + 2 * i, 3, "%02x", i * 7 & 0xff);
	running = l.r;
	OK(bpfstamp_poke(l.r, "large", text, false, &err));
	bpfobj_set(l.s, "large", text);
	OK(bpfstamp_running_refresh(l.r, &err));
	is_as_stamped(l.s);
	stop(&l);
}
END_TEST

static const struct { const char *name, *text; int code; const char *fault; } refused[] = {
	{ "vnj", "1", ENOENT, "it has no variable of that name; did you mean" },
	{ "ro", "1", EROFS, "ro: its section is read-only, and frozen: stamp it anew" },
	{ "site", "1", EROFS, "site: it stands in instructions, which nobody can change" },
	{ "both", "1", EINVAL, "both: several go by that name: .data:both, .bpfstamp:both" },
	{ ".bpfstamp:both", "1", EROFS, "it stands in instructions" },
	{ "vni", "0x100000000", ERANGE, "does not fit" },
	{ "s8", "128", ERANGE, "does not fit" },
	{ "bits.a", "8", ERANGE, "does not fit" },
	{ "vni", "fast", EINVAL, "vni: " },
	{ "name", "eight is much", ERANGE, "name: " },
	{ "cfg.vnj", "1", ENOENT, "cfg.vnj: no member .vnj; did you mean" },
	{ "cfg.peers[3].addr", "1", ERANGE, "the array has 3 elements" },
	{ "mac", "hex:01", EINVAL, "mac: " },
	{ "vni.x", "1", ENOENT, "vni.x: no member .x" },
};

/* What is refused, and what is only looked at, changes nothing. */
START_TEST(refusals)
{
	static uint8_t before[1 << 17], after[1 << 17];
	struct loaded l;
	size_t size;
	int fds;

	if (!start(&l, false))
		return;
	size = contents(l.r, before, sizeof(before));
	fds = bpffs_open_fds();
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		for (int dry = 0; dry < 2; dry++) {
			ck_assert_msg(bpfstamp_poke(l.r, refused[i].name, refused[i].text, dry, &err) == -1, "%s=%s",
				      refused[i].name, refused[i].text);
			bpfobj_says(&err, refused[i].fault);
			ck_assert_msg(err.code == refused[i].code, "%s: %d, not %d", err.text, err.code,
				      refused[i].code);
		}
	}
	for (size_t i = 0; i < sizeof(pokes) / sizeof(pokes[0]); i++)
		OK(bpfstamp_poke(l.r, pokes[i].name, pokes[i].text, true, &err));
	ck_assert_int_eq(bpffs_open_fds(), fds);
	ck_assert_uint_eq(contents(l.r, after, sizeof(after)), size);
	ck_assert(!memcmp(before, after, size));
	stop(&l);
}
END_TEST

START_TEST(inlined)
{
	struct loaded l;

	if (!start(&l, true))
		return;
	ck_assert_int_eq(bpfstamp_poke(l.r, "vni", "1", false, &err), -1);
	ck_assert_int_eq(err.code, EROFS);
	bpfobj_says(&err, "which nobody can change");
	stop(&l);
}
END_TEST

/* ------------------------------------------------------------------ races */

struct runs {
	int fd;
	uint32_t mark;
	atomic_bool end;
	atomic_uint done;
};

enum { RUNS_AT_ONCE = 500, RUNS_MOST = 8 << 20, SECONDS = 2, POKES = 200 };

/* Run the program again and again, beside the test. */
static void *run(void *arg)
{
	struct runs *runs = arg;
	struct __sk_buff skb = { .mark = runs->mark };
	uint8_t packet[64] = { 0 };

	while (!atomic_load(&runs->end) && atomic_load(&runs->done) < RUNS_MOST) {
		union bpf_attr attr = {
			.test = { .prog_fd = (uint32_t)runs->fd, .data_in = (uintptr_t)packet,
				  .data_size_in = sizeof(packet), .ctx_in = (uintptr_t)&skb,
				  .ctx_size_in = sizeof(skb), .repeat = RUNS_AT_ONCE },
		};

		if (bpffs_call(BPF_PROG_TEST_RUN, &attr))
			return NULL;
		atomic_fetch_add(&runs->done, RUNS_AT_ONCE);
	}
	return runs;
}

static void value_is(struct bpfstamp_running *r, const char *path, uint64_t want)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%llx", (unsigned long long)want);
	OK(bpfstamp_running_refresh(r, &err));
	for (uint32_t i = 0; i < bpfstamp_running_value_count(r); i++) {
		struct bpfstamp_running_value v;

		bpfstamp_running_value_at(r, i, &v);
		if (!strcmp(v.path, path)) {
			ck_assert_msg(!strcmp(v.value, text), "%s is %s, not %s", path, v.value, text);
			return;
		}
	}
	ck_abort_msg("no %s", path);
}

static const struct { const char *poked, *counted; uint32_t mark, seen_by; } races[] = {
	{ "pair.vni", "pair.count", 3, 2 },
	{ "shared.field", "shared.count", 4, 5 },
};

START_TEST(race)
{
	struct runs runs = { .mark = races[_i].mark };
	time_t end = time(NULL) + SECONDS;
	struct loaded l;
	pthread_t thread;
	void *ended;
	char text[16];

	if (!start(&l, false))
		return;
	runs.fd = l.fd;
	ck_assert_int_eq(pthread_create(&thread, NULL, run, &runs), 0);
	while (!atomic_load(&runs.done))
		usleep(100);
	for (uint32_t i = 0; i < POKES || (atomic_load(&runs.done) < RUNS_MOST && time(NULL) < end); i++) {
		snprintf(text, sizeof(text), "%u", i & 0x7f);
		OK(bpfstamp_poke(l.r, races[_i].poked, text, false, &err));
		ck_assert_uint_eq(bpffs_run(l.fd, races[_i].seen_by), i & 0x7f);
	}
	atomic_store(&runs.end, true);
	ck_assert_int_eq(pthread_join(thread, &ended), 0);
	ck_assert_ptr_eq(ended, &runs);
	value_is(l.r, races[_i].counted, runs.done);
	stop(&l);
}
END_TEST

Suite *suite_poke_kernel(void)
{
	TCase *tcase = tcase_create("poke_kernel");
	Suite *s = suite_create("poke_kernel");

	suite_add_tcase(s, tcase);
	tcase_set_timeout(tcase, 60);
	if (!bpffs_usable("poke"))
		return s;
	tcase_add_checked_fixture(tcase, bpffs_setup, NULL);
	tcase_add_test(tcase, every_type);
	tcase_add_test(tcase, large);
	tcase_add_test(tcase, refusals);
	tcase_add_test(tcase, inlined);
	tcase_add_loop_test(tcase, race, 0, sizeof(races) / sizeof(races[0]));
	return s;
}
