// SPDX-License-Identifier: BSD-2-Clause
/*
 * Programs for the oracle.
 *
 * A program copies the first bytes of its packet to the stack, goes through
 * one to four uses of the constant, drawn from the table in uses.c, and ends
 * by writing what it made of them to skb->mark and returning the rest.  Whole
 * programs are put together from texts, because what compilers do to a
 * constant depends on what stands around it.  Only arithmetic does not go on
 * from one use to the next (BARRIER), or most constants would end up added to
 * others, where nobody can find them.
 *
 * In a text, @b @h @w @d are an unsigned field of the packet (or of the skb)
 * of 8, 16, 32 or 64 bits; @k is a small number and @K one of 32 bits; @e is
 * == or !=, @r an ordered comparison, @o an operator; @= begins a statement
 * that takes a value in (up to the next semicolon); @n is a name that is nobody else's; @q is the number
 * of the program.
 */
#include "tests/oracle/generate.h"

uint64_t prng_next(struct prng *p)
{
	uint64_t z = p->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint32_t prng_below(struct prng *p, uint32_t limit)
{
	return (uint32_t)((prng_next(p) >> 32) * limit >> 32);
}

const char generate_prologue[] = "typedef unsigned char __u8; typedef unsigned short __u16; typedef unsigned "
				 "int __u32;\n"
				 "typedef unsigned long long __u64; typedef signed char __s8; typedef short "
				 "__s16;\n"
				 "typedef int __s32; typedef long long __s64;\n"
				 "struct __sk_buff { __u32 len, pkt_type, mark, queue_mapping, protocol, "
				 "vlan_present, vlan_tci,\n"
				 "\tvlan_proto, priority, ingress_ifindex, ifindex, tc_index, cb[5], hash, "
				 "tc_classid, data, data_end; };\n"
				 "#define SEC(name) __attribute__((section(name), used))\n"
				 "#define NOINLINE static __attribute__((noinline))\n"
				 "#define INLINE static inline __attribute__((always_inline))\n"
				 "#define PACKED __attribute__((packed))\n"
				 "#ifndef ON\n#define ON(k) 1\n#endif\n"
				 "#ifndef BARRIER\n#define BARRIER asm volatile(\"\" : \"+r\"(r), "
				 "\"+r\"(a))\n#endif\n"
				 "#ifdef STAMP_TYPE\n#include \"bpfstamp.bpf.h\"\n#define C "
				 "STAMP(STAMP_TYPE, c, STAMP_DEFAULT)\n#endif\n"
				 "#ifdef __clang__\n#define HELPER(number, name, ...) static long (*const "
				 "name)(__VA_ARGS__) = (void *)number\n"
				 "#else\n#define HELPER(number, name, ...) long name(__VA_ARGS__) "
				 "__attribute__((kernel_helper(number)))\n#endif\n"
				 "HELPER(26, load_bytes, const void *, __u32, void *, __u32);\n"
				 "HELPER(9, store_bytes, void *, __u32, const void *, __u32, __u64);\n"
				 "HELPER(28, csum_diff, const void *, __u32, const void *, __u32, __u32);\n"
				 "HELPER(48, set_hash, void *, __u32);\n"
				 "union packet { __u8 b[64]; __u16 h[32]; __u32 w[16]; __u64 d[8]; };\n";

const char generate_epilogue[] = "char _license[] SEC(\"license\") = \"GPL\";\n";

static void field(FILE *out, struct prng *prng, char width)
{
	static const char *const words[] = { "skb->mark", "skb->cb[0]", "skb->cb[1]", "skb->priority" };
	uint32_t i;

	switch (width) {
	case 'b':
		fprintf(out, "p.b[%u]", prng_below(prng, 64));
		break;
	case 'h':
		fprintf(out, "p.h[%u]", prng_below(prng, 32));
		break;
	case 'w':
		i = prng_below(prng, 20);
		if (i < sizeof(words) / sizeof(*words))
			fputs(words[i], out);
		else
			fprintf(out, "p.w[%u]", prng_below(prng, 16));
		break;
	default:
		fprintf(out, "p.d[%u]", prng_below(prng, 8));
		break;
	}
}

static void one_of(FILE *out, struct prng *prng, const char *const *texts, uint32_t count)
{
	fputs(texts[prng_below(prng, count)], out);
}

static void token(FILE *out, struct prng *prng, char c, uint32_t n, uint32_t k)
{
	static const char *const equal[] = { "==", "!=" }, *const order[] = { "<", "<=", ">", ">=" };
	static const char *const ops[] = { "+", "-", "*", "&", "|", "^" };
	static const char *const sinks[] = { "r += ", "r ^= ",	       "a += ",
					     "a ^= ", "r = r * 31 + ", "a = a * 31 + " };

	switch (c) {
	case 'k':
		fprintf(out, "%u", 1 + prng_below(prng, 15));
		break;
	case 'K':
		fprintf(out, "0x%xU", (uint32_t)prng_next(prng) | 0x1000001);
		break;
	case 'e':
		one_of(out, prng, equal, 2);
		break;
	case 'r':
		one_of(out, prng, order, 4);
		break;
	case 'o':
		one_of(out, prng, ops, 6);
		break;
	case '=':
		one_of(out, prng, sinks, 6);
		break;
	case 'n':
		fprintf(out, "%u_%u", n, k);
		break;
	case 'q':
		fprintf(out, "%u", n);
		break;
	default:
		field(out, prng, c);
		break;
	}
}

void generate_text(FILE *out, struct prng *prng, const char *text, uint32_t n, uint32_t k)
{
	bool taking = false;

	for (; *text; text++) {
		if (*text == ';' && taking) {
			fputc(')', out);
			taking = false;
		}
		if (*text == '@')
			token(out, prng, *++text, n, k);
		else
			fputc(*text, out);
		if (*text == '=' && text[-1] == '@') {
			fputc('(', out);
			taking = true;
		}
	}
}

static uint8_t draw_use(struct generate *g)
{
	for (;;) {
		uint32_t i = prng_below(&g->prng, generate_use_count);
		const struct use *u = &generate_uses[i];

		if (g->bits < u->low || g->bits > u->high || (g->stamp && (u->flags & USE_CONSTANT)) ||
		    (!g->folds && (u->flags & USE_FOLD)))
			continue;
		return (uint8_t)i;
	}
}

static void program(FILE *out, struct generate *g, uint32_t n)
{
	g->use_count[n] = (uint8_t)(1 + prng_below(&g->prng, 4));
	fprintf(out, "\n#if !defined(ONLY) || ONLY == %u\n", n);
	for (uint32_t k = 0; k < g->use_count[n]; k++) {
		const struct use *u;

		g->uses[n][k] = draw_use(g);
		u = &generate_uses[g->uses[n][k]];
		if (u->outside) {
			generate_text(out, &g->prng, u->outside, n, k);
			fputc('\n', out);
		}
	}
	generate_text(out, &g->prng,
		      "SEC(\"tc\") int p@q(struct __sk_buff *skb)\n{\n\tunion packet p;\n\t__u32 r = "
		      "skb->len;\n"
		      "\t__u64 a = skb->ifindex;\n\n\tif (load_bytes(skb, 0, &p, sizeof(p)) < 0)\n\t\treturn "
		      "-1;\n",
		      n, 0);
	for (uint32_t k = 0; k < g->use_count[n]; k++) {
		const struct use *u = &generate_uses[g->uses[n][k]];

		fprintf(out, "\tif (ON(%u)) {\t/* %s */\n\t\t", k, u->name);
		generate_text(out, &g->prng, u->text, n, k);
		fputs("\n\t}\n\tBARRIER;\n", out);
	}
	fputs("\tskb->mark = (__u32)(a ^ a >> 32);\n\treturn (int)r;\n}\n#endif\n", out);
}

void generate_constants(FILE *out, struct generate *g)
{
	fputs(generate_prologue, out);
	for (uint32_t n = 0; n < g->programs; n++)
		program(out, g, n);
	fputs(generate_epilogue, out);
}
