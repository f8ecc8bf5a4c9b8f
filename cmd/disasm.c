// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfstamp disasm: the functions of an object as llvm-objdump shows them.  An
 * instruction that stamping changes is marked with '>', and both its texts are
 * shown.
 */
#include <string.h>

#include "cmd/output.h"
#include "cmd/values.h"

static void print_insn(const struct bpfstamp_insn *insn, uint32_t slot)
{
	output_format(stdout, "%c %6u: %s", insn->changed ? '>' : ' ', slot, insn->changed ? insn->before : insn->text);
	if (insn->changed)
		output_format(stdout, " -> %s", insn->text);
	if (insn->refers)
		output_format(stdout, "  <%s>", insn->refers);
	if (*insn->core)
		output_format(stdout, "  <CO-RE: %s>", insn->core);
	if (insn->changed && insn->site.file)
		output_format(stdout, "  (%s:%u)", insn->site.file, insn->site.line);
	putchar('\n');
}

static json_t *insn_json(const struct bpfstamp_insn *insn, uint32_t slot)
{
	return json_pack("{s:I, s:o, s:b, s:o, s:o, s:o, s:o, s:I}", "insn", (json_int_t)slot,
			 "text", output_text(insn->text), "changed", (int)insn->changed,
			 "before", output_text(insn->changed ? insn->before : NULL),
			 "refers", output_text(insn->refers), "core", output_text(*insn->core ? insn->core : NULL),
			 "file", output_text(insn->site.file),
			 "line", (json_int_t)insn->site.line);
}

static json_t *program(const struct stamped *stamped, uint32_t i, const struct bpfstamp_program *p, bool json)
{
	json_t *insns = json ? json_array() : NULL;
	struct bpfstamp_insn insn;

	if (!json)
		output_format(stdout, "%s <%s>:\n", p->section, p->name);
	for (uint32_t slot = 0; slot < p->insns; slot += insn.slots) {
		bpfstamp_insn_at(stamped->s, i, slot, &insn);
		if (json)
			json_array_append_new(insns, insn_json(&insn, slot));
		else
			print_insn(&insn, slot);
	}
	return json ? json_pack("{s:o, s:o, s:o}", "name", output_text(p->name),
				"section", output_text(p->section), "insns", insns) : NULL;
}

int cmd_disasm(const struct options *o, struct bpfstamp_err *err)
{
	struct stamped stamped;
	uint32_t only = UINT32_MAX;
	json_t *programs;
	int ret = 0;

	if (values_stamp(&stamped, o, err))
		return -1;
	if (o->prog && bpfstamp_find_program(stamped.t, o->prog, 0, &only, err)) {
		values_free(&stamped);
		return -1;
	}
	programs = o->json ? json_array() : NULL;
	for (uint32_t i = 0; i < bpfstamp_program_count(stamped.t); i++) {
		struct bpfstamp_program p;

		bpfstamp_program_at(stamped.t, i, &p);
		if (only == UINT32_MAX || only == i)
			json_array_append_new(programs, program(&stamped, i, &p, o->json));
	}
	if (o->json)
		ret = output_json(json_pack("{s:o, s:o, s:o}", "object", output_text(o->object),
					    "programs", programs,
					    "sites", output_changes(stamped.t, stamped.s)), err);
	values_free(&stamped);
	return ret;
}
