// SPDX-License-Identifier: BSD-2-Clause
/*
 * Turning globals into immediates must not change what a program does.  Each
 * program of a batch has some variables of its own, of every type, in every
 * section, alone and in structures and arrays, and uses them in ways that
 * inlining can follow and in ways that it cannot: variable indices, addresses
 * that go to helpers and subprograms, writes.  One object is then opened
 * twice, once with bpfstamp_inline; both get the same values (or none), after
 * inlining; and each program must load in both or in neither, and do the same.
 *
 * Packets are run in order on programs with maps of their own, so that what a
 * program writes to its variables is seen by the next run.
 *
 * In the texts V is the variable, E an integer in it, and the rest is as in
 * generate.c.
 */
#include "tests/oracle/globals.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SETTINGS_MAX = 1024 };

struct setting {
	char name[40], text[24];
};

struct globals {
	struct prng prng;
	struct setting settings[SETTINGS_MAX];
	uint32_t setting_count;
};

/* %s: storage; the type of elements is put in for T. */
static const char *const storages[] = {
	"const volatile ", "static const volatile ", "volatile ", "static volatile ", "", ""
};
static const char *const types[] = { "__u8", "__u16", "__u32", "__u64", "__s8", "__s16", "__s32", "__s64" };
static const uint8_t bits[] = { 8, 16, 32, 64, 7, 15, 31, 63 };

struct shape {
	const char *declare; /* behind storage and type */
	const char *values; /* of an initialiser */
	const char *elements[3]; /* behind the variable's name: how its integers are written */
};

static const struct shape shapes[] = {
	{ "V", "@k", { "", "", "" } },
	{ "V", "@K", { "", "", "" } },
	{ "V", NULL, { "", "", "" } },
	{ "V[4]", "{ @k, @K, @k }", { "[0]", "[1]", "[3]" } },
	{ "V[4]", NULL, { "[0]", "[2]", "[3]" } },
	{ "V[2][2]", "{ { @k, @K }, { @k } }", { "[0][1]", "[1][0]", "[1][1]" } },
	{ NULL, "{ @k, @k, @K, @k, @k }", { ".x", ".y", ".z" } },
	{ NULL, NULL, { ".x", ".z", ".y" } },
};

/* For the integer E; V4 is for arrays only. */
static const char *const reads[] = {
	"@=(__u64)E;",
	"if (@w @e (__u32)E) @=@K;",
	"if (@d @r (__u64)E) @=@K;",
	"if ((__s32)@w @r (__s32)E) @=@K;",
	"@=@w @o (__u32)E;",
	"@=(__s64)E @o (__s64)@d;",
	"@=(__u64)E << (@w & 3);",
	"__u32 s = (__u32)E; store_bytes(skb, 16, &s, 4, 0);",
	"if (E) @=@K; else @=E;",
	"for (__u32 i = 0; i < 4; i++) @=p.w[i] ^ (__u32)E;",
	"skb->cb[1] = (__u32)E; skb->cb[2] = (__u32)E;",
	"@=@w @r @w ? (__u32)E : @K;",
	"@=s@q_take((__u64)E, @d);",
	"__u8 t = (__u8)E; @=t;",
	"@=(__u64)E + *(const volatile __u8 *)&E;",
};

static const char *const writes[] = { "E += @k;", "E = @w;", "if (@w @r @w) E = @k;",
				      "load_bytes(skb, 8, (void *)&E, sizeof(E));" };

static const char *const escapes[] = {
	"store_bytes(skb, 24, (const void *)&E, sizeof(E), 0);",
	"@=s@q_read((const void *)&E);",
	"if (@w @r @w) store_bytes(skb, 32, (const void *)&V, sizeof(E), 0); else @=E;",
};

static const char *const by_index[] = { "@=V[@w & 3];", "for (__u32 i = 0; i < 4; i++) @=V[i];",
					"if (@w @r 4U) @=V[@w & 1]; else @=V[2];" };

static uint32_t below(struct globals *g, uint32_t limit)
{
	return prng_below(&g->prng, limit);
}

/* Write text with V and E (as words) put in, then with random parts. */
static void emit(FILE *out, struct globals *g, const char *text, const char *v, const char *e, uint32_t n,
		 uint32_t k)
{
	char buf[600];
	size_t at = 0;

	for (; *text && at < sizeof(buf) - 80; text++) {
		if (*text == 'V' || (*text == 'E' && text[1] != 'C'))
			at += (size_t)snprintf(buf + at, sizeof(buf) - at, "%s", *text == 'V' ? v : e);
		else
			buf[at++] = *text;
	}
	buf[at] = 0;
	generate_text(out, &g->prng, buf, n, k);
}

static void setting(struct globals *g, const char *name, uint32_t type)
{
	struct setting *s = &g->settings[g->setting_count];
	uint64_t v = prng_next(&g->prng) >> (64 - bits[type]);

	if (g->setting_count == SETTINGS_MAX)
		return;
	g->setting_count++;
	if (!below(g, 4))
		v = below(g, 3);
	snprintf(s->name, sizeof(s->name), "%s", name);
	snprintf(s->text, sizeof(s->text), "%s0x%llx", type >= 4 && v && below(g, 2) ? "-" : "",
		 (unsigned long long)v);
}

struct variable {
	char name[16], elements[3][32];
	bool constant, array;
};

static void declare(FILE *out, struct globals *g, struct variable *v, uint32_t n, uint32_t k)
{
	const char *storage = storages[below(g, sizeof(storages) / sizeof(*storages))];
	uint32_t type = below(g, 8);
	const struct shape *shape = &shapes[below(g, sizeof(shapes) / sizeof(*shapes))];

	snprintf(v->name, sizeof(v->name), "v%u_%u", n, k);
	v->constant = strstr(storage, "const");
	v->array = shape->declare && strstr(shape->declare, "[4]");
	fputs(storage, out);
	if (shape->declare) {
		fprintf(out, "%s ", types[type]);
		emit(out, g, shape->declare, v->name, "", n, k);
	} else {
		fprintf(out, "struct { __u8 b; %s x; __u16 h; __s8 y; __u64 z; } %s", types[type], v->name);
	}
	if (shape->values || v->constant) {
		fputs(" = ", out);
		generate_text(out, &g->prng,
			      shape->values		    ? shape->values
			      : shape->declare && !v->array ? "0"
							    : "{ 0 }",
			      n, k);
	}
	fputs(";\n", out);
	for (uint32_t i = 0; i < 3; i++) {
		bool part = !shape->declare && shape->elements[i][1] != 'x';

		snprintf(v->elements[i], sizeof(v->elements[i]), "%s%s", v->name, shape->elements[i]);
		if (below(g, 2))
			setting(g, v->elements[i], !part ? type : shape->elements[i][1] == 'y' ? 4 : 3);
	}
}

static const char *pick(struct globals *g, const char *const *texts, size_t count)
{
	return texts[below(g, (uint32_t)count)];
}

#define PICK(g, texts) pick(g, texts, sizeof(texts) / sizeof(*(texts)))

static void use(FILE *out, struct globals *g, const struct variable *v, uint32_t habit, uint32_t n,
		uint32_t k)
{
	const char *text = PICK(g, reads);

	if (v->array && below(g, 3) == 0)
		text = PICK(g, by_index);
	else if (habit == 1 && !v->constant && below(g, 2))
		text = PICK(g, writes);
	else if (habit == 2 && below(g, 2))
		text = PICK(g, escapes);
	fputs("\t{ ", out);
	emit(out, g, text, v->name, v->elements[below(g, 3)], n, k);
	fputs(" }\n", out);
}

static void program(FILE *out, struct globals *g, uint32_t n)
{
	struct variable v[4];
	uint32_t count = 1 + below(g, 4), habits[4], uses = 2 + below(g, 5);

	for (uint32_t k = 0; k < count; k++) {
		declare(out, g, &v[k], n, k);
		habits[k] = below(g, 6); /* 1: is written, 2: its address escapes */
	}
	generate_text(out, &g->prng,
		      "NOINLINE __u64 s@q_take(__u64 x, __u64 y) { return x @r y ? x + @K : y ^ x; }\n"
		      "NOINLINE __u32 s@q_read(const volatile __u8 *x) { return *x + @K; }\n"
		      "SEC(\"tc\") int p@q(struct __sk_buff *skb)\n{\n\tunion packet p;\n\t__u32 r = "
		      "skb->len;\n"
		      "\t__u64 a = skb->ifindex;\n\n\tif (load_bytes(skb, 0, &p, sizeof(p)) < 0)\n\t\treturn "
		      "-1;\n",
		      n, 0);
	for (uint32_t i = 0; i < uses; i++) {
		uint32_t k = below(g, count);

		use(out, g, &v[k], habits[k], n, i);
	}
	fputs("\tskb->mark = (__u32)(a ^ a >> 32);\n\treturn (int)r;\n}\n\n", out);
}

/* -------------------------------------------------------------- judging */

struct both {
	struct object object;
	struct bpfstamp_template *plain_t, *inlined_t;
	struct bpfstamp_stamp *plain, *inlined;
};

static bool open_both(struct both *b, struct bpfstamp_err *err)
{
	return !bpfstamp_open(&b->plain_t, b->object.bytes, b->object.size, "plain", err) &&
	       !bpfstamp_open(&b->inlined_t, b->object.bytes, b->object.size, "inlined", err) &&
	       !bpfstamp_inline(b->inlined_t, err) && !bpfstamp_stamp_new(&b->plain, b->plain_t, err) &&
	       !bpfstamp_stamp_new(&b->inlined, b->inlined_t, err);
}

static void close_both(struct both *b)
{
	bpfstamp_stamp_free(b->plain);
	bpfstamp_stamp_free(b->inlined);
	if (b->plain_t)
		bpfstamp_close(b->plain_t);
	if (b->inlined_t)
		bpfstamp_close(b->inlined_t);
	object_free(&b->object);
}

/* What can be set without inlining can be set with it, and the other way round. */
static void set_all(const struct globals *g, struct both *b, struct table *t)
{
	for (uint32_t i = 0; i < g->setting_count; i++) {
		const struct setting *s = &g->settings[i];
		struct bpfstamp_err plain, inlined;
		int one = bpfstamp_set(b->plain, s->name, s->text, &plain);
		int two = bpfstamp_set(b->inlined, s->name, s->text, &inlined);

		if (!one && !two) {
			table_text(t, "values set", 1);
		} else if (one && two) {
			table_reason(t, "value refused", plain.text);
		} else {
			t->failures++;
			table_reason(t, one ? "WRONG: set only when inlined" : "WRONG: not set when inlined",
				     one ? plain.text : inlined.text);
		}
	}
}

static void count_variables(const struct both *b, struct table *t)
{
	struct bpfstamp_injectable inj;

	for (uint32_t i = 0; i < bpfstamp_injectable_count(b->inlined_t); i++) {
		bpfstamp_injectable_at(b->inlined_t, i, &inj);
		if (inj.kept)
			table_reason(t, inj.inlined_count ? "partly kept" : "kept", inj.kept);
		else if (inj.site_count)
			table_text(t, "variables inlined", 1);
	}
}

static enum outcome judge(const struct both *b, uint32_t n, const struct run_packet *packets, char *why,
			  size_t size)
{
	int plain = judge_load(b->plain, b->plain_t, n, why, size), inlined;
	enum outcome outcome = OUTCOME_UNLOADABLE;
	enum run_result result;

	if (plain < 0)
		return outcome;
	inlined = judge_load(b->inlined, b->inlined_t, n, why, size);
	if (inlined < 0) {
		outcome = OUTCOME_REJECTED;
	} else {
		result = run_compare(inlined, plain, packets, why, size);
		outcome = result == RUN_EQUAL	 ? OUTCOME_EQUAL
			  : result == RUN_FAILED ? OUTCOME_UNLOADABLE
						 : OUTCOME_WRONG;
		close(inlined);
	}
	close(plain);
	return outcome;
}

static void judge_all(const struct batch_options *o, uint32_t i, const struct globals *g, struct both *b,
		      struct table *t)
{
	static struct run_packet packets[RUN_PACKETS];
	struct prng prng = { o->seed + i };
	uint64_t values[SETTINGS_MAX + 1] = { 1 };
	char why[400], text[460];

	for (uint32_t k = 0; k < g->setting_count; k++)
		values[k] = (uint64_t)strtoll(g->settings[k].text, NULL, 0);
	for (uint32_t n = 0; n < o->programs; n++) {
		enum outcome outcome;

		run_packets(packets, &prng, values, g->setting_count ? g->setting_count : 1);
		outcome = judge(b, n, packets, why, sizeof(why));
		t->counts[i % o->compiler_count][outcome]++;
		if (outcome <= OUTCOME_EQUAL)
			continue;
		table_reason(t, judge_outcomes[outcome], why);
		if (outcome == OUTCOME_UNLOADABLE)
			continue;
		snprintf(text, sizeof(text), "oracle: batch %u, program %u: %s: %s\n", i, n,
			 judge_outcomes[outcome], why);
		fputs(text, stderr);
	}
}

static bool build(const struct batch_options *o, uint32_t i, struct globals *g, struct object *object,
		  char *source, size_t size)
{
	static const char *const levels[] = { "-O2", "-O1", "-Os" };
	const char *flags[] = { levels[below(g, 3)], NULL };
	char path[320];
	FILE *file;

	snprintf(source, size, "%s/%u.c", o->scratch, i);
	snprintf(path, sizeof(path), "%s/%u.o", o->scratch, i);
	file = fopen(source, "w");
	if (!file)
		return false;
	fputs(generate_prologue, file);
	for (uint32_t n = 0; n < o->programs; n++)
		program(file, g, n);
	fputs(generate_epilogue, file);
	if (fclose(file) ||
	    !compile_wait(compile_start(&o->compilers[i % o->compiler_count], source, path, flags)))
		return false;
	return object_read(object, path);
}

void globals_batch(const struct batch_options *o, uint32_t i, struct table *t)
{
	struct globals *g = calloc(1, sizeof(*g));
	struct both b = { 0 };
	struct bpfstamp_err err = { 0, "the compiler does not compile" };
	char source[300];

	if (!g)
		abort();
	g->prng.state = o->seed * 0x10001 + i;
	if (build(o, i, g, &b.object, source, sizeof(source)) && open_both(&b, &err)) {
		count_variables(&b, t);
		if (below(g, 4))
			set_all(g, &b, t);
		judge_all(o, i, g, &b, t);
	} else {
		t->failures++;
		table_reason(t, "ORACLE", err.text);
		fprintf(stderr, "oracle: batch %u: %s\n", i, err.text);
	}
	close_both(&b);
	free(g);
}
