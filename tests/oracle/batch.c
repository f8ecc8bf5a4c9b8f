// SPDX-License-Identifier: BSD-2-Clause
/*
 * A batch is made again from the seed and its number alone.  Its number also
 * chooses the compiler, so that a short run sees all of them.
 *
 * What went wrong is kept in a folder: source, objects, and how to compile
 * them.  A fault is then narrowed down by compiling its program with one use of
 * the constant only, and with two: the names of the fewest uses that are
 * still wrong are what is counted.  A use that the library refuses when it is
 * alone, but misses beside another, is the one that it is blind for: it is
 * marked with a star.
 */
#include "tests/oracle/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/oracle/derive.h"
#include "tests/oracle/globals.h"

struct pair {
	const char *kind;
	uint64_t old;
	uint8_t bits;
	bool is_signed;
};

/* Unusual, so that nothing else in a program is one of them, or a byte of one, by accident. */
static const struct pair pairs[] = {
	{ "u32", 0xFEDCBA98, 32, false },
	{ "u32", 0x5EADBEE7, 32, false },
	{ "u32", 0xC1A8978B, 32, false },
	{ "u32", 0x9DCB8F31, 32, false },
	{ "u16", 0xBEE5, 16, false },
	{ "u16", 0x5EE3, 16, false },
	{ "u8", 0xB5, 8, false },
	{ "u8", 0x6D, 8, false },
	{ "u24", 0xABCDE9, 24, false },
	{ "u64", 0xFEDCBA9876543215, 64, false },
	{ "u64", 0x5EADBEE7CAFED09D, 64, false },
	{ "s32", (uint64_t)-0x5EADBEE7, 32, true },
};

static const char *const levels[] = { "-O2", "-O1", "-Os" };

struct batch {
	const struct batch_options *o;
	uint32_t number, compiler;
	const struct pair *pair;
	uint64_t value;
	const char *level;
	bool debug;
	struct generate g;
	struct judge j;
	char source[300], made[300], meant[300];
};

static uint64_t limited(const struct pair *pair, uint64_t v)
{
	if (pair->is_signed)
		return (uint64_t) - (int64_t)((v & 0x7fffffff) | 1);
	return pair->bits == 64 ? v : v & ((1ULL << pair->bits) - 1);
}

/* The new constant: of the old one's width, never 0. */
static uint64_t new_value(const struct pair *pair, struct prng *prng)
{
	uint64_t top = 1ULL << (pair->bits - 1), v;

	switch (prng_below(prng, 8)) {
	case 0:
		v = ~0ULL;
		break;
	case 1:
		v = top;
		break;
	case 2:
		v = top - (pair->bits == 64 ? 2 : 1); /* clang 19 miscompiles x > INT64_MAX for v1 and v2 */
		break;
	case 3:
		v = 101 + prng_below(prng, 100); /* above every other case of a switch */
		break;
	case 4:
		v = top | prng_next(prng);
		break;
	default:
		v = prng_next(prng);
		break;
	}
	v = limited(pair, v);
	return v ? v : 1;
}

static void spell(char *text, size_t size, const struct pair *pair, uint64_t v)
{
	if (pair->is_signed)
		snprintf(text, size, "-0x%llx", (unsigned long long)-v);
	else
		snprintf(text, size, "0x%llx", (unsigned long long)v);
}

/* -DC=… as the program reads it; for a stamp, what STAMP() is given. */
static void define(char flags[3][96], const struct batch *b, const char *text, bool made)
{
	static const char *const types[] = { "__u8", "__u16", "__u32", "__u64" };
	const char *suffix = b->pair->bits == 64 ? "ULL" : b->pair->is_signed ? "" : "U";
	int type = b->pair->bits <= 8 ? 0 : b->pair->bits <= 16 ? 1 : b->pair->bits <= 32 ? 2 : 3;

	if (made && b->o->mode == MODE_STAMP) {
		snprintf(flags[0], 96, "-DSTAMP_TYPE=%s", b->pair->is_signed ? "__s32" : types[type]);
		snprintf(flags[1], 96, "-DSTAMP_DEFAULT=(%s%s)", text, suffix);
	} else {
		snprintf(flags[0], 96, "-DC=(%s%s)", text, suffix);
		snprintf(flags[1], 96, "-DMEANT");
	}
	snprintf(flags[2], 96, "%s", b->debug ? "-g" : "-g0");
}

struct narrowing {
	uint32_t program, mask;
};

static pid_t start(const struct batch *b, const char *object, const char *text, bool made,
		   const struct narrowing *narrow, char *command, size_t size)
{
	char defines[3][96], only[64], on[64];
	const char *flags[] = { b->level,  defines[0],		 defines[1], defines[2], "-iquote",
				"include", narrow ? only : NULL, on,	     NULL };

	define(defines, b, text, made);
	if (narrow) {
		snprintf(only, sizeof(only), "-DONLY=%u", narrow->program);
		snprintf(on, sizeof(on), "-DON(k)=(0x%x>>(k)&1)", narrow->mask);
	}
	if (command)
		compile_text(&b->o->compilers[b->compiler], b->source, object, flags, command, size);
	return compile_start(&b->o->compilers[b->compiler], b->source, object, flags);
}

/* Compile with both constants at a time, and read the objects. */
static bool compile_both(struct batch *b, const struct narrowing *narrow)
{
	pid_t one = start(b, b->made, b->j.old_text, true, narrow, NULL, 0);
	pid_t two = start(b, b->meant, b->j.new_text, false, narrow, NULL, 0);
	bool ok = compile_wait(one);

	ok = compile_wait(two) && ok;
	return ok && object_read(&b->j.made, b->made) && object_read(&b->j.meant, b->meant);
}

static bool open_both(struct batch *b)
{
	return b->o->mode == MODE_STAMP ? judge_open_stamp(&b->j) : judge_open(&b->j);
}

static enum outcome judge(struct batch *b, uint32_t n)
{
	return b->o->mode == MODE_STAMP ? judge_stamped(&b->j, n) : judge_placeholder(&b->j, n);
}

/* ------------------------------------------------------------- narrowing */

static enum outcome judge_narrowed(struct batch *b, uint32_t n, uint32_t mask)
{
	struct narrowing narrow = { n, mask };
	enum outcome outcome = OUTCOME_UNLOADABLE;

	judge_close(&b->j);
	if (compile_both(b, &narrow) && open_both(b))
		outcome = judge(b, n);
	return outcome;
}

static const char *use_name(const struct batch *b, uint32_t n, uint32_t k)
{
	return generate_uses[b->g.uses[n][k]].name;
}

/* The fewest uses of program n that are still wrong: 1 or 2, else all. */
static uint32_t narrow_mask(struct batch *b, uint32_t n, bool refused[GENERATE_USES])
{
	uint32_t count = b->g.use_count[n], all = (1u << count) - 1;

	for (uint32_t k = 0; k < count; k++) {
		enum outcome outcome = judge_narrowed(b, n, 1u << k);

		refused[k] = outcome == OUTCOME_REFUSED || outcome == OUTCOME_CAREFUL;
		if (outcome == OUTCOME_WRONG)
			return 1u << k;
	}
	for (uint32_t k = 0; k < count; k++)
		for (uint32_t i = 0; i < k; i++)
			if (judge_narrowed(b, n, 1u << k | 1u << i) == OUTCOME_WRONG)
				return 1u << k | 1u << i;
	return all;
}

static void keep(struct batch *b, uint32_t n, uint32_t mask, const char *text)
{
	char dir[400], path[1200], command[1200];
	struct narrowing narrow = { n, mask };
	FILE *file;

	snprintf(dir, sizeof(dir), "%s/%llu-%u-p%u", b->o->keep, (unsigned long long)b->o->seed, b->number,
		 n);
	mkdir(b->o->keep, 0755);
	mkdir(dir, 0755);
	snprintf(path, sizeof(path), "%s/made.o", dir);
	object_write(&b->j.made, path);
	snprintf(path, sizeof(path), "%s/meant.o", dir);
	object_write(&b->j.meant, path);
	snprintf(path, sizeof(path), "%s/patched.o", dir);
	if (b->j.patched.bytes)
		object_write(&b->j.patched, path);
	snprintf(path, sizeof(path), "%s/README", dir);
	file = fopen(path, "w");
	if (!file)
		return;
	fprintf(file, "%s\n%s -> %s: %s\n", text, b->j.old_text, b->j.new_text, b->j.why);
	compile_wait(start(b, b->made, b->j.old_text, true, &narrow, command, sizeof(command)));
	fprintf(file, "%s\n", command);
	compile_wait(start(b, b->meant, b->j.new_text, false, &narrow, command, sizeof(command)));
	fprintf(file, "%s\n", command);
	fclose(file);
	snprintf(path, sizeof(path), "cp %s %s/source.c", b->source, dir);
	if (system(path))
		fprintf(stderr, "oracle: %s\n", path);
}

/* Narrow a fault down, keep it, count it. */
static void fault(struct batch *b, uint32_t n, struct table *t)
{
	bool refused[GENERATE_USES] = { false };
	uint32_t mask = narrow_mask(b, n, refused);
	char text[TABLE_TEXT_SIZE], missed[100];
	size_t at;

	at = (size_t)snprintf(text, sizeof(text), "WRONG %s:", b->pair->kind);
	if (judge_narrowed(b, n, mask) != OUTCOME_WRONG)
		snprintf(text + at, sizeof(text) - at, " cannot be narrowed down");
	for (uint32_t k = 0; k < b->g.use_count[n]; k++)
		if (mask >> k & 1 && at < sizeof(text) - 80 &&
		    (refused[k] || !(mask & (mask - 1)) || mask == 15))
			at += (size_t)snprintf(text + at, sizeof(text) - at, " %s%s", use_name(b, n, k),
					       refused[k] ? "*" : "");
	if (b->j.patched.bytes && derive_missed(&b->j.made, &b->j.patched, &b->j.meant, n, b->pair->old,
						b->value, missed, sizeof(missed)))
		snprintf(text + at, sizeof(text) - at, " [%s]", missed);
	table_text(t, text, 1);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), " %s %s %s",
		 b->o->compilers[b->compiler].command, b->o->compilers[b->compiler].cpu, b->level);
	keep(b, n, mask, text);
}

/* -------------------------------------------------------------- a batch */

static void count(const struct batch *b, struct table *t, enum outcome outcome)
{
	t->counts[b->compiler][outcome]++;
	if (outcome == OUTCOME_REFUSED || outcome == OUTCOME_CAREFUL)
		table_reason(t, judge_outcomes[outcome], b->j.why);
	if (outcome == OUTCOME_REJECTED || outcome == OUTCOME_UNLOADABLE)
		table_reason(t, judge_outcomes[outcome], b->j.why);
}

static void judge_all(struct batch *b, struct table *t, uint32_t *narrowed)
{
	bool wrong[256] = { false };

	for (uint32_t n = 0; n < b->g.programs; n++) {
		enum outcome outcome = judge(b, n);

		count(b, t, outcome);
		wrong[n] =
			outcome == OUTCOME_WRONG || (outcome == OUTCOME_REJECTED && b->o->mode == MODE_STAMP);
	}
	for (uint32_t n = 0; n < b->g.programs && *narrowed < b->o->narrow; n++) {
		if (!wrong[n])
			continue;
		++*narrowed;
		fault(b, n, t);
	}
}

static bool write_source(struct batch *b)
{
	FILE *file = fopen(b->source, "w");

	if (!file)
		return false;
	generate_constants(file, &b->g);
	return fclose(file) == 0;
}

static bool prepare(struct batch *b, const struct batch_options *o, uint32_t i)
{
	struct prng prng = { o->seed * 0x10001 + i };

	b->o = o;
	b->number = i;
	b->compiler = i % o->compiler_count;
	b->pair = &pairs[prng_below(&prng, sizeof(pairs) / sizeof(*pairs))];
	b->value = new_value(b->pair, &prng);
	b->level = levels[prng_below(&prng, o->mode == MODE_PLACEHOLDER ? 2 : 3)];
	b->debug = o->mode == MODE_PLACEHOLDER || prng_below(&prng, 3);
	b->g.prng.state = prng_next(&prng);
	b->g.bits = b->pair->bits;
	b->g.stamp = o->mode == MODE_STAMP;
	b->g.folds = o->folds;
	b->g.programs = o->programs;
	spell(b->j.old_text, sizeof(b->j.old_text), b->pair, b->pair->old);
	spell(b->j.new_text, sizeof(b->j.new_text), b->pair, b->value);
	run_packets(b->j.packets, &prng, (uint64_t[]){ b->value, b->pair->old, b->value }, 3);
	snprintf(b->source, sizeof(b->source), "%s/%u.c", o->scratch, i);
	snprintf(b->made, sizeof(b->made), "%s/%u-made.o", o->scratch, i);
	snprintf(b->meant, sizeof(b->meant), "%s/%u-meant.o", o->scratch, i);
	return write_source(b);
}

static void clean(const struct batch *b)
{
	char log[320];

	unlink(b->source);
	unlink(b->made);
	unlink(b->meant);
	snprintf(log, sizeof(log), "%s.log", b->made);
	unlink(log);
	snprintf(log, sizeof(log), "%s.log", b->meant);
	unlink(log);
}

void batch_run(const struct batch_options *o, uint32_t i, struct table *t, uint32_t *narrowed)
{
	struct batch *b = calloc(1, sizeof(*b));
	bool ok;

	if (!b)
		abort();
	if (o->mode == MODE_INLINE) {
		free(b);
		globals_batch(o, i, t);
		return;
	}
	ok = prepare(b, o, i);
	if (ok && compile_both(b, NULL) && open_both(b)) {
		judge_all(b, t, narrowed);
		clean(b);
	} else {
		t->failures++;
		table_reason(t, "ORACLE", *b->j.why ? b->j.why : "the compiler does not compile");
		fprintf(stderr, "oracle: batch %u: %s %s: %s: %s\n", i, o->compilers[b->compiler].command,
			o->compilers[b->compiler].cpu, b->source, b->j.why);
	}
	judge_close(&b->j);
	free(b);
}
