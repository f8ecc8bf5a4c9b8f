// SPDX-License-Identifier: BSD-2-Clause
/*
 * Fields hold numbers of which each byte differs where their width allows it,
 * so that a swapped or cut one shows; sizes and values reach exactly to the end
 * of what they may, so that one more is a fault.
 */
#include "tests/elfsample.h"

#include <check.h>
#include <stdlib.h>

#include "include/bytes.h"
#include "tests/elfgen.h"

static const uint8_t insns[INSNS_SIZE] = { 0xb7, 0, 0, 0, 1, 2, 3, 4, [24] = 0x95 };
static const uint8_t data_bytes[8] = "DATAdat";

const struct elf64_section elfsample_sections[DEBUG + 1] = {
	[TC] = { .name = "tc", .type = ELF64_SHT_PROGBITS, .flags = ELF64_SHF_ALLOC | ELF64_SHF_EXECINSTR,
		 .bytes = insns, .size = sizeof(insns), .addralign = 8 },
	[DATA] = { .name = ".data", .type = ELF64_SHT_PROGBITS, .flags = ELF64_SHF_ALLOC | ELF64_SHF_WRITE,
		   .bytes = data_bytes, .size = sizeof(data_bytes), .addralign = 4,
		   .addr = 0x1122334455667788 },
	[BSS] = { .name = ".bss", .type = ELF64_SHT_NOBITS, .size = 0x100000001, .addralign = 16,
		  .link = 0x01020304, .info = 0x05060708, .entsize = 0x090a0b0c0d0e0f10 },
	[DEBUG] = { .name = ".debug_info", .type = ELF64_SHT_PROGBITS, .bytes = data_bytes, .size = 5 },
};

const struct elf64_symbol elfsample_symbols[SYMBOLS] = {
	[0] = { .name = "" },
	[SYM_TC] = { .name = "", .type = ELF64_STT_SECTION, .section = TC },
	[SYM_STATIC] = { .name = "f.x", .type = ELF64_STT_OBJECT, .section = DATA, .value = 4, .size = 4 },
	[SYM_PROG] = { .name = "prog", .type = ELF64_STT_FUNC, .bind = ELF64_STB_GLOBAL, .section = TC,
		       .size = 32 },
	[SYM_BSS] = { .name = "vni", .type = ELF64_STT_OBJECT, .bind = ELF64_STB_WEAK, .other = 2,
		      .section = BSS, .value = 0xfffffff9, .size = 8 },
	[SYM_ABS] = { .name = "file.c", .bind = ELF64_STB_GLOBAL, .section = ELF64_SHN_ABS,
		      .value = UINT64_MAX },
	[SYM_COMMON] = { .name = "common", .bind = ELF64_STB_GLOBAL, .section = ELF64_SHN_COMMON,
			 .value = 1 << 20 },
	[SYM_UNDEF] = { .name = "elsewhere", .bind = ELF64_STB_GLOBAL, .section = ELF64_SHN_UNDEF,
			.value = 1 << 20 },
};

const struct elf64_reloc elfsample_rel = { .offset = 8, .type = 1, .symbol = SYM_BSS };
const struct elf64_reloc elfsample_rela = {
	.offset = 7, .type = 0x89abcdef, .symbol = SYM_UNDEF, .addend = -5
};

uint8_t *elfsample(bool big, bool extended, size_t *size)
{
	struct elfgen *gen = elfgen_new(big);
	size_t i;

	for (i = TC; i <= DEBUG; i++)
		elfgen_section(gen, &elfsample_sections[i]);
	for (i = SYM_TC; i < SYMBOLS; i++)
		elfgen_symbol(gen, &elfsample_symbols[i]);
	ck_assert_uint_eq(elfgen_rel(gen, TC, &elfsample_rel), RELTC);
	ck_assert_uint_eq(elfgen_rela(gen, DATA, &elfsample_rela), RELADATA);
	gen->xindex = extended;
	gen->extended = extended;
	return elfgen_finish(gen, size);
}

void elfsample_open(struct elf64 *elf, const void *data, size_t size)
{
	struct elf64_fault fault = { "none", 0 };

	ck_assert_msg(!elf64_open(elf, data, size, &fault), "%s at %#lx", fault.what,
		      (unsigned long)fault.offset);
}

void elfsample_put(uint8_t *p, unsigned int width, uint64_t value, bool big)
{
	if (width == 1)
		*p = (uint8_t)value;
	else if (width == 2)
		bytes_put16(p, (uint16_t)value, big);
	else if (width == 4)
		bytes_put32(p, (uint32_t)value, big);
	else
		bytes_put64(p, value, big);
}
