// SPDX-License-Identifier: BSD-2-Clause
/*
 * libFuzzer target for bpfinsn: any bytes as slots, in both byte orders.
 *
 * Decoding and encoding gives the bytes back.  A text fits 120 bytes, is as
 * long as told, is ended, and is "<unknown>" exactly where bpfinsn_check
 * refuses.  A section that bpfinsn_check_all accepts consists of accepted
 * instructions whose starts are those that stepping by bpfinsn_slots visits,
 * and each jump lands on one; of a refused one the slot at fault is in it.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpfinsn/bpfinsn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_slot(const uint8_t *raw, bool last, bool big)
{
	struct bpfinsn insn[2] = { { 0 } };
	uint8_t back[BPFINSN_SIZE];
	char text[120], part[16];
	size_t len;

	bpfinsn_decode(raw, big, &insn[0]);
	bpfinsn_encode(back, big, &insn[0]);
	assert(!memcmp(raw, back, sizeof(back)));
	if (!last)
		bpfinsn_decode(raw + BPFINSN_SIZE, big, &insn[1]);
	len = bpfinsn_text(text, sizeof(text), insn);
	assert(len && len < sizeof(text) && strlen(text) == len);
	assert(!bpfinsn_check(insn) == !!strcmp(text, "<unknown>"));
	assert(bpfinsn_text(part, sizeof(part), insn) == len);
	assert(!strncmp(part, text, sizeof(part) - 1) && strlen(part) < sizeof(part));
}

static void try_accepted(const uint8_t *raw, uint32_t count, bool big, const uint8_t *starts)
{
	struct bpfinsn insn;
	uint32_t next = 0;
	int32_t delta;

	for (uint32_t slot = 0; slot < count; slot++) {
		assert(bpfinsn_starts(starts, slot) == (slot == next));
		if (slot != next)
			continue;
		bpfinsn_decode(raw + (size_t)slot * BPFINSN_SIZE, big, &insn);
		assert(!bpfinsn_check(&insn));
		next += bpfinsn_slots(insn.code);
		if (!bpfinsn_jump(&insn, &delta))
			continue;
		assert(slot + 1 + (int64_t)delta >= 0 && slot + 1 + (int64_t)delta < count);
		assert(bpfinsn_starts(starts, (uint32_t)(slot + 1 + (int64_t)delta)));
	}
	assert(next == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t count = (uint32_t)(size / BPFINSN_SIZE), at = UINT32_MAX;
	/* Exact sizes, so that the sanitizer sees any access beyond. */
	uint8_t *raw = malloc((size_t)count * BPFINSN_SIZE), *starts = malloc((count + 7) / 8);

	if (count && (!raw || !starts))
		abort();
	if (count)
		memcpy(raw, data, (size_t)count * BPFINSN_SIZE);
	for (int big = 0; big < 2; big++) {
		for (uint32_t slot = 0; slot < count; slot++)
			try_slot(raw + (size_t)slot * BPFINSN_SIZE, slot + 1 == count, big);
		if (bpfinsn_check_all(raw, count, big, starts, &at))
			assert(at < count);
		else
			try_accepted(raw, count, big, starts);
	}
	free(starts);
	free(raw);
	return 0;
}
