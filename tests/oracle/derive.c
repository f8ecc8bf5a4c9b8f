// SPDX-License-Identifier: BSD-2-Clause
/*
 * Compiled with two constants, a program differs where the constant went.  If
 * both objects have the same instructions but for immediates, each immediate
 * that differs is tried against the ways in which compilers fold: whichever
 * turns both constants into both immediates is what happened.
 */
#include "tests/oracle/derive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t sext(uint64_t v)
{
	return (uint64_t)(int64_t)(int32_t)(uint32_t)v;
}

static uint64_t derived(unsigned int how, uint64_t c)
{
	switch (how) {
	case 0:
		return c;
	case 1:
		return -c;
	case 2:
		return c + 1;
	case 3:
		return c - 1;
	case 4:
		return ~c;
	case 5:
		return __builtin_bswap32((uint32_t)c);
	case 6:
		return __builtin_bswap16((uint16_t)c);
	case 7:
		return __builtin_bswap64(c);
	case 8:
		return (uint16_t)c;
	case 9:
		return (uint8_t)c;
	case 10:
		return c & 0xffffff;
	case 11:
		return ~c + 2;
	default:
		return -c - 2;
	}
}

static const char *const names[] = { "C",      "-C",	     "C + 1",	     "C - 1",
				     "~C",     "bswap32(C)", "bswap16(C)",   "bswap64(C)",
				     "(u16)C", "(u8)C",	     "C & 0xffffff", "1 - C",
				     "-C - 2" };

/* C shifted, or a field of it. */
static bool shifted(uint64_t a, uint64_t b, uint64_t c, uint64_t d, char *text, size_t size)
{
	for (unsigned int shift = 1; shift < 64; shift++) {
		snprintf(text, size, "C >> %u", shift);
		if (c >> shift == a && d >> shift == b)
			return true;
		snprintf(text, size, "C << %u", shift);
		if ((uint32_t)(c << shift) == (uint32_t)a && (uint32_t)(d << shift) == (uint32_t)b)
			return true;
		for (unsigned int bits = 4; bits < 32; bits++) {
			uint64_t mask = (1ULL << bits) - 1;

			snprintf(text, size, "C >> %u & 0x%llx", shift, (unsigned long long)mask);
			if ((c >> shift & mask) == a && (d >> shift & mask) == b)
				return true;
		}
	}
	return false;
}

/* One of several small stores that became one: C, or bytes of it, beside something else. */
static bool merged(uint64_t a, uint64_t b, uint64_t c, uint64_t d, char *text, size_t size)
{
	for (unsigned int bits = 24; bits; bits -= 8) {
		for (unsigned int at = 0; at <= 32 - bits; at += 8) {
			uint32_t mask = ((1u << bits) - 1) << at;

			snprintf(text, size, "C in bits %u to %u", at, at + bits - 1);
			if (((uint32_t)a & mask) == ((uint32_t)c << at & mask) &&
			    ((uint32_t)b & mask) == ((uint32_t)d << at & mask) &&
			    ((uint32_t)(a ^ b) & ~mask) == 0)
				return true;
		}
	}
	return false;
}

const char *derive_name(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	static _Thread_local char text[40];

	for (unsigned int how = 0; how < sizeof(names) / sizeof(*names); how++)
		if (derived(how, c) == a && derived(how, d) == b)
			return names[how];
	for (unsigned int how = 0; how < sizeof(names) / sizeof(*names); how++) {
		snprintf(text, sizeof(text), "%s, 32 bits", names[how]);
		if ((uint32_t)derived(how, c) == (uint32_t)a && (uint32_t)derived(how, d) == (uint32_t)b)
			return how || a >> 32 || b >> 32 ? text : names[how];
	}
	if (shifted(a, b, c, d, text, sizeof(text)) || merged(a, b, c, d, text, sizeof(text)))
		return text;
	if ((uint32_t)(a - c) == (uint32_t)(b - d))
		return "C + k";
	if ((uint32_t)(a ^ c) == (uint32_t)(b ^ d))
		return "C ^ k";
	if ((uint32_t)(a + c) == (uint32_t)(b + d))
		return "k - C";
	return (uint32_t)(c * 2) == (uint32_t)a && (uint32_t)(d * 2) == (uint32_t)b ? "C * 2" : NULL;
}

/* Add what to a list, unless it is in there. */
static void append(char *text, size_t size, const char *what)
{
	size_t at = strlen(text), length = strlen(what);

	for (const char *p = text; (p = strstr(p, what)); p++)
		if ((p == text || p[-1] == ' ') && (!p[length] || p[length] == ';') &&
		    (p == text || p[-2] == ';'))
			return;
	if (at + length + 3 < size)
		snprintf(text + at, size - at, "%s%s", at ? "; " : "", what);
}

static uint32_t imm(const uint8_t *insn)
{
	uint32_t v;

	memcpy(&v, insn + 4, sizeof(v));
	return v;
}

static bool sign_extends(const uint8_t *insn)
{
	uint8_t cls = insn[0] & 7;

	return cls == 7 || cls == 5 || (cls == 2 && (insn[0] & 0x18) == 0x18);
}

static const char *known(const char *name)
{
	return name ? name : "?";
}

static void describe_lddw(const uint8_t *a, const uint8_t *b, uint64_t c, uint64_t d, char *out, size_t size)
{
	uint64_t x = (uint64_t)imm(a + 8) << 32 | imm(a), y = (uint64_t)imm(b + 8) << 32 | imm(b);
	const char *name = derive_name(x, y, c, d);

	if (name && !strpbrk(name, ",k^*") && !strstr(name, "in bits"))
		snprintf(out, size, "lddw %s", name);
	else if (imm(a) != imm(b) && imm(a + 8) != imm(b + 8))
		snprintf(out, size, "lddw both halves");
	else if (imm(a) != imm(b))
		snprintf(out, size, "lddw low: %s", known(derive_name(imm(a), imm(b), c, d)));
	else
		snprintf(out, size, "lddw high: %s", known(derive_name(imm(a + 8), imm(b + 8), c, d)));
}

/* What stands in the instruction at a, and at b. */
static void describe(const uint8_t *a, const uint8_t *b, uint64_t c, uint64_t d, char *out, size_t size)
{
	const char *name = sign_extends(a) ? derive_name(sext(imm(a)), sext(imm(b)), c, d) : NULL;

	if (a[0] == 0x18) {
		describe_lddw(a, b, c, d, out, size);
	} else if (name && !strchr(name, ',')) {
		snprintf(out, size, "%s", name);
	} else {
		name = derive_name(imm(a), imm(b), c, d);
		snprintf(out, size, "%s%s", known(name), name && sign_extends(a) ? ", sign-extended" : "");
	}
}

static size_t next(const uint8_t *insn)
{
	return insn[0] == 0x18 ? 16 : 8;
}

bool derive_forms(const struct object *with_c, const struct object *with_d, uint32_t n, uint64_t c,
		  uint64_t d, char *text, size_t size)
{
	size_t a_size, b_size;
	uint8_t *a = object_code(with_c, n, &a_size), *b = object_code(with_d, n, &b_size);
	bool ok = a && b && a_size == b_size;

	*text = 0;
	for (size_t at = 0; ok && at < a_size; at += next(a + at)) {
		char what[96];

		ok = !memcmp(a + at, b + at, 4);
		if (!ok || (a[at] == 0x85 && a[at + 1] >> 4 == 1) || !memcmp(a + at, b + at, next(a + at)))
			continue;
		describe(a + at, b + at, c, d, what, sizeof(what));
		append(text, size, what);
	}
	free(a);
	free(b);
	return ok;
}

bool derive_missed(const struct object *made, const struct object *patched, const struct object *meant,
		   uint32_t n, uint64_t c, uint64_t d, char *text, size_t size)
{
	size_t a_size, b_size, p_size;
	uint8_t *a = object_code(made, n, &a_size), *b = object_code(meant, n, &b_size);
	uint8_t *p = object_code(patched, n, &p_size);
	bool ok = a && b && p && a_size == b_size && a_size == p_size;

	*text = 0;
	for (size_t at = 0; ok && at < a_size; at += next(a + at)) {
		char what[96];

		ok = !memcmp(a + at, b + at, 4);
		if (!ok || (a[at] == 0x85 && a[at + 1] >> 4 == 1) || !memcmp(p + at, b + at, next(a + at)))
			continue;
		describe(a + at, b + at, c, d, what, sizeof(what));
		append(text, size, what);
	}
	free(a);
	free(b);
	free(p);
	if (!ok)
		snprintf(text, size, "other instructions");
	return true;
}

bool derive_in_rodata(const struct object *a, const struct object *b)
{
	return object_data_differs(a, b, ".rodata") || object_data_differs(a, b, ".data");
}
