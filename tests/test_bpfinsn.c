// SPDX-License-Identifier: BSD-2-Clause
/*
 * BPF instructions: bytes to fields and back in both byte orders, which
 * combinations of fields are instructions, whole sections, and the writer
 * under bpfinsn_text.
 *
 * What is an instruction is written down here a second time, as the table
 * defined[] in the manner of the standard's list of instructions, and compared
 * with bpfinsn_check over every code and the boundary values of every field.
 * That every text is llvm-objdump's is for tests/test_disasm.c; here is one of
 * each form, and those that llvm-objdump 19 does not know.
 */
#include <check.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpfinsn/bpfinsn.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

Suite *suite_bpfinsn(void);

static const struct {
	struct bpfinsn insn;
	uint8_t little[8], big[8];
} golden[] = {
	{ { 0x61, 1, 2, -4, 0 },
	  { 0x61, 0x21, 0xfc, 0xff, 0, 0, 0, 0 }, { 0x61, 0x12, 0xff, 0xfc, 0, 0, 0, 0 } },
	{ { 0x16, 10, 0, 0x0102, 0x11223344 },
	  { 0x16, 0x0a, 2, 1, 0x44, 0x33, 0x22, 0x11 }, { 0x16, 0xa0, 1, 2, 0x11, 0x22, 0x33, 0x44 } },
	{ { 0x18, 3, 1, 0, -2 },
	  { 0x18, 0x13, 0, 0, 0xfe, 0xff, 0xff, 0xff }, { 0x18, 0x31, 0, 0, 0xff, 0xff, 0xff, 0xfe } },
	{ { 0xdb, 10, 9, INT16_MIN, INT32_MIN },
	  { 0xdb, 0x9a, 0, 0x80, 0, 0, 0, 0x80 }, { 0xdb, 0xa9, 0x80, 0, 0x80, 0, 0, 0 } },
	{ { 0xff, 15, 0, INT16_MAX, INT32_MAX },
	  { 0xff, 0x0f, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f },
	  { 0xff, 0xf0, 0x7f, 0xff, 0x7f, 0xff, 0xff, 0xff } },
};

static void expect_golden(const uint8_t *bytes, bool big, const struct bpfinsn *want)
{
	uint8_t unaligned[9], out[10];
	struct bpfinsn got;

	memcpy(unaligned + 1, bytes, 8);
	bpfinsn_decode(unaligned + 1, big, &got);
	ck_assert_uint_eq(got.code, want->code);
	ck_assert_uint_eq(got.dst, want->dst);
	ck_assert_uint_eq(got.src, want->src);
	ck_assert_int_eq(got.off, want->off);
	ck_assert_int_eq(got.imm, want->imm);

	memset(out, 0x5a, sizeof(out));
	bpfinsn_encode(out + 1, big, want);
	ck_assert_mem_eq(out + 1, bytes, 8);
	ck_assert_uint_eq(out[0], 0x5a);
	ck_assert_uint_eq(out[9], 0x5a);
}

START_TEST(test_golden_bytes)
{
	expect_golden(golden[_i].little, false, &golden[_i].insn);
	expect_golden(golden[_i].big, true, &golden[_i].insn);
}
END_TEST

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

START_TEST(test_round_trip)
{
	uint64_t state = 0x9e3779b97f4a7c15, word;
	struct bpfinsn insn;
	uint8_t in[8], out[8];

	for (int i = 0; i < 100000; i++) {
		word = next_random(&state);
		memcpy(in, &word, sizeof(in));
		bpfinsn_decode(in, _i, &insn);
		bpfinsn_encode(out, _i, &insn);
		if (memcmp(in, out, sizeof(in)))
			ck_abort_msg("%016llx does not survive", (unsigned long long)word);
	}
}
END_TEST

/*
 * Every instruction there is.  codes in hexadecimal; of each field the values
 * that it may have: "*" any, "r" a register, else a list.  A code in several
 * rows may be as in any of them.
 */
static const struct {
	const char *codes, *dst, *src, *off, *imm;
} defined[] = {
	{ "04 14 24 44 54 64 74 a4 b4 c4 07 17 27 47 57 67 77 a7 b7 c7", "r", "0", "0", "*" },
	{ "0c 1c 2c 4c 5c 6c 7c ac cc 0f 1f 2f 4f 5f 6f 7f af cf", "r", "r", "0", "0" },
	{ "34 37 94 97", "r", "0", "0,1", "*" },
	{ "3c 3f 9c 9f", "r", "r", "0,1", "0" },
	{ "84 87", "r", "0", "0", "0" },
	{ "bc", "r", "r", "0,8,16", "0" },
	{ "bf", "r", "r", "0,8,16,32", "0" },
	{ "bf", "r", "r", "1", "1,65536" },
	{ "d4 d7 dc", "r", "0", "0", "16,32,64" },
	{ "05", "0", "0", "*", "0" },
	{ "06", "0", "0", "0", "*" },
	{ "15 25 35 45 55 65 75 a5 b5 c5 d5 16 26 36 46 56 66 76 a6 b6 c6 d6", "r", "0", "*", "*" },
	{ "1d 2d 3d 4d 5d 6d 7d ad bd cd dd 1e 2e 3e 4e 5e 6e 7e ae be ce de", "r", "r", "*", "0" },
	{ "85", "0", "0,1", "0", "*" },
	{ "85", "0", "2", "*", "*" },
	{ "8d", "r", "0", "0", "0" },
	{ "95", "0", "0", "0", "0" },
	{ "e5", "0", "0", "*", "0" },
	{ "18", "r", "0,1,2,3,4,5,6", "0", "*" },
	{ "20 28 30", "0", "0", "0", "*" },
	{ "40 48 50", "0", "r", "0", "*" },
	{ "61 69 71 79 81 89 91", "r", "r", "*", "0" },
	{ "62 6a 72 7a", "r", "0", "*", "*" },
	{ "63 6b 73 7b", "r", "r", "*", "0" },
	{ "c3 db", "r", "r", "*", "0,1,64,65,80,81,160,161,225,241" },
	{ "c3 cb d3 db", "r", "r", "*", "256,272" },
};

static const int32_t registers[] = { 0, 1, 2, 3, 6, 7, 10, 11, 15 };
static const int32_t offs[] = {
	0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, -1, -8, INT16_MAX, INT16_MIN,
};
static const int32_t imms[] = {
	0, 1, 2, -1, 8, 15, 16, 17, 31, 32, 33, 48, 49, 63, 64, 65, 66, 79, 80, 81, 82, 144, 160, 161,
	224, 225, 226, 240, 241, 255, 256, 257, 271, 272, 273, 65535, 65536, 65537, INT32_MAX, INT32_MIN,
};

static bool list_has(const char *list, int32_t value)
{
	char *end;

	if (*list == '*')
		return true;
	if (*list == 'r')
		return value <= 10;
	for (;; list = end + 1) {
		if (strtol(list, &end, 10) == value)
			return true;
		if (!*end)
			return false;
	}
}

/* Bit i of the result: may the field be values[i]? */
static uint64_t allowed(const char *list, const int32_t *values, size_t count)
{
	uint64_t bits = 0;

	ck_assert_uint_le(count, 64);
	for (size_t i = 0; i < count; i++)
		bits |= (uint64_t)list_has(list, values[i]) << i;
	return bits;
}

static bool codes_have(const char *codes, uint8_t code)
{
	char *end;

	for (;; codes = end + 1) {
		if (strtoul(codes, &end, 16) == code)
			return true;
		if (!*end)
			return false;
	}
}

struct mask {
	uint64_t dst, src, off, imm;
};

static size_t masks_of(uint8_t code, struct mask *masks)
{
	size_t n = 0;

	for (size_t i = 0; i < COUNT(defined); i++) {
		if (!codes_have(defined[i].codes, code))
			continue;
		masks[n++] = (struct mask) {
			.dst = allowed(defined[i].dst, registers, COUNT(registers)),
			.src = allowed(defined[i].src, registers, COUNT(registers)),
			.off = allowed(defined[i].off, offs, COUNT(offs)),
			.imm = allowed(defined[i].imm, imms, COUNT(imms)),
		};
	}
	return n;
}

static void expect_check(uint8_t code, const size_t *i, const struct mask *masks, size_t n)
{
	struct bpfinsn insn = {
		.code = code, .dst = (uint8_t)registers[i[0]], .src = (uint8_t)registers[i[1]],
		.off = (int16_t)offs[i[2]], .imm = imms[i[3]],
	};
	const char *what = bpfinsn_check(&insn);
	uint64_t want = 0;
	char text[120];

	for (size_t m = 0; m < n; m++)
		want |= masks[m].dst >> i[0] & masks[m].src >> i[1] & masks[m].off >> i[2] &
			masks[m].imm >> i[3] & 1;
	if (want == !what)
		return;
	bpfinsn_text(text, sizeof(text), (struct bpfinsn[2]) { insn });
	ck_abort_msg("code %02x dst %u src %u off %d imm %d (%s): %s", insn.code, insn.dst, insn.src,
		     insn.off, insn.imm, text, what ? what : "accepted");
}

START_TEST(test_check_every_code)
{
	struct mask masks[COUNT(defined)];
	uint8_t code = (uint8_t)_i;
	size_t n = masks_of(code, masks), i[4];

	for (i[0] = 0; i[0] < COUNT(registers); i[0]++)
		for (i[1] = 0; i[1] < COUNT(registers); i[1]++)
			for (i[2] = 0; i[2] < COUNT(offs); i[2]++)
				for (i[3] = 0; i[3] < COUNT(imms); i[3]++)
					expect_check(code, i, masks, n);
}
END_TEST

static const struct {
	struct bpfinsn insn;
	const char *what;
} faults[] = {
	{ { 0x00, 0, 0, 0, 0 }, "undefined instruction code" },
	{ { 0xef, 0, 0, 0, 0 }, "undefined instruction code" },
	{ { 0x85, 1, 0, 0, 0 }, "reserved dst is not 0" },
	{ { 0x07, 1, 1, 0, 0 }, "reserved src is not 0" },
	{ { 0x07, 1, 0, 1, 0 }, "reserved off is not 0" },
	{ { 0x0f, 1, 1, 0, 1 }, "reserved imm is not 0" },
	{ { 0x07, 11, 0, 0, 0 }, "register above r10" },
	{ { 0x0f, 0, 11, 0, 0 }, "register above r10" },
	{ { 0x3f, 0, 1, 2, 0 }, "off of a division is neither 0 nor 1 (signed)" },
	{ { 0xd7, 0, 0, 0, 8 }, "byte swap of neither 16, 32 nor 64 bits" },
	{ { 0xbf, 0, 0, 1, 2 }, "addr_space_cast not between 0 and 1" },
	{ { 0xbc, 0, 0, 32, 0 }, "off of a move is not a width to extend from" },
	{ { 0xd3, 0, 0, 0, 1 }, "atomic operation is undefined on 8 and 16 bits" },
	{ { 0xdb, 0, 0, 0, 2 }, "undefined atomic operation" },
	{ { 0x18, 0, 7, 0, 0 }, "undefined src of lddw" },
	{ { 0x85, 0, 3, 0, 0 }, "undefined src of call" },
};

START_TEST(test_check_fault)
{
	const char *what = bpfinsn_check(&faults[_i].insn);

	ck_assert_ptr_nonnull(what);
	ck_assert_str_eq(what, faults[_i].what);
}
END_TEST

static const struct {
	struct bpfinsn insn;
	bool jumps;
	int32_t delta;
} jumps[] = {
	{ { 0x05, 0, 0, 7, 9 }, true, 7 },
	{ { 0x05, 0, 0, INT16_MIN, 0 }, true, INT16_MIN },
	{ { 0x06, 0, 0, 7, 9 }, true, 9 },
	{ { 0x06, 0, 0, 0, INT32_MIN }, true, INT32_MIN },
	{ { 0x06, 0, 0, 0, INT32_MAX }, true, INT32_MAX },
	{ { 0x15, 1, 0, -1, 5 }, true, -1 },
	{ { 0xdd, 1, 2, INT16_MAX, 0 }, true, INT16_MAX },
	{ { 0x16, 1, 0, 3, 5 }, true, 3 },
	{ { 0xde, 1, 2, 3, 0 }, true, 3 },
	{ { 0xe5, 0, 0, 4, 0 }, true, 4 },
	{ { 0x85, 0, 1, 0, 6 }, false, 0 },
	{ { 0x8d, 1, 0, 0, 0 }, false, 0 },
	{ { 0x95, 0, 0, 0, 0 }, false, 0 },
	{ { 0x0d, 0, 0, 1, 1 }, false, 0 },
	{ { 0xed, 0, 0, 1, 1 }, false, 0 },
	{ { 0xe6, 0, 0, 1, 1 }, false, 0 },
	{ { 0xf5, 0, 0, 1, 1 }, false, 0 },
	{ { 0x86, 0, 0, 1, 1 }, false, 0 },
	{ { 0x96, 0, 0, 1, 1 }, false, 0 },
	{ { 0x07, 0, 0, 1, 1 }, false, 0 },
	{ { 0x61, 0, 0, 1, 1 }, false, 0 },
	{ { 0x18, 0, 0, 1, 1 }, false, 0 },
};

START_TEST(test_jump)
{
	int32_t delta = 0x1234;

	ck_assert_int_eq(bpfinsn_jump(&jumps[_i].insn, &delta), jumps[_i].jumps);
	ck_assert_int_eq(delta, jumps[_i].jumps ? jumps[_i].delta : 0x1234);
}
END_TEST

#define LDDW { 0x18, 1, 0, 0, 5 }, { 0, 0, 0, 0, 6 }
#define EXIT { 0x95, 0, 0, 0, 0 }
#define GOTO(delta) { 0x05, 0, 0, delta, 0 }
#define GOTOL(delta) { 0x06, 0, 0, 0, delta }

static const struct {
	struct bpfinsn insn[4];
	uint32_t count;
	const char *what;	/* NULL where nothing is wrong */
	uint32_t at;
	uint8_t starts;		/* where nothing is wrong */
} programs[] = {
	{ { EXIT }, 0, NULL, 0, 0 },
	{ { EXIT }, 1, NULL, 0, 0x1 },
	{ { LDDW }, 2, NULL, 0, 0x1 },
	{ { EXIT, LDDW, EXIT }, 4, NULL, 0, 0xb },
	{ { LDDW, GOTO(-3), EXIT }, 4, NULL, 0, 0xd },
	{ { GOTO(2), LDDW, EXIT }, 4, NULL, 0, 0xb },
	{ { GOTO(0), LDDW, GOTOL(-4) }, 4, NULL, 0, 0xb },
	{ { GOTO(-1) }, 1, NULL, 0, 0x1 },
	{ { EXIT, { 0x8f, 0, 0, 0, 0 } }, 2, "undefined instruction code", 1, 0 },
	{ { EXIT, EXIT, { 0x95, 0, 0, 0, 1 } }, 3, "reserved imm is not 0", 2, 0 },
	{ { LDDW }, 1, "lddw without its second slot", 0, 0 },
	{ { EXIT, LDDW }, 2, "lddw without its second slot", 1, 0 },
	{ { LDDW, LDDW }, 3, "lddw without its second slot", 2, 0 },
	{ { { 0x18, 1, 0, 0, 0 }, EXIT }, 2, "second slot of lddw has more than imm", 1, 0 },
	{ { { 0x18, 1, 0, 0, 0 }, { 0, 1, 0, 0, 0 } }, 2, "second slot of lddw has more than imm", 1, 0 },
	{ { { 0x18, 1, 0, 0, 0 }, { 0, 0, 1, 0, 0 } }, 2, "second slot of lddw has more than imm", 1, 0 },
	{ { { 0x18, 1, 0, 0, 0 }, { 0, 0, 0, -1, 0 } }, 2, "second slot of lddw has more than imm", 1, 0 },
	{ { { 0, 0, 0, 0, 6 }, EXIT }, 2, "undefined instruction code", 0, 0 },
	{ { GOTO(1), LDDW, EXIT }, 4, "jump into the middle of lddw", 0, 0 },
	{ { EXIT, LDDW, GOTO(-2) }, 4, "jump into the middle of lddw", 3, 0 },
	{ { GOTO(3), EXIT, EXIT, EXIT }, 4, "jump out of the section", 0, 0 },
	{ { GOTO(2), EXIT, EXIT, EXIT }, 4, NULL, 0, 0xf },
	{ { EXIT, GOTO(-3) }, 2, "jump out of the section", 1, 0 },
	{ { EXIT, GOTO(-2) }, 2, NULL, 0, 0x3 },
	{ { EXIT, GOTO(INT16_MAX) }, 2, "jump out of the section", 1, 0 },
	{ { EXIT, GOTO(INT16_MIN) }, 2, "jump out of the section", 1, 0 },
	{ { EXIT, GOTOL(INT32_MAX) }, 2, "jump out of the section", 1, 0 },
	{ { EXIT, GOTOL(INT32_MIN) }, 2, "jump out of the section", 1, 0 },
	{ { EXIT, GOTOL(-1), { 0xe5, 0, 0, 1, 0 } }, 3, "jump out of the section", 2, 0 },
	{ { EXIT, { 0x15, 1, 0, 1, 0 } }, 2, "jump out of the section", 1, 0 },
	{ { EXIT, { 0xde, 1, 2, 1, 0 } }, 2, "jump out of the section", 1, 0 },
	/* A call's imm is for a relocation to fill: no jump. */
	{ { { 0x85, 0, 1, 0, 1000 }, EXIT }, 2, NULL, 0, 0x3 },
};

static void expect_program(size_t which, bool big)
{
	uint32_t count = programs[which].count, at = UINT32_MAX;
	/* Of the exact sizes, so that the sanitizer sees any access beyond. */
	uint8_t *raw = malloc(count ? count * BPFINSN_SIZE : 1);
	uint8_t *starts = malloc((count + 7) / 8 + 1);
	const char *what;

	ck_assert(raw && starts);
	memset(starts, 0xff, (count + 7) / 8 + 1);
	for (uint32_t i = 0; i < count; i++)
		bpfinsn_encode(raw + i * BPFINSN_SIZE, big, &programs[which].insn[i]);
	what = bpfinsn_check_all(raw, count, big, starts, &at);
	if (programs[which].what) {
		ck_assert_ptr_nonnull(what);
		ck_assert_str_eq(what, programs[which].what);
		ck_assert_uint_eq(at, programs[which].at);
	} else {
		ck_assert_msg(!what, "%s at %u", what, at);
		for (uint32_t i = 0; i < count; i++)
			ck_assert_int_eq(bpfinsn_starts(starts, i), programs[which].starts >> i & 1);
	}
	ck_assert_uint_eq(starts[(count + 7) / 8], 0xff);
	free(starts);
	free(raw);
}

START_TEST(test_check_all)
{
	expect_program((size_t)_i, false);
	expect_program((size_t)_i, true);
}
END_TEST

/* Bits beyond the first byte of starts, and jumps as long as they get in a section of 70000 slots. */
START_TEST(test_check_all_large)
{
	enum { SLOTS = 70000 };
	uint8_t *raw = calloc(SLOTS, BPFINSN_SIZE), *starts = malloc((SLOTS + 7) / 8);
	uint32_t at = 0;

	ck_assert(raw && starts);
	for (uint32_t i = 0; i < SLOTS; i++)
		raw[i * BPFINSN_SIZE] = 0x95;
	bpfinsn_encode(raw, false, &(struct bpfinsn) GOTOL(SLOTS - 2));
	bpfinsn_encode(raw + 8, false, &(struct bpfinsn) GOTO(INT16_MAX));
	bpfinsn_encode(raw + (SLOTS - 1) * 8, false, &(struct bpfinsn) GOTOL(-SLOTS));
	raw[1001 * 8] = 0x18;
	raw[1002 * 8] = 0;
	ck_assert_ptr_null(bpfinsn_check_all(raw, SLOTS, false, starts, &at));
	for (uint32_t i = 0; i < SLOTS; i++)
		ck_assert_int_eq(bpfinsn_starts(starts, i), i != 1002);

	bpfinsn_encode(raw + 20000 * 8, false, &(struct bpfinsn) GOTO(1002 - 20001));
	ck_assert_str_eq(bpfinsn_check_all(raw, SLOTS, false, starts, &at), "jump into the middle of lddw");
	ck_assert_uint_eq(at, 20000);
	free(starts);
	free(raw);
}
END_TEST

static const struct {
	struct bpfinsn insn[2];
	const char *text;
} texts[] = {
	{ { { 0x07, 1, 0, 0, -1 } }, "r1 += -1" },
	{ { { 0xcc, 10, 9, 0, 0 } }, "w10 s>>= w9" },
	{ { { 0x37, 2, 0, 1, INT32_MIN } }, "r2 s/= -2147483648" },
	{ { { 0x9c, 2, 3, 1, 0 } }, "w2 s%= w3" },
	{ { { 0xbc, 2, 3, 0, 0 } }, "w2 = w3" },
	{ { { 0xbc, 2, 3, 8, 0 } }, "w2 = (s8)w3" },
	{ { { 0xbf, 2, 3, 32, 0 } }, "r2 = (s32)r3" },
	{ { { 0xbf, 2, 3, 1, 0x10000 } }, "r2 = addr_space_cast(r3, 1, 0)" },
	{ { { 0x84, 4, 0, 0, 0 } }, "w4 = -w4" },
	{ { { 0xd4, 4, 0, 0, 16 } }, "r4 = le16 r4" },
	{ { { 0xdc, 4, 0, 0, 32 } }, "r4 = be32 r4" },
	{ { { 0xd7, 4, 0, 0, 64 } }, "r4 = bswap64 r4" },
	{ { { 0x16, 1, 0, 2, 7 } }, "if w1 == 7 goto +2" },
	{ { { 0xdd, 1, 2, -32768, 0 } }, "if r1 s<= r2 goto -32768" },
	{ { { 0x05, 0, 0, 0, 0 } }, "goto +0" },
	{ { { 0x06, 0, 0, 0, INT32_MIN } }, "gotol -2147483648" },
	{ { { 0xe5, 0, 0, -1, 0 } }, "may_goto -1" },
	{ { { 0x85, 0, 1, 0, -1 } }, "call -1" },
	{ { { 0x8d, 5, 0, 0, 0 } }, "callx r5" },
	{ { { 0x95, 0, 0, 0, 0 } }, "exit" },
	{ { { 0x30, 0, 0, 0, -7 } }, "r0 = *(u8 *)skb[-7]" },
	{ { { 0x48, 0, 6, 0, 0 } }, "r0 = *(u16 *)skb[r6]" },
	{ { { 0x61, 1, 2, -4, 0 } }, "w1 = *(u32 *)(r2 - 4)" },
	{ { { 0x81, 1, 2, 4, 0 } }, "r1 = *(s32 *)(r2 + 4)" },
	{ { { 0x72, 1, 0, 0, 255 } }, "*(u8 *)(r1 + 0) = 255" },
	{ { { 0x7b, 10, 3, -8, 0 } }, "*(u64 *)(r10 - 8) = r3" },
	{ { { 0xc3, 1, 2, 0, 0x50 } }, "lock *(u32 *)(r1 + 0) &= w2" },
	{ { { 0xdb, 1, 2, 0, 0xa1 } }, "r2 = atomic_fetch_xor((u64 *)(r1 + 0), r2)" },
	{ { { 0xc3, 1, 2, 0, 0xe1 } }, "w2 = xchg32_32(r1 + 0, w2)" },
	{ { { 0xdb, 1, 2, 0, 0xe1 } }, "r2 = xchg_64(r1 + 0, r2)" },
	{ { { 0xc3, 1, 2, 0, 0xf1 } }, "w0 = cmpxchg32_32(r1 + 0, w0, w2)" },
	{ { { 0xdb, 1, 2, 0, 0xf1 } }, "r0 = cmpxchg_64(r1 + 0, r0, r2)" },
	{ { { 0x18, 10, 0, 0, 0 }, { 0, 0, 0, 0, INT32_MIN } }, "r10 = -9223372036854775808 ll" },
	{ { { 0x18, 1, 2, 0, -1 }, { 0, 0, 0, 0, 3 } }, "ld_pseudo\tr1, 2, 4294967295" },
	{ { { 0xd3, 0, 10, -32768, 0x100 } }, "w0 = load_acquire((u8 *)(r10 - 32768))" },
	{ { { 0xcb, 1, 2, 0, 0x100 } }, "w1 = load_acquire((u16 *)(r2 + 0))" },
	{ { { 0xc3, 1, 2, 8, 0x100 } }, "w1 = load_acquire((u32 *)(r2 + 8))" },
	{ { { 0xdb, 1, 2, 8, 0x100 } }, "r1 = load_acquire((u64 *)(r2 + 8))" },
	{ { { 0xd3, 1, 2, 32767, 0x110 } }, "store_release((u8 *)(r1 + 32767), w2)" },
	{ { { 0xcb, 1, 2, 0, 0x110 } }, "store_release((u16 *)(r1 + 0), w2)" },
	{ { { 0xc3, 1, 2, 0, 0x110 } }, "store_release((u32 *)(r1 + 0), w2)" },
	{ { { 0xdb, 1, 2, 0, 0x110 } }, "store_release((u64 *)(r1 + 0), r2)" },
	{ { { 0x00, 0, 0, 0, 0 } }, "<unknown>" },
	{ { { 0x07, 11, 0, 0, 0 } }, "<unknown>" },
	{ { { 0x07, 1, 0, 1, 0 } }, "<unknown>" },
	{ { { 0xdb, 1, 2, 0, 0xe0 } }, "<unknown>" },
};

START_TEST(test_text)
{
	char buf[120];

	ck_assert_uint_eq(bpfinsn_text(buf, sizeof(buf), texts[_i].insn), strlen(texts[_i].text));
	ck_assert_str_eq(buf, texts[_i].text);
}
END_TEST

/* Every size of buffer from none to more than enough: a prefix, its NUL, and not a byte beyond. */
START_TEST(test_text_sizes)
{
	const char *text = texts[_i].text;
	size_t len = strlen(text);
	char buf[128];

	ck_assert_uint_eq(bpfinsn_text(NULL, 0, texts[_i].insn), len);
	for (size_t size = 0; size <= len + 2; size++) {
		size_t kept = size > len ? len : size ? size - 1 : 0;

		memset(buf, '~', sizeof(buf));
		ck_assert_uint_eq(bpfinsn_text(buf, size, texts[_i].insn), len);
		ck_assert_mem_eq(buf, text, kept);
		ck_assert_int_eq(buf[kept], size ? '\0' : '~');
		ck_assert_int_eq(buf[kept + 1], '~');
	}
}
END_TEST

START_TEST(test_longest_text)
{
	struct bpfinsn insn[2] = { { 0 }, { .imm = INT32_MIN } };
	size_t longest = 0, len;

	for (unsigned int code = 0; code < 256; code++) {
		for (size_t i = 0; i < COUNT(offs) * COUNT(imms) * 2; i++) {
			insn->code = (uint8_t)code;
			insn->dst = code == 0x85 || code == 0x95 ? 0 : 10;
			insn->src = i % 2 ? 10 : 0;
			insn->off = (int16_t)offs[i / 2 % COUNT(offs)];
			insn->imm = imms[i / 2 / COUNT(offs)];
			len = bpfinsn_text(NULL, 0, insn);
			longest = len > longest ? len : longest;
		}
	}
	ck_assert_uint_eq(longest, strlen("w10 = atomic_fetch_add((u32 *)(r10 - 32768), w10)"));
	ck_assert_uint_lt(longest, 120);
}
END_TEST

Suite *suite_bpfinsn(void)
{
	Suite *suite = suite_create("bpfinsn");
	TCase *tcase = tcase_create("bpfinsn");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, test_golden_bytes, 0, COUNT(golden));
	tcase_add_loop_test(tcase, test_round_trip, 0, 2);
	tcase_add_loop_test(tcase, test_check_every_code, 0, 256);
	tcase_add_loop_test(tcase, test_check_fault, 0, COUNT(faults));
	tcase_add_loop_test(tcase, test_jump, 0, COUNT(jumps));
	tcase_add_loop_test(tcase, test_check_all, 0, COUNT(programs));
	tcase_add_test(tcase, test_check_all_large);
	tcase_add_loop_test(tcase, test_text, 0, COUNT(texts));
	tcase_add_loop_test(tcase, test_text_sizes, 0, COUNT(texts));
	tcase_add_test(tcase, test_longest_text);
	suite_add_tcase(suite, tcase);
	return suite;
}
