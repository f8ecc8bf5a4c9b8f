// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes: elf64_open refuses them with a text and an offset of the file, or
 * everything can be read through every accessor, keeps to what the header
 * promises, and lies inside the file; a patch inside each section's bytes
 * works and one byte more is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void patch_last_byte(const struct elf64 *elf, uint8_t *copy, uint32_t index)
{
	struct elf64_section section;
	struct elf64_fault fault;

	elf64_section(elf, index, &section);
	if (!section.bytes) {
		require(elf64_patch(elf, copy, index, 0, NULL, 0, &fault) == -1);
		return;
	}
	require(elf64_patch(elf, copy, index, section.size, "x", 1, &fault) == -1);
	require(elf64_patch(elf, copy, index, UINT64_MAX, "x", 1, &fault) == -1);
	if (section.size)
		require(elf64_patch(elf, copy, index, section.size - 1, "x", 1, &fault) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf64_fault fault = { NULL, 0 };
	struct elf64 elf;
	uint8_t *copy;
	uint32_t i;

	if (walk_elf64(data, size, &fault)) {
		require(fault.what && fault.offset <= size);
		return 0;
	}
	copy = malloc(size);
	require(copy && !elf64_open(&elf, data, size, &fault));
	memcpy(copy, data, size);
	for (i = 0; i < elf.section_count; i++)
		patch_last_byte(&elf, copy, i);
	free(copy);
	return 0;
}
