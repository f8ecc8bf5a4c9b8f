// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finding what was made of a constant, see derive.h.
 *
 * The tests go from the certain to the doubtful, and the first that fits wins:
 *
 *   the constant itself            imm_match
 *   its sign extension             compilers write 0xBEE5 of 16 bits as -0x411b
 *   a lane of a wider immediate    adjacent stores, merged
 *   ±1 in an ordered compare       the direction must be the one that folds
 *   byte swap, negation, complement
 *   pieces, multiples, neighbours  doubtful
 *
 * A constant that is its own byte swap or negation does not tell the one use
 * from the other, so its exact sites are doubtful, too.
 *
 * Doubt is cheap for the user (an error names the instruction) and silence is
 * not, so the doubtful tests are wide; but small numbers are in every program
 * and say little: below TELLING nothing, below COMMON only that they are a
 * whole byte of the constant.
 */
#include "bpfinsn/derive.h"

#include "include/bytes.h"

enum { TELLING = 0x10, COMMON = 0x80 };

static uint64_t ones(unsigned int bits)
{
	return bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

const char *derive_text(enum derive_fn fn)
{
	static const char *const texts[] = {
		[DERIVE_MINUS1] = "C - 1", [DERIVE_PLUS1] = "C + 1", [DERIVE_NEG32] = "-C", [DERIVE_NEG64] = "-C",
		[DERIVE_NOT32] = "~C", [DERIVE_NOT64] = "~C", [DERIVE_BSWAP16] = "bswap16(C)",
		[DERIVE_BSWAP32] = "bswap32(C)", [DERIVE_BSWAP64] = "bswap64(C)", [DERIVE_SEXT16] = "(s16)C",
		[DERIVE_SEXT8] = "(s8)C", [DERIVE_SEXT32] = "(s32)C",
	};

	return texts[fn];
}

static uint64_t apply(enum derive_fn fn, uint64_t c)
{
	switch (fn) {
	case DERIVE_MINUS1:
		return c - 1;
	case DERIVE_PLUS1:
		return c + 1;
	case DERIVE_NEG32:
		return (uint32_t)-c;
	case DERIVE_NEG64:
		return -c;
	case DERIVE_NOT32:
		return (uint32_t)~c;
	case DERIVE_NOT64:
		return ~c;
	case DERIVE_BSWAP16:
		return __builtin_bswap16((uint16_t)c);
	case DERIVE_BSWAP32:
		return __builtin_bswap32((uint32_t)c);
	case DERIVE_BSWAP64:
		return __builtin_bswap64(c);
	case DERIVE_SEXT32:
		return (uint64_t)(int64_t)(int32_t)c;
	case DERIVE_SEXT16:
		return (uint64_t)(int64_t)(int16_t)c;
	case DERIVE_SEXT8:
		return (uint64_t)(int64_t)(int8_t)c;
	default:
		return c;
	}
}

static enum derive_fn bswap_of(unsigned int bits)
{
	return bits == 64 ? DERIVE_BSWAP64 : bits == 32 ? DERIVE_BSWAP32 : DERIVE_BSWAP16;
}

/* Bits of the number that a form means. */
static unsigned int form_bits(enum imm_form form)
{
	switch (form) {
	case IMM_LDDW:
	case IMM_SEXT32:
		return 64;
	case IMM_LOW16:
		return 16;
	case IMM_LOW8:
		return 8;
	default:
		return 32;
	}
}

static bool is_jump(const struct bpfinsn *insn)
{
	uint8_t class = bpfinsn_class(insn->code);

	return class == BPF_CLASS_JMP || class == BPF_CLASS_JMP32;
}

static bool is_ordered(const struct bpfinsn *insn)
{
	uint8_t op = bpfinsn_op(insn->code);

	return is_jump(insn) && op != BPF_OP_JEQ && op != BPF_OP_JNE && op != BPF_OP_JSET;
}

/* `x >= C` is `x > C-1`, and `x < C` is `x <= C-1`. */
static bool folds_down(const struct bpfinsn *insn)
{
	uint8_t op = bpfinsn_op(insn->code);

	return is_jump(insn) && (op == BPF_OP_JGT || op == BPF_OP_JLE || op == BPF_OP_JSGT || op == BPF_OP_JSLE);
}

/* `x <= C` is `x < C+1`, and `x > C` is `x >= C+1`. */
static bool folds_up(const struct bpfinsn *insn)
{
	uint8_t op = bpfinsn_op(insn->code);

	return is_jump(insn) && (op == BPF_OP_JLT || op == BPF_OP_JGE || op == BPF_OP_JSLT || op == BPF_OP_JSGE);
}

/* ------------------------------------------------------------- certain */

/* Whether number, as the form means it, is the meaning m; a 32-bit number may be sign-extended. */
static bool means(enum imm_form form, uint64_t m, uint64_t number, unsigned int bits, enum imm_form *as)
{
	uint64_t mask = ones(form_bits(form));

	*as = form;
	if ((number & mask) == m && (number & mask) == number)
		return true;
	if (form == IMM_SEXT32 && bits == 32 && (uint32_t)m == number && number >> 31) {
		*as = IMM_SEXT32_OF_U32;
		return true;
	}
	return false;
}

static enum derive_fn sext_of(unsigned int bits)
{
	return bits == 32 ? DERIVE_SEXT32 : bits == 16 ? DERIVE_SEXT16 : bits == 8 ? DERIVE_SEXT8 : DERIVE_SAME;
}

static bool find_sext(const struct imm_constant *c, enum imm_form form, uint64_t m, struct derived *out)
{
	enum derive_fn fn = sext_of(c->bits);

	if (c->is_signed || c->bits >= form_bits(form) || !(c->value >> (c->bits - 1) & 1) || form_bits(form) < 32)
		return false;
	*out = (struct derived){ .form = form, .fn = fn };
	return (apply(fn, c->value) & ones(form_bits(form))) == m;
}

/* A 16-bit constant or its byte swap in 32 or 64 bits, a 32-bit one in 64, at any byte. */
static bool find_lane(const struct imm_constant *c, enum imm_form form, uint64_t m, struct derived *out)
{
	unsigned int bits = form == IMM_LDDW ? 64 : 32;
	const enum derive_fn fns[] = { DERIVE_SAME, bswap_of(c->bits) };
	unsigned int found = 0;

	if (c->bits < 16 || c->bits >= bits || form == IMM_LOW16 || form == IMM_LOW8)
		return false;
	for (int i = 0; i < 2; i++) {
		uint64_t number = apply(fns[i], c->value) & ones(c->bits);

		for (unsigned int shift = 0; shift + c->bits <= bits; shift += 8) {
			uint64_t lane = ones(c->bits) << shift;

			if (!number || (m & lane) != number << shift || (!shift && !(m & ones(bits) & ~lane)))
				continue;
			*out = (struct derived){ .form = form, .fn = fns[i], .shift = (uint8_t)shift,
						 .width = c->bits };
			found++;
		}
	}
	if (found > 1)
		out->doubt = "it more than once, merged";
	else if (found && (uint32_t)m == (uint32_t)~c->value)
		out->doubt = "its byte swap, or its complement, which looks the same";
	return found;
}

/* Byte swap, negation and complement, but for ordered compares, where these fold in more than one way. */
static bool find_function(const struct bpfinsn *insn, const struct imm_constant *c, enum imm_form form, uint64_t m,
			  struct derived *out)
{
	static const enum derive_fn wide[] = { DERIVE_NEG64, DERIVE_NOT64 };
	static const enum derive_fn narrow[] = { DERIVE_NEG32, DERIVE_NOT32 };
	const enum derive_fn swap = bswap_of(c->bits);
	enum imm_form as;

	*out = (struct derived){ .form = form };
	if (c->bits >= 16 && means(form, m, apply(swap, c->value) & ones(c->bits), c->bits, &as)) {
		out->fn = swap;
		out->form = as;
		return true;
	}
	for (int i = 0; i < 2; i++) {
		if (form_bits(form) == 64 && m == apply(wide[i], c->value))
			out->fn = wide[i];
		else if (form_bits(form) >= 32 && c->bits <= 32 &&
			 means(form, m, apply(narrow[i], c->value), 32, &as)) {
			out->fn = narrow[i];
			out->form = as;
		} else {
			continue;
		}
		if (is_ordered(insn))
			out->doubt = "its negation or complement, in an ordered compare";
		return true;
	}
	return false;
}

static bool find_neighbour(const struct bpfinsn *insn, const struct imm_constant *c, enum imm_form form, uint64_t m,
			   struct derived *out)
{
	enum imm_form as;

	if (folds_down(insn) && means(form, m, (c->value - 1) & ones(form_bits(form)), c->bits, &as)) {
		*out = (struct derived){ .form = as, .fn = DERIVE_MINUS1 };
		return true;
	}
	if (folds_up(insn) && means(form, m, (c->value + 1) & ones(form_bits(form)), c->bits, &as)) {
		*out = (struct derived){ .form = as, .fn = DERIVE_PLUS1 };
		return true;
	}
	return false;
}

/* ------------------------------------------------------------- doubtful */

/* Every byte of m is zero or that of c in the same place. */
static bool is_byte_subset(uint64_t m, uint64_t c)
{
	for (int shift = 0; shift < 64; shift += 8)
		if ((m >> shift & 0xff) && (m >> shift & 0xff) != (c >> shift & 0xff))
			return false;
	return true;
}

/* A byte of c, or more bytes. */
static bool is_bytes(uint64_t m, uint64_t c, unsigned int bits)
{
	for (unsigned int k = 0; k < bits; k += 8)
		for (unsigned int n = 8; k + n <= bits; n += 8)
			if (m == (c >> k & ones(n)) && n < bits)
				return true;
	return false;
}

/* A run of at least 8 bits of c at a byte, or 12 anywhere, in place or moved down; or c moved up. */
static bool is_shifted(uint64_t m, uint64_t c, unsigned int bits, uint64_t mask)
{
	for (unsigned int k = 0; k < bits; k++) {
		uint64_t down = c >> k, arithmetic = (uint64_t)((int64_t)(c << (64 - bits)) >> (64 - bits + k));

		if ((k + 16 <= bits && m == (arithmetic & mask)) || (k + 8 <= bits && m == (c << k & mask)))
			return true;
		for (unsigned int n = k % 8 ? 12 : 8; k + n <= bits; n++)
			if (m == (down & ones(n)) || m == (down & ones(n)) << k)
				return true;
	}
	return false;
}

static bool is_multiple(uint64_t m, uint64_t c, uint64_t mask)
{
	for (uint64_t k = 2; k <= 16; k++)
		if (m == (c * k & mask) || m == c / k)
			return true;
	return false;
}

/* The end of a wider immediate holds the beginning of c, or the reverse. */
static bool is_split(uint64_t m, uint64_t c, unsigned int bits, unsigned int width)
{
	for (unsigned int n = 8; n < bits && n < width; n += 8) {
		uint64_t top = m >> (width - n), low = c & ones(n);

		if (low >= 0x80 && top == low)
			return true;
		if (c >> (bits - n) >= 0x80 && (m & ones(n)) == c >> (bits - n) && m >> n)
			return true;
	}
	return false;
}

static bool is_near(uint64_t m, uint64_t c, unsigned int bits, uint64_t mask)
{
	uint64_t reach = bits >= 32 ? 4096 : bits == 16 ? 32 : 16;

	/* a number narrower than c is a part of it at most */
	return mask >= ones(bits) && (((m - c) & mask) <= reach || ((c - m) & mask) <= reach);
}

static bool has_byte(uint64_t m, uint64_t byte)
{
	for (; m > 0xff; m >>= 8)
		if ((m & 0xff) == byte)
			return true;
	return m == byte;
}

/* A byte at a higher place, alone. */
static bool is_moved_up(uint64_t m, uint64_t byte)
{
	return m == byte << 8 || m == byte << 16 || m == byte << 24;
}

/* pieces: number is the constant or its byte swap, whose bytes may stand beside others. */
static const char *doubt_of(uint64_t number, bool pieces, const struct imm_constant *c, enum imm_form form,
			    uint64_t m)
{
	unsigned int width = form_bits(form);
	uint64_t mask = ones(width);

	if ((c->value & ones(c->bits)) >= TELLING && is_near(m, number, c->bits, mask))
		return "a number near it";
	if (m >= COMMON && is_multiple(m, number, mask))
		return "a multiple or a fraction of it";
	if (m < TELLING || c->bits < 16)
		return NULL;
	if (is_bytes(m, number, c->bits))
		return "a part of it";
	if (m < COMMON)
		return NULL;
	if (is_byte_subset(m, number) || is_shifted(m, number, c->bits, mask))
		return "a part of it, masked or shifted";
	if (pieces && form != IMM_LOW16 && form != IMM_LOW8 &&
	    (is_split(m, number, c->bits, width) || (m <= UINT32_MAX && is_split(m, number, c->bits, 32))))
		return "a part of it, merged with something else";
	return NULL;
}

/* An immediate that is a byte as such: compared for equality, or stored. */
static bool is_byte_use(const struct bpfinsn *insn, enum imm_form form)
{
	uint8_t op = bpfinsn_op(insn->code);

	return form == IMM_LOW8 || (is_jump(insn) && (op == BPF_OP_JEQ || op == BPF_OP_JNE));
}

/* `x >= C && x <= C + 3` is `(x & ~3) == C` where C ends in zeros. */
static bool is_end_mask(const struct bpfinsn *insn, uint64_t m, uint64_t c)
{
	bool masks = insn->code == BPF_CODE_LDDW || bpfinsn_op(insn->code) == BPF_OP_AND;

	for (int bits = 1; masks && bits < 16 && !(c & ones((unsigned int)bits)); bits++)
		if (m == ~ones((unsigned int)bits) || m == (uint32_t)~ones((unsigned int)bits))
			return true;
	return false;
}

static bool find_doubtful(const struct bpfinsn *insn, const struct imm_constant *c, enum imm_form form, uint64_t m,
			  struct derived *out)
{
	const enum derive_fn fns[] = { DERIVE_SAME, bswap_of(c->bits), DERIVE_NEG64, DERIVE_NEG32, DERIVE_NOT32,
				       DERIVE_MINUS1, DERIVE_PLUS1, sext_of(c->bits) };
	uint64_t value = c->value & ones(c->bits);
	bool extended = form == IMM_SEXT32 && m >> 31 == ones(33);

	*out = (struct derived){ .form = form };
	for (size_t i = 0; i < sizeof(fns) / sizeof(fns[0]) && !out->doubt; i++) {
		if (c->bits == 8 && i == 1)
			continue;
		out->doubt = doubt_of(apply(fns[i], value), i < 2, c, form, m);
		if (!out->doubt && extended)
			out->doubt = doubt_of(apply(fns[i], value), i < 2, c, IMM_ZEXT32, (uint32_t)m);
	}
	if (!out->doubt && c->bits >= 16 && is_end_mask(insn, m, value))
		out->doubt = "a mask for the zeros at its end";
	if (!out->doubt && c->bits >= 16 && m >= 2 && is_byte_use(insn, form) && is_bytes(m, value, c->bits))
		out->doubt = "a byte of it";
	if (!out->doubt && c->bits == 8 && m > 0xff &&
	    (has_byte(m & ones(form_bits(form)), value) || is_moved_up(m, value - 1) || is_moved_up(m, value + 1)))
		out->doubt = "one byte of a wider number";
	return out->doubt;
}

static bool find(const struct bpfinsn *insn, const struct imm_constant *c, struct derived *out)
{
	enum imm_form exact = imm_match(insn, c), form;
	uint64_t m, value = c->value & ones(c->bits);

	if (exact != IMM_NONE) {
		*out = (struct derived){ .form = exact };
		if (c->bits >= 16 && apply(bswap_of(c->bits), value) == value)
			out->doubt = "the constant, or its byte swap, which is the same";
		else if ((-value & ones(c->bits)) == value)
			out->doubt = "the constant, or its negation, which is the same";
		return true;
	}
	form = imm_meaning(insn, &m);
	if (form == IMM_NONE)
		return false;
	return find_sext(c, form, m, out) || find_lane(c, form, m, out) || find_neighbour(insn, c, form, m, out) ||
		find_function(insn, c, form, m, out) || find_doubtful(insn, c, form, m, out);
}

bool derive_find(const struct bpfinsn *insn, const struct imm_constant *c, struct derived *out)
{
	if (!find(insn, c, out))
		return false;
	out->by_sign = is_ordered(insn);
	out->bits = c->bits;
	out->top = c->value >> (c->bits - 1) & 1;
	return true;
}

/*
 * Whether an ordered compare of so many bits, signed or not, would turn around:
 * `x >= 0` is always true, but `x > -1` never is.
 */
static bool turns_around(enum derive_fn fn, uint64_t value, unsigned int bits)
{
	uint64_t low = (uint64_t)1 << (bits - 1);

	value &= ones(bits);
	return (fn == DERIVE_MINUS1 && (value == 0 || value == low)) ||
	       (fn == DERIVE_PLUS1 && (value == ones(bits) || value == low - 1));
}

/*
 * A subtraction often is half of a range check, `x >= C && x <= C + k` as one
 * compare, which says something else where C + k wraps.
 */
static bool wraps(const struct derived *d, uint64_t value)
{
	return (d->fn == DERIVE_NEG32 || d->fn == DERIVE_NEG64) && d->bits >= 16 &&
		(value & ones(d->bits)) > ones(d->bits) - (d->bits == 16 ? 32 : 4096);
}

bool derive_meaning(const struct derived *d, uint64_t old, uint64_t value, uint64_t *meaning)
{
	if (turns_around(d->fn, value, 32) || turns_around(d->fn, value, 64))
		return false;
	if (wraps(d, value))
		return false;
	if (d->by_sign && (value >> (d->bits - 1) & 1) != d->top)
		return false;
	value = apply(d->fn, value);
	if (d->width) {
		uint64_t lane = ones(d->width) << d->shift;

		value = (old & ~lane) | (value << d->shift & lane);
		if (d->form == IMM_SEXT32)
			value = (uint64_t)(int64_t)(int32_t)value;
	} else if (d->form == IMM_ZEXT32) {
		value &= UINT32_MAX;
	}
	*meaning = value;
	return imm_holds(d->form, value);
}

size_t derive_in_data(const uint8_t *p, size_t size, size_t at, const struct imm_constant *c)
{
	size_t len = c->bits / 8;
	uint8_t little[8], big[8];

	for (size_t i = 0; i < len; i++)
		little[i] = big[len - 1 - i] = (uint8_t)(c->value >> (8 * i));
	for (; len <= size && at <= size - len; at++)
		if ((p[at] == little[0] && !memcmp(p + at, little, len)) ||
		    (p[at] == big[0] && !memcmp(p + at, big, len)))
			return at;
	return size;
}
