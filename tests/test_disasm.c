// SPDX-License-Identifier: BSD-2-Clause
/*
 * bpfinsn_text against llvm-objdump, line by line: on tests/objects/every_insn.s
 * assembled in both byte orders, and on every object that BPF_OBJECTS names
 * (paths separated by colons or spaces).
 *
 * llvm-objdump is $LLVM_OBJDUMP, else llvm-objdump-19 or llvm-objdump of PATH,
 * llvm-mc likewise, and must be of LLVM 19 or newer; where there is none a line
 * that begins with SKIP says so.  --mcpu=v4 makes LLVM 19 write what newer ones
 * write anyway: without it, LLVM 19 knows no 32-bit atomic operation but +=,
 * and shows atomic_fetch_add as that.
 *
 * A listing is followed from its "Disassembly of section" lines, which come in
 * the order of the executable sections of the object.  Each must begin at slot
 * 0, leave none out and end with the section, so that a line that is not
 * understood cannot pass for one that is equal.
 */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpfinsn/bpfinsn.h"
#include "elf/elf64.h"

Suite *suite_disasm(void);

#define HEADING "Disassembly of section "

struct tool {
	char command[256];
	int version;
};

struct listing {
	const char *path;
	struct elf64 elf;
	struct elf64_section section;
	uint32_t index;		/* of section; 0 before the first */
	uint32_t slot;		/* the next that a line must be about */
	int version;		/* of llvm-objdump */
	bool seen[256];		/* codes that were compared */
};

static int version_of(const char *command)
{
	char line[512];
	FILE *pipe;
	int version = 0;

	snprintf(line, sizeof(line), "'%s' --version 2>/dev/null", command);
	pipe = popen(line, "r");
	if (!pipe)
		return 0;
	while (fgets(line, sizeof(line), pipe)) {
		const char *word = strstr(line, "LLVM version ");

		if (word && !version)
			version = atoi(word + strlen("LLVM version "));
	}
	pclose(pipe);
	return version;
}

/* The tool of that name, of LLVM 19 or newer; otherwise a SKIP line and false. */
static bool find_tool(struct tool *tool, const char *variable, const char *name)
{
	const char *chosen = getenv(variable);

	for (int i = 0; i < (chosen && *chosen ? 1 : 2); i++) {
		if (chosen && *chosen)
			snprintf(tool->command, sizeof(tool->command), "%s", chosen);
		else
			snprintf(tool->command, sizeof(tool->command), i ? "%s" : "%s-19", name);
		tool->version = version_of(tool->command);
		if (tool->version >= 19)
			return true;
	}
	printf("SKIP test_disasm: no %s >= 19\n", name);
	return false;
}

static uint8_t *read_file(const char *path, uint64_t *size)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes;
	long len;

	ck_assert_msg(file && !fseek(file, 0, SEEK_END), "cannot read %s", path);
	len = ftell(file);
	ck_assert_msg(len >= 0, "cannot read %s", path);
	rewind(file);
	*size = (uint64_t)len;
	bytes = malloc(*size + 1);
	ck_assert_ptr_nonnull(bytes);
	ck_assert_msg(fread(bytes, 1, *size, file) == *size, "cannot read %s", path);
	fclose(file);
	return bytes;
}

static void end_section(const struct listing *list)
{
	if (list->index)
		ck_assert_msg((uint64_t)list->slot * BPFINSN_SIZE == list->section.size,
			      "%s: %s: listing ends at slot %u", list->path, list->section.name, list->slot);
}

/* Move to the next section that llvm-objdump -d lists; false after the last. */
static bool next_section(struct listing *list)
{
	end_section(list);
	while (++list->index < list->elf.section_count) {
		elf64_section(&list->elf, list->index, &list->section);
		if (list->section.flags & ELF64_SHF_EXECINSTR && list->section.bytes && list->section.size) {
			list->slot = 0;
			return true;
		}
	}
	return false;
}

/* LLVM 21 is the first that knows load_acquire and store_release; older ones see another operation. */
static bool beyond_objdump(const struct listing *list, const struct bpfinsn *insn)
{
	if (list->version >= 21 || (insn->code & ~BPF_SIZE_DW) != (BPF_CLASS_STX | BPF_MODE_ATOMIC))
		return false;
	return insn->imm == BPF_ATOMIC_LOAD_ACQ || insn->imm == BPF_ATOMIC_STORE_REL;
}

/* Compare the instruction at slot with text, which is llvm-objdump's. */
static void compare_insn(struct listing *list, uint32_t slot, const char *text)
{
	const uint8_t *raw = list->section.bytes + (uint64_t)slot * BPFINSN_SIZE;
	struct bpfinsn insn[2] = { { 0 } };
	uint32_t slots;
	char ours[120];

	ck_assert_msg(slot == list->slot, "%s: %s: slot %u follows slot %u", list->path, list->section.name,
		      slot, list->slot);
	ck_assert_uint_lt(slot, list->section.size / BPFINSN_SIZE);
	bpfinsn_decode(raw, list->elf.big, &insn[0]);
	slots = bpfinsn_slots(insn[0].code);
	list->slot += slots;
	ck_assert_uint_le(list->slot, list->section.size / BPFINSN_SIZE);
	if (slots == 2)
		bpfinsn_decode(raw + BPFINSN_SIZE, list->elf.big, &insn[1]);
	list->seen[insn[0].code] = true;
	if (beyond_objdump(list, insn))
		return;
	ck_assert_uint_eq(bpfinsn_text(ours, sizeof(ours), insn), strlen(ours));
	ck_assert_msg(!strcmp(ours, text), "%s: %s: slot %u: \"%s\", but llvm-objdump has \"%s\"", list->path,
		      list->section.name, slot, ours, text);
}

/* Cut the end of line and the " <symbol+0x8>" that follows the operand of a jump or call. */
static void cut_symbol(char *line)
{
	char *symbol;

	line[strcspn(line, "\n")] = '\0';
	symbol = strrchr(line, '<');
	if (symbol && symbol > line && symbol[-1] == ' ' && line[strlen(line) - 1] == '>')
		symbol[-1] = '\0';
}

static void follow_line(struct listing *list, char *line)
{
	char *end;
	unsigned long slot;

	cut_symbol(line);
	if (!strncmp(line, HEADING, strlen(HEADING))) {
		line[strlen(line) - 1] = '\0';	/* the colon */
		ck_assert_msg(next_section(list), "%s: listing has more sections", list->path);
		ck_assert_str_eq(list->section.name, line + strlen(HEADING));
		return;
	}
	slot = strtoul(line, &end, 10);
	if (end == line || end[0] != ':' || end[1] != '\t')
		return;
	ck_assert_msg(list->index, "%s: instruction before any section", list->path);
	compare_insn(list, (uint32_t)slot, end + 2);
}

static void compare_object(struct listing *list, const struct tool *objdump)
{
	char line[4096];
	struct elf64_fault fault;
	uint8_t *bytes;
	uint64_t size;
	FILE *pipe;

	list->version = objdump->version;
	bytes = read_file(list->path, &size);
	ck_assert_msg(!elf64_open(&list->elf, bytes, size, &fault), "%s: %s", list->path, fault.what);
	snprintf(line, sizeof(line), "'%s' -d -z --mcpu=v4 --no-show-raw-insn --no-print-imm-hex '%s'",
		 objdump->command, list->path);
	pipe = popen(line, "r");
	ck_assert_ptr_nonnull(pipe);
	while (fgets(line, sizeof(line), pipe))
		follow_line(list, line);
	ck_assert_msg(!pclose(pipe), "llvm-objdump fails on %s", list->path);
	ck_assert_msg(!next_section(list), "%s: %s is not in the listing", list->path, list->section.name);
	free(bytes);
}

/* Does any instruction have this code? */
static bool code_exists(uint8_t code)
{
	static const int32_t imms[] = { 0, 16, BPF_ATOMIC_LOAD_ACQ };

	for (size_t i = 0; i < sizeof(imms) / sizeof(imms[0]); i++)
		if (!bpfinsn_check(&(struct bpfinsn) { .code = code, .imm = imms[i] }))
			return true;
	return false;
}

/* The object that llvm-mc makes of every_insn.s, in a new file; the caller removes it. */
static void assemble(char *path, const struct tool *mc, bool big)
{
	const char *target = big ? "bpfeb --defsym BIG=1" : "bpfel";
	int directory = (int)(strlen(__FILE__) - strlen("test_disasm.c"));
	char command[1024];
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	snprintf(command, sizeof(command),
		 "'%s' -triple=%s -mcpu=v4 -filetype=obj -o '%s' '%.*sobjects/every_insn.s'",
		 mc->command, target, path, directory, __FILE__);
	ck_assert_msg(!system(command), "%s", command);
}

START_TEST(test_every_insn)
{
	char path[] = "/tmp/test_disasm-XXXXXX";
	struct listing list = { .path = path };
	struct tool mc, objdump;

	if (!find_tool(&objdump, "LLVM_OBJDUMP", "llvm-objdump") || !find_tool(&mc, "LLVM_MC", "llvm-mc"))
		return;
	assemble(path, &mc, _i);
	compare_object(&list, &objdump);
	unlink(path);
	ck_assert_int_eq(list.elf.big, _i);
	for (unsigned int code = 0; code < 256; code++)
		ck_assert_msg(list.seen[code] == code_exists((uint8_t)code), "code %02x: %s", code,
			      list.seen[code] ? "undefined" : "not in every_insn.s");
}
END_TEST

START_TEST(test_named_objects)
{
	const char *named = getenv("BPF_OBJECTS");
	char *paths = strdup(named ? named : ""), *rest = paths;
	struct tool objdump;

	ck_assert_ptr_nonnull(paths);
	if (find_tool(&objdump, "LLVM_OBJDUMP", "llvm-objdump")) {
		for (char *path; (path = strsep(&rest, ": "));) {
			struct listing list = { .path = path };

			if (*path)
				compare_object(&list, &objdump);
		}
	}
	free(paths);
}
END_TEST

Suite *suite_disasm(void)
{
	Suite *suite = suite_create("disasm");
	TCase *tcase = tcase_create("llvm-objdump");

	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, test_every_insn, 0, 2);
	tcase_add_test(tcase, test_named_objects);
	suite_add_tcase(suite, tcase);
	return suite;
}
