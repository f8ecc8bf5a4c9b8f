// SPDX-License-Identifier: BSD-2-Clause
/*
 * The text of a BPF instruction, as llvm-objdump --mcpu=v4 of LLVM 19 and
 * newer writes it (load_acquire and store_release: of LLVM 21).
 *
 * Every form of instruction is a format, in which $ and a letter stand for an
 * operand (put_operand lists the letters); the *_format functions choose the
 * format, and expand writes it out.  A format never looks at the size of the
 * buffer: the writer counts what does not fit.
 *
 * In this notation an operand that is 32 bits wide, or is loaded from or
 * stored to fewer than 64 bits of memory, is named w0 to w10, any other r0 to
 * r10.  Byte swaps and sign-extending loads name r0 to r10 always.  Two losses
 * are llvm-objdump's: ld_pseudo (lddw of a map, a BTF id or a function) shows
 * the lower 32 bits only, and a load from skb[register] hides its imm.
 *
 * Whatever bpfinsn_check refuses is "<unknown>", so that everything below it
 * may rely on registers, operations and sizes being defined.
 */
#include "bpfinsn/bpfinsn.h"

struct writer {
	char *buf;
	size_t size, len;	/* len: of the whole text, which may be more than fits */
};

static void put_char(struct writer *w, char c)
{
	if (w->len + 1 < w->size)
		w->buf[w->len] = c;
	w->len++;
}

static void put_text(struct writer *w, const char *text)
{
	while (*text)
		put_char(w, *text++);
}

static void put_unsigned(struct writer *w, uint64_t value)
{
	char digits[20];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + value % 10);
	while (value /= 10);
	while (n)
		put_char(w, digits[--n]);
}

static void put_signed(struct writer *w, int64_t value)
{
	if (value < 0)
		put_char(w, '-');
	put_unsigned(w, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

static void put_register(struct writer *w, bool wide, uint8_t number)
{
	put_char(w, wide ? 'r' : 'w');
	put_unsigned(w, number);
}

static void put_address(struct writer *w, uint8_t base, int16_t off)
{
	put_register(w, true, base);
	put_text(w, off < 0 ? " - " : " + ");
	put_unsigned(w, (uint64_t)(off < 0 ? -(int32_t)off : off));
}

/* Does insn work on whole 64-bit registers, or on the 64 bits that it loads or stores? */
static bool is_wide(const struct bpfinsn *insn)
{
	switch (bpfinsn_class(insn->code)) {
	case BPF_CLASS_ALU: case BPF_CLASS_JMP32:
		return false;
	case BPF_CLASS_ALU64: case BPF_CLASS_JMP:
		return true;
	}
	return bpfinsn_size(insn->code) == BPF_SIZE_DW;
}

static const char *const alu_operator[16] = {
	[BPF_OP_ADD >> 4] = "+=", [BPF_OP_SUB >> 4] = "-=", [BPF_OP_MUL >> 4] = "*=",
	[BPF_OP_DIV >> 4] = "/=", [BPF_OP_OR >> 4] = "|=", [BPF_OP_AND >> 4] = "&=",
	[BPF_OP_LSH >> 4] = "<<=", [BPF_OP_RSH >> 4] = ">>=", [BPF_OP_MOD >> 4] = "%=",
	[BPF_OP_XOR >> 4] = "^=", [BPF_OP_MOV >> 4] = "=", [BPF_OP_ARSH >> 4] = "s>>=",
};

static const char *const jump_operator[16] = {
	[BPF_OP_JEQ >> 4] = "==", [BPF_OP_JGT >> 4] = ">", [BPF_OP_JGE >> 4] = ">=",
	[BPF_OP_JSET >> 4] = "&", [BPF_OP_JNE >> 4] = "!=", [BPF_OP_JSGT >> 4] = "s>",
	[BPF_OP_JSGE >> 4] = "s>=", [BPF_OP_JLT >> 4] = "<", [BPF_OP_JLE >> 4] = "<=",
	[BPF_OP_JSLT >> 4] = "s<", [BPF_OP_JSLE >> 4] = "s<=",
};

static void put_jump(struct writer *w, const struct bpfinsn *insn)
{
	int32_t delta = 0;

	bpfinsn_jump(insn, &delta);
	if (delta >= 0)
		put_char(w, '+');
	put_signed(w, delta);
}

static void put_operand(struct writer *w, char letter, const struct bpfinsn *insn)
{
	static const char *const bits[4] = { "32", "16", "8", "64" };
	uint32_t low = (uint32_t)insn[0].imm;

	switch (letter) {
	case 'D':	/* a register by its width, or whole */
		return put_register(w, is_wide(insn), insn->dst);
	case 'S':
		return put_register(w, is_wide(insn), insn->src);
	case 'd':
		return put_register(w, true, insn->dst);
	case 's':
		return put_register(w, true, insn->src);
	case 'a':	/* address in dst or in src, and the bits that it points at */
		return put_address(w, insn->dst, insn->off);
	case 'b':
		return put_address(w, insn->src, insn->off);
	case 'z':
		return put_text(w, bits[bpfinsn_size(insn->code) >> 3]);
	case 'i':	/* imm, the parts of it and the whole of two */
		return put_signed(w, insn->imm);
	case 'u':
		return put_unsigned(w, low);
	case 'h':
		return put_unsigned(w, low >> 16);
	case 'l':
		return put_unsigned(w, low & 0xffff);
	case 'v':
		return put_signed(w, (int64_t)((uint64_t)(uint32_t)insn[1].imm << 32 | low));
	case 'f':	/* off, src and the jump target as numbers */
		return put_signed(w, insn->off);
	case 'k':
		return put_unsigned(w, insn->src);
	case 'j':
		return put_jump(w, insn);
	case 'o':	/* operator of ALU, of an atomic and of a conditional jump */
		return put_text(w, alu_operator[insn->code >> 4]);
	case 'm':
		return put_text(w, alu_operator[low >> 4 & 0xf]);
	case 'c':
		return put_text(w, jump_operator[insn->code >> 4]);
	}
}

static void expand(struct writer *w, const char *format, const struct bpfinsn *insn)
{
	for (; *format; format++) {
		if (*format == '$')
			put_operand(w, *++format, insn);
		else
			put_char(w, *format);
	}
}

static const char *alu_format(const struct bpfinsn *insn)
{
	bool reg = insn->code & BPF_SOURCE_X;

	switch (bpfinsn_op(insn->code)) {
	case BPF_OP_NEG:
		return "$D = -$D";
	case BPF_OP_END:
		if (bpfinsn_class(insn->code) == BPF_CLASS_ALU64)
			return "$d = bswap$i $d";
		return reg ? "$d = be$i $d" : "$d = le$i $d";
	case BPF_OP_DIV: case BPF_OP_MOD:
		if (insn->off)
			return reg ? "$D s$o $S" : "$D s$o $i";
		break;
	case BPF_OP_MOV:
		if (insn->off == BPF_MOV_ADDR_SPACE_CAST)
			return "$d = addr_space_cast($s, $h, $l)";
		if (insn->off)
			return "$D = (s$f)$S";
		break;
	}
	return reg ? "$D $o $S" : "$D $o $i";
}

static const char *jmp_format(const struct bpfinsn *insn)
{
	bool reg = insn->code & BPF_SOURCE_X;

	switch (bpfinsn_op(insn->code)) {
	case BPF_OP_JA:
		return is_wide(insn) ? "goto $j" : "gotol $j";
	case BPF_OP_CALL:
		return reg ? "callx $d" : "call $i";
	case BPF_OP_EXIT:
		return "exit";
	case BPF_OP_JCOND:
		return "may_goto $j";
	}
	return reg ? "if $D $c $S goto $j" : "if $D $c $i goto $j";
}

static const char *atomic_format(const struct bpfinsn *insn)
{
	switch (insn->imm) {
	case BPF_OP_ADD | BPF_ATOMIC_FETCH:
		return "$S = atomic_fetch_add((u$z *)($a), $S)";
	case BPF_OP_OR | BPF_ATOMIC_FETCH:
		return "$S = atomic_fetch_or((u$z *)($a), $S)";
	case BPF_OP_AND | BPF_ATOMIC_FETCH:
		return "$S = atomic_fetch_and((u$z *)($a), $S)";
	case BPF_OP_XOR | BPF_ATOMIC_FETCH:
		return "$S = atomic_fetch_xor((u$z *)($a), $S)";
	case BPF_ATOMIC_XCHG:
		return is_wide(insn) ? "$S = xchg_64($a, $S)" : "$S = xchg32_32($a, $S)";
	case BPF_ATOMIC_CMPXCHG:
		return is_wide(insn) ? "r0 = cmpxchg_64($a, r0, $S)" : "w0 = cmpxchg32_32($a, w0, $S)";
	case BPF_ATOMIC_LOAD_ACQ:
		return "$D = load_acquire((u$z *)($b))";
	case BPF_ATOMIC_STORE_REL:
		return "store_release((u$z *)($a), $S)";
	}
	return "lock *(u$z *)($a) $m $S";
}

static const char *memory_format(const struct bpfinsn *insn)
{
	switch (insn->code & ~BPF_SIZE_DW) {
	case BPF_CLASS_LD | BPF_MODE_IMM:
		return insn->src ? "ld_pseudo\t$d, $k, $u" : "$d = $v ll";
	case BPF_CLASS_LD | BPF_MODE_ABS:
		return "r0 = *(u$z *)skb[$i]";
	case BPF_CLASS_LD | BPF_MODE_IND:
		return "r0 = *(u$z *)skb[$s]";
	case BPF_CLASS_LDX | BPF_MODE_MEM:
		return "$D = *(u$z *)($b)";
	case BPF_CLASS_LDX | BPF_MODE_MEMSX:
		return "$d = *(s$z *)($b)";
	case BPF_CLASS_ST | BPF_MODE_MEM:
		return "*(u$z *)($a) = $i";
	case BPF_CLASS_STX | BPF_MODE_MEM:
		return "*(u$z *)($a) = $S";
	}
	return atomic_format(insn);
}

static const char *format_of(const struct bpfinsn *insn)
{
	if (bpfinsn_check(insn))
		return "<unknown>";
	switch (bpfinsn_class(insn->code)) {
	case BPF_CLASS_ALU: case BPF_CLASS_ALU64:
		return alu_format(insn);
	case BPF_CLASS_JMP: case BPF_CLASS_JMP32:
		return jmp_format(insn);
	}
	return memory_format(insn);
}

size_t bpfinsn_text(char *buf, size_t size, const struct bpfinsn *insn)
{
	struct writer w = { .buf = buf, .size = size };

	expand(&w, format_of(insn), insn);
	if (size)
		buf[w.len < size ? w.len : size - 1] = '\0';
	return w.len;
}
