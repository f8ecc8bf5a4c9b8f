// SPDX-License-Identifier: BSD-2-Clause
/*
 * Known reasons of the verifier, and what they usually want.  The patterns are
 * parts of the lines that kernel/bpf/verifier.c of Linux 4.19 to 7.2 writes; a
 * '*' in one stands for anything.  Where the text has changed there is a
 * pattern for each:
 *
 *     a helper that the type may not call   "unknown func" until 6.12
 *     a GPL-only helper                     "proprietary program" until 4.20
 *     a number in a register                'inv' until 5.17, then 'scalar'
 *     NULL that was not tested              "arg0" until 6.19, then "R1"
 *
 * The first pattern that matches counts.  A hint does not repeat what the line
 * itself says well; reasons that explain themselves have none.
 *
 * Calls of impossible helpers are the loader's own (loader/core.h,
 * loader/link.h): they stand where the kernel lacks something.
 */
#define _GNU_SOURCE	/* memmem */
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>

#include "loader/core.h"
#include "loader/err.h"
#include "loader/link.h"
#include "loader/loghint.h"

struct context {
	const char *line;
	size_t len;
	const struct bpfstamp_template *t;
	uint32_t prog_type;
};

#define HELPER_NAME(name) "bpf_" #name

static const char *const helpers[] = { __BPF_FUNC_MAPPER(HELPER_NAME) };

/* Behind the last '#' of a line. */
static uint32_t helper_number(const char *line, size_t len)
{
	const char *hash = memrchr(line, '#', len);
	unsigned long number = hash ? strtoul(hash + 1, NULL, 10) : 0;

	return number <= UINT32_MAX ? (uint32_t)number : 0;
}

static void tell_unknown_helper(const struct context *c, struct bpfstamp_err *err)
{
	uint32_t number = helper_number(c->line, c->len);

	if (number < sizeof(helpers) / sizeof(helpers[0]))
		err_hint(err, " (this kernel is too old for the helper %s)", helpers[number]);
	else
		err_hint(err, " (this kernel is too old for that helper)");
}

static void tell_refused_helper(const struct context *c, struct bpfstamp_err *err)
{
	const char *type = bpfstamp_prog_type_name(c->prog_type);

	err_hint(err, " (this kernel does not let programs of type %s call it, or only with CAP_PERFMON)",
		 type ? type : "unknown");
}

static void tell_licence(const struct context *c, struct bpfstamp_err *err)
{
	err_hint(err, " (the licence of the object is \"%.64s\": one such as \"GPL\" or \"Dual BSD/GPL\" is needed)",
		 c->t->license);
}

static void tell_kfunc(const struct context *c, struct bpfstamp_err *err)
{
	const char *type = bpfstamp_prog_type_name(c->prog_type);

	err_hint(err, " (this kernel does not let programs of type %s call that kernel function)",
		 type ? type : "unknown");
}

#define NULL_HINT "test the pointer for NULL first"
#define BOUNDS_HINT "check the offset and the size of the access against it first"
#define MCPU_HINT "this kernel is too old for that instruction: those of -mcpu=v4 came with Linux 6.6, atomic ones " \
		  "that return something with 5.12, -mcpu=v3 with 5.1"
#define COMPLEX_HINT "bound its loops more tightly, or split it with tail calls or global functions"
#define PRIVILEGE_HINT "needs CAP_PERFMON"

static const struct {
	const char *pattern;
	const char *text;	/* or, where it is NULL: */
	void (*tell)(const struct context *c, struct bpfstamp_err *err);
	bool elsewhere;
} hints[] = {
	{ .pattern = "invalid func unknown#", .tell = tell_unknown_helper },
	{ .pattern = "unknown func bpf_", .tell = tell_refused_helper },
	{ .pattern = "program of this type cannot use helper ", .tell = tell_refused_helper },
	{ .pattern = "cannot call*from non-GPL compatible program", .tell = tell_licence },
	{ .pattern = "GPL only function from proprietary program", .tell = tell_licence },
	{ .pattern = "must have a GPL compatible license", .tell = tell_licence },
	{ .pattern = "calling kernel function * is not allowed", .tell = tell_kfunc },
	{ .pattern = "calling kernel function*without CONFIG_DEBUG_INFO_BTF",
	  "kernel functions are found through the kernel's BTF, which this one has not" },
	{ .pattern = "BPF_CALL uses reserved fields",
	  "this kernel is too old for calls of kernel functions, which came with Linux 5.13" },
	{ .pattern = "invalid access to packet", "compare the end of the access with data_end first" },
	{ .pattern = "invalid access to map value", BOUNDS_HINT },
	{ .pattern = "invalid access to mem", BOUNDS_HINT },
	{ .pattern = "invalid access to key", BOUNDS_HINT },
	{ .pattern = "invalid mem access '*_or_null", NULL_HINT },
	{ .pattern = "pointer arithmetic on *_or_null prohibited", NULL_HINT },
	{ .pattern = " type=*_or_null expected=", NULL_HINT },
	{ .pattern = "NULL pointer passed to", NULL_HINT },
	{ .pattern = "invalid mem access 'scalar'",
	  "to the verifier this is a number, not a pointer; the kernel's memory is read with bpf_probe_read_kernel" },
	{ .pattern = "invalid mem access 'inv'",
	  "to the verifier this is a number, not a pointer; the kernel's memory is read with bpf_probe_read_kernel" },
	{ .pattern = "invalid bpf_context access",
	  "programs of this type have no such field on this kernel, or may not access it like this" },
	{ .pattern = " !read_ok", "on some path it was given no value: a variable is not initialized" },
	{ .pattern = "unrecognized bpf_ld_imm64 insn",
	  "this kernel is too old for what the program takes the address of: data sections came with Linux 5.2 "
	  "(--inline needs none), symbols of the kernel with 5.10, functions with 5.13" },
	{ .pattern = "type PTR in * is not supported yet",
	  "a global function is verified by itself; one that is static, or of hidden visibility, is not" },
	{ .pattern = "unknown opcode", MCPU_HINT },
	{ .pattern = "uses reserved fields", MCPU_HINT },
	{ .pattern = "uses invalid atomic opcode", MCPU_HINT },
	{ .pattern = "unreachable insn", "nothing leads there: often undefined behaviour in the source, such as an "
	  "endless loop", .elsewhere = true },
	{ .pattern = "back-edge from insn",
	  "this kernel takes no loops (Linux 5.3 does, with CAP_BPF): unroll them", .elsewhere = true },
	{ .pattern = "infinite loop detected", "the verifier sees nothing change from one round to the next" },
	{ .pattern = "BPF program is too large", COMPLEX_HINT },
	{ .pattern = "jumps is too complex", COMPLEX_HINT },
	{ .pattern = "too many subprograms", COMPLEX_HINT, .elsewhere = true },
	{ .pattern = "combined stack size of",
	  "the local variables of functions that call each other share 512 bytes",
	  .elsewhere = true },
	{ .pattern = "the call stack of", "functions may call each other 8 deep", .elsewhere = true },
	{ .pattern = "Unreleased reference", "what was acquired must be released on every path" },
	{ .pattern = "leaks addr", PRIVILEGE_HINT },
	{ .pattern = "pointer comparison prohibited", PRIVILEGE_HINT },
	{ .pattern = "function calls to other bpf functions are allowed for", "needs CAP_BPF" },
	{ .pattern = "might sleep in a non-sleepable prog", "its section must be one of those that end in .s" },
	{ .pattern = "program must be sleepable to call", "its section must be one of those that end in .s" },
};

static bool matches(const char *line, size_t len, const char *pattern)
{
	for (;;) {
		size_t part = strcspn(pattern, "*");
		const char *found = memmem(line, len, pattern, part);

		if (!found)
			return false;
		if (!pattern[part])
			return true;
		len -= (size_t)(found - line) + part;
		line = found + part;
		pattern += part + 1;
	}
}

enum loghint loghint_tell(const char *line, size_t len, const struct bpfstamp_template *t, uint32_t prog_type,
			  struct bpfstamp_err *err)
{
	const struct context c = { .line = line, .len = len, .t = t, .prog_type = prog_type };

	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if (!matches(line, len, hints[i].pattern))
			continue;
		if (hints[i].text)
			err_hint(err, " (%s)", hints[i].text);
		else
			hints[i].tell(&c, err);
		return hints[i].elsewhere ? LOGHINT_ELSEWHERE : LOGHINT_TOLD;
	}
	return LOGHINT_NONE;
}

bool loghint_missing(const char *line, size_t len, const struct bpfstamp_template *t, uint32_t code,
		     uint32_t insn, struct bpfstamp_err *err)
{
	uint32_t number = helper_number(line, len), core;
	struct btf_core_relo relo;
	char text[256];

	if (!matches(line, len, "invalid func unknown#"))
		return false;
	if (number >= LINK_MISSING_KFUNC && number - LINK_MISSING_KFUNC < t->extern_count) {
		err_hint(err, ": it calls the kernel function %s, which this kernel does not have: being weak, it "
			 "must be tested before the call", t->externs[number - LINK_MISSING_KFUNC].name);
		return true;
	}
	if (code == NO_INDEX || number != CORE_POISON || (core = object_core_at(t, code, insn)) == NO_INDEX)
		return false;
	btf_ext_core(&t->ext, &t->codes[code].cores, core, &relo);
	core_text(text, sizeof(text), t, &relo);
	err_hint(err, ": it needs the %s, which this kernel does not have", text);
	return true;
}
