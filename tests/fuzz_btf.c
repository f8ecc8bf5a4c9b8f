// SPDX-License-Identifier: BSD-2-Clause
/*
 * The first four bytes, least significant first, tell how many of the others
 * are BTF; what remains is BTF.ext and, where the BTF is accepted, split BTF
 * that continues it.  Each is refused with a text and an offset of it, or can be
 * read through every accessor, keeps to what the header promises, has all its
 * strings inside, and nests without loops.
 */
#include <stdlib.h>
#include <string.h>

#include "include/bytes.h"
#include "tests/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of exactly size bytes lets the sanitizer see a read behind the BTF. */
static uint8_t *copy_of(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + !size);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf64_fault fault = { NULL, 0 };
	uint8_t *btf, *ext;
	size_t split;

	if (size < 4)
		return 0;
	split = bytes_get32(data, false);
	data += 4;
	size -= 4;
	if (split > size)
		split = size;
	btf = copy_of(data, split);
	ext = copy_of(data + split, size - split);
	if (walk_btf(btf, split, ext, size - split, &fault) && (!fault.what || fault.offset > size))
		abort();
	fault = (struct elf64_fault){ NULL, 0 };
	if (!walk_btf(btf, split, NULL, 0, &fault) && walk_btf_split(btf, split, ext, size - split, &fault) &&
	    (!fault.what || fault.offset > size - split))
		abort();
	free(btf);
	free(ext);
	return 0;
}
