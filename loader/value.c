// SPDX-License-Identifier: BSD-2-Clause
/*
 * Values as text, and the bytes that a BPF program sees.
 *
 * Two kinds of text must be told apart.  A number ("7", "-1", "be32:7", an
 * enumerator) is converted to the size and byte order of the program; its
 * range is checked against the declared bits, so nothing is ever truncated.
 * An address ("10.0.0.2", "::1", a MAC) and raw bytes ("hex:…") are memory:
 * they go in as they are, and must have exactly the size of the value.  Where
 * memory meets a number (an IPv4 address for a __u32), the bytes are what the
 * program would have loaded from a packet.
 *
 * Every form is read in full and checked before the first byte of the result
 * is written.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "include/bytes.h"
#include "loader/err.h"
#include "loader/value.h"

uint64_t value_load(const void *bytes, uint32_t size, bool is_signed, bool big)
{
	switch (size) {
	case 1:
		return is_signed ? (uint64_t)*(const int8_t *)bytes : *(const uint8_t *)bytes;
	case 2:
		return is_signed ? (uint64_t)(int16_t)bytes_get16(bytes, big) : bytes_get16(bytes, big);
	case 4:
		return is_signed ? (uint64_t)(int32_t)bytes_get32(bytes, big) : bytes_get32(bytes, big);
	default:
		return bytes_get64(bytes, big);
	}
}

void value_store(void *bytes, uint32_t size, bool big, uint64_t value)
{
	switch (size) {
	case 1:
		*(uint8_t *)bytes = (uint8_t)value;
		break;
	case 2:
		bytes_put16(bytes, (uint16_t)value, big);
		break;
	case 4:
		bytes_put32(bytes, (uint32_t)value, big);
		break;
	default:
		bytes_put64(bytes, value, big);
		break;
	}
}

static bool is_scalar_size(uint32_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

struct value_type value_untyped(uint32_t size)
{
	struct value_type type = { .form = VALUE_BYTES, .size = size };

	if (is_scalar_size(size)) {
		type.form = VALUE_INT;
		type.bits = (uint8_t)(size * 8);
		type.any_sign = true;
	}
	return type;
}

static bool is_char(const struct btf *btf, uint32_t id)
{
	struct btf_type t;

	btf_type(btf, btf_resolve(btf, id), &t);
	return t.kind == BTF_INT && t.size == 1 && !strcmp(t.name, "char");
}

struct value_type value_from_btf(const struct btf *btf, uint32_t id, uint32_t size)
{
	struct value_type type = { .form = VALUE_BYTES, .size = size, .btf = id };
	struct btf_type t;

	btf_type(btf, btf_resolve(btf, id), &t);
	if (t.kind == BTF_ARRAY && is_char(btf, t.array_type))
		type.form = VALUE_TEXT;
	if (!is_scalar_size(size))
		return type;
	if (t.kind == BTF_INT) {
		type.form = t.int_encoding & BTF_INT_BOOL ? VALUE_BOOL : VALUE_INT;
		type.bits = (uint8_t)(size * 8);
		type.is_signed = t.int_encoding & BTF_INT_SIGNED;
		if (type.form == VALUE_BOOL)
			type.bits = 1;
		else if (t.int_bits && t.int_bits < type.bits)
			type.bits = t.int_bits;
	} else if (t.kind == BTF_ENUM || t.kind == BTF_ENUM64) {
		type.form = VALUE_ENUM;
		type.bits = (uint8_t)(size * 8);
		type.is_signed = t.kind_flag;
	}
	return type;
}

static void untyped_text(const struct value_type *type, char *buf, size_t size)
{
	switch (type->form) {
	case VALUE_BOOL:
		snprintf(buf, size, "bool");
		break;
	case VALUE_INT:
	case VALUE_REGISTER:
		if (type->bits != type->size * 8)
			snprintf(buf, size, "%c%u:%u", type->is_signed ? 's' : 'u', type->size * 8, type->bits);
		else
			snprintf(buf, size, "%c%u", type->is_signed ? 's' : 'u', type->size * 8);
		break;
	default:
		snprintf(buf, size, "bytes[%u]", type->size);
		break;
	}
}

/* An array's element and its dimensions: `__u32[4][2]`. */
static void array_text(const struct btf *btf, const struct btf_type *array, char *buf, size_t size)
{
	struct value_type element = { .btf = array->array_type };
	struct btf_type t;
	char dims[32];

	snprintf(dims, sizeof(dims), "[%u]", array->array_count);
	btf_type(btf, array->array_type, &t);
	while (t.kind == BTF_ARRAY) {
		size_t used = strlen(dims);

		snprintf(dims + used, sizeof(dims) - used, "[%u]", t.array_count);
		element.btf = t.array_type;
		btf_type(btf, t.array_type, &t);
	}
	value_type_text(&element, btf, buf, size);
	snprintf(buf + strlen(buf), size - strlen(buf), "%s", dims);
}

void value_type_text(const struct value_type *type, const struct btf *btf, char *buf, size_t size)
{
	struct btf_type t;

	if (!btf || !type->btf) {
		untyped_text(type, buf, size);
		return;
	}
	btf_type(btf, type->btf, &t);
	while (t.kind == BTF_CONST || t.kind == BTF_VOLATILE || t.kind == BTF_RESTRICT || t.kind == BTF_TYPE_TAG)
		btf_type(btf, t.type, &t);
	switch (t.kind) {
	case BTF_STRUCT:
	case BTF_UNION:
		snprintf(buf, size, "%s %s", t.kind == BTF_STRUCT ? "struct" : "union",
			 *t.name ? t.name : "{…}");
		break;
	case BTF_ENUM:
	case BTF_ENUM64:
		snprintf(buf, size, "enum %s", *t.name ? t.name : "{…}");
		break;
	case BTF_ARRAY:
		array_text(btf, &t, buf, size);
		break;
	case BTF_PTR:
		snprintf(buf, size, "pointer");
		break;
	default:
		snprintf(buf, size, "%s", *t.name ? t.name : "void");
		break;
	}
}

static int out_of_range(const struct value_type *type, const char *text, struct bpfstamp_err *err)
{
	uint64_t max = type->bits == 64 ? UINT64_MAX : ((uint64_t)1 << type->bits) - 1;
	int64_t min = type->bits == 64 ? INT64_MIN : -((int64_t)1 << (type->bits - 1));

	if (type->is_signed)
		return err_set(err, ERANGE, "%s does not fit: allowed is %" PRId64 " to %" PRIu64, text, min,
			       max >> 1);
	return err_set(err, ERANGE, "%s does not fit: allowed is %" PRId64 " to %" PRIu64 " (%u bits)", text,
		       type->any_sign ? min : 0, max, type->bits);
}

/* Whether a number fits the type; negative tells how to read a value with bit 63 set. */
static bool in_range(const struct value_type *type, uint64_t value, bool negative)
{
	int64_t s = (int64_t)value;
	uint64_t max = type->bits == 64 ? UINT64_MAX : ((uint64_t)1 << type->bits) - 1;
	int64_t min = type->bits == 64 ? INT64_MIN : -((int64_t)1 << (type->bits - 1));

	if (negative)
		return (type->is_signed || type->any_sign) && s >= min;
	return value <= (type->is_signed ? max >> 1 : max);
}

static int store_number(const struct value_type *type, bool big, uint64_t value, bool negative, const char *text,
			uint8_t *out, struct bpfstamp_err *err)
{
	if (type->form == VALUE_BYTES || type->form == VALUE_TEXT)
		return err_set(err, EINVAL, "%s is a number, but the value has %u bytes: use hex:… with %u digits",
			       text, type->size, 2 * type->size);
	if (!in_range(type, value, negative))
		return out_of_range(type, text, err);
	value_store(out, type->size, big, value);
	return 0;
}

int value_from_u64(const struct value_type *type, bool big, uint64_t value, uint8_t *out, struct bpfstamp_err *err)
{
	bool negative = (type->is_signed || (type->any_sign && type->bits < 64)) && (int64_t)value < 0;
	char text[24];

	if (type->form != VALUE_BYTES && type->form != VALUE_TEXT && in_range(type, value, negative)) {
		value_store(out, type->size, big, value);
		return 0;
	}
	snprintf(text, sizeof(text), negative ? "%" PRId64 : "%" PRIu64, value);
	return store_number(type, big, value, negative, text, out, err);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

enum number { NUMBER_NONE, NUMBER_OK, NUMBER_HUGE };

/* Read a whole text as an integer; *value is in two's complement where negative. */
static enum number parse_number(const char *text, uint64_t *value, bool *negative)
{
	const char *p = text;
	unsigned int base = 10;
	bool huge = false;
	uint64_t v = 0;

	*negative = *p == '-';
	if (*p == '-' || *p == '+')
		p++;
	if (*p == '0' && (p[1] == 'x' || p[1] == 'X'))
		base = 16;
	else if (*p == '0' && (p[1] == 'b' || p[1] == 'B'))
		base = 2;
	else if (*p == '0' && (p[1] == 'o' || p[1] == 'O'))
		base = 8;
	if (base != 10)
		p += 2;
	if (!*p)
		return NUMBER_NONE;
	for (; *p; p++) {
		unsigned int d = (unsigned int)digit(*p);

		if (d >= base)
			return NUMBER_NONE;
		huge |= __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v);
	}
	if (huge || (*negative && v > (uint64_t)INT64_MAX + 1))
		return NUMBER_HUGE;
	if (v == 0)
		*negative = false;
	*value = *negative ? 0 - v : v;
	return NUMBER_OK;
}

/* Bytes as memory: exactly the size of the value, or a narrower number for a register. */
static int store_bytes(const struct value_type *type, bool big, const uint8_t *bytes, uint32_t len, const char *text,
		       uint8_t *out, struct bpfstamp_err *err)
{
	uint64_t number;

	if (type->form == VALUE_REGISTER && is_scalar_size(len)) {
		value_store(out, type->size, big, value_load(bytes, len, false, big));
		return 0;
	}
	if (len != type->size)
		return err_set(err, EINVAL, "%s has %u bytes, but the value has %u", text, len, type->size);
	if (type->form == VALUE_INT || type->form == VALUE_BOOL || type->form == VALUE_ENUM) {
		number = value_load(bytes, len, type->is_signed, big);
		if (!in_range(type, number, type->is_signed && (int64_t)number < 0))
			return out_of_range(type, text, err);
	}
	memcpy(out, bytes, len);
	return 0;
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
	for (int i = 0; i < 6; i++, text += 3) {
		int high = digit(text[0]), low = high < 16 ? digit(text[1]) : 16;

		if (low == 16 || text[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static int parse_hex(const struct value_type *type, bool big, const char *text, uint8_t *out,
		     struct bpfstamp_err *err)
{
	const char *digits = text + strlen("hex:");
	size_t len = strlen(digits);
	uint8_t scalar[8];
	uint8_t *to = out;

	if (strspn(digits, "0123456789abcdefABCDEF") != len || len % 2)
		return err_set(err, EINVAL, "%s is not an even number of hexadecimal digits", text);
	if (len / 2 != type->size && !(type->form == VALUE_REGISTER && len <= 16 &&
				       is_scalar_size((uint32_t)len / 2)))
		return err_set(err, EINVAL, "hex:… has %zu byte%s, but the value has %u", len / 2,
			       len == 2 ? "" : "s", type->size);
	if (len / 2 <= sizeof(scalar))
		to = scalar;
	for (size_t i = 0; i < len / 2; i++)
		to[i] = (uint8_t)(digit(digits[2 * i]) << 4 | digit(digits[2 * i + 1]));
	return to == out ? 0 : store_bytes(type, big, scalar, (uint32_t)len / 2, text, out, err);
}

static int parse_text(const struct value_type *type, const char *text, uint8_t *out, struct bpfstamp_err *err)
{
	size_t len = strlen(text);

	if (len >= type->size)
		return err_set(err, ERANGE, "the text has %zu bytes, but the value has room for %u and a NUL", len,
			       type->size ? type->size - 1 : 0);
	memset(out, 0, type->size);
	memcpy(out, text, len);
	return 0;
}

static bool find_enumerator(const struct btf *btf, uint32_t id, const char *text, uint64_t *value)
{
	struct btf_type t;

	id = btf_resolve(btf, id);
	btf_type(btf, id, &t);
	for (uint32_t i = 0; i < t.vlen; i++) {
		struct btf_enumerator e;

		btf_enumerator(btf, id, i, &e);
		if (!strcmp(e.name, text)) {
			*value = e.value;
			return true;
		}
	}
	return false;
}

/*
 * Compilers of before 2022 say of no enum that it is signed.  One with a value
 * whose top bit is set may be; all enumerators are looked at only when a value is
 * read, because objects have many enums that nobody sets.
 */
static struct value_type with_sign(const struct value_type *type, const struct btf *btf)
{
	struct value_type known = *type;
	struct btf_type t;
	uint32_t id;

	if (type->form != VALUE_ENUM || type->is_signed || !btf)
		return known;
	id = btf_resolve(btf, type->btf);
	btf_type(btf, id, &t);
	for (uint32_t i = 0; t.kind == BTF_ENUM && i < t.vlen && !known.any_sign; i++) {
		struct btf_enumerator e;

		btf_enumerator(btf, id, i, &e);
		known.any_sign = e.value >> 31;
	}
	return known;
}

/* An enumerator of 32 bits as a number of the type: where that has fewer, the top bit can only be a sign. */
static int store_enumerator(const struct value_type *type, bool big, uint64_t value, const char *text, uint8_t *out,
			    struct bpfstamp_err *err)
{
	bool negative = type->is_signed && (int64_t)value < 0;

	if (type->any_sign && type->bits < 32 && value >> 31) {
		value = (uint64_t)(int32_t)value;
		negative = true;
	}
	return store_number(type, big, value, negative, text, out, err);
}

/* `be16:80`: the number as it stands in memory in that byte order, read by the program as its own. */
static int parse_ordered(const struct value_type *type, bool big, const char *text, uint8_t *out,
			 struct bpfstamp_err *err)
{
	uint32_t bits = text[2] == '1' ? 16 : text[2] == '3' ? 32 : 64;
	const struct value_type plain = { .form = VALUE_INT, .size = bits / 8, .bits = (uint8_t)bits,
					  .any_sign = true };
	uint8_t bytes[8];
	uint64_t value;
	bool negative;
	enum number number = parse_number(text + 5, &value, &negative);

	if (number == NUMBER_NONE)
		return err_set(err, EINVAL, "%s: what follows the colon is not a number", text);
	if (number == NUMBER_HUGE || !in_range(&plain, value, negative))
		return err_set(err, ERANGE, "%s does not fit %u bits", text, bits);
	if (type->size < bits / 8)
		return err_set(err, ERANGE, "%s has %u bytes, but the value has %u", text, bits / 8, type->size);
	value_store(bytes, bits / 8, text[0] == 'b', value);
	if (type->form == VALUE_BYTES || type->form == VALUE_TEXT || type->size == bits / 8)
		return store_bytes(type, big, bytes, bits / 8, text, out, err);
	return store_number(type, big, value_load(bytes, bits / 8, false, big), false, text, out, err);
}

static bool is_ordered(const char *text)
{
	return (text[0] == 'b' || text[0] == 'l') && text[1] == 'e' &&
	       (!strncmp(text + 2, "16:", 3) || !strncmp(text + 2, "32:", 3) || !strncmp(text + 2, "64:", 3));
}

static int parse_address(const struct value_type *type, bool big, const char *text, uint8_t *out,
			 struct bpfstamp_err *err)
{
	uint8_t bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return store_bytes(type, big, bytes, 4, text, out, err);
	if (inet_pton(AF_INET6, text, bytes) == 1)
		return store_bytes(type, big, bytes, 16, text, out, err);
	if (parse_mac(text, bytes))
		return store_bytes(type, big, bytes, 6, text, out, err);
	return err_set(err, EINVAL, "'%s' is not a value: expected a number, %saddress, be32:…, or hex:…", text,
		       type->form == VALUE_BOOL ? "true, false, an " :
		       type->form == VALUE_ENUM ? "one of the enumerators, an " : "an ");
}

int value_parse(const struct value_type *type, const struct btf *btf, bool big, const char *text, uint8_t *out,
		struct bpfstamp_err *err)
{
	struct value_type known;
	uint64_t value;
	bool negative;

	if (!strncmp(text, "hex:", 4))
		return parse_hex(type, big, text, out, err);
	if (type->form == VALUE_TEXT)
		return parse_text(type, text, out, err);
	if (is_ordered(text))
		return parse_ordered(type, big, text, out, err);
	known = with_sign(type, btf);
	if (type->form == VALUE_ENUM && btf && find_enumerator(btf, type->btf, text, &value))
		return store_enumerator(&known, big, value, text, out, err);
	if (!strcmp(text, "true") || !strcmp(text, "false"))
		return store_number(type, big, *text == 't', false, text, out, err);
	switch (parse_number(text, &value, &negative)) {
	case NUMBER_OK:
		return store_number(&known, big, value, negative, text, out, err);
	case NUMBER_HUGE:
		return err_set(err, ERANGE, "%s does not fit 64 bits", text);
	default:
		return parse_address(type, big, text, out, err);
	}
}
