// SPDX-License-Identifier: BSD-2-Clause
/*
 * Thin layers over elfgen and realobj that name what a BPF object has.  All of
 * them end the test where something fails, so that the tests read as a list of
 * what is there and what must hold.
 *
 * Symbols keep the order of the calls: elfgen wants locals first, which no
 * reader here minds.
 */
#include "tests/bpfobj.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "tests/btfgen.h"
#include "tests/netns.h"
#include "tests/realobj.h"

struct bpfobj bpfobj_new(bool big)
{
	return (struct bpfobj){ .big = big, .gen = elfgen_new(big) };
}

uint32_t bpfobj_code(struct bpfobj *o, const char *section, const struct bpfinsn *insns, uint32_t slots)
{
	uint8_t *raw = malloc((size_t)slots * BPFINSN_SIZE);
	uint32_t index;

	ck_assert_ptr_nonnull(raw);
	for (uint32_t i = 0; i < slots; i++)
		bpfinsn_encode(raw + i * BPFINSN_SIZE, o->big, &insns[i]);
	index = elfgen_section(o->gen, &(struct elf64_section){
		.name = section, .type = ELF64_SHT_PROGBITS, .flags = ELF64_SHF_ALLOC | ELF64_SHF_EXECINSTR,
		.bytes = raw, .size = (uint64_t)slots * BPFINSN_SIZE, .addralign = 8 });
	free(raw);
	return index;
}

uint32_t bpfobj_data(struct bpfobj *o, const char *section, const void *bytes, uint32_t size)
{
	return elfgen_section(o->gen, &(struct elf64_section){
		.name = section, .type = bytes ? ELF64_SHT_PROGBITS : ELF64_SHT_NOBITS,
		.flags = ELF64_SHF_ALLOC | ELF64_SHF_WRITE, .bytes = bytes, .size = size, .addralign = 4 });
}

uint32_t bpfobj_func(struct bpfobj *o, const char *name, uint32_t section, uint32_t start, uint32_t slots)
{
	return elfgen_symbol(o->gen, &(struct elf64_symbol){
		.name = name, .type = ELF64_STT_FUNC, .bind = ELF64_STB_GLOBAL, .section = section,
		.value = start * BPFINSN_SIZE, .size = slots * BPFINSN_SIZE });
}

uint32_t bpfobj_var(struct bpfobj *o, const char *name, uint32_t section, uint32_t value, uint32_t size)
{
	return elfgen_symbol(o->gen, &(struct elf64_symbol){
		.name = name, .type = ELF64_STT_OBJECT, .bind = ELF64_STB_GLOBAL, .section = section,
		.value = value, .size = size });
}

uint32_t bpfobj_undefined(struct bpfobj *o, const char *name, uint8_t bind)
{
	return elfgen_symbol(o->gen, &(struct elf64_symbol){ .name = name, .bind = bind });
}

uint32_t bpfobj_section_symbol(struct bpfobj *o, uint32_t section)
{
	return elfgen_symbol(o->gen, &(struct elf64_symbol){ .name = "", .type = ELF64_STT_SECTION,
							     .section = section });
}

void bpfobj_rel(struct bpfobj *o, uint32_t section, uint32_t slot, uint32_t type, uint32_t symbol)
{
	elfgen_rel(o->gen, section, &(struct elf64_reloc){ .offset = slot * BPFINSN_SIZE, .type = type,
							   .symbol = symbol });
}

void bpfobj_btf(struct bpfobj *o, struct btfgen *gen, bool ext)
{
	size_t size, ext_size;
	uint8_t *ext_bytes, *bytes = btfgen_finish(gen, &size, &ext_bytes, &ext_size);

	elfgen_section(o->gen, &(struct elf64_section){ .name = ".BTF", .type = ELF64_SHT_PROGBITS,
							.bytes = bytes, .size = size });
	if (ext)
		elfgen_section(o->gen, &(struct elf64_section){ .name = ".BTF.ext", .type = ELF64_SHT_PROGBITS,
								.bytes = ext_bytes, .size = ext_size });
	free(bytes);
	free(ext_bytes);
}

void bpfobj_open(struct bpfobj *o)
{
	struct bpfstamp_err err = { 0 };

	if (o->gen)
		o->bytes = elfgen_finish(o->gen, &o->size);
	o->gen = NULL;
	ck_assert_msg(!bpfstamp_open(&o->t, o->bytes, o->size, "test.o", &err), "%s", err.text);
}

void bpfobj_refused(struct bpfobj *o, const char *text)
{
	struct bpfstamp_template *untouched = (struct bpfstamp_template *)(void *)o;
	struct bpfstamp_err err = { 0 };

	o->t = untouched;
	o->bytes = elfgen_finish(o->gen, &o->size);
	o->gen = NULL;
	ck_assert_msg(bpfstamp_open(&o->t, o->bytes, o->size, "test.o", &err) == -1, "accepted: %s", text);
	ck_assert_ptr_eq(o->t, untouched);
	ck_assert_int_ne(err.code, 0);
	bpfobj_says(&err, text);
	ck_assert_msg(!strncmp(err.text, "test.o: ", 8), "%s", err.text);
	o->t = NULL;
	bpfobj_free(o);
}

bool bpfobj_opens(struct bpfobj *o, const char *fault)
{
	if (fault)
		bpfobj_refused(o, fault);
	else
		bpfobj_open(o);
	return !fault;
}

bool bpfobj_compile(struct bpfobj *o, const char *target, const char *flags, const char *source)
{
	*o = (struct bpfobj){ .big = !strcmp(target, "bpfeb") };
	o->bytes = realobj_compile(target, flags, source, &o->size);
	if (!o->bytes)
		return false;
	bpfobj_open(o);
	return true;
}

void bpfobj_free(struct bpfobj *o)
{
	bpfstamp_close(o->t);
	free(o->bytes);
	*o = (struct bpfobj){ 0 };
}

struct bpfstamp_stamp *bpfobj_stamp(const struct bpfobj *o)
{
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_stamp *s;

	ck_assert_msg(!bpfstamp_stamp_new(&s, o->t, &err), "%s", err.text);
	return s;
}

uint32_t bpfobj_find(const struct bpfobj *o, const char *name, struct bpfstamp_injectable *out)
{
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_ref ref;

	ck_assert_msg(!bpfstamp_find(o->t, name, &ref, &err), "%s", err.text);
	if (out)
		bpfstamp_injectable_at(o->t, ref.injectable, out);
	return ref.injectable;
}

void bpfobj_get(const struct bpfobj *o, const struct bpfstamp_stamp *s, const char *name, char *buf, size_t size)
{
	struct bpfstamp_err err = { 0 };
	struct bpfstamp_ref ref;

	ck_assert_msg(!bpfstamp_find(o->t, name, &ref, &err), "%s", err.text);
	ck_assert_uint_lt(bpfstamp_get(o->t, s, &ref, buf, size), size);
}

uint32_t bpfobj_program(const struct bpfobj *o, const char *name, struct bpfstamp_program *out)
{
	struct bpfstamp_program found;

	for (uint32_t i = 0; i < bpfstamp_program_count(o->t); i++) {
		bpfstamp_program_at(o->t, i, &found);
		if (strcmp(found.name, name) != 0)
			continue;
		if (out)
			*out = found;
		return i;
	}
	ck_abort_msg("no function %s", name);
}

void bpfobj_set(struct bpfstamp_stamp *s, const char *name, const char *text)
{
	struct bpfstamp_err err = { 0 };

	ck_assert_msg(!bpfstamp_set(s, name, text, &err), "%s", err.text);
}

void bpfobj_set_fails(struct bpfstamp_stamp *s, const char *name, const char *text, const char *error)
{
	struct bpfstamp_err err = { 0 };

	ck_assert_msg(bpfstamp_set(s, name, text, &err) == -1, "%s=%s is accepted", name, text);
	ck_assert_int_ne(err.code, 0);
	bpfobj_says(&err, error);
}

bool bpfobj_kernel_has(const char *what, unsigned int major, unsigned int minor, const char *feature)
{
	unsigned int own_major = 0, own_minor = 0;
	struct utsname name;

	ck_assert_int_eq(uname(&name), 0);
	ck_assert_int_eq(sscanf(name.release, "%u.%u", &own_major, &own_minor), 2);
	if (own_major > major || (own_major == major && own_minor >= minor))
		return true;
	printf("SKIP %s: no %s (Linux %u.%u)\n", what, feature, major, minor);
	return false;
}

bool bpfobj_kernel_compiles(const char *what)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr = { 0 };

	attr.info.bpf_fd = (uint32_t)netns_program(BPF_PROG_TYPE_SOCKET_FILTER);
	attr.info.info = (uintptr_t)&info;
	attr.info.info_len = sizeof(info);
	ck_assert_int_eq((int)syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)), 0);
	close((int)attr.info.bpf_fd);
	if (!info.jited_prog_len)
		printf("SKIP %s: no JIT\n", what);
	return info.jited_prog_len;
}

void bpfobj_says(const struct bpfstamp_err *err, const char *text)
{
	ck_assert_msg(strstr(err->text, text) != NULL, "'%s' does not say '%s'", err->text, text);
}
