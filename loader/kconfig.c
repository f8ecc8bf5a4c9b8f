// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reading the configuration of a kernel, and turning its values into bytes.
 *
 * The running kernel's own file, /proc/config.gz, comes first; kernels built
 * without it have their configuration beside their image or their modules.
 * The file is taken as a whole into memory (a quarter of a megabyte of text),
 * because that is simpler than lines that cross the ends of buffers.  What
 * comes out of gzip is checked by its CRC, by zlib.
 *
 * What may be stored where is libbpf's choice: a string that is too long is
 * cut, and a variable of 8 bytes takes any number of 64 bits whatever its sign,
 * since addresses are often declared long.
 * Backslashes in strings are kept.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "loader/err.h"
#include "loader/kconfig.h"
#include "loader/value.h"

#define CONFIG_MAX (16u << 20)	/* bytes of a file, and of its text */

/* ----------------------------------------------------------------- types */

static bool integer_type(const struct btf_type *type, struct kconfig_type *out)
{
	out->size = out->align = type->size;
	if (type->int_encoding & BTF_INT_BOOL) {
		out->form = KCONFIG_BOOL;
		return type->size == 1;
	}
	out->form = type->size == 1 ? KCONFIG_CHAR : KCONFIG_INT;
	out->is_signed = type->int_encoding & BTF_INT_SIGNED;
	return type->size <= 8;
}

bool kconfig_type(const struct btf *btf, uint32_t id, struct kconfig_type *out)
{
	struct kconfig_type element;
	struct btf_type type;

	*out = (struct kconfig_type){ 0 };
	btf_type(btf, btf_resolve(btf, id), &type);
	switch (type.kind) {
	case BTF_INT:
		return integer_type(&type, out);
	case BTF_ENUM:
	case BTF_ENUM64:
		*out = (struct kconfig_type){ .form = KCONFIG_TRISTATE, .size = type.size, .align = type.size };
		return type.size == (type.kind == BTF_ENUM ? 4 : 8) && !strcmp(type.name, "libbpf_tristate");
	case BTF_ARRAY:
		*out = (struct kconfig_type){ .form = KCONFIG_TEXT, .size = type.array_count, .align = 1 };
		btf_type(btf, btf_resolve(btf, type.array_type), &type);
		return out->size && type.kind == BTF_INT && integer_type(&type, &element) &&
		       element.form == KCONFIG_CHAR;
	default:
		return false;
	}
}

/* ---------------------------------------------------------------- values */

/* "VALUE needs …, and it is declared …": the type is of another form than the value. */
static int wrong_form(const struct kconfig_type *type, const char *value, const char *needed,
		      struct bpfstamp_err *err)
{
	static const char *const names[] = {
		[KCONFIG_BOOL] = "bool", [KCONFIG_TRISTATE] = "enum libbpf_tristate", [KCONFIG_CHAR] = "char",
		[KCONFIG_INT] = "an integer", [KCONFIG_TEXT] = "a char array",
	};

	return err_set(err, EINVAL, "its value %s needs %s, and it is declared %s", value, needed, names[type->form]);
}

static int store_letter(uint8_t *to, const struct kconfig_type *type, bool big, const char *letter,
			struct bpfstamp_err *err)
{
	uint64_t number = *letter == 'm' ? 2 : *letter == 'y';

	if (type->form == KCONFIG_CHAR)
		number = (uint8_t)*letter;
	else if (type->form == KCONFIG_BOOL && *letter == 'm')
		return wrong_form(type, letter, "enum libbpf_tristate or char", err);
	else if (type->form != KCONFIG_BOOL && type->form != KCONFIG_TRISTATE)
		return wrong_form(type, letter, "bool, enum libbpf_tristate or char", err);
	value_store(to, type->size, big, number);
	return 0;
}

static int store_text(uint8_t *to, const struct kconfig_type *type, const char *quoted, struct bpfstamp_err *err)
{
	size_t len = strlen(quoted);
	bool cut;

	if (len < 2 || quoted[len - 1] != '"')
		return err_set(err, EINVAL, "its value %s has no closing quote", quoted);
	if (type->form != KCONFIG_TEXT)
		return wrong_form(type, quoted, "a char array", err);
	len -= 2;
	cut = len >= type->size;
	memset(to, 0, type->size);
	memcpy(to, quoted + 1, cut ? type->size - 1 : len);
	return cut ? 1 : 0;
}

/* Whether a number fits; negative: 64-bit two's complement of what had a minus in front. */
static bool fits(const struct kconfig_type *type, uint64_t number, bool negative)
{
	uint32_t bits = type->size * 8;

	if (negative && (int64_t)number > 0)
		return false;
	if (bits == 64)
		return true;
	if (type->is_signed)
		return number + ((uint64_t)1 << (bits - 1)) < (uint64_t)1 << bits;
	return !(number >> bits);
}

static int out_of_range(const struct kconfig_type *type, const char *value, struct bpfstamp_err *err)
{
	if (type->form == KCONFIG_BOOL)
		return err_set(err, ERANGE, "its value %s is neither 0 nor 1, and it is declared bool", value);
	return err_set(err, ERANGE, "its value %s does not fit %s integer of %u byte%s", value,
		       type->is_signed ? "a signed" : "an unsigned", type->size, type->size > 1 ? "s" : "");
}

static int store_integer(uint8_t *to, const struct kconfig_type *type, bool big, const char *value,
			 struct bpfstamp_err *err)
{
	bool negative = *value == '-';
	uint64_t number;
	char *end;

	errno = 0;
	number = strtoull(value, &end, 0);
	if (value[negative] < '0' || value[negative] > '9' || *end)
		return err_set(err, EINVAL, "its value '%s' is not y, m, n, a quoted string or an integer", value);
	if (type->form != KCONFIG_INT && type->form != KCONFIG_CHAR)
		return wrong_form(type, value, "an integer", err);
	if (errno || !fits(type, number, negative))
		return out_of_range(type, value, err);
	value_store(to, type->size, big, number);
	return 0;
}

int kconfig_store(uint8_t *to, const struct kconfig_type *type, bool big, const char *value,
		  struct bpfstamp_err *err)
{
	if (*value && strchr("ymn", *value) && !value[1])
		return store_letter(to, type, big, value, err);
	if (*value == '"')
		return store_text(to, type, value, err);
	return store_integer(to, type, big, value, err);
}

int kconfig_store_number(uint8_t *to, const struct kconfig_type *type, bool big, uint64_t number,
			 struct bpfstamp_err *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	if (type->form == KCONFIG_TRISTATE || type->form == KCONFIG_TEXT)
		return wrong_form(type, text, "an integer or bool", err);
	if (!fits(type, number, false) || (type->form == KCONFIG_BOOL && number > 1))
		return out_of_range(type, text, err);
	value_store(to, type->size, big, number);
	return 0;
}

/* ----------------------------------------------------------------- files */

/* Make room in a buffer of CONFIG_MAX bytes at most, and of one more for a NUL. */
static int grow(uint8_t **bytes, size_t *room, const char *path, struct bpfstamp_err *err)
{
	size_t more = *room ? *room * 2 : 64u << 10;
	uint8_t *bigger = more > CONFIG_MAX ? NULL : realloc(*bytes, more + 1);

	if (more > CONFIG_MAX)
		return err_set(err, EFBIG, "cannot use %s: no configuration is larger than %u bytes", path,
			       CONFIG_MAX);
	if (!bigger)
		return err_set(err, ENOMEM, "out of memory");
	*bytes = bigger;
	*room = more;
	return 0;
}

static int read_all(FILE *file, const char *path, uint8_t **bytes, size_t *size, struct bpfstamp_err *err)
{
	size_t room = 0, n;

	*size = 0;
	do {
		if (*size == room && grow(bytes, &room, path, err))
			return -1;
		n = fread(*bytes + *size, 1, room - *size, file);
		*size += n;
	} while (n);
	return ferror(file) ? err_set(err, errno, "cannot read %s: %s", path, strerror(errno)) : 0;
}

/* Replace the bytes of a gzip file by what was compressed. */
static int decompress(uint8_t **bytes, size_t *size, const char *path, struct bpfstamp_err *err)
{
	z_stream z = { .next_in = *bytes, .avail_in = (uInt)*size };
	uint8_t *text = NULL;
	size_t room = 0;
	int got = Z_OK;

	if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)	/* 16: gzip */
		return err_set(err, ENOMEM, "out of memory");
	while (got == Z_OK && (z.total_out < room || !grow(&text, &room, path, err))) {
		z.next_out = text + z.total_out;
		z.avail_out = (uInt)(room - z.total_out);
		got = inflate(&z, Z_NO_FLUSH);
	}
	*size = z.total_out;
	inflateEnd(&z);
	if (got == Z_STREAM_END) {
		free(*bytes);
		*bytes = text;
		return 0;
	}
	free(text);
	if (got == Z_OK)
		return -1;
	return err_set(err, EINVAL, "cannot decompress %s: %s", path,
		       got == Z_BUF_ERROR ? "its end is missing" : "it is damaged");
}

/* Read the configuration of c->path from an open file. */
static int take(struct kconfig *c, FILE *file, struct bpfstamp_err *err)
{
	uint8_t *bytes = NULL;
	size_t size;

	if (read_all(file, c->path, &bytes, &size, err))
		goto fail;
	if (size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b && decompress(&bytes, &size, c->path, err))
		goto fail;
	if (memchr(bytes, 0, size)) {
		err_set(err, EINVAL, "cannot use %s: it is not text", c->path);
		goto fail;
	}
	bytes[size] = 0;
	c->text = c->next = (char *)bytes;
	return 0;
fail:
	free(bytes);
	return -1;
}

int kconfig_open(struct kconfig *c, const char *path, struct bpfstamp_err *err)
{
	static const char *const places[] = {
		"/proc/config.gz", "/boot/config-%s", "/lib/modules/%s/config", "/usr/lib/modules/%s/config",
	};
	struct utsname uts;
	FILE *file;
	int ret;

	*c = (struct kconfig){ 0 };
	uname(&uts);
	if (path)
		snprintf(c->path, sizeof(c->path), "%s", path);
	file = path ? fopen(path, "re") : NULL;
	for (size_t i = 0; !path && !file && i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(c->path, sizeof(c->path), places[i], uts.release);
		file = fopen(c->path, "re");
	}
	if (!file && path)
		return err_set(err, errno, "cannot open %s: %s", path, strerror(errno));
	if (!file)
		return err_set(err, ENOENT, "the configuration of this kernel is not to be had: cannot open "
			       "/proc/config.gz, /boot/config-%s, /lib/modules/%s/config or "
			       "/usr/lib/modules/%s/config", uts.release, uts.release, uts.release);
	ret = take(c, file, err);
	fclose(file);
	return ret;
}

void kconfig_close(struct kconfig *c)
{
	free(c->text);
	*c = (struct kconfig){ 0 };
}

bool kconfig_next(struct kconfig *c, const char **name, const char **value)
{
	while (c->next) {
		char *line = c->next, *end = strchr(line, '\n'), *equals;

		c->next = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		equals = strchr(line, '=');
		if (!equals || strncmp(line, "CONFIG_", 7) != 0)
			continue;
		*equals = '\0';
		*name = line;
		*value = equals + 1;
		return true;
	}
	return false;
}
