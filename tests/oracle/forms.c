// SPDX-License-Identifier: BSD-2-Clause
/*
 * Each form is compiled with two constants that have no bits in common to
 * speak of, for each compiler and -mcpu, and the objects are held against each
 * other (derive.c).  Versions of -mcpu for which a compiler does the same
 * share a line of the cell.
 */
#include "tests/oracle/forms.h"

#include <stdio.h>
#include <string.h>

#include "tests/oracle/derive.h"
#include "tests/oracle/generate.h"

struct form {
	const char *source, *text;
	uint8_t bits;
};

static const struct form forms[] = {
	{ "x == C (u32)", "if (p.w[1] == C) r ^= 0x51;", 32 },
	{ "x == C (u64)", "if (p.d[1] == C) r ^= 0x51;", 32 },
	{ "x == C (u16)", "if (p.h[1] == (__u16)C) r ^= 0x51;", 16 },
	{ "(s16)x == (s16)C", "if ((__s16)p.h[1] == (__s16)C) r ^= 0x51;", 16 },
	{ "x < C (u32)", "if (p.w[1] < C) r ^= 0x51;", 32 },
	{ "x <= C (u32)", "if (p.w[1] <= C) r ^= 0x51;", 32 },
	{ "x > C (u32)", "if (p.w[1] > C) r ^= 0x51;", 32 },
	{ "x >= C (u32)", "if (p.w[1] >= C) r ^= 0x51;", 32 },
	{ "x >= C (s32)", "if ((__s32)p.w[1] >= (__s32)C) r ^= 0x51;", 32 },
	{ "x >= C (u64)", "if (p.d[1] >= C) r ^= 0x51;", 32 },
	{ "C <= x && x < C + 10", "if (p.w[1] >= C && p.w[1] < C + 10) r ^= 0x51;", 32 },
	{ "x + C (u32)", "r ^= p.w[1] + C;", 32 },
	{ "x - C (u32)", "r ^= p.w[1] - C;", 32 },
	{ "x - C (u64)", "a ^= p.d[1] - C;", 32 },
	{ "C - x (u32)", "r ^= C - p.w[1];", 32 },
	{ "x * C (u32)", "r ^= p.w[1] * C;", 32 },
	{ "x / C (u32)", "r ^= p.w[1] / C;", 32 },
	{ "x % C (u64)", "a ^= p.d[1] % C;", 32 },
	{ "x & ~C (u32)", "r ^= p.w[1] & ~C;", 32 },
	{ "x == htonl(C)", "if (p.w[1] == __builtin_bswap32(C)) r ^= 0x51;", 32 },
	{ "ntohl(x) == C", "if (__builtin_bswap32(p.w[1]) == C) r ^= 0x51;", 32 },
	{ "x == htons(C)", "if (p.h[1] == __builtin_bswap16((__u16)C)) r ^= 0x51;", 16 },
	{ "x == C >> 8", "if (p.w[1] == C >> 8) r ^= 0x51;", 32 },
	{ "(x & 0xffffff) == (C & 0xffffff)", "if ((p.w[1] & 0xffffff) == (C & 0xffffff)) r ^= 0x51;", 32 },
	{ "x == (u16)C", "if (p.h[1] == (__u16)C) r ^= 0x51;", 32 },
	{ "case C: case C + 1: case C + 2:",
	  "switch (p.w[1]) { case C: r ^= 0x51; break; case C + 1: a ^= 0x52; break; case C + 2: r += 0x53; "
	  "}",
	  32 },
	{ "{ C, K } stored", "__u32 s[2] = { C, 0xCAFED00D }; store_bytes(skb, 16, s, 8, 0);", 32 },
	{ "{ C, 0 } stored", "__u32 s[2] = { C, 0 }; store_bytes(skb, 16, s, 8, 0);", 32 },
	{ "{ C, C } stored", "__u32 s[2] = { C, C }; store_bytes(skb, 16, s, 8, 0);", 32 },
	{ "packed { u8, C, u16 } stored",
	  "struct { __u8 t; __u32 x; __u16 h; } PACKED s = { 7, C, 9 }; store_bytes(skb, 16, &s, sizeof(s), "
	  "0);",
	  32 },
	{ "{ u16 C, u16 } stored", "__u16 s[2] = { (__u16)C, 9 }; store_bytes(skb, 16, s, 4, 0);", 16 },
	{ "skb->cb[2] = C; cb[3] = K", "skb->cb[2] = C; skb->cb[3] = 0xCAFED00D;", 32 },
	{ "{ K, C, K, K }[x]", "volatile __u32 t[4] = { 0xCAFED00D, C, 7, 9 }; r ^= t[p.w[1] & 3];", 32 },
	{ "argument of a helper", "r ^= (__u32)csum_diff(0, 0, &p, 8, C);", 32 },
	{ "argument of a function", "r ^= s0_1(p.w[1], C);", 32 },
	{ "C > 5", "if (C > 5) r ^= 0x51;", 32 },
	{ "C % 7", "r ^= C % 7;", 32 },
};

enum { FORMS = sizeof(forms) / sizeof(*forms) };

static bool write_form(const struct form *f, const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return false;
	fputs(generate_prologue, file);
	fputs("NOINLINE __u32 s0_1(__u32 x, __u32 c) { return x == c ? 5 : c - x; }\n"
	      "SEC(\"tc\") int p0(struct __sk_buff *skb)\n{\n\tunion packet p;\n\t__u32 r = skb->len;\n"
	      "\t__u64 a = skb->ifindex;\n\n\tif (load_bytes(skb, 0, &p, sizeof(p)) < 0)\n\t\treturn -1;\n",
	      file);
	fprintf(file, "\t%s\n\tBARRIER;\n\tskb->mark = (__u32)(a ^ a >> 32);\n\treturn (int)r;\n}\n%s",
		f->text, generate_epilogue);
	return fclose(file) == 0;
}

static void form_of(const struct form *f, const struct compiler *c, const char *dir, char *text, size_t size)
{
	static const uint64_t values[2][2] = { { 0xFEDCBA98, 0x9D5B8FB1 }, { 0xBEE5, 0xD35B } };
	const uint64_t *value = values[f->bits == 16];
	char source[300], objects[2][300], define[2][32];
	struct object o[2] = { { 0 }, { 0 } };
	bool ok = true;

	snprintf(source, sizeof(source), "%s/form.c", dir);
	for (int i = 0; i < 2 && ok; i++) {
		const char *flags[] = { "-O2", define[i], NULL };

		snprintf(objects[i], sizeof(objects[i]), "%s/form%d.o", dir, i);
		snprintf(define[i], sizeof(define[i]), "-DC=0x%llxU", (unsigned long long)value[i]);
		ok = compile_wait(compile_start(c, source, objects[i], flags)) &&
		     object_read(&o[i], objects[i]);
	}
	if (!ok)
		snprintf(text, size, "(does not compile)");
	else if (!derive_forms(&o[0], &o[1], 0, value[0], value[1], text, size))
		snprintf(text, size, "other instructions");
	else if (!*text)
		snprintf(text, size, "%s", derive_in_rodata(&o[0], &o[1]) ? "in data" : "vanished");
	object_free(&o[0]);
	object_free(&o[1]);
}

/* One cell: what the -mcpu of one compiler make of a form, those that agree together. */
static void cell(const struct form *f, const struct compiler *compilers, uint32_t count, const char *dir)
{
	static char texts[COMPILERS_MAX][256];
	bool done[COMPILERS_MAX] = { false };
	const char *between = " ";

	for (uint32_t i = 0; i < count; i++)
		form_of(f, &compilers[i], dir, texts[i], sizeof(texts[i]));
	for (uint32_t i = 0; i < count; i++) {
		uint32_t same = 0, last = i;

		if (done[i])
			continue;
		for (uint32_t k = i; k < count; k++) {
			if (strcmp(texts[i], texts[k]))
				continue;
			done[k] = true;
			same++;
			last = k;
		}
		printf("%s", between);
		if (same == 1)
			printf("%s: ", compilers[i].cpu + 6);
		else if (same < count)
			printf("%s-%s: ", compilers[i].cpu + 6, compilers[last].cpu + 6);
		fputs(texts[i], stdout);
		between = "<br>";
	}
	printf(" |");
}

int forms_print(const struct compiler *compilers, uint32_t count, const char *dir)
{
	char source[300];

	snprintf(source, sizeof(source), "%s/form.c", dir);
	for (uint32_t row = 0; row < FORMS + 2; row++) {
		if (row >= 2 && !write_form(&forms[row - 2], source))
			return 2;
		printf(row == 0	  ? "| source |"
		       : row == 1 ? "| --- |"
				  : "| `%s` |",
		       row < 2 ? "" : forms[row - 2].source);
		for (uint32_t i = 0, n; i < count; i += n) {
			for (n = 1; i + n < count && !strcmp(compilers[i].command, compilers[i + n].command);)
				n++;
			if (row == 0)
				printf(" %s |", compilers[i].command);
			else if (row == 1)
				printf(" --- |");
			else
				cell(&forms[row - 2], &compilers[i], n, dir);
		}
		putchar('\n');
	}
	return 0;
}
