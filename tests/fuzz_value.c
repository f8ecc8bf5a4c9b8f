// SPDX-License-Identifier: BSD-2-Clause
/*
 * The first four bytes choose the type (form, size, bits, flags), the rest is
 * the text.  value_parse refuses it with an error and without touching out, or
 * writes exactly the bytes of the value; a number among them is in range, and
 * bpfstamp_get gives a text of it that reads back to the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "loader/path.h"
#include "loader/template.h"
#include "loader/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static struct value_type choose(const uint8_t *data)
{
	static const uint8_t sizes[] = { 1, 2, 4, 8 };
	struct value_type type = { .form = data[0] % (VALUE_REGISTER + 1u), .size = sizes[data[1] % 4] };

	if (type.form == VALUE_BYTES || type.form == VALUE_TEXT) {
		type.size = 1 + data[1];
		return type;
	}
	type.bits = (uint8_t)(1 + data[2] % (8 * type.size));
	type.is_signed = data[3] & 1 && type.form != VALUE_BOOL;
	type.any_sign = data[3] & 2 && !type.is_signed && type.form == VALUE_INT && type.bits == type.size * 8;
	if (type.form == VALUE_BOOL)
		type.bits = 1;
	if (type.form == VALUE_REGISTER)
		type = (struct value_type){ .form = VALUE_REGISTER, .size = 8, .bits = 64, .any_sign = true };
	return type;
}

static void check_range(const struct value_type *type, const uint8_t *bytes, bool big)
{
	uint64_t number = value_load(bytes, type->size, type->is_signed, big);
	int64_t s = (int64_t)number;

	if (type->bits == 64)
		return;
	if (type->is_signed)
		require(s >= -((int64_t)1 << (type->bits - 1)) && s < (int64_t)1 << (type->bits - 1));
	else
		require(number >> type->bits == 0);
}

static void check_text(const struct value_type *type, const uint8_t *bytes, bool big)
{
	struct injectable inj = { .kind = BPFSTAMP_GLOBAL, .type = *type, .has_value = true };
	struct bpfstamp_template t = { .elf = { .big = big }, .injectables = &inj, .injectable_count = 1,
				       .image = (uint8_t *)(uintptr_t)bytes, .image_size = type->size };
	const struct part whole = part_whole(&inj);
	const struct bpfstamp_ref ref = part_ref(&whole, 0);
	struct bpfstamp_err err;
	char text[600];
	uint8_t again[256];

	require(bpfstamp_get(&t, NULL, &ref, text, sizeof(text)) == strlen(text));
	require(!value_parse(type, NULL, big, text, again, &err) && !memcmp(bytes, again, type->size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bpfstamp_err err = { 0 };
	struct value_type type;
	uint8_t *out, *untouched;
	char *text;
	bool big;

	if (size < 4)
		return 0;
	type = choose(data);
	big = data[3] & 4;
	text = malloc(size - 3);
	out = malloc(type.size);
	untouched = malloc(type.size);
	require(text && out && untouched);
	memcpy(text, data + 4, size - 4);
	text[size - 4] = '\0';
	memset(out, 0xa5, type.size);
	memset(untouched, 0xa5, type.size);
	if (value_parse(&type, NULL, big, text, out, &err)) {
		require(err.code && *err.text && !memcmp(out, untouched, type.size));
	} else {
		if (type.bits)
			check_range(&type, out, big);
		check_text(&type, out, big);
	}
	free(text);
	free(out);
	free(untouched);
	return 0;
}
